"""Carry a command out in this process, as the command line does, and gather what it has to say."""

import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bio_sync import cli
from bio_sync.action.inputs import Inputs
from bio_sync.action.runner import json_object, read_json
from bio_sync.action.telling import outcome_lines, problem_lines
from bio_sync.commands.drift import DRIFTED
from bio_sync.jsonvalues import JsonObject
from bio_sync.options import Session
from bio_sync.shell import typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from bio_sync.action.runner import Runner

# What a result holds that says itself how it ended.
_RESULTS = frozenset(("error", "problems", "outcomes", "changes"))
JOURNAL = "journal.json"
# The forms that a plan and a drift are kept in, and the outputs that name their files.
FORMS = {
    "plan": {".json": "plan-file", ".md": "markdown-file", ".html": "html-file"},
    "drift": {".json": "plan-file", ".md": "markdown-file"},
}


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did: its exit code, the JSON of its result or its failure, and its files by output.

    `tolerated` is an exit code besides 0 that is no failure: drift is news, and no fault of the run that tells it.
    """

    command: str
    code: int
    document: JsonObject
    files: Mapping[str, Path] = field(default_factory=dict)
    tolerated: int = 0

    @property
    def failed(self) -> bool:
        """Whether the step fails by what the command did."""
        return self.code not in {0, self.tolerated}

    @property
    def error(self) -> JsonObject:
        """The failure, with `message`, `hint` and `reason`; empty when there is none."""
        error = self.document.get("error")
        return error if isinstance(error, dict) else {}

    @property
    def markdown(self) -> str:
        """The result as Markdown, where the command has written some."""
        path = self.files.get("markdown-file")
        return path.read_text(encoding="utf-8") if path else ""


def carry_out(
    inputs: Inputs, runner: "Runner", folder: Path, *, approved: Path | None, take_signals: "Callable[[Session], None]"
) -> Done:
    """Run the command, its words in the log, where nothing of them is obeyed.

    `approved` is the saved plan that an apply is held to, `take_signals` gets the session before it begins.
    """
    arguments, own = _words_of(inputs), _own_words_of(inputs.command, folder, approved=approved)
    session = Session()
    take_signals(session)
    said = io.StringIO()
    with runner.folded(typed(*arguments)):
        # Ours stand first: behind `--` everything is a path.
        given = [inputs.command, *own, *arguments[1:]]
        if inputs.command in FORMS:
            code = cli.run(given, session)
        else:
            with contextlib.redirect_stdout(said):
                code = cli.run(given, session)
            runner.log(_as_lines(inputs.command, json_object(said.getvalue())))
    files = _files(inputs.command, folder)
    document = read_json(files["plan-file"]) if "plan-file" in files else json_object(said.getvalue())
    if code and not _RESULTS.intersection(document):
        document = {**document, "error": {"message": f"it ended with exit code {code}", "hint": "the log says why"}}
    tolerated = DRIFTED if inputs.command == "drift" and not inputs.fail_on_drift else 0
    return Done(inputs.command, code, document, files, tolerated)


def _words_of(inputs: Inputs) -> list[str]:
    """Give what somebody would type behind `bio-sync`; no input is taken for an option."""
    named = {"config": inputs.config, "base": inputs.base, "max-changes": inputs.max_changes, "reserve": inputs.reserve}
    arguments = [inputs.command, *(f"--{name}={value}" for name, value in named.items() if value is not None)]
    marked = {
        "offline": inputs.offline,
        "force": inputs.force,
        "fail-on-drift": inputs.fail_on_drift and inputs.command == "plan",
    }
    arguments += [f"--{name}" for name, is_set in marked.items() if is_set]
    if inputs.command == "apply" and not inputs.approved:
        arguments.append(f"--plan={inputs.plan}" if inputs.plan else "--yes")
    return [*arguments, "--", *inputs.paths] if inputs.paths else arguments


def _own_words_of(command: str, folder: Path, *, approved: Path | None) -> list[str]:
    """Give the options by which the result comes to us, and the plan that was fetched."""
    words = [f"--out={folder / f'{command}{suffix}'}" for suffix in FORMS.get(command, ())]
    if command not in FORMS:
        words.append("--format=json")
    if command == "apply":
        # -v: each page is told as it is written, which may take long.
        words += [f"--journal={folder / JOURNAL}", "-v"]
    return [*words, f"--plan={approved}"] if approved else words


def _files(command: str, folder: Path) -> dict[str, Path]:
    named = {output: folder / f"{command}{suffix}" for suffix, output in FORMS.get(command, {}).items()}
    named["journal-file"] = folder / JOURNAL
    return {output: path for output, path in named.items() if path.is_file()}


def _as_lines(command: str, document: JsonObject) -> str:
    if command == "validate":
        return "".join(problem_lines(document))
    lines = list(outcome_lines(document))
    # The pages have their lines in the log by now, unless none of them was begun.
    return "".join(lines if "error" in document else lines[-1:])
