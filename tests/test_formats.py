"""One plan in every form: on standard output, in files, and again from the saved plan."""

import html
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from syrupy.assertion import SnapshotAssertion

from bio_sync import render
from bio_sync.commands.group import PLAN_FORMATS, SUFFIXES
from bio_sync.sandbox import Sandbox
from tests.conftest import ROOT, Run
from tests.test_render_text import content, example_plan, link, plan_of

FILES = ("plan.json", "plan.md", "plan.html", "plan.txt", "gitlab:gl.json")
SCHEMA = Draft7Validator(json.loads((ROOT / "schemas" / "plan.schema.json").read_text(encoding="utf-8")))


def write(folder: Path, name: str, text: str) -> None:
    (folder / "pages").mkdir(exist_ok=True)
    (folder / "pages" / name).write_text(text, encoding="utf-8")


def page(page_id: str, title: str, **more: Any) -> dict[str, Any]:
    return {"id": page_id, "title": title, "slug": page_id, "page_data": {}, "is_published": True} | more


@pytest.fixture
def workspace(folder: Path, start_sandbox: Callable[..., Sandbox]) -> Sandbox:
    write(folder, "a.yaml", "id: bio_1\ntitle: New\npage_data: {links: [{label: Shop, url: 'https://shop.example'}]}\n")
    write(folder, "b.yaml", "id: bio_2\ntitle: Same\n")
    return start_sandbox([page("bio_1", "Old"), page("bio_2", "Same")])


def test_every_form_has_a_renderer_and_every_renderer_a_way_to_ask_for_it() -> None:
    assert set(PLAN_FORMATS) == set(render.RENDERERS)
    assert {*SUFFIXES.values(), "gitlab"} == set(render.RENDERERS)


