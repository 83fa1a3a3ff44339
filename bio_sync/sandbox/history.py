"""The history: every change of a page, who made it and when; what a test holds its expectations against."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bio_sync.sandbox.behaviour import Page


@dataclass(frozen=True, slots=True)
class Revision:
    """One write that was carried out, also when the page was so already; visits are none.

    Attributes:
        at: the sandbox's clock, in Unix seconds; of a late write the moment at which it was due.
        page_id: the page.
        by: a request to the API, or a person in the dashboard.
        request: the place in `Sandbox.requests` of the request that caused it; None for the dashboard.
        page: the whole page after it, as the API shows it; None once the page is removed.
    """

    at: float
    page_id: str
    by: Literal["api", "dashboard"]
    request: int | None
    page: Page | None


class History:
    """The revisions in the order in which they were made; safe from any thread."""

    def __init__(self, *, kept: bool = True) -> None:
        """Start empty, and stay so unless it is `kept`."""
        self._lock = threading.Lock()
        self._kept = kept
        self._revisions: list[Revision] = []

    def add(self, revision: Revision) -> None:
        """Append a revision."""
        if self._kept:
            with self._lock:
                self._revisions.append(revision)

    def revisions(self) -> list[Revision]:
        """Return a copy."""
        with self._lock:
            return list(self._revisions)
