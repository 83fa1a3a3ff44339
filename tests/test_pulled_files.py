"""`pull` and the files it writes: which, where, by whose leave, and what stands in them."""

import errno
import json
import os
import shutil
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bio_sync import cli, pulling, schema, yamltext
from bio_sync.jsonvalues import JsonObject
from bio_sync.options import Session
from bio_sync.pagetext import LONGEST_NAME, file_stem
from bio_sync.sandbox import Sandbox
from bio_sync.sandbox.pages import new_page
from bio_sync.sandbox.store import KeyRecord
from bio_sync.schemafiles import schema_text
from tests.conftest import Result, Run
from tests.signals import Running, holds_no_key
from tests.signals.test_full_disk import SMALL, parts
from tests.strategies import live_page
from tests.test_git import Repository, no_settings_of_the_developer, put_first
from tests.test_takeover import live as content

__all__ = ["no_settings_of_the_developer"]

Start = Callable[..., Sandbox]

A, B = "pages/a.yaml", "pages/b.yaml"
SHOP = {"label": "Shop", "url": "https://acme.example/shop"}
BLOG = {"label": "Blog", "url": "https://acme.example/blog"}
ADDRESS = json.loads(schema_text("page"))["$id"]


def page_file(page_id: str = "bio_1", title: str = "Was") -> str:
    return f"id: {page_id}  # ours\ntitle: {title}\n"


def live(page_id: str = "bio_1", **more: Any) -> dict[str, Any]:
    return {"id": page_id, "title": "Now", "slug": page_id.replace("_", "-")} | more


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Give what stands in every file under a folder, but for what is git's."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def read(path: Path) -> JsonObject:
    document = yamltext.read(path.read_bytes(), file="")
    assert document.problems == ()
    return document.mapping


def calls(sandbox: Sandbox) -> list[str]:
    """Give the calls that the month paid for."""
    return [f"{call.method} {call.path.removeprefix('/api/v1')}" for call in sandbox.calls]


def nothing_is_left(run: Run, *paths: str) -> bool:
    return run("plan", "--detailed-exitcode", *paths).code == 0


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A real and empty repository, which is also the working directory."""
    made = Repository(tmp_path / "repo")
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def run_at(capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run the command line when it is another time of day."""

    def call(now: datetime, *arguments: str) -> Result:
        capfd.readouterr()
        code = cli.run(arguments, Session(now=lambda: now))
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return call


# What git could not bring back


MINE = page_file("bio_2", "Mine")


def modified(repo: Repository) -> None:
    repo.write(B, MINE)


def staged(repo: Repository) -> None:
    repo.write(B, MINE)
    repo.git("add", B)


def untracked(repo: Repository) -> None:
    repo.git("rm", "--quiet", "--cached", B)
    repo.git("commit", "--quiet", "-m", "Not ours")


def announced_only(repo: Repository) -> None:
    untracked(repo)
    repo.git("add", "--intent-to-add", B)


def ignored(repo: Repository) -> None:
    untracked(repo)
    repo.commit({".gitignore": "b.yaml\n"})


def in_a_folder_that_is_ignored(repo: Repository) -> None:
    untracked(repo)
    repo.commit({".gitignore": "pages/\n"})


def on_another_branch_only(repo: Repository) -> None:
    repo.git("checkout", "--quiet", "-b", "other")
    untracked(repo)


def marked_as_unchanged(repo: Repository) -> None:
    repo.git("update-index", "--assume-unchanged", B)
    repo.write(B, MINE)


def marked_as_not_checked_out(repo: Repository) -> None:
    repo.git("update-index", "--skip-worktree", B)
    repo.write(B, MINE)


def before_the_first_commit(repo: Repository) -> None:
    shutil.rmtree(repo.root / ".git")
    repo.git("init", "--quiet")
    repo.git("add", "--all")


STATES = (
    modified, staged, untracked, announced_only, ignored, in_a_folder_that_is_ignored, on_another_branch_only,
    marked_as_unchanged, marked_as_not_checked_out, before_the_first_commit,
)  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_a_file_that_git_could_not_bring_back_stops_the_whole_pull_unless_forced(
    repo: Repository, start_sandbox: Start, run: Run, state: Callable[[Repository], None]
) -> None:
    repo.commit({A: page_file(), B: page_file("bio_2")})
    state(repo)
    sandbox = start_sandbox([live(), live("bio_2"), live("bio_3")])
    before = contents(repo.root)
    result = run("pull", "--all")
    assert (result.code, result.out) == (1, "")
    named = f"{A}, {B}" if state is before_the_first_commit else B
    assert result.err.startswith(f"error: not committed, and would be written over: {named}\nhint: commit it first")
    assert contents(repo.root) == before
    forced = run("pull", "--force")
    assert forced.code == 0, forced.err
    assert [read(repo.root / name)["title"] for name in (A, B)] == ["Now", "Now"]
    assert all(call.method == "GET" for call in sandbox.requests)


