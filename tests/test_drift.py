"""Drift: the plan told from the live side, in three forms, with two answers that can be copied and that end it."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from bio_sync.model import PageContent
from bio_sync.planning import Circumstances, Plan, make_plan
from bio_sync.render import drift
from bio_sync.sandbox import Fault, Sandbox
from bio_sync.shell import id_words, path_word, typed
from tests import strategies as some
from tests.conftest import ROOT, Result, Run
from tests.faults import world
from tests.readers import commands, read_markdown
from tests.test_create import NAMES, shell_words
from tests.test_nothing_acts import LONG, MARK, NAUGHTY, check_safe_to_print, is_shown, plans_that_say

Start = Callable[..., Sandbox]
SCHEMA = Draft7Validator(json.loads((ROOT / "schemas/plan.schema.json").read_bytes()))
NOW = Circumstances("0.1.0", "2026-11-22T10:00:00Z", "https://xqr.co/api/v1", 1, 46)
FORMS = ("text", "json", "markdown")


def write(folder: Path, name: str, page: dict[str, Any]) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(page), "utf-8")
    return path


def changes_of(done: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(done.out)["changes"]
    return found


def answers_of(done: Result) -> list[dict[str, str]]:
    return [change["answers"] for change in changes_of(done)]


def answered(plan: Plan) -> drift.Answers:
    """Give the answers for a plan as the command words them; a lone surrogate is part of no file's name."""
    return {
        change.page_id: (
            typed("pull", *id_words(change.page_id)),
            typed("apply", path_word(re.sub("[\ud800-\udfff]", "", change.file))),
        )
        for change in plan.changes
    }


# Both answers end it


