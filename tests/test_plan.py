import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync import planfile, schema
from bio_sync.errors import InvalidPlanFile, NotAnAnswer
from bio_sync.jsonvalues import Json, JsonObject, same
from bio_sync.model import WRITABLE_FIELDS, PageContent
from bio_sync.planning import Circumstances, Plan, change_of, make_plan
from bio_sync.pointer import from_pointer
from tests import strategies as some

NOW = Circumstances("0.1.0", "2026-11-22T10:00:00Z", "https://xqr.co/api/v1", 1, 46)


def plan_of(*pairs: tuple[PageContent, PageContent], **more: Any) -> Plan:
    wanted = [some.wanted_page(after, f"bio_{index}") for index, (_, after) in enumerate(pairs)]
    live = {f"bio_{index}": some.live_page(before, f"bio_{index}", **more) for index, (before, _) in enumerate(pairs)}
    return make_plan(wanted, live, circumstances=NOW)


plans = st.lists(some.pairs_of_contents(), max_size=3).map(lambda pairs: plan_of(*pairs))


def replaced(stored: JsonObject, patch: JsonObject) -> JsonObject:
    return stored | patch


def merged(stored: Json, patch: Json) -> Json:
    """RFC 7396, section 2, from its pseudocode."""
    if not isinstance(patch, dict):
        return patch
    result = dict(stored) if isinstance(stored, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


@given(some.pairs_of_contents())
def test_the_body_of_the_patch_gives_after(pair: tuple[PageContent, PageContent]) -> None:
    before, after = pair
    change = change_of(some.wanted_page(after), some.live_page(before))
    if change is None:
        return
    stored = replaced(before.as_json(), change.patch)
    assert same(stored["page_data"], after.page_data)
    assert (stored["title"], stored["description"] or "") == (after.title, after.description or "")


@given(some.pairs_of_contents())
def test_the_patch_holds_only_the_fields_that_differ_each_whole(pair: tuple[PageContent, PageContent]) -> None:
    before, after = pair
    change = change_of(some.wanted_page(after), some.live_page(before))
    if change is None:
        return
    touched = {from_pointer(step.path)[0] for step in change.operations}
    assert set(change.patch) == touched & set(WRITABLE_FIELDS)
    assert all(same(value, change.after.as_json()[field]) for field, value in change.patch.items())
    assert ("update" in change.actions) == bool(change.patch)


@given(some.pairs_of_contents())
def test_a_merging_service_ends_where_a_replacing_one_does_or_keeps_what_the_file_dropped(
    pair: tuple[PageContent, PageContent],
) -> None:
    before, after = pair
    change = change_of(some.wanted_page(after), some.live_page(before))
    if change is None:
        return
    stored = merged(before.as_json(), change.patch)
    assert isinstance(stored, dict)
    kept = change_of(
        some.wanted_page(after),
        some.live_page(
            PageContent(after.title, after.description, some.as_object(stored["page_data"]), after.published)
        ),
    )
    assert kept is None or any(step.op == "remove" for step in change.operations)


@given(plans)
def test_a_plan_survives_its_file(plan: Plan) -> None:
    assert planfile.from_json(json.loads(planfile.dumps(plan))) == plan


@given(plans)
def test_a_plan_as_json_is_what_its_schema_describes(plan: Plan) -> None:
    assert schema.plan_complaint(json.loads(planfile.dumps(plan))) is None


@given(plans)
def test_counts_and_calls_agree_with_the_changes(plan: Plan) -> None:
    summary = plan.summary
    assert summary["pages"] == len(plan.changes) + summary["unchanged"] + summary["gone"]
    assert plan.writes == summary["update"] + summary["publish"] + summary["unpublish"]
    assert plan.calls_to_apply == plan.circumstances.calls + plan.writes


@given(st.lists(some.pairs_of_contents(), min_size=1, max_size=3))
def test_times_counts_and_file_names_are_no_part_of_the_digest(pairs: list[tuple[PageContent, PageContent]]) -> None:
    plan = plan_of(*pairs)
    later = plan_of(*pairs, views=99, clicks=98, updated_at="2026-12-24T00:00:00Z")
    assert plan.digest == later.digest
    renamed = [some.wanted_page(after, f"bio_{i}", file=f"other/{9 - i}.yaml") for i, (_, after) in enumerate(pairs)]
    live = {f"bio_{i}": some.live_page(before, f"bio_{i}") for i, (before, _) in enumerate(pairs)}
    assert make_plan(renamed, live, circumstances=NOW).digest == plan.digest


def test_another_value_before_is_another_digest() -> None:
    wanted = PageContent("C", "", {}, published=True)
    one, other = (plan_of((PageContent(title, "", {}, published=True), wanted)) for title in "AB")
    assert one.digest != other.digest


def test_what_is_left_alone_is_no_part_of_the_digest() -> None:
    def digest(experiment: int) -> str:
        before = PageContent("T", "", {"theme": "dark", "lab": experiment}, published=True)
        wanted = some.wanted_page(PageContent("T", "", {"theme": "light"}, published=True), ignore=("/page_data/lab",))
        return make_plan([wanted], {"bio_1": some.live_page(before)}, circumstances=NOW).digest

    assert digest(1) == digest(2)


@pytest.mark.parametrize(
    ("was", "wanted", "actions"),
    [
        ((False, "A"), (True, "B"), ("update", "publish")),
        ((True, "A"), (False, "B"), ("unpublish", "update")),
        ((False, "A"), (True, "A"), ("publish",)),
        ((True, "A"), (False, "A"), ("unpublish",)),
        ((True, "A"), (True, "B"), ("update",)),
    ],
)
def test_a_page_is_complete_before_it_is_public_and_hidden_before_it_changes(
    was: tuple[bool, str], wanted: tuple[bool, str], actions: tuple[str, ...]
) -> None:
    before, after = (PageContent(title, "", {}, published=published) for published, title in (was, wanted))
    change = change_of(some.wanted_page(after), some.live_page(before))
    assert change is not None
    assert change.actions == actions


def test_pages_stand_in_the_order_of_their_files() -> None:
    before, after = PageContent("A", "", {}, published=True), PageContent("B", "", {}, published=True)
    wanted = [
        some.wanted_page(after, page_id, file=file)
        for page_id, file in (("bio_1", "z"), ("bio_2", "a"), ("bio_3", "m"))
    ]
    live = {page.page_id: some.live_page(before, page.page_id) for page in wanted[:2]}
    plan = make_plan(wanted, live, circumstances=NOW)
    assert [change.file for change in plan.changes] == ["a", "z"]
    assert [page.file for page in plan.gone] == ["m"]


def test_live_pages_that_no_file_names_are_told() -> None:
    content = PageContent("A", "", {}, published=True)
    live = {name: some.live_page(content, name) for name in ("bio_1", "bio_2")}
    plan = make_plan([some.wanted_page(content)], live, circumstances=NOW)
    assert [page.page_id for page in plan.unmanaged] == ["bio_2"]
    assert not make_plan([some.wanted_page(content)], live, circumstances=NOW, tell_unmanaged=False).unmanaged


@given(st.lists(some.pairs_of_contents(), min_size=1, max_size=2), st.data())
def test_a_plan_whose_changes_were_edited_is_refused(
    pairs: list[tuple[PageContent, PageContent]], data: st.DataObject
) -> None:
    document = json.loads(planfile.dumps(plan_of(*pairs)))
    if not document["changes"]:
        return
    operation = data.draw(st.sampled_from(document["changes"]))["operations"][0]
    side = "after" if "after" in operation else "before"
    operation[side] = ["something else", operation[side]]
    with pytest.raises(InvalidPlanFile, match="changed after it was made"):
        planfile.from_json(document)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("patch", {"title": "stolen"}),
        ("patch", {"title": "B", "description": "more"}),
        ("actions", ["publish"]),
        ("live_digest", "sha256:" + "0" * 64),
        ("after", {"title": "stolen", "description": "", "page_data": {}, "published": True}),
        ("before", {"title": "A", "description": "other", "page_data": {}, "published": True}),
    ],
)
def test_no_part_of_a_change_can_be_edited_in_a_saved_plan(member: str, value: Json) -> None:
    before, after = PageContent("A", "", {}, published=True), PageContent("B", "", {}, published=True)
    document = json.loads(planfile.dumps(plan_of((before, after))))
    document["changes"][0][member] = value
    with pytest.raises(InvalidPlanFile, match="changed after it was made"):
        planfile.from_json(document)


