"""The service behind the routes: what a call does to the store, and what a page looks like to a caller."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bio_sync.sandbox import pages
from bio_sync.sandbox.answers import Refusal, Standing
from bio_sync.sandbox.limits import Bursts, end_of_month, month_of

if TYPE_CHECKING:
    from bio_sync.sandbox.behaviour import Behaviour, Clock, Page
    from bio_sync.sandbox.store import Store


@dataclass(slots=True)
class Service:
    """One workspace of a local xQR."""

    store: Store
    behaviour: Behaviour
    clock: Clock
    address: str
    bursts: Bursts = field(default_factory=Bursts)

    def shown(self, page: Page) -> Page:
        """Return a stored page as the API shows it: with `html_url`."""
        return page | {"html_url": f"{self.address}/{page['slug']}"}

    def pages(self, limit: int = -1, offset: int = 0) -> list[Page]:
        """Return pages in creation order; all of them by default."""
        return [self.shown(page) for page in self.store.pages(limit, offset)]

    def page(self, page_id: str) -> Page:
        """Return one page, or raise a 404 refusal."""
        page = self.store.page(page_id)
        if page is None:
            raise _no_page()
        return self.shown(page)

    def create(self, fields: Page) -> Page:
        """Add a page, or raise a 403 refusal when the plan allows no more."""
        if self.store.count() >= self.behaviour.page_limit:
            message = f"The plan allows {self.behaviour.page_limit} bio pages."
            raise Refusal(403, message, code="PLAN_LIMIT_EXCEEDED")
        page = pages.normalised(pages.new_page(fields, self.clock()), self.behaviour)
        return self.shown(self.store.add([page])[0])

    def patch(self, page_id: str, fields: Page) -> Page:
        """Change the given members of a page, or raise a 404 refusal."""
        return self._change(page_id, fields)

    def set_published(self, page_id: str, published: bool) -> Page:
        """Publish or unpublish a page, or raise a 404 refusal."""
        return self._change(page_id, published)

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

    def _change(self, page_id: str, wanted: Page | bool) -> Page:
        def change(page: Page) -> Page:
            if isinstance(wanted, bool):
                return pages.with_published(page, wanted, self.clock())
            return pages.patched(page, wanted, self.behaviour, self.clock())

        try:
            return self.shown(self.store.change(page_id, change))
        except KeyError:
            raise _no_page() from None


def _no_page() -> Refusal:
    return Refusal(404, "There is no such bio page in this workspace.")
