"""`bio-sync apply`: show the plan, ask, write it."""

from typing import TYPE_CHECKING

import click

from bio_sync.commands.group import command, format_option, limit_option, paths_argument, seconds_option
from bio_sync.commands.output import show_before_apply, show_report, tell_outcome
from bio_sync.commands.service import configuration, connect, guard_limit, planned
from bio_sync.errors import NoConsent
from bio_sync.options import Session

if TYPE_CHECKING:
    from bio_sync.api import WritingApi
    from bio_sync.apply.guards import Limit
    from bio_sync.apply.outcomes import Report
    from bio_sync.apply.run import Terms
    from bio_sync.interruption import Interruption
    from bio_sync.pages import PageFiles
    from bio_sync.plan import Plan

INCOMPLETE = 3
CTRL_C_AGAIN = "ending: what is under way is brought to its end first; once more to leave at once"


@command("apply", example="bio-sync apply --plan plan.json --format json")
@paths_argument
@format_option("text", "json")
@click.option(
    "--plan", "saved", metavar="PLAN.json", help="Write only if the plan is still this one: a saved plan is the yes."
)
@click.option("--yes", is_flag=True, help="Do not ask. It is no consent to what needs --force.")
@click.option("--force", is_flag=True, help="Write what is held back, too. No consent to the rest: see --yes.")
@limit_option
@seconds_option("--max-age", 15.0, "Seconds that the view of a page may be old when it is written, 3 at least.")
@seconds_option("--settle", 15.0, "Seconds after which a write whose answer was lost is read back.")
@click.option("--reserve", metavar="N", type=click.IntRange(min=0), help="API calls of the month to leave for people.")
def apply(
    session: Session,
    *,
    paths: tuple[str, ...],
    output_format: str,  # noqa: ARG001 - the session remembers it
    saved: str | None,
    yes: bool,
    force: bool,
    max_changes: "Limit | None",
    max_age: float,
    settle: float,
    reserve: int | None,
) -> int:
    """Show the plan, ask, and write it: PATCH requests that hold only the fields that differ.

    Before the first write it is held back, until --force is given: more pages than --max-changes (safety.max_changes
    of bio-sync.yaml; usually 30% of the pages, and five at least), a page that would lose all its links or more than
    half of them, and a page with views that would vanish from the public.
    """
    from bio_sync import workflow  # noqa: PLC0415
    from bio_sync.apply.run import Terms  # noqa: PLC0415

    if saved == "":
        raise click.UsageError("--plan is empty: is a variable unset?")
    if not (yes or saved or session.terminal.can_ask()):
        raise NoConsent("nobody can be asked: this is no terminal", hint="give --yes, or a saved plan with --plan")
    consent = workflow.read_consent(saved) if saved else None
    config = configuration(session)
    files = workflow.read_files(paths, config)
    workflow.checked(files)
    terms = Terms(max_age=max_age, settle=settle, reserve=config.reserve if reserve is None else reserve)
    limit = None if force else max_changes or guard_limit(config)
    done = _planned_and_written(session, files, terms, limit, consent, ask=not (yes or consent))
    return _exit_code(session, done)


def _planned_and_written(
    session: Session,
    files: "PageFiles",
    terms: "Terms",
    limit: "Limit | None",
    consent: "Plan | None",
    *,
    ask: bool,
) -> "Report":
    from bio_sync import workflow  # noqa: PLC0415
    from bio_sync.api import WritingApi  # noqa: PLC0415
    from bio_sync.interruption import Interruption  # noqa: PLC0415

    interruption = Interruption()
    with connect(session, WritingApi, interruption) as api:
        taken_at = session.clock()
        made = session.plan = planned(session, files, api)
        ask = ask and bool(made.changes)
        if consent:
            workflow.check_consent(consent, made)
        show_before_apply(session, made, to_stderr=session.output_format == "json", asking=ask)
        workflow.check_safety(made, api.meter, terms, limit=limit)
        if ask:
            session.terminal.ask("Apply this plan?")
        return _written(session, made, files, api, terms, interruption, taken_at)


def _written(
    session: Session,
    made: "Plan",
    files: "PageFiles",
    api: "WritingApi",
    terms: "Terms",
    interruption: "Interruption",
    taken_at: float,
) -> "Report":
    from bio_sync.apply.run import apply_plan  # noqa: PLC0415
    from bio_sync.interruption import Interruption  # noqa: PLC0415

    if (made.changes or made.gone) and session.output_format == "text":
        session.terminal.result("\n")
    interruption.notice = lambda: session.terminal.say(CTRL_C_AGAIN)
    with interruption:
        # From here on nobody can say any more, of a run that ends without its report, that nothing was written.
        session.plan, session.writing = None, True
        done = apply_plan(
            made,
            files.desired,
            api,
            taken_at=taken_at,
            terms=terms,
            interruption=interruption,
            tell=lambda outcome: tell_outcome(session, outcome),
            clock=session.clock,
            sleep=session.sleep,
        )
        # A signal that comes now does not cut the report in two; another one does.
        with Interruption():
            session.reported = True
            show_report(session, made, done, api.meter)
    return done


def _exit_code(session: Session, done: "Report") -> int:
    """Give the code of a run; of one that wrote and could not tell, it is not the one that says that nothing was."""
    if done.bug:
        raise done.bug
    untold = session.terminal.result_lost and any(outcome.written for outcome in done.outcomes)
    return done.exit_code or (INCOMPLETE if untold else 0)
