"""A service, a proxy or an environment that means harm: our own errors only, and the key goes nowhere else."""

from __future__ import annotations

import traceback
from base64 import b64encode
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bio_sync.address import service_address
from bio_sync.errors import BioSyncError, InvalidAddress, ServiceError, UnclearWrite, Unreachable
from bio_sync.key import ApiKey
from bio_sync.sandbox import Fault
from bio_sync.transport.sockets import parsed_address

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bio_sync.api import WritingApi
    from bio_sync.sandbox import Sandbox
    from tests.conftest import Run
    from tests.network.conftest import Answer, Connect, StartServer, Wire

PROXIES = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
XQR = "https://xqr.co/api/v1"


@pytest.fixture(autouse=True)
def no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


# ---- bytes


@given(answer=st.binary(max_size=300))
@example(answer=b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n{}")
@example(answer=b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50)
@example(answer=b"HTTP/1.1 099 Odd\r\n\r\n")
@example(answer=b"HTTP/1.1 204 No Content\r\n\r\n")
@example(answer=b"HTTP/1.1 999 Odd\r\n\r\n{}")
@example(answer=b"HTTP/9.9 200 OK\r\n\r\n{}")
@example(answer=b"HTTP/1.0 200 OK\r\n\r\n{}")
@example(answer=b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}")
@example(answer=b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}")
@example(answer=b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n{}")
@example(answer=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n")
@example(answer=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 30 + b"\r\n")
@example(answer=b"\x16\x03\x01\x02\x00")
def test_no_bytes_whatever_make_another_error_than_ours(answer: bytes, serve: StartServer, connect: Connect) -> None:
    server = serve(answer)
    api = connect(server.url, timeout=2)
    with pytest.raises(UnclearWrite):
        api.update("bio_1", {"title": "A"})
    assert len(server.asked) == 1
    api.__exit__(None, None, None)


@given(
    name=st.sampled_from(
        ["Location", "Set-Cookie", "Retry-After", "Content-Type", "X-Request-Id", "X-RateLimit-Remaining", "Link"]
    ),
    value=st.binary(max_size=60).filter(lambda value: not set(value) & set(b"\r\n\x00")),
    status=st.sampled_from([200, 204, 302, 304, 307, 400, 401, 429, 500]),
)
@example(name="Content-Type", value=b"application/json; charset=rot13", status=200)
@example(name="Set-Cookie", value=b"a=b; Version=x; Expires=never; Max-Age=-", status=200)
@example(name="Location", value=b"javascript:x", status=302)
def test_no_header_whatever_makes_another_error_than_ours(
    name: str, value: bytes, status: int, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    api = connect(serve(wire.raw(b"{}", status=status, headers={name: value.decode("latin-1")})).url, timeout=2)
    with pytest.raises(ServiceError):
        api.get_page("bio_1")
    with pytest.raises(ServiceError):
        api.update("bio_1", {"title": "A"})
    api.__exit__(None, None, None)


def test_a_cookie_is_not_kept(serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.data([], headers={"Set-Cookie": "session=1; Path=/"}))
    api = connect(server.url)
    api.list_pages()
    api.list_pages()
    assert "cookie" not in server.asked[1].headers


# ---- the environment


@pytest.mark.parametrize("name", PROXIES)
@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_no_proxy_is_used_for_this_machine(
    scheme: str, name: str, serve: StartServer, connect: Connect, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = serve(wire.data([])), serve(wire.data([]))
    monkeypatch.setenv(name, f"http://{proxy.address}")
    connect(server.url.replace("http", scheme)).list_pages()
    assert (proxy.connections, len(server.asked)) == (0, 1)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize("prefix", ["http://", ""])
@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 502 No\r\nConnection: close\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nno TLS at all\r\n\r\n", b"", None],
)
def test_a_proxy_sees_a_name_and_a_port_and_never_the_key(
    answer: Answer,
    prefix: str,
    name: str,
    serve: StartServer,
    connect: Connect,
    key: ApiKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = serve(answer)
    monkeypatch.setenv(name, prefix + proxy.address)
    api = connect(XQR, timeout=2)
    with pytest.raises(Unreachable):
        api.list_pages()
    assert {(asked.method, asked.target) for asked in proxy.asked} == {("CONNECT", "xqr.co:443")}
    assert key.header() not in repr(proxy.asked)
    assert "authorization" not in repr(proxy.asked).lower()


def test_a_write_that_the_proxy_refuses_was_never_sent(
    serve: StartServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(b"HTTP/1.1 503 Later\r\nConnection: close\r\n\r\n")
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
    with pytest.raises(Unreachable) as caught:
        connect(XQR).update("bio_1", {"title": "A"})
    assert len(proxy.asked) == 4
    assert caught.value.hint == f"check the network, the proxy that HTTPS_PROXY names and the API address {XQR}"


@pytest.mark.parametrize(
    "proxy",
    ["socks5://user:hunter22@127.0.0.1:1", "ftp://user:hunter22@127.0.0.1:1", "http://user:hunter22@127.0.0.1:x"],
)
def test_a_proxy_that_can_not_be_used_is_told_without_its_password(
    proxy: str, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(InvalidAddress, match="proxy") as caught:
        connect(XQR)
    assert "hunter22" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", ["none.pem", "missing.pem"])
def test_certificates_that_can_not_be_read_are_told(
    name: str, tmp_path: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "none.pem").write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / name))
    with pytest.raises(InvalidAddress, match="SSL_CERT_FILE"):
        connect(XQR)


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_a_host_can_be_kept_from_the_proxy(
    name: str, serve: StartServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(b"")
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
    monkeypatch.setenv(name, "localhost,127.0.0.1")
    with pytest.raises(Unreachable):
        connect("https://127.0.0.1:1/api/v1").list_pages()
    assert proxy.connections == 0


@pytest.mark.parametrize("name", ["ALL_PROXY", "HTTP_PROXY"])
def test_a_proxy_for_other_things_is_not_used_for_https(
    name: str, serve: StartServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(b"")
    monkeypatch.setenv(name, f"http://{proxy.address}")
    with pytest.raises(Unreachable):
        connect("https://127.0.0.1:1/api/v1").list_pages()
    assert proxy.connections == 0


def test_a_netrc_file_is_never_read(
    serve: StartServer,
    connect: Connect,
    wire: Wire,
    key: ApiKey,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login eve password mallory\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    server = serve(wire.data([]))
    # It would be found, and fits: a client that wants it sends what it says.
    httpx.get(server.url, auth=httpx.NetRCAuth(), trust_env=False)
    connect(server.url).list_pages()
    told = [asked.headers["authorization"] for asked in server.asked]
    assert told == [f"Basic {b64encode(b'eve:mallory').decode()}", key.header()]


# ---- the address


@given(
    text=st.text(st.characters(), max_size=30)
    | st.text("htps:/.@127[]#?%\\ \t;a0x。ⅼ", max_size=30).map("https://".__add__)
)
@example(text="https://a b/")
@example(text="https://xn--/")
@example(text="https://.")
@example(text="https://a..b/")
@example(text="https://-/")
@example(text="https://" + "a" * 70)
@example(text="https://[::1%25lo]/")
@example(text="https://xqr.co:/api")
@example(text="https://1.2.3.4.5/")
@example(text="http://[::ffff:8.8.8.8]/")
@example(text="https://" + "a" * 70_000)
def test_every_address_is_refused_or_can_be_used(text: str) -> None:
    try:
        url = parsed_address(service_address(text))
    except InvalidAddress as error:
        assert error.message.isprintable()  # noqa: PT017 - either is right
        return
    assert (url.scheme, url.userinfo, url.query) in {("http", b"", b""), ("https", b"", b"")}
    assert url.raw_host.decode("ascii").encode("idna")


@pytest.mark.parametrize(
    "address",
    [
        "http://xqr.co/api/v1",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://localhost.evil.example/",
        "http://0.0.0.0:1/",
        "http://2130706433/",
        "http://①②⑦.⓪.⓪.①/",
        "https://user:secret@xqr.co/",
        "https://xqr.co/api?x=1",
        "https://xqr.co/api#x",
        "https://xqr.co\\@evil.example/",
        "ftp://xqr.co/",
        "//xqr.co/",
        "xqr.co",
        "",
        "https://",
        "https://xqr.co:port/",
        "https://xqr.co:99999/",
        "https://xqr.co/\nHost: evil.example",
    ],
)
def test_an_address_that_the_key_must_not_go_to_is_refused(address: str) -> None:
    with pytest.raises(InvalidAddress):
        service_address(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "LOCALHOST", "[::1]"])
def test_this_machine_may_be_asked_in_the_clear(host: str) -> None:
    assert service_address(f"http://{host}:8787/api/v1/") == f"http://{host}:8787/api/v1"


# ---- the key

ASKS: dict[str, Callable[[WritingApi], object]] = {
    "list": lambda api: api.list_pages(),
    "get": lambda api: api.get_page("bio_1"),
    "update": lambda api: api.update("bio_1", {"title": "A"}),
    "publish": lambda api: api.set_published("bio_1", published=True),
}


def failures(wire: Wire) -> dict[str, Answer]:
    statuses: dict[str, Answer] = {
        str(status): wire.error(status) for status in (400, 401, 403, 404, 409, 410, 429, 500, 503)
    }
    return statuses | {
        "reset": None,
        "nothing": b"",
        "no HTTP": b"SSH-2.0\r\n\r\n",
        "HTML": wire.raw(b"<html>"),
        "deep": wire.raw(b"[" * 100_000),
        "packed": wire.raw(b"x", headers={"Content-Encoding": "gzip"}),
        "redirect": wire.raw(b"", status=302, headers={"Location": "http://127.0.0.1:1/"}),
        "burst": wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": "1"}),
        "another page": wire.data(wire.page("bio_2")),
        "no page": wire.data(7),
    }


def parts(key: ApiKey) -> set[str]:
    """Give every run of eight characters of the secret."""
    secret = key.header().partition(".")[2]
    return {secret[start : start + 8] for start in range(len(secret) - 7)}


@pytest.mark.parametrize("ask", ASKS)
def test_no_failure_tells_of_the_key(ask: str, serve: StartServer, connect: Connect, wire: Wire, key: ApiKey) -> None:
    for what, answer in failures(wire).items():
        api = connect(serve(answer).url)
        with pytest.raises(BioSyncError) as caught:
            ASKS[ask](api)
        shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caught.value.hint
        shown += repr(vars(api)) + repr(key) + str(key)
        assert not [part for part in parts(key) if part in shown], what


@pytest.mark.parametrize("ask", ASKS)
def test_a_traceback_with_local_variables_does_not_tell_of_the_key_either(
    ask: str, serve: StartServer, connect: Connect, wire: Wire, key: ApiKey
) -> None:
    api = connect(serve(wire.raw(b"<html>")).url)
    with pytest.raises(BioSyncError) as caught:
        ASKS[ask](api)
    trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = "".join(trace.format())
    assert "bio_sync/api.py" in shown
    assert not [part for part in parts(key) if part in shown]


@pytest.mark.parametrize("kind", ["connection", "method", "place"])
def test_a_request_that_is_never_sent_does_not_tell_of_the_key(
    kind: str, serve: StartServer, connect: Connect, wire: Wire, key: ApiKey
) -> None:
    api = connect("http://127.0.0.1:1/api/v1" if kind == "connection" else serve(wire.data([])).url)
    requests: dict[str, Callable[[], object]] = {
        "connection": api.list_pages,
        "method": lambda: api._client.delete(f"{api.address}/bio/pages/bio_1"),
        "place": lambda: api._client.get("http://127.0.0.1:2/"),
    }
    with pytest.raises(BioSyncError) as caught:
        requests[kind]()
    shown = "".join(traceback.format_exception(caught.value))
    assert not [part for part in parts(key) if part in shown]


PAGE_FILES = ("bio_1", "bio_2")


def page_files(folder: Path) -> None:
    (folder / "pages").mkdir()
    for name in PAGE_FILES:
        (folder / "pages" / f"{name}.yaml").write_text(f"id: {name}\ntitle: New\n")


@pytest.mark.parametrize("output_format", ["text", "json"])
@pytest.mark.parametrize("status", [400, 401, 403, 409, 418])
def test_a_service_that_echoes_the_key_does_not_get_it_shown(
    status: int, output_format: str, folder: Path, run: Run, sandbox: Sandbox
) -> None:
    page_files(folder)
    echo = f"no such key: Bearer {sandbox.key}"
    sandbox.fail(
        Fault(status=status, message=echo, code=sandbox.key, times=None, headers={"X-Request-Id": sandbox.key})
    )
    result = run("plan", "-v", "--format", output_format)
    assert result.code == 1
    assert "***" in result.out + result.err
    assert not [part for part in parts(ApiKey(sandbox.key)) if part in result.out + result.err]


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_a_page_that_holds_the_key_does_not_get_it_shown(
    output_format: str, folder: Path, run: Run, start_sandbox: Callable[..., Sandbox]
) -> None:
    page_files(folder)
    sandbox = start_sandbox([{"id": "bio_1"}, {"id": "bio_2"}])
    data = {"theme": sandbox.key, "links": [{"label": sandbox.key[20:50], "url": f"https://a.example/{sandbox.key}"}]}
    sandbox.edit("bio_1", title=f"Key {sandbox.key}", description=sandbox.key[-20:], page_data=data)
    result = run("plan", "--format", output_format)
    assert result.code == 0
    assert "***" in result.out
    assert not [part for part in parts(ApiKey(sandbox.key)) if part in result.out + result.err]
