"""What CI systems are told: a job a workspace, each with an environment of its own that holds its key."""

import json
from collections.abc import Sequence

from bio_sync.errors import BioSyncError
from bio_sync.jsonvalues import Json, JsonObject, json_text
from bio_sync.version import __version__
from bio_sync.workspaces.found import Workspace

# docs.github.com, "Actions limits": jobs of a matrix in a run.
MOST_JOBS = 256
_TO_READ, _TO_WRITE = "10 minutes", "30 minutes"
_OF_A_REQUEST = "$CI_MERGE_REQUEST_IID"
_OF_THIS_PROJECT = f"{_OF_A_REQUEST} && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID"
_MERGED = "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"
_NO_TASK = f"{_MERGED} && $BIO_SYNC_TASK == null"
_BASE_OF_A_REQUEST = "${CI_MERGE_REQUEST_TARGET_BRANCH_SHA:-$CI_MERGE_REQUEST_DIFF_BASE_SHA}"


class TooManyWorkspaces(BioSyncError):
    """More workspaces than GitHub lets a matrix have jobs."""

    reason = "invalid"


def matrix_line(workspaces: Sequence[Workspace]) -> str:
    """Write workspaces as the value of `strategy.matrix` in a GitHub workflow, on one line of ASCII.

    Raises TooManyWorkspaces for more than a matrix may have jobs.
    """
    if len(workspaces) > MOST_JOBS:
        raise TooManyWorkspaces(
            f"{len(workspaces):,} workspaces are more than the {MOST_JOBS} jobs that GitHub lets a matrix have",
            hint="name a part of the folders in each of several workflows, such as: bio-sync matrix clients/[a-m]*",
        )
    return json.dumps({"include": [_entry(workspace) for workspace in workspaces]})


def github_outputs(workspaces: Sequence[Workspace]) -> str:
    """Write workspaces as lines for the file `$GITHUB_OUTPUT`: `matrix`, and `count`, since GitHub refuses none."""
    return f"matrix={matrix_line(workspaces)}\ncount={len(workspaces)}\n"


def _entry(workspace: Workspace) -> JsonObject:
    return {"workspace": workspace.name, "folder": workspace.folder, "environment": workspace.environment}


def gitlab_pipeline(workspaces: Sequence[Workspace], *, base: str | None = None) -> str:
    """Write workspaces as a whole pipeline for `trigger: include: artifact:` of GitLab; JSON is YAML.

    A merge request is checked and planned. On the default branch, what differs from `base`, the commit before a merge,
    is written where nobody has edited it live; without `base` there is a plan of all, and an apply of that plan waits
    for a person. The variable BIO_SYNC_TASK has pages compared (`drift`) or written over (`apply`) instead.
    """
    jobs: JsonObject = {"stages": ["check", "write"], ".bio-sync": _common(base)}
    for workspace in workspaces:
        jobs |= _jobs(workspace) | (_merged(workspace) if base else _afresh(workspace))
    if not workspaces:
        # GitLab fails a pipeline without jobs.
        jobs = {"bio-sync-nothing-to-do": {"script": ["echo 'no workspace differs'"], "rules": [{"when": "always"}]}}
    return json_text(jobs)


def _common(base: str | None) -> JsonObject:
    return {
        "image": "python:3.13",
        "timeout": _TO_READ,
        "interruptible": True,
        "variables": {
            "GIT_DEPTH": "0",
            "PYTHONSAFEPATH": "1",
            "PIP_ONLY_BINARY": ":all:",
            **({"BIO_SYNC_BASE": base} if base else {}),
        },
        "before_script": [f'python -m pip install "bio-sync=={__version__}"'],
    }


def _jobs(workspace: Workspace) -> JsonObject:
    """Make the jobs that only read, and are the same with a base and without."""
    name = workspace.name
    base = f"${{BIO_SYNC_BASE:-{_BASE_OF_A_REQUEST}}}"
    plan = f'bio-sync plan --base "{base}" --out plan.html --out gitlab:gl-plan.json'
    report: JsonObject = {"reports": {"terraform": _in(workspace, "gl-plan.json")}}
    return {
        f"validate-{name}": _job(workspace, {"if": _OF_A_REQUEST}, ["bio-sync validate"]),
        f"plan-{name}": _job(
            workspace,
            {"if": _OF_THIS_PROJECT},
            [plan],
            environment=_to_read(workspace),
            artifacts=_kept(workspace, "plan.html", **report),
        ),
        f"drift-{name}": _job(
            workspace,
            {"if": f'{_MERGED} && $BIO_SYNC_TASK == "drift"'},
            ["bio-sync drift"],
            environment=_to_read(workspace),
        ),
    }


def _merged(workspace: Workspace) -> JsonObject:
    """Make the job that writes what was merged, and nothing else."""
    unedited = 'bio-sync plan --base "$BIO_SYNC_BASE" --fail-on-drift --out plan.json --out plan.html'
    return {
        f"apply-{workspace.name}": _apply(workspace, {"if": _NO_TASK}, [unedited, "bio-sync apply --plan plan.json"])
    }


def _afresh(workspace: Workspace) -> JsonObject:
    """Make the plan of all that differs, its apply for a person to start, and the apply of a schedule that asks."""
    review = f"review-{workspace.name}"
    return {
        review: _job(
            workspace,
            {"if": _NO_TASK},
            ["bio-sync plan --out plan.json --out plan.html"],
            environment=_to_read(workspace),
            artifacts=_kept(workspace, "plan.json", "plan.html"),
        ),
        f"apply-reviewed-{workspace.name}": _apply(
            workspace,
            {"if": _NO_TASK, "when": "manual"},
            ["bio-sync apply --plan plan.json ${BIO_SYNC_FORCE:+--force}"],
            needs=[review],
        ),
        f"apply-scheduled-{workspace.name}": _apply(
            workspace, {"if": f'{_MERGED} && $BIO_SYNC_TASK == "apply"'}, ["bio-sync apply --yes"]
        ),
    }


def _apply(workspace: Workspace, rule: JsonObject, script: Sequence[str], **more: Json) -> JsonObject:
    """Make a job with the key that writes: of a workspace one at a time, and none is cut off."""
    return _job(
        workspace,
        rule,
        script,
        stage="write",
        environment={"name": f"{workspace.environment}-apply"},
        resource_group=f"{workspace.environment}-apply",
        timeout=_TO_WRITE,
        interruptible=False,
        artifacts=_kept(workspace, "plan.html", ".bio-sync/"),
        **more,
    )


def _job(workspace: Workspace, rule: JsonObject, script: Sequence[str], **more: Json) -> JsonObject:
    lines: list[Json] = [f'cd "{workspace.folder}"', *script]
    return {"extends": ".bio-sync", "stage": "check", "rules": [rule], "script": lines, **more}


def _to_read(workspace: Workspace) -> JsonObject:
    return {"name": f"{workspace.environment}-plan", "action": "access"}


def _kept(workspace: Workspace, *files: str, **more: Json) -> JsonObject:
    """Keep files of a job, also of one that failed: they say why, or what it wrote."""
    paths: list[Json] = [_in(workspace, file) for file in files]
    return {
        "name": workspace.environment,
        "when": "always",
        "access": "developer",
        "expire_in": "3 months",
        "paths": paths,
        **more,
    }


def _in(workspace: Workspace, file: str) -> str:
    return file if workspace.folder == "." else f"{workspace.folder}/{file}"
