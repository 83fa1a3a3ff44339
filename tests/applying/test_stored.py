"""What the service stores otherwise than it was sent is explained, and doing what is said silences it."""

import html
import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_sync.adopt import places
from bio_sync.applying import stored
from bio_sync.diff import Operation
from bio_sync.model import PageContent
from bio_sync.planning import change_of
from bio_sync.pointer import from_pointer
from tests import strategies as some
from tests.applying.conftest import Bench, Page

A, B, C = ({"label": each, "url": f"https://{each.lower()}.example/"} for each in "ABC")


def links_of(page: Page, change: Callable[[list[Any]], list[Any]]) -> Page:
    return page | {"page_data": page["page_data"] | {"links": change(page["page_data"].get("links", []))}}


def lower_host(link: dict[str, str]) -> dict[str, str]:
    host = urlsplit(link["url"]).netloc
    return link | {"url": link["url"].replace(host, host.lower())}


def known_keys(page: Page) -> Page:
    data = page["page_data"]
    return page | {"page_data": {key: data[key] for key in ("theme", "avatar_url", "links") if key in data}}


def with_defaults(page: Page) -> Page:
    page = links_of(page, lambda links: [{"badge": "none", **link} for link in links])
    return page | {"page_data": {"font": "sans", **page["page_data"]}}


@dataclass(frozen=True)
class Kind:
    """A service that stores otherwise, a file that shows it, and what is said of it."""

    normalise: Callable[[Page], Page]
    wanted: Page
    said: tuple[str, ...]
    pointers: tuple[str, ...]


KINDS = {
    "trims": Kind(
        lambda page: page | {"title": page["title"].strip()},
        {"title": " New "},
        ("/title: the server stores 'New' for ' New '",),
        ("/title",),
    ),
    "lowers-hosts": Kind(
        lambda page: links_of(page, lambda links: list(map(lower_host, links))),
        {"page_data": {"links": [A, {"label": "B", "url": "https://B.Example/Path"}]}},
        ("/page_data/links/1/url: the server stores 'https://b.example/Path' for 'https://B.Example/Path'",),
        ("/page_data/links/1/url",),
    ),
    "adds-defaults": Kind(
        with_defaults,
        {"page_data": {"links": [A, B]}},
        (
            "/page_data/links/0/badge: the server keeps 'none', which the file does not have",
            "/page_data/links/1/badge: the server keeps 'none', which the file does not have",
            "/page_data/font: the server keeps 'sans', which the file does not have",
        ),
        ("/page_data/links/*/badge", "/page_data/font"),
    ),
    "orders-links": Kind(
        lambda page: links_of(page, lambda links: sorted(links, key=lambda link: link["label"])),
        {"page_data": {"links": [B, C, A]}},
        ("/page_data/links/2: the server stores it at /page_data/links/0",),
        ("/page_data/links",),
    ),
    "drops-unknown-keys": Kind(
        known_keys,
        {"page_data": {"theme": "light", "font": {"name": "serif"}}},
        ('/page_data/font: the server does not store {"name":"serif"}',),
        ("/page_data/font",),
    ),
    "escapes-html": Kind(
        lambda page: page | {"title": html.escape(page["title"])},
        {"title": "Salt & <b>"},
        ("/title: the server stores 'Salt &amp; &lt;b&gt;' for 'Salt & <b>'",),
        ("/title",),
    ),
    "composes": Kind(
        lambda page: page | {"title": unicodedata.normalize("NFC", page["title"])},
        {"title": "Cafe\u0301"},
        (r"/title: the server stores 'Caf\xe9' for 'Cafe\u0301'",),
        ("/title",),
    ),
    "caps-links": Kind(
        lambda page: links_of(page, lambda links: links[:2]),
        {"page_data": {"links": [A, B, C]}},
        ('/page_data/links/2: the server does not store {"label":"C","url":"https://c.example/"}',),
        ("/page_data/links",),
    ),
    "advertises": Kind(
        lambda page: links_of(page, lambda links: [*[link for link in links if link != C], C]),
        {"page_data": {"links": [A]}},
        ('/page_data/links/1: the server keeps {"label":"C","url":"https://c.example/"}, which the file does not',),
        ("/page_data/links",),
    ),
    "makes-text-of-numbers": Kind(
        lambda page: page | {"page_data": {key: str(value) for key, value in page["page_data"].items()}},
        {"page_data": {"n": 5, "yes": True}},
        ("/page_data/n: the server stores '5' for 5", "/page_data/yes: the server stores 'True' for true"),
        ("/page_data/n", "/page_data/yes"),
    ),
}


