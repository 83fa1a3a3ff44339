import json
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync import yamltext
from bio_sync.adopt import adopt
from bio_sync.jsonvalues import Json, JsonObject, normalised, same
from bio_sync.model import DesiredPage, PageContent, desired_page
from bio_sync.pagetext import edited_text, new_text
from bio_sync.planning import Circumstances, make_plan
from bio_sync.render import RENDERERS
from tests import strategies as some

LIVE: JsonObject = {
    "theme": "dark",
    "experiments": {"variant": "b", "until": "2027"},
    "links": [
        {"label": "Shop", "url": "https://shop.example", "clicks": 5},
        {"label": "Blog", "url": "https://blog.example", "clicks": 7},
    ],
}


def adopted(wanted: Any, *ignore: str, live: Any = LIVE) -> JsonObject:
    now = PageContent("T", None, live, published=True)
    return adopt(DesiredPage("bio_1", "f", None, None, wanted, None, ignore), now).page_data


@given(some.contents)
def test_a_file_that_says_nothing_but_the_id_changes_nothing(now: PageContent) -> None:
    assert adopt(DesiredPage("bio_1", "f", None, None, None, None), now) == now


@given(some.pairs_of_contents())
def test_what_a_file_says_is_what_is_wanted(pair: tuple[PageContent, PageContent]) -> None:
    now, wanted = pair
    after = adopt(some.wanted_page(wanted), now)
    assert same(after.page_data, wanted.page_data)
    assert (after.title, after.description or "", after.published) == (
        wanted.title,
        wanted.description or "",
        wanted.published,
    )


@given(some.pairs_of_contents())
def test_each_field_of_a_page_can_be_left_as_it_is_live(pair: tuple[PageContent, PageContent]) -> None:
    now, wanted = pair
    ignore = ("/title", "/description", "/page_data", "/published")
    assert adopt(some.wanted_page(wanted, ignore=ignore), now) == now


def test_an_ignored_value_is_copied_from_the_live_page() -> None:
    assert adopted({"theme": "light"}, "/page_data/experiments") == {
        "theme": "light",
        "experiments": LIVE["experiments"],
    }


def test_an_ignored_value_that_only_the_file_has_is_left_out() -> None:
    assert adopted({"badge": 1}, "/page_data/badge", "/page_data/links", live={}) == {}


def test_a_value_inside_an_object_that_the_file_lacks_brings_its_object_along() -> None:
    assert adopted({}, "/page_data/experiments/variant") == {"experiments": {"variant": "b"}}


def test_a_pointer_that_matches_nothing_live_makes_nothing() -> None:
    assert adopted({"theme": "light"}, "/page_data/layout/columns", "/page_data/links/9/label") == {"theme": "light"}


def test_a_star_stands_for_any_link_and_follows_it_when_links_move() -> None:
    wanted = [
        {"label": "New", "url": "https://new.example"},
        {"label": "Blog", "url": "https://blog.example"},
        {"label": "Our shop", "url": "https://shop.example"},
    ]
    result = adopted({"links": wanted}, "/page_data/links/*/clicks")
    assert result["links"] == [wanted[0], wanted[1] | {"clicks": 7}, wanted[2] | {"clicks": 5}]


def test_a_star_at_the_end_leaves_the_whole_list_as_it_is() -> None:
    assert adopted({"links": []}, "/page_data/links/*")["links"] == LIVE["links"]


def test_an_index_is_a_place_and_what_stands_there_stays() -> None:
    wanted = [{"label": "Blog", "url": "https://blog.example"}, {"label": "Shop", "url": "https://shop.example"}]
    result = adopted({"links": wanted}, "/page_data/links/0/clicks")
    assert result["links"] == [wanted[0] | {"clicks": 5}, wanted[1]]


def test_an_index_at_the_end_leaves_that_item_as_it_is() -> None:
    wanted = [{"label": "Shop now", "url": "https://shop.example"}, {"label": "Music", "url": "https://music.example"}]
    links = LIVE["links"]
    assert isinstance(links, list)
    assert adopted({"links": wanted}, "/page_data/links/0")["links"] == [links[0], wanted[1]]


@pytest.mark.parametrize("key", ["clicks", "url", "meta"])
def test_of_a_part_behind_the_last_link_no_link_is_made(key: str) -> None:
    """A link of nothing but its counter would stand on the page, and every plan after would say that all is well."""
    wanted = [{"label": "Shop", "url": "https://shop.example"}]
    assert adopted({"links": wanted}, f"/page_data/links/1/{key}")["links"] == wanted


