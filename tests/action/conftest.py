"""A page repository on a GitHub of its own, an xQR, and the runner that plays our example workflows."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bio_sync.sandbox import Behaviour, Sandbox
from tests.conftest import ROOT
from tests.github.service import GitHub
from tests.runner import Environment, Run, World, dispatch, merge, pull_request, push, schedule
from tests.runner.world import git

WORKFLOWS = ROOT / "examples" / "ci" / "github"
PULL_REQUEST, MERGE, SCHEDULED = (WORKFLOWS / f"{name}.yml" for name in ("pull-request", "merge", "scheduled"))
PAGE = {"title": "Acme", "description": "Links", "page_data": {"theme": "light"}, "is_published": True}


@dataclass
class Play:
    """The parts of a play; what a person does has a method, and the workflows run as they would."""

    world: World
    github: GitHub
    sandbox: Sandbox
    desk: Path

    def commit(self, branch: str, **files: str) -> str:
        """Commit page files to a branch, by their names without `.yaml`, and push it."""
        git(self.desk, "switch", "--quiet", "-C", branch)
        for name, text in files.items():
            (self.desk / "pages" / f"{name}.yaml").write_text(text, encoding="utf-8")
        git(self.desk, "add", "--all")
        git(self.desk, "commit", "--quiet", "--allow-empty", "-m", branch)
        git(self.desk, "push", "--quiet", "--force", "origin", branch)
        return git(self.desk, "rev-parse", "HEAD")

    def open(self, branch: str, *, fork: bool = False, author: str = "ada") -> int:
        """Open a pull request for a branch."""
        head = self.world.git("rev-parse", branch)
        return self.github.open_pull_request(head=head, fork=fork, author=author)

    def pull_request(self, branch: str, number: int, *, jobs: tuple[str, ...] = (), **how: Any) -> Run:
        """Run the workflow for pull requests, or some of its jobs."""
        if number in self.github.pull_requests:
            self.github.push(number, self.world.git("rev-parse", branch))
        return self.world.play(PULL_REQUEST, pull_request(self.world, branch=branch, number=number, **how), jobs=jobs)

    def merged(self, branch: str, number: int) -> Run:
        """Merge a pull request, and run the workflow for that."""
        self.github.merge(number, merge(self.world, branch))
        return self.pushed()

    def pushed(self) -> Run:
        """Run the workflow for what is on main, however it came there."""
        return self.world.play(MERGE, push(self.world))

    def by_hand(self, **inputs: Any) -> Run:
        return self.world.play(MERGE, dispatch(self.world, **inputs))

    def daily(self) -> Run:
        return self.world.play(SCHEDULED, schedule(self.world))


def stage(folder: Path, sandbox: Sandbox, github: GitHub) -> Play:
    """Give a repository without a commit, on a GitHub of its own, for the workspace of a sandbox."""
    origin, desk = folder / "origin.git", folder / "desk"
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    git(folder, "clone", "--quiet", str(origin), str(desk))
    world = World(
        folder,
        origin,
        address=github.address,
        token_of=lambda permissions: github.add_token(permissions=permissions),
        environments={
            "bio-sync-plan": Environment({"XQR_API_KEY": sandbox.add_key({"bio:read"})}),
            "bio-sync-apply": Environment({"XQR_API_KEY": sandbox.key}, branches=("main",)),
        },
        inputs={"api-url": sandbox.url},
    )
    return Play(world, github, sandbox, desk)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """Three pages, live as their files say, and nothing that has happened yet."""
    live = [{**PAGE, "id": f"bio_{name}", "slug": name} for name in ("acme", "bakery", "choir")]
    with Sandbox(live, behaviour=Behaviour(burst_limit=10_000)) as sandbox, GitHub() as github:
        begun = stage(tmp_path, sandbox, github)
        begun.world.around["XQR_API_URL"] = "https://not.used.invalid"
        (begun.desk / "pages").mkdir()
        begun.commit("main", **{name: page(name) for name in ("acme", "bakery", "choir")})
        yield begun


def page(name: str, title: str = "Acme", *more: str) -> str:
    """Write a page file."""
    return "\n".join((f"id: bio_{name}", f"title: {title}", *more, ""))
