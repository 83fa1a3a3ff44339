import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_sync import __version__, cli, yamltext
from bio_sync.commands import commands
from bio_sync.commands.init import _write
from bio_sync.errors import NotWritten
from bio_sync.options import Session
from bio_sync.sandbox import Sandbox
from bio_sync.scaffold import IGNORED, IGNORED_TITLE, plan_scaffold
from bio_sync.schemafiles import schema_text
from tests.conftest import Run

Start = Callable[..., Sandbox]
ALWAYS = (
    "bio-sync.yaml", "pages/first-page.yaml", "schemas/page.schema.json", "schemas/config.schema.json",
    ".vscode/settings.json", ".vscode/extensions.json", ".gitignore",
)  # fmt: skip
WORKFLOWS = (".github/workflows/bio-sync.yml", ".github/workflows/bio-sync-daily.yml")
GITLAB = (".gitlab/bio-sync.yml", ".gitlab-ci.yml")
COMMAND = (sys.executable, "-P", "-m", "bio_sync")
PAGE = "id: bio_1\ntitle: Mine\n"
# A disk with room for the first files, and not for a schema; in units of 512 or 1,024 bytes, as the shell has it.
SMALL = ("sh", "-c", 'ulimit -f 4; exec "$0" "$@"')


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def parsed(path: Path) -> Any:
    document = yamltext.read(path.read_bytes(), file=path.name)
    assert document.problems == ()
    return document.value


def told(out: str) -> dict[str, str]:
    return {name: verb for verb, name, *_ in (line.split() for line in out.splitlines())}


def with_id(page: Path) -> None:
    page.write_text(page.read_text().replace("\ntitle:", "\nid: bio_1\ntitle:"))


def uncommented(text: str) -> str:
    """Make lines such as `# key: value` and `#   - /pointer` count; sentences stay comments."""
    return re.sub(r"(?m)^( *)# ( *(?:- )?(?:x-)?[a-z_]+:(?: |$)| +- /)", r"\1\2", text)


# What was there


gitignores = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from((*IGNORED, IGNORED_TITLE, "!plan.json", "*.log", "", " ")), max_size=8).flatmap(
        lambda lines: st.sampled_from(("\n", "\r\n")).map(lambda end: end.join(lines).encode())
    ),
)
configs = st.sampled_from(("", "pages: [pages]\n", "pages: [content/own]\n", "pages: [a.yaml, ../b]\n", "pages: [.]\n"))
others = st.sampled_from((*ALWAYS[1:-1], *WORKFLOWS, *GITLAB, "pages/own.yaml", "content/own/a.yml", "README.md"))


@settings(max_examples=40)
@given(
    before=st.dictionaries(others, st.binary(max_size=60), max_size=6),
    config=st.none() | configs,
    ignored=st.none() | gitignores,
    system=st.sampled_from(((), ("--ci", "github"), ("--ci", "gitlab"))),
    in_git=st.booleans(),
)
def test_what_was_there_stays_byte_for_byte_and_a_second_run_has_nothing_to_do(
    before: dict[str, bytes], config: str | None, ignored: bytes | None, system: tuple[str, ...], in_git: bool
) -> None:
    if config is not None:
        before = before | {"bio-sync.yaml": config.encode()}
    if ignored is not None:
        before = before | {".gitignore": ignored}
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        patch.chdir(folder)
        if in_git:
            (folder / ".git").mkdir()
        for path, data in before.items():
            write(folder / path, data)
        assert cli.run(("init", *system)) == 0
        after = contents(folder)
        grown = after.pop(".gitignore")
        old = before.pop(".gitignore", b"")
        assert {path: after[path] for path in before} == before
        check_gitignore(old, grown)
        assert cli.run(("init", *system)) == 0
        assert contents(folder) == after | {".gitignore": grown}


