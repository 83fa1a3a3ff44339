"""The example in every command's help works as it stands, typed into a shell in a page repository."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bio_sync.commands import commands
from bio_sync.sandbox import Behaviour, Sandbox, load_seed
from tests.conftest import ROOT, Run
from tests.github.service import GitHub
from tests.pipelines import warm

# Long-running, and with a port of its own: tests/sandbox has it; the demo is run by `make demo` and tests/test_cli.py.
RUN_ELSEWHERE = {"sandbox", "demo"}
FOUND_DRIFT = 2
COMMIT = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "-m", "Pages"]


def example_of(name: str, run: Run) -> str:
    found = re.search(r"Example:\n +(.*)\n", run(name, "--help").out)
    assert found
    return found.group(1)


@pytest.fixture
def workspace() -> Iterator[Sandbox]:
    pages = load_seed(ROOT / "examples" / "live")
    with Sandbox(pages=pages, behaviour=Behaviour(burst_limit=10_000)) as sandbox:
        yield sandbox


@pytest.fixture
def github() -> Iterator[GitHub]:
    with GitHub() as running:
        yield running


@pytest.fixture
def repository(folder: Path) -> Path:
    """A page as it is live, committed."""
    (folder / ".git").rmdir()
    (folder / "pages").mkdir()
    (folder / "pages" / "acme.yaml").write_text("id: bio_abc123\ntitle: Acme Inc\n", encoding="utf-8")
    origin = ["git", "update-ref", "refs/remotes/origin/main", "HEAD"]
    for command in (["git", "init", "--quiet"], ["git", "add", "--all"], COMMIT, origin):
        subprocess.run(command, cwd=folder, check=True)
    return folder


def test_every_example_can_be_typed_and_does_what_its_command_is_for(
    repository: Path, workspace: Sandbox, github: GitHub, run: Run, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tools = tmp_path_factory.mktemp("tools")
    tool = tools / "bio-sync"
    tool.write_text(warm.command(), encoding="utf-8")
    tool.chmod(0o755)
    environment = os.environ | {
        "PATH": os.pathsep.join((str(tools), os.environ["PATH"])),
        "PYTHONPATH": str(ROOT),
        "XQR_API_URL": workspace.url,
        "XQR_API_KEY": workspace.key,
    }
    pushed = github.pull_request_event(github.open_pull_request(head="a" * 40))
    environment |= github.environment(tools, event=pushed)

    def typed(name: str) -> None:
        done = subprocess.run(
            ["bash", "-c", example_of(name, run)], cwd=repository, env=environment, capture_output=True, check=False
        )
        expected = FOUND_DRIFT if name == "drift" else 0
        assert done.returncode == expected, f"{name}: {done.stdout!r} {done.stderr!r}"

    (repository / "pages" / "acme.yaml").write_text("id: bio_abc123\ntitle: Acme, since 1996\n", encoding="utf-8")
    order = [
        "validate",
        "plan",
        "show",
        "drift",
        "comment",
        "issue",
        "apply",
        "undo",
        "doctor",
        "schema",
        "pull",
        "init",
        "matrix",
        "create",
    ]
    assert set(order) == set(commands.everything()) - RUN_ELSEWHERE
    for name in order:
        if name == "undo":
            (journal,) = (repository / ".bio-sync").glob("apply-*.json")
            named = re.search(r"\.bio-sync/\S+", example_of("undo", run))
            assert named
            journal.rename(repository / named.group())
        if name == "issue":
            subprocess.run([tool, "drift", "--out", "drift.json"], cwd=repository, env=environment, check=False)
        if name == "pull":
            subprocess.run([*COMMIT, "--all"], cwd=repository, check=True)
        if name == "create":
            (repository / "pages" / "first-page.yaml").write_text("title: First\n", encoding="utf-8")
        typed(name)
    assert (len(github.comments), len(github.issues)) == (1, 1)