def written(page: Page, **more: Any) -> str:
    """Write a page file: JSON is YAML."""
    return "\n".join(f"{name}: {json.dumps(value)}" for name, value in (page | more).items())


def stored_page(bench: Bench, wanted: Page) -> Page:
    return {name: bench.sandbox.page("bio_1")[name] for name in wanted}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, bench: Bench) -> Kind:
    found = KINDS[request.param]
    bench.files({"bio_1": written(found.wanted)})
    bench.start([{"id": "bio_1", "title": "Old"}], normalise=found.normalise)
    return found


def test_every_scheduled_run_says_what_is_stored_otherwise_and_writes_once_at_most(bench: Bench, kind: Kind) -> None:
    for _ in range(5):
        done = bench.apply()
        told = done.pages["bio_1"]
        assert (done.code, told.words) == (3, ("failed", "not-converged"))
        for words in kind.said:
            assert words in told.message
        assert f". Write in the file what the server stores, or add {', '.join(kind.pointers)} to `ignore`" in (
            told.message
        )
        assert bench.writes == ["PATCH bio_1"]


def test_to_write_what_the_server_stores_silences_it(bench: Bench, kind: Kind) -> None:
    bench.apply()
    before = stored_page(bench, kind.wanted)
    bench.files({"bio_1": written(before)})
    done = bench.apply()
    assert (done.code, done.words, bench.writes) == (0, [("unchanged", None)], [])
    assert stored_page(bench, kind.wanted) == before


def test_to_ignore_what_is_named_silences_it_and_changes_nothing_live(bench: Bench, kind: Kind) -> None:
    told = bench.apply().pages["bio_1"]
    named = re.search(r"or add (.*) to `ignore`", told.message)
    assert named
    before = stored_page(bench, kind.wanted)
    bench.files({"bio_1": written(kind.wanted, ignore=named[1].split(", "))})
    done = bench.apply()
    assert (done.code, done.words, bench.writes) == (0, [("unchanged", None)], [])
    assert stored_page(bench, kind.wanted) == before


BADGES = "/page_data/links/1/badge", "/page_data/links/2/badge"


@pytest.mark.parametrize(
    ("links", "named"),
    [
        ([A, B, C, A, B], ["/page_data/links/*/badge", "/page_data/links/*/id"]),
        # With `*`, the badge that the file itself gives would be left alone too.
        ([{**A, "badge": "none"}, B, C], ["/page_data/links/*/id", *BADGES]),
        ([A], ["/page_data/links/0/badge", "/page_data/links/0/id"]),
    ],
)
def test_one_pointer_stands_for_a_place_of_all_links_and_only_for_what_differs(
    bench: Bench, links: list[Any], named: list[str]
) -> None:
    def numbered(page: Page) -> Page:
        return links_of(page, lambda found: [{"badge": "none", "id": n, **link} for n, link in enumerate(found)])

    bench.files({"bio_1": written({"page_data": {"links": links}})})
    bench.start([{"id": "bio_1", "title": "Old"}], normalise=numbered)
    message = bench.apply().pages["bio_1"].message
    assert message.endswith(f"or add {', '.join(named)} to `ignore`")
    bench.files({"bio_1": written({"page_data": {"links": links}}, ignore=named)})
    assert bench.apply().words == [("unchanged", None)]


def test_keys_that_are_numbers_are_no_items(bench: Bench) -> None:
    prices = {"0": {"sum": " 5"}, "1": {"sum": " 7"}}
    bench.files({"bio_1": written({"page_data": {"prices": prices}})})
    stripped = {key: {"sum": price["sum"].strip()} for key, price in prices.items()}
    bench.start([{"id": "bio_1"}], normalise=lambda page: page | {"page_data": {"prices": stripped}})
    message = bench.apply().pages["bio_1"].message
    assert message.endswith("or add /page_data/prices/0/sum, /page_data/prices/1/sum to `ignore`")


def cells_of(cells: list[tuple[Page, Page]], side: int) -> list[Page]:
    return [{"label": str(number), **cell[side]} for number, cell in enumerate(cells)]


MEMBERS = st.dictionaries(st.sampled_from(["id", "badge"]), st.integers(0, 3), max_size=2)
SECTIONS = st.lists(st.lists(st.tuples(MEMBERS, MEMBERS), max_size=4), max_size=3)