def check_gitignore(old: bytes, grown: bytes) -> None:
    assert grown.startswith(old)
    added = grown[len(old) :].decode()
    if added and old and not old.endswith(b"\n"):
        assert added.startswith(("\n", "\r\n"))
    assert added == "" or added.endswith("\n")
    try:
        lines = [line.rstrip() for line in old.decode().split("\n")]
    except UnicodeDecodeError:
        assert added == ""
        return
    expected = [line for line in IGNORED if line not in lines and f"!{line}" not in lines]
    assert [line for line in added.split() if line in IGNORED] == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("*.log", "*.log\n\n# bio-sync: keys, journals and saved plans\n" + "".join(f"{line}\n" for line in IGNORED)),
        ("*.log\r\n", "*.log\r\n\r\n# bio-sync: keys, journals and saved plans\r\n" + "\r\n".join(IGNORED) + "\r\n"),
        ("\n".join(IGNORED[:-1]) + "\n# mine\n" + IGNORED_TITLE, None),
    ],
)
def test_a_gitignore_gets_the_missing_lines_in_its_own_line_ends(folder: Path, run: Run, old: str, new: str) -> None:
    write(folder / ".gitignore", old)
    assert told(run("init").out)[".gitignore"] == "add"
    assert (folder / ".gitignore").read_bytes().decode() == (new or f"{old}\n{IGNORED[-1]}\n")


def test_a_line_that_its_owner_has_taken_back_is_not_added_again(folder: Path, run: Run) -> None:
    write(folder / ".gitignore", "!plan.json\n")
    run("init")
    assert "\nplan.json\n" not in (folder / ".gitignore").read_text()


@pytest.mark.parametrize("content", [b"\xff\xfe*.log\n", None])
def test_a_gitignore_that_can_not_be_added_to_is_kept_and_told(folder: Path, run: Run, content: bytes | None) -> None:
    if content:
        write(folder / ".gitignore", content)
    else:
        write(folder / "other", "*.log\n")
        (folder / ".gitignore").symlink_to("other")
    done = run("init")
    assert told(done.out)[".gitignore"] == "keep"
    assert "hint: .gitignore can't be added to; keep these out of git: .env .bio-sync/ .*.part plan.json" in done.err
    assert (folder / ".gitignore").read_bytes() == content or (folder / ".gitignore").is_symlink()


def test_what_could_be_added_to_files_that_are_kept_is_told(folder: Path, run: Run) -> None:
    for name in (".vscode/settings.json", ".vscode/extensions.json", ".gitlab-ci.yml", "schemas/page.schema.json"):
        write(folder / name, "{}")
    err = run("init", "--ci", "gitlab").err
    assert '.vscode/settings.json is yours; for help while you type, add to it:\n  "yaml.schemas": {\n' in err
    assert '.vscode/extensions.json is yours; for help while you type, add to it:\n  "recommendations": [\n' in err
    assert ".gitlab-ci.yml is yours; for the jobs to run, add to it:\n  include:\n    - local: .gitlab/bio-sync" in err
    assert "schemas/page.schema.json is not that of this version of bio-sync; to renew it: bio-sync schema page" in err
    assert err.count("hint:") == 4


def test_what_is_kept_and_right_needs_no_hint(folder: Path, run: Run) -> None:
    run("init", "--ci", "gitlab")
    done = run("init", "--ci", "gitlab")
    assert set(told(done.out).values()) == {"keep"}
    assert done.err == "\nNothing to write: all of it is there already.\n"


def test_page_files_that_are_there_make_a_first_page_needless(folder: Path, run: Run) -> None:
    write(folder / "pages" / "deep" / "mine.yaml", PAGE)
    done = run("init")
    assert told(done.out)["pages/"] == "keep"
    assert not (folder / "pages" / "first-page.yaml").exists()
    assert "bio-sync create" not in done.err
    assert run("validate").out == "1 page file, no problems\n"


def test_the_first_page_goes_where_the_settings_that_are_there_look_for_it(folder: Path, run: Run) -> None:
    write(folder / "bio-sync.yaml", 'pages: [../other, a.yaml, "content/my pages"]\n')
    done = run("init")
    page = folder / "content" / "my pages" / "first-page.yaml"
    assert told(done.out)["content/my"] == "write"
    assert "  bio-sync create 'content/my pages/first-page.yaml'\n" in done.err
    first = page.read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../schemas/page.schema.json"
    patterns = json.loads((folder / ".vscode/settings.json").read_text())["yaml.schemas"]["./schemas/page.schema.json"]
    assert patterns[-2:] == ["content/my pages/**/*.yaml", "content/my pages/**/*.yml"]


