"""The service as carrying out a plan needs it."""

from collections.abc import Callable, Collection
from typing import Protocol

from bio_sync.jsonvalues import JsonObject
from bio_sync.model import LivePage


class NotSent(Exception):
    """A write that its permit held back in the last moment: the service has not seen it."""


class ViewTooOld(NotSent):
    """The page was seen too long ago: look again, then write."""


class RunEnds(NotSent):
    """Nothing is written any more, for this reason."""

    def __init__(self, reason: str | None) -> None:
        super().__init__()
        self.reason = reason


class Remote(Protocol):
    """The service. Writes give the page as stored and the request's id; all methods raise ServiceError.

    A `permit` is called right before a request leaves, each time it does; the NotSent that it raises comes out.
    """

    def update(self, page_id: str, fields: JsonObject, permit: Callable[[], None]) -> tuple[LivePage, str | None]:
        """Change the given top-level fields of a page."""

    def set_published(
        self, page_id: str, *, published: bool, permit: Callable[[], None]
    ) -> tuple[LivePage, str | None]:
        """Publish or unpublish a page."""

    def get_page(self, page_id: str) -> LivePage:
        """Read one page."""

    def list_pages(self, wanted: Collection[str], *, everything: bool) -> dict[str, LivePage]:
        """Read pages by their ids: one call for 200."""

    def hurry(self) -> None:
        """Bring to an end what is under way."""

    @property
    def rate(self) -> float:
        """How many calls a second may be made now."""

    @property
    def lanes(self) -> int:
        """How many writes at once keep up with the pace that the service allows."""

    @property
    def quota_remaining(self) -> int | None:
        """How many calls the month has left after all that were sent; None when the service has not said."""