def test_what_is_committed_is_edited_and_git_shows_nothing_but_the_edit(
    repo: Repository, start_sandbox: Start, run: Run
) -> None:
    repo.commit({A: page_file(), B: page_file("bio_2")})
    # Not committed, and not in the way: a page that is as its file says, and files that are none of pull's.
    repo.write(B, page_file("bio_2", "Mine"))
    repo.write("pages/_draft.yaml", "draft")
    repo.write("bio-sync.yaml", "pages: [pages]\n")
    start_sandbox([live(), live("bio_2", title="Mine"), live("bio_3")])
    result = run("pull", "--all")
    assert result.code == 0, result.err
    assert result.out.splitlines()[:2] == ["changed    pages/a.yaml  bio_1", "new        pages/bio-3.yaml  bio_3"]
    changed = [line for line in repo.git("diff", "-U0", A).splitlines() if line[:1] in {"+", "-"}][2:]
    assert changed == ["-title: Was", "+title: Now"]
    assert (repo.root / B).read_text() == page_file("bio_2", "Mine")
    assert nothing_is_left(run)


def in_a_linked_worktree(repo: Repository, patch: pytest.MonkeyPatch) -> None:
    repo.git("worktree", "add", "--quiet", "--detach", "../linked")
    patch.chdir(repo.root.parent / "linked")


def with_other_line_ends(repo: Repository, patch: pytest.MonkeyPatch) -> None:
    repo.commit({".gitattributes": "*.yaml text eol=crlf\n"})
    (repo.root / A).unlink()
    repo.git("checkout", "--quiet", "--", A)
    assert b"\r\n" in (repo.root / A).read_bytes()


def in_a_folder(repo: Repository, patch: pytest.MonkeyPatch) -> None:
    patch.chdir(repo.root / "pages")


def behind_a_link(repo: Repository, patch: pytest.MonkeyPatch) -> None:
    repo.commit({A: None, "shared/[a] *ä.yaml": page_file()})
    (repo.root / "pages").mkdir(exist_ok=True)
    (repo.root / A).symlink_to("../shared/[a] *ä.yaml")


def in_a_hook_of_another_repository(repo: Repository, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("GIT_DIR", "/nowhere/.git")


PLACES = (in_a_linked_worktree, with_other_line_ends, in_a_folder, behind_a_link, in_a_hook_of_another_repository)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_committed_is_edited_wherever_it_is_checked_out(
    repo: Repository,
    start_sandbox: Start,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    place: Callable[[Repository, pytest.MonkeyPatch], None],
) -> None:
    repo.commit({A: page_file(), "bio-sync.yaml": "pages: [pages]\n"})
    place(repo, monkeypatch)
    sandbox = start_sandbox([live()])
    result = run("pull")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("changed    ")
    assert nothing_is_left(run)
    # It is not committed any more.
    sandbox.edit("bio_1", title="Moved")
    assert run("pull").code == 1


def test_without_a_repository_or_without_changes_nobody_asks_for_a_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start_sandbox: Start, run: Run
) -> None:
    put_first(tmp_path / "bin", "exit 1", monkeypatch)
    folder = tmp_path / "plain"
    path = write(folder, A, page_file())
    monkeypatch.chdir(folder)
    sandbox = start_sandbox([live()])
    assert run("pull").code == 0
    assert path.read_text() == page_file(title="Now")
    # A folder named .git alone makes no repository.
    (folder / ".git").mkdir()
    sandbox.edit("bio_1", title="Moved")
    assert run("pull").code == 0
    assert path.read_text() == page_file(title="Moved")


def test_without_git_nobody_knows_what_is_committed(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start_sandbox: Start, run: Run
) -> None:
    repo.commit({A: page_file()})
    start_sandbox([live()])
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run("pull")
    assert (result.code, result.out, (repo.root / A).read_text()) == (1, "", page_file())
    assert result.err.startswith("error: nobody knows whether the files are committed: git is not installed")
    assert "--force" in result.err.splitlines()[-1]
    assert run("pull", "--dry-run").code == 0
    assert run("pull", "--force").code == 0


# Pages that are not there


