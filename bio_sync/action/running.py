"""The step that does the work: read the inputs, carry the command out, tell what it did, in that order."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from bio_sync.action import approval, posts
from bio_sync.action.carrying import Done, carry_out
from bio_sync.action.inputs import Inputs, NotAnInput, read_inputs, variable
from bio_sync.action.runner import Runner
from bio_sync.action.telling import annotations_of, outputs_of, summary_of
from bio_sync.errors import INTERRUPTED, TERMINATED, BioSyncError, InvalidKey
from bio_sync.github import NotApproved
from bio_sync.jsonvalues import JsonObject, member
from bio_sync.key import KEY_VARIABLE
from bio_sync.options import Session
from bio_sync.visible import shortened, visible
from bio_sync.workflowcommands import annotations, command

TakeSignals: TypeAlias = Callable[[Session], None]
DEPENDABOT = "dependabot[bot]"


@dataclass(frozen=True, slots=True)
class _Step:
    """One run of the action: what it was asked, where it tells, and the folder that its files go into."""

    inputs: Inputs
    runner: Runner
    folder: Path
    take_signals: TakeSignals

    def carried_out(self) -> Done:
        """Do what the inputs ask for; a failure that comes before any command is a result like another."""
        try:
            return self._approved() if self.inputs.approved else self._done(self.inputs)
        except BioSyncError as error:
            return _failed(self.inputs.command, error)

    def _approved(self) -> Done:
        try:
            plan = approval.read_approved(self.runner.environment.get(variable("approved"), ""))
        except NotApproved as why:
            return self._unless_needed(why)
        done = self._done(self.inputs, approved=plan.path)
        return replace(done, document={**done.document, "digest": plan.digest})

    def _unless_needed(self, why: NotApproved) -> Done:
        """Look whether there is anything to write, and let it be no failure when there is not."""
        looking = replace(self.inputs, command="plan", plan=None, max_changes=None, reserve=None, force=False)
        looked = self._done(looking)
        if looked.document.get("changes"):
            document: JsonObject = {**looked.document, "error": _as_json(why)}
            return replace(looked, command="apply", code=looked.code or 1, document=document)
        if looked.code:
            return replace(looked, command="apply")
        self.runner.log(command("notice", f"nothing to write, and no plan was approved: {why.message}"))
        return replace(looked, command="apply", files={})

    def _done(self, inputs: Inputs, *, approved: Path | None = None) -> Done:
        _check_key(inputs, self.runner)
        folder = Path(inputs.working_directory)
        if not folder.is_dir():
            raise NotAnInput(
                f"the input 'working-directory' is {shortened(inputs.working_directory)}, and there is no such folder",
                hint="it is a path from the top of the checkout; is there a checkout before this step?",
            )
        with contextlib.chdir(folder):
            return carry_out(inputs, self.runner, self.folder, approved=approved, take_signals=self.take_signals)


def run(runner: Runner, take_signals: TakeSignals) -> int:
    """Run the command that the environment asks for; gives the exit code of the step."""
    runner.check()
    runner.hide_key()
    try:
        inputs = read_inputs(runner.environment)
    except NotAnInput as error:
        done = _failed("action", error)
        _tell(runner, done)
        _post_refusal(runner, done)
        return error.exit_code
    step = _Step(inputs, runner, runner.new_folder(), take_signals)
    done = step.carried_out()
    kept = approval.artifact_of(done, inputs.label) if inputs.artifact else ""
    if kept:
        runner.output("artifact", kept)
        runner.output("folder", str(step.folder))
    _tell(runner, done, inputs.working_directory, kept=kept)
    if done.code in {INTERRUPTED, TERMINATED}:
        return done.code
    # Last, since it can fail: what the command did is told by now.
    posted = posts.post(inputs, runner, done)
    return done.code if done.failed else 0 if posted else 1


def _post_refusal(runner: Runner, done: Done) -> None:
    """Let the comment or the issue tell, too, that an input was off: what stands there is of an older push."""
    names = map(variable, ("command", "label", "comment", "issue"))
    with contextlib.suppress(NotAnInput):
        posts.post(read_inputs({name: runner.environment.get(name, "") for name in names}), runner, done)


def _failed(command_name: str, error: BioSyncError) -> Done:
    """Give the result of a command that has come to nothing."""
    return Done(command_name, error.exit_code, {"error": _as_json(error)})


def _as_json(error: BioSyncError) -> JsonObject:
    return {"message": visible(error.message), "hint": visible(error.hint), "reason": error.reason}


def _tell(runner: Runner, done: Done, folder: str = ".", *, kept: str = "") -> None:
    """Tell a result in the log, in the summary, and as outputs; the names of files are those from `folder`."""
    shown = annotations_of(done, folder, runner.environment)
    runner.log(annotations(shown, more="the log and the summary of the job have all of them"))
    for name, value in outputs_of(done).items():
        runner.output(name, value)
    runner.summarise(summary_of(done, kept=kept))


def _check_key(inputs: Inputs, runner: Runner) -> None:
    """Miss the key in words that fit the run; raises InvalidKey."""
    if not inputs.needs_key or runner.environment.get(KEY_VARIABLE, "").strip():
        return
    event = runner.event()
    repository = runner.environment.get("GITHUB_REPOSITORY", "")
    pull_request = member(event, "pull_request")
    if pull_request and member(pull_request, "user", "login") == DEPENDABOT:
        who = "GitHub gives Dependabot none of the secrets of Actions"
    elif pull_request and member(pull_request, "head", "repo", "full_name") != repository:
        who = "GitHub gives pull requests from forks no secrets"
    else:
        raise InvalidKey(
            "this run has no key: the input 'api-key' is empty",
            hint="does the step say api-key: ${{ secrets.XQR_API_KEY }}, has the environment that the job names this"
            " secret, and may this branch deploy to it?",
        )
    raise InvalidKey(
        f"this run has no key: {who}",
        hint="validate needs none, and plan with offline: true shows what the files change; a plan of the live pages"
        " needs the branch in this repository",
    )
