"""One page on its way to what its file wants: a write whose answer was lost is settled by reading.

For each action of the change, as often as need be:

    look at the page          edited since: drifted; as wanted by now: nothing to do
    write                     refused: failed; stored otherwise: not converged
    the answer was lost       wait until the service is surely done, read back, begin again: once

RFC 9110, section 9.2.2, allows to repeat a write that is found not to have been applied, and only once.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bio_sync.answers import BUSY_HINT
from bio_sync.applying import stored
from bio_sync.applying.outcomes import GONE, Outcome, Word
from bio_sync.applying.parts import Parts
from bio_sync.applying.remote import Remote, RunEnds, ViewTooOld
from bio_sync.applying.view import View
from bio_sync.errors import PageGone, ServiceError, TooManyRequests, UnclearWrite
from bio_sync.model import WRITABLE_FIELDS, DesiredPage, LivePage, PageContent, same_field
from bio_sync.planning import PUBLISH, UPDATE, Change, change_of
from bio_sync.visible import visible

if TYPE_CHECKING:
    from bio_sync.diff import Operation

# A write that waits for its turn so long that its view gets too old looks again, but not for ever.
MOST_LOOKS = 5
MOST_LOST = 2
# The first time, and five times after the service was busy; each may have asked for a new look in between.
MOST_SENT = 6


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a page, and of the run: why it stops at once, if it does, and whether the service has trouble."""

    outcome: Outcome
    stops: str | None = None
    troubled: bool = False


class Ended(Exception):
    """A page that goes no further; its result."""

    def __init__(self, result: Result) -> None:
        super().__init__()
        self.result = result


@dataclass(slots=True)
class Means:
    """What all pages of a run are written with. `may_write` raises RunEnds once nothing is to be written."""

    remote: Remote
    view: View
    settle: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    may_write: Callable[[], None]


