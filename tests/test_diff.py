import copy
import itertools
from typing import Any

import jsonpatch
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bio_sync.alignment import aligned, heaviest_increasing
from bio_sync.diff import Operation, operations
from bio_sync.jsonvalues import Json, JsonObject, same
from bio_sync.model import PageContent
from tests import strategies as some


def page(page_data: Any, **more: Any) -> PageContent:
    values: dict[str, Any] = {"title": "T", "description": "", "published": True}
    return PageContent(**(values | more), page_data=page_data)


def steps_between(old: list[Any], new: list[Any]) -> tuple[Operation, ...]:
    return operations(page({"links": old}), page({"links": new}))


def link(name: str, **more: Any) -> dict[str, Any]:
    return {"label": name, "url": f"https://{name}.example", **more}


def carried_out(steps: tuple[Operation, ...], before: PageContent) -> Json:
    """Read the steps as any reader of RFC 6902 would, `after` in the place of `value`."""
    patch: list[dict[str, Any]] = []
    for step in steps:
        said: dict[str, Any] = dict(step.as_json())
        if "after" in said and step.op != "move":
            said["value"] = said["after"]
        patch.append({key: said[key] for key in ("op", "path", "from", "value") if key in said})
    result: Json = jsonpatch.JsonPatch(patch).apply(copy.deepcopy(before.as_json()))
    return result


@given(some.pairs_of_contents())
def test_operations_carried_out_in_order_on_before_give_after(pair: tuple[PageContent, PageContent]) -> None:
    before, after = pair
    result = some.as_object(carried_out(operations(before, after), before))
    wanted = after.as_json()
    assert same(result["page_data"], wanted["page_data"])
    assert (result["title"], result["description"] or "", result["published"]) == (
        wanted["title"],
        wanted["description"] or "",
        wanted["published"],
    )


@given(some.pairs_of_contents())
def test_there_are_no_operations_exactly_when_the_pages_are_the_same(pair: tuple[PageContent, PageContent]) -> None:
    before, after = pair
    equal = same(before.page_data, after.page_data) and (before.title, before.description or "", before.published) == (
        after.title,
        after.description or "",
        after.published,
    )
    assert (not operations(before, after)) == equal


@given(some.page_data)
@example({"__html": "<b>", "a": {"__b": 1}})
def test_every_key_that_is_added_or_removed_is_told(data: JsonObject) -> None:
    added, removed = operations(page({}), page(data)), operations(page(data), page({}))
    assert {step.path for step in added} == {step.path for step in removed}
    assert len(added) == len(data)
    assert all(step.op == "add" for step in added)
    assert all(step.op == "remove" for step in removed)


@given(some.pairs_of_contents())
def test_before_and_after_of_every_operation_are_the_values_that_are_there(
    pair: tuple[PageContent, PageContent],
) -> None:
    before, after = pair
    steps = operations(before, after)
    for index, step in enumerate(steps):
        now = carried_out(steps[:index], before)
        if step.op in {"remove", "replace"}:
            assert same(jsonpatch.JsonPointer(step.path).resolve(now), step.before)
        if step.op == "move":
            assert same(jsonpatch.JsonPointer(step.source or "").resolve(now), step.before)
            assert same(step.before, step.after)


@given(some.pairs_of_contents(), st.randoms())
def test_the_order_of_keys_says_nothing(pair: tuple[PageContent, PageContent], random: Any) -> None:
    before, after = pair

    def shuffled(value: Json) -> Json:
        if isinstance(value, dict):
            names = list(value)
            random.shuffle(names)
            return {name: shuffled(value[name]) for name in names}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    other = PageContent(after.title, after.description, some.as_object(shuffled(after.page_data)), after.published)
    assert operations(before, after) == operations(before, other)


def test_an_inserted_link_reads_as_one_insertion() -> None:
    old = [link("a"), link("b"), link("c")]
    assert steps_between(old, [old[0], link("new"), *old[1:]]) == (
        Operation("add", "/page_data/links/1", after=link("new")),
    )


def test_a_removed_link_reads_as_one_removal() -> None:
    old = [link("a"), link("b"), link("c")]
    assert steps_between(old, [old[0], old[2]]) == (Operation("remove", "/page_data/links/1", before=link("b")),)


def test_a_moved_link_reads_as_one_move() -> None:
    old = [link(name) for name in "abcde"]
    new = [old[4], *old[:4]]
    moved = Operation("move", "/page_data/links/0", before=old[4], after=old[4], source="/page_data/links/4")
    assert steps_between(old, new) == (moved,)


