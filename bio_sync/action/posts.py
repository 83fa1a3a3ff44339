"""The comment of a pull request and the issue of drift, written once what the command did is told."""

from typing import TYPE_CHECKING, TypeVar

from bio_sync import posting
from bio_sync.action.carrying import Done
from bio_sync.action.inputs import Inputs
from bio_sync.action.runner import Runner
from bio_sync.action.telling import failure_of, with_way_out
from bio_sync.errors import BioSyncError
from bio_sync.github import GitHub, read_run
from bio_sync.visible import visible
from bio_sync.workflowcommands import command

if TYPE_CHECKING:
    from collections.abc import Callable

_PLACES = {"plan": "comment", "drift": "issue"}
_Saved = TypeVar("_Saved")


def post(inputs: Inputs, runner: Runner, done: Done) -> bool:
    """Write the comment or the issue that the inputs ask for; gives whether nothing went wrong.

    What the job may not write is nothing wrong: the summary of the job holds the same.
    """
    wanted = {"plan": inputs.comment != "never" and not inputs.offline, "drift": inputs.issue}
    if not wanted.get(inputs.command):
        return True
    place = _PLACES[inputs.command]
    try:
        run = read_run(runner.environment)
        if inputs.command == "plan" and run.pull_request is None:
            runner.log("no pull request here: no comment\n")
            return True
        with GitHub(run) as github:
            _write(inputs, runner, done, github, place)
            return True
    except BioSyncError as error:
        runner.log(command("error", with_way_out(error.message, error.hint), title=f"bio-sync: no {place}"))
        return False


def _write(inputs: Inputs, runner: Runner, done: Done, github: GitHub, place: str) -> None:
    keys = [key for key in (runner.key, github.run.token) if key]
    if place == "comment":
        text = posting.plan_text(_saved(done, posting.read_plan), github.run, label=inputs.label, keys=keys)
        posted = posting.post_comment(github, text, only_changes=inputs.comment == "changes")
    else:
        text = posting.drift_text(_saved(done, posting.read_drift), github.run, label=inputs.label, keys=keys)
        posted = posting.post_issue(github, text)
    if posted.url:
        runner.output(f"{place}-url", posted.url)
    if posted.refusal:
        words = f"{with_way_out(posted.refusal.message, posted.refusal.hint)}. The summary of the job holds it."
        runner.log(command("notice", words, title=f"bio-sync: no {place}"))
    else:
        runner.log(f"{place}: {posted.outcome} {visible(posted.url or '')}".rstrip() + "\n")


def _saved(done: Done, read: "Callable[[str], _Saved | posting.Failure]") -> "_Saved | posting.Failure":
    """Read what the command has saved; one that has come to nothing before that has failed."""
    if path := done.files.get("plan-file"):
        return read(str(path))
    message, way_out = failure_of(done)
    return posting.Failure(BioSyncError(message or "it failed", hint=way_out), ())
