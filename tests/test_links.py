import ipaddress
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bio_sync.links import is_unencrypted, runs_script, why_not_a_link, why_not_an_image

GOOD = [
    "https://acme.com",
    "https://acme.com/",
    "https://acme.com./",
    "https://blog.acme.com/a/b.html?c=d&e=%20f#g",
    "HTTPS://Acme.COM/Path",
    "http://acme.com",
    "https://acme.com:8443/shop",
    "https://acme.com?x=1",
    "https://acme.com#top",
    "https://a_b.acme.com",
    "https://xn--bcher-kva.example",
    "https://bücher.example/straße?q=ü",
    "https://日本.example",
    "https://127.0.0.1:8080/",
    "https://[2001:db8::1]/",
    "https://[::1]:8443/",
    "https://acme.com/@nora",
    "https://acme.com/a:b",
    "https://acme.com/?q=a@b",
    "https://acme.com/🎨",
    "https://localhost/",
    "https://09.acme.com",
    "https://acme.com//double",
    "https://acme.com/?u=javascript:alert(1)",
    "mailto:hello@acme.com",
    "MAILTO:hello@acme.com?subject=Hi%20there",
    "tel:+15550100",
    "tel:+1-555-0100",
    "sms:+15550100?body=Hello",
]

BAD = [
    ("", "is not a web address"),
    ("acme.com", "is not a web address"),
    ("www.acme.com", "is not a web address"),
    ("//acme.com", "is not a web address"),
    ("/about", "is not a web address"),
    ("ftp://acme.com", "is not a web address"),
    ("javascript:alert(1)", "is not a web address"),
    ("JavaScript://acme.com/%0aalert(1)", "is not a web address"),
    (" javascript:alert(1)", "is not a web address"),
    ("java\tscript:alert(1)", "is not a web address"),
    ("\x01javascript:alert(1)", "is not a web address"),
    ("data:text/html,<script>alert(1)</script>", "is not a web address"),
    ("vbscript:msgbox(1)", "is not a web address"),
    ("blob:https://acme.com/1", "is not a web address"),
    ("file:///etc/passwd", "is not a web address"),
    ("intent://acme.com#Intent;end", "is not a web address"),
    ("view-source:https://acme.com", "is not a web address"),
    (" https://acme.com", "is not a web address"),
    ("\ufeffhttps://acme.com", "is not a web address"),
    ("ｈttps://acme.com", "is not a web address"),
    ("https", "is not a web address"),
    ("https://acme.com ", "holds white space or an invisible character"),
    ("https://ac me.com", "holds white space or an invisible character"),
    ("https://acme.com/a b", "holds white space or an invisible character"),
    ("https://acme.com/\u00a0", "holds white space or an invisible character"),
    ("https://acme.com/a\tb", "holds white space or an invisible character"),
    ("https://acme.com\n", "holds white space or an invisible character"),
    ("https://acme.com/\x1b", "holds white space or an invisible character"),
    ("https://acme.com/\u202emoc.live", "holds white space or an invisible character"),
    ("https://exa\u00admple.com", "holds white space or an invisible character"),
    ("https://exa\u200bmple.com", "holds white space or an invisible character"),
    ("https://acme.com/\ue000", "holds white space or an invisible character"),
    ("https://acme.com/\ud800", "holds white space or an invisible character"),
    ("tel:+1 555 0100", "holds white space or an invisible character"),
    ("https:\\\\evil.example", "holds a backslash, which browsers read as a slash"),
    ("https://good.example\\@evil.example/", "holds a backslash, which browsers read as a slash"),
    ("https://acme.com\\evil", "holds a backslash, which browsers read as a slash"),
    ("https:evil.example", "has no // after the colon"),
    ("https:/evil.example", "has no // after the colon"),
    ("https:", "has no // after the colon"),
    ("https://", "has no host"),
    ("https:///evil.example", "has no host"),
    ("https://?a", "has no host"),
    ("https://#a", "has no host"),
    ("https://:443/", "has no host"),
    ("https://user@evil.example", "holds a user name, which hides where it leads"),
    ("https://acme.com@evil.example/", "holds a user name, which hides where it leads"),
    ("https://acme.com:pass@evil.example/", "holds a user name, which hides where it leads"),
    ("https://@acme.com", "holds a user name, which hides where it leads"),
    ("https://[::1", "has a host that can't be read"),
    ("https://[::1%eth0]/", "has a host that can't be read"),
    ("https://[zz]/", "has a host that can't be read"),
    ("https://[127.0.0.1]/", "has a host that can't be read"),
    ("https://acme℀.com", "has a host that can't be read"),
    ("https://2130706433", "has a host that a browser reads as another one"),
    ("https://0x7f.1", "has a host that a browser reads as another one"),
    ("https://0x7f000001", "has a host that a browser reads as another one"),
    ("https://127.1", "has a host that a browser reads as another one"),
    ("https://0177.0.0.1", "has a host that a browser reads as another one"),
    ("https://1.2.3.4.5", "has a host that a browser reads as another one"),
    ("https://256.1.1.1", "has a host that a browser reads as another one"),
    ("https://ℯvil.example", "has a host that a browser reads as another one"),
    ("https://ｅvil.example", "has a host that a browser reads as another one"),
    ("https://evil。example", "has a host that a browser reads as another one"),
    ("https://evil｡example", "has a host that a browser reads as another one"),
    ("https://good.example%2eevil.example", "has a host that a browser reads as another one"),
    ("https://acme..com", "has a host that a browser reads as another one"),
    ("https://.acme.com", "has a host that a browser reads as another one"),
    ("https://-acme.com", "has a host that a browser reads as another one"),
    ("https://xn--a.example", "has a host that a browser reads as another one"),
    ("https://acme,com", "has a host that a browser reads as another one"),
    ("https://" + "a" * 64 + ".com", "has a host that a browser reads as another one"),
    ("https://" + "a." * 127 + "com", "has a host that a browser reads as another one"),
    ("https://acme.com:", "has a port that can't be"),
    ("https://acme.com:99999", "has a port that can't be"),
    ("https://acme.com:80:80", "has a port that can't be"),
    ("https://acme.com:http", "has a port that can't be"),
    ("https://[::1]8443/", "has a port that can't be"),
    ("mailto:", "has no mail address such as mailto:hello@example.com"),
    ("mailto:hello", "has no mail address such as mailto:hello@example.com"),
    ("mailto:@acme.com", "has no mail address such as mailto:hello@example.com"),
    ("mailto:?to=hello@acme.com", "has no mail address such as mailto:hello@example.com"),
    ("tel:", "has no telephone number such as tel:+15550100"),
    ("tel:now", "has no telephone number such as tel:+15550100"),
    ("sms:?body=1", "has no telephone number such as sms:+15550100"),
]


