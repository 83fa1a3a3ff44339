"""What a plan and an apply say, and where: on standard output, on standard error, in files."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bio_sync.options import Session
from bio_sync.visible import visible

if TYPE_CHECKING:
    from bio_sync.apply import Outcome
    from bio_sync.plan import Plan

FORMATS_BY_SUFFIX = {".json": "json", ".txt": "text"}


def show(session: Session, plan: "Plan", output_format: str) -> None:
    """Print a plan as the result."""
    from bio_sync import render  # noqa: PLC0415

    if output_format == "text":
        session.terminal.result(render.text.render(plan, colour=session.terminal.colours(sys.stdout)))
    else:
        session.terminal.result(render.RENDERERS[output_format](plan))


def show_before_apply(session: Session, plan: "Plan", *, to_stderr: bool, asking: bool) -> None:
    """Show the plan: quietly only to those who are not asked about it."""
    from bio_sync import render  # noqa: PLC0415

    stream = sys.stderr if to_stderr else sys.stdout
    text = render.text.render(plan, colour=session.terminal.colours(stream))
    if to_stderr and asking:
        session.terminal.complain(text)
    elif to_stderr:
        session.terminal.say(text)
    else:
        session.terminal.result(text)


def tell_outcome(session: Session, outcome: "Outcome") -> None:
    """Print the line of one page as it is known; pages that were as wanted are for those who asked for more talk."""
    from bio_sync import report  # noqa: PLC0415

    if session.output_format == "json":
        return
    if outcome.outcome == "unchanged":
        session.terminal.detail(report.outcome_text(outcome).rstrip())
    else:
        session.terminal.result(report.outcome_text(outcome))


def format_of(path: str) -> str:
    """Give the format that the suffix of an `--out` file stands for; raises click.UsageError for an unknown one."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS_BY_SUFFIX:
        known = " or ".join(FORMATS_BY_SUFFIX)
        raise click.UsageError(f"--out {visible(path)}: the suffix chooses the form, and has to be {known}")
    return FORMATS_BY_SUFFIX[suffix]


def save(session: Session, plan: "Plan", outs: Sequence[str]) -> None:
    """Write a plan into files, each in the form of its suffix."""
    from bio_sync import render  # noqa: PLC0415

    for path in outs:
        session.terminal.save(path, render.RENDERERS[format_of(path)](plan))
        session.terminal.say(f"saved {visible(path)}")