def test_a_file_whose_page_is_not_live_is_named_and_the_others_are_done(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    gone, there = write(folder, A, page_file("bio_gone")), write(folder, B, page_file("bio_2"))
    start_sandbox([live("bio_2")])
    for arguments in ((), ("--all",), ("bio_gone", "bio_2"), (A, B)):
        there.write_text(page_file("bio_2"))
        result = run("pull", *arguments)
        assert result.code == 1
        assert f"error: {A}: page bio_gone is not in this workspace\nhint: " in result.err
        assert result.out.startswith(f"changed    {B}  bio_2\nPulled 1 page: 1 changed, 1 not found.")
        assert (gone.read_text(), there.read_text()) == (page_file("bio_gone"), page_file("bio_2", "Now"))
    assert run("pull", A).code == 1
    dry = run("pull", "--dry-run")
    assert (dry.code, dry.out) == (1, "")


@pytest.mark.parametrize("named", [["bio_gone"], ["bio_1", "bio_gone"], ["bio_2", "bio_gone"]])
def test_an_id_that_is_neither_live_nor_in_a_file_writes_nothing(
    folder: Path, start_sandbox: Start, run: Run, named: list[str]
) -> None:
    write(folder, A, page_file())
    start_sandbox([live(), live("bio_2")])
    result = run("pull", *named)
    assert (result.code, result.out, contents(folder)) == (1, "", {A: page_file().encode()})
    assert result.err.startswith("error: page bio_gone is not in this workspace\nhint: check the id")


# The names of new files


# By slug; those that come first in this order have the choice.
SLUGS = {
    "-x-": "x", ".": "{id}", "..": "{id}", ".hidden": "hidden", "ACME": "acme", "Acme": "acme-{id}",
    "Bio.Sync": "bio-sync-{id}", "LPT1": "lpt1-page", "_draft": "draft", "a..b": "a-b", "a.b": "a-b-{id}",
    "acme": "acme-{id}", "aux": "aux-page", "bio-sync": "bio-sync-{id}", "com0": "com0-page", "con": "con-page",
    "con2": "con2", "mine": "mine-{id}", "nul.txt": "nul-txt", "x" * 300: "x" * LONGEST_NAME, "yours": "yours-{id}",
    "~": "{id}",
}  # fmt: skip


@pytest.mark.parametrize("place", ["pages", "."])
def test_a_new_file_has_a_name_that_every_system_takes_and_that_is_nobody_else_s(
    folder: Path, start_sandbox: Start, run: Run, place: str
) -> None:
    config = write(folder, "bio-sync.yaml", f"pages: ['{place}']\n")
    mine = write(folder, f"{place}/MINE.yaml", page_file("bio_mine"))
    # A link to nowhere holds no page, and has its name.
    (folder / place / "Yours").symlink_to("nowhere")
    pages = [live(f"bio_{number}", slug=slug) for number, slug in enumerate(SLUGS)]
    start_sandbox([*pages, live("bio_mine", slug="other")])
    result = run("pull", "--all", *(["--dir", place] if place == "." else []))
    assert result.code == 0, result.err
    found = {str(read(path)["id"]): path.stem for path in (folder / place).glob("*.yaml") if path != config}
    stems = {f"bio_{number}": stem.format(id=f"bio_{number}") for number, stem in enumerate(SLUGS.values())}
    assert found == {**stems, "bio_mine": mine.stem}
    assert config.read_text() == f"pages: ['{place}']\n"
    assert nothing_is_left(run)


def test_what_no_file_is_called_by_is_left_out_of_its_name() -> None:
    def named(slug: str, *taken: str, page_id: str = "bio_1") -> str:
        page = live_page(content({}), page_id, slug=slug)
        return file_stem(page, taken, lambda text: "secret" in text)

    assert named("") == named("\u5317\u4eac") == named("\u202e") == named("/../") == "bio_1"
    assert named("Caf\u00e9 M\u00fcnchen") == "cafe-munchen"
    assert named("a/../b\x00\n") == "a-b"
    assert named("\uff43\uff4f\uff4e") == "con-page"
    assert named("my-secret") == "bio_1"
    assert named("", page_id="-_") == "page"
    assert named("CON", "con-page") == "con-page-bio_1"
    assert named("a", "a", "a-bio_1", "a-bio_1-2") == "a-bio_1-3"


# Where new files go


@pytest.mark.parametrize("place", ["new/nested/folder", "./new/", "pages/../new"])
def test_a_folder_for_new_files_is_made_and_they_are_read_from_there(
    folder: Path, start_sandbox: Start, run: Run, place: str
) -> None:
    start_sandbox([live()])
    result = run("pull", "--all", "--dir", place)
    assert result.code == 0, result.err
    made = "new/nested/folder" if "nested" in place else "new"
    assert list(contents(folder)) == [f"{made}/bio-1.yaml"]
    assert f"warning: commands without PATHs pass over {place.removeprefix('./').rstrip('/')}: add it to" in result.err
    assert nothing_is_left(run, place)
    # Its page has a file now, which the same command finds.
    assert "1 unchanged" in run("pull", "--all", "--dir", place).out


@pytest.mark.parametrize("place", ["link", "link/deeper", "pages/link", "link/../link"])
def test_a_link_that_leads_out_of_the_repository_takes_no_new_files(
    repo: Repository, tmp_path: Path, start_sandbox: Start, run: Run, place: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (repo.root / "pages").mkdir()
    for link in ("link", "pages/link"):
        (repo.root / link).symlink_to(outside)
    sandbox = start_sandbox([live()])
    result = run("pull", "bio_1", "--dir", place)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"error: {place} leads out of the repository\nhint: ")
    assert (contents(outside), contents(repo.root), calls(sandbox)) == ({}, {}, [])


def test_a_link_inside_the_repository_takes_new_files(repo: Repository, start_sandbox: Start, run: Run) -> None:
    (repo.root / "real").mkdir()
    (repo.root / "pages").symlink_to("real")
    start_sandbox([live()])
    assert run("pull", "--all").code == 0
    assert (repo.root / "pages").is_symlink()
    assert list(contents(repo.root)) == ["real/bio-1.yaml"]
    assert nothing_is_left(run)


@pytest.mark.parametrize("entry", ["../up", "{absolute}", "in/../../up", ".git/pages", "one.yaml"])
def test_pages_of_the_configuration_that_are_elsewhere_take_no_new_files(
    repo: Repository, tmp_path: Path, start_sandbox: Start, run: Run, entry: str
) -> None:
    entry = entry.format(absolute=tmp_path / "up")
    repo.write("bio-sync.yaml", f"pages: ['{entry}']\n")
    start_sandbox([live()])
    result = run("pull", "--all")
    assert (result.code, result.out) == (1, "")
    assert result.err == "error: bio-sync.yaml names no folder in here for new page files\nhint: name one: --dir DIR\n"
    assert set(contents(tmp_path)) == {"repo/bio-sync.yaml"}
    # The first that is in here does.
    repo.write("bio-sync.yaml", f"pages: ['{entry}', second, third]\n")
    assert run("pull", "--all").code == 0
    assert set(contents(tmp_path)) == {"repo/bio-sync.yaml", "repo/second/bio-1.yaml"}


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("taken", "taken is no folder"),
        ("taken/deeper", "the folder taken/deeper can't be made: Not a directory"),
        (".new", "page files in .new would be passed over"),
        ("new/_drafts", "page files in new/_drafts would be passed over"),
    ],
)
def test_what_can_be_no_folder_of_page_files_is_told(
    folder: Path, start_sandbox: Start, run: Run, place: str, told: str
) -> None:
    write(folder, "taken", "a file")
    start_sandbox([live()])
    result = run("pull", "--all", "--dir", place)
    assert result.code == 1
    assert result.err.startswith(f"error: {told}")
    assert contents(folder) == {"taken": b"a file"}


