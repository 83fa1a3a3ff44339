"""Carries a plan out, page by page: one failing page does not stop the others, and each gets one outcome."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from bio_sync.diff import Operation
from bio_sync.errors import ServiceError, Terminated, UnclearWrite
from bio_sync.jsonvalues import Json, JsonObject, canonical
from bio_sync.model import WRITABLE_FIELDS, DesiredPage, LivePage
from bio_sync.plan import PUBLISH, UPDATE, Change, PageFile, Plan, change_of
from bio_sync.pointer import from_pointer
from bio_sync.visible import shortened

Word = Literal["applied", "unchanged", "failed", "unknown", "skipped"]
OUTCOMES: tuple[Word, ...] = ("applied", "unchanged", "failed", "unknown", "skipped")
MOST_NAMED = 3


class Remote(Protocol):
    """What carrying out a plan needs of the service; both give the page as stored and the request's id."""

    def update(self, page_id: str, fields: JsonObject) -> tuple[LivePage, str | None]:
        """Change the given top-level fields of a page."""

    def set_published(self, page_id: str, *, published: bool) -> tuple[LivePage, str | None]:
        """Publish or unpublish a page."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one page. `reason` is a stable word for scripts, `message` a sentence for people.

    `written` tells whether something of the page was changed, or may have been.
    """

    page_id: str
    file: str
    outcome: Word
    actions: tuple[str, ...] = ()
    reason: str | None = None
    message: str = ""
    request_id: str | None = None
    written: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all pages, ordered by file; `ended_by` is the exit code of the signal that ended the run."""

    outcomes: tuple[Outcome, ...]
    ended_by: int = 0

    @property
    def summary(self) -> dict[str, int]:
        """Count pages by outcome."""
        words = Counter(outcome.outcome for outcome in self.outcomes)
        return {word: words[word] for word in OUTCOMES}

    @property
    def exit_code(self) -> int:
        """0 all is as wanted; 3 something was written and something was not; 1 nothing was; 130, 143 a signal."""
        if self.ended_by:
            return self.ended_by
        if all(outcome.outcome in {"applied", "unchanged"} for outcome in self.outcomes):
            return 0
        return 3 if any(outcome.written for outcome in self.outcomes) else 1


def apply_plan(
    plan: Plan,
    desired: Iterable[DesiredPage],
    remote: Remote,
    *,
    tell: Callable[[Outcome], None] = lambda _: None,
) -> Report:
    """Write every change of `plan`; `tell` hears each outcome as it is known.

    `desired` are the pages that the plan was made of: what the server stored is compared with what they want.
    A refused key and the month's end stop the run, as an interrupt does: what is left is `skipped`.
    """
    outcomes = [_left_alone(page) for page in plan.unchanged] + [_gone(page) for page in plan.gone]
    for outcome in outcomes:
        tell(outcome)
    wanted = {page.page_id: page for page in desired}
    stopped: Outcome | None = None
    ended_by = 0
    for change in plan.changes:
        try:
            if stopped is None:
                outcome, stops = _carried_out(change, wanted[change.page_id], remote)
            else:
                outcome, stops = _skipped(change, stopped), True
        except KeyboardInterrupt as error:
            outcome, stops, ended_by = _interrupted(change), True, _exit_code(error)
        outcomes.append(outcome)
        try:
            tell(outcome)
        except KeyboardInterrupt as error:
            stopped, ended_by = _interrupted(change), _exit_code(error)
        stopped = stopped or (outcome if stops else None)
    return Report(tuple(sorted(outcomes, key=lambda outcome: (outcome.file, outcome.page_id))), ended_by)


def _left_alone(page: PageFile) -> Outcome:
    return Outcome(page.page_id, page.file, "unchanged")


def _gone(page: PageFile) -> Outcome:
    message = "the page is not in this workspace: it was deleted, or the key is another workspace's"
    return Outcome(page.page_id, page.file, "failed", reason="gone", message=message)


def _exit_code(ended_by: KeyboardInterrupt) -> int:
    return 143 if isinstance(ended_by, Terminated) else 130


def _skipped(change: Change, stopped: Outcome) -> Outcome:
    message = "the run was stopped before it"
    return Outcome(change.page_id, change.file, "skipped", change.actions, stopped.reason, message)


def _interrupted(change: Change) -> Outcome:
    message = "interrupted while it was written: look at the page, or run again"
    return Outcome(change.page_id, change.file, "unknown", change.actions, "interrupted", message, written=True)


def _carried_out(change: Change, wanted: DesiredPage, remote: Remote) -> tuple[Outcome, bool]:
    """Write one page, and tell whether the run has to stop after it."""
    done = Outcome(change.page_id, change.file, "applied", change.actions)
    try:
        for action in change.actions:
            if action == UPDATE:
                stored, request_id = remote.update(change.page_id, change.patch)
                fields = tuple(field for field in WRITABLE_FIELDS if field in change.patch)
            else:
                stored, request_id = remote.set_published(change.page_id, published=action == PUBLISH)
                fields = ("published",)
            done = replace(done, request_id=request_id, written=True)
            if differences := [*_stored_otherwise(fields, wanted, stored)]:
                message = _named(differences)
                return replace(done, outcome="failed", reason="not-converged", message=message), False
    except UnclearWrite as error:
        unclear = replace(done, outcome="unknown", reason=error.reason, message=_words(error), written=True)
        return replace(unclear, request_id=error.request_id), False
    except ServiceError as error:
        failed = replace(done, outcome="failed", reason=error.reason, message=_words(error))
        return replace(failed, request_id=error.request_id), error.stops_the_run
    return done, False


def _stored_otherwise(fields: tuple[str, ...], wanted: DesiredPage, stored: LivePage) -> Iterator[Operation]:
    """Give the steps that are still missing, in the fields that were written; what is left alone is none."""
    left = change_of(wanted, stored)
    for step in left.operations if left else ():
        if from_pointer(step.path)[0] in fields:
            yield step


def _named(differences: list[Operation]) -> str:
    said = [_difference(step) for step in differences[:MOST_NAMED]]
    if len(differences) > MOST_NAMED:
        said.append(f"and {len(differences) - MOST_NAMED} more")
    way_out = "Write in the file what the server stores, or add the pointer to `ignore`"
    return "; ".join(said) if differences[0].path == "/published" else f"{'; '.join(said)}. {way_out}"


def _difference(step: Operation) -> str:
    match step.op:
        case "remove":
            return f"{step.path}: the server keeps {_value(step.before)}, which the file does not have"
        case "add":
            return f"{step.path}: the server does not store {_value(step.after)}"
        case "move":
            return f"{step.path}: the server stores it at {step.source}"
        case _:
            return f"{step.path}: the server stores {_value(step.before)} for {_value(step.after)}"


def _value(value: Json) -> str:
    return f"'{shortened(value)}'" if isinstance(value, str) else shortened(canonical(value))


def _words(error: ServiceError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message