def test_the_place_that_a_link_comes_from_can_not_be_edited_in_a_saved_plan() -> None:
    orders: tuple[list[Json], ...] = (["a", "b", "c"], ["c", "a", "b"])
    before, after = (PageContent("T", "", {"links": order}, published=True) for order in orders)
    plan = plan_of((before, after))
    (change,) = plan.changes
    (step,) = change.operations
    assert (step.op, step.source, step.path) == ("move", "/page_data/links/2", "/page_data/links/0")
    # Its digest is that of the edited step: whoever edits a file can make it anew, too.
    edited = replace(plan, changes=(replace(change, operations=(replace(step, source="/page_data/links/1"),)),))
    with pytest.raises(InvalidPlanFile, match="changed after it was made"):
        planfile.from_json(json.loads(planfile.dumps(edited)))


@pytest.mark.parametrize("name", ["title", "page_data"])
def test_a_page_shown_without_what_its_file_manages_is_not_compared(name: str) -> None:
    """What would be lost could not be seen, by a guard neither; what the file leaves alone need not be shown."""
    live = some.live_page(PageContent("Live", "kept", {}, published=True), untold=frozenset((name,)))
    wanted = some.wanted_page(PageContent("Wanted", "mine", {"theme": "dark"}, published=True))
    with pytest.raises(NotAnAnswer, match=rf"page bio_1 without its {name}, which pages/bio_1\.yaml manages"):
        change_of(wanted, live)
    change = change_of(replace(wanted, title=None, page_data=None), live)
    assert change is not None
    assert change.patch == {"description": "mine"}


@pytest.mark.parametrize(("untold", "live"), [(("published",), True), ((), False)])
def test_a_page_of_which_nobody_says_whether_it_is_public_is_taken_for_public(
    untold: tuple[str, ...], live: bool
) -> None:
    page = some.live_page(PageContent("Live", "", {}, published=None), untold=frozenset(untold))
    wanted = some.wanted_page(PageContent("Wanted", "", {}, published=True))
    change = change_of(replace(wanted, published=None), page)
    assert change is not None
    assert change.is_published is live


def test_a_saved_plan_shows_a_truth_value_as_what_it_is() -> None:
    before, after = (PageContent("A", "", {"columns": columns}, published=True) for columns in (2, 1))
    plan = plan_of((before, after))
    (change,) = plan.changes
    (step,) = change.operations
    edited = replace(plan, changes=(replace(change, operations=(replace(step, after=True),)),))
    with pytest.raises(InvalidPlanFile, match="changed after it was made"):
        planfile.from_json(json.loads(planfile.dumps(edited)))
