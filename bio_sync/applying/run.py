"""All pages of a plan: in which order, how many at once, and what ends the run before its end."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from bio_sync.applying.outcomes import Outcome, Report, report_of, without_changes
from bio_sync.applying.page import Means, PageWriter, Result
from bio_sync.applying.remote import Remote, RunEnds
from bio_sync.applying.view import View, writes_of_a_look
from bio_sync.errors import ServiceError, exit_code_of
from bio_sync.interruption import Interruption
from bio_sync.model import DesiredPage
from bio_sync.planning import Change, Plan

# A service that fails three pages in a row would fail the others too, and each costs calls and a long wait.
MOST_TROUBLED = 3
# Seconds from the first Ctrl-C to the report, whatever hangs: GitHub kills a cancelled job after 7.5.
LAST_SECONDS = 7.0
_WHY = {
    "auth": "the API key was refused",
    "quota": "the service takes no more calls",
    "unreachable": f"{MOST_TROUBLED} pages in a row could not be reached",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run is held to: seconds that a view may be old and that a lost write gets, and calls left for people.

    `reserved_by` names what told their number.
    """

    max_age: float = 15.0
    settle: float = 15.0
    reserve: int = 0
    reserved_by: str = "--reserve"


@dataclass(frozen=True, slots=True)
class _Stop:
    """Why no further page is begun."""

    reason: str | None
    message: str = ""


def apply_plan(
    plan: Plan,
    desired: Iterable[DesiredPage],
    remote: Remote,
    *,
    taken_at: float,
    terms: Terms | None = None,
    interruption: Interruption | None = None,
    tell: Callable[[Outcome], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] | None = None,
) -> Report:
    """Write every change of `plan`; `tell` hears each outcome as it is known.

    `desired` are the pages that the plan was made of, `taken_at` is when the live pages were asked for, on
    `clock`. One failing page does not stop the others; a refused key, the month's end, three pages in a row out
    of reach and an interrupt do: what is under way is settled, and what is left is `skipped`.
    """
    terms, interruption = terms or Terms(), interruption or Interruption()
    calls = plan.circumstances.calls
    run = _Run(plan, {page.page_id: page for page in desired}, remote, terms, interruption, tell)
    view = View(
        remote,
        plan.changes,
        taken_at=taken_at,
        calls=calls,
        worth=max(1, writes_of_a_look(calls, rate=remote.rate, max_age=terms.max_age)),
        max_age=terms.max_age,
        clock=clock,
        lock=Lock(),
        may_look=run.goes_on,
        looked=run.hear_of_a_look,
    )
    return run.to_its_end(Means(remote, view, terms.settle, clock, sleep or interruption.sleep, run.goes_on))