def test_an_index_beyond_the_live_list_leaves_nothing_and_takes_nothing() -> None:
    wanted = [{"label": name, "url": f"https://{name}.example"} for name in ("a", "b", "c", "d")]
    assert adopted({"links": wanted}, "/page_data/links/2", "/page_data/links/3")["links"] == wanted


ANYWHERE = st.sampled_from(
    [
        "/title",
        "/description",
        "/page_data/theme",
        "/page_data/links",
        "/page_data/links/*",
        "/page_data/links/*/badge",
        "/page_data/links/0",
        "/page_data/links/1",
        "/page_data/links/0/label",
        "/page_data/links/1/badge",
        "/page_data/deep/er",
    ]
)


@given(some.pairs_of_contents(), st.lists(ANYWHERE, max_size=3))
def test_what_was_adopted_once_is_what_is_wanted_ever_after(
    pair: tuple[PageContent, PageContent], ignore: list[str]
) -> None:
    now, wanted = pair
    desired = some.wanted_page(wanted, ignore=tuple(ignore))
    after = adopt(desired, now)
    again = adopt(desired, after)
    assert same(again.page_data, after.page_data)
    assert again == after


@pytest.mark.parametrize("place", [{"x-owner": "shop"}, {"deep": {"x-owner": 1, "a": 1}}])
def test_author_keys_of_a_live_page_are_nobodys_to_remove(place: Any) -> None:
    wanted: dict[str, Any] = {"theme": "light", "deep": {"a": 2}}
    result = adopted(wanted, live=place)
    assert result == {"theme": "light", "deep": {"a": 2}} | (
        {"deep": {"a": 2, "x-owner": 1}} if "deep" in place else {"x-owner": "shop"}
    )


@given(some.page_data.flatmap(some.with_author_keys), st.lists(ANYWHERE, max_size=2))
def test_author_keys_of_a_live_page_come_back_at_any_depth(live: Any, ignore: list[str]) -> None:
    wanted = normalised(live, without_author_keys=True)
    assert same(adopted(wanted, *ignore, live=live), live)


def test_an_empty_description_in_the_file_accepts_none_live() -> None:
    now = PageContent("T", None, {}, published=True)
    assert adopt(DesiredPage("bio_1", "f", None, "", None, None), now).description is None


# Lists in lists: what was gone into twice at each level took twice the time with each.


def in_lists(levels: int, value: Json) -> Json:
    for _ in range(levels):
        value = [value]
    return value


def in_objects_and_lists(levels: int, value: Json) -> Json:
    for level in range(levels):
        value = {"k": value, "n": 1} if level % 2 else [value, 1]
    return value


def calls_of(work: Callable[[], object]) -> int:
    """Count the calls of Python functions in a piece of work."""
    counted = Counter[str]()
    before = sys.getprofile()
    sys.setprofile(lambda _, event, __: counted.update([event]))
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted["call"]


SOMETIME = Circumstances("0", "2026-01-01T00:00:00Z", "https://xqr.co/api/v1", 1, None)


def planned_shown_and_pulled(live: Json, wanted: Json, ignore: list[str]) -> None:
    page = some.live_page(PageContent("T", None, {"deep": live, "theme": "dark"}, published=True), "a")
    text = json.dumps({"id": "a", "ignore": ignore, "page_data": {"deep": wanted, "theme": "dark"}})
    file = yamltext.read(text.encode(), file="f")
    made = make_plan([desired_page(file.mapping, file="f")], {"a": page}, circumstances=SOMETIME)
    for render in RENDERERS.values():
        render(made)
    edited_text(text, file, page, ignore=(), at=datetime(2026, 1, 1, tzinfo=UTC), secret=lambda _: False)
    new_text(
        page, ignore=tuple(ignore), at=datetime(2026, 1, 1, tzinfo=UTC), schema_address="s", secret=lambda _: False
    )


@pytest.mark.parametrize("nest", [in_lists, in_objects_and_lists])
@pytest.mark.parametrize(
    "ignore", [[], ["/page_data/theme"], ["/0" * 12, "/*" * 12], ["/k/0" * 6, "/0/k" * 6, "/*/k" * 6]]
)
@pytest.mark.parametrize("note", [{}, {"x-note": 1}])
def test_the_work_grows_with_the_levels_of_a_page_and_does_not_double_with_each(
    nest: Callable[[int, Json], Json], ignore: list[str], note: JsonObject
) -> None:
    pointers = [each if each.startswith("/page_data") else f"/page_data/deep{each}" for each in ignore]

    def work(levels: int) -> Callable[[], None]:
        old, new = nest(levels, {"a": 1, **note}), nest(levels, {"a": 2})
        return lambda: planned_shown_and_pulled(old, new, pointers)

    work(2)()
    assert calls_of(work(12)) < 8 * calls_of(work(6))