@pytest.mark.parametrize("text", GOOD)
def test_a_link_that_everybody_reads_alike_is_taken(text: str) -> None:
    assert why_not_a_link(text) is None


@pytest.mark.parametrize(("text", "reason"), BAD)
def test_any_other_link_is_refused_with_its_reason(text: str, reason: str) -> None:
    assert why_not_a_link(text) == reason


@pytest.mark.parametrize("text", ["https://cdn.xqr.co/a.png", "HTTP://cdn.xqr.co/a.png"])
def test_a_picture_lies_on_the_web(text: str) -> None:
    assert why_not_an_image(text) is None


@pytest.mark.parametrize("text", ["mailto:a@b.example", "tel:+1", "data:image/png;base64,AA", "a.png", "blob:x"])
def test_anything_but_a_web_address_is_no_picture(text: str) -> None:
    assert why_not_an_image(text) == "is not the web address of a picture"


def test_the_address_of_a_picture_obeys_the_rules_of_links() -> None:
    assert why_not_an_image("https://a@b.example/c.png") == "holds a user name, which hides where it leads"


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "javascript:",
        " javascript:alert(1)",
        "\x00\x1f javascript:alert(1)",
        "java\tscript:alert(1)",
        "java\nscript:alert(1)",
        "j\r\na\tv\nascript\t:alert(1)",
        "javascript: alert(1)",
        "javascript: alert`1`",
        "javascript: alert%281%29",
        "javascript: location='https//evil'",
        "javascript: a\nalert`1`",
        "JavaScript: the good parts; alert(1)",
        "JavaScript: the good parts",
        "javascript: name",
        "javascript: window.name",
        "data: 50% off",
        "data:x y,z",
        "\u00a0javascript:alert(1)",
        "java\tscript: the good parts",
        "javascript://acme.com/%0aalert(1)",
        "vbscript:msgbox(1)",
        "VbScript: msgbox(1)",
        "data:text/html,<script>alert(1)</script>",
        "data:text/html;base64,PHNjcmlwdD4=",
        "DATA:,hello",
        "data:;base64,AA",
        "data: text/html,<h1>Your password?",
        "data: text/html,<script>alert`1`</script>",
        "da\nta:text/html,x",
        "data:image/svg+xml,<svg onload=alert(1)>",
    ],
)
def test_a_program_is_seen_through_its_disguise(text: str) -> None:
    assert runs_script(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://acme.com/javascript:x",
        "I love JavaScript: the good parts",
        "Database: text/html",
        "javascript",
        "mydata:text/html,x",
    ],
)
def test_words_about_programs_are_none(text: str) -> None:
    assert not runs_script(text)


