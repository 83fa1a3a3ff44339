"""Calls that are kept for people stay theirs while several pages are under way, and no page is left half-written."""

import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from bio_sync.applying.outcomes import Report
from bio_sync.applying.run import Terms, apply_plan
from bio_sync.errors import Unreachable
from bio_sync.jsonvalues import JsonObject
from bio_sync.model import LivePage, PageContent
from bio_sync.planning import Circumstances, make_plan
from tests import strategies as some
from tests.applying.conftest import Clock

if TYPE_CHECKING:
    from bio_sync.applying.remote import Remote

OLD, NEW = (PageContent(title, "", {}, published=title == "New") for title in ("Old", "New"))
NAMES = ("bio_0", "bio_1", "bio_2")


class _Month:
    """A service with three lanes that has so many calls `left`; others use `taken` before each update leaves."""

    lanes, rate = 3, 9.8

    def __init__(self, left: int, *, taken: int = 0, trouble: Collection[int] = ()) -> None:
        self.pages = {name: some.live_page(OLD, name) for name in NAMES}
        self.quota_remaining, self._taken = left, taken
        self.trouble, self.looks = trouble, 0
        self._lock, self._two = threading.Lock(), threading.Barrier(2)

    def update(self, page_id: str, _: JsonObject, permit: Callable[[], None]) -> tuple[LivePage, str | None]:
        # Another one has the time to begin, if it may.
        with suppress(threading.BrokenBarrierError):
            self._two.wait(0.3)
        self.quota_remaining -= self._taken
        return self._changed(page_id, permit, title="New")

    def set_published(
        self, page_id: str, *, published: bool, permit: Callable[[], None]
    ) -> tuple[LivePage, str | None]:
        return self._changed(page_id, permit, published=published)

    def _changed(self, page_id: str, permit: Callable[[], None], **fields: object) -> tuple[LivePage, str | None]:
        with self._lock:
            permit()
            self.quota_remaining -= 1
            page = self.pages[page_id]
            self.pages[page_id] = replace(page, content=replace(page.content, **fields))  # type: ignore[arg-type]
            return self.pages[page_id], None

    def get_page(self, page_id: str) -> LivePage:
        self.looks += 1
        if self.looks in self.trouble:
            raise Unreachable("nobody there")
        return self.pages[page_id]

    def list_pages(self, _: Collection[str], *, everything: bool) -> dict[str, LivePage]:
        assert not everything
        return {name: self.get_page(name) for name in NAMES}

    def hurry(self) -> None:
        raise AssertionError("nobody has asked for an end")


def applied(month: _Month, terms: Terms, *, now: float = 0, calls: int = 1) -> Report:
    """Write all pages of a plan that was made at 0 by so many calls."""
    wanted, clock = [some.wanted_page(NEW, name) for name in sorted(month.pages)], Clock(now=now)
    made = Circumstances("0", "2026-11-22T10:00:00Z", "https://xqr.co/api/v1", calls, None)
    plan = make_plan(wanted, month.pages, circumstances=made)
    return apply_plan(plan, wanted, cast("Remote", month), taken_at=0, terms=terms, clock=clock, sleep=clock.sleep)


def test_a_page_begins_only_with_room_for_all_calls_of_those_under_way() -> None:
    month = _Month(103)
    report = applied(month, Terms(reserve=100))
    assert [outcome.outcome for outcome in report.outcomes] == ["applied", "skipped", "skipped"]
    assert month.quota_remaining == 101


def test_no_write_leaves_that_would_take_from_what_is_kept_whoever_has_used_up_the_rest() -> None:
    month = _Month(110, taken=10)
    report = applied(month, Terms(reserve=100))
    assert {(outcome.outcome, outcome.reason) for outcome in report.outcomes} == {("skipped", "quota")}
    assert month.pages["bio_0"].content == OLD


def test_a_look_that_succeeds_makes_those_before_it_forgotten() -> None:
    """Of four looks, one after the other, three fail; no three of them in a row."""
    month = _Month(1_000, trouble=(1, 2, 4))
    month.lanes = 1
    month.pages |= {f"bio_{number}": some.live_page(OLD, f"bio_{number}") for number in range(3, 5)}
    # By a list of nine calls it would be dearer than to look at each page.
    report = applied(month, Terms(), now=60, calls=9)
    assert [outcome.outcome for outcome in report.outcomes] == ["failed", "failed", "applied", "failed", "applied"]
