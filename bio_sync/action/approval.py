"""The plan that a merged pull request has shown: found by its comment, fetched as an artifact, held to its digest."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bio_sync.action.carrying import JOURNAL, Done
from bio_sync.action.inputs import variable
from bio_sync.action.runner import Runner, read_json, write_json
from bio_sync.errors import BioSyncError
from bio_sync.github import GitHub, NotApproved, approved, read_run
from bio_sync.jsonvalues import digest
from bio_sync.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable

# The artifact is unpacked beside what was found, never over it: a pull request may have put anything into one.
FOUND, ARTIFACT = "approved.json", "artifact"
# What GitHub takes for the name of an artifact, and less.
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class ApprovedPlan:
    """The saved plan that an apply is held to, and its digest."""

    path: Path
    digest: str


def find(runner: Runner, *, sleep: "Callable[[float], None]" = time.sleep) -> int:
    """Find the plan that the pull request merged by this push has shown, and say where its artifact is.

    That there is none is no failure of this step: whoever needs the plan says so.
    """
    environment = runner.environment
    folder, label = runner.new_folder(), environment.get(variable("label"), "").strip()
    runner.output("folder", str(folder))
    runner.output("into", str(folder / ARTIFACT))
    try:
        with GitHub(read_run(environment), sleep=sleep) as github:
            found = approved(github, environment.get("GITHUB_SHA", ""), label=label)
    except BioSyncError as error:
        write_json(folder / FOUND, {"message": error.message, "hint": error.hint})
        return 0
    write_json(folder / FOUND, {"digest": found.digest, "pull_request": found.pull_request})
    runner.output("run-id", str(found.run))
    runner.output("artifact", artifact_name("plan", label))
    return 0


def read_approved(folder: str) -> ApprovedPlan:
    """Give the plan that was found and fetched; raises NotApproved, saying why there is none."""
    found = read_json(Path(folder) / FOUND) if folder else {}
    if "digest" not in found:
        message = str(found.get("message") or "nothing tells which plan was approved")
        raise NotApproved(message, hint=str(found.get("hint") or ""))
    shown = f"pull request {found.get('pull_request')}"
    plan = Path(folder) / ARTIFACT / "plan.json"
    if not plan.is_file():
        raise NotApproved(
            f"the plan that {shown} has shown can't be fetched: its artifact has expired, was never kept,"
            " or the job lacks `permissions: actions: read`"
        )
    if read_json(plan).get("digest") != found["digest"]:
        raise NotApproved(
            f"the plan in the artifact is not the one that the comment of {shown} tells of",
            hint="nothing was written: find out who has changed it, then run this workflow by hand",
        )
    return ApprovedPlan(plan, visible(str(found["digest"])))


def artifact_of(done: Done, label: str) -> str:
    """Name the artifact that keeps what a command made; empty when there is nothing to keep."""
    if "journal-file" in done.files:
        return artifact_name(JOURNAL.partition(".")[0], label)
    keeps = done.command == "plan" and "plan-file" in done.files and not done.error
    return artifact_name("plan", label) if keeps and not done.document.get("offline") else ""


def artifact_name(kind: str, label: str) -> str:
    """Name an artifact, one for each label: one whose signs GitHub does not take has eight of its digest behind."""
    plain = _NO_NAME.sub("-", label)
    if plain != label:
        plain = f"{plain[:40]}-{digest(label).removeprefix('sha256:')[:8]}"
    return "-".join(filter(None, ("bio-sync", kind, plain)))