@given(SECTIONS)
@settings(max_examples=60)
def test_what_is_named_silences_it_and_leaves_nothing_alone_that_is_as_wanted(
    sections: list[list[tuple[Page, Page]]],
) -> None:
    sides: list[Page] = [
        {"rows": [{"label": str(row), "cells": cells_of(cells, side)} for row, cells in enumerate(sections)]}
        for side in (0, 1)
    ]
    sent, kept = sides
    wanted = some.wanted_page(PageContent("T", "", sent, published=False))
    live = some.live_page(PageContent("T", "", kept, published=False))
    change = change_of(wanted, live)
    if change is None:
        return
    said = stored.stored_otherwise(change.operations, change.before, change.after)
    named = said.rpartition("or add ")[2].removesuffix(" to `ignore`").split(", ")
    if not named[-1].startswith("and "):
        assert change_of(replace(wanted, ignore=tuple(named)), live) is None
    differ = {from_pointer(step.path) for step in change.operations}
    assert {place for each in named if each[0] == "/" for place in places(each, kept_and(sent, kept))} <= differ


def kept_and(sent: Page, kept: Page) -> Page:
    """Give a page that has every member of both."""
    rows = [
        {"cells": [{**one, **other} for one, other in zip(*(row["cells"] for row in pair), strict=True)]}
        for pair in zip(sent["rows"], kept["rows"], strict=True)
    ]
    return {"page_data": {"rows": rows}}


def with_whole_numbers(page: Page) -> Page:
    values = page["page_data"].items()
    return page | {"page_data": {key: int(value) if value == int(value) else value for key, value in values}}


def test_numbers_that_json_takes_for_the_same_are_the_same(bench: Bench) -> None:
    bench.files({"bio_1": "page_data: {n: 1.0, big: 1e3, f: 0.5}"})
    bench.start([{"id": "bio_1"}], normalise=with_whole_numbers)
    assert bench.apply().words == [("applied", None)]
    for _ in range(4):
        assert bench.apply().words == [("unchanged", None)]
        assert bench.writes == []


def test_a_number_is_no_truth(bench: Bench) -> None:
    bench.files({"bio_1": "page_data: {n: true}"})
    bench.start([{"id": "bio_1"}], normalise=lambda page: page | {"page_data": {"n": 1}})
    told = bench.apply().pages["bio_1"]
    assert told.words == ("failed", "not-converged")
    assert "/page_data/n: the server stores 1 for true" in told.message


def test_a_key_that_a_merging_service_keeps_is_named_with_a_way_out_that_works(bench: Bench) -> None:
    bench.files({"bio_1": "page_data: {theme: light}"})
    bench.start([{"id": "bio_1", "page_data": {"theme": "dark", "badge": "gold"}}], patch="merge")
    told = bench.apply().pages["bio_1"]
    assert told.words == ("failed", "not-converged")
    assert "/page_data/badge: the server keeps 'gold', which the file does not have. Write in the file" in told.message
    bench.files({"bio_1": "page_data: {theme: light}\nignore: [/page_data/badge]"})
    assert bench.apply().words == [("unchanged", None)]


def test_what_is_stored_otherwise_keeps_a_page_from_being_published(bench: Bench) -> None:
    bench.files({"bio_1": 'title: " New "\npublished: true'})
    bench.start([{"id": "bio_1", "title": "Old"}], normalise=lambda page: page | {"title": page["title"].strip()})
    assert bench.apply().words == [("failed", "not-converged")]
    assert bench.writes == ["PATCH bio_1"]
    assert bench.live("bio_1", "is_published") == (False,)


def test_of_many_differences_three_are_shown_and_all_can_be_ignored(bench: Bench) -> None:
    bench.files({"bio_1": "page_data: {a: ' 1', b: ' 2', c: ' 3', d: ' 4', e: ' 5'}"})
    bench.start(
        [{"id": "bio_1"}],
        normalise=lambda page: page | {"page_data": {key: each.strip() for key, each in page["page_data"].items()}},
    )
    message = bench.apply().pages["bio_1"].message
    assert "/page_data/c: the server stores '3' for ' 3'; and 2 more. " in message
    assert message.endswith("add /page_data/a, /page_data/b, /page_data/c, /page_data/d, /page_data/e to `ignore`")


def test_an_answer_may_hold_what_no_file_can(bench: Bench) -> None:
    bench.many(1)
    body = r'{"data": {"id": "bio_000", "title": "\ud800\u001b[1m", "page_data": {}, "is_published": false}}'
    bench.fail(method="PATCH", status=200, body=body, headers={"Content-Type": "application/json"}, after=True)
    told = bench.apply().pages["bio_000"]
    assert told.words == ("failed", "not-converged")
    assert r"the server stores '\ud800\x1b[1m' for 'New'" in told.message


