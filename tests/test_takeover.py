"""What a file has to say after a pull: the live page, and all that is the file's own."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync import timetable
from bio_sync.adopt import adopt
from bio_sync.jsonvalues import Json, JsonObject, normalised
from bio_sync.model import PageContent, desired_page, same_content
from bio_sync.takeover import Hidden, new_document, taken_over
from tests import strategies

NOW = datetime(2026, 12, 1, tzinfo=UTC)
LATER, EARLIER = "2026-12-24T09:00Z", "2026-11-24T09:00Z"
IGNORES = ("/title", "/description", "/published", "/page_data", "/page_data/theme", "/page_data/links",
           "/page_data/links/*", "/page_data/links/*/badge", "/page_data/links/0/label")  # fmt: skip

ignores = st.lists(st.sampled_from(IGNORES), max_size=2, unique=True)
own_keys = st.dictionaries(st.sampled_from(("x-note", "x-team")), strategies.scalars, max_size=1)


def hidden(link: JsonObject) -> bool:
    return not timetable.shows(link, NOW)


def nothing_hidden(_: JsonObject) -> bool:
    return False


def live(page_data: JsonObject, **fields: Any) -> PageContent:
    values: dict[str, Any] = {"title": "T", "description": None, "published": True}
    return PageContent(page_data=page_data, **(values | fields))


def taken(page_data: JsonObject, now: JsonObject, *ignore: str, is_hidden: Hidden = hidden) -> Json:
    return taken_over({"id": "a", "page_data": page_data}, live(now), ignore, hidden=is_hidden)["page_data"]


def are_apart(links: Json) -> bool:
    urls = [link.get("url") for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    return len(set(map(str, urls))) == len(urls)


@st.composite
def documents(draw: st.DrawFn) -> JsonObject:
    """Draw a page file: some of the fields of a page, with notes, nulls, and links that show at some time."""
    content = draw(strategies.contents)
    fields = draw(st.lists(st.sampled_from(("title", "description", "published", "page_data")), unique=True))
    document = {"id": "a"} | {name: value for name, value in content.as_json().items() if name in fields}
    document = {name: value for name, value in document.items() if value is not None}
    page_data = document.get("page_data")
    if isinstance(page_data, dict):
        page_data |= draw(own_keys)
        links = page_data.get("links")
        if isinstance(links, list):
            times = st.fixed_dictionaries({}, optional={"show_from": st.sampled_from((LATER, EARLIER))})
            page_data["links"] = [
                link | draw(times) | draw(own_keys) if isinstance(link, dict) and draw(st.booleans()) else link
                for link in links
            ]
        if draw(st.booleans()):
            page_data["nothing"] = None
    return document


# Of two links that only differ in what is left alone, nobody can tell which is which.
lives = strategies.contents.filter(lambda page: are_apart(page.page_data.get("links")))


@given(documents(), lives, ignores)
def test_the_page_that_a_file_asks_for_after_a_pull_is_the_live_one(
    own: JsonObject, now: PageContent, ignore: list[str]
) -> None:
    document = taken_over(own, now, ignore, hidden=hidden)
    wanted = timetable.desired_at(document, NOW, file="", ignore=tuple(ignore))
    assert same_content(adopt(wanted, now), now)
    assert document.keys() == own.keys()
    assert taken_over(document, now, ignore, hidden=hidden) == document


@given(lives, ignores)
def test_the_page_that_a_new_file_asks_for_is_the_live_one(now: PageContent, ignore: list[str]) -> None:
    document = new_document("a", now, ignore)
    assert same_content(adopt(desired_page(document, file="", ignore=tuple(ignore)), now), now)
    assert not {"view_count", "slug", "html_url"} & document.keys()


@given(strategies.contents)
def test_a_file_that_says_what_is_live_stays_as_it_is(now: PageContent) -> None:
    document = {"id": "a", **now.as_json(), "x-owner": 1}
    assert taken_over(document, now, (), hidden=nothing_hidden) == document


def test_a_new_file_is_in_reading_order() -> None:
    data: JsonObject = {
        "links": [{"badge": 1, "url": "https://a.example", "label": "A"}],
        "zebra": {"links": [], "a": 1},
        "avatar_url": "https://a.example/a.png",
        "layout": 1,
        "theme": "dark",
    }
    document = new_document("a", live(data))
    assert list(document) == ["id", "title", "description", "published", "page_data"]
    page_data = strategies.as_object(document["page_data"])
    assert list(page_data) == ["theme", "avatar_url", "zebra", "layout", "links"]
    assert page_data["links"] == [{"label": "A", "url": "https://a.example", "badge": 1}]
    assert isinstance(page_data["links"], list)
    assert list(strategies.as_object(page_data["links"][0])) == ["label", "url", "badge"]


def test_what_the_service_does_not_tell_is_left_out_of_a_new_file() -> None:
    assert new_document("a", live({}, published=None)) == {"id": "a", "title": "T", "description": "", "page_data": {}}


def test_a_field_that_is_ignored_is_left_out_of_a_new_file() -> None:
    assert new_document("a", live({"a": 1}), ["/title", "/page_data"]) == {
        "id": "a",
        "description": "",
        "published": True,
    }


def test_what_a_file_leaves_out_stays_unmanaged() -> None:
    own: JsonObject = {"id": "a", "title": "Old"}
    now = live({"a": 1}, description="new")
    assert taken_over(own, now, (), hidden=nothing_hidden) == {"id": "a", "title": "T"}


def test_no_description_and_an_empty_one_are_the_same_and_the_file_s_stays() -> None:
    own: JsonObject = {"id": "a", "description": ""}
    assert taken_over(own, live({}, description=None), (), hidden=nothing_hidden) == own
    assert taken_over({"id": "a", "description": "x"}, live({}), (), hidden=nothing_hidden)["description"] == ""


def test_new_keys_come_where_a_reader_looks_for_them() -> None:
    own: JsonObject = {"x-note": 1, "columns": 2, "links": []}
    now: JsonObject = {"links": [], "layout": 1, "columns": 2, "avatar_url": "b", "theme": "dark"}
    result = taken(own, now)
    assert list(strategies.as_object(result)) == ["theme", "avatar_url", "x-note", "columns", "layout", "links"]


LINK: JsonObject = {"label": "A", "url": "https://a.example"}
OTHER: JsonObject = {"label": "B", "url": "https://b.example"}


@pytest.mark.parametrize(
    ("own", "now", "result"),
    [
        # A link of tomorrow stays, and where it stands.
        ([LINK, {**OTHER, "show_from": LATER}], [LINK], [LINK, {**OTHER, "show_from": LATER}]),
        ([{**OTHER, "show_from": LATER}, LINK], [LINK], [{**OTHER, "show_from": LATER}, LINK]),
        ([LINK, {**OTHER, "show_until": EARLIER}], [], [{**OTHER, "show_until": EARLIER}]),
        # One of today is live, and keeps its times, or somebody removed it.
        ([{**LINK, "show_from": EARLIER}], [LINK], [{**LINK, "show_from": EARLIER}]),
        ([{**LINK, "show_from": EARLIER}], [{**LINK, "label": "C"}], [{**LINK, "label": "C", "show_from": EARLIER}]),
        ([{**LINK, "show_from": EARLIER}, OTHER], [OTHER], [OTHER]),
        # Notes go with their links.
        ([{**LINK, "x-note": 1}, OTHER], [OTHER, LINK], [OTHER, {**LINK, "x-note": 1}]),
        ([{**LINK, "badge": None}], [LINK], [{**LINK, "badge": None}]),
        ([LINK, None], [OTHER], [None, OTHER]),
    ],
)
def test_what_is_the_file_s_own_stays_with_its_link(own: list[Json], now: list[Json], result: list[Json]) -> None:
    after = taken({"links": own}, {"links": now})
    assert after == {"links": result}


def test_what_is_ignored_stays_as_the_file_has_it() -> None:
    own: JsonObject = {"experiments": {"a": 1}, "links": [{**LINK, "badge": "old"}]}
    now: JsonObject = {"experiments": {"a": 2}, "links": [OTHER, {**LINK, "badge": "new"}], "more": 1}
    assert taken(own, now, "/page_data/experiments", "/page_data/links/*/badge", "/page_data/more") == {
        "experiments": {"a": 1},
        "links": [OTHER, {**LINK, "badge": "old"}],
    }


def test_a_link_that_is_live_outside_its_time_is_known_by_what_the_file_manages_of_it() -> None:
    link: JsonObject = {**LINK, "badge": 1.0, "hits": 1, "x-note": "n"}
    own: JsonObject = {"links": [{**link, "show_from": LATER}]}
    same_links: list[JsonObject] = [{"badge": 1, "hits": 2}, {"badge": 1, "x-live": "l"}]
    for more in same_links:
        assert taken(own, {"links": [{**LINK, **more}]}, "/page_data/links/*/hits") == {"links": [link]}
    other: JsonObject = {**LINK, "badge": True}
    assert taken(own, {"links": [other]}, "/page_data/links/*/hits") == {"links": [link | {"show_from": LATER}, other]}


def test_a_list_whose_items_are_all_left_alone_is_there_all_the_same() -> None:
    assert taken({}, {"links": [LINK]}, "/page_data/links/*") == {"links": []}
    assert taken({"links": [LINK]}, {"links": [OTHER]}, "/page_data/links/*") == {"links": [LINK]}


def test_numbers_that_mean_the_same_stay_as_they_are_written() -> None:
    assert repr(taken({"a": 1.0, "b": [2.0]}, strategies.as_object(normalised({"a": 1, "b": [2]})))) == repr(
        {"a": 1.0, "b": [2.0]}
    )
