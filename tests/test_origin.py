"""Whose change an operation is, told by readers of their own: flattened paths, and links known by their addresses."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bio_sync import planfile
from bio_sync.adopt import adopt
from bio_sync.diff import Operation, operations
from bio_sync.jsonvalues import JsonObject, normalised
from bio_sync.model import DesiredPage, PageContent
from bio_sync.planning import Circumstances, Plan, Revision, make_plan
from bio_sync.pointer import from_pointer
from tests import strategies as some
from tests.strategies import with_origins

NOW = Circumstances("0.1.0", "2026-11-22T10:00:00Z", "https://xqr.co/api/v1", 1, 46)
PLAN_SCHEMA = json.loads((Path(__file__).parent.parent / "schemas" / "plan.schema.json").read_text())
MISSING = "(not there)"
Link = dict[str, Any]
Found = dict[tuple[str, str], str | None]


def page(page_data: Any, **more: Any) -> PageContent:
    values: dict[str, Any] = {"title": "T", "description": "", "published": True}
    return PageContent(**(values | more), page_data=page_data)


def origins(live: Any, file: Any, base: Any) -> dict[str, str | None]:
    """Give the origins by path, of operations between three page data."""
    return {
        step.path.removeprefix("/page_data"): step.origin for step in operations(page(live), page(file), page(base))
    }


def told(live: list[Any], file: list[Any], base: list[Any]) -> list[tuple[str, Any, str | None]]:
    """Give what is done to which link and whose it is, between three lists of links."""
    steps = operations(page({"links": live}), page({"links": file}), page({"links": base}))
    return [(step.op, step.after if step.op == "add" else step.before, step.origin) for step in steps]


def link(name: str, **more: Any) -> Link:
    return {"label": name, "url": f"https://{name}.example", **more}


@st.composite
def threes(draw: st.DrawFn) -> tuple[PageContent, PageContent, PageContent]:
    """Draw a live page, what a file wants, and a base that is either, an edit of either, or something else."""
    live, file = draw(some.pairs_of_contents())
    near = draw(st.sampled_from((live, file)))
    other = draw(some.contents)
    data = draw(st.just(near.page_data) | some.edited(near.page_data) | st.just(other.page_data))
    return live, file, PageContent(draw(st.sampled_from((near, other))).title, other.description, data, near.published)


@given(threes())
def test_a_base_says_whose_the_operations_are_and_does_not_change_them(
    three: tuple[PageContent, PageContent, PageContent],
) -> None:
    live, file, base = three
    steps = operations(live, file, base)
    assert [replace(step, origin=None) for step in steps] == list(operations(live, file))
    assert {step.origin for step in steps} <= {"yours", "drift", "conflict"}
    assert {step.origin for step in operations(live, file)} <= {None}


@given(some.pairs_of_contents())
def test_where_live_is_as_it_was_all_is_yours(pair: tuple[PageContent, PageContent]) -> None:
    live, file = pair
    assert {step.origin for step in operations(live, file, live)} <= {"yours"}


@given(some.pairs_of_contents())
def test_where_the_file_is_as_it_was_all_is_drift(pair: tuple[PageContent, PageContent]) -> None:
    live, file = pair
    assert {step.origin for step in operations(live, file, file)} <= {"drift"}


@given(threes())
def test_the_two_sides_change_places_with_the_two_pages(three: tuple[PageContent, PageContent, PageContent]) -> None:
    """Seen from the live side, what was the file's is the other's: nothing prefers one side."""
    swapped = {"yours": "drift", "drift": "yours", "conflict": "conflict"}

    def leaves(page: PageContent) -> PageContent:
        return replace(page, page_data={key: value for key, value in page.page_data.items() if flat(value)})

    live, file, base = map(leaves, three)
    there = {step.path: step.origin for step in operations(live, file, base)}
    back = {step.path: step.origin for step in operations(file, live, base)}
    assert there == {path: swapped[str(origin)] for path, origin in back.items()}


def flat(value: Any) -> bool:
    return not isinstance(value, list) and (not isinstance(value, dict) or all(map(flat, value.values())))


trees: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from((0, 1, 2, True, "", "a")),
    lambda inner: st.dictionaries(st.sampled_from(("a", "b", "/", "~", "~1", ".", "__x", "", "0")), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from(("a", "b", "a/b", "~0", "x.y", "__x", "links")), trees, max_size=4)


def leaves_of(value: Any, way: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    """Write an object as its ways to leaves; an empty object is a leaf, and every leaf its JSON text."""
    if isinstance(value, dict) and value:
        return {path: leaf for key, member in value.items() for path, leaf in leaves_of(member, (*way, key)).items()}
    return {way: json.dumps(value)}


def under(leaves: Mapping[tuple[str, ...], str], way: tuple[str, ...]) -> dict[tuple[str, ...], str]:
    return {path: leaf for path, leaf in leaves.items() if path[: len(way)] == way}


def differing(live: Any, file: Any, way: tuple[str, ...]) -> set[tuple[str, ...]]:
    """Give the ways to the first places where two values are not both objects, and differ."""
    if not (isinstance(live, dict) and isinstance(file, dict)):
        return {way} if json.dumps(live, sort_keys=True) != json.dumps(file, sort_keys=True) else set()
    keys = {*live, *file}
    return {path for key in keys for path in differing(live.get(key, MISSING), file.get(key, MISSING), (*way, key))}


@given(objects, objects, objects, st.sampled_from(("live", "file", "neither")))
@example({"a/b": {"~0": 1}}, {"a/b": {"~0": 2}}, {"a/b": {"~0": 3}, "a": {"b": {"~0": 1}}}, "neither")
@example(
    {"__x": {"__y": 1}, "x.y": 2}, {"__x": {"__y": 2}, "x": {"y": 1}}, {"__x": {"__y": 2}, "x": {"y": 1}}, "neither"
)
@example({"a": {}}, {"a": {"b": 1}}, {}, "neither")
@example({"a": True}, {"a": 1}, {"a": True}, "neither")
def test_every_path_s_origin_is_that_of_its_flattened_values(live: Any, file: Any, base: Any, near: str) -> None:
    base = {"live": {**live, **base}, "file": {**file, **base}, "neither": base}[near]
    of_live, of_file, of_base = (leaves_of({"page_data": data}) for data in (live, file, base))
    expected = {}
    for way in differing({"page_data": live}, {"page_data": file}, ()):
        was = under(of_base, way)
        expected[way] = "yours" if was == under(of_live, way) else "drift" if was == under(of_file, way) else "conflict"
    steps = operations(page(live), page(file), page(base))
    assert {from_pointer(step.path): step.origin for step in steps} == expected


@given(st.data())
def test_the_fields_of_a_page_have_the_origin_of_their_three_values(data: st.DataObject) -> None:
    values: dict[str, Any] = {"title": st.sampled_from("AB"), "published": st.booleans()}
    values["description"] = st.sampled_from(("", "D", "E"))
    live, file, base = (page({}, **{name: data.draw(value) for name, value in values.items()}) for _ in range(3))
    expected = {
        f"/{name}": "yours"
        if getattr(base, name) == getattr(live, name)
        else ("drift" if getattr(base, name) == getattr(file, name) else "conflict")
        for name in values
        if getattr(live, name) != getattr(file, name)
    }
    assert {step.path: step.origin for step in operations(live, file, base)} == expected


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_description_and_an_empty_one_are_the_same_base(nothing: str | None) -> None:
    for live in (None, ""):
        (step,) = operations(page({}, description=live), page({}, description="new"), page({}, description=nothing))
        assert step.origin == "yours"
        assert not operations(page({}, description=live), page({}, description=nothing), page({}, description="old"))
    (step,) = operations(page({}, description="new"), page({}, description=""), page({}, description=nothing))
    assert step.origin == "drift"


def test_what_is_empty_is_not_what_is_not_there() -> None:
    assert origins({"a": {}}, {}, {"a": {}}) == {"/a": "yours"}
    assert origins({"a": {}}, {}, {}) == {"/a": "drift"}
    assert origins({"a": []}, {"a": [1]}, {}) == {"/a/0": "yours"}
    assert origins({"a": {}}, {"a": 1}, {}) == {"/a": "conflict"}
    assert origins({"a": 1}, {"a": True}, {"a": 1}) == {"/a": "yours"}
    assert origins({"a": 1}, {"a": True}, {"a": True}) == {"/a": "drift"}


def test_a_base_of_another_kind_knows_nothing_of_what_is_inside() -> None:
    assert origins({"a": {"b": 1}}, {"a": {"b": 2}}, {"a": "text"}) == {"/a/b": "conflict"}
    assert origins({"a": {"b": 1}}, {"a": {"b": 2}}, {"a": 1}) == {"/a/b": "conflict"}
    assert origins({"a": [1]}, {"a": [2]}, {"a": {"0": 1}}) == {"/a/0": "conflict"}
    assert origins({"a": {"0": 1}}, {"a": {"0": 2}}, {"a": [1]}) == {"/a/0": "conflict"}


@dataclass(frozen=True)
class Edit:
    """What one side does to one link: `kind` is remove, relabel, readdress, badge, unbadge or add (before it)."""

    kind: str
    name: str
    value: str = ""

    def on(self, links: list[Link]) -> list[Link]:
        result: list[Link] = []
        for item in links:
            mine = item["url"] == link(self.name)["url"]
            if mine and self.kind == "add":
                result.append(link(f"{self.name}-{self.value}"))
            if mine and self.kind == "remove":
                continue
            change = {
                "relabel": {"label": self.value},
                "badge": {"badge": self.value},
                "readdress": {"url": self.value},
            }
            gone = ("old",) if mine and self.kind == "unbadge" else ()
            result.append(
                {k: v for k, v in (item | (change.get(self.kind, {}) if mine else {})).items() if k not in gone}
            )
        return result

    def seen(self, side: str) -> tuple[str, str]:
        """Give the operation that this edit shows as, and the name of its link, from live to file."""
        ops = {"remove": ("remove", "add"), "add": ("add", "remove"), "badge": ("add", "remove")}
        ops |= {"unbadge": ("remove", "add"), "relabel": ("replace", "replace"), "readdress": ("replace", "replace")}
        what = {"remove": "", "add": "", "badge": "/badge", "unbadge": "/old", "relabel": "/label", "readdress": "/url"}
        name = f"{self.name}-{self.value}" if self.kind == "add" else self.name
        return ops[self.kind][side == "drift"], name + what[self.kind]


KINDS = ("remove", "add", "relabel", "badge", "unbadge", "readdress")


def by_link(live: list[Link], file: list[Link], base: list[Link]) -> Found:
    """Give the origins by operation and name of the link, which every link keeps in `n`."""
    found: Found = {}
    for step in operations(page({"links": live}), page({"links": file}), page({"links": base})):
        tokens = from_pointer(step.path)
        item: Any = step.after if step.op == "add" else step.before
        name = item["label"] if len(tokens) == 3 else file[int(tokens[2])]["n"]
        found[step.op, "/".join([str(item.get("n", name) if len(tokens) == 3 else name), *tokens[3:]])] = step.origin
    return found


@given(st.data())
def test_edits_of_different_links_are_each_their_side_s(data: st.DataObject) -> None:
    base = [link(f"n{index}", old=1, n=f"n{index}") for index in range(data.draw(st.integers(1, 8)))]
    touched = data.draw(st.lists(st.sampled_from([str(item["n"]) for item in base]), unique=True))
    sides: dict[str, list[Link]] = {"yours": base, "drift": base}
    expected: Found = {}
    for name in touched:
        side = data.draw(st.sampled_from(("yours", "drift")))
        edit = Edit(data.draw(st.sampled_from(KINDS)), name, f"{name}!")
        sides[side] = edit.on(sides[side])
        expected[edit.seen(side)] = side
    assert by_link(sides["drift"], sides["yours"], base) == expected


@given(st.data())
def test_different_edits_of_one_link_are_a_conflict_and_equal_ones_are_none(data: st.DataObject) -> None:
    base = [link(f"n{index}", old=1, n=f"n{index}") for index in range(data.draw(st.integers(1, 6)))]
    name = str(data.draw(st.sampled_from(base))["n"])
    kind = data.draw(st.sampled_from(("relabel", "badge", "readdress")))
    live, file = (Edit(kind, name, value).on(base) for value in ("one", "two"))
    assert by_link(live, file, base) == {("replace", Edit(kind, name).seen("yours")[1].replace("//", "/")): "conflict"}
    removed = Edit("remove", name).on(base)
    assert by_link(live, removed, base) == {("remove", name): "conflict"}
    assert by_link(removed, file, base) == {("add", name): "conflict"}
    same = Edit(data.draw(st.sampled_from(KINDS)), name, "same").on(base)
    assert not told(same, same, base)


@given(st.data())
def test_what_both_sides_did_alike_is_no_operation_and_hides_nothing_else(data: st.DataObject) -> None:
    base = [link(f"n{index}", old=1, n=f"n{index}") for index in range(6)]
    both = Edit(data.draw(st.sampled_from(KINDS)), "n0", "both")
    mine = Edit(data.draw(st.sampled_from(KINDS)), data.draw(st.sampled_from(("n1", "n3", "n5"))), "mine")
    theirs = Edit(data.draw(st.sampled_from(KINDS)), data.draw(st.sampled_from(("n2", "n4"))), "theirs")
    live, file = theirs.on(both.on(base)), mine.on(both.on(base))
    assert by_link(live, file, base) == {mine.seen("yours"): "yours", theirs.seen("drift"): "drift"}


def moved(links: list[Any], source: int, target: int) -> list[Any]:
    result = links.copy()
    result.insert(target, result.pop(source))
    return result


positions = st.integers(0, 8)
base_links = [link(f"n{index}", old=1, n=f"n{index}") for index in range(9)]


@given(positions, positions, st.sampled_from(("yours", "drift")), st.data())
def test_a_move_is_its_side_s_whatever_else_the_two_sides_edit(
    source: int, target: int, side: str, data: st.DataObject
) -> None:
    assume(source != target)
    sides: dict[str, list[Link]] = {"yours": base_links, "drift": base_links}
    sides[side] = moved(base_links, source, target)
    expected: Found = {}
    for index in data.draw(st.lists(positions, unique=True, max_size=4)):
        if index == source or (abs(source - target) == 1 and index == target):
            continue
        edit = Edit(data.draw(st.sampled_from(KINDS)), f"n{index}", f"n{index}!")
        edited = data.draw(st.sampled_from(("yours", "drift")))
        sides[edited] = edit.on(sides[edited])
        expected[edit.seen(edited)] = edited
    found = by_link(sides["drift"], sides["yours"], base_links)
    moves = [origin for (op, _), origin in found.items() if op == "move"]
    assert moves == [side] * len(moves)
    assert {key: origin for key, origin in found.items() if key[0] != "move"} == expected


@given(positions, positions, positions, positions)
@example(0, 8, 4, 7)
@example(8, 0, 4, 1)
def test_two_links_that_the_two_sides_moved_are_each_their_side_s(a: int, b: int, c: int, d: int) -> None:
    """Only where the plan moves these two; of equally few moves it may choose to move others around them."""
    assume(a != c)
    file, live = moved(base_links, a, b), moved(base_links, c, d)
    moves = {item["url"]: origin for op, item, origin in told(live, file, base_links) if op == "move"}
    assume(set(moves) == {base_links[a]["url"], base_links[c]["url"]})
    assert moves == {base_links[a]["url"]: "yours", base_links[c]["url"]: "drift"}


def test_a_link_that_both_sides_moved_elsewhere_is_a_conflict() -> None:
    live, file = moved(base_links, 8, 0), moved(base_links, 8, 4)
    assert told(live, file, base_links) == [("move", base_links[8], "conflict")]
    assert not told(live, live, base_links)


def test_a_link_that_both_sides_added_at_different_places_is_a_conflict() -> None:
    a, b, new = link("a"), link("b"), link("new")
    assert told([new, a, b], [a, b, new], [a, b]) == [("move", new, "conflict")]


orders = st.permutations(base_links[:5])


@given(orders, orders, orders)
@example([base_links[i] for i in (1, 0, 2)], [base_links[i] for i in (0, 1, 2)], [base_links[i] for i in (0, 2, 1)])
@example([base_links[i] for i in (0, 2, 1)], [base_links[i] for i in (0, 1, 2)], [base_links[i] for i in (1, 0, 2)])
def test_a_side_that_moved_a_link_past_no_other_did_not_move_it(
    live: list[Link], file: list[Link], base: list[Link]
) -> None:
    for _, item, origin in told(live, file, base):
        was, is_live, is_now = (
            {one["n"]: side.index(one) < side.index(item) for one in base} for side in (base, live, file)
        )
        assert origin != "yours" or was != is_now
        assert origin != "drift" or was != is_live


@pytest.mark.parametrize(("source", "target"), [(5, 1), (2, 7), (7, 3)])
def test_a_move_that_both_sides_made_makes_no_conflict_of_another(source: int, target: int) -> None:
    both = moved(base_links, 0, 8)
    item = both[source]
    assert told(both, moved(both, source, target), base_links) == [("move", item, "yours")]
    assert told(moved(both, source, target), both, base_links) == [("move", item, "drift")]


def test_a_reordering_of_one_side_is_that_side_s_alone() -> None:
    turned = base_links[::-1]
    assert {origin for _, _, origin in told(base_links, turned, base_links)} == {"yours"}
    assert {origin for _, _, origin in told(turned, base_links, base_links)} == {"drift"}
    fresh = [*turned, link("new")]
    assert {(op, origin) for op, _, origin in told(base_links, fresh, base_links)} == {
        ("move", "yours"),
        ("add", "yours"),
    }
    assert {(op, origin) for op, _, origin in told([*base_links, link("new")], turned, base_links)} == {
        ("move", "yours"),
        ("remove", "drift"),
    }


def test_copies_of_a_link_are_counted_and_not_confused() -> None:
    a, b = link("a"), link("b")
    assert told([a, b], [a, a, b], [a, b]) == [("add", a, "yours")]
    assert told([a, b], [a, a, b], [a, a, b]) == [("add", a, "drift")]
    assert told([a, a, a, b], [a, b], [a, b]) == [("remove", a, "drift")] * 2
    assert told([a, a, a, b], [a, b], [a, a, a, b]) == [("remove", a, "yours")] * 2
    assert told([a, a, b], [a, a], [a, a, b]) == [("remove", b, "yours")]
    assert told([a, a, b], [a, a, link("c")], [a, a]) == [("remove", b, "drift"), ("add", link("c"), "yours")]


def test_of_copies_that_one_side_added_and_the_other_removed_each_has_its_own() -> None:
    a, b = link("a"), link("b")
    assert sorted(str(origin) for _, _, origin in told([a, a, a, b], [a, b], [a, a, b])) == ["drift", "yours"]
    assert sorted(str(origin) for _, _, origin in told([a, b], [a, a, a, b], [a, a, b])) == ["drift", "yours"]


def test_a_link_that_was_one_link_for_one_side_and_another_for_the_other_is_a_conflict() -> None:
    one, two = {"label": "1", "url": "https://1"}, {"label": "2", "url": "https://2"}
    live, file = [one | {"url": "https://9"}, two], [one, two | {"url": "https://9"}]
    assert ("replace", "1", "conflict") in told(live, file, [one, two])
    assert ("replace", "2", "conflict") in told(file, live, [one, two])


def test_a_link_that_only_one_side_still_knows_by_its_name_keeps_its_base() -> None:
    was, live, file = (
        {"label": "1", "url": "https://1"},
        {"label": "1", "url": "https://2"},
        {"label": "2", "url": "https://2"},
    )
    assert told([live], [file], [was]) == [("replace", "1", "yours")]
    assert told([file], [live], [was]) == [("replace", "2", "drift")]


def test_items_that_are_no_links_are_told_too() -> None:
    assert origins({"tags": ["a", "b"]}, {"tags": ["a"]}, {"tags": ["a"]}) == {"/tags/1": "drift"}
    assert origins({"tags": ["a"]}, {"tags": ["b"]}, {"tags": ["a"]}) == {"/tags/0": "yours"}
    assert origins({"rows": [{"n": 1, "m": 1}]}, {"rows": [{"n": 2, "m": 2}]}, {"rows": [{"n": 1, "m": 2}]}) == {
        "/rows/0/n": "yours",
        "/rows/0/m": "drift",
    }
    assert origins({"a": [[1, 2]]}, {"a": [[1, 3]]}, {"a": [[1, 4]]}) == {"/a/0/1": "conflict"}


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


@pytest.mark.parametrize("kind", ["turned round", "all moved and edited", "copies"])
def test_five_hundred_links_finish_in_a_moment(kind: str) -> None:
    many = [link(f"n{index}") for index in range(500)]
    live, file, base = {
        "turned round": (many, many[::-1], many[250:] + many[:250]),
        "all moved and edited": (many[::-1], [item | {"badge": 1} for item in many], many[7:]),
        "copies": ([link("same")] * 500, [link("same")] * 400, [link("same")] * 450),
    }[kind]
    assert seconds(lambda: told(live, file, base)) < 5


LEFT_OUT = ("title", "description", "page_data", "published")


def nothing_of(names: set[str]) -> dict[str, Any]:
    return dict.fromkeys(names)


@st.composite
def planned(draw: st.DrawFn) -> tuple[Plan, dict[str, DesiredPage]]:
    """Draw a plan, and what the files of some of its pages were."""
    drawn = draw(st.lists(threes(), min_size=1, max_size=3))
    wanted = [some.wanted_page(file, f"bio_{index}") for index, (_, file, _) in enumerate(drawn)]
    live = {f"bio_{index}": some.live_page(live, f"bio_{index}") for index, (live, _, _) in enumerate(drawn)}
    bases = {
        f"bio_{index}": replace(
            some.wanted_page(base, f"bio_{index}"), **nothing_of(draw(st.sets(st.sampled_from(LEFT_OUT))))
        )
        for index, (_, _, base) in enumerate(drawn)
        if draw(st.booleans())
    }
    base = Revision("main", "0" * 40)
    return make_plan(wanted, live, circumstances=replace(NOW, base=base)), bases


@given(planned())
def test_origins_are_no_part_of_the_digest_and_survive_the_plan_s_file(
    made: tuple[Plan, dict[str, DesiredPage]],
) -> None:
    plan, bases = made
    told_apart = with_origins(plan, bases)
    assert told_apart == plan
    assert told_apart.digest == plan.digest
    document = json.loads(planfile.dumps(told_apart))
    jsonschema.Draft7Validator(PLAN_SCHEMA).validate(document)
    again = planfile.from_json(document)
    assert again == told_apart
    assert [step.origin for step in steps_of(again)] == [step.origin for step in steps_of(told_apart)]
    assert again.origins == told_apart.origins
    assert sum(again.origins.values()) == len(steps_of(plan))
    assert again.circumstances.base == plan.circumstances.base


def steps_of(plan: Plan) -> list[Operation]:
    return [step for change in plan.changes for step in change.operations]


@given(planned())
def test_without_a_base_there_is_no_origin(made: tuple[Plan, dict[str, DesiredPage]]) -> None:
    plan, _ = made
    document: Any = planfile.as_json(plan)
    assert all("origin" not in step for change in document["changes"] for step in change["operations"])
    assert set(plan.origins.values()) == {0}


@given(planned())
def test_a_page_without_a_file_at_the_base_is_all_yours(made: tuple[Plan, dict[str, DesiredPage]]) -> None:
    plan, bases = made
    for change in with_origins(plan, bases).changes:
        if change.page_id not in bases:
            assert {step.origin for step in change.operations} == {"yours"}
    assert {step.origin for step in steps_of(with_origins(plan, {}))} <= {"yours"}


ignores = st.lists(
    st.sampled_from(("/title", "/page_data/theme", "/page_data/links/*/label", "/page_data/links/0", "/page_data/new")),
    max_size=3,
).map(tuple)


@given(some.pairs_of_contents(), ignores, st.sets(st.sampled_from(LEFT_OUT)))
def test_a_file_that_has_not_changed_has_no_changes_of_its_own(
    pair: tuple[PageContent, PageContent], ignore: tuple[str, ...], left_out: set[str]
) -> None:
    live, file = pair
    wanted = replace(some.wanted_page(file, ignore=ignore), **nothing_of(left_out))
    plan = make_plan([wanted], {"bio_1": some.live_page(live)}, circumstances=NOW)
    assert {step.origin for step in steps_of(with_origins(plan, {"bio_1": wanted}))} <= {"drift"}


@given(some.pairs_of_contents(), ignores, st.sets(st.sampled_from(LEFT_OUT)))
def test_a_page_that_is_as_its_file_was_has_the_file_s_changes_only(
    pair: tuple[PageContent, PageContent], ignore: tuple[str, ...], left_out: set[str]
) -> None:
    before, after = pair
    was = replace(some.wanted_page(before, ignore=ignore), **nothing_of(left_out))
    live = adopt(was, before)
    plan = make_plan([some.wanted_page(after)], {"bio_1": some.live_page(live)}, circumstances=NOW)
    assert {step.origin for step in steps_of(with_origins(plan, {"bio_1": was}))} <= {"yours"}


def test_what_the_base_left_out_or_ignored_was_live_as_it_is_now() -> None:
    live = page({"theme": "dark", "lab": 1}, title="Theirs", description="Theirs")
    wanted = some.wanted_page(page({"theme": "light"}, title="Mine", description="Mine"))
    plan = make_plan([wanted], {"bio_1": some.live_page(live)}, circumstances=NOW)
    was = replace(wanted, title=None, description="Was", page_data={"theme": "light"}, ignore=("/page_data/lab",))
    assert {step.path: step.origin for step in steps_of(with_origins(plan, {"bio_1": was}))} == {
        "/title": "yours",
        "/description": "conflict",
        "/page_data/theme": "drift",
        "/page_data/lab": "yours",
    }


def test_live_keys_of_an_author_are_nobody_s_change() -> None:
    live: JsonObject = {"links": [link("a", **{"x-id": 7}), link("b")]}
    wanted = some.wanted_page(page({"links": [link("b")]}))
    plan = make_plan([wanted], {"bio_1": some.live_page(page(live))}, circumstances=NOW)
    was = replace(wanted, page_data={"links": [link("a"), link("b")]})
    assert [step.origin for step in steps_of(with_origins(plan, {"bio_1": was}))] == ["yours"]
    assert normalised(live, without_author_keys=True) == was.page_data
