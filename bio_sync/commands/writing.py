"""What `apply` and `undo` have in common: show a plan, hold it against the guards, ask, write it with its journal."""

import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bio_sync.commands.group import Out, limit_option, seconds_option
from bio_sync.commands.output import check_folders, show_before_apply, show_report, tell_outcome
from bio_sync.commands.service import connect
from bio_sync.errors import INCOMPLETE
from bio_sync.options import Session
from bio_sync.progress import ASKING, LOST_ANSWER, WRITING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bio_sync.api import WritingApi
    from bio_sync.applying.guards import Limit
    from bio_sync.applying.outcomes import Outcome, Report
    from bio_sync.applying.run import Terms
    from bio_sync.config import Config
    from bio_sync.interruption import Interruption
    from bio_sync.model import DesiredPage
    from bio_sync.planning import Plan
    from bio_sync.progress import Watch
    from bio_sync.record import Record
    from bio_sync.transport import Meter

CTRL_C_AGAIN = "ending: what is under way is brought to its end first; once more to leave at once"


_OPTIONS = (
    click.option("--yes", is_flag=True, help="Do not ask. It is no consent to what needs --force."),
    click.option("--force", is_flag=True, help="Write what is held back, too. No consent to the rest: see --yes."),
    limit_option,
    seconds_option("--max-age", 15.0, "Seconds that the view of a page may be old when it is written, 3 at least."),
    seconds_option("--settle", 15.0, "Seconds after which a write whose answer was lost is read back."),
    click.option(
        "--reserve", metavar="N", type=click.IntRange(min=0), help="API calls of the month to leave for people."
    ),
    click.option("--journal", metavar="FILE", help="Write the journal, for undo, there. [default: into .bio-sync/]"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody gave as options to a command that writes pages, under their names."""

    yes: bool
    force: bool
    max_changes: "Limit | None"
    max_age: float
    settle: float
    reserve: int | None
    journal: str | None


def writing_options(function: "Callable[..., int]") -> "Callable[..., int]":
    """Give a command the options of all commands that write pages; it gets them together, as `told`."""

    @functools.wraps(function)
    def gathered(session: Session, **options: Any) -> int:
        told = Told(**{field.name: options.pop(field.name) for field in dataclasses.fields(Told)})
        return function(session, told=told, **options)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


@dataclass(frozen=True, slots=True)
class Orders:
    """What a run that writes was told. `limit` is None where the guards are overridden.

    Its journal goes to the file `journal`, or else beside the configuration in `folder`. `afterwards` is said when
    something was written.
    """

    command: str
    terms: "Terms"
    limit: "Limit | None"
    ask: bool
    journal: str | None
    folder: Path
    afterwards: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """A plan to carry out, made of the `desired` pages, `page_files` in all.

    `left` are the outcomes of pages that it leaves out; `nothing` is said in its place when it changes nothing.
    """

    plan: "Plan"
    desired: "tuple[DesiredPage, ...]"
    page_files: int
    left: "tuple[Outcome, ...]" = ()
    nothing: str = ""


def orders_of(told: Told, config: "Config", *, command: str, ask: bool) -> Orders:
    """Put together what a run is to do; raises NotWritten when there is no folder for its journal."""
    from bio_sync import workflow  # noqa: PLC0415
    from bio_sync.applying.guards import RESERVE_OPTION, RESERVE_SETTING  # noqa: PLC0415
    from bio_sync.applying.run import Terms  # noqa: PLC0415

    if told.journal == "":
        raise click.UsageError("--journal is empty: is a variable unset?")
    if told.journal is not None:
        check_folders([Out(told.journal, "json")])
    reserve, by = (config.reserve, RESERVE_SETTING) if told.reserve is None else (told.reserve, RESERVE_OPTION)
    return Orders(
        command=command,
        terms=Terms(max_age=told.max_age, settle=told.settle, reserve=reserve, reserved_by=by),
        limit=None if told.force else told.max_changes or workflow.guard_limit(config),
        ask=ask,
        journal=told.journal,
        folder=config.folder,
    )


def carry_out(session: Session, orders: Orders, make: "Callable[[WritingApi], Intent]") -> int:
    """Make a plan, show it, ask, and write it; gives the exit code."""
    from bio_sync import workflow  # noqa: PLC0415
    from bio_sync.api import WritingApi  # noqa: PLC0415
    from bio_sync.interruption import Interruption  # noqa: PLC0415
    from bio_sync.journal import UNDO  # noqa: PLC0415
    from bio_sync.record import Record  # noqa: PLC0415

    interruption = Interruption()
    with connect(session, WritingApi, interruption) as api:
        taken_at = session.clock()
        with session.terminal.watching() as watch:
            watch.begin(ASKING)
            intent = make(api)
        made, ask = intent.plan, orders.ask and bool(intent.plan.changes)
        to_stderr = session.output_format == "json"
        show_before_apply(session, made, to_stderr=to_stderr, asking=ask, instead=intent.nothing)
        workflow.check_safety(made, api.meter, orders.terms, limit=orders.limit, of_files=orders.command != UNDO)
        if ask:
            session.terminal.ask("Apply this plan?")
        record = Record(
            made,
            intent.desired,
            session.terminal,
            command=orders.command,
            page_files=intent.page_files,
            begun_at=session.now(),
            folder=orders.folder,
            named=orders.journal,
        )
        _leave_a_line(session, intent)
        done = _written(session, orders, intent, api, interruption, taken_at, record)
    return _exit_code(session, done)


def _written(
    session: Session,
    orders: Orders,
    intent: Intent,
    api: "WritingApi",
    interruption: "Interruption",
    taken_at: float,
    record: "Record",
) -> "Report":
    from bio_sync.applying.outcomes import report_of  # noqa: PLC0415
    from bio_sync.applying.run import apply_plan  # noqa: PLC0415

    made = intent.plan
    with interruption, session.terminal.watching() as watch:
        if made.changes:
            watch.begin(WRITING, len(made.changes))
        tell = _telling(session, made, watch)
        # From here on nobody can say any more, of a run that ends without its report, that nothing was written.
        session.plan, session.writing = None, True
        for outcome in intent.left:
            tell(outcome)
        interruption.notice = lambda: tell_of_the_end(session, watch)
        done = apply_plan(
            made,
            intent.desired,
            api,
            taken_at=taken_at,
            terms=orders.terms,
            interruption=interruption,
            tell=tell,
            clock=session.clock,
            sleep=watch.sleeping(LOST_ANSWER, session.sleep or interruption.sleep),
        )
        done = report_of([*done.outcomes, *intent.left], ended_by=done.ended_by, bug=done.bug)
        watch.end()
        _report(session, orders, made, done, api.meter, record)
    return done


def _report(session: Session, orders: Orders, made: "Plan", done: "Report", meter: "Meter", record: "Record") -> None:
    from bio_sync.interruption import Interruption  # noqa: PLC0415

    # A signal that comes now does not cut the report in two; another one does.
    with Interruption():
        session.reported = True
        show_report(session, made, done, meter, journal=record.path)
        record.end(done)
        if any(outcome.written for outcome in done.outcomes):
            _tell_of_the_way_back(session, orders, record)


def _tell_of_the_way_back(session: Session, orders: Orders, record: "Record") -> None:
    from bio_sync.shell import path_word, typed  # noqa: PLC0415

    if record.path and record.leads_back:
        session.terminal.say(f"to take it back: {typed('undo', path_word(record.path))}")
    if orders.afterwards:
        session.terminal.say(orders.afterwards)


def _leave_a_line(session: Session, intent: Intent) -> None:
    """Keep what becomes of the pages apart from the plan above it."""
    if (intent.plan.changes or intent.plan.gone or intent.left) and session.output_format == "text":
        session.terminal.result("\n")


def _telling(session: Session, made: "Plan", watch: "Watch") -> "Callable[[Outcome], None]":
    """Give what tells of each page, and counts those that were to be written."""
    left = {change.page_id for change in made.changes}
    count = len(left)

    def tell(outcome: "Outcome") -> None:
        left.discard(outcome.page_id)
        watch.reach(WRITING, count - len(left))
        tell_outcome(session, outcome)

    return tell


def tell_of_the_end(session: Session, watch: "Watch") -> None:
    """Say after the first Ctrl-C what happens now; what is left of the time is foretold no more."""
    watch.end()
    session.terminal.say(CTRL_C_AGAIN)


def _exit_code(session: Session, done: "Report") -> int:
    """Give the code of a run; of one that wrote and could not tell, it is not the one that says that nothing was."""
    if done.bug:
        raise done.bug
    untold = session.terminal.result_lost and any(outcome.written for outcome in done.outcomes)
    return done.exit_code or (INCOMPLETE if untold else 0)
