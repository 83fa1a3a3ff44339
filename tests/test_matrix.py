"""`bio-sync matrix`: real folders, real git repositories, and the command line."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_sync.config import read_config
from bio_sync.errors import InvalidFiles, NoPages
from bio_sync.files import FoundFile, find_pages
from bio_sync.pages import read_pages
from bio_sync.workspaces import Workspace, compare, find_workspaces, gitlab_pipeline, matrix_line
from tests.conftest import ROOT, Result, Run
from tests.pipelines.gitlab import holds
from tests.test_git import Repository, no_settings_of_the_developer

__all__ = ["no_settings_of_the_developer"]

SETTINGS = "pages: [pages]\n"
BROKEN = "pagse: [pages]\n"
RULES = '{"type": "object"}'
PAGE = "id: bio_{0}\ntitle: {0}\n"
CLIENTS = {
    f"clients/{name}/{file}": text.format(name)
    for name in ("acme", "bakery", "charity")
    for file, text in (("bio-sync.yaml", SETTINGS), ("pages/p.yaml", PAGE))
}


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Three workspaces, committed as `main`; also the working directory."""
    made = Repository(tmp_path / "repo")
    made.commit(dict(CLIENTS))
    monkeypatch.chdir(made.root)
    return made


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def names(result: Result) -> list[str]:
    assert result.code == 0, result.err
    return [entry["workspace"] for entry in json.loads(result.out)["include"]]


def rules_broken(run: Run) -> dict[str, str]:
    """Give the rules that the repository breaks, with the place of each."""
    result = run("matrix")
    assert result.code == 1
    return {problem["rule"]: problem["file"] for problem in json.loads(result.out)["problems"]}


def test_a_workspace_has_its_name_its_folder_and_its_environment_on_one_line(folder: Path, run: Run) -> None:
    write(folder, CLIENTS)
    result = run("matrix")
    assert result.out.count("\n") == 1
    assert json.loads(result.out) == {
        "include": [
            {"workspace": name, "folder": f"clients/{name}", "environment": f"bio-sync-{name}"}
            for name in ("acme", "bakery", "charity")
        ]
    }
    assert result.err == "3 workspaces: acme, bakery, charity\n"


def test_the_lines_for_github_are_two_outputs_of_one_line_each(folder: Path, run: Run) -> None:
    write(folder, CLIENTS)
    outputs = dict(line.split("=", 1) for line in run("matrix", "--format", "github").out.splitlines())
    assert outputs.pop("count") == "3"
    assert json.loads(outputs.pop("matrix")) == json.loads(run("matrix").out)
    assert not outputs


def test_it_is_the_same_from_every_folder_of_the_repository(repo: Repository, run: Run) -> None:
    above = run("matrix").out
    os.chdir(repo.root / "clients" / "acme")
    assert run("matrix").out == above
    assert names(run("matrix", "../bakery")) == ["bakery"]


def test_folders_choose_workspaces_at_and_below_them(folder: Path, run: Run) -> None:
    write(folder, CLIENTS | {"own/bio-sync.yaml": SETTINGS, "bio-sync.yaml": SETTINGS})
    assert names(run("matrix")) == ["root", "acme", "bakery", "charity", "own"]
    assert names(run("matrix", "clients/bakery", "own/", "clients/bakery")) == ["bakery", "own"]
    assert names(run("matrix", "clients")) == ["acme", "bakery", "charity"]


@pytest.mark.parametrize("name", [".github", "_template", ".git", "deep/_old/x", "deep/.cache/x"])
def test_folders_with_names_that_begin_so_are_passed_over(folder: Path, run: Run, name: str) -> None:
    write(folder, CLIENTS | {f"{name}/bio-sync.yaml": SETTINGS})
    assert names(run("matrix")) == ["acme", "bakery", "charity"]


