"""The comment of a pull request and the issue of drift, written once what the command did is told."""

from typing import TYPE_CHECKING, TypeVar

from bio_sync import posting
from bio_sync.action.carrying import DRIFT, PLAN, Done
from bio_sync.action.inputs import Inputs
from bio_sync.action.runner import Runner
from bio_sync.action.telling import failure_of
from bio_sync.errors import BioSyncError
from bio_sync.github import GitHub, read_run
from bio_sync.visible import visible
from bio_sync.workflowcommands import command

if TYPE_CHECKING:
    from collections.abc import Callable

_Saved = TypeVar("_Saved")


def post(inputs: Inputs, runner: Runner, done: Done) -> bool:
    """Write the comment or the issue that the inputs ask for; gives whether nothing went wrong.

    What the job may not write is nothing wrong: the summary of the job holds the same.
    """
    wanted = {PLAN: inputs.comment != "never" and not inputs.offline, DRIFT: inputs.issue}
    if not wanted.get(inputs.command):
        return True
    try:
        run = read_run(runner.environment)
        if inputs.command == PLAN and run.pull_request is None:
            runner.log("no pull request here: no comment\n")
            return True
        with GitHub(run) as github:
            return _written(inputs, runner, done, github)
    except BioSyncError as error:
        words = f"{error.message} ({error.hint})" if error.hint else error.message
        runner.log(command("error", words, title=f"bio-sync: no {_place(inputs)}"))
        return False


def _written(inputs: Inputs, runner: Runner, done: Done, github: GitHub) -> bool:
    keys = [key for key in (runner.key, github.run.token) if key]
    if inputs.command == PLAN:
        text = posting.plan_text(_saved(done, posting.read_plan), github.run, label=inputs.label, keys=keys)
        posted = posting.post_comment(github, text, only_changes=inputs.comment == "changes")
    else:
        text = posting.drift_text(_saved(done, posting.read_drift), github.run, label=inputs.label, keys=keys)
        posted = posting.post_issue(github, text)
    if posted.url:
        runner.output("comment-url" if inputs.command == PLAN else "issue-url", posted.url)
    if posted.refusal:
        words = f"{posted.refusal.message} ({posted.refusal.hint}). The summary of the job holds it."
        runner.log(command("notice", words, title=f"bio-sync: no {_place(inputs)}"))
    else:
        runner.log(f"{_place(inputs)}: {posted.outcome} {visible(posted.url or '')}".rstrip() + "\n")
    return True


def _saved(done: Done, read: "Callable[[str], _Saved | posting.Failure]") -> "_Saved | posting.Failure":
    """Read what the command has saved; one that has come to nothing before that has failed."""
    if path := done.files.get("plan-file"):
        return read(str(path))
    message, way_out = failure_of(done)
    return posting.Failure(BioSyncError(message or "it failed", hint=way_out), ())


def _place(inputs: Inputs) -> str:
    return "comment" if inputs.command == PLAN else "issue"
