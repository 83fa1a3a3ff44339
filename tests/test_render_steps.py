"""What a step says: nothing that differs reads the same, in no form."""

import pytest
from hypothesis import given

from bio_sync import planfile
from bio_sync.errors import InvalidPlanFile
from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.model import PageContent
from bio_sync.planning import Plan
from bio_sync.render import html, markdown, text
from tests import strategies as some
from tests.test_render_text import content, link, plan_of, plan_with_base

FORMS = (text.render, markdown.render, html.render)


def reads(plan: Plan) -> list[str]:
    return [form(plan).replace(plan.digest, "") for form in FORMS]


def page(**page_data: Json) -> PageContent:
    return PageContent("T", None, page_data, True)


@given(some.contents, some.contents, some.contents)
def test_two_plans_read_the_same_only_if_they_write_the_same(
    before: PageContent, one: PageContent, other: PageContent
) -> None:
    plans = [plan_of([(before, after)]) for after in (one, other)]
    if plans[0].digest != plans[1].digest:
        assert all(first != second for first, second in zip(*map(reads, plans), strict=True))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (PageContent("B", None, {"title": "A"}, True), PageContent("A", None, {"title": "B"}, True)),
        (page(title="A", **{"a.b": 1}), page(title="A", a={"b": 1})),
        (
            page(title="A", links=[link("A", 'https://a.example/  {"x": 1}')]),
            page(links=[link("A", "https://a.example/", x=1)]),
        ),
        (page(url="\u202e"), page(url="\\u202e")),
        (page(links=[link("A", "https://a.example/\u202e")]), page(links=[link("A", "https://a.example/\\u202e")])),
        (page(text="x" * 3_000 + "good" + "x" * 3_000), page(text="x" * 3_000 + "evil" + "x" * 3_000)),
        (page(name="Acme"), page(name="Acme\u3164")),
    ],
)
def test_places_and_values_that_are_alike_are_told_apart(one: PageContent, other: PageContent) -> None:
    before = PageContent("A", None, {"title": "A", "text": "x" * 6_004, "a": {}}, True)
    first, second = (reads(plan_of([(before, after)])) for after in (one, other))
    assert all(a != b for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("length", [1_990, 2_010, 6_000])
@pytest.mark.parametrize("place", [0, 500, -1])
def test_of_two_long_values_the_part_where_they_differ_is_shown(length: int, place: int) -> None:
    signs = ["x"] * length
    signs[place] = "old"
    old = "".join(signs)
    signs[place] = "new"
    for form in FORMS:
        shown = form(plan_of([(page(text=old), page(text="".join(signs)))]))
        assert "old" in shown
        assert "new" in shown


def test_a_key_of_page_data_that_is_named_like_a_field_says_where_it_stands() -> None:
    plan = plan_of([(page(title="A", published=True), page(title="B", published=False))])
    shown = text.render(plan)
    assert '~ page_data.title      "A" → "B"' in shown
    assert "~ page_data.published  true → false" in shown


def test_a_saved_plan_whose_steps_have_lost_their_origins_is_refused() -> None:
    document = planfile.as_json(plan_with_base())
    changes: list[JsonObject] = document["changes"]  # type: ignore[assignment]
    steps: list[JsonObject] = changes[0]["operations"]  # type: ignore[assignment]
    assert planfile.from_json(document).origins == plan_with_base().origins
    del steps[0]["origin"]
    with pytest.raises(InvalidPlanFile):
        planfile.from_json(document)


def test_a_saved_plan_that_is_offline_has_a_base() -> None:
    document = planfile.as_json(plan_of([(content("A", True), content("B", True))]))
    with pytest.raises(InvalidPlanFile):
        planfile.from_json(document | {"offline": True})


def test_a_plan_of_a_later_version_may_count_more() -> None:
    document = planfile.as_json(plan_with_base())
    summary: JsonObject = document["summary"]  # type: ignore[assignment]
    assert planfile.from_json(document | {"summary": summary | {"more": 1}}) == plan_with_base()
    with pytest.raises(InvalidPlanFile):
        planfile.from_json(document | {"summary": summary | {"live": 9}})
