import pytest

from bio_sync.address import DEFAULT_ADDRESS, is_loopback, service_address
from bio_sync.errors import InvalidAddress


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (DEFAULT_ADDRESS, DEFAULT_ADDRESS),
        ("https://xqr.co/api/v1/", DEFAULT_ADDRESS),
        ("  https://xqr.co/api/v1\n", DEFAULT_ADDRESS),
        ("https://xqr.example:8443/api", "https://xqr.example:8443/api"),
        ("HTTPS://xqr.co/api/v1", "HTTPS://xqr.co/api/v1"),
        ("http://127.0.0.1:8787", "http://127.0.0.1:8787"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("http://localhost:8787/api/v1", "http://localhost:8787/api/v1"),
        ("http://LOCALHOST", "http://LOCALHOST"),
        ("http://[::1]:8787", "http://[::1]:8787"),
    ],
)
def test_https_anywhere_and_http_on_this_machine_are_taken(text: str, address: str) -> None:
    assert service_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "http://xqr.co/api/v1",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://128.0.0.1",
        "http://127.1",
        "http://2130706433",
        "http://[::2]",
        "HTTP://xqr.co",
    ],
)
def test_http_to_another_machine_would_show_the_key(text: str) -> None:
    with pytest.raises(InvalidAddress, match="in the clear") as caught:
        service_address(text)
    assert "https://" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "xqr.co",
        "xqr.co/api/v1",
        "//xqr.co/api/v1",
        "https:",
        "https://",
        "https:///api",
        "https:xqr.co",
        "ftp://xqr.co",
        "file:///etc/passwd",
        "unix:///run/docker.sock",
        "javascript:alert(1)",
        "https://xqr.co\\@evil.example",
        "https:\\\\xqr.co",
        "https://xqr.co /api",
        "https://xqr.co/a\tb",
        "https://xqr.co/\x1b[31m",
        "https://xqr.co/\u202e",
        "https://xqr。co",
        "https://[::1",
        "https://xqr.co:99999",
        "https://xqr.co:port",
        "https://xqr℀.co",
    ],
)
def test_what_is_no_web_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        service_address(text)
    assert caught.value.hint == f"it looks like {DEFAULT_ADDRESS}"


@pytest.mark.parametrize(
    "text",
    [
        "https://user@xqr.co/api",
        "https://user:password@xqr.co/api",
        "https://@xqr.co/api",
        "https://xqr.co@evil.example",
        "http://127.0.0.1@evil.example",
        "https://xqr.co/api?key=1",
        "https://xqr.co/api?",
        "https://xqr.co/api#part",
        "https://xqr.co/api#",
    ],
)
def test_users_queries_and_fragments_are_refused(text: str) -> None:
    with pytest.raises(InvalidAddress, match="more than a host and a path"):
        service_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "xqr_pk_0a1b2c3d.TopSecretTopSecret",
        "https://user:TopSecret@xqr.co",
        "ftp://user:TopSecret@xqr.co",
        "https://xqr.co/?key=TopSecret",
        "https://[TopSecret",
    ],
)
def test_a_secret_put_where_the_address_belongs_is_not_shown(text: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        service_address(text)
    assert "TopSecret" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("xqr.co", False),
        ("localhost.xqr.co", False),
        ("", False),
        ("0.0.0.0", False),  # noqa: S104
        ("192.168.0.1", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, answer: bool) -> None:
    assert is_loopback(host) is answer
