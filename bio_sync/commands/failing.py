"""A failure in the place of the plan that it prevented: who looks for the plan of this run finds why there is none."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bio_sync.errors import BioSyncError, InvalidFiles, NotWritten
from bio_sync.options import REPORTS, Session
from bio_sync.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bio_sync.commands.group import Out


def problems_of(error: BioSyncError) -> list[str]:
    """Give the problems of the files in words, if it is these that the failure is about."""
    from bio_sync import report  # noqa: PLC0415 - heavier than `--help` needs

    return list(map(report.problem_text, error.problems)) if isinstance(error, InvalidFiles) else []


def printed(session: Session, error: BioSyncError) -> str:
    """Give what standard output gets of a failure, in the form that was asked for."""
    if session.output_format == "text":
        return "".join(problems_of(error))
    if session.command == "validate" and session.output_format in REPORTS:
        from bio_sync.reporters import REPORTERS, findings_of_failure  # noqa: PLC0415

        return REPORTERS[session.output_format](findings_of_failure(error, os.environ))
    return document(session, error, session.output_format)


def save_failure(session: Session, outs: "Sequence[Out]", error: BioSyncError) -> None:
    """Write a failure into the files that were to hold a plan, each in its form: none is to tell of an older run."""
    for out in outs:
        if not Path(out.path).parent.is_dir():
            continue
        try:
            session.terminal.save(out.path, document(session, error, out.output_format))
        except NotWritten as refusal:
            session.terminal.complain(f"error: {refusal.message}")


def document(session: Session, error: BioSyncError, output_format: str) -> str:
    """Write a failure in one of the forms of a plan."""
    from bio_sync import report  # noqa: PLC0415
    from bio_sync.render import gitlab, html, markdown  # noqa: PLC0415

    problems = problems_of(error)
    if output_format == "json":
        calls, left = (session.meter.calls, session.meter.quota_remaining) if session.meter else (0, None)
        failure = report.failure_json(error, session.command, session.plan, calls=calls, quota_remaining=left)
        return report.as_text(failure)
    if output_format == "markdown":
        return markdown.failure(error, problems, command=session.command)
    if output_format == "html":
        return html.failure(error, problems)
    if output_format == "gitlab":
        return gitlab.failure(error)
    hint = f"hint: {visible(error.hint)}\n" if error.hint else ""
    return f"{''.join(problems)}error: {visible(error.message)}\n{hint}"
