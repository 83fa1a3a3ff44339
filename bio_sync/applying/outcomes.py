"""What became of each page, and of all of them: values, and the code that a run exits with."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from bio_sync.planning import Plan

Word = Literal["applied", "unchanged", "failed", "unknown", "skipped"]
OUTCOMES: tuple[Word, ...] = ("applied", "unchanged", "failed", "unknown", "skipped")
# Of a page that is not there; it is never created.
GONE = "the page is not in this workspace: it was deleted, or the key is another workspace's"


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
    """What became of all pages, ordered by file; `ended_by` is the exit code of the signal that ended the run.

    `bug` is a failure that nobody has foreseen, and that ended the run. `journal` is the name of the file for an undo,
    where one was written.
    """

    outcomes: tuple[Outcome, ...]
    ended_by: int = 0
    bug: BaseException | None = None
    journal: str | None = None

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


def report_of(outcomes: Iterable[Outcome], *, ended_by: int = 0, bug: BaseException | None = None) -> Report:
    """Put outcomes in the order of files."""
    return Report(tuple(sorted(outcomes, key=lambda outcome: (outcome.file, outcome.page_id))), ended_by, bug)


def held_back(plan: Plan, reason: str | None) -> Report:
    """Give the outcomes of a plan that was refused as a whole: nothing of it was written."""
    message = "nothing was written"
    skipped = (Outcome(each.page_id, each.file, "skipped", each.actions, reason, message) for each in plan.changes)
    return report_of([*without_changes(plan), *skipped])


def without_changes(plan: Plan) -> Iterator[Outcome]:
    """Give the outcomes of the pages that no request is sent for: those that are as wanted, and those that are gone."""
    for page in plan.unchanged:
        yield Outcome(page.page_id, page.file, "unchanged")
    for page in plan.gone:
        yield Outcome(page.page_id, page.file, "failed", reason="gone", message=GONE)
