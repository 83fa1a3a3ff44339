"""A run that fails leaves no file that tells of an older one: each says why there is no plan, in its form."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bio_sync.commands import failing
from bio_sync.commands.group import PLAN_FORMATS
from bio_sync.errors import BioSyncError, InvalidFiles
from bio_sync.options import Session
from bio_sync.problems import Problem
from bio_sync.sandbox import Fault, Sandbox
from tests.conftest import Run
from tests.readers import commands, read_html, read_markdown
from tests.test_nothing_acts import FORBIDDEN_TAGS, LONG, NAUGHTY

FILES = ("p.json", "p.md", "p.html", "p.txt", "gitlab:gl.json")
OUTS = tuple(word for name in FILES for word in ("--out", name))
NAMES = {name.removeprefix("gitlab:") for name in FILES}


@pytest.fixture
def broken(folder: Path) -> Path:
    (folder / "pages").mkdir()
    (folder / "pages" / "a.yaml").write_text("titel: x\n")
    for name in NAMES:
        (folder / name).write_text("old")
    return folder


def test_a_failed_plan_takes_the_place_of_the_older_one_in_every_form(broken: Path, run: Run) -> None:
    result = run("plan", *OUTS, "--format", "json")
    assert result.code == 1
    told = {name: (broken / name).read_text(encoding="utf-8") for name in NAMES}
    assert told["p.json"] == result.out
    assert [each["rule"] for each in json.loads(result.out)["problems"]] == ["missing-key", "unknown-key"]
    assert json.loads(told["gl.json"]) == {"error": "2 problems in the files"}
    assert told["p.txt"].endswith("did you mean 'title'?\nerror: 2 problems in the files\nhint: every problem has its place, and most have a way out\n")  # fmt: skip # noqa: E501
    for name in ("p.md", "p.html", "p.txt"):
        assert all(words in told[name] for words in ("2 problems in the files", "pages/a.yaml:1:1", "titel"))
    assert "There is no plan" in told["p.md"]
    assert "There is no plan" in told["p.html"]


@pytest.mark.parametrize("form", PLAN_FORMATS)
def test_standard_output_says_so_in_the_form_that_was_asked_for(broken: Path, run: Run, form: str) -> None:
    out = run("plan", "--format", form).out
    assert ("titel" in out) != (form == "gitlab")
    if form == "html":
        assert out.startswith("<!doctype html>")


def test_a_service_that_is_not_there_is_told_in_the_files_too(broken: Path, sandbox: Sandbox, run: Run) -> None:
    (broken / "pages" / "a.yaml").write_text("id: bio_1\ntitle: x\n")
    sandbox.fail(Fault(status=401, code="INVALID_API_KEY", times=None))
    assert run("plan", *OUTS).code == 1
    assert json.loads((broken / "p.json").read_text())["error"]["reason"] == "auth"
    assert run("drift", "--out", "p.json", "--out", "p.md", "--out", "p.txt").code == 1
    assert "**It failed:**" in (broken / "p.md").read_text()
    assert json.loads((broken / "p.json").read_text())["error"]["reason"] == "auth"


def test_wrong_usage_leaves_the_files_as_they_are(broken: Path, run: Run) -> None:
    assert run("plan", *OUTS, "--offline").code == 64
    assert {(broken / name).read_text() for name in NAMES} == {"old"}


def test_a_folder_that_is_not_there_is_told_once_and_the_other_files_say_why(broken: Path, run: Run) -> None:
    result = run("plan", "--out", "p.md", "--out", "nowhere/p.md")
    assert (result.code, result.err.count("nowhere")) == (1, 1)
    assert "nowhere/p.md can't be written" in (broken / "p.md").read_text()


def test_a_plan_that_was_saved_stays_when_the_run_fails_after_it(
    broken: Path, start_sandbox: Callable[..., Sandbox], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (broken / "pages" / "a.yaml").write_text("id: bio_1\ntitle: x\n")
    start_sandbox([{"id": "bio_1", "title": "y"}])

    def bug(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("bio_sync.commands.plan.show", bug)
    assert run("plan", "--out", "p.json").code == 1
    assert json.loads((broken / "p.json").read_text())["summary"]["update"] == 1


def test_a_saved_plan_is_not_shown_over_itself(broken: Path, run: Run) -> None:
    assert run("show", "p.json", "--out", "./p.json").code == 64
    assert (broken / "p.json").read_text() == "old"


@pytest.mark.parametrize("command", ["show", "apply"])
def test_what_a_failure_left_is_no_plan_and_the_reader_hears_why(broken: Path, run: Run, command: str) -> None:
    run("plan", "--out", "p.json")
    words = ("show", "p.json") if command == "show" else ("apply", "--yes", "--plan", "p.json")
    result = run(*words)
    if command == "show":
        assert result.err == (
            "error: p.json holds no plan, since making it failed: 2 problems in the files\n"
            "hint: make it again: bio-sync plan --out plan.json\n"
        )
    assert result.code == 1


def test_drift_is_saved_in_its_forms_by_one_call(broken: Path, start_sandbox: Callable[..., Sandbox], run: Run) -> None:
    (broken / "pages" / "a.yaml").write_text("id: bio_1\ntitle: x\n")
    sandbox = start_sandbox([{"id": "bio_1", "title": "y"}])
    result = run("drift", "--out", "p.json", "--out", "p.md", "--out", "p.txt")
    assert (result.code, len(sandbox.calls)) == (2, 1)
    assert (broken / "p.txt").read_text(encoding="utf-8") == result.out
    assert json.loads((broken / "p.json").read_text())["changes"][0]["answers"]["pull"] == "bio-sync pull bio_1"
    assert (broken / "p.md").read_text(encoding="utf-8").startswith("## bio-sync drift")
    assert run("drift", "--out", "p.html").code == 64


@pytest.mark.parametrize("text", [*NAUGHTY, *LONG[-1:]], ids=lambda text: ascii(text[:24]))
def test_hostile_text_in_a_failure_stays_text_in_every_form(text: str) -> None:
    from bio_sync.visible import visible  # noqa: PLC0415 - what the reader of files does to what it tells

    problem = Problem(visible(f"pages/{text}"), 1, 1, f"/{visible(text)}", visible(text), visible(text), "unknown-key")
    errors: list[BioSyncError] = [BioSyncError(text, hint=text), InvalidFiles([problem], files=1)]
    session = Session(command="plan")
    for error in errors:
        told: dict[str, Any] = {form: failing.document(session, error, form) for form in PLAN_FORMATS}
        assert [found for form in told for found in commands(told[form])] == []
        assert read_markdown(told["markdown"]).acts == {}
        page = read_html(told["html"])
        assert (page.faults, page.comments, page.names() & FORBIDDEN_TAGS) == ([], [], set())
        json.loads(told["json"])
        assert list(json.loads(told["gitlab"])) == ["error"]
