"""What a plan and an apply say, and where: on standard output, on standard error, in files."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bio_sync.commands.group import Out
from bio_sync.errors import NotWritten
from bio_sync.options import Session
from bio_sync.progress import WRITING_UP
from bio_sync.visible import cause_of, visible

if TYPE_CHECKING:
    from bio_sync.applying.outcomes import Outcome, Report
    from bio_sync.planning import Plan
    from bio_sync.transport import Meter


@contextmanager
def writing_up(session: Session, plan: "Plan") -> Iterator[None]:
    """Tell that the changes of a plan are written up inside the block."""
    with session.terminal.watching() as watch:
        watch.begin(WRITING_UP, len(plan.changes))
        yield


def show(session: Session, plan: "Plan") -> None:
    """Print a plan as the result, in the form that was asked for."""
    from bio_sync.render import RENDERERS, text  # noqa: PLC0415

    with writing_up(session, plan):
        if session.output_format == "text":
            shown = text.render(plan, colour=session.terminal.colours(sys.stdout))
        else:
            shown = RENDERERS[session.output_format](plan)
    session.terminal.result(shown)


def show_before_apply(session: Session, plan: "Plan", *, to_stderr: bool, asking: bool, instead: str = "") -> None:
    """Show the plan, or what is said in its place: quietly only to those who are not asked about it."""
    from bio_sync.render import text  # noqa: PLC0415

    stream = sys.stderr if to_stderr else sys.stdout
    with writing_up(session, plan):
        shown = instead or text.render(plan, colour=session.terminal.colours(stream))
    if to_stderr and asking:
        session.terminal.complain(shown)
    elif to_stderr:
        session.terminal.say(shown)
    else:
        session.terminal.result(shown)


def tell_outcome(session: Session, outcome: "Outcome") -> None:
    """Print the line of one page as it is known.

    Pages that were as wanted, and all of them beside a result in JSON, are for those who asked for more talk.
    """
    from bio_sync import report  # noqa: PLC0415

    if outcome.outcome == "unchanged" or session.output_format == "json":
        session.terminal.detail(report.outcome_text(outcome).rstrip())
    else:
        session.terminal.result(report.outcome_text(outcome))


def show_report(session: Session, plan: "Plan", done: "Report", meter: "Meter", *, journal: str | None = None) -> None:
    """Print what became of a plan: all of it as JSON, or the sentence under the lines of its pages."""
    from bio_sync import report  # noqa: PLC0415

    calls, left = meter.calls, meter.quota_remaining
    if session.output_format == "json":
        document = report.report_json(done, calls=calls, quota_remaining=left, journal=journal)
        session.terminal.result(report.as_text(document))
    elif plan.changes or any(outcome.outcome != "unchanged" for outcome in done.outcomes):
        session.terminal.result(report.summary_text(done.summary, calls=calls, quota_remaining=left))


def rendered(plan: "Plan") -> Callable[[str], str]:
    """Give what writes a plan in a form."""
    from bio_sync.render import RENDERERS  # noqa: PLC0415

    return lambda output_format: RENDERERS[output_format](plan)


def check_folders(outs: Sequence[Out]) -> None:
    """Look for the folders of files that are to be saved, before a call is spent; raises NotWritten."""
    for out in outs:
        folder = Path(out.path).parent
        if not folder.is_dir():
            raise NotWritten(f"{visible(out.path)} can't be written: there is no such folder", hint="make it first")


def make_folder(folder: Path, *, hint: str) -> None:
    """Make a folder and those above it, unless they are there; raises NotWritten."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotWritten(f"the folder {visible(str(folder))} can't be made: {cause_of(error)}", hint=hint) from None


def save(session: Session, outs: Sequence[Out], rendered: Callable[[str], str]) -> bool:
    """Write a plan into files, each in its form; what can't be written is told, and does not stop the others."""
    session.instead_of_files = lambda _: None
    whole = True
    for out in outs:
        try:
            session.terminal.save(out.path, rendered(out.output_format))
            session.terminal.say(f"saved {visible(out.path)}")
        except NotWritten as error:
            whole = False
            session.terminal.complain(f"error: {error.message}\nhint: {error.hint}")
    return whole