@pytest.mark.parametrize("answer", ["pull", "apply"])
@given(st.integers(0, 2**32))
@settings(max_examples=4)
def test_either_answer_to_each_page_ends_the_drift(
    folder: Path, start_sandbox: Start, run: Run, answer: str, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - a seed is wanted
    live = world.live_pages(random, 3)
    shutil.rmtree(folder / "pages", ignore_errors=True)
    # Without git nobody expects that it brings files back.
    shutil.rmtree(folder / ".git", ignore_errors=True)
    for page_id, file in world.files_for(random, live[:3]).items():
        write(folder, f"pages/{page_id}.yaml", file)
    sandbox = start_sandbox(live)
    found = run("drift", "--format", "json")
    answers = answers_of(found)
    assert found.code == (2 if answers else 0)
    assert found.code == run("plan", "--detailed-exitcode").code
    for told in answers:
        more = ["--yes", "--force"] if answer == "apply" else []
        done = run(*shell_words(told[answer])[1:], *more)
        assert done.code == 0, done
    assert run("drift").code == 0
    if answer == "pull":
        assert all(call.method == "GET" for call in sandbox.requests)
    sandbox.stop()


def test_an_answer_means_its_page_and_nothing_else_in_a_shell(folder: Path, start_sandbox: Start, run: Run) -> None:
    (folder / ".git").rmdir()
    ids = [f"-{number}" for number in range(len(NAMES))]
    write(folder, "pages/other.yaml", {"id": "bio_1", "title": "Other"})
    sandbox = start_sandbox([{"id": page_id, "title": "Live"} for page_id in (*ids, "bio_1")])
    for page_id, name in zip(ids, NAMES, strict=True):
        write(folder, name, {"id": page_id, "title": "File"})
    files = [f"./{name}" for name in NAMES]
    answers = {change["page_id"]: change["answers"] for change in changes_of(run("drift", *files, "--format", "json"))}
    for form in FORMS:
        shown = run("drift", *files, "--format", form).out
        check_safe_to_print(shown)
        if form != "json":
            assert all(f"{command}\n" in shown for told in answers.values() for command in told.values())
    for page_id, name in zip(ids, NAMES, strict=True):
        assert run(*shell_words(answers[page_id]["apply"])[1:], "--yes").code == 0
        assert sandbox.page(page_id)["title"] == "File"
        sandbox.edit(page_id, title="Live again")
        assert run(*shell_words(answers[page_id]["pull"])[1:]).code == 0
        assert json.loads((folder / name).read_text())["title"] == "Live again"
    assert sandbox.page("bio_1")["title"] == "Live"
    assert sorted(path.name for path in (folder / "pages").iterdir()) == ["other.yaml"]
    assert not (folder / "owned").exists()


def test_a_page_is_pulled_by_its_id_where_that_finds_its_file_and_by_its_file_elsewhere(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    start_sandbox([{"id": "-x", "title": "Live"}, {"id": "bio_1", "title": "Live"}])
    write(folder, "pages/a b.yaml", {"id": "-x", "title": "File"})
    write(folder, "drafts/b.yaml", {"id": "bio_1", "title": "File"})
    assert answers_of(run("drift", "pages", "drafts", "--format", "json")) == [
        {"pull": "bio-sync pull drafts/b.yaml", "apply": "bio-sync apply drafts/b.yaml"},
        {"pull": "bio-sync pull -- -x", "apply": "bio-sync apply 'pages/a b.yaml'"},
    ]


def test_an_answer_goes_by_the_configuration_that_the_drift_was_seen_with(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    sandbox = start_sandbox([{"id": "bio_1", "title": "Live", "description": "Live"}])
    write(folder, "pages/a.yaml", {"id": "bio_1", "title": "File", "description": "File"})
    (folder / "my rules.yaml").write_text("ignore: [/description]\n")
    (told,) = answers_of(run("drift", "--config", "my rules.yaml", "--format", "json"))
    assert told["pull"] == "bio-sync pull --config 'my rules.yaml' bio_1"
    assert run(*shell_words(told["apply"])[1:], "--yes").code == 0
    assert (sandbox.pages[0]["title"], sandbox.pages[0]["description"]) == ("File", "Live")


# What is told


def test_drift_is_told_from_the_file_to_what_is_live(folder: Path, start_sandbox: Start, run: Run) -> None:
    shop, blog, tour = ({"label": name, "url": f"https://{name.lower()}.example"} for name in ("Shop", "Blog", "Tour"))
    live = {"id": "bio_1", "title": "Acme now", "slug": "acme", "is_published": False, "view_count": 7}
    sandbox = start_sandbox(
        [
            live | {"page_data": {"theme": "dark", "links": [tour, shop]}},
            {"id": "bio_2", "title": "Same"},
            {"id": "bio_3", "title": "Stranger", "slug": "stranger"},
        ]
    )
    page = {"id": "bio_1", "title": "Acme", "published": True, "page_data": {"links": [shop, blog, tour]}}
    write(folder, "pages/acme.yaml", page)
    write(folder, "pages/gone.yaml", {"id": "bio_9", "title": "Gone"})
    write(folder, "pages/same.yaml", {"id": "bio_2", "title": "Same"})
    done = run("drift")
    assert (done.code, done.err) == (2, "")
    assert done.out.replace(sandbox.address, "https://bio.example") == (
        "Drift, from the file to the live page: + is on the live page only, - in the file only, ~ differs.\n"
        "\n"
        "~ Acme now  pages/acme.yaml\n"
        "  not public · 7 views · 0 clicks\n"
        '    ~ title      "Acme" → "Acme now"\n'
        '    + theme      "dark"\n'
        '    - link 2     "Blog"  https://blog.example\n'
        '    ↕ link       "Tour"  https://tour.example  position 3 → 1\n'
        "    ~ published  true → false\n"
        "  to take it over:  bio-sync pull bio_1\n"
        "  to put it back:   bio-sync apply pages/acme.yaml\n"
        "\n"
        "! pages/gone.yaml: page bio_9 is not in this workspace\n"
        "\n"
        "Live pages without a file: bio-sync pull PAGE_ID gives one a file.\n"
        "    bio_3  stranger  Stranger\n"
        "\n"
        "Drift: 1 of 3 pages, 5 differences, 1 not found.\n"
        "API:   1 call used, 999,999 left this month.\n"
    )


def test_a_live_page_without_a_slug_or_a_title_leaves_no_gap() -> None:
    live = {}
    for number, (slug, title) in enumerate((("", "Title"), ("slug", ""), ("", ""))):
        page_id = f"bio_{number}"
        live[page_id] = some.live_page(PageContent(title, None, {}, published=True), page_id, slug=slug)
    plan = make_plan([], live, circumstances=NOW)
    lines = [line.removeprefix("    ") for line in drift.as_text(plan, {}).splitlines() if "bio_" in line]
    assert sorted(lines) == ["bio_0  Title", "bio_1  slug", "bio_2"]
    told = [line for line in drift.as_markdown(plan, {}).splitlines() if "bio_" in line]
    assert sorted(told) == ["- `bio_0` `Title`", "- `bio_1` `slug`", "- `bio_2`"]


def test_the_json_is_that_of_the_plan_with_the_answers(folder: Path, start_sandbox: Start, run: Run) -> None:
    start_sandbox([{"id": f"bio_{number}", "title": "Live"} for number in (1, 2, 3)])
    write(folder, "pages/a.yaml", {"id": "bio_1", "title": "File"})
    write(folder, "pages/b.yaml", {"id": "bio_3"})
    plan, found = (json.loads(run(verb, "--format", "json").out) for verb in ("plan", "drift"))
    SCHEMA.validate(found)
    assert [page["page_id"] for page in found["unmanaged"]] == ["bio_2"]
    assert found["changes"][0].pop("answers") == {
        "pull": "bio-sync pull bio_1",
        "apply": "bio-sync apply pages/a.yaml",
    }
    for document in (plan, found):
        del document["created_at"], document["api"]["quota_remaining"], document["git"]
    assert found == plan


@pytest.mark.parametrize(
    ("title", "page_id", "code"), [("Live", "bio_1", 0), ("File", "bio_1", 2), ("Live", "bio_9", 2)]
)
def test_the_exit_code_tells_of_drift_in_every_form(
    folder: Path, start_sandbox: Start, run: Run, title: str, page_id: str, code: int
) -> None:
    sandbox = start_sandbox([{"id": "bio_1", "title": "Live"}, {"id": "bio_2", "title": "Stranger"}])
    write(folder, "pages/a.yaml", {"id": page_id, "title": title})
    write(folder, "pages/b.yaml", {"id": "bio_2"})
    assert [run("drift", "--format", form).code for form in FORMS] == [code] * 3
    assert all(call.method == "GET" for call in sandbox.requests)
    assert len(sandbox.requests) == 3


def test_what_can_not_be_told_is_no_drift(folder: Path, start_sandbox: Start, run: Run) -> None:
    sandbox = start_sandbox([{"id": "bio_1", "title": "Live"}])
    path = write(folder, "pages/a.yaml", {"id": "bio_1", "titel": "File"})
    assert [run("drift", "--format", form).code for form in FORMS] == [1, 1, 1]
    assert not sandbox.requests
    path.write_text("id: bio_1\ntitle: File\n")
    sandbox.fail(Fault(status=401, code="REVOKED_API_KEY", times=None))
    shown = {form: run("drift", "--format", form) for form in FORMS}
    assert {done.code for done in shown.values()} == {1}
    assert json.loads(shown["json"].out)["error"]["reason"] == "auth"
    assert shown["markdown"].out.startswith("## bio-sync drift\n\n**It failed:** `the API key was revoked")


def test_live_pages_without_a_file_are_listed_and_are_no_drift(folder: Path, start_sandbox: Start, run: Run) -> None:
    strangers = [{"id": f"bio_s{n:02}", "title": f"T{n}", "slug": f"s{n:02}"} for n in range(23)]
    start_sandbox([{"id": "bio_1", "title": "Live"}, {"id": "bio_2", "title": "Live"}, *strangers])
    write(folder, "pages/a.yaml", {"id": "bio_1", "title": "Live"})
    write(folder, "pages/b.yaml", {"id": "bio_2", "title": "Live"})
    text, _, markdown = (run("drift", "--format", form) for form in FORMS)
    assert (text.code, markdown.code) == (0, 0)
    assert "    bio_s19  s19  T19\n    and 3 more\n\nNo drift. All 2 pages are as their files want them.\n" in text.out
    assert "\n- `bio_s19` `s19  T19`\n- and 3 more\n" in markdown.out


def test_with_one_page_file_the_live_pages_without_one_are_listed_too_for_one_call(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    sandbox = start_sandbox([{"id": "bio_1", "title": "Live"}, {"id": "bio_s", "title": "T", "slug": "s"}])
    write(folder, "pages/a.yaml", {"id": "bio_1", "title": "Live"})
    assert "    bio_s  s  T\n" in run("drift").out
    assert [request.path for request in sandbox.requests] == ["/api/v1/bio/pages"]


def test_a_key_that_may_only_read_is_enough(
    folder: Path, start_sandbox: Start, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = start_sandbox([{"id": "bio_1", "title": "Live"}])
    monkeypatch.setenv("XQR_API_KEY", sandbox.add_key(["bio:read"]))
    write(folder, "pages/a.yaml", {"id": "bio_1", "title": "File"})
    assert run("drift").code == 2
    assert len(sandbox.requests) == 1


# Nothing acts, and nothing outgrows an issue


@pytest.mark.parametrize("text", [*NAUGHTY, *LONG[-1:]], ids=lambda text: ascii(text[:24]))
def test_hostile_text_in_every_place_of_a_drift_stays_text(text: str) -> None:
    plan = plans_that_say(text)[0]
    answers = answered(plan)
    check_safe_to_print(drift.as_text(plan, answers))
    coloured = drift.as_text(plan, answers, colour=True)
    assert commands(coloured) == []
    assert set(coloured) <= {*filter(is_shown, coloured), "\x1b"}
    as_json = drift.as_json(plan, answers)
    assert as_json.isascii()
    SCHEMA.validate(json.loads(as_json))
    check_markdown(drift.as_markdown(plan, answers))


def check_markdown(source: str) -> None:
    check_safe_to_print(source)
    page = read_markdown(source)
    assert page.acts == {}
    assert MARK not in page.html.text_outside_code
    assert len(source.encode()) <= 60_000


def plan_of(count: int, before: PageContent, after: PageContent, file: str = "pages/{}.yaml", **more: Any) -> Plan:
    wanted = [some.wanted_page(after, f"bio_{n}", file=file.format(n)) for n in range(count)]
    live = {f"bio_{n}": some.live_page(before, f"bio_{n}", **more) for n in range(count)}
    live |= {f"bio_s{n}": some.live_page(before, f"bio_s{n}") for n in range(count)}
    return make_plan(wanted, live, circumstances=NOW, warnings=["a warning " * 40] * count)


def test_an_issue_about_two_thousand_pages_holds_what_it_can_and_counts_the_rest() -> None:
    plan = plan_of(2_000, PageContent("`" * 50, None, {}, True), PageContent("Title", None, {}, False))
    source = drift.as_markdown(plan, answered(plan))
    check_markdown(source)
    shown = source.count("<details open>")
    assert source.count("</details>") == shown > 20
    assert f"\nand {2_000 - shown:,} more pages: `bio-sync drift` shows all of them\n" in source
    assert len(source.encode()) > 50_000


@pytest.mark.parametrize("character", ["x", "\U000e0001", "`", "é"])
def test_a_page_that_differs_in_too_much_is_cut_between_differences_and_says_so(character: str) -> None:
    page_data = {f"key{n}": character * 3_000 for n in range(40)}
    plan = plan_of(3, PageContent("A", None, dict(page_data), True), PageContent("A", None, {}, True), "é" * 300 + "{}")
    source = drift.as_markdown(plan, answered(plan))
    check_markdown(source)
    cut = re.findall(r"\n(\d+) more differences of this page did not fit here\.\n", source)
    assert cut
    assert all(int(each) + source.count("key") // len(cut) >= 40 for each in cut)
