"""New destinations: the hosts that we tell are those that a browser would go to."""

import json
import re
import time
from collections.abc import Sequence
from pathlib import Path

import ada_url
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from bio_sync import planfile
from bio_sync.destinations import Destination, new_destinations
from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.model import PageContent
from bio_sync.planning import Circumstances, Plan, make_plan
from tests import strategies as some

ROOT = Path(__file__).parent.parent
PLAN_SCHEMA = Draft7Validator(json.loads((ROOT / "schemas/plan.schema.json").read_bytes()))
NOW = Circumstances("0.1.0", "2026-11-22T10:00:00Z", "https://xqr.co/api/v1", 1, 46)


def plan_of(*pages: tuple[JsonObject, JsonObject]) -> Plan:
    contents = [(PageContent("T", None, one, True), PageContent("T", None, other, True)) for one, other in pages]
    names = [f"bio_{number}" for number in range(len(pages))]
    wanted = [some.wanted_page(after, name) for name, (_, after) in zip(names, contents, strict=True)]
    live = {name: some.live_page(before, name) for name, (before, _) in zip(names, contents, strict=True)}
    return make_plan(wanted, live, circumstances=NOW)


def linked(*urls: str) -> JsonObject:
    links: list[Json] = [{"label": "Link", "url": url} for url in urls]
    return {"links": links}