def test_a_swap_around_a_link_leaves_that_link_where_it_is() -> None:
    a, b, c = link("a"), link("b"), link("c")
    assert [step.before for step in steps_between([a, b, c], [c, b, a])] == [c, a]


def test_a_new_label_is_not_a_new_address() -> None:
    assert steps_between([link("a")], [link("a") | {"label": "A"}]) == (
        Operation("replace", "/page_data/links/0/label", before="a", after="A"),
    )


def test_a_new_address_keeps_the_link_of_the_same_label() -> None:
    assert steps_between([link("a"), link("b")], [link("b"), link("a") | {"url": "https://new.example"}]) == (
        Operation("move", "/page_data/links/0", before=link("b"), after=link("b"), source="/page_data/links/1"),
        Operation("replace", "/page_data/links/1/url", before="https://a.example", after="https://new.example"),
    )


def test_an_address_says_more_than_a_label() -> None:
    old = [link("a"), link("b")]
    wanted = {"label": "b", "url": "https://a.example"}
    assert steps_between(old, [wanted]) == (
        Operation("remove", "/page_data/links/1", before=old[1]),
        Operation("replace", "/page_data/links/0/label", before="a", after="b"),
    )


def test_a_link_with_another_label_and_another_address_is_another_link() -> None:
    assert [step.op for step in steps_between([link("a")], [link("b")])] == ["remove", "add"]


def test_true_is_not_one_and_one_is_one_point_nought() -> None:
    assert [step.op for step in operations(page({"a": True}), page({"a": 1}))] == ["replace"]
    assert [step.path for step in operations(page({"a": [True], "b": 1}), page({"a": [1], "b": 2}))] == [
        "/page_data/a/0",
        "/page_data/b",
    ]
    assert not operations(page({"a": [1]}), page({"a": [1]}))


def test_no_description_and_an_empty_one_are_the_same() -> None:
    assert not operations(page({}, description=None), page({}, description=""))


@given(st.lists(st.sampled_from("abcdef"), unique=True, max_size=6), st.randoms())
def test_a_reordering_takes_the_fewest_moves(names: list[str], random: Any) -> None:
    old = [link(name) for name in names]
    new = old.copy()
    random.shuffle(new)
    order = [old.index(item) for item in new]
    longest = max(
        (
            len(chosen)
            for size in range(len(order) + 1)
            for chosen in itertools.combinations(order, size)
            if [*chosen] == sorted(chosen)
        ),
        default=0,
    )
    steps = steps_between(old, new)
    assert all(step.op == "move" for step in steps)
    assert len(steps) == len(old) - longest
    assert some.as_object(carried_out(steps, page({"links": old})))["page_data"] == {"links": new}


@given(st.lists(st.integers(0, 8), max_size=8), st.data())
def test_the_chosen_subsequence_increases_and_none_is_heavier(numbers: list[int], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.integers(1, 5), min_size=len(numbers), max_size=len(numbers)))
    chosen = heaviest_increasing(numbers, weights)
    assert all(a < b and numbers[a] < numbers[b] for a, b in itertools.pairwise(chosen))
    heaviest = max(
        sum(weights[index] for index in some_of_it)
        for size in range(len(numbers) + 1)
        for some_of_it in itertools.combinations(range(len(numbers)), size)
        if all(numbers[a] < numbers[b] for a, b in itertools.pairwise(some_of_it))
    )
    assert sum(weights[index] for index in chosen) == heaviest


@given(st.lists(some.links, max_size=8), st.lists(some.links, max_size=8))
def test_an_item_is_paired_once_and_equal_items_are_paired_as_often_as_they_can(
    old: list[Json], new: list[Json]
) -> None:
    pairs = aligned(old, new)
    assert len(set(pairs.values())) == len(pairs)
    for item in old:
        in_both = min(sum(same(item, other) for other in old), sum(same(item, other) for other in new))
        assert sum(same(new[j], item) and same(old[i], item) for j, i in pairs.items()) == in_both


@pytest.mark.parametrize("count", [500])
def test_five_hundred_links_are_compared_in_a_moment(count: int) -> None:
    old: list[Json] = [link(f"n{index}") for index in range(count)]
    assert len(steps_between(old, old[::-1])) == count - 1
    assert len(steps_between([link("same")] * count, [link("same")] * (count - 1))) == 1


def test_of_equal_links_the_one_that_needs_no_move_is_kept() -> None:
    links: list[Json] = [{"label": name, "url": f"https://{name}.example"} for name in "abac"]
    before, after = (PageContent("T", None, {"links": some_links}, True) for some_links in (links, links[1:]))
    assert [(step.op, step.path) for step in operations(before, after)] == [("remove", "/page_data/links/0")]