@pytest.mark.parametrize("sign", [".git", "pyvenv.cfg"])
def test_other_checkouts_and_python_environments_are_passed_over(folder: Path, run: Run, sign: str) -> None:
    write(folder, CLIENTS | {f"other/{sign}": "x", "other/lib/examples/bio-sync.yaml": SETTINGS})
    assert names(run("matrix")) == ["acme", "bakery", "charity"]


def test_links_are_no_folders_to_look_into(folder: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write(folder, CLIENTS)
    write(elsewhere, {"bio-sync.yaml": SETTINGS})
    (folder / "again").symlink_to("clients/acme")
    (folder / "away").symlink_to(elsewhere)
    (folder / "circle").symlink_to(".")
    assert names(run("matrix")) == ["acme", "bakery", "charity"]


def test_settings_that_are_a_link_out_of_the_repository_are_not_read(
    folder: Path, run: Run, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write(elsewhere, {"s.yaml": f"pages: ['{elsewhere}']\n", "p.yaml": PAGE})
    write(folder, CLIENTS)
    (folder / "clients/acme/bio-sync.yaml").unlink()
    (folder / "clients/acme/bio-sync.yaml").symlink_to(elsewhere / "s.yaml")
    assert names(run("matrix")) == ["acme", "bakery", "charity"]
    assert find_workspaces(()).workspaces[0].pages == ()


UNFIT = ("${{ secrets.X }}", "a b", "Bäckerei", "-rf", "a\nb", 'a"b', "a'b", "$(id)", "a;b", "##[group]x", "\x1b[31m")
UNFIT_TOO = ("::add-mask::x", "a" * 201, "\u202eb", "a\\b", "*", "a,b", "`id`", "a{b}")


@pytest.mark.parametrize("path", [*(f"clients/{name}" for name in (*UNFIT, *UNFIT_TOO)), "${{ x }}/acme"])
def test_a_name_that_could_act_in_a_workflow_is_refused_with_its_place(folder: Path, run: Run, path: str) -> None:
    write(folder, {f"{path}/bio-sync.yaml": SETTINGS})
    result = run("matrix", "--format", "github")
    assert (result.code, result.out) == (1, "")
    assert "can't be a part of the name of jobs and environments\n  hint: rename the folder" in result.err
    assert all(line.isprintable() and not line.startswith("::") for line in result.err.splitlines())
    assert "##[" not in result.err


@pytest.mark.parametrize("other", ["archive/acme", "Acme", "clients/ACME/x/acme"])
def test_two_folders_of_one_name_are_refused_whichever_is_asked_for(folder: Path, run: Run, other: str) -> None:
    write(folder, CLIENTS | {f"{other}/bio-sync.yaml": SETTINGS})
    assert "workspace-twice" in rules_broken(run)
    # A CI job puts the result into a variable: its log has the places all the same.
    assert f"clients/acme/bio-sync.yaml:1:1: the workspace acme is in {other} too" in run("matrix").err
    assert run("matrix", "clients/bakery", "--format", "github").code == 1


@pytest.mark.parametrize("pages", ["../bakery/pages", "../bakery", "../bakery/pages/p.yaml", "..", "linked"])
def test_a_page_file_of_two_workspaces_is_refused_and_both_are_named(folder: Path, run: Run, pages: str) -> None:
    write(folder, CLIENTS | {"clients/acme/bio-sync.yaml": f"pages: [{pages}]\n"})
    (folder / "clients/acme/linked").symlink_to("../bakery/pages")
    result = run("matrix", "--format", "github")
    assert result.code == 1
    assert re.search(
        r"clients/bakery/bio-sync\.yaml:1:1: /pages: .*p\.yaml belongs to the workspace in c.*/acme too", result.err
    )


def test_broken_settings_stop_nobody_else(folder: Path, run: Run) -> None:
    write(folder, CLIENTS | {"clients/acme/bio-sync.yaml": BROKEN, "clients/bakery/bio-sync.yaml": "\x01"})
    shutil.rmtree(folder / "clients/charity/pages")
    assert names(run("matrix")) == ["acme", "bakery", "charity"]


def test_a_repository_without_workspaces_is_told_what_one_is(folder: Path, run: Run) -> None:
    write(folder, {"pages/p.yaml": PAGE, "_template/bio-sync.yaml": SETTINGS})
    result = run("matrix", "--format", "github")
    assert (result.code, result.out) == (1, "")
    assert "there is no workspace in this repository: no folder has a bio-sync.yaml of its own" in result.err
    assert "hint: a workspace is a folder with its own bio-sync.yaml" in result.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nowhere",), 1, "nowhere: there is no such folder"),
        (("..",), 1, ".. is not in this repository"),
        (("clients/acme/pages",), 1, "there is no workspace in clients/acme/pages"),
        (("clients/acme/bio-sync.yaml",), 1, "there is no such folder"),
        (("",), 64, "a DIR is empty: is a variable unset?"),
        (("--base", ""), 64, "--base is empty: is a variable unset?"),
        (("--config", "clients/acme/bio-sync.yaml"), 64, "--config has no meaning here"),
        (("--base", "nowhere"), 1, "there is no 'nowhere' in this repository"),
        (("--base", "0" * 40), 1, "there is no '0000"),
    ],
)
def test_what_can_not_be_listed_is_told_in_words(
    repo: Repository, run: Run, arguments: tuple[str, ...], code: int, words: str
) -> None:
    result = run("matrix", "--format", "github", *arguments)
    assert (result.code, result.out) == (code, "")
    assert words in result.err
    assert "hint: " in result.err