# What is written


def test_in_an_empty_folder_all_is_shown_then_written_and_what_comes_next_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("init")
    assert (done.code, done.out) == (
        0,
        "write  bio-sync.yaml               settings: where the pages are, and what apply holds back\n"
        "write  pages/first-page.yaml       a page to begin with, each line explained\n"
        "write  schemas/page.schema.json    for editors: what a page file can hold\n"
        "write  schemas/config.schema.json  for editors: what bio-sync.yaml can hold\n"
        "write  .vscode/settings.json       for Visual Studio Code: which schema is for which file\n"
        "write  .vscode/extensions.json     for Visual Studio Code: the extension that uses them\n"
        "write  .gitignore                  what is not for git: keys, journals, saved plans\n",
    )
    assert [line for line in done.err.splitlines() if re.match("  [a-z]", line)] == [
        "  git init",
        "  export XQR_API_KEY=…",
        "  bio-sync create pages/first-page.yaml",
        "  bio-sync plan",
    ]
    assert set(contents(tmp_path)) == set(ALWAYS)


def test_in_a_git_repository_nobody_is_told_to_make_one(folder: Path, run: Run) -> None:
    assert "git init" not in run("init").err
    assert set(contents(folder)) == set(ALWAYS)


def test_a_dry_run_shows_the_same_and_writes_nothing(folder: Path, run: Run) -> None:
    shown = run("init", "--ci", "github", "--dry-run")
    assert (shown.code, shown.err, contents(folder)) == (0, "\nNothing was written: this was a dry run.\n", {})
    assert run("init", "--ci", "github").out == shown.out
    assert set(contents(folder)) == {*ALWAYS, *WORKFLOWS}


def test_the_settings_say_what_goes_without_saying_but_for_the_calls_left_to_people(folder: Path, run: Run) -> None:
    run("init")
    assert parsed(folder / "bio-sync.yaml") == {"pages": ["pages"], "safety": {"reserve": 100}}


def test_the_first_page_misses_nothing_but_its_id(folder: Path, run: Run) -> None:
    run("init")
    done = run("validate")
    assert done.code == 1
    assert "pages/first-page.yaml:8:1: the page has no 'id'\n" in done.out
    assert done.err.startswith("error: 1 problem in the files\n")
    with_id(folder / "pages" / "first-page.yaml")
    done = run("validate")
    assert (done.code, done.out, done.err) == (0, "1 page file, no problems\n", "")


def test_the_lines_that_are_comments_are_right_too_once_they_are_none(folder: Path, run: Run) -> None:
    run("init")
    page, config = folder / "pages" / "first-page.yaml", folder / "bio-sync.yaml"
    with_id(page)
    for path in (page, config):
        path.write_text(uncommented(path.read_text()))
    write(folder / "schemas" / "house-rules.schema.json", "{}")
    done = run("validate")
    assert (done.code, done.out, done.err) == (0, "1 page file, no problems\n", "")
    value = parsed(page)
    assert set(value) == {"id", "title", "description", "published", "page_data", "ignore", "x-owner"}
    assert set(value["page_data"]) == {"theme", "avatar_url", "links"}
    assert set(value["page_data"]["links"][-1]) == {"label", "url", "show_from", "show_until"}
    assert set(parsed(config)) == {"pages", "ignore", "schema", "safety"}
    assert set(parsed(config)["safety"]) == {"max_changes", "reserve"}


def test_every_key_that_a_schema_knows_is_explained_to_whoever_opens_the_file(folder: Path, run: Run) -> None:
    run("init")
    for kind, name in (("page", "pages/first-page.yaml"), ("config", "bio-sync.yaml")):
        text = (folder / name).read_text()
        assert [key for key in keys_of(json.loads(schema_text(kind))) if f"{key}:" not in text] == []


def keys_of(schema: Any) -> Iterator[str]:
    for value in schema.values() if isinstance(schema, dict) else ():
        yield from keys_of(value)
    if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
        yield from schema["properties"]


