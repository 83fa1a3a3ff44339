"""`import bio_sync`: the three verbs as functions that take and give values; they print nothing and ask nobody.

Key and address come from the same places as those of the command, in the same order, unless they are given.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from bio_sync import workflow
from bio_sync.address import told_address
from bio_sync.applying.guards import RESERVE_SETTING, Limit
from bio_sync.applying.outcomes import Outcome, Report
from bio_sync.applying.run import Terms, apply_plan
from bio_sync.config import Config, read_config
from bio_sync.consent import check_consent, check_seen
from bio_sync.errors import NoConsent, NoPages
from bio_sync.interruption import Interruption
from bio_sync.journal import APPLY
from bio_sync.key import ApiKey, read_key
from bio_sync.library.withoutkey import Files, Listener, redacting, remember, safe, without_keys
from bio_sync.model import DesiredPage
from bio_sync.pages import PageFiles
from bio_sync.planning import Plan
from bio_sync.problems import Problem
from bio_sync.record import Record
from bio_sync.timetable import has_come
from bio_sync.visible import plural, shortened, visible

Form = Literal["text", "json", "markdown", "html", "gitlab"]
Consent: TypeAlias = Plan | Callable[[Plan], bool]

# An hour, as for the options of the command.
LONGEST = 3600.0


@dataclass(frozen=True, slots=True, repr=False)
class Pages:
    """Page files that were read and found good, and the settings that count for them; made by `load`.

    Iterating gives a DesiredPage for each file. `files`, `config` and `asked_for` are for `plan` and `apply`.
    """

    files: PageFiles
    config: Config
    asked_for: bool = False

    def __repr__(self) -> str:
        return f"<{plural(len(self), 'page')} of {self.files.at.isoformat(timespec='seconds')}>"

    def __iter__(self) -> Iterator[DesiredPage]:
        return iter(self.files.desired)

    def __len__(self) -> int:
        return len(self.files.desired)

    @property
    def at(self) -> datetime:
        """Give the moment, with its offset, that links with `show_from` and `show_until` were read for."""
        return self.files.at

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Give what is allowed in the files, and not good."""
        return self.files.warnings


@dataclass(frozen=True, slots=True)
class Service:
    """The service to ask, where it is not the one that the environment names.

    `key` is the API key, `api_url` the address, `timeout` the seconds that a request may take.
    """

    key: str | None = field(default=None, repr=False)
    api_url: str | None = None
    timeout: float = 30.0

    def found(self) -> tuple[str, ApiKey, float]:
        """Give address, key and timeout; raises InvalidKey when there is no key, ValueError for a senseless time."""
        key = read_key(os.environ, file=None) if self.key is None else ApiKey(self.key)
        remember(key)
        if self.timeout == 0:
            raise ValueError("0 seconds are no time for an answer")
        return told_address(self.api_url, os.environ), key, _seconds(self.timeout)


class RunInterrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM in an apply: what was under way was settled, and `report` has what became of each page."""

    def __init__(self, report: Report) -> None:
        super().__init__("interrupted")
        self.report = report


def load(
    *paths: str | os.PathLike[str], config: str | os.PathLike[str] | None = None, at: datetime | None = None
) -> Pages:
    """Read and check page files: files or folders, or else those that `bio-sync.yaml` names; no network, no key.

    `config` is another `bio-sync.yaml`; without, it is found from the working directory upwards. `at` is the moment
    that links show for, with an offset; without, it is now.

    Raises:
        InvalidFiles: the files have problems; `problems` has all of them, each with its place and a hint.
        NoPages: there is no page file, or a path is not there.
        NoFolder: the working directory was removed.
        ValueError: `at` has no offset.
    """
    if at is not None and at.utcoffset() is None:
        raise ValueError("at has no offset: give a datetime with a timezone")
    if any(not os.fspath(path) for path in paths):
        raise NoPages("a path is empty", hint="is a variable unset?")
    settings = read_config(None if config is None else os.fspath(config))
    files = workflow.read_files([os.fspath(path) for path in paths], settings, at=at or datetime.now(UTC))
    workflow.checked(files)
    return Pages(files, settings, asked_for=at is not None)


def plan(pages: Pages, *, base: str | None = None, service: Service | None = None) -> Plan:
    """Compare pages with the live ones: one API call for 200 pages, one GET for a single page; it only reads.

    With `base`, a commit, each operation has its `origin`.

    Raises:
        InvalidKey, InvalidAddress: there is no key, or one that can't be sent, or an address it must not be sent to.
        NoRevision: git can't give the files of `base`.
        ServiceError: the service did not answer, or refused; its subclasses tell which.
    """
    from bio_sync.api import Api  # noqa: PLC0415 - httpx, which `load` alone does not need
    from bio_sync.base import read_base  # noqa: PLC0415 - and git with it

    before = None if base is None else read_base(pages.files, pages.config, base)
    address, key, timeout = (service or Service()).found()
    with redacting(key), Api(address, key, timeout=timeout) as api:
        return workflow.plan_pages(
            pages.files,
            api,
            now=datetime.now(UTC),
            at=pages.at.isoformat() if pages.asked_for else None,
            commit=workflow.commit_of(pages.files),
            base=before,
            limit=workflow.guard_limit(pages.config),
            reserve=pages.config.reserve,
        )


def apply(
    pages: Pages,
    consent: Consent,
    *,
    force: bool = False,
    max_changes: int | str | None = None,
    reserve: int | None = None,
    max_age: float = 15.0,
    settle: float = 15.0,
    journal: str | os.PathLike[str] | None = None,
    tell: Callable[[Outcome], None] = lambda _: None,
    service: Service | None = None,
) -> Report:
    """Make the plan afresh, and write it if that is what was agreed to; a PATCH holds only the fields that differ.

    `consent` is a plan that somebody has agreed to, or a function that is shown the fresh one and gives True or False,
    which saves reading the live pages twice. What is rarely meant needs `force`; `max_changes` is 10 or "30%".
    `reserve`, in API calls, `max_age` and `settle`, in seconds, are the command's. The journal goes into `.bio-sync/`,
    or into the file `journal`. `tell` hears each outcome, in the thread that called. One failing page does not stop the
    others: look at `Report.exit_code`. What `tell` raises comes out when all is written.

    Raises, and nothing was written but after RunInterrupted:
        StalePlan: the fresh plan would write something else; the error names the page and the field that moved.
        NoConsent: `consent` gave False, or `pages` were loaded for another moment, or before a link's time came.
        Unsafe, QuotaTooSmall: what is rarely meant, without `force`; too few calls are left.
        NotWritten: the file `journal` can't be written.
        RunInterrupted: Ctrl-C or SIGTERM; what was under way was settled first.
        InvalidKey, InvalidAddress, ServiceError: as `plan`.
    """
    limit = _limit(max_changes, pages.config)
    calls = pages.config.reserve if reserve is None else reserve
    if type(calls) is not int or calls < 0:
        raise ValueError(f"{calls} is no number of calls")
    by = RESERVE_SETTING if reserve is None else "reserve"
    terms = Terms(_seconds(max_age), _seconds(settle), calls, by)
    return _carried_out(pages, consent, None if force else limit, terms, journal, tell, service or Service())


def _carried_out(
    pages: Pages,
    consent: Consent,
    limit: Limit | None,
    terms: Terms,
    journal: str | os.PathLike[str] | None,
    tell: Callable[[Outcome], None],
    service: Service,
) -> Report:
    from bio_sync.api import WritingApi  # noqa: PLC0415 - httpx, which `load` alone does not need

    begun_at = datetime.now(UTC)
    _check_moment(pages, begun_at)
    address, key, timeout = service.found()
    listener, interruption = Listener(tell, key), Interruption()
    with (
        redacting(key),
        WritingApi(address, key, timeout=timeout, sleep=interruption.sleep, ending=interruption.ending) as api,
    ):
        taken_at = time.monotonic()
        fresh = workflow.plan_pages(pages.files, api, now=begun_at, commit=workflow.commit_of(pages.files))
        if isinstance(consent, Plan):
            check_seen(consent)
            check_consent(consent, fresh, now=begun_at)
        workflow.check_safety(fresh, api.meter, terms, limit=limit)
        # Nobody is asked about what the guards hold back, nor about nothing.
        if not isinstance(consent, Plan) and fresh.changes:
            _check_answer(consent(fresh))
        record = _record(fresh, pages, key, begun_at, journal)
        with interruption:
            done = apply_plan(
                fresh, pages, api, taken_at=taken_at, terms=terms, interruption=interruption, tell=listener.hear
            )
            done = replace(done, outcomes=tuple(safe(each, key) for each in done.outcomes), journal=record.path)
            record.end(done)
    for failure in (done.bug, RunInterrupted(done) if done.ended_by else None, listener.failure):
        if failure is not None:
            raise failure
    return done


def format_plan(plan: Plan, form: Form = "text") -> str:
    """Write a plan as the command's `--format` does; `read_plan` reads what is written as json.

    A key that was used in this process, and stands on a page, is cut out. Raises ValueError for an unknown form.
    """
    from bio_sync.render import RENDERERS  # noqa: PLC0415 - a program need not show its plans

    if form not in RENDERERS:
        raise ValueError(f"there is no form {form!r}; there are {', '.join(RENDERERS)}")
    return without_keys(RENDERERS[form](plan))


def _record(
    fresh: Plan, pages: Pages, key: ApiKey, begun_at: datetime, journal: str | os.PathLike[str] | None
) -> Record:
    return Record(
        fresh,
        pages,
        Files(key),
        command=APPLY,
        page_files=len(pages),
        begun_at=begun_at,
        folder=pages.config.folder,
        named=None if journal is None else os.fspath(journal),
    )


def _seconds(told: float) -> float:
    if not 0 <= told <= LONGEST:
        raise ValueError(f"{told} is no number of seconds from 0 to {LONGEST}")
    return told


def _limit(told: int | str | None, config: Config) -> Limit:
    return workflow.guard_limit(config) if told is None else Limit.read(str(told))


def _check_answer(answer: object) -> None:
    """Let pass True alone: a coroutine that nobody has awaited, or a text, would be a yes to Python."""
    if answer is False:
        raise NoConsent("nothing was written: the plan was not agreed to")
    if answer is not True:
        raise TypeError(f"the consent has to be True or False, and is a {type(answer).__name__}")


def _check_moment(pages: Pages, now: datetime) -> None:
    """Let pass only pages that are what their files want now; raises NoConsent."""
    if pages.asked_for:
        raise NoConsent("the pages were loaded for another moment", hint="to write, load them without `at`")
    due = [each for each in pages.files.transitions if has_come(each.moment, now)]
    if due:
        named = f"'{shortened(due[0].label)}' of {visible(due[0].file)} at {visible(due[0].moment)}"
        raise NoConsent(f"since the pages were loaded it was time for a link: {named}", hint="load them again")