class PageWriter:
    """Carries out the change of one page, as one transaction that tells what became of it."""

    def __init__(self, change: Change, wanted: DesiredPage, means: Means) -> None:
        self.change = change
        self._wanted = wanted
        self._means = means
        self._done = Outcome(change.page_id, change.file, "unchanged", change.actions)
        self._expected: tuple[Operation, ...] = change.operations
        self._was: PageContent = change.before
        self._left_at = 0.0
        self._sent = 0
        self._lost: list[UnclearWrite] = []
        self._lost_steps: list[Operation] = []
        # Whether nobody knows yet what became of the last write.
        self._unclear = False
        self._parts = Parts(change.actions)

    def run(self) -> Result:
        """Write the page and give what became of it; every failure of the service ends in an outcome."""
        try:
            for action in self.change.actions:
                self._lost.clear()
                self._sent, self._unclear = 0, False
                self._carry_out(action)
        except Ended as ended:
            return ended.result
        except RunEnds as end:
            return self._cut_short(end.reason)
        except ServiceError as error:
            return self._failed(error)
        finally:
            self._means.view.done(self.change.page_id)
        return Result(self._done)

    def broken_off(self, reason: str | None, message: str) -> Outcome:
        """Give the outcome of a page whose end nobody waits for any more; safe from any thread."""
        said = self._parts.told(message, unclear=True)
        return replace(self._done, outcome="unknown", reason=reason, message=said, request_id=None, written=True)

    def _carry_out(self, action: str) -> None:
        too_old = 0
        while too_old < MOST_LOOKS:
            if not self._lost:
                self._means.may_write()
            live = self._means.view.page(self.change.page_id)
            if found := stored.moved(self._wanted, self._expected, self._was, live):
                raise Ended(self._drifted(stored.edited(found)))
            left = change_of(self._wanted, live)
            if left is None or action not in left.actions:
                self._is_done_already(action, live)
                return
            steps = _steps_of(action, left)
            if self._lost and stored.recognised(steps) != stored.recognised(self._lost_steps):
                # A write is carried out whole: somebody has undone a part of it.
                raise Ended(self._drifted(stored.edited(steps)))
            if len(self._lost) == MOST_LOST:
                raise Ended(self._unknown(self._lost[-1]))
            sent, self._unclear = self._sent, False
            try:
                self._write(action, left, live)
            except ViewTooOld:
                # After a 429 it was the service that asked for the wait.
                too_old += self._sent == sent
            except UnclearWrite as error:
                self._sent, self._unclear, self._lost_steps = 0, True, steps
                self._settle(error)
            else:
                return
        raise Ended(self._unknown(self._lost[-1]) if self._lost else self._came_too_late())

    def _write(self, action: str, left: Change, live: LivePage) -> None:
        remote, page_id = self._means.remote, left.page_id
        if action == UPDATE:
            page, request_id = remote.update(page_id, left.patch, self._permit)
            fields = tuple(field for field in WRITABLE_FIELDS if field in left.patch)
        else:
            page, request_id = remote.set_published(page_id, published=action == PUBLISH, permit=self._permit)
            fields = ("published",)
        self._means.view.wrote(page, self._left_at)
        self._done = replace(self._done, outcome="applied", request_id=request_id, written=True)
        self._verify(action, fields, live, page)

    def _permit(self) -> None:
        """Let a write leave only as long as the run goes on and what it is based on is young."""
        self._means.may_write()
        if self._sent == MOST_SENT:
            raise TooManyRequests("too many requests a second, each time it was sent", hint=BUSY_HINT)
        if not self._means.view.is_recent(self.change.page_id):
            raise ViewTooOld
        self._sent += 1
        self._left_at = self._means.clock()

    def _verify(self, action: str, fields: tuple[str, ...], live: LivePage, page: LivePage) -> None:
        """Compare the answer with what was wanted, and with what was there beside it."""
        left = change_of(self._wanted, page)
        steps = left.operations if left else ()
        otherwise = [step for step in steps if stored.field_of(step) in fields]
        if not otherwise or _differ(fields, live.content, page.content):
            self._parts.finish(action, own=True)
        if left and otherwise:
            said = stored.stored_otherwise(otherwise, left.before, left.after)
            raise Ended(self._ended("failed", "not-converged", said))
        if found := stored.moved(self._wanted, self._expected, live.content, _but_for(fields, page, live)):
            edits = f"{stored.edited(found)}; look at a new plan"
            said = f"another place was edited since the plan, and not overwritten: {edits}"
            raise Ended(self._ended("failed", "drifted", said))
        if beside := stored.changed_beside(live.content, page.content, fields):
            self._note(f"{', '.join(map(visible, beside[:3]))} changed at the same time, and was left alone")
        self._now_expect(page)

    def _now_expect(self, page: LivePage) -> None:
        self._expected, self._was = stored.steps_left(self._wanted, page), page.content

    def _is_done_already(self, action: str, live: LivePage) -> None:
        if self._lost:
            self._note(f"{_of_its_answer(self._lost[-1])}; read back, the page is as wanted")
            self._done = replace(self._done, outcome="applied", written=True)
        self._parts.finish(action, own=bool(self._lost))
        self._now_expect(live)

    def _settle(self, error: UnclearWrite) -> None:
        """Wait until the service is done with the write for certain, and look what came of it."""
        self._lost.append(error)
        self._means.sleep(self._means.settle)
        asked_at = self._means.clock()
        try:
            page = self._means.remote.get_page(self.change.page_id)
        except PageGone as second:
            # It may have been written before it went.
            self._done = replace(self._done, written=True)
            said = f"{_of_its_answer(error)}; read back, {GONE}"
            raise Ended(self._ended("failed", second.reason, said)) from second
        except ServiceError as second:
            # Somebody who ended the run knows why it could not be read.
            self._means.may_write()
            unknown = self._unknown(error).outcome
            said = f"{unknown.message}; reading it back failed: {second.message}"
            raise Ended(Result(replace(unknown, message=said), stops=_stopping(second), troubled=True)) from second
        self._means.view.saw(page, asked_at)

    def _drifted(self, edits: str) -> Result:
        if not self._lost:
            message = f"edited since the plan and not overwritten: {edits}; look at a new plan"
            return self._ended("failed", "drifted", message)
        said = f"{_of_its_answer(self._lost[-1])}; read back, the page is neither as it was nor as wanted"
        why = "somebody edited it, or the server stores it otherwise; look at a new plan"
        self._done = replace(self._done, written=True)
        return self._ended("failed", "drifted", f"{said}: {edits}; {why}")

    def _unknown(self, error: UnclearWrite) -> Result:
        self._unclear = True
        self._done = replace(self._done, request_id=error.request_id, written=True)
        return replace(self._ended("unknown", error.reason, _said(error)), troubled=True)

    def _failed(self, error: ServiceError) -> Result:
        if isinstance(error, TooManyRequests):
            try:
                self._means.may_write()
            except RunEnds as end:
                if end.reason == "interrupted":
                    # Its waiting was cut short.
                    return self._cut_short(end.reason)
            if self._lost:
                return self._unknown(self._lost[-1])
        said = _said(error)
        if isinstance(error, PageGone):
            said = GONE
        if self._lost:
            between = "looking again" if self._unclear else "read back, the page was as before; sent again"
            said = f"{_of_its_answer(self._lost[-1])}; {between}: {said}"
        written = self._done.written or bool(self._lost)
        self._done = replace(self._done, request_id=error.request_id, written=written)
        troubled = error.reason == "unreachable" or isinstance(error, TooManyRequests)
        failed = self._ended("failed", error.reason, said)
        return replace(failed, stops=_stopping(error), troubled=troubled)

    def _came_too_late(self) -> Result:
        message = "its turn to be written came each time so late that the view of the page was too old again"
        return replace(self._ended("failed", "unreachable", message), troubled=True)

    def _cut_short(self, reason: str | None) -> Result:
        """Tell of a page that the end of the run has caught between two requests."""
        if self._lost:
            unknown = self._unknown(self._lost[-1])
            return replace(unknown, outcome=replace(unknown.outcome, reason=reason))
        if self._done.written:
            return self._ended("failed", reason, "the run ended before that; run again")
        return self._ended("skipped", reason, "the run ended before it")

    def _ended(self, word: Word, reason: str | None, why: str) -> Result:
        message = self._parts.told(why, unclear=self._unclear)
        return Result(replace(self._done, outcome=word, reason=reason, message=message))

    def _note(self, said: str) -> None:
        self._done = replace(self._done, message="; ".join(filter(None, (self._done.message, said))))


def _steps_of(action: str, left: Change) -> list["Operation"]:
    return [step for step in left.operations if (stored.field_of(step) == "published") != (action == UPDATE)]


def _said(error: ServiceError) -> str:
    return f"{error.message.removesuffix('.')}; {error.hint}" if error.hint else error.message


def _of_its_answer(error: UnclearWrite) -> str:
    """Say why a write had to be read back: 408 and 5xx are what stands in the place of a lost answer."""
    why = error.__cause__
    if isinstance(why, ServiceError) and (why.status is None or (why.status < 500 and why.status != 408)):
        return "its answer did not show the whole page"
    return "its answer was lost"


def _differ(fields: tuple[str, ...], one: PageContent, other: PageContent) -> bool:
    return not all(same_field(field, getattr(one, field), getattr(other, field)) for field in fields)


def _stopping(error: ServiceError) -> str | None:
    return error.reason if error.stops_the_run else None


def _but_for(fields: tuple[str, ...], page: LivePage, live: LivePage) -> LivePage:
    """Give the page of an answer with the written fields as they were: what is left differs by somebody else."""
    content = replace(page.content, **{field: getattr(live.content, field) for field in fields})
    return replace(page, content=content)