def test_a_base_needs_git(folder: Path, run: Run) -> None:
    (folder / ".git").rmdir()
    write(folder, CLIENTS)
    assert "is in no git checkout" in run("matrix", "--base", "HEAD").err


def test_more_workspaces_than_a_matrix_may_have_jobs_are_refused_and_parts_of_them_are_not(
    folder: Path, run: Run
) -> None:
    write(folder, {f"clients/c{number}/bio-sync.yaml": "" for number in range(257)})
    result = run("matrix", "--format", "github")
    assert (result.code, result.out) == (1, "")
    assert "257 workspaces are more than the 256 jobs" in result.err
    assert "hint: name a part of the folders" in result.err
    all_of_them = find_workspaces(()).workspaces
    assert len(json.loads(matrix_line(all_of_them[1:]))["include"]) == 256
    assert len(json.loads(gitlab_pipeline(all_of_them))) == 2 + 6 * 257


ELSEWHERE = {
    "shared/p.yaml": "id: bio_s\ntitle: S\n",
    "rules/r.json": RULES,
    "README.md": "",
    "clients/acme/notes.txt": "",
}


@pytest.mark.parametrize(
    ("before", "edits", "expected"),
    [
        ({}, {}, []),
        ({}, {"README.md": "x", "clients/acme/notes.txt": "x", ".github/workflows/w.yml": "x"}, []),
        ({}, {"clients/acme/pages/p.yaml": "id: bio_acme\ntitle: New\n"}, ["acme"]),
        ({}, {"clients/acme/pages/deep/new.yml": PAGE}, ["acme"]),
        ({}, {"clients/acme/pages/_draft.yaml": PAGE}, []),
        ({}, {"clients/acme/pages/p.yaml": None}, ["acme"]),
        ({}, {"clients/acme/pages/p.yaml": None, "clients/acme/pages/q.yaml": PAGE.format("acme")}, ["acme"]),
        ({}, {"clients/acme/bio-sync.yaml": SETTINGS + "ignore: [/title]\n"}, ["acme"]),
        ({}, {"clients/acme/bio-sync.yaml": BROKEN}, ["acme"]),
        ({}, {"clients/new/bio-sync.yaml": SETTINGS}, ["new"]),
        ({"clients/acme/bio-sync.yaml": BROKEN}, {"clients/bakery/pages/p.yaml": PAGE}, ["bakery"]),
        ({"clients/acme/bio-sync.yaml": BROKEN}, {"clients/acme/pages/p.yaml": PAGE}, ["acme"]),
        ({"clients/acme/bio-sync.yaml": "pages: [../../shared]\n"}, {"shared/p.yaml": PAGE}, ["acme"]),
        ({"clients/acme/bio-sync.yaml": "pages: [../../shared]\n"}, {"shared/p.yaml": None}, ["acme"]),
        ({"clients/acme/bio-sync.yaml": "pages: [../../shared/p.yaml]\n"}, {"shared/q.yaml": PAGE}, []),
        ({"clients/acme/bio-sync.yaml": "pages: [.]\n"}, {"clients/acme/x.yaml": PAGE}, ["acme"]),
        ({"clients/acme/bio-sync.yaml": "pages: [no, pages]\n"}, {}, []),
        ({"clients/acme/bio-sync.yaml": "schema: ../../rules/no.json\n"}, {}, []),
        (
            {f"clients/{name}/bio-sync.yaml": "schema: ../../rules/r.json" for name in ("acme", "charity")},
            {"rules/r.json": "{}"},
            ["acme", "charity"],
        ),
    ],
)  # fmt: skip
def test_only_workspaces_whose_own_files_differ_are_listed(
    repo: Repository, run: Run, before: dict[str, str], edits: dict[str, str | None], expected: list[str]
) -> None:
    repo.commit({**ELSEWHERE, **before})
    for name, text in edits.items():
        repo.write(name, text)
    assert names(run("matrix", "--base", "HEAD")) == expected


