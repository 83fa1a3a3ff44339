"""`bio-sync plan`: show what an apply would change."""

import click

from bio_sync.commands.group import command, format_option, paths_argument
from bio_sync.commands.output import format_of, save, show
from bio_sync.commands.service import configuration, connect, planned
from bio_sync.options import Session
from bio_sync.visible import plural

PENDING = 2


@command("plan", example="bio-sync plan --out plan.json")
@paths_argument
@format_option("text", "json")
@click.option(
    "--out", "outs", metavar="FILE", multiple=True, help="Save the plan too, by suffix .json or .txt; may repeat."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
def plan(
    session: Session, paths: tuple[str, ...], output_format: str, outs: tuple[str, ...], detailed_exitcode: bool
) -> int:
    """Show what an apply would change, and for whom. It only reads."""
    for path in outs:
        format_of(path)
    from bio_sync import workflow  # noqa: PLC0415
    from bio_sync.api import Api  # noqa: PLC0415

    files = workflow.read_files(paths, configuration(session))
    workflow.checked(files)
    with connect(session, Api) as api:
        made = planned(session, files, api)
    save(session, made, outs)
    show(session, made, output_format)
    if made.gone:
        session.terminal.complain(f"error: {plural(len(made.gone), 'page file')} without a page in this workspace")
        session.terminal.complain("hint: the page was deleted, or the key is another workspace's")
        return 1
    return PENDING if detailed_exitcode and made.changes else 0