# Links by date

EARLY, DURING, LATE = (datetime(2026, 12, day, tzinfo=UTC) for day in (1, 24, 31))
TREES = {"label": "Trees", "url": "https://acme.example/trees"}
BEGINS, ENDS = "2026-12-10T09:00+01:00", "2026-12-27T00:00+01:00"
DATED = f"""\
id: bio_1
page_data:
  links:
    - label: Shop
      url: https://acme.example/shop
    # Until the feast.
    - label: Trees  # by the river
      show_from: {BEGINS}
      url: https://acme.example/trees
      show_until: {ENDS}
    - label: Blog
      url: https://acme.example/blog
"""


def with_links(*links: Any, **more: Any) -> dict[str, Any]:
    return live(page_data={"links": links}) | more


@pytest.mark.parametrize("at", [EARLY, LATE])
def test_a_link_that_is_not_to_show_now_and_is_not_live_stays_in_its_file(
    folder: Path, start_sandbox: Start, run_at: Callable[..., Result], at: datetime
) -> None:
    path = write(folder, A, DATED)
    sandbox = start_sandbox([with_links(SHOP, BLOG)])
    result = run_at(at, "pull")
    assert (result.code, result.err, path.read_text()) == (0, "", DATED)
    # Where the links round it go, it does not.
    sandbox.edit("bio_1", page_data={"links": [BLOG, {"label": "New", "url": "https://new.example"}]})
    assert run_at(at, "pull").code == 0
    text = path.read_text()
    assert [link["label"] for link in links_of(path)] == ["Trees", "Blog", "New"]
    assert "    # Until the feast.\n    - label: Trees  # by the river\n      show_from: " in text
    assert run_at(at, "plan", "--detailed-exitcode").code == 0


def links_of(path: Path) -> list[Any]:
    page_data: Any = read(path)["page_data"]
    links: list[Any] = page_data["links"]
    return links


@pytest.mark.parametrize(("at", "gone"), [(EARLY, "show_from"), (LATE, "show_until")])
def test_a_link_that_is_live_outside_its_time_loses_that_time_and_is_there_once(
    folder: Path, start_sandbox: Start, run_at: Callable[..., Result], at: datetime, gone: str
) -> None:
    path = write(folder, A, DATED)
    start_sandbox([with_links(SHOP, TREES, BLOG)])
    result = run_at(at, "pull")
    warning = f"warning: {A}: the link 'Trees' is live outside its time: that time is out of the file now\n"
    assert (result.code, result.err) == (0, warning)
    assert path.read_text() == "".join(line for line in DATED.splitlines(keepends=True) if gone not in line)
    assert run_at(at, "plan", "--detailed-exitcode").code == 0


def test_while_a_link_shows_its_times_stay_and_what_else_it_says_is_pulled(
    folder: Path, start_sandbox: Start, run_at: Callable[..., Result]
) -> None:
    path = write(folder, A, DATED)
    start_sandbox([with_links(SHOP, {**TREES, "label": "Fir trees", "badge": "new"}, BLOG)])
    assert run_at(DURING, "pull").code == 0
    trees = {**TREES, "label": "Fir trees", "badge": "new", "show_from": BEGINS, "show_until": ENDS}
    assert links_of(path) == [SHOP, trees, BLOG]
    assert run_at(DURING, "plan", "--detailed-exitcode").code == 0
    # When it is taken off the page, it goes, times and all.
    start_sandbox([with_links(SHOP, BLOG)])
    assert run_at(DURING, "pull").code == 0
    assert links_of(path) == [SHOP, BLOG]