def test_what_is_there_now_is_compared_committed_or_not_with_that_very_commit(repo: Repository, run: Run) -> None:
    repo.git("switch", "--quiet", "-c", "branch")
    repo.write("clients/acme/pages/p.yaml", PAGE)
    assert names(run("matrix", "--base", "main")) == ["acme"]
    repo.commit({})
    assert names(run("matrix", "--base", "main")) == names(run("matrix", "--base", "HEAD~1")) == ["acme"]
    assert names(run("matrix", "--base", "HEAD")) == []
    repo.git("switch", "--quiet", "main")
    repo.commit({"clients/bakery/pages/p.yaml": PAGE})
    repo.git("switch", "--quiet", "branch")
    # As plan --base has it: what others merged meanwhile is this branch's to undo.
    assert names(run("matrix", "--base", "main")) == ["acme", "bakery"]


def test_nothing_touched_is_an_empty_matrix_with_a_count_to_ask_for(repo: Repository, run: Run) -> None:
    result = run("matrix", "--base", "main", "--format", "github")
    assert (result.code, result.out) == (0, 'matrix={"include": []}\ncount=0\n')
    assert result.err == "0 of 3 differ from main\n"


def test_what_is_gone_moved_and_new_is_told_and_only_what_is_there_is_listed(repo: Repository, run: Run) -> None:
    repo.git("mv", "clients/acme", "acme")
    repo.git("rm", "--quiet", "-r", "clients/bakery")
    repo.write("clients/yoga/bio-sync.yaml", SETTINGS)
    result = run("matrix", "--base", "main")
    assert names(result) == ["acme", "yoga"]
    assert result.err.splitlines() == [
        "2 of 3 differ from main: acme, yoga",
        "note: workspace acme was in clients/acme at main, and is in acme now",
        "note: workspace bakery was in clients/bakery at main, and is gone: its pages stay as they are live",
        "note: workspace yoga is new since main: its keys are those of the environments bio-sync-yoga-plan and "
        "bio-sync-yoga-apply",
    ]
    assert "bakery" not in run("matrix", "--base", "main", "acme").err


