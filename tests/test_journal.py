"""The journal of an apply: on disk before the first write, where it belongs, without the key, and never believed."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync import cli, journal
from bio_sync.errors import InvalidJournal
from bio_sync.journal import Journal, JournalPage
from bio_sync.model import PageContent
from bio_sync.options import Session
from bio_sync.sandbox import Fault, Sandbox
from tests import strategies as some
from tests.conftest import Run
from tests.signals import APPLY, Running, holds_no_key, is_new, live_pages, sent, write_pages
from tests.signals.test_full_disk import without_powers

Start = Callable[..., Sandbox]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
NAME = ".bio-sync/apply-20261122T100000Z.json"
# Less than a journal takes, in units of 512 or 1,024 bytes, as the shell has it.
SMALL = ("sh", "-c", 'ulimit -f 1; exec "$0" "$@"')
pointers = st.lists(st.sampled_from(("/title", "/page_data/links/*/badge", "/page_data/a~1b")), max_size=2)


def page_of(pair: tuple[Any, Any], ignore: list[str]) -> JournalPage:
    return JournalPage("bio_1", "pages/ä.yaml", ("update",), tuple(ignore), *pair)


journals = st.builds(page_of, some.pairs_of_contents(), pointers).map(
    lambda page: Journal("apply", "https://xqr.co/api/v1", 7, (page,))
)


@pytest.fixture
def three(folder: Path, start_sandbox: Start) -> Sandbox:
    write_pages(folder, 3, published=[1])
    return start_sandbox(live_pages(3))


def at_noon(*arguments: str) -> int:
    """Run a command at ten o'clock of the day that the names in the tests have."""
    return cli.run(arguments, Session(now=lambda: NOW))


def journal_in(folder: Path) -> dict[str, Any]:
    (path,) = (folder / ".bio-sync").glob("*.json")
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


@given(journals)
def test_a_journal_survives_its_file(tmp_path: Path, written: Journal) -> None:
    path = tmp_path / "journal.json"
    path.write_text(journal.dumps(written, begun_at=NOW), encoding="utf-8")
    (page,) = written.pages
    assert journal.read_journal(str(path)) == replace(written, pages=(replace(page, actions=()),))


@given(journals, st.data())
def test_a_journal_that_was_changed_is_refused_or_says_the_same(
    tmp_path: Path, written: Journal, data: st.DataObject
) -> None:
    text = journal.dumps(written, begun_at=NOW)
    place = data.draw(st.integers(0, len(text) - 1))
    path = tmp_path / "journal.json"
    path.write_text(text[:place] + data.draw(st.characters(codec="utf-8")) + text[place + 1 :], encoding="utf-8")
    try:
        read = journal.read_journal(str(path))
    except InvalidJournal:
        return
    assert [(page.before, page.after, page.ignore) for page in read.pages] == [
        (page.before, page.after, page.ignore) for page in written.pages
    ]


def test_the_journal_is_there_before_the_first_write_and_tells_what_became_of_each_page_after_the_last(
    three: Sandbox, folder: Path, run: Run
) -> None:
    seen: list[dict[str, Any]] = []

    def look(page: dict[str, Any]) -> dict[str, Any]:
        seen.append(journal_in(folder))
        return page

    three.behaviour = replace(three.behaviour, normalise=look)
    three.fail(Fault(status=400, code="VALIDATION_ERROR", method="PATCH", path="bio_2"))
    report = json.loads(run(*APPLY).out)
    begun, ended = seen[0], journal_in(folder)
    assert (begun["created_at"], begun["finished"]) == (ended["created_at"], False)
    assert datetime.fromisoformat(begun["created_at"]).tzinfo == UTC
    assert (begun["finished"], {page["outcome"] for page in begun["pages"]}) == (False, {None})
    assert ended["finished"]
    told = ("page_id", "file", "actions", "outcome", "reason", "message", "request_id")
    assert [{name: page[name] for name in told} for page in ended["pages"]] == [
        {name: outcome[name] for name in told} for outcome in report["outcomes"]
    ]
    assert [page["outcome"] for page in ended["pages"]] == ["applied", "applied", "failed"]
    assert ended["pages"][1]["before"] == {
        "title": "Old 1",
        "description": "old",
        "page_data": {"a": 1},
        "published": False,
    }
    assert ended["pages"][1]["after"]["published"]
    assert (ended["api_url"], ended["page_files"], ended["command"]) == (three.url, 3, "apply")


def test_an_apply_that_has_nothing_to_write_leaves_no_journal(three: Sandbox, folder: Path, run: Run) -> None:
    run(*APPLY, "--journal", "first.json")
    again = run("apply", "--yes", "--format", "json")
    assert (again.code, json.loads(again.out)["journal"]) == (0, None)
    run("apply", "--yes", "--journal", "second.json")
    assert sorted(path.name for path in folder.iterdir()) == [".git", "first.json", "pages"]