@pytest.mark.parametrize("value", ["2026-12-10T09:00Z", {"a": 1}])
def test_a_live_key_that_would_be_a_time_in_a_file_is_left_live(
    folder: Path, start_sandbox: Start, run_at: Callable[..., Result], value: Any
) -> None:
    dated = write(folder, A, DATED)
    other = with_links({**SHOP, "show_until": value}, id="bio_2", slug="bio-2")
    sandbox = start_sandbox([with_links(SHOP, {**TREES, "show_from": value}, BLOG), other])
    result = run_at(DURING, "pull", "--all")
    pointer = "/page_data/links/*/show_{}"
    left = "warning: {}: {} is left as it is live: in a file, 'show_{}' says when a link shows"
    assert result.err.splitlines() == [
        left.format(A, pointer.format("from"), "from"),
        left.format("pages/bio-2.yaml", pointer.format("until"), "until"),
    ]
    assert dated.read_text() == f"{DATED}ignore:\n  - {pointer.format('from')}\n"
    new = read(folder / "pages/bio-2.yaml")
    assert (new["page_data"], new["ignore"]) == ({"links": [SHOP]}, [pointer.format("until")])
    assert run_at(DURING, "plan", "--detailed-exitcode").code == 0
    # An apply of something else keeps it.
    dated.write_text(dated.read_text().replace("Shop", "Our shop"))
    assert run_at(DURING, "apply", "--yes").code == 0
    assert sandbox.page("bio_1")["page_data"]["links"][1]["show_from"] == value


# A patch instead


PATCHED = """\
# ours
id: bio_1
title: 'Was'   # as on the door
page_data:
  theme: light

  links:
    - {label: Shop, url: https://acme.example/shop}
    - label: Blog   # weekly
      url: https://acme.example/blog
    # the last"""
FILES: dict[str, bytes] = {
    "lf": f"{PATCHED}\n".encode(),
    "crlf": f"{PATCHED}\n".replace("\n", "\r\n").encode(),
    "no line end at the end": PATCHED.encode(),
    "crlf, and none at the end": PATCHED.replace("\n", "\r\n").encode(),
    "a value at the end": PATCHED.removesuffix("\n    # the last").encode(),
    "a byte order mark": f"\ufeff{PATCHED}\n".encode(),
    "tabs": f"{PATCHED}\n".replace("'   #", "'\t#\t").encode(),
    "one line": b"{id: bio_1, title: Was}",
    "json": json.dumps({"id": "bio_1", "title": "Was", "page_data": {"links": [SHOP, BLOG]}}).encode(),
}
NEW_LINKS = {
    "theme": "dark",
    "links": [BLOG, {**SHOP, "label": "Shop: now", "badge": "café"}],
    "more": [1, {"a": None}],
}


@pytest.mark.parametrize(("before", "where"), [*((before, ".") for before in FILES), ("crlf", "pages")])
def test_what_a_dry_run_prints_is_what_git_apply_makes_a_pull_of(
    repo: Repository, start_sandbox: Start, run: Run, monkeypatch: pytest.MonkeyPatch, before: str, where: str
) -> None:
    repo.commit({A: FILES[before], B: page_file("bio_2"), "bio-sync.yaml": "pages: [pages]\n"})
    sandbox = start_sandbox([live(page_data=NEW_LINKS), live("bio_2", title="Was"), live("bio_3", page_data=NEW_LINKS)])
    monkeypatch.chdir(repo.root / where)
    at_first = contents(repo.root)
    dry = run("pull", "--all", "--dry-run")
    assert dry.code == 0
    assert dry.err.startswith("Would pull 3 pages: 1 new, 1 changed, 1 unchanged. API: 1 call used, ")
    assert contents(repo.root) == at_first
    (repo.root.parent / "patch").write_bytes(dry.out.encode())
    assert run("pull", "--all").code == 0
    pulled = contents(repo.root)
    assert pulled[A] != at_first[A]
    (repo.root / "pages/bio-3.yaml").unlink()
    repo.git("checkout", "--quiet", "--", ".")
    assert contents(repo.root) == at_first
    repo.git("-C", where, "apply", str(repo.root.parent / "patch"))
    assert contents(repo.root) == pulled
    assert all(call.method == "GET" for call in sandbox.requests)


# Which pages, and what they cost


@pytest.fixture
def three(folder: Path, start_sandbox: Start) -> Sandbox:
    """Two files in folders of their own, and a page without one."""
    for number in (1, 2):
        write(folder, f"pages/{number}/page.yaml", page_file(f"bio_{number}"))
    return start_sandbox([live(f"bio_{number}") for number in (1, 2, 3)])


LIST, ONE = "GET /bio/pages", "GET /bio/pages/bio_1"