def told(*urls: str, before: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Give what is told, with its Unicode form, of a page that gets `urls` and had those of `before`."""
    return [(found.address, found.unicode) for found in new_destinations(plan_of((linked(*before), linked(*urls))))]


def addresses(*urls: str, before: Sequence[str] = ()) -> list[str]:
    return [address for address, _ in told(*urls, before=before)]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://blog.example", "blog.example"),
        ("https://blog.example/", "blog.example"),
        ("http://blog.example/a/b?c=https://other.example#d", "blog.example"),
        ("HTTPS://BLOG.Example/Path", "blog.example"),
        ("https://blog.example:8443/", "blog.example"),
        ("https://blog.example:", "blog.example"),
        ("https://blog.example.", "blog.example"),
        ("https://user@blog.example/", "blog.example"),
        ("https://www.bank.example:secret@blog.example/", "blog.example"),
        ("https://www.bank.example@other@blog.example/", "blog.example"),
        ("https://blog.example?@bank.example", "blog.example"),
        ("https://blog.example#@bank.example", "blog.example"),
        ("https://blog.example\\@bank.example", "blog.example"),
        ("https:\\\\blog.example\\a", "blog.example"),
        ("https:/blog.example", "blog.example"),
        ("https:blog.example", "blog.example"),
        ("https:////blog.example", "blog.example"),
        ("  https://blog.example\n", "blog.example"),
        ("\x01\x1fhttps://blog.example", "blog.example"),
        ("ht\ttps://blog.example", "blog.example"),
        ("https:/\n/bl\rog.exam\tple/", "blog.example"),
        ("https://%62log.example", "blog.example"),
        ("https://bl%6fg%2Eexample", "blog.example"),
        ("https://１２７.example", "127.example"),
        ("https://ＢＬＯＧ．example", "blog.example"),
        ("https://blog。example", "blog.example"),
        ("https://bl\u00adog.example", "blog.example"),
        ("https://[2001:db8::1]/", "[2001:db8::1]"),
        ("https://192.0.2.1/", "192.0.2.1"),
        ("mailto:hello@blog.example", "mailto:blog.example"),
        ("MAILTO:Hello@Blog.Example?subject=Hi", "mailto:blog.example"),
        ("mailto:hello%40blog.example", "mailto:blog.example"),
        ("tel:+15550100", "tel:+15550100"),
        ("TEL:+15550100", "tel:+15550100"),
        ("sms:+15550100?body=hello", "sms:+15550100"),
    ],
)
def test_an_address_is_told_by_where_it_leads(url: str, address: str) -> None:
    assert addresses(url) == [address]


@pytest.mark.parametrize(
    "text",
    ["", "Blog", "blog.example", "/path", "#part", "https", "https//a.example", "x:https://a.example", "mailto:"],
)
def test_a_text_that_is_no_address_tells_nothing(text: str) -> None:
    assert addresses(text) == []


def test_several_addressees_are_told_each() -> None:
    url = "mailto:a@one.example,b@two.example?cc=c@three.example&bcc=d%40four.example"
    assert addresses(url) == [f"mailto:{name}.example" for name in ("four", "one", "three", "two")]


@pytest.mark.parametrize(
    "now",
    [
        "https://a.example",
        "http://a.example/x",
        "https://A.EXAMPLE:8443/",
        "https://u@a.example",
        "https://a%2eexample",
    ],
)
def test_a_host_that_the_page_leads_to_already_is_not_new(now: str) -> None:
    assert addresses("https://a.example/elsewhere", before=[now]) == []


def test_a_host_that_is_known_on_another_page_is_new_on_this_one() -> None:
    known, stranger = linked("https://a.example"), linked("https://b.example")
    plan = plan_of((known, {**known, "theme": "dark"}), (stranger, linked("https://b.example", "https://a.example")))
    assert new_destinations(plan) == (Destination("a.example", "", ("bio_1",), ("pages/bio_1.yaml",)),)


def test_a_host_that_goes_is_not_told() -> None:
    assert addresses(before=["https://a.example"]) == []


def test_a_subdomain_and_a_longer_domain_are_other_destinations() -> None:
    found = addresses("https://shop.a.example", "https://a.example.evil.example", before=["https://a.example"])
    assert found == ["a.example.evil.example", "shop.a.example"]


@pytest.mark.parametrize(
    ("host", "address", "unicode"),
    [
        ("bücher.example", "xn--bcher-kva.example", "bücher.example"),
        ("BÜCHER.example", "xn--bcher-kva.example", "bücher.example"),
        ("b%C3%BCcher.example", "xn--bcher-kva.example", "bücher.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", "bücher.example"),
        ("XN--BCHER-KVA.example:443", "xn--bcher-kva.example", "bücher.example"),
        ("аррӏе.example", "xn--80ak6aa92e.example", "аррӏе.example"),
        ("faß.example", "xn--fa-hia.example", "faß.example"),
        ("example.рф", "example.xn--p1ai", "example.рф"),
        ("xn--.example", "xn--.example", ""),
        ("xn--0.example", "xn--0.example", ""),
        ("a.xn--a.example", "a.xn--a.example", ""),
    ],
)
def test_a_host_of_other_letters_is_told_in_both_forms(host: str, address: str, unicode: str) -> None:
    assert told(f"https://{host}/") == [(address, unicode)]


def test_a_host_that_looks_like_a_known_one_is_new_and_shows_its_punycode() -> None:
    found = told("https://раураl.example", before=["https://paypal.example"])
    assert found == [(ada_url.URL("https://раураl.example").hostname, "раураl.example")]
    assert found[0][0].startswith("xn--")


@pytest.mark.parametrize("host", ["i❤.example", "☃.example", "👩.example", "ⓔⓥⓘⓛ❤.example"])
def test_a_host_of_emoji_is_told_in_punycode(host: str) -> None:
    assert addresses(f"https://{host}/") == [ada_url.URL(f"https://{host}/").hostname]


def test_mail_to_other_letters_is_told_in_both_forms() -> None:
    assert told("mailto:a@bücher.example") == [("mailto:xn--bcher-kva.example", "mailto:bücher.example")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]/"),
        ("https://[2001:DB8:0::1]/", "https://[2001:db8::1]/"),
        ("https://0xC0.0.2.1/", "https://192.0.2.1/"),
        ("https://3221225985/", "https://192.0.2.1/"),
    ],
)
def test_two_spellings_of_an_address_in_numbers_are_one_destination(one: str, other: str) -> None:
    assert addresses(one, before=[other]) == []
    assert addresses(other, before=[one]) == []
    assert addresses(one) == [ada_url.URL(one).hostname]


def test_an_address_counts_wherever_it_stands_in_the_page() -> None:
    after: JsonObject = {
        "avatar_url": "https://picture.example/a.png",
        "links": [{"label": "https://label.example", "url": "https://url.example", "badge": {"to": "tel:+1"}}],
        "blocks": [["https://list.example", {"deep": {"deeper": "mailto:a@mail.example"}}], 1, True],
    }
    found = [destination.address for destination in new_destinations(plan_of(({}, after)))]
    assert found == [
        "label.example", "list.example", "mailto:mail.example", "picture.example", "tel:+1", "url.example",
    ]  # fmt: skip


@pytest.mark.parametrize("url", ["//evil.example/a", "\\\\evil.example", "/\\evil.example", " /\t/evil.example"])
def test_an_address_without_a_scheme_leads_elsewhere_too(url: str) -> None:
    assert ada_url.URL(url, base="https://bio.xqr.co/acme").hostname == "evil.example"
    assert addresses(url) == ["evil.example"]


def test_a_host_that_is_new_on_many_pages_is_told_once_with_all_of_them() -> None:
    count = 200
    pages = [(linked("https://a.example"), linked("https://a.example", "https://new.example")) for _ in range(count)]
    (found,) = new_destinations(plan_of(*pages))
    assert found.address == "new.example"
    assert set(found.page_ids) == {f"bio_{number}" for number in range(count)}
    assert set(found.files) == {f"pages/bio_{number}.yaml" for number in range(count)}


def test_a_page_that_does_not_change_and_one_that_is_only_published_tell_nothing() -> None:
    page = PageContent("T", None, linked("https://a.example"), False)
    live = {"bio_1": some.live_page(page)}
    for published in (False, True):
        wanted = some.wanted_page(PageContent("T", None, page.page_data, published))
        assert new_destinations(make_plan([wanted], live, circumstances=NOW)) == ()


def test_destinations_stand_in_the_order_of_their_addresses() -> None:
    urls = ["https://b.example", "tel:+1", "https://a.example", "mailto:x@c.example"]
    assert addresses(*urls) == addresses(*reversed(urls)) == ["a.example", "b.example", "mailto:c.example", "tel:+1"]


def test_a_saved_plan_holds_its_new_destinations() -> None:
    after = linked("https://bücher.example", "https://shop.example", "mailto:a@mail.example")
    document = planfile.as_json(plan_of((linked("https://a.example"), after), ({}, linked("https://shop.example"))))
    PLAN_SCHEMA.validate(document)
    assert document["new_destinations"] == [
        {"destination": "mailto:mail.example", "unicode": None, "page_ids": ["bio_0"]},
        {"destination": "shop.example", "unicode": None, "page_ids": ["bio_0", "bio_1"]},
        {"destination": "xn--bcher-kva.example", "unicode": "bücher.example", "page_ids": ["bio_0"]},
    ]


def test_a_plan_that_leads_nowhere_new_says_so() -> None:
    document = planfile.as_json(plan_of((linked("https://a.example"), linked())))
    PLAN_SCHEMA.validate(document)
    assert document["new_destinations"] == []


@pytest.mark.parametrize("letter", ["a", "ü", "❤", "%41", ".", "@", "xn--", "[", "\t", "\u0301"])
def test_a_very_long_address_is_told_at_once(letter: str) -> None:
    started = time.process_time()
    new_destinations(plan_of((linked(), linked(f"https://{letter * 100_000}.example", f"mailto:a@{letter * 100_000}"))))
    assert time.process_time() - started < 5


@pytest.mark.parametrize("first", ["", "❤"])
def test_a_very_long_host_of_many_letters_is_told_at_once(first: str) -> None:
    letters = "".join(map(chr, range(0x4E00, 0x9FA5)))
    started = time.process_time()
    new_destinations(plan_of((linked(), linked(f"https://{first}{letters[:4_000]}.example"))))
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "url", ["https://faß❤.example", "https://❤ς.example", "https://❤\u00ad.example", "https://1_0/"]
)
def test_a_host_that_idna_2008_has_no_room_for_is_the_one_of_a_browser(url: str) -> None:
    assert addresses(url) == [in_a_browser(url)]


PIECES = st.sampled_from(
    [
        *(
            "http:",
            "https:",
            "HTTPS:",
            "ht\ttps:",
            " https:",
            "//",
            "/",
            "\\",
            "\t",
            "\n",
            " ",
            "\x00",
            "\x1f",
            "@",
            ":",
        ),
        *("a.example", "B.Example", "bücher", "ß", "ｅ", "。", ".", "%2e", "%41", "%C3%BC", "%40", "%2F", "%", "xn--"),
        *("xn--bcher-kva", "XN--P1AI", ":80", ":8443", "user:pass@", "?", "#", "[::1]", "[2001:DB8::1]", "192.0.2.1"),
        *("0x7f", "1", "-", "_", "\u00ad", "\u200d", "\u202e", "\ufeff", "❤", "İ", "K", "ſ", "\u0301", "אב", "١"),
    ]
)
# Which letters there are, the readers have from different editions of Unicode: what ours has not yet is left out.
LETTERS = st.characters(exclude_categories=["Cn", "Co", "Cs"])
TEXTS = st.one_of(
    st.builds("".join, st.lists(PIECES, max_size=8)),
    st.builds(
        "https://{}{}".format, st.text(LETTERS, max_size=8), st.sampled_from(["", ".example", "/a", "@a.example"])
    ),
    st.builds("https://{}.example/{}".format, st.text(LETTERS, min_size=1, max_size=6), st.text(max_size=3)),
    st.text(max_size=10),
)


def in_a_browser(text: str) -> str | None:
    """Give the host that a browser goes to, or None where it goes nowhere by http or https."""
    try:
        url = ada_url.URL(text)
    except ValueError:
        return None
    return url.hostname.rstrip(".") if url.protocol in {"http:", "https:"} else None


@given(TEXTS)
@example("https://faß.example")
@example("https://a.example\\@b.example")
@example("https://bücher.example。")
@example("http:a.example")
@example("https://xn--bcher-kva.example")
def test_the_host_that_is_told_is_the_one_that_a_browser_goes_to(text: str) -> None:
    host = in_a_browser(text)
    if host is None:
        return
    found = told(text)
    assert [address for address, _ in found] == [host]
    assert found[0][1] in {"", ada_url.idna_to_unicode(host)}


@given(TEXTS, TEXTS)
def test_texts_that_a_browser_takes_to_one_host_are_one_destination(one: str, other: str) -> None:
    first, second = in_a_browser(one), in_a_browser(other)
    if first and second:
        assert (addresses(one, before=[other]) == []) == (first == second)


@given(st.lists(some.pairs_of_contents(), max_size=3), st.lists(TEXTS, max_size=4))
def test_any_plan_tells_its_destinations_in_a_form_that_holds(
    pairs: list[tuple[PageContent, PageContent]], texts: list[str]
) -> None:
    more: list[Json] = [*texts]
    plan = plan_of(*((one.page_data, {**other.page_data, "more": more}) for one, other in pairs))
    document = planfile.as_json(plan)
    PLAN_SCHEMA.validate(document)
    found = new_destinations(plan)
    assert [one.address for one in found] == sorted({one.address for one in found})
    assert {page for one in found for page in one.page_ids} <= {change.page_id for change in plan.changes}
    assert all(re.fullmatch(r"xn--.*|.*[.:@]xn--.*", one.address) for one in found if one.unicode)
