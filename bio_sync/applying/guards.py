"""What an apply does not do without being told so explicitly; asked before the first write."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bio_sync.applying.view import writes_of_a_look
from bio_sync.errors import QuotaTooSmall, Unsafe
from bio_sync.model import links_of
from bio_sync.planning import UNPUBLISH, Change, Plan
from bio_sync.visible import plural, shortened, visible

# Of the pages that files name; fewer than five changes are what a person looks through.
USUAL_PERCENT, USUAL_LEAST = 30, 5
MOST_NAMED = 5
# One or two pages may have been deleted; more than half of three or more is a list that is not whole.
LEAST_GONE = 3
# No workspace has as many pages: a limit of more digits is one that is never passed.
MOST_PAGES, MOST_DIGITS = 10**9, 9
# Seconds that a view may be old unless somebody says otherwise, for a plan, which does not know who will apply it.
USUAL_AGE = 15.0
RESERVE_OPTION, RESERVE_SETTING = "--reserve", "safety.reserve of bio-sync.yaml"
_LIMIT = re.compile(r"0*([0-9]+)( ?%)?")


@dataclass(frozen=True, slots=True)
class Limit:
    """How many pages one apply may change: a number, or a share of the pages that files name.

    Below `at_least` changes a share is not looked at.
    """

    number: int
    percent: bool
    at_least: int = 1

    @classmethod
    def read(cls, text: str) -> "Limit":
        """Read `10` or `30%`; raises ValueError for anything else."""
        found = _LIMIT.fullmatch(text)
        number = 0 if found is None else int(found[1]) if len(found[1]) <= MOST_DIGITS else MOST_PAGES
        if found is None or (found[2] and number > 100):
            raise ValueError(f"'{shortened(text)}' is neither a number of pages nor a share such as 30%")
        return cls(number, percent=bool(found[2]))

    def is_passed(self, changes: int, pages: int) -> bool:
        """Tell whether so many changes are too many."""
        return changes >= self.at_least and (
            changes * 100 > self.number * pages if self.percent else changes > self.number
        )

    def __str__(self) -> str:
        return f"{self.number} %" if self.percent else f"{self.number:,}"


USUAL_LIMIT = Limit(USUAL_PERCENT, percent=True, at_least=USUAL_LEAST)


def objections(plan: Plan, limit: Limit = USUAL_LIMIT) -> list[str]:
    """Say what is unusual enough about a plan to need `--force`, a sentence each."""
    found: list[str] = []
    pages, changes, gone = plan.summary["pages"], len(plan.changes), len(plan.gone)
    if changes and limit.is_passed(changes, pages):
        found.append(f"{changes:,} of {plural(pages, 'page')} would change, and the limit is {limit}")
    if changes and gone >= LEAST_GONE and gone * 2 > pages:
        found.append(f"{gone:,} of {pages:,} pages are not in this workspace: is the key the right one?")
    named = [f"{visible(change.file)} {what}" for change in plan.changes for what in _unusual(change)]
    more = len(named) - MOST_NAMED
    return found + named[:MOST_NAMED] + ([f"and {more:,} more of that kind"] if more > 0 else [])


def check_guards(plan: Plan, limit: Limit, *, of_files: bool = True) -> None:
    """Raise Unsafe when a plan needs `--force`, naming all of its reasons; not `of_files` is one made of a journal."""
    if found := objections(plan, limit):
        some_files = ", or name the files of which it is: bio-sync apply FILE --force" if of_files else ""
        raise Unsafe(
            f"nothing was written: {'; '.join(found)}",
            hint="look at the plan again; if all of it is meant, give --force (--yes is no consent to this)"
            + some_files,
        )


def check_quota(
    plan: Plan,
    *,
    left: int | None,
    reserve: int,
    looks: int,
    reserved_by: str = RESERVE_OPTION,
    of_files: bool = True,
) -> None:
    """Raise QuotaTooSmall when the month has not enough calls for the whole plan.

    `left` is what the service says is left, None when it does not say; `looks` are calls that refresh the view.
    `reserved_by` names what the `reserve`, in calls, was told by; not `of_files` is a plan made of a journal.
    """
    needed = plan.writes + looks
    if left is None or not plan.writes or needed <= left - reserve:
        return
    smaller = f"--reserve {left - needed} leaves enough; or " if needed <= left else ""
    fewer = ", take a larger plan, or apply fewer files: bio-sync apply PATH" if of_files else ", or take a larger plan"
    raise QuotaTooSmall(
        f"nothing was written: this needs {plural(needed, 'more API call')},"
        f" and {month_has(left, reserve, reserved_by)}",
        hint=f"{smaller}wait for the next month{fewer}",
    )


def foreseen_shortage(plan: Plan, *, left: int | None, reserve: int, looks: int) -> list[str]:
    """Say of a plan that was made without writing that `check_quota` would refuse it, in a sentence if it would.

    An apply makes the plan's own calls once more before it is checked.
    """
    needed = plan.calls_to_apply + looks
    if left is None or not plan.writes or needed <= left - reserve:
        return []
    again = f" ({looks:,} to look at the pages again)" if looks else ""
    has = month_has(left, reserve, RESERVE_SETTING)
    return [f"an apply would be refused: it needs {plural(needed, 'call')}{again}, and {has}"]


def month_has(left: int, reserve: int, reserved_by: str) -> str:
    """Say how many calls the month has left, and how many of them are not to be used."""
    kept = f"{reserve:,} {'is' if reserve == 1 else 'are'} {'kept' if reserve <= left else 'to be kept'} for people"
    how = f", {'of which' if reserve <= left else 'and'} {kept} ({reserved_by})" if reserve else ""
    return f"the month has {left:,} left{how}"


def looks_needed(plan: Plan, *, rate: float, max_age: float = USUAL_AGE) -> int:
    """Count the calls that keep the view fresh while a plan is written at `rate` calls a second."""
    calls = plan.circumstances.calls
    served = writes_of_a_look(calls, rate=rate, max_age=max_age)
    # With a list that costs more than it is worth, each page is looked at alone (see View).
    return plan.writes // served * calls if served >= calls else plan.writes


def _unusual(change: Change) -> Iterator[str]:
    # Counted, not followed: a page that gets other links in the place of its own still leads somewhere, and the plan
    # names each of them.
    before, after = (len(links_of(page.page_data)) for page in (change.before, change.after))
    lost = before - after
    if before and not after:
        yield f"would lose {'its only link' if before == 1 else f'all its {before:,} links'}"
    elif lost * 2 > before:
        yield f"would lose {lost:,} of its {before:,} links"
    if UNPUBLISH in change.actions and change.views:
        yield f"would vanish from the public: it has {plural(change.views, 'view')}"