def test_the_first_page_becomes_a_live_one_as_the_next_lines_say(folder: Path, run: Run, sandbox: Sandbox) -> None:
    err = run("init").err
    for line in [line.split() for line in err.splitlines() if line.startswith("  bio-sync ")]:
        assert run(*line[1:]).code == 0
    (page,) = sandbox.pages
    assert (page["title"], page["is_published"]) == ("My links", False)
    text = (folder / "pages" / "first-page.yaml").read_text()
    assert text.count(f"\nid: {page['id']}\n") == 1
    assert "title: My links                             # the name at the top of the page\n" in text
    assert run("plan", "--detailed-exitcode").code == 0


def test_an_editor_finds_a_schema_for_each_file(folder: Path, run: Run) -> None:
    run("init")
    for name in ("bio-sync.yaml", "pages/first-page.yaml"):
        path = folder / name
        modeline = path.read_text().splitlines()[0]
        assert modeline.startswith("# yaml-language-server: $schema=")
        schema = path.parent / modeline.partition("=")[2]
        settings_of = json.loads((folder / ".vscode" / "settings.json").read_text())["yaml.schemas"]
        (found,) = [each for each, patterns in settings_of.items() if path in set(matching(folder, patterns))]
        assert (folder / found).resolve() == schema.resolve()
        assert schema.read_text() == schema_text(schema.name.partition(".")[0])


def matching(folder: Path, patterns: list[str]) -> Iterator[Path]:
    for pattern in patterns:
        yield from folder.glob(pattern)


def test_git_ignores_what_the_commands_leave_behind(folder: Path, run: Run) -> None:
    (folder / ".git").rmdir()
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    run("init", "--ci", "gitlab")
    forms = [f"{word}.{form}" for word in ("plan", "drift") for form in ("json", "md", "txt")]
    reports = ("gl-plan.json", "bio-sync.sarif", "gl-code-quality-report.json")
    for name in (".env", ".bio-sync/2026.json", "plan.html", *forms, *reports):
        write(folder / name, "")
    listed = ["git", "status", "--porcelain", "--untracked-files=all"]
    status = subprocess.run(listed, cwd=folder, capture_output=True, text=True, check=True).stdout
    assert {line[3:] for line in status.splitlines()} == {*ALWAYS, *GITLAB}


# What is in the way


def refused(run: Run, *arguments: str) -> str:
    before = contents(Path.cwd())
    done = run("init", *arguments)
    assert (done.code, done.out) == (1, "")
    assert contents(Path.cwd()) == before
    return done.err


def test_two_systems_at_once_are_wrong_usage_and_one_after_the_other_is_not(folder: Path, run: Run) -> None:
    both = run("init", "--ci", "github", "--ci", "gitlab")
    assert (both.code, both.out, contents(Path.cwd())) == (64, "", {})
    assert "error: --ci names two systems: give one, and run init once more for the other.\n" in both.err
    assert run("init", "--ci", "github", "--ci", "github").code == 0
    assert run("init", "--ci", "gitlab").code == 0
    assert {".gitlab-ci.yml", ".github/workflows/bio-sync.yml"} <= set(contents(Path.cwd()))


@pytest.mark.parametrize("name", ["schemas", ".vscode", "pages", ".github", ".github/workflows"])
def test_a_file_in_the_place_of_a_folder_is_told(folder: Path, run: Run, name: str) -> None:
    write(folder / name, "mine")
    err = refused(run, "--ci", "github")
    assert err.startswith(f"error: {name} is no folder, and {name}/")
    assert err.endswith(" needs one there\nhint: move it elsewhere\n")


@pytest.mark.parametrize("name", ["bio-sync.yaml", ".gitignore", "pages/first-page.yaml", ".vscode/settings.json"])
def test_a_folder_in_the_place_of_a_file_is_told(folder: Path, run: Run, name: str) -> None:
    (folder / name).mkdir(parents=True)
    assert refused(run).startswith(f"error: {name} is a folder, and a file has to be there\n")


@pytest.mark.parametrize("name", ["schemas", ".vscode", "pages"])
def test_a_link_that_leads_out_of_the_folder_is_not_followed(
    folder: Path, run: Run, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / name).symlink_to(elsewhere)
    assert refused(run).startswith(f"error: {name} is a link that leads out of this folder\nhint: put a folder in")
    assert list(elsewhere.iterdir()) == []


