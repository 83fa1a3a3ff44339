"""`bio-sync undo`: take back what an apply wrote, as an ordinary plan."""

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from bio_sync.commands.group import command, format_option
from bio_sync.commands.service import configuration
from bio_sync.commands.writing import Intent, Told, carry_out, orders_of, writing_options
from bio_sync.errors import NoConsent, NoPages
from bio_sync.options import Session
from bio_sync.visible import visible

if TYPE_CHECKING:
    from bio_sync.api import WritingApi
    from bio_sync.config import Config

STILL_IN_THE_FILES = (
    "the page files still hold what was undone: revert their commit too, or the next apply writes it again"
)


@command("undo", example="bio-sync undo .bio-sync/apply-20261122T100000Z.json --yes")
@click.argument("saved", metavar="JOURNAL", type=click.Path(), required=False)
@format_option("text", "json")
@click.option("--overwrite-edits", is_flag=True, help="Take back pages that somebody has edited since, too.")
@writing_options
def undo(
    session: Session,
    *,
    saved: str | None,
    overwrite_edits: bool,
    told: Told,
) -> int:
    """Take back what an apply wrote. The plan that leads back is shown, asked about, and written.

    Every apply that writes leaves a JOURNAL in .bio-sync/, or where --journal says, and so does an undo. The fields
    that it touched become what they were; all else stays. It is held back as an apply is, until --force is given. A
    page that somebody has edited since is left as it is and named, until --overwrite-edits is given; one that would
    get back what no page file may hold, such as a link that runs code, always is.
    """
    from bio_sync import undoing  # noqa: PLC0415
    from bio_sync.journal import UNDO, read_journal  # noqa: PLC0415
    from bio_sync.render import words  # noqa: PLC0415

    name = _named(session, saved)
    written = read_journal(name)
    if not (told.yes or session.terminal.can_ask()):
        raise NoConsent("nobody can be asked: this is no terminal", hint="give --yes")
    config = configuration(session)
    orders = orders_of(told, config, command="undo", ask=not told.yes)
    limit = orders.limit and undoing.limit_for(written, orders.limit, page_files=_page_files(config))
    # To take back an undo is to do again what the files want.
    afterwards = "" if written.command == UNDO else STILL_IN_THE_FILES

    def intent(api: "WritingApi") -> Intent:
        undoing.check_address(written, api.address)
        made = undoing.plan_undo(written, api, now=session.now(), overwrite=overwrite_edits)
        session.plan = made.plan
        nothing = undoing.nothing_to_undo(made)
        if nothing:
            nothing = f"{nothing}\nAPI:  {words.calls(made.plan)}\n"
        return Intent(made.plan, made.desired, written.page_files, left=made.left, nothing=nothing)

    return carry_out(session, replace(orders, limit=limit, afterwards=afterwards), intent)


def _named(session: Session, saved: str | None) -> str:
    """Give the name of the journal; raises click.UsageError for none, naming the newest there is."""
    from bio_sync.journal import FOLDER, newest, shown_path  # noqa: PLC0415

    if saved == "":
        raise click.UsageError("JOURNAL is empty: is a variable unset?")
    if saved is None:
        found = newest(configuration(session).folder)
        known = f"the newest is {visible(shown_path(found))}" if found else f"there is none in {FOLDER}/"
        raise click.UsageError(f"JOURNAL is missing: {known}.")
    return saved


def _page_files(config: "Config") -> int:
    """Count the page files of this repository; an undo needs none of them."""
    try:
        return len(config.page_files())
    except NoPages:
        return 0