def test_what_was_wanted_is_never_called_applied_when_the_page_hides_it(bench: Bench) -> None:
    bench.files({"bio_1": "title: New\npublished: false"})
    bench.start([{"id": "bio_1", "title": "Old", "is_published": True}])
    page = json.dumps({"data": bench.sandbox.page("bio_1"), "meta": {}})
    bench.fail(method="POST", status=200, body=page, headers={"Content-Type": "application/json"})
    told = bench.apply().pages["bio_1"]
    assert (told.words, told.message) == (
        ("failed", "not-converged"),
        "/published: the server stores true for false",
    )
    # It has to be hidden before it changes.
    assert bench.writes == ["POST bio_1/unpublish"]


@pytest.mark.parametrize(
    ("sent", "kept", "words"),
    [
        ("a" * 90 + " ", "a" * 90, ("…" + "a" * 20 + "'", "…" + "a" * 20 + " '")),
        ("b" * 90 + "X" + "c" * 90, "b" * 90 + "Y" + "c" * 90, ("bY" + "c" * 39 + "…'", "bX" + "c" * 39 + "…'")),
        ("X" + "c" * 90, "Y" + "c" * 90, ("'Y" + "c" * 59 + "…'", "'X" + "c" * 59 + "…'")),
        ("A\u030a", "\u00c5", (r"'\xc5'", r"'A\u030a'")),
        ("a\u00a0b", "a b", ("'a b'", r"'a\xa0b'")),
        ("", "New", ("'New'", "''")),
    ],
)
def test_two_values_that_differ_never_read_the_same(sent: str, kept: str, words: tuple[str, str]) -> None:
    said = stored.stored_otherwise([Operation("replace", "/title", before=kept, after=sent)])
    for each in words:
        assert each in said
    assert len(said) < 300


def test_a_step_that_is_known_is_no_edit_whatever_else_was_done_meanwhile() -> None:
    was = PageContent("Old", "", {"theme": "dark", "n": 1}, published=False)
    wanted = some.wanted_page(PageContent("New", "", {"theme": "light", "n": 1}, published=False))
    expected = stored.steps_left(wanted, some.live_page(was))
    assert [step.path for step in expected] == ["/title", "/page_data/theme"]
    for content, found in [
        (was, []),
        (PageContent("New", "", {"theme": "dark", "n": 1}, published=False), []),
        (PageContent("Old", None, {"theme": "light", "n": 1.0}, published=False), []),
        (PageContent("Old", "", {"theme": "dark", "n": True}, published=False), ["/page_data/n"]),
        (PageContent("old", "", {"theme": "dark"}, published=True), ["/title", "/page_data/n", "/published"]),
        # Not told: neither an edit nor none.
        (PageContent("Old", "", {"theme": "dark", "n": 1}, published=None), []),
    ]:
        assert [step.path for step in stored.moved(wanted, expected, was, some.live_page(content))] == found


def show_without_saying_whether_it_is_public(bench: Bench) -> None:
    body = json.dumps({"data": {"id": "bio_1", "title": "Old", "page_data": {}}, "meta": {}})
    bench.fail(method="GET", status=200, body=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("wanted", [None, True, False])
@pytest.mark.parametrize("public", [True, False])
def test_whether_a_page_is_public_is_no_edit_when_it_was_not_told_before(
    bench: Bench, wanted: bool | None, public: bool
) -> None:
    bench.files({"bio_1": written({"title": "New"} | ({} if wanted is None else {"published": wanted}))})
    bench.start([{"id": "bio_1", "title": "Old", "is_published": public}])
    show_without_saying_whether_it_is_public(bench)
    done = bench.apply()
    assert (done.code, done.pages["bio_1"].words, done.pages["bio_1"].message) == (0, ("applied", None), "")
    assert bench.live("bio_1", "title", "is_published") == ("New", public if wanted is None else wanted)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_lost_publish_of_a_page_that_did_not_tell_whether_it_was_public_is_settled(
    bench: Bench, wanted: bool
) -> None:
    bench.files({"bio_1": written({"published": wanted})})
    bench.start([{"id": "bio_1", "title": "Old", "is_published": not wanted}])
    show_without_saying_whether_it_is_public(bench)
    bench.fail(method="POST", wire="reset")
    assert bench.apply().words == [("applied", None)]
    assert len(bench.writes) == 2
