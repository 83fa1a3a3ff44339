"""The service behind the routes: what a call does to the store, and what a page looks like to a caller."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bio_sync.sandbox import pages
from bio_sync.sandbox.answers import Refusal, Standing
from bio_sync.sandbox.history import History, Revision
from bio_sync.sandbox.late_writes import LateWrite, LateWrites
from bio_sync.sandbox.limits import Bursts, end_of_month, month_of
from bio_sync.sandbox.stale_reads import StaleReads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bio_sync.sandbox.answers import Call
    from bio_sync.sandbox.behaviour import Behaviour, Clock, Page
    from bio_sync.sandbox.store import Store

# What a write does at a moment: the page before it (None: there was none) and after it.
_Write = Callable[[float], tuple["Page | None", "Page"]]


@dataclass(slots=True)
class Service:
    """One workspace of a local xQR. Safe from any thread."""

    store: Store
    behaviour: Behaviour
    clock: Clock
    address: str
    history: History
    bursts: Bursts = field(default_factory=Bursts)
    _late: LateWrites = field(default_factory=LateWrites)
    _stale: StaleReads = field(default_factory=StaleReads)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def shown(self, page: Page) -> Page:
        """Return a stored page as the API shows it: with `html_url`."""
        return page | {"html_url": f"{self.address}/{page['slug']}"}

    def catch_up(self) -> None:
        """Carry out the late writes that are due."""
        with self._now():
            pass

    def pages(self) -> list[Page]:
        """Return every page as it is, in creation order."""
        with self._now():
            return [self.shown(page) for page in self.store.pages()]

    def page(self, page_id: str) -> Page | None:
        """Return one page as it is, or None."""
        with self._now():
            page = self.store.page(page_id)
        return None if page is None else self.shown(page)

    def count(self) -> int:
        """Return the number of pages."""
        with self._now():
            return self.store.count()

    def listed(self, limit: int, offset: int) -> list[Page]:
        """Return pages as readers see them, in creation order; a negative limit is none."""
        with self._now() as now:
            unseen = self._stale.unseen(now, self.behaviour.stale)
            if not unseen:
                return [self.shown(page) for page in self.store.pages(limit, offset)]
            seen = [unseen.get(page["id"], page) for page in self.store.pages()]
        found = [self.shown(page) for page in seen if page is not None]
        return found[offset:] if limit < 0 else found[offset : offset + limit]

    def read(self, page_id: str) -> Page:
        """Return one page as readers see it, or raise a 404 refusal."""
        with self._now() as now:
            unseen = self._stale.unseen(now, self.behaviour.stale)
            page = unseen[page_id] if page_id in unseen else self.store.page(page_id)
        if page is None:
            raise _no_page()
        return self.shown(page)

    def visited(self, slug: str, *, counted: bool) -> Page | None:
        """Return a published page to a visitor, one more view counted, or None."""
        with self._now():
            page = self.store.page_with_slug(slug)
            if page is None or not page["is_published"]:
                return None
            return self.store.change(page["id"], _viewed) if counted else page

    def create(self, call: Call, fields: Page) -> Page:
        """Add a page, or raise a 403 refusal when the plan allows no more."""

        def write(now: float) -> tuple[None, Page]:
            if self.store.count() >= self.behaviour.page_limit:
                message = f"The plan allows {self.behaviour.page_limit} bio pages."
                raise Refusal(403, message, code="PLAN_LIMIT_EXCEEDED")
            page = pages.normalised(pages.new_page(fields, now), self.behaviour)
            return None, self.store.add([page])[0]

        return self._write(call, write)

    def patch(self, call: Call, page_id: str, fields: Page) -> Page:
        """Change the given members of a page, or raise a 404 refusal."""
        return self._change(call, page_id, lambda page, now: pages.patched(page, fields, self.behaviour, now))

    def set_published(self, call: Call, page_id: str, published: bool) -> Page:
        """Publish or unpublish a page, or raise a 404 refusal."""
        return self._change(call, page_id, lambda page, now: pages.with_published(page, published, now))

    def edit(self, page_id: str, fields: Page) -> Page:
        """Change members of a page as a person in the dashboard does; KeyError when there is none."""
        with self._now() as now:
            after = self.shown(self.store.change(page_id, lambda page: pages.edited(page, fields, now)))
            self.history.add(Revision(now, page_id, "dashboard", None, after))
        return after

    def edit_pages(self, edits: Mapping[str, Mapping[str, object]]) -> None:
        """Change pages as `edit` does; one that is gone meanwhile is left out."""
        for page_id, fields in edits.items():
            with contextlib.suppress(KeyError):
                self.edit(page_id, dict(fields))

    def remove(self, page_id: str) -> None:
        """Delete a page as a person in the dashboard does; KeyError when there is none."""
        with self._now() as now:
            self.store.remove(page_id)
            self._stale.forget(page_id)
            self.history.add(Revision(now, page_id, "dashboard", None, None))

    def calls_this_month(self) -> int:
        """Return the calls charged to the month so far."""
        return self.store.calls(month_of(self.clock()))

    def charge(self, calls: int) -> None:
        """Charge calls to the month; a negative number gives them back."""
        self.store.charge(month_of(self.clock()), calls)

    def standing(self, key: str) -> Standing:
        """Return what is left to a key now."""
        now = self.clock()
        return Standing(
            limit=self.behaviour.monthly_limit,
            remaining=max(0, self.behaviour.monthly_limit - self.calls_this_month()),
            burst_limit=self.behaviour.burst_limit,
            burst_remaining=self.bursts.left(key, self.behaviour.burst_limit, now),
            resets_at=end_of_month(now),
        )

    def _change(self, call: Call, page_id: str, change: Callable[[Page, float], Page]) -> Page:
        def write(now: float) -> tuple[Page | None, Page]:
            before = self.store.page(page_id)
            try:
                return before, self.store.change(page_id, lambda page: change(page, now))
            except KeyError:
                raise _no_page() from None

        return self._write(call, write)

    def _write(self, call: Call, write: _Write) -> Page:
        """Carry a write out, or keep it for later and raise a refusal that nobody gets to see."""
        with self._now() as now:
            if call.due is None:
                return self._written(call.number, write, now)
            self._late.add(LateWrite(call.due, call.number, lambda due: self._written(call.number, write, due)))
        raise Refusal(503, "The request will be carried out later.")

    def _written(self, number: int, write: _Write, now: float) -> Page:
        before, after = write(now)
        if self.behaviour.stale > 0:
            self._stale.note(after["id"], now, before)
        shown = self.shown(after)
        self.history.add(Revision(now, after["id"], "api", number, shown))
        return shown

    @contextmanager
    def _now(self) -> Iterator[float]:
        """Hold other threads back, carry out what is late and due, and give the time."""
        with self._lock:
            now = self.clock()
            for late in self._late.due(now):
                # A page that is gone by then is not written, and there is nobody to tell.
                with contextlib.suppress(Refusal):
                    late.carry_out(late.due)
            yield now


def _no_page() -> Refusal:
    return Refusal(404, "There is no such bio page in this workspace.")


def _viewed(page: Page) -> Page:
    return page | {"view_count": page["view_count"] + 1}
