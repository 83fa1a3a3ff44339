"""`bio-sync apply`: show the plan, ask, write it."""

from typing import TYPE_CHECKING

import click

from bio_sync.commands.group import command, format_option, paths_argument
from bio_sync.commands.service import configuration, planned, read_page_files
from bio_sync.commands.writing import Intent, Told, carry_out, orders_of, writing_options
from bio_sync.errors import NoConsent
from bio_sync.options import Session

if TYPE_CHECKING:
    from bio_sync.api import WritingApi


@command("apply", example="bio-sync apply --plan plan.json --format json")
@paths_argument
@format_option("text", "json")
@click.option(
    "--plan", "saved", metavar="PLAN.json", help="Write only if the plan is still this one: a saved plan is the yes."
)
@writing_options
def apply(
    session: Session,
    *,
    paths: tuple[str, ...],
    saved: str | None,
    told: Told,
) -> int:
    """Show the plan, ask, and write it. A PATCH holds only the fields that differ.

    Before the first write it is held back, until --force is given: more pages than --max-changes (safety.max_changes
    of bio-sync.yaml; usually 30% of the pages, and five at least), a page that would lose all its links or more than
    half of them, and a page with views that would vanish from the public.
    """
    from bio_sync import consent, workflow  # noqa: PLC0415

    if saved == "":
        raise click.UsageError("--plan is empty: is a variable unset?")
    agreed = consent.read_consent(saved) if saved else None
    config = configuration(session)
    files = read_page_files(session, paths, config, at=session.now())
    desired = workflow.checked(files)
    if not (told.yes or agreed or session.terminal.can_ask()):
        raise NoConsent("nobody can be asked: this is no terminal", hint="give --yes, or a saved plan with --plan")
    orders = orders_of(told, config, command="apply", ask=not (told.yes or agreed))

    def intent(api: "WritingApi") -> Intent:
        made = session.plan = planned(session, files, api)
        if agreed:
            consent.check_consent(agreed, made, now=files.at)
        return Intent(made, desired, page_files=made.summary["pages"])

    return carry_out(session, orders, intent)
