"""The live pages that are still to be written, as they were seen last, and how long ago that was."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from math import floor

from bio_sync.applying.remote import Remote
from bio_sync.errors import PageGone, ServiceError, WorkspaceEmptied
from bio_sync.model import LivePage
from bio_sync.planning import Change

# Between the look and the write stand the write's own turn and its way: a younger view can't be asked for.
SHORTEST_AGE = 3.0


def writes_of_a_look(calls: int, *, rate: float, max_age: float) -> int:
    """Count the writes, at `rate` calls a second, until a list that takes `calls` is older than `max_age` seconds.

    It is as old as its first call. A list that serves fewer writes than it takes calls is dearer than single reads.
    """
    return max(0, floor(rate * max_age) + 1 - calls)


class View:
    """Pages that are looked at again, by list calls, when the last look is older than `max_age` seconds.

    Safe from any thread when `lock` is a lock. `calls` is what reading the whole list costs, `worth` what it may cost.
    `looked` hears how each look went, while all who need one still wait: by what it failed, or None.
    """

    def __init__(
        self,
        remote: Remote,
        changes: Iterable[Change],
        *,
        taken_at: float,
        calls: int,
        worth: int,
        max_age: float,
        clock: Callable[[], float],
        lock: AbstractContextManager[object],
        may_look: Callable[[], None],
        looked: Callable[[ServiceError | None], None] = lambda _: None,
    ) -> None:
        self._remote = remote
        self._seen: dict[str, tuple[LivePage | None, float]] = {
            change.page_id: (page_of(change), taken_at) for change in changes
        }
        self._left = set(self._seen)
        self._by_list = calls <= worth
        self._calls = calls
        self._may_look = may_look
        self._looked = looked
        self._max_age = max_age
        self._clock = clock
        self._lock = lock

    def page(self, page_id: str) -> LivePage:
        """Give a page, looked at again if need be; raises PageGone, or what the service raises."""
        with self._lock:
            page, seen = self._seen[page_id]
            if self._clock() - seen > self._max_age:
                self._look_again(page_id)
                page, _ = self._seen[page_id]
        if page is None:
            raise PageGone("the page is not in this workspace any more")
        return page

    def is_recent(self, page_id: str) -> bool:
        """Tell whether a write may still be based on what was seen of its page."""
        return self._clock() - self._seen[page_id][1] <= max(self._max_age, SHORTEST_AGE)

    def saw(self, page: LivePage, at: float) -> None:
        """Remember a page that was asked for at a moment."""
        with self._lock:
            self._remember(page.page_id, page, at)

    def wrote(self, page: LivePage, at: float) -> None:
        """Remember a page as the answer to a write shows it, which left at a moment.

        A list that was asked for after that, and is here already, may show the page as it was before the write.
        """
        with self._lock:
            self._seen[page.page_id] = (page, at)

    def done(self, page_id: str) -> None:
        """Forget a page that nothing more is written to."""
        with self._lock:
            self._left.discard(page_id)

    def _look_again(self, page_id: str) -> None:
        # Whoever waited for the lock may have waited for the end of the run.
        self._may_look()
        try:
            self._read_again(page_id)
        except ServiceError as error:
            self._looked(error)
            raise
        self._looked(None)

    def _read_again(self, page_id: str) -> None:
        now = self._clock()
        if not self._by_list or len(self._left) <= self._calls:
            # So few are left, or can be written before the list is too old, that it would cost more calls than they.
            try:
                page: LivePage | None = self._remote.get_page(page_id)
            except PageGone:
                page = None
            self._remember(page_id, page, now)
            return
        pages = self._remote.list_pages(sorted(self._left), everything=False)
        if not any(each in pages for each in self._left):
            raise WorkspaceEmptied(
                "none of the pages that were there a moment ago is in the list any more",
                hint="look at the workspace, then run again",
            )
        for each in self._left:
            self._remember(each, pages.get(each), now)

    def _remember(self, page_id: str, page: LivePage | None, at: float) -> None:
        # What was asked for earlier, and has come later.
        if at >= self._seen[page_id][1]:
            self._seen[page_id] = (page, at)


def page_of(change: Change) -> LivePage:
    """Give the live page that a change was made for."""
    return LivePage(
        page_id=change.page_id,
        content=change.before,
        slug=change.slug,
        html_url=change.html_url,
        views=change.views,
        clicks=change.clicks,
        updated_at=change.live_updated_at,
    )