@pytest.mark.parametrize(
    ("arguments", "wanted", "cost"),
    [
        ((), {1, 2}, LIST),
        (("--all",), {1, 2, 3}, LIST),
        (("bio_1",), {1}, ONE),
        (("bio_1", "bio_1"), {1}, ONE),
        (("pages/1/page.yaml",), {1}, ONE),
        (("./pages/1/../1/page.yaml", "bio_1"), {1}, ONE),
        (("pages/1",), {1}, ONE),
        (("pages",), {1, 2}, LIST),
        (("bio_3",), {3}, "GET /bio/pages/bio_3"),
        (("pages/1", "bio_3"), {1, 3}, LIST),
        (("--dir", "new"), {1, 2}, LIST),
    ],
)
def test_only_the_pages_that_are_meant_are_pulled_and_read_by_one_call(
    three: Sandbox, folder: Path, run: Run, arguments: tuple[str, ...], wanted: set[int], cost: str
) -> None:
    result = run("pull", *arguments)
    assert result.code == 0, result.err
    titles = {str(read(path)["id"]): read(path)["title"] for path in folder.rglob("*.yaml")}
    assert titles == {f"bio_{n}": "Now" if n in wanted else "Was" for n in sorted({1, 2} | wanted)}
    assert calls(three) == [cost]
    assert "API: 1 call used, 999,999 left this month." in result.out


def test_no_pages_or_no_words_are_wrong_usage_and_cost_nothing(folder: Path, sandbox: Sandbox, run: Run) -> None:
    for arguments in ((), ("--all", "bio_1"), ("",), ("--dir", ""), ("bio 1",)):
        assert run("pull", *arguments).code == 64
    assert run("pull", "pages/none.yaml").code == 1
    assert (calls(sandbox), contents(folder)) == ([], {})
    assert run("pull", "--all").out.startswith("Pulled 0 pages: nothing to do.")


# What stands in a file


