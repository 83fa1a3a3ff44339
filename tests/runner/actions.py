"""Stand-ins for GitHub's own actions: what they do that our workflows count on, and no input that they do not have."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.runner.expressions import NotKnown
from tests.runner.world import git

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.runner.play import _Job


class ActionFailed(Exception):
    """An action that has failed, in its words."""


def run(name: str, given: Mapping[str, Any], job: _Job) -> dict[str, str]:
    """Run the stand-in of an action, and give its outputs."""
    if name not in _ACTIONS:
        raise NotKnown(f"the action {name}")
    inputs, action = _ACTIONS[name]
    if unknown := set(given) - set(inputs):
        raise NotKnown(f"{name} has no input {', '.join(unknown)}")
    return action({**inputs, **given}, job)


def instead_of_installing(step: dict[str, Any], python: str) -> dict[str, Any]:
    """Give the step that installs, as one that takes a Python which is there; another step as it is."""
    if step.get("id") != "install":
        return step
    return {**step, "run": f'echo "python={shlex.quote(python)}" >> "$GITHUB_OUTPUT"'}


def _checkout(given: Mapping[str, Any], job: _Job) -> dict[str, str]:
    if not job.permissions.get("contents"):
        raise ActionFailed("Not Found: the job lacks `contents: read`")
    if given["persist-credentials"] is not False:
        raise NotKnown("a checkout that keeps the token")
    place, event = job.workspace, job.event
    git(place, "init", "--quiet")
    git(place, "remote", "add", "origin", job.world.origin.resolve().as_uri())
    depth = [] if given["fetch-depth"] == 0 else [f"--depth={given['fetch-depth']}"]
    branches = [] if depth else ["+refs/heads/*:refs/remotes/origin/*"]
    where = f"refs/remotes/{event.ref.removeprefix('refs/').removeprefix('heads/')}"
    git(place, "fetch", "--quiet", "--no-tags", *depth, "origin", *branches, f"+{event.ref}:{where}")
    git(place, "checkout", "--quiet", "--detach", event.sha)
    return {"commit": event.sha, "ref": event.ref}


def _setup_python(given: Mapping[str, Any], _: _Job) -> dict[str, str]:
    # A venv of a venv takes its packages from nowhere, which is what is wanted here.
    return {"python-path": sys.executable, "python-version": given["python-version"]}


def _upload(given: Mapping[str, Any], job: _Job) -> dict[str, str]:
    kept = job.world.artifacts.setdefault(job.run.number, {})
    source, name = Path(given["path"]), given["name"]
    if not source.is_file() and not (source.is_dir() and any(source.iterdir())):
        if given["if-no-files-found"] == "ignore":
            return {}
        raise ActionFailed(f"No files were found with the provided path: {source}")
    if any(sign in name for sign in '":<>|*?\r\n\\/'):
        raise ActionFailed(f"The artifact name is not valid: {name}")
    if name in kept and given["overwrite"] is not True:
        raise ActionFailed("an artifact with this name already exists")
    target = job.world.folder / "artifacts" / str(job.run.number) / name
    shutil.rmtree(target, ignore_errors=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        target.mkdir(parents=True)
        shutil.copy(source, target)
    kept[name] = target
    return {"artifact-id": "1"}


def _download(given: Mapping[str, Any], job: _Job) -> dict[str, str]:
    if job.done.permissions.get("actions") is None:
        raise ActionFailed("Resource not accessible by integration")
    if given["github-token"] != job.token:
        raise ActionFailed("Bad credentials")
    found = job.world.artifacts.get(int(given["run-id"]), {}).get(given["name"])
    if found is None:
        raise ActionFailed(f"Artifact not found for name: {given['name']}")
    shutil.copytree(found, given["path"], dirs_exist_ok=True)
    return {"download-path": given["path"]}


_ACTIONS: dict[str, tuple[dict[str, Any], Callable[[Mapping[str, Any], Any], dict[str, str]]]] = {
    "actions/checkout": ({"persist-credentials": True, "fetch-depth": 1}, _checkout),
    "actions/setup-python": ({"python-version": "", "update-environment": True}, _setup_python),
    "actions/upload-artifact": (
        {"name": "artifact", "path": "", "overwrite": False, "if-no-files-found": "warn"},
        _upload,
    ),
    "actions/download-artifact": ({"name": "", "path": "", "run-id": "", "github-token": ""}, _download),
}
