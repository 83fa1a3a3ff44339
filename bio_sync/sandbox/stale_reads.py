"""Stale reads: pages as a reader still sees them a while after a write."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bio_sync.sandbox.behaviour import Page


class StaleReads:
    """For each page the writes that readers may not see yet, with the page before each of them."""

    def __init__(self) -> None:
        """Start with every write seen."""
        self._writes: dict[str, list[tuple[float, Page | None]]] = {}

    def note(self, page_id: str, at: float, before: Page | None) -> None:
        """Remember a write; `before` is None when it created the page."""
        self._writes.setdefault(page_id, []).append((at, before))

    def forget(self, page_id: str) -> None:
        """Forget a page that is removed."""
        self._writes.pop(page_id, None)

    def unseen(self, now: float, stale: float) -> dict[str, Page | None]:
        """Return the pages that readers see otherwise than they are, as they see them; None is not at all.

        A reader sees a page in the order of its changes: as it was before the oldest write that is hidden.
        """
        for page_id, writes in list(self._writes.items()):
            hidden = [(at, before) for at, before in writes if now < at + stale]
            if hidden:
                self._writes[page_id] = hidden
            else:
                del self._writes[page_id]
        return {page_id: writes[0][1] for page_id, writes in self._writes.items()}