class _Run:
    def __init__(
        self,
        plan: Plan,
        wanted: dict[str, DesiredPage],
        remote: Remote,
        terms: Terms,
        interruption: Interruption,
        tell: Callable[[Outcome], None],
    ) -> None:
        self._plan = plan
        self._wanted = wanted
        self._remote = remote
        self._terms = terms
        self._interruption = interruption
        self._tell = tell
        self._waiting = deque(plan.changes)
        self._under_way: dict[str, PageWriter] = {}
        self._answers: SimpleQueue[tuple[str, Result | BaseException] | None] = SimpleQueue()
        self._outcomes = list(without_changes(plan))
        self._troubled = 0
        self._looks_failed = 0
        self._stop: _Stop | None = None
        self._bug: BaseException | None = None
        self._ends_at: float | None = None
        interruption.wake = lambda: self._answers.put(None)

    def goes_on(self) -> None:
        """Let a write leave, or the look before it; raises RunEnds when nothing is to be written any more."""
        self._look_for_an_end(calls=1)
        if self._stop is not None:
            raise RunEnds(self._stop.reason)

    def hear_of_a_look(self, failure: ServiceError | None) -> None:
        """Take note of how a look at the pages went, before anybody who has waited for it makes the same call."""
        self._looks_failed = self._looks_failed + 1 if failure else 0
        if failure and failure.stops_the_run:
            self._stop_for(failure.reason)
        elif failure and self._looks_failed == MOST_TROUBLED:
            self._stop_for(failure.reason, f"the pages can't be looked at: {failure.message}")

    def to_its_end(self, means: Means) -> Report:
        """Begin pages as long as nothing speaks against it, and collect what becomes of them."""
        ended_by = 0
        steps = deque((self._tell_the_unchanged, lambda: self._begin_and_collect(means), self._what_is_left))
        while steps:
            try:
                steps[0]()
            except KeyboardInterrupt as error:
                # The second one: nothing is waited for any more, but all that is known is still told.
                ended_by = exit_code_of(error)
                self._stop = _Stop("interrupted")
                steps = deque((self._what_is_left,))
            else:
                steps.popleft()
        return report_of(self._outcomes, ended_by=ended_by or self._interruption.exit_code, bug=self._bug)

    def _tell_the_unchanged(self) -> None:
        for outcome in list(self._outcomes):
            self._tell(outcome)

    def _begin_and_collect(self, means: Means) -> None:
        while self._waiting or self._under_way:
            while self._waiting and len(self._under_way) < self._remote.lanes and self._has_room():
                self._begin(self._waiting.popleft(), means)
            if not self._under_way:
                return
            try:
                answer = self._next_answer()
            except Empty:
                return
            if answer is None:
                self._ends_at = time.monotonic() + LAST_SECONDS
                self._remote.hurry()
                self._interruption.notice()
            else:
                self._collect(*answer)

    def _next_answer(self) -> tuple[str, Result | BaseException] | None:
        if self._ends_at is None:
            return self._answers.get()
        return self._answers.get(timeout=max(0.0, self._ends_at - time.monotonic()))

    def _has_room(self) -> bool:
        """Tell whether the next page may begin: with all calls of those under way, although some are sent already.

        Near the reserve one page after the other is written then, since only between two pages it is sure what is left.
        """
        left, reserve, calls = self._remote.quota_remaining, self._terms.reserve, len(self._waiting[0].actions)
        begun = sum(len(writer.change.actions) for writer in self._under_way.values())
        if reserve and begun and left is not None and left - begun - calls < reserve:
            return False
        self._look_for_an_end(calls=calls)
        return self._stop is None

    def _look_for_an_end(self, *, calls: int) -> None:
        """Stop the run when somebody asked for it, or when so many calls would take from those kept for people."""
        left, reserve = self._remote.quota_remaining, self._terms.reserve
        if self._stop is not None:
            return
        if self._interruption.ending.is_set():
            self._stop = _Stop("interrupted")
        elif reserve and left is not None and left - calls < reserve:
            self._stop = _Stop("quota", f"{left:,} calls are left this month, and {reserve:,} are kept for people")

    def _begin(self, change: Change, means: Means) -> None:
        """Write a page in a thread of its own, which does not keep the process alive when it is told to leave."""
        writer = PageWriter(change, self._wanted[change.page_id], means)
        self._under_way[change.page_id] = writer

        def write() -> None:
            result: Result | BaseException
            try:
                result = done = writer.run()
                if done.stops:
                    self._stop_for(done.stops)
            # Whatever it was: the run waits for each page's answer, and would wait for ever for one that never comes.
            except BaseException as error:  # noqa: BLE001 - a bug: the run tells it with its report
                result = error
            self._answers.put((change.page_id, result))

        Thread(target=write, name=f"write {change.page_id}", daemon=True).start()

    def _collect(self, page_id: str, result: Result | BaseException) -> None:
        # Kept before it is taken off the list: a second Ctrl-C may come between any two lines.
        outcome = self._judged(self._under_way[page_id], result)
        self._outcomes.append(outcome)
        del self._under_way[page_id]
        self._tell(outcome)

    def _judged(self, writer: PageWriter, result: Result | BaseException) -> Outcome:
        """Give the outcome of a page, and see what it says about the run."""
        if isinstance(result, BaseException):
            self._bug, self._stop = result, self._stop or _Stop(None, "a bug in bio-sync")
            return writer.broken_off(None, "a bug in bio-sync broke off its writing: look at the page")
        self._troubled = self._troubled + 1 if result.troubled else 0
        if self._troubled == MOST_TROUBLED:
            self._stop_for("unreachable")
        return self._skipped(writer.change) if result.outcome.outcome == "skipped" else result.outcome

    def _stop_for(self, reason: str | None, why: str = "") -> None:
        """Begin no further page, for what every page would meet; the first reason stays. Safe from any thread."""
        self._stop = self._stop or _Stop(reason, _WHY.get(reason or "", why))

    def _what_is_left(self) -> None:
        """Give an outcome to every page that was not begun, or whose end nobody waits for any more."""
        while self._under_way:
            try:
                answer = self._answers.get_nowait()
            except Empty:
                break
            if answer is not None:
                self._collect(*answer)
        known = {outcome.page_id for outcome in self._outcomes}
        for change in self._plan.changes:
            if change.page_id in known:
                continue
            message = "interrupted while it was written: look at the page, or run again"
            begun = self._under_way.get(change.page_id)
            outcome = begun.broken_off("interrupted", message) if begun else self._skipped(change)
            self._outcomes.append(outcome)
            self._tell(outcome)

    def _skipped(self, change: Change) -> Outcome:
        stop = self._stop or _Stop("interrupted")
        message = "the run was stopped before it" + (f": {stop.message}" if stop.message else "")
        return Outcome(change.page_id, change.file, "skipped", change.actions, stop.reason, message)
