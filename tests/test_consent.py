"""A saved plan is consent, never instructions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bio_sync.sandbox import Sandbox
from tests.conftest import Run

Start = Callable[..., Sandbox]


@pytest.fixture
def saved(folder: Path, start_sandbox: Start, run: Run) -> Sandbox:
    """Two pages that change, and their plan in plan.json."""
    (folder / "pages").mkdir()
    for n in range(2):
        (folder / "pages" / f"p{n}.yaml").write_text(f"id: bio_{n}\ntitle: New {n}\n")
    running = start_sandbox([{"id": f"bio_{n}", "title": f"Old {n}", "page_data": {"a": 1}} for n in range(3)])
    assert run("plan", "--out", "plan.json").code == 0
    return running


def writes(sandbox: Sandbox) -> int:
    return sum(call.method != "GET" for call in sandbox.requests)


def test_a_plan_that_still_holds_is_written_without_a_question(saved: Sandbox, run: Run) -> None:
    assert run("apply", "--plan", "plan.json").code == 0
    assert [page["title"] for page in saved.pages[:2]] == ["New 0", "New 1"]


def test_a_plan_that_was_carried_out_is_not_carried_out_again(saved: Sandbox, run: Run) -> None:
    run("apply", "--plan", "plan.json")
    again = run("apply", "--plan", "plan.json")
    assert again.code == 1
    assert "nothing left to change" in again.err
    assert writes(saved) == 2


def test_an_edit_of_the_live_page_stops_it_and_is_named(saved: Sandbox, run: Run) -> None:
    saved.edit("bio_0", title="Edited in the dashboard")
    result = run("apply", "--plan", "plan.json", "--format", "json")
    error = json.loads(result.out)["error"]
    assert (result.code, error["reason"]) == (1, "stale")
    assert "pages/p0.yaml (bio_0) was changed live at /title" in error["message"]
    assert writes(saved) == 0


def test_an_edit_of_a_file_stops_it_and_is_named(saved: Sandbox, run: Run, folder: Path) -> None:
    (folder / "pages" / "p1.yaml").write_text("id: bio_1\ntitle: Newer\n")
    result = run("apply", "--plan", "plan.json")
    assert result.code == 1
    assert "pages/p1.yaml (bio_1) was changed in the file at /title" in result.err
    assert writes(saved) == 0


def test_a_number_that_becomes_a_truth_value_stops_it_and_is_named(saved: Sandbox, run: Run, folder: Path) -> None:
    for value, code in (("0", 0), ("false", 1)):
        (folder / "pages" / "p1.yaml").write_text(f"id: bio_1\npage_data: {{a: {value}}}\n")
        result = run("apply", "--plan", "plan.json") if code else run("plan", "--out", "plan.json")
        assert result.code == code
    assert "pages/p1.yaml (bio_1) was changed in the file at /page_data/a" in result.err
    assert writes(saved) == 0


def test_a_change_that_the_plan_does_not_hold_stops_it(saved: Sandbox, run: Run, folder: Path) -> None:
    (folder / "pages" / "p2.yaml").write_text("id: bio_2\ntitle: Sneaked in\n")
    result = run("apply", "--plan", "plan.json")
    assert result.code == 1
    assert "pages/p2.yaml (bio_2) has changes that the plan does not hold: /title" in result.err
    assert writes(saved) == 0


def test_what_no_file_manages_may_move_meanwhile(saved: Sandbox, run: Run) -> None:
    saved.edit("bio_0", view_count=99, description="new")
    saved.edit("bio_2", title="not ours")
    assert run("apply", "--plan", "plan.json").code == 0


def test_a_plan_for_another_service_is_refused(saved: Sandbox, run: Run, start_sandbox: Start, folder: Path) -> None:
    other = start_sandbox([{"id": f"bio_{n}", "title": f"Old {n}", "page_data": {"a": 1}} for n in range(3)])
    result = run("apply", "--plan", "plan.json")
    assert result.code == 1
    assert "the plan was made for" in result.err
    assert writes(other) == writes(saved) == 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("New 0", "Evil"),
        lambda text: text.replace('"format_version": "1.0"', '"format_version": "2.0"'),
        lambda _: "[]",
        lambda _: "[" * 100_000,
        lambda _: "",
    ],
)
def test_a_plan_file_that_was_tampered_with_is_refused_before_anything_is_asked(
    saved: Sandbox, run: Run, folder: Path, spoil: Any
) -> None:
    path = folder / "plan.json"
    path.write_text(spoil(path.read_text()))
    before = len(saved.requests)
    result = run("apply", "--plan", "plan.json")
    assert result.code == 1
    assert result.err.startswith("error: ")
    assert len(saved.requests) == before


def test_a_missing_plan_file_is_told_with_the_way_to_make_one(folder: Path, sandbox: Sandbox, run: Run) -> None:
    result = run("apply", "--plan", "nowhere.json")
    assert result.code == 1
    assert "hint: save one with `bio-sync plan --out plan.json`" in result.err


def test_a_page_that_became_public_meanwhile_is_not_what_was_agreed_to(saved: Sandbox, run: Run) -> None:
    saved.edit("bio_0", is_published=True)
    result = run("apply", "--plan", "plan.json")
    assert result.code == 1
    assert "pages/p0.yaml (bio_0) is public now" in result.err
    assert writes(saved) == 0


def test_a_plan_of_more_files_asks_for_the_same_paths(saved: Sandbox, run: Run) -> None:
    result = run("apply", "pages/p0.yaml", "--plan", "plan.json")
    assert result.code == 1
    assert "pages/p1.yaml (bio_1) is not among the files this time" in result.err


def test_nothing_in_a_plan_file_acts_on_the_terminal(saved: Sandbox, run: Run, folder: Path) -> None:
    path = folder / "plan.json"
    document = json.loads(path.read_text())
    document["changes"][0]["file"] = "\x1b]0;pwned\x07"
    path.write_text(json.dumps(document))
    saved.edit("bio_0", title="moved")
    result = run("apply", "--plan", "plan.json")
    assert result.code == 1
    assert "\x1b" not in result.out + result.err