def test_one_read_of_the_service_makes_any_number_of_files(workspace: Sandbox, run: Run, folder: Path) -> None:
    result = run("plan", *(argument for name in FILES for argument in ("--out", name)))
    assert result.code == 0
    assert len(workspace.calls) == 1
    assert {path.name for path in folder.iterdir()} == {
        ".git", "pages", "plan.json", "plan.md", "plan.html", "plan.txt", "gl.json"
    }  # fmt: skip
    assert (folder / "plan.txt").read_text(encoding="utf-8") == result.out
    assert json.loads((folder / "gl.json").read_text()) == {"create": 0, "update": 1, "delete": 0}
    assert (folder / "plan.md").read_text(encoding="utf-8").startswith("## bio-sync plan\n")
    assert (folder / "plan.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("form", PLAN_FORMATS)
def test_a_saved_plan_is_shown_again_as_it_was_without_network_or_key(
    form: str, workspace: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run("plan", "--format", form, "--out", "plan.json", "--quiet")
    workspace.stop()
    monkeypatch.delenv("XQR_API_KEY")
    monkeypatch.setenv("XQR_API_URL", "https://nowhere.invalid")
    shown = run("show", "plan.json", "--format", form)
    assert (shown.code, shown.out, shown.err) == (0, made.out, "")


def test_show_makes_files_too(workspace: Sandbox, run: Run, folder: Path) -> None:
    run("plan", "--out", "plan.json", "--out", "first.md")
    again = run("show", "plan.json", "--out", "second.md", "--out", "second.json", "--quiet")
    assert again.code == 0
    assert (folder / "second.md").read_bytes() == (folder / "first.md").read_bytes()
    assert (folder / "second.json").read_bytes() == (folder / "plan.json").read_bytes()


def test_show_refuses_what_is_no_plan_in_the_form_that_was_asked_for(folder: Path, run: Run) -> None:
    (folder / "no.json").write_text("{}")
    text, machine, comment = (run("show", "no.json", "--format", form) for form in ("text", "json", "markdown"))
    assert {text.code, machine.code, comment.code} == {1}
    assert (text.out, "no.json is no saved plan" in text.err) == ("", True)
    assert json.loads(machine.out)["error"]["reason"] == "invalid"
    assert "**There is no plan:** `no.json is no saved plan" in comment.out


def test_show_needs_a_plan_to_show(run: Run) -> None:
    assert run("show").code == 64


@pytest.mark.parametrize("name", ["plan", "plan.yaml", "plan.md.bak", "gitlab:", "html:plan"])
def test_an_out_file_whose_form_nobody_knows_is_wrong_usage(name: str, workspace: Sandbox, run: Run) -> None:
    result = run("plan", "--out", name)
    assert result.code == 64
    assert not workspace.calls
    assert "--out" in result.err


def test_a_file_name_may_hold_a_colon(workspace: Sandbox, run: Run, folder: Path) -> None:
    assert run("plan", "--out", "jira:plan.json").code == 0
    assert (folder / "jira:plan.json").exists()


@pytest.mark.parametrize("form", [form for form in PLAN_FORMATS if form != "json"])
def test_problems_in_files_never_stand_in_a_document_of_another_form(form: str, folder: Path, run: Run) -> None:
    write(folder, "a.yaml", "id: bio_1\ntitel: '```\\n@everyone'\n")
    result = run("plan", "--format", form)
    assert result.code == 1
    problem = "pages/a.yaml:2:1: /titel: the key 'titel' is not known here"
    assert (problem in result.out) == (form in {"text", "markdown"})
    assert ("the key &#39;titel&#39; is not known here" in result.out) == (form == "html")
    assert (problem in result.err) == (form in {"html", "gitlab"})
    assert "error: 1 problem in the files" in result.err
    if form == "markdown":
        assert f"```text\n{problem}" in result.out


def test_a_thousand_problems_still_make_a_comment_that_fits(folder: Path, run: Run) -> None:
    write(folder, "a.yaml", "id: bio_1\n" + "".join(f"key{n}{'x' * 60}: 1\n" for n in range(1_000)))
    out = run("plan", "--format", "markdown").out
    assert len(out.encode()) <= 60_000
    assert out.count("```") == 2
    assert "1000 problems in the files" in out
    assert " more\n" in out


def test_the_json_of_a_plan_with_everything_in_it_is_as_its_schema_says(snapshot: SnapshotAssertion) -> None:
    text = render.RENDERERS["json"](example_plan())
    SCHEMA.validate(json.loads(text))
    assert text == snapshot


def test_the_counts_for_gitlab(snapshot: SnapshotAssertion) -> None:
    assert render.RENDERERS["gitlab"](example_plan()) == snapshot


def test_pages_that_only_become_public_or_vanish_count_as_changed_for_gitlab() -> None:
    pairs = [(content("A", False), content("A", True)), (content("B", True), content("B", False))]
    assert json.loads(render.RENDERERS["gitlab"](plan_of(pairs))) == {"create": 0, "update": 2, "delete": 0}


def test_a_saved_plan_tells_the_commit_of_its_files_and_a_text_asks_no_git_for_it(
    workspace: Sandbox, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = ("-c", "user.name=a", "-c", "user.email=a@a.example")
    for arguments in (("init", "-b", "main"), ("add", "pages"), (*author, "commit", "-m", "Pages")):
        subprocess.run(["git", *arguments], check=True, capture_output=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert run("plan", "--quiet", "--out", "plan.json").code == 0
    assert json.loads((folder / "plan.json").read_text())["git"] == {"commit": commit, "base": None}
    assert f"Commit `{commit}`" in run("plan", "--format", "markdown").out
    monkeypatch.setenv("PATH", str(folder))
    assert run("plan").code == 0


def test_an_offline_plan_counts_the_reads_that_an_apply_needs() -> None:
    pairs = [(content(f"Page {number}", True), content(f"Page {number}", True)) for number in range(200)]
    plan = plan_of([*pairs, (content("Last", True), content("Changed", True))])
    offline = replace(plan, circumstances=replace(plan.circumstances, calls=0, offline=True))
    assert offline.calls_to_apply == 2 + 1


@pytest.mark.parametrize("second", ["p.json", "gitlab:p.json", "./p.json", "link.json"])
def test_two_outputs_can_not_have_one_file(second: str, workspace: Sandbox, run: Run, folder: Path) -> None:
    (folder / "link.json").symlink_to("p.json")
    result = run("plan", "--out", "p.json", "--out", second)
    assert (result.code, workspace.calls) == (64, [])
    assert "is named by more than one --out" in result.err


@pytest.mark.parametrize("command", [("plan",), ("show", "plan.json")])
def test_a_folder_that_is_not_there_is_told_before_a_call_is_spent(
    command: tuple[str, ...], workspace: Sandbox, run: Run
) -> None:
    run("plan", "--quiet", "--out", "plan.json")
    before = len(workspace.calls)
    result = run(*command, "--out", "no/plan.md", "--format", "json")
    assert (result.code, len(workspace.calls)) == (1, before)
    assert json.loads(result.out)["error"]["message"] == "no/plan.md can't be written: there is no such folder"


def test_a_file_that_can_not_be_written_costs_neither_the_others_nor_the_result(
    workspace: Sandbox, run: Run, folder: Path
) -> None:
    (folder / "folder.md").mkdir()
    result = run("plan", "--out", "folder.md", "--out", "plan.json", "--format", "json", "--detailed-exitcode")
    assert result.code == 1
    assert result.out == (folder / "plan.json").read_text()
    assert "error: folder.md can't be written" in result.err


@pytest.mark.parametrize("form", PLAN_FORMATS)
def test_a_key_that_stands_in_a_page_is_cut_out_of_every_form(
    form: str, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "".join(f"_{sign}-{sign}" for sign in "abcdefghijklmnop")
    key = f"xqr_pk_0123abcd.{secret}"
    after = content(f"new {key}", True, key, **{secret: key}, links=[link(key, f"https://a.example/{key}")])
    (folder / "plan.json").write_text(render.RENDERERS["json"](plan_of([(content(f"old {key}", True), after)])))
    monkeypatch.setenv("XQR_API_KEY", key)
    result = run("show", "plan.json", "--format", form, "--out", "plan.md", "--out", "plan.html")
    assert result.code == 0, result.err
    for told in (result.out, result.err, *((folder / name).read_text() for name in ("plan.md", "plan.html"))):
        plain = html.unescape(told)
        assert not [secret[at : at + 8] for at in range(len(secret) - 7) if secret[at : at + 8] in plain]


def test_a_saved_plan_may_begin_with_a_byte_order_mark(folder: Path, run: Run) -> None:
    (folder / "plan.json").write_text(render.RENDERERS["json"](example_plan()), encoding="utf-8-sig")
    assert run("show", "plan.json", "--format", "gitlab").code == 0
