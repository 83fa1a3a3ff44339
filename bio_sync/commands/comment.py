"""`bio-sync comment` and `bio-sync issue`: a saved plan as one comment of a pull request, saved drift as one issue."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bio_sync.commands.group import command, format_option
from bio_sync.options import Session
from bio_sync.visible import cause_of, visible
from bio_sync.workflowcommands import MOST_SUMMARY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from bio_sync.errors import BioSyncError
    from bio_sync.github import GitHub, WorkflowRun
    from bio_sync.posting import Failure, Posted, Text

Saved = TypeVar("Saved")
MOST_OF_A_LABEL = 100


def _label(_: click.Context, __: click.Parameter, value: str) -> str:
    if len(value) > MOST_OF_A_LABEL:
        raise click.BadParameter(f"it has {len(value):,} characters; {MOST_OF_A_LABEL} is the most.")
    return value


label_option = click.option(
    "--label",
    metavar="NAME",
    default="",
    callback=_label,
    help="Tells several of one repository apart, such as prod and staging.",
)


@command("comment", example="bio-sync comment plan.json")
@click.argument("saved", metavar="PLAN.json", type=click.Path())
@label_option
@click.option(
    "--on",
    "when",
    type=click.Choice(("always", "changes")),
    default="always",
    show_default=True,
    help="changes: no new comment for a plan without changes.",
)
@click.option("--pull-request", metavar="N", type=click.IntRange(min=1), help="[default: the one of the event]")
@format_option("text", "json")
def comment(session: Session, *, saved: str, label: str, when: str, pull_request: int | None) -> None:
    """Show a saved plan as a comment on the pull request. There is one for each label; the next run updates it.

    It is for GitHub Actions: token, repository and pull request come from the environment. Where the token may not
    write, the plan goes into the job summary.
    """
    from bio_sync import posting  # noqa: PLC0415

    run = _run(session, pull_request)
    plan, unread = _read(posting.read_plan, saved)
    text = posting.plan_text(plan, run, label=label, keys=session.terminal.keys)
    _post(session, run, text, lambda github: posting.post_comment(github, text, only_changes=when == "changes"))
    if unread:
        raise unread


@command("issue", example="bio-sync issue drift.json")
@click.argument("saved", metavar="DRIFT.json", type=click.Path())
@label_option
@format_option("text", "json")
def issue(session: Session, *, saved: str, label: str) -> None:
    """Keep one issue about drift: opened when live pages differ from their files, closed when they don't.

    DRIFT.json is what `bio-sync drift --out drift.json` saved. It is for GitHub Actions, as `comment` is.
    """
    from bio_sync import posting  # noqa: PLC0415

    run = _run(session, None)
    drift, unread = _read(posting.read_drift, saved)
    text = posting.drift_text(drift, run, label=label, keys=session.terminal.keys)
    _post(session, run, text, lambda github: posting.post_issue(github, text))
    if unread:
        raise unread


def _read(read: "Callable[[str], Saved | Failure]", path: str) -> "tuple[Saved | Failure, BioSyncError | None]":
    """Read what was saved; what is nothing of the kind is a failure to be shown, where an older text may stand.

    A run that was killed leaves such a file, or none.
    """
    from bio_sync import posting  # noqa: PLC0415
    from bio_sync.errors import InvalidPlanFile  # noqa: PLC0415

    try:
        return read(path), None
    except InvalidPlanFile as error:
        return posting.Failure(error, ()), error


def _run(session: Session, pull_request: int | None) -> "WorkflowRun":
    """Read the environment, and keep its token off all output."""
    from bio_sync.github import read_run, token_at_hand  # noqa: PLC0415

    session.terminal.hide(token_at_hand(os.environ))
    return read_run(os.environ, pull_request=pull_request)


def _post(session: Session, run: "WorkflowRun", text: "Text", write: "Callable[[GitHub], Posted]") -> None:
    """Write a text on GitHub; whatever happens to it there, somebody gets to see it."""
    from bio_sync.errors import ServiceError  # noqa: PLC0415
    from bio_sync.github import GitHub  # noqa: PLC0415

    try:
        with GitHub(run, timeout=session.timeout, sleep=session.sleep or time.sleep) as github:
            posted = write(github)
    except ServiceError:
        _show(session, text)
        raise
    if posted.outcome != "shown":
        _tell(session, posted, " ".join(filter(None, (posted.outcome, posted.url))))
        return
    in_summary = _show(session, text)
    if posted.refusal:
        session.terminal.complain(f"notice: {visible(posted.refusal.message)}\nhint: {posted.refusal.hint}")
    words = f"shown {'in the job summary' if in_summary else 'here'} instead"
    if in_summary or session.output_format == "json":
        _tell(session, posted, words)
    else:
        session.terminal.say(words)


def _tell(session: Session, posted: "Posted", words: str) -> None:
    from bio_sync import report  # noqa: PLC0415

    if session.output_format == "json":
        session.terminal.result(report.as_text({"outcome": posted.outcome, "url": posted.url}))
    else:
        session.terminal.result(f"{words}\n")


def _show(session: Session, text: "Text") -> bool:
    """Put a text into the job summary, or print it where there is none; tells whether it is in the summary."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary and _appended(session, Path(summary), text.shown):
        return True
    if session.output_format == "json":
        # Standard output has one JSON document.
        session.terminal.complain(text.shown.rstrip())
    else:
        session.terminal.result(text.shown)
    return False


def _appended(session: Session, summary: Path, shown: str) -> bool:
    """Append to the job summary, which other steps may have begun; whatever is in the way is told."""
    data = f"{shown}\n".encode()
    try:
        with summary.open("ab") as stream:
            if stream.tell() + len(data) > MOST_SUMMARY_BYTES:
                session.terminal.complain("notice: the job summary is full")
                return False
            stream.write(data)
    except OSError as error:
        session.terminal.complain(f"notice: the job summary can't be written: {cause_of(error)}")
        return False
    return True
