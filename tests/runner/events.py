"""What starts a run: the name of the event, its file, the commit and the ref, made from a real repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.runner.world import BRANCH, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.runner.world import World

# What GitHub and GitLab say in the place of a commit that is not there.
NONE = "0" * 40


@dataclass(frozen=True)
class Event:
    """`secrets` tells whether GitHub gives the run any, and a token that can write."""

    name: str
    sha: str
    ref: str
    payload: Mapping[str, Any]
    base_ref: str = ""
    head_ref: str = ""
    actor: str = "ada"
    secrets: bool = True
    inputs: Mapping[str, Any] = field(default_factory=dict)


def pull_request(
    world: World, *, branch: str, number: int, fork: bool = False, author: str = "ada", action: str = "synchronize"
) -> Event:
    """A pull request from a branch of `world.origin` into main: GitHub makes the merge commit that is checked out."""
    head, base = world.git("rev-parse", branch), world.git("rev-parse", BRANCH)
    merged = _merged(world, base, head, f"Merge {head} into {base}")
    world.git("update-ref", f"refs/pull/{number}/merge", merged)
    home = "mallory/pages" if fork else REPOSITORY
    request = {
        "number": number,
        "user": {"login": author},
        "head": {"sha": head, "ref": branch, "repo": {"full_name": home}},
        "base": {"sha": base, "ref": BRANCH, "repo": {"full_name": REPOSITORY}},
    }
    return Event(
        "pull_request",
        merged,
        f"refs/pull/{number}/merge",
        {"action": action, "number": number, "pull_request": request, **_home()},
        base_ref=BRANCH,
        head_ref=branch,
        actor=author,
        secrets=not fork and author != "dependabot[bot]",
    )


def merge(world: World, branch: str) -> str:
    """Merge a branch into main, and give the commit that this makes; the push is played by `push(world)`."""
    head, base = world.git("rev-parse", branch), world.git("rev-parse", BRANCH)
    merged = _merged(world, base, head, f"Merge branch {branch}")
    world.git("update-ref", f"refs/heads/{BRANCH}", merged)
    return merged


def push(world: World, branch: str = BRANCH, *, before: str = "") -> Event:
    """A push of what is on a branch: its last commit alone, or all since `before`; NONE when it made the branch."""
    sha, *parents = world.git("rev-list", "--parents", "-1", branch).split()
    before = before or next(iter(parents), NONE)
    ref = f"refs/heads/{branch}"
    return Event("push", sha, ref, {"ref": ref, "before": before, "after": sha, "created": before == NONE, **_home()})


def merge_group(world: World, branch: str) -> Event:
    """A branch in a merge queue: what it would make of main is on a branch of GitHub's own."""
    base = world.git("rev-parse", BRANCH)
    sha = _merged(world, base, world.git("rev-parse", branch), f"Merge {branch}")
    ref = f"refs/heads/gh-readonly-queue/{BRANCH}/{branch}-{base}"
    world.git("update-ref", ref, sha)
    group = {"head_sha": sha, "head_ref": ref, "base_sha": base, "base_ref": f"refs/heads/{BRANCH}"}
    return Event("merge_group", sha, ref, {"action": "checks_requested", "merge_group": group, **_home()})


def schedule(world: World, cron: str = "17 5 * * *") -> Event:
    """The clock; it runs on the default branch only."""
    return Event("schedule", world.git("rev-parse", BRANCH), f"refs/heads/{BRANCH}", {"schedule": cron, **_home()})


def dispatch(world: World, branch: str = BRANCH, **inputs: Any) -> Event:
    """Somebody who starts the workflow by hand."""
    ref = f"refs/heads/{branch}"
    payload = {"ref": ref, "inputs": inputs, **_home()}
    return Event("workflow_dispatch", world.git("rev-parse", branch), ref, payload, inputs=inputs)


def _merged(world: World, base: str, head: str, message: str) -> str:
    tree = world.git("merge-tree", "--write-tree", base, head).splitlines()[0]
    return world.git("commit-tree", tree, "-p", base, "-p", head, "-m", message)


def _home() -> dict[str, Any]:
    return {"repository": {"full_name": REPOSITORY, "default_branch": BRANCH}}
