"""A service without HTTP: all that carrying a plan out needs to know of one, and nothing else."""

from collections.abc import Callable, Collection

from bio_sync.jsonvalues import JsonObject
from bio_sync.model import LivePage, PageContent
from tests import strategies as some


class Service:
    """Pages that take the title they are sent; `at_second` is what happens during the second write."""

    lanes, rate = 1, 9.8
    quota_remaining: int | None = None

    def __init__(self, at_second: Callable[[], object] = lambda: None) -> None:
        self.written: list[str] = []
        self.hurried = 0
        self._at_second = at_second

    def update(self, page_id: str, fields: JsonObject, permit: Callable[[], None]) -> tuple[LivePage, str | None]:
        permit()
        self.written.append(page_id)
        if len(self.written) == 2:
            self._at_second()
        return some.live_page(PageContent(str(fields["title"]), "", {}, published=False), page_id), "req_1"

    def set_published(
        self, page_id: str, *, published: bool, permit: Callable[[], None]
    ) -> tuple[LivePage, str | None]:
        raise AssertionError(page_id, published, permit)

    def get_page(self, page_id: str) -> LivePage:
        raise AssertionError(page_id)

    def list_pages(self, wanted: Collection[str], *, everything: bool) -> dict[str, LivePage]:
        raise AssertionError(wanted, everything)

    def hurry(self) -> None:
        self.hurried += 1