def test_a_new_file_reads_from_the_top_down_and_says_all_that_is_live(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    data = {"links": [{"badge": 1, "url": SHOP["url"], "label": "Shop"}], "layout": {"b": 1, "a": []}, "theme": "light"}
    start_sandbox([live(page_data=data | {"avatar_url": "https://acme.example/a.png"}, is_published=True)])
    assert run("pull", "--all").code == 0
    assert (
        (folder / "pages/bio-1.yaml").read_text()
        == f"""\
# yaml-language-server: $schema={ADDRESS}
id: bio_1
title: Now
description: ""
published: true
page_data:
  theme: light
  avatar_url: https://acme.example/a.png
  layout:
    b: 1
    a: []
  links:
    - label: Shop
      url: https://acme.example/shop
      badge: 1
"""
    )


@pytest.mark.parametrize(
    ("schema", "place", "cwd", "address"),
    [
        ("schemas", "pages", ".", "../schemas/page.schema.json"),
        ("schemas", "pages", "deep/down", "../schemas/page.schema.json"),
        ("schemas", "a/b/c", "a", "../../../schemas/page.schema.json"),
        ("schemas", ".", ".", "schemas/page.schema.json"),
        ("other", "pages", ".", ADDRESS),
    ],
)
def test_the_first_line_leads_editors_to_the_schema_that_is_there(
    folder: Path, start_sandbox: Start, run: Run, monkeypatch: pytest.MonkeyPatch,
    schema: str, place: str, cwd: str, address: str,
) -> None:  # fmt: skip
    write(folder, "bio-sync.yaml", f"pages: ['{place}']\n")
    (folder / cwd).mkdir(parents=True, exist_ok=True)
    assert run("schema", "page", "--write", str(folder / schema)).code == 0
    monkeypatch.chdir(folder / cwd)
    start_sandbox([live()])
    result = run("pull", "--all")
    assert (result.code, result.err) == (0, "")
    lines = (folder / place / "bio-1.yaml").read_text().splitlines()
    assert lines[0] == f"# yaml-language-server: $schema={address}"
    assert nothing_is_left(run)


def test_what_a_file_leaves_out_stays_out_and_what_is_the_author_s_stays(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    before = """\
x-owner: {team: web, x-deep: [1, null]}
id: bio_1
title: Was
page_data:
  x-note: best first
  links:
    - {label: Shop, url: https://acme.example/shop, x-ticket: 7}
  experiments: {old: true}
ignore: [/page_data/experiments, "/page_data/links/*/badge"]
"""
    path = write(folder, A, before)
    data = {"x-live": 1, "experiments": {"new": 1}, "links": [SHOP | {"badge": 2, "x-seen": 3}, BLOG | {"badge": 4}]}
    sandbox = start_sandbox([live(description="Live", is_published=True, page_data=data)])
    assert run("pull").code == 0
    shop = before.index("  experiments")
    # The title, and one more link.
    text = path.read_text()
    assert read(path)["page_data"] == {
        "x-note": "best first",
        "links": [SHOP | {"x-ticket": 7}, BLOG],
        "experiments": {"old": True},
    }
    assert text.replace("title: Now", "title: Was").startswith(before[:shop])
    assert text.endswith(before[shop:])
    assert nothing_is_left(run)
    # The description and what is public may change: the file says nothing of them.
    sandbox.edit("bio_1", description="Other", is_published=False)
    assert run("pull").code == 0
    assert path.read_text() == text


@pytest.mark.parametrize(("own", "now"), [("1", True), ("false", 0), ("[1, true]", [True, 1])])
def test_a_number_and_a_truth_value_are_not_the_same_although_python_says_so(
    folder: Path, start_sandbox: Start, run: Run, own: str, now: object
) -> None:
    start_sandbox([live(page_data={"columns": now})])
    path = write(folder, A, f"id: bio_1\npage_data:\n  columns: {own}  # ours\n")
    result = run("pull")
    assert (result.code, result.err) == (0, "")
    assert json.dumps(read(path)["page_data"]) == json.dumps({"columns": now})
    assert "ignore" not in path.read_text()


def test_a_file_that_is_as_it_is_live_is_read_and_checked_once(
    folder: Path, start_sandbox: Start, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_sandbox([live(f"bio_{number}") for number in range(3)])
    for number in range(3):
        write(folder, f"pages/{number}.yaml", page_file(f"bio_{number}", "Now"))
    counts = {"page_problems": 0, "read": 0}
    for module, name in ((schema, "page_problems"), (yamltext, "read")):
        monkeypatch.setattr(module, name, counting(counts, name, getattr(module, name)))
    result = run("pull")
    assert result.out == "Pulled 3 pages: 3 unchanged. API: 1 call used, 999,999 left this month.\n"
    assert counts == {"page_problems": 3, "read": 3}


def counting(counts: dict[str, int], name: str, usual: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*arguments: Any, **options: Any) -> Any:
        counts[name] += 1
        return usual(*arguments, **options)

    return counted


def test_a_file_that_is_saved_while_the_service_is_asked_keeps_what_was_saved(
    folder: Path, start_sandbox: Start, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_sandbox([live(description="Live")])
    path, ask = write(folder, A, page_file()), pulling.live_pages

    def asked(*arguments: Any, **options: Any) -> Any:
        write(folder, A, page_file() + "x-note: new  # mine\ndescription: Was\n")
        return ask(*arguments, **options)

    monkeypatch.setattr(pulling, "live_pages", asked)
    assert run("pull").code == 0
    assert path.read_text() == "id: bio_1  # ours\ntitle: Now\nx-note: new  # mine\ndescription: Live\n"


def test_what_the_configuration_ignores_stands_in_no_new_file(folder: Path, start_sandbox: Start, run: Run) -> None:
    own = "[/description, /published, '/page_data/links/*/badge', /page_data/lab/a~1b]"
    write(folder, "bio-sync.yaml", f"ignore: {own}\n")
    links = [SHOP | {"badge": 1}, BLOG | {"badge": 2}]
    start_sandbox([live(description="Live", page_data={"lab": {"a/b": 1, "c": 2}, "links": links})])
    assert run("pull", "--all").code == 0
    page = read(folder / "pages/bio-1.yaml")
    assert page == {"id": "bio_1", "title": "Now", "page_data": {"lab": {"c": 2}, "links": [SHOP, BLOG]}}
    assert nothing_is_left(run)


def test_a_description_that_is_live_no_more_is_empty_in_its_file(folder: Path, start_sandbox: Start, run: Run) -> None:
    path = write(folder, "pages/a.yml", "id: bio_1\ndescription: |\n  Two\n  lines.\n# The end.\n")
    start_sandbox([live()])
    assert run("pull").code == 0
    assert path.read_text() == 'id: bio_1\ndescription: ""\n# The end.\n'


# The key

SECRET = "q7Rt-40817263549Zk_" * 4
KEY = f"xqr_pk_0123abcd.{SECRET[:64]}"
NOT_WRITTEN = "Pulled 0 pages: 1 not written. API: 1 call used, 999,999 left this month.\n"
WITH_KEY: dict[str, dict[str, Any]] = {
    "title": {"title": f"Call {KEY}"},
    "description": {"description": f"{KEY[20:30]}"},
    "link": {"page_data": {"links": [SHOP, {"label": "Hook", "url": f"https://acme.example/?k={KEY}"}]}},
    "number": {"page_data": {"hook": 1408172635490, "theme": "light"}},
    "value": {"page_data": {"hook": {"a": KEY, "b": 1}, "theme": "light"}},
    "key of an object": {"page_data": {"hooks": {KEY: True}, "theme": "light"}},
    "key of the page's data": {"page_data": {KEY[-12:]: {}, "theme": "light"}},
    "across lines": {"page_data": {"note": "word " * 40 + f"\n{KEY}\n" + "word " * 40}},
    "slug": {"slug": f"go-{KEY[20:40]}"},
    "everywhere": {"title": KEY, "description": KEY, "page_data": {"a": KEY}},
}


@pytest.fixture
def known_key(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A service that takes a key of which we know every letter."""
    sandbox._running.store.add_key(KeyRecord(KEY, frozenset({"*"}), "active"))
    monkeypatch.setenv("XQR_API_KEY", KEY)
    return sandbox


@pytest.mark.parametrize("where", WITH_KEY)
def test_a_live_page_that_shows_the_key_puts_it_into_no_file(
    folder: Path, known_key: Sandbox, run: Run, where: str
) -> None:
    known_key._running.store.add([new_page(live() | WITH_KEY[where], 0)])
    result = run("pull", "--all")
    assert result.code == 0, result.err
    texts = [data.decode() for data in contents(folder).values()]
    holds_no_key(KEY, result.out, result.err, *texts, *contents(folder))
    assert "***" not in "".join(texts)
    assert "is cut out" not in result.err
    if where == "slug":
        assert list(contents(folder)) == ["pages/bio_1.yaml"]
    else:
        assert ": the API key stands in it: take it off the page" in result.err
    assert nothing_is_left(run)
    assert [call.method for call in known_key.requests if call.method != "GET"] == []


@pytest.mark.parametrize("where", [name for name in WITH_KEY if name != "slug"])
def test_a_page_that_comes_to_show_the_key_leaves_its_file_without_it(
    folder: Path, known_key: Sandbox, run: Run, where: str
) -> None:
    known_key._running.store.add([new_page(live(page_data={"theme": "dark"}), 0)])
    assert run("pull", "--all").code == 0
    known_key.edit("bio_1", **WITH_KEY[where])
    dry = run("pull", "--dry-run")
    result = run("pull")
    assert (dry.code, result.code) == (0, 0), result.err
    texts = [data.decode() for data in contents(folder).values()]
    holds_no_key(KEY, dry.out, dry.err, result.out, result.err, *texts)
    assert "***" not in "".join([dry.out, *texts])
    assert ": the API key stands in it: take it off the page" in result.err
    assert nothing_is_left(run)


# How it is written


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_the_mode_of_a_file_stays(folder: Path, start_sandbox: Start, run: Run, mode: int) -> None:
    path = write(folder, A, page_file())
    path.chmod(mode)
    start_sandbox([live()])
    assert run("pull").code == 0
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (page_file(title="Now"), mode)
    assert parts(folder) == []


def test_a_page_file_that_is_a_link_stays_one(repo: Repository, start_sandbox: Start, run: Run) -> None:
    repo.commit({"shared/acme.yaml": page_file()})
    for link, target in ((A, "../middle.yaml"), ("middle.yaml", "shared/acme.yaml")):
        repo.write(link, "").unlink()
        (repo.root / link).symlink_to(target)
    start_sandbox([live()])
    dry, result = run("pull", "--dry-run"), run("pull")
    assert (result.code, result.out.splitlines()[0]) == (0, f"changed    {A}  bio_1"), result.err
    assert all((repo.root / link).is_symlink() for link in (A, "middle.yaml"))
    assert (repo.root / "shared/acme.yaml").read_text() == page_file(title="Now")
    assert nothing_is_left(run)
    assert dry.code == 0


def test_a_page_file_that_is_a_link_to_elsewhere_is_neither_read_nor_written(
    repo: Repository, tmp_path: Path, start_sandbox: Start, run: Run
) -> None:
    outside = write(tmp_path, "outside.yaml", page_file())
    repo.write(A, "").unlink()
    (repo.root / A).symlink_to(outside)
    sandbox = start_sandbox([live()])
    result = run("pull", "--all", "--force")
    assert (result.code, calls(sandbox)) == (1, [])
    assert f"{A}:1:1: this leads out of the repository" in result.out
    assert (outside.read_text(), list(contents(repo.root / "pages"))) == (page_file(), ["a.yaml"])


def test_a_disk_that_is_full_leaves_the_old_file(folder: Path, start_sandbox: Start) -> None:
    write(folder, A, page_file() + "page_data: {}\n")
    before = contents(folder)
    sandbox = start_sandbox([live(page_data={"note": "word " * 600})])
    with Running(sandbox, "pull", before=SMALL) as running:
        done = running.end()
    assert (done.code, done.out) == (1, NOT_WRITTEN)
    assert "can't be written: File too large\nhint: check the folder and the disk\n" in done.err
    assert contents(folder) == before


def test_a_disk_that_is_full_leaves_no_part_of_a_new_file(
    folder: Path, start_sandbox: Start, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    start_sandbox([live()])
    monkeypatch.setattr(os, "fsync", full)
    result = run("pull", "--all")
    assert (result.code, result.out) == (1, NOT_WRITTEN)
    assert "bio-1.yaml can't be written: No space left on device\nhint: " in result.err
    assert contents(folder) == {}


def test_a_file_whose_page_is_not_made_yet_is_in_the_way_of_no_pull_but_its_own(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    start_sandbox([live(), live("bio_2")])
    draft = write(folder, "pages/draft.yaml", "title: Not made yet\n")
    assert run("pull", "--all").code == 0
    assert sorted(path.name for path in (folder / "pages").iterdir()) == ["bio-1.yaml", "bio-2.yaml", "draft.yaml"]
    assert draft.read_text() == "title: Not made yet\n"
    own = run("pull", "pages/draft.yaml")
    assert own.code == 1
    assert "pages/draft.yaml:1:1: the page has no 'id'" in own.out
    # Any other problem may hide whose page it is.
    write(folder, "pages/draft.yaml", "titel: Not made yet\n")
    assert run("pull", "--all").code == 1