def test_a_link_inside_of_the_folder_is_followed(folder: Path, run: Run) -> None:
    (folder / "content").mkdir()
    (folder / "pages").symlink_to("content")
    assert run("init").code == 0
    assert (folder / "content" / "first-page.yaml").is_file()


def test_a_link_to_nowhere_in_the_place_of_a_file_is_kept(folder: Path, run: Run) -> None:
    (folder / "bio-sync.yaml").symlink_to("nowhere")
    assert told(run("init").out)["bio-sync.yaml"] == "keep"
    assert not (folder / "nowhere").exists()


def test_settings_with_problems_are_told_before_anything_is_written(folder: Path, run: Run) -> None:
    write(folder / "bio-sync.yaml", "api_url: https://evil.example\n")
    done = run("init")
    assert (done.code, list(contents(folder))) == (1, ["bio-sync.yaml"])
    assert done.out.startswith("bio-sync.yaml:1:1: /api_url: ")


def without_powers() -> tuple[str, ...]:
    """Give what takes from root the power to write where nobody may; others do not have it."""
    if os.geteuid():
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("root may write everywhere, and setpriv is not here")
    return ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


@pytest.mark.parametrize(("closed", "shown"), [(".", "this folder"), (".vscode", ".vscode")])
def test_a_folder_that_can_not_be_written_to_is_told(folder: Path, closed: str, shown: str) -> None:
    (folder / closed).mkdir(exist_ok=True)
    (folder / closed).chmod(0o500)
    command = [*without_powers(), *COMMAND, "init"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    (folder / closed).chmod(0o700)
    assert (done.returncode, done.stdout, contents(folder)) == (1, "", {})
    assert (
        done.stderr
        == f"error: {shown} can't be written to\nhint: check who may write there, or choose another folder\n"
    )


def test_when_the_disk_is_full_half_way_nothing_of_the_run_is_left(folder: Path) -> None:
    write(folder / "pages" / "README.md", "mine")
    done = subprocess.run([*SMALL, *COMMAND, "init"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "error: schemas/page.schema.json can't be written: File too large\n" in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == [".git", "pages"]
    assert contents(folder) == {"pages/README.md": b"mine"}


def test_a_file_that_comes_up_meanwhile_is_not_written_over(folder: Path) -> None:
    scaffold = plan_scaffold()
    write(folder / ".vscode" / "settings.json", "mine")
    with pytest.raises(NotWritten, match="has come up meanwhile"):
        _write(Session(), scaffold)
    assert contents(folder) == {".vscode/settings.json": b"mine"}
    assert not (folder / "schemas").exists()


def test_a_folder_inside_of_a_page_repository_gets_no_second_one(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("init")
    monkeypatch.chdir(folder / "pages")
    err = refused(run)
    assert err == "error: this folder is part of a page repository: see ../bio-sync.yaml\nhint: cd ..\n"


def test_jobs_are_written_in_the_top_folder_of_a_repository_only(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(folder / "deep" / "er")
    err = refused(run, "--ci", "gitlab")
    assert err.startswith("error: GitLab reads its jobs in the top folder of the repository only, which is ../..\n")
    hint = err.splitlines()[1]
    assert hint.startswith("hint: cd ../.., or leave --ci out; with many workspaces in one repository, ")
    assert "`bio-sync matrix`: see docs/how-to/workspaces.md" in hint
    assert run("init").code == 0
    assert set(contents(folder)) == {f"deep/er/{name}" for name in ALWAYS}


def test_config_is_wrong_usage(folder: Path, run: Run) -> None:
    assert run("init", "--config", "other.yaml").code == 64
    assert contents(folder) == {}


def test_live_pages_without_a_key_are_missed_before_anything_is_written(folder: Path, run: Run) -> None:
    assert refused(run, "--from-live").startswith("error: there is no API key\n")


# The jobs for GitHub: what somebody who guards the key would look for. They are played in tests/action/test_flows.py;
# those for GitLab: tests/test_gitlab.py.


@pytest.fixture
def jobs(folder: Path, run: Run) -> dict[str, dict[str, Any]]:
    run("init", "--ci", "github")
    return {path: parsed(folder / path) for path in WORKFLOWS}


def each_job(workflows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {f"{Path(path).stem}/{name}": job for path, each in workflows.items() for name, job in each["jobs"].items()}


def steps_of(workflows: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [step for job in each_job(workflows).values() for step in job["steps"]]


def test_no_workflow_is_started_by_what_strangers_can_start_with_secrets(jobs: dict[str, dict[str, Any]]) -> None:
    assert [set(each["on"]) for each in jobs.values()] == [
        {"pull_request", "merge_group", "push", "workflow_dispatch"},
        {"schedule", "workflow_dispatch"},
    ]


def test_every_action_is_pinned_by_its_whole_commit_with_its_version_behind(
    jobs: dict[str, dict[str, Any]], folder: Path
) -> None:
    for path in jobs:
        uses = [line for line in (folder / path).read_text().splitlines() if "uses:" in line]
        assert uses
        assert [line for line in uses if not re.search(r"uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)] == []


def test_a_job_may_read_the_files_and_write_what_it_is_there_for(jobs: dict[str, dict[str, Any]]) -> None:
    assert [each["permissions"] for each in jobs.values()] == [{}, {}]
    assert {name: job["permissions"] for name, job in each_job(jobs).items()} == {
        "bio-sync/validate": {"contents": "read"},
        "bio-sync/plan": {"contents": "read", "pull-requests": "write"},
        "bio-sync/apply": {"contents": "read"},
        "bio-sync-daily/drift": {"contents": "read", "issues": "write"},
        "bio-sync-daily/apply": {"contents": "read"},
    }
    checkouts = [step for step in steps_of(jobs) if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False] * 5


def test_a_job_ends(jobs: dict[str, dict[str, Any]]) -> None:
    assert all(0 < job["timeout-minutes"] <= 30 for job in each_job(jobs).values())


def test_the_key_is_in_the_environment_of_one_step_of_a_job_and_nowhere_else(jobs: dict[str, dict[str, Any]]) -> None:
    for name, job in each_job(jobs).items():
        holders = [step for step in job["steps"] if "secrets." in json.dumps(step)]
        rest = {key: value for key, value in job.items() if key != "steps"}
        assert "secrets." not in json.dumps(rest)
        assert len(holders) == {"bio-sync/validate": 0, "bio-sync/apply": 3}.get(name, 1)
        for step in holders:
            assert step["env"].pop("XQR_API_KEY") == "${{ secrets.XQR_API_KEY }}"
            assert "secrets." not in json.dumps(step)
            assert re.match(r"(plan=\$RUNNER_TEMP/plan\n)?bio-sync ", step["run"])
    assert all("env" not in each or "XQR" not in json.dumps(each["env"]) for each in jobs.values())


def test_no_shell_line_holds_an_expression_or_a_key(jobs: dict[str, dict[str, Any]]) -> None:
    lines = [step["run"] for step in steps_of(jobs) if "run" in step]
    assert len(lines) >= 11
    assert [line for line in lines if "${{" in line or "KEY" in line or "secrets" in line] == []


def test_only_a_merge_and_who_asks_for_it_daily_can_write(jobs: dict[str, dict[str, Any]]) -> None:
    writing = {name for name, job in each_job(jobs).items() if job.get("environment") == "bio-sync-apply"}
    runs_apply = {name for name, job in each_job(jobs).items() if "bio-sync apply" in json.dumps(job)}
    assert writing == runs_apply == {"bio-sync/apply", "bio-sync-daily/apply"}
    assert each_job(jobs)["bio-sync/apply"]["if"] == (
        "github.ref_name == github.event.repository.default_branch && "
        "(github.event_name == 'workflow_dispatch' || github.event_name == 'push' && !github.event.created)"
    )
    assert each_job(jobs)["bio-sync-daily/apply"]["if"] == (
        "vars.BIO_SYNC_APPLY_DAILY == 'true' && "
        "(github.event_name == 'schedule' || github.ref_name == github.event.repository.default_branch)"
    )
    assert each_job(jobs)["bio-sync-daily/drift"]["if"] == "vars.BIO_SYNC_APPLY_DAILY != 'true'"


def test_a_fork_gets_no_plan(jobs: dict[str, dict[str, Any]]) -> None:
    assert "github.event.pull_request.head.repo.full_name == github.repository" in each_job(jobs)["bio-sync/plan"]["if"]


def test_applies_wait_for_each_other_and_are_never_cut_off(jobs: dict[str, dict[str, Any]]) -> None:
    applies = [job for name, job in each_job(jobs).items() if name.endswith("/apply")]
    one = {"group": "bio-sync-apply", "cancel-in-progress": False, "queue": "max"}
    assert [job["concurrency"] for job in applies] == [one, one]
    others_groups = [job["concurrency"]["group"] for job in each_job(jobs).values() if job not in applies]
    assert "bio-sync-apply" not in others_groups


def test_the_tool_is_installed_in_this_version_before_any_file_of_the_repository_is_there(
    jobs: dict[str, dict[str, Any]],
) -> None:
    install = f'python -m pip install "bio-sync=={__version__}"'
    for job in each_job(jobs).values():
        kinds = [step.get("run") or step["uses"].partition("@")[0] for step in job["steps"]]
        assert kinds[:3] == ["actions/setup-python", install, "actions/checkout"]


def test_nothing_of_a_pull_request_is_taken_for_a_part_of_python(jobs: dict[str, dict[str, Any]]) -> None:
    careful = {"PYTHONSAFEPATH": "1", "PIP_ONLY_BINARY": ":all:"}
    assert [each["env"] for each in jobs.values()] == [careful, careful]


def lines_of_bio_sync(jobs: dict[str, dict[str, Any]]) -> list[str]:
    lines = [line.strip() for step in steps_of(jobs) for line in step.get("run", "").splitlines()]
    return [line for line in lines if line.startswith("bio-sync ")]


def test_every_command_and_option_of_the_jobs_is_one_that_there_is(jobs: dict[str, dict[str, Any]]) -> None:
    for line in lines_of_bio_sync(jobs):
        _, name, *rest = line.split()
        known = {option for parameter in commands.everything()[name].params for option in parameter.opts}
        assert [word for word in rest if word.startswith("--") and word not in known] == [], line


def test_a_dry_run_from_live_asks_nobody_and_needs_no_key(
    folder: Path, start_sandbox: Callable[..., Sandbox], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = start_sandbox([{"id": "bio_1", "title": "Page"}])
    monkeypatch.delenv("XQR_API_KEY")
    assert run("init", "--from-live", "--dry-run").code == 0
    assert ([path.name for path in folder.iterdir()], sandbox.requests) == ([".git"], [])


def test_from_live_with_a_key_that_is_refused_leaves_nothing_behind(
    folder: Path, start_sandbox: Callable[..., Sandbox], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = start_sandbox([{"id": "bio_1", "title": "Page"}])
    monkeypatch.setenv("XQR_API_KEY", sandbox.add_key(state="revoked"))
    result = run("init", "--from-live", "--ci", "github")
    assert (result.code, result.out, len(sandbox.requests)) == (1, "", 1)
    assert [path.name for path in folder.iterdir()] == [".git"]


def test_from_live_every_page_gets_a_file_and_a_second_run_keeps_all_of_them(
    folder: Path, start_sandbox: Callable[..., Sandbox], run: Run
) -> None:
    sandbox = start_sandbox([{"id": f"bio_{n}", "title": f"Page {n}", "slug": f"page-{n}"} for n in range(3)])
    first = run("init", "--from-live")
    assert first.code == 0
    written = {path.name: path.read_bytes() for path in (folder / "pages").iterdir()}
    assert sorted(written) == ["page-0.yaml", "page-1.yaml", "page-2.yaml"]
    assert written["page-0.yaml"].startswith(
        b"# yaml-language-server: $schema=../schemas/page.schema.json\nid: bio_0\n"
    )
    assert run("plan", "--detailed-exitcode").code == 0
    # What somebody has made of a file since is theirs, whatever is live.
    (folder / "pages" / "page-1.yaml").write_text("id: bio_1\ntitle: Mine\n")
    sandbox.edit("bio_1", title="Theirs")
    assert run("init", "--from-live").code == 0
    assert (folder / "pages" / "page-1.yaml").read_text() == "id: bio_1\ntitle: Mine\n"
    assert {request.method for request in sandbox.requests} == {"GET"}
