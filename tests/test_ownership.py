"""What `ignore` leaves as it is live: how much that is, and which pointer of it matches nothing."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync import planfile
from bio_sync.adopt import adopt, left_as_live, places
from bio_sync.diff import operations
from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.model import DesiredPage, PageContent
from bio_sync.pointer import from_pointer, to_pointer
from bio_sync.render import RENDERERS
from bio_sync.sandbox import Fault, Sandbox
from tests import strategies as some
from tests.conftest import Run
from tests.test_git import Repository, no_settings_of_the_developer
from tests.test_render_text import content, plan_of

__all__ = ["no_settings_of_the_developer"]

LIVE: JsonObject = {
    "theme": "dark",
    "experiments": {"variant": "b", "until": "2027"},
    "links": [
        {"label": "Shop", "url": "https://shop.example", "clicks": 5},
        {"label": "Blog", "url": "https://blog.example", "clicks": 7},
        {"label": "Tour", "url": "https://tour.example"},
    ],
}
SHOP: JsonObject = {"label": "Shop", "url": "https://shop.example"}


def count(*ignore: str, wanted: JsonObject | None = None, live: JsonObject = LIVE) -> int:
    desired = DesiredPage("bio_1", "f", None, None, wanted, None, ignore)
    return left_as_live(desired, PageContent("T", None, live, published=True))


def members(value: Json, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """List the places of all values that stand in objects only, which is where places never move."""
    if not isinstance(value, dict):
        return [path]
    return [path, *(inner for key, member in value.items() for inner in members(member, (*path, key)))]


@st.composite
def pages_with_pointers(draw: st.DrawFn) -> tuple[PageContent, PageContent, list[str]]:
    """Draw a live page, what a file makes of it, and pointers to places that either has."""
    live, wanted = draw(some.pairs_of_contents())
    there = [place for page in (live, wanted) for place in members(page.page_data)]
    pointers = [to_pointer(("page_data", *place)) for place in draw(st.lists(st.sampled_from(there), max_size=4))]
    return live, wanted, pointers


@given(pages_with_pointers())
def test_every_place_that_is_counted_is_on_the_page_or_in_the_file_and_is_afterwards_as_it_was_live(
    drawn: tuple[PageContent, PageContent, list[str]],
) -> None:
    live, wanted, pointers = drawn
    after = adopt(some.wanted_page(wanted, ignore=tuple(pointers)), live)
    for pointer in pointers:
        found = places(pointer, live.as_json())
        assert found == places(pointer, after.as_json())
        assert found <= {from_pointer(pointer)}
        assert found or places(pointer, wanted.as_json())


@given(pages_with_pointers())
def test_what_is_counted_is_never_changed(drawn: tuple[PageContent, PageContent, list[str]]) -> None:
    live, wanted, pointers = drawn
    after = adopt(some.wanted_page(wanted, ignore=tuple(pointers)), live)
    for step in operations(live, after):
        assert not any(from_pointer(step.path)[: len(from_pointer(own))] == from_pointer(own) for own in pointers)


@given(pages_with_pointers())
def test_no_value_counts_twice(drawn: tuple[PageContent, PageContent, list[str]]) -> None:
    live, wanted, pointers = drawn
    once = left_as_live(some.wanted_page(wanted, ignore=tuple(pointers)), live)
    inside = [f"{pointer}/{key}" for pointer in pointers for key in ("theme", "links", "0")]
    again = some.wanted_page(wanted, ignore=(*inside, *pointers, *pointers))
    assert left_as_live(again, live) == once <= len(set(pointers))
    assert (once == 0) == (not pointers)


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        ((), 0),
        (("/page_data/experiments",), 1),
        (("/page_data/experiments", "/page_data/experiments/variant"), 1),
        (("/page_data/experiments/until", "/page_data/experiments/variant"), 2),
        (("/page_data/links/*/clicks",), 2),
        (("/page_data/links/*/clicks", "/page_data/links/0/clicks"), 2),
        (("/page_data/links/*", "/page_data/theme"), 4),
        (("/page_data/links/2/clicks", "/page_data/links/3", "/page_data/links/00"), 0),
        (("/page_data/theme/dark", "/page_data/experiments/*"), 0),
        (("/title", "/description", "/published"), 3),
        (("/page_data", "/page_data/theme", "/title"), 2),
    ],
)
def test_the_places_that_pointers_match_live_are_counted(ignore: Sequence[str], left: int) -> None:
    assert count(*ignore) == left


def test_what_only_the_file_has_counts_by_its_places_there() -> None:
    wanted: JsonObject = {"badge": "new", "links": [SHOP | {"icon": 1}, SHOP | {"icon": 2}]}
    assert count("/page_data/links/*/icon", "/page_data/badge", wanted=wanted) == 3
    # Live it is there once, and that is what stays.
    assert count("/page_data/links/*/icon", wanted=wanted, live={"links": [SHOP | {"icon": 3}]}) == 1


# In a plan.


def write(folder: Path, text: str, name: str = "pages/acme.yaml") -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def live(page_id: str = "bio_1", page_data: JsonObject = LIVE) -> dict[str, Any]:
    return {"id": page_id, "title": "Acme", "slug": page_id, "is_published": True, "page_data": page_data}


@pytest.fixture
def workspace(folder: Path, start_sandbox: Callable[..., Sandbox]) -> Sandbox:
    return start_sandbox([live(), live("bio_2", {"theme": "dark"})])


def warned(run: Run, *paths: str) -> list[str]:
    result = run("plan", *paths, "--format", "json")
    assert result.code == 0, result.err
    warnings: list[str] = json.loads(result.out)["warnings"]
    return warnings


def test_the_plan_says_how_many_values_are_left_as_they_are_live(workspace: Sandbox, folder: Path, run: Run) -> None:
    write(folder, "id: bio_1\npage_data: {theme: light}\nignore: [/page_data/links, /page_data/experiments]\n")
    assert "      2 values left as they are live (ignore).\nAPI:" in run("plan").out
    assert "\n\n2 values left as they are live (ignore).\n\n" in run("plan", "--format", "markdown").out
    assert "<p>2 values left as they are live (ignore).</p>" in run("plan", "--format", "html").out
    assert json.loads(run("plan", "--format", "json").out)["left_as_live"] == 2
    write(folder, "id: bio_1\nignore: [/title]\n")
    assert "      1 value left as it is live (ignore).\nAPI:" in run("plan").out
    write(folder, "id: bio_1\n")
    assert "left as" not in run("plan").out


def test_the_count_is_of_all_planned_pages_and_by_both_sources_of_pointers(
    workspace: Sandbox, folder: Path, run: Run
) -> None:
    write(folder, "ignore: [/page_data/theme, /page_data/links/*/clicks]\n", "bio-sync.yaml")
    write(folder, "id: bio_1\nignore: [/page_data/experiments, /page_data/theme]\n")
    write(folder, "id: bio_2\n", "pages/two.yaml")
    assert json.loads(run("plan", "--format", "json").out)["left_as_live"] == 5
    assert json.loads(run("plan", "pages/two.yaml", "--format", "json").out)["left_as_live"] == 1


def test_a_pointer_that_matches_nothing_is_a_warning_with_its_line(workspace: Sandbox, folder: Path, run: Run) -> None:
    text = "id: bio_1\npage_data: {badge: 1}\nignore: [/page_data/badge, /page_data/links,\n  # a slip\n"
    write(folder, f"{text}  /page_data/experimets]\n")
    matches = "matches nothing, live or in the file; check its spelling"
    assert warned(run) == [f"pages/acme.yaml:5: /page_data/experimets {matches}"]
    assert warned(run, "pages/acme.yaml") == warned(run)
    assert f"! pages/acme.yaml:5: /page_data/experimets {matches}\n" in run("plan").out
    assert f"! pages/acme.yaml:5: /page_data/experimets {matches}\n" in run("apply", "--yes").out


@pytest.mark.parametrize(
    "pointer", ["/title", "/description", "/published", "/page_data", "/page_data/badge", "/page_data/links/*/icon"]
)
def test_a_field_of_every_page_or_what_the_file_has_is_no_slip(
    workspace: Sandbox, folder: Path, run: Run, pointer: str
) -> None:
    write(
        folder, f"id: bio_2\npage_data:\n  badge: 1\n  links: [{json.dumps(SHOP | {'icon': 1})}]\nignore: [{pointer}]\n"
    )
    assert warned(run) == []


def test_what_a_link_out_of_season_has_is_no_slip(workspace: Sandbox, folder: Path, run: Run) -> None:
    link = SHOP | {"icon": 1, "show_until": "2020-01-01T00:00Z"}
    page = f"id: bio_2\npage_data: {{links: [{json.dumps(link)}]}}\n"
    write(folder, f"{page}ignore: [/page_data/links/*/icon]\n")
    assert warned(run) == []
    write(folder, page)
    write(folder, "ignore: [/page_data/links/*/icon]\n", "bio-sync.yaml")
    assert warned(run) == []


def test_a_pointer_of_the_configuration_is_a_slip_when_no_page_has_it_and_all_are_planned(
    workspace: Sandbox, folder: Path, run: Run
) -> None:
    write(folder, "ignore: [/page_data/experiments, /page_data/experimets]\n", "bio-sync.yaml")
    write(folder, "id: bio_1\n")
    write(folder, "id: bio_2\n", "pages/two.yaml")
    matches = "matches nothing on any page, live or in its file; check its spelling"
    assert warned(run) == [f"bio-sync.yaml: /page_data/experimets {matches}"]
    assert warned(run, "pages/two.yaml") == []
    write(folder, "id: bio_2\npage_data: {experimets: 1}\n", "pages/two.yaml")
    assert warned(run) == []


def test_of_a_page_that_is_gone_nobody_knows_what_its_pointers_match(
    workspace: Sandbox, folder: Path, run: Run
) -> None:
    write(folder, "ignore: [/page_data/nowhere]\n", "bio-sync.yaml")
    write(folder, "id: bio_1\n")
    assert "nowhere" in run("plan").out
    write(folder, "id: bio_gone\nignore: [/page_data/experimets]\n", "pages/gone.yaml")
    result = run("plan")
    assert result.code == 1
    assert "matches nothing" not in result.out


def test_of_a_page_that_the_service_shows_without_its_data_nobody_knows_either(
    workspace: Sandbox, folder: Path, run: Run
) -> None:
    write(folder, "ignore: [/page_data/nowhere]\n", "bio-sync.yaml")
    write(folder, "id: bio_1\nignore: [/page_data/experiments]\n")
    body = json.dumps({"data": {"id": "bio_1", "title": "Acme", "is_published": True}, "meta": {}})
    workspace.fail(Fault(200, body=body))
    assert warned(run) == []
    assert warned(run)


def test_a_pointer_is_shown_without_acting_and_not_at_any_length(workspace: Sandbox, folder: Path, run: Run) -> None:
    write(folder, f'id: bio_1\nignore: ["/page_data/##[error]a\\n{"b" * 5_000}"]\n')
    (warning,) = warned(run)
    assert len(warning) < 400
    assert r"/page_data/\x23#[error]a\nbbb" in warning


def test_a_plan_made_offline_knows_nothing_of_what_is_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    repository = Repository(tmp_path / "repo")
    monkeypatch.chdir(repository.root)
    repository.commit(
        {"pages/a.yaml": "id: bio_1\npage_data: {theme: dark}\nignore: [/page_data/theme, /page_data/no]\n"}
    )
    made = json.loads(run("plan", "--base", "HEAD", "--offline", "--format", "json").out)
    assert (made["left_as_live"], made["warnings"]) == (0, [])


def test_what_is_left_alone_survives_the_file_of_a_plan_and_is_no_part_of_consent() -> None:
    page = content("Acme", True)
    plan = plan_of([(page, replace(page, title="Acme Inc"))])
    counted = replace(plan, left_as_live=1_247)
    assert planfile.from_json(planfile.as_json(counted)) == counted
    assert counted.digest == plan.digest
    for form in ("text", "markdown", "html"):
        assert "1,247 values left as they are live (ignore)." in RENDERERS[form](counted)