JUNK = st.text(st.sampled_from("\x00\x01\x08\x1b\x1f "), max_size=4)


@given(JUNK, st.lists(st.sampled_from(["", "\t", "\n", "\r"]), min_size=10, max_size=10), st.booleans(), st.text())
def test_no_mixture_of_junk_and_case_hides_a_program(junk: str, gaps: list[str], upper: bool, rest: str) -> None:
    word = "JAVASCRIPT" if upper else "javascript"
    text = junk + "".join(letter + gap for letter, gap in zip(word, gaps, strict=True)) + ":" + rest.lstrip() + "()"
    assert runs_script(text)
    assert why_not_a_link(text) is not None


@pytest.mark.parametrize(
    ("text", "answer"),
    [("http://acme.com", True), ("HTTP://acme.com", True), ("https://acme.com", False), ("http:", False), ("", False)],
)
def test_only_http_is_unencrypted(text: str, answer: bool) -> None:
    assert is_unencrypted(text) is answer


@given(st.one_of(st.text(), st.text(max_size=20).map("https://".__add__), st.text(max_size=9).map("mailto:".__add__)))
def test_any_text_is_a_link_or_has_a_reason(text: str) -> None:
    assert why_not_a_link(text) in {None, *(reason for _, reason in BAD)}


@given(st.text(max_size=20))
def test_no_accepted_link_holds_what_acts_unseen(text: str) -> None:
    link = f"https://acme.com/{text}"
    if why_not_a_link(link) is None:
        assert link.isprintable() or not link.isascii()
        assert not any(character.isspace() or character == "\\" for character in link)


HOSTS = st.one_of(
    st.text(st.sampled_from("aAbxn0179.-_:[]%@/\\?#éßʼ℀。．ａ١日"), max_size=14),
    st.text(st.characters(), max_size=8),
    st.lists(st.text(st.sampled_from("abcxyz019-éüßжαςلأ中ー٣"), min_size=1, max_size=8), min_size=1, max_size=3).map(
        ".".join
    ),
    st.lists(st.sampled_from(["0x7f", "127", "0", "1", "256", "08", "0x", "xn--bcher-kva", "xn--a"]), max_size=5).map(
        ".".join
    ),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.ip_addresses(v=4).map(str),
)


@given(HOSTS, st.sampled_from(["", "/", "/a", "?a", "#a", ":8080/a", "/@a", "/a b", "\\a"]))
@example("bücher.example", "/")
@example("[::ffff:1.2.3.4]", "/")
def test_a_browser_goes_to_the_host_that_python_reads(host: str, rest: str) -> None:
    ada_url = pytest.importorskip("ada_url")
    link = f"https://{host}{rest}"
    if why_not_a_link(link) is None:
        mine = urlsplit(link).hostname or ""
        browsers = ada_url.URL(link).hostname
        assert canonical_host(mine) == canonical_host(browsers.strip("[]"))


def canonical_host(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        idna = pytest.importorskip("idna")
        return str(idna.encode(host.lower()).decode() if not host.isascii() else host.lower())


def test_the_property_about_browsers_speaks_of_real_links() -> None:
    ada_url = pytest.importorskip("ada_url")
    for link in GOOD:
        if link.lower().startswith("http"):
            assert canonical_host(urlsplit(link).hostname or "") == canonical_host(
                ada_url.URL(link).hostname.strip("[]")
            )
