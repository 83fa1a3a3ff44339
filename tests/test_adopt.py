from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync.adopt import adopt
from bio_sync.jsonvalues import JsonObject, same
from bio_sync.model import DesiredPage, PageContent
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


def test_an_empty_description_in_the_file_accepts_none_live() -> None:
    now = PageContent("T", None, {}, published=True)
    assert adopt(DesiredPage("bio_1", "f", None, "", None, None), now).description is None