@pytest.mark.parametrize("flags", [(), ("--max-changes", "1")])
def test_a_run_that_is_refused_leaves_no_journal(
    three: Sandbox, folder: Path, run: Run, flags: tuple[str, ...]
) -> None:
    three.use_up(1_000_000 - 3)
    assert run("apply", "--yes", *flags, "--journal", "j.json").code == 1
    assert not [*folder.glob("*.json"), *folder.glob(".bio-sync")]


def test_git_and_the_search_for_page_files_do_not_see_the_journals(
    three: Sandbox, folder: Path, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(folder / ".git")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    assert at_noon("apply", "--yes", "--force") == 0
    assert capfd.readouterr().err == f"to take it back: bio-sync undo {NAME}\n"
    assert (folder / NAME).is_file()
    status = ["git", "status", "--porcelain", "--untracked-files=all"]
    assert ".bio-sync" not in subprocess.run(status, cwd=folder, capture_output=True, text=True, check=True).stdout
    assert run("validate", ".").out == "3 page files, no problems\n"
    assert run("apply", ".", "--yes").err == ""


def test_two_runs_in_one_second_have_two_journals(three: Sandbox, folder: Path) -> None:
    for title in ("One", "Two", "Three"):
        for page in three.pages:
            three.edit(page["id"], title=title)
        assert at_noon("apply", "--yes", "--force", "-q") == 0
    names = sorted(path.name for path in (folder / ".bio-sync").glob("*.json"))
    stem = "apply-20261122T100000Z"
    assert names == [f"{stem}-2.json", f"{stem}-3.json", f"{stem}.json"]
    assert [page["before"]["title"] for page in json.loads((folder / NAME).read_text())["pages"]] == ["One"] * 3


def test_the_journal_is_named_from_where_one_stands_and_lies_beside_the_configuration(
    three: Sandbox, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "bio-sync.yaml").write_text("pages: [pages]\n")
    monkeypatch.chdir(folder / "pages")
    result = run(*APPLY)
    name = json.loads(result.out)["journal"]
    assert name.startswith("../.bio-sync/apply-")
    assert result.err.endswith(f"to take it back: bio-sync undo {name}\n")
    assert run("undo", name, "--yes", "--force").code == 0
    assert not any(map(is_new, three.pages))


def test_the_way_back_is_not_told_to_who_wants_quiet_nor_when_nothing_was_written(
    three: Sandbox, folder: Path, run: Run
) -> None:
    three.fail(Fault(status=400, code="VALIDATION_ERROR", method="PATCH", times=3))
    assert run("apply", "--yes").err == ""
    assert run("apply", "--yes", "-q").err == ""


def test_a_named_journal_is_written_exactly_there_and_its_name_is_fit_to_be_typed(
    three: Sandbox, folder: Path, run: Run
) -> None:
    result = run("apply", "--yes", "--journal", "pages/my journal.json")
    assert result.err == "to take it back: bio-sync undo 'pages/my journal.json'\n"
    assert not (folder / ".bio-sync").exists()
    assert run("undo", "pages/my journal.json", "--yes", "--force", "--journal", "back.json").code == 0
    assert journal.read_journal("back.json").command == "undo"
    assert not any(map(is_new, three.pages))


def test_a_journal_for_which_there_is_no_folder_is_refused_before_a_call(three: Sandbox, run: Run) -> None:
    result = run("apply", "--yes", "--journal", "nowhere/j.json", "--format", "json")
    assert (result.code, three.requests) == (1, [])
    assert result.err.startswith("error: nowhere/j.json can't be written: there is no such folder\n")


@pytest.mark.parametrize("name", ["pages", "/dev/full"])
def test_a_named_journal_that_can_not_be_written_stops_the_run_before_the_first_write(
    three: Sandbox, run: Run, name: str
) -> None:
    result = run("apply", "--yes", "--journal", name, "--format", "json")
    document = json.loads(result.out)
    assert (result.code, {each["outcome"] for each in document["outcomes"]}) == (1, {"skipped"})
    assert document["error"]["message"].startswith(f"{name} can't be written: ")
    assert sent(three) == []


@pytest.mark.parametrize("command", ["apply", "undo"])
def test_an_empty_name_is_wrong_usage(three: Sandbox, run: Run, command: str) -> None:
    assert run("undo", "", "--yes").code == 64
    run(*APPLY, "--journal", "j.json")
    arguments = ("j.json",) if command == "undo" else ()
    assert run(command, *arguments, "--yes", "--journal", "").code == 64


def test_a_full_disk_stops_a_named_journal_and_costs_the_usual_one_only(three: Sandbox, folder: Path) -> None:
    with Running(three, *APPLY, "--journal", "j.json", before=SMALL) as running:
        named = running.end()
    assert (named.code, sent(three)) == (1, [])
    assert "error: j.json can't be written: File too large" in named.err
    with Running(three, *APPLY, before=SMALL) as running:
        usual = running.end()
    assert (usual.code, usual.document["journal"]) == (0, None)
    assert all(map(is_new, three.pages))
    assert "warning: no journal to undo this by: .bio-sync/apply-2" in usual.err
    assert "can't be written: File too large; --journal FILE names a place\n" in usual.err
    assert "to take it back" not in usual.err
    assert [path.name for path in (folder / ".bio-sync").iterdir()] == [".gitignore"]


def test_in_a_checkout_that_may_only_be_read_the_run_goes_on_without_a_journal(three: Sandbox, folder: Path) -> None:
    folder.chmod(0o500)
    try:
        with Running(three, *APPLY, before=without_powers()) as running:
            done = running.end()
    finally:
        folder.chmod(0o700)
    assert (done.code, done.document["journal"]) == (0, None)
    assert "warning: no journal to undo this by: .bio-sync/ can't be written: Permission denied;" in done.err


def a_file(place: Path, _: Path) -> None:
    place.write_text("mine")


def a_link_to_elsewhere(place: Path, elsewhere: Path) -> None:
    place.symlink_to(elsewhere)


def a_link_to_nothing(place: Path, elsewhere: Path) -> None:
    place.symlink_to(elsewhere / "new")


@pytest.mark.parametrize(
    ("plant", "why"),
    [(a_file, "File exists"), (a_link_to_elsewhere, "it is a link"), (a_link_to_nothing, "it is a link")],
)
def test_what_stands_in_the_journals_place_is_left_alone_and_the_run_goes_on(
    three: Sandbox, folder: Path, tmp_path_factory: pytest.TempPathFactory, run: Run, plant: Any, why: str
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    plant(folder / ".bio-sync", elsewhere)
    result = run(*APPLY)
    assert (result.code, json.loads(result.out)["journal"]) == (0, None)
    assert (
        f"warning: no journal to undo this by: .bio-sync/ can't be written: {why}; --journal FILE names" in result.err
    )
    assert list(elsewhere.iterdir()) == []
    assert plant is not a_file or (folder / ".bio-sync").read_text() == "mine"


def test_links_in_the_folder_of_the_journals_are_not_written_through(
    three: Sandbox, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("elsewhere") / "mine"
    other.write_text("mine")
    (folder / ".bio-sync").mkdir()
    for name in (".gitignore", Path(NAME).name, f".{Path(NAME).stem}-2.json.{os.getpid()}.part"):
        (folder / ".bio-sync" / name).symlink_to(other)
    assert at_noon("apply", "--yes", "--force", "-q") == 0
    assert other.read_text() == "mine"
    assert json.loads(Path(f"{NAME.removesuffix('.json')}-2.json").read_text())["finished"]


def test_a_journal_that_can_not_be_completed_hides_no_report_and_changes_no_outcome(
    three: Sandbox, folder: Path, run: Run
) -> None:
    def take_away(page: dict[str, Any]) -> dict[str, Any]:
        shutil.rmtree(folder / ".bio-sync", ignore_errors=True)
        return page

    three.behaviour = replace(three.behaviour, normalise=take_away)
    result = run(*APPLY)
    document = json.loads(result.out)
    assert (result.code, document["exit_code"], document["summary"]["applied"]) == (0, 0, 3)
    assert (
        f"warning: {document['journal']} can't be written: No such file or directory: the journal does not"
        in result.err
    )


def test_the_key_is_in_no_journal_and_a_page_that_held_it_is_not_undone_by_stars(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    write_pages(folder, 2)
    sandbox = start_sandbox(live_pages(2))
    sandbox.edit("bio_0", description=f"the key is {sandbox.key}")
    sandbox.fail(Fault(status=400, code="VALIDATION_ERROR", message=f"no, {sandbox.key}", method="PATCH", path="bio_1"))
    applied = run(*APPLY)
    assert applied.code == 3
    # It can't be undone by that journal, and is not said to be.
    assert "the key stood in what .bio-sync/" in applied.err
    assert "to take it back" not in applied.err
    (path,) = (folder / ".bio-sync").glob("*.json")
    holds_no_key(sandbox.key, path.read_text("utf-8"))
    writes = len(sent(sandbox))
    result = run("undo", str(path), "--yes", "--force")
    assert (result.code, len(sent(sandbox))) == (1, writes)
    assert "error: the journal was changed after it was written, or the API key stood in a page" in result.err


@given(st.lists(st.sampled_from(("#", "##[error]", "##vso[x]", "a", "\\", "\\u0023")), min_size=1).map("".join))
def test_no_ci_runner_finds_a_command_in_a_journal_and_its_texts_are_the_same(tmp_path: Path, text: str) -> None:
    content = PageContent(text, text, {text: [text]}, published=True)
    page = JournalPage("bio_1", text, (), (), content, replace(content, title="T"))
    written = Journal("apply", "https://xqr.co/api/v1", 1, (page,))
    dumped = journal.dumps(written, begun_at=NOW)
    assert "##" not in dumped
    (tmp_path / "j.json").write_text(dumped, encoding="utf-8")
    assert journal.read_journal(str(tmp_path / "j.json")) == written


def spoiled(**members: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"title": "T", "description": None, "page_data": {}, "published": True}
    page = {"page_id": "bio_1", "file": "p.yaml", "ignore": [], "before": content, "after": content}
    whole = {"format_version": "1.0", "created_at": "", "api_url": "", "command": "apply", "page_files": 1}
    inside = {name: value for name, value in members.items() if name in page}
    return {**whole, "pages": [{**page, **inside}], "digest": "sha256:0", **members}


DEEP: dict[str, Any] = {}
for _ in range(120):
    DEEP = {"a": DEEP}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("[]", "j.json is no journal: it is no JSON object"),
        ("", "j.json is no journal: it is not JSON"),
        ("[" * 100_000, "j.json is no journal: it is not JSON"),
        ('{"pages": [], "pages": []}', "j.json is no journal: it is not JSON"),
        ({}, "j.json is no journal: it has no format_version"),
        ({"format_version": "1.0", "changes": []}, "j.json is no journal: it has no pages"),
        (spoiled(pages=[]), "j.json is no journal: it has no pages"),
        (spoiled(pages=[1]), "j.json is no journal: pages[0] is no JSON object"),
        (spoiled(pages=spoiled()["pages"] * 2, page_files=2), "j.json is no journal: it has a page twice"),
        (spoiled(page_files=0), "j.json is no journal: page_files is no number of pages"),
        (spoiled(page_files=True), "j.json is no journal: page_files is no number of pages"),
        (spoiled(page_files="1"), "j.json is no journal: page_files is no number of pages"),
        (spoiled(api_url=None), "j.json is no journal: api_url is no text, but null"),
        (spoiled(page_id="../../workspace"), "pages[0].page_id: '../../workspace' is not the id of a page"),
        (spoiled(page_id=7), "pages[0].page_id is no text, but 7"),
        (spoiled(file=None), "pages[0].file is no text, but null"),
        (spoiled(ignore=["title"]), "pages[0].ignore is no list of JSON Pointers"),
        (spoiled(ignore=[""]), "pages[0].ignore is no list of JSON Pointers"),
        (spoiled(ignore={}), "pages[0].ignore is no list of JSON Pointers"),
        (spoiled(before=None), "pages[0].before is no page"),
        (spoiled(after={"title": 1}), "title or description of pages[0].after is no text"),
        (spoiled(after={"page_data": []}), "page_data or published of pages[0].after has the wrong type"),
        (spoiled(after={"page_data": DEEP}), "page_data of pages[0].after is nested too deep"),
        (spoiled(), "the journal was changed after it was written"),
        (spoiled(format_version="2.0"), "the journal has the form 2.0, and this bio-sync knows 1.0"),
    ],
)
def test_what_is_no_journal_is_told_and_nothing_is_asked(
    folder: Path, sandbox: Sandbox, run: Run, document: Any, words: str
) -> None:
    (folder / "j.json").write_text(document if isinstance(document, str) else json.dumps(document))
    result = run("undo", "j.json", "--yes", "--force")
    assert (result.code, result.out, sandbox.requests) == (1, "", [])
    assert words in result.err
    assert len(result.err.splitlines()) == 2


def test_a_journal_that_is_not_there_is_told_with_its_name_made_safe(folder: Path, sandbox: Sandbox, run: Run) -> None:
    result = run("undo", "\x1b[31m.json", "--yes")
    assert (result.code, result.err.splitlines()[0]) == (
        1,
        "error: \\x1b[31m.json can't be read: No such file or directory",
    )


def test_foreign_text_of_a_journal_is_made_safe(three: Sandbox, folder: Path, run: Run) -> None:
    run(*APPLY, "--journal", "j.json")
    written = journal.read_journal("j.json")
    pages = tuple(replace(page, file="\x1b]0;title\x07\n::error::x") for page in written.pages)
    (folder / "j.json").write_text(journal.dumps(replace(written, pages=pages), begun_at=NOW))
    result = run("undo", "j.json", "--yes", "--force")
    assert result.code == 0
    assert all(line.isprintable() and not line.startswith("::") for line in (result.out + result.err).splitlines())