def test_a_page_behind_a_link_differs_when_the_link_or_what_it_leads_to_does(repo: Repository, run: Run) -> None:
    repo.commit({"shared/a.yaml": PAGE, "shared/b.yaml": PAGE, "shared/more/c.yaml": PAGE})
    link = repo.root / "clients/acme/pages/link.yaml"
    link.symlink_to("../../../shared/a.yaml")
    (repo.root / "clients/acme/pages/folder").symlink_to("../../../shared/more")
    assert names(run("matrix", "--base", "HEAD")) == ["acme"]
    repo.commit({})
    assert names(run("matrix", "--base", "HEAD")) == []
    for name in ("shared/a.yaml", "shared/more/c.yaml"):
        repo.write(name, PAGE + "description: new\n")
        assert names(run("matrix", "--base", "HEAD")) == ["acme"]
        repo.commit({})
    link.unlink()
    link.symlink_to("../../../shared/b.yaml")
    assert names(run("matrix", "--base", "HEAD")) == ["acme"]


def test_line_ends_of_a_checkout_on_windows_are_no_difference(repo: Repository, run: Run) -> None:
    path = repo.root / "clients/acme/pages/p.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert names(run("matrix", "--base", "main")) == []


def test_git_with_other_hashes_is_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setenv("GIT_DEFAULT_HASH", "sha256")
    made = Repository(tmp_path / "sha256")
    made.commit(dict(CLIENTS))
    monkeypatch.chdir(made.root)
    assert names(run("matrix", "--base", "main")) == []
    made.write("clients/acme/pages/p.yaml", PAGE)
    assert names(run("matrix", "--base", "main")) == ["acme"]


def test_no_key_is_needed_and_none_is_looked_for(repo: Repository, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XQR_API_KEY_FILE", "/nowhere")
    monkeypatch.setenv("XQR_API_URL", "http://192.0.2.1/")
    assert names(run("matrix", "--base", "main", "clients/acme")) == []


# What may stand in a small repository. A page of each title is another page; one text is no page at all.
PAGES = [
    f"{folder}/{file}" for folder in ("a", "n/b", "n/b/c", "shared", "n") for file in ("p/x.yaml", "p/y.yml", "z.yaml")
]
TEXTS = st.sampled_from(["title: One", "title: Two", "titel: Typo"])
ENTRIES = ["[p]", "[.]", "[p/x.yaml]", "[../shared, p]", "[p, ../../shared/p]", "[nowhere]", "[c]"]
SETTINGS_OF = st.sampled_from(
    [
        *(f"pages: {entry}" for entry in ENTRIES),
        "pages: [p]\nignore: [/title]",
        "pages: [p]\nschema: ../rules.json",
        BROKEN,
    ]
)
FOLDERS = ["a", "n/b", "n/b/c", "n", "."]
STATES = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(PAGES, TEXTS)
    | {f"{folder}/bio-sync.yaml": SETTINGS_OF for folder in FOLDERS}
    | {"rules.json": st.sampled_from(["{}", RULES]), "a/_d/x.yaml": TEXTS, "a/note.txt": TEXTS},
)


def put(folder: Path, state: Mapping[str, str]) -> None:
    """Let a folder hold these files and no others."""
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != ".git":
            shutil.rmtree(entry)
        elif entry.is_file():
            entry.unlink()
    page_id = {page: f"id: bio_{number}\n" for number, page in enumerate(PAGES)}
    write(folder, {name: page_id.get(name, "") + text + "\n" for name, text in state.items()})


def page_files_for(workspace: Path) -> list[FoundFile] | None:
    """Give the page files that `plan` reads in a workspace's folder; None when its settings are broken."""
    os.chdir(workspace)
    config = read_config(None)
    return find_pages([Path(entry) for entry in config.pages if (config.folder / entry).exists()], root=config.root)


def seen_by_plan(workspace: Path) -> Any:
    """Give all that a plan in this folder is made of, but the live pages."""
    if not (workspace / "bio-sync.yaml").exists():
        return None
    os.chdir(workspace)
    settings = Path("bio-sync.yaml").read_text(encoding="utf-8")
    try:
        config = read_config(None)
        files = read_pages(page_files_for(workspace) or [], at=datetime(2026, 1, 1, tzinfo=UTC), ignore=config.ignore)
    except InvalidFiles:
        # The job can only say so; it is wanted when somebody works on the folder.
        pages = find_pages([Path()])
        return settings, {page.name: page.path.read_bytes() for page in pages}
    rules = config.house_rules and config.house_rules.file.path
    return settings, files.desired, files.problems, rules and rules.exists() and rules.read_bytes()


@pytest.fixture(scope="module")
def two_checkouts() -> Iterator[tuple[Repository, Path]]:
    """A repository, and a folder for its files as they were."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        then = Path(folder).resolve() / "then"
        (then / ".git").mkdir(parents=True)
        yield Repository(Path(folder).resolve() / "now"), then
    os.chdir(here)


@given(state=STATES)
def test_whatever_the_tree_every_page_file_belongs_to_one_workspace_at_most(
    two_checkouts: tuple[Repository, Path], state: dict[str, str]
) -> None:
    root = two_checkouts[1]
    put(root, state)
    os.chdir(root)
    owners: dict[str, str] = {}
    twice = False
    for folder in FOLDERS:
        if state.get(f"{folder}/bio-sync.yaml", BROKEN) != BROKEN:
            for page in page_files_for(root / folder) or []:
                twice = twice or owners.setdefault(os.path.realpath(page.path), folder) != folder
    os.chdir(root)
    try:
        found = find_workspaces(())
    except InvalidFiles as error:
        reasons = {problem.rule for problem in error.problems}
        assert (twice, reasons) == (True, {"page-of-two-workspaces"})
    except NoPages:
        assert not any(name.endswith("bio-sync.yaml") for name in state)
    else:
        assert not twice
        told = {os.path.realpath(page.path): each.folder for each in found.workspaces for page in each.pages}
        assert told == owners
        assert sum(len(each.pages) for each in found.workspaces) == len(owners)
        assert [each.folder for each in found.workspaces] == sorted(
            str(Path(name).parent) for name in state if name.endswith("bio-sync.yaml")
        )


@settings(max_examples=settings().max_examples * 3 // 4)
@given(
    state=STATES,
    edits=st.dictionaries(st.sampled_from([*PAGES, "rules.json"]), st.none() | TEXTS, max_size=3),
    data=st.data(),
)
def test_with_a_base_it_is_exactly_the_workspaces_whose_plan_could_differ(
    two_checkouts: tuple[Repository, Path], state: dict[str, str], edits: dict[str, str | None], data: st.DataObject
) -> None:
    now, then = two_checkouts
    put(then, state)
    put(now.root, state)
    now.git("add", "--all")
    tree = now.git("write-tree")
    base = now.git("commit-tree", "-m", "then", tree)
    for folder in data.draw(st.lists(st.sampled_from(FOLDERS), max_size=2)):
        edits |= {f"{folder}/bio-sync.yaml": data.draw(st.none() | SETTINGS_OF)}
    put(now.root, {name: text for name, text in (state | edits).items() if text is not None})
    os.chdir(now.root)
    try:
        found = find_workspaces(())
    except (InvalidFiles, NoPages):
        return
    told = {workspace.folder for workspace in compare(found, base).workspaces}
    expected = {
        workspace.folder
        for workspace in found.workspaces
        if seen_by_plan(now.root / workspace.folder) != seen_by_plan(then / workspace.folder)
    }
    assert told == expected


@pytest.mark.parametrize("clients", [(), ("acme", "yoga")])
def test_gitlab_takes_the_child_pipeline_for_one(folder: Path, run: Run, clients: tuple[str, ...]) -> None:
    (folder / ".git").rmdir()
    made = Repository(folder)
    made.commit({f"clients/{name}/bio-sync.yaml": SETTINGS for name in ("acme", "yoga")})
    for name in clients:
        made.write(f"clients/{name}/pages/p.yaml", PAGE)
    (folder / "child.yml").write_text(run("matrix", "--base", "HEAD", "--format", "gitlab").out, encoding="utf-8")
    jobs = json.loads((folder / "child.yml").read_text(encoding="utf-8"))
    visible = {name for name in jobs if "script" in jobs[name]}
    kinds = ("validate", "plan", "drift", "apply")
    assert visible == ({f"{kind}-{name}" for kind in kinds for name in clients} or {"bio-sync-nothing-to-do"})
    checked = subprocess.run(
        ["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "child.yml"],
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


REQUEST = {"CI_MERGE_REQUEST_IID": "1", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "7", "CI_MERGE_REQUEST_PROJECT_ID": "7"}


@pytest.mark.parametrize(
    ("variables", "merged", "by_hand"),
    [
        (REQUEST, {"validate", "plan"}, {"validate", "plan"}),
        ({**REQUEST, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "8"}, {"validate"}, {"validate"}),
        ({"CI_COMMIT_BRANCH": "main"}, {"apply"}, {"review", "apply-reviewed"}),
        ({"CI_COMMIT_BRANCH": "main", "BIO_SYNC_TASK": "drift"}, {"drift"}, {"drift"}),
        ({"CI_COMMIT_BRANCH": "main", "BIO_SYNC_TASK": "apply"}, set(), {"apply-scheduled"}),
        ({"CI_COMMIT_BRANCH": "spring"}, set(), set()),
    ],
    ids=["merge request", "of a fork", "default branch", "drift", "apply", "a branch"],
)
def test_the_child_pipeline_has_the_jobs_that_are_due_and_applies_of_a_workspace_wait_for_each_other(
    variables: dict[str, str], merged: set[str], by_hand: set[str]
) -> None:
    both = [Workspace(name, f"clients/{name}", Path(name), None) for name in ("acme", "yoga")]
    told = {"CI_DEFAULT_BRANCH": "main", **variables}
    for base, kinds in (("a" * 40, merged), (None, by_hand)):
        jobs = {name: job for name, job in json.loads(gitlab_pipeline(both, base=base)).items() if "script" in job}
        due = {name for name, job in jobs.items() if any(holds(rule["if"], told) for rule in job["rules"])}
        assert due == {f"{kind}-{workspace.name}" for kind in kinds for workspace in both}
        for name, job in jobs.items():
            workspace = name.rpartition("-")[2]
            writes = job.get("environment", {}).get("name") == f"bio-sync-{workspace}-apply"
            assert writes == name.startswith("apply-")
            assert job.get("resource_group") == (f"bio-sync-{workspace}-apply" if writes else None)
            assert job.get("interruptible") == (False if writes else None)


@pytest.mark.parametrize("base", ["a" * 40, None])
def test_no_two_workspaces_have_a_job_of_one_name(base: str | None) -> None:
    names = ("acme", "scheduled-acme", "reviewed-acme", "apply-acme")
    made = [Workspace(name, f"clients/{name}", Path(name), None) for name in names]
    jobs = [len(json.loads(gitlab_pipeline(some, base=base))) - 2 for some in (made[:1], made)]
    assert jobs[1] == len(names) * jobs[0]


def test_the_sessions_of_the_document_show_what_really_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    shutil.copytree(ROOT / "examples" / "workspaces", tmp_path / "agency")
    agency = Repository(tmp_path / "agency")
    agency.commit({})
    for client in ("acme", "hotel"):
        path = agency.root / "clients" / client / "pages" / "links.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("theme: light", "theme: dark"), encoding="utf-8")
    monkeypatch.chdir(agency.root)
    text = (ROOT / "docs" / "how-to" / "workspaces.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```shell-session\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    typed = re.findall(r"^\$ bio-sync (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    assert len(typed) == block.count("$ ")
    for command, shown in typed:
        result = run(*shlex.split(command))
        assert result.out + result.err == shown, command
