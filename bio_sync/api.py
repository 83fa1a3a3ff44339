"""The service as we need it: list and read pages, write one; every HTTP failure becomes an error of ours."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from types import TracebackType
from typing import Self

from bio_sync import __version__, answers
from bio_sync.address import service_address
from bio_sync.errors import (
    NotAnAnswer,
    PageGone,
    QuotaUsedUp,
    Rejected,
    ServiceError,
    TooManyRequests,
    Unauthorised,
    UnclearWrite,
    Unreachable,
)
from bio_sync.httplibrary import httpx
from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.key import ApiKey
from bio_sync.listing import Listing
from bio_sync.model import PAGES_A_CALL, LivePage
from bio_sync.progress import UNWATCHED, Watch
from bio_sync.transport import (
    NEVER_SENT,
    PERMIT,
    Deadline,
    Lanes,
    Meter,
    Origin,
    Pace,
    Patience,
    Watchdog,
    Whole,
    opener,
)
from bio_sync.visible import shortened

READING = frozenset(("GET",))
WRITING = frozenset(("GET", "PATCH", "POST"))
# Seconds, when somebody ends the run, for a write that is under way and for reading it back: a cancelled job of
# GitHub's is killed after 7.5.
LAST_WRITE, LAST_READ = 4.5, 2.0

Permit = Callable[[], None]


class Api:
    """A client that can only read; close it, or use it in a `with`."""

    _methods = READING

    def __init__(
        self,
        address: str,
        key: ApiKey,
        *,
        timeout: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        ending: threading.Event | None = None,
        watch: Watch = UNWATCHED,
    ) -> None:
        """Prepare a client for the service at `address`; `timeout` seconds bound each request.

        `ending` is set when the run is to end soon: nothing is tried again then. `watch` hears of waits and of pages.
        """
        self.address = service_address(address)
        self.meter = Meter()
        sockets = opener(self.address)
        watchdog = Watchdog(timeout)
        self._lanes = Lanes(lambda: Deadline(Whole(sockets()), watchdog=watchdog, meter=self.meter), watchdog=watchdog)
        pace = Pace(self._lanes, meter=self.meter, clock=clock, sleep=sleep)
        ending = ending or threading.Event()
        patience = Patience(pace, meter=self.meter, ending=ending, clock=clock, sleep=sleep, watch=watch)
        self._client = httpx.Client(
            transport=Origin(patience, address=self.address, methods=self._methods),
            timeout=timeout,
            trust_env=False,
            follow_redirects=False,
            headers={
                "Authorization": key.header(),
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": f"bio-sync/{__version__}",
            },
        )
        self._takes_limit = True
        self._watch = watch

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get_page(self, page_id: str) -> LivePage:
        """Read one page, one call; raises PageGone when it is not there."""
        data, request_id = self._call("GET", f"/bio/pages/{_checked(page_id)}")
        return _same_page(answers.page(data, request_id=request_id), page_id, request_id)

    def list_pages(
        self,
        wanted: Collection[str] = (),
        *,
        everything: bool = True,
        known: Mapping[str, JsonObject] = answers.NOTHING_KNOWN,
    ) -> dict[str, LivePage]:
        """Read the pages of the workspace, by id: one call for 200 pages.

        `wanted` are ids that should be there; those that a list in parts missed are asked for one by one. With
        `everything` false, reading ends when all of them are found. A page whose page data are the same as those that
        are `known` by its id shares them, which takes a third off the memory of a plan of 10,000 pages.
        """
        listing = Listing(partial(self._batch, known=known), frozenset(wanted), everything, self._watch)
        listing.read()
        for page_id in listing.doubtful:
            with contextlib.suppress(PageGone):
                listing.pages[page_id] = self.get_page(page_id)
        return listing.pages

    def first_pages(self) -> dict[str, LivePage]:
        """Read the first 200 pages, by id: one call, and one more of a service that refuses parameters."""
        return self._batch(0) or {}

    def usage(self) -> answers.Usage:
        """Read the workspace's plan and what is used of it, one call, which needs the scope workspace:read."""
        data, request_id = self._call("GET", "/workspace/usage")
        return answers.usage(data, request_id=request_id)

    def _batch(
        self, offset: int, known: Mapping[str, JsonObject] = answers.NOTHING_KNOWN
    ) -> dict[str, LivePage] | None:
        if self._takes_limit:
            try:
                return self._listed(f"/bio/pages?limit={PAGES_A_CALL}&offset={offset}", known)
            except Rejected as error:
                # The vendor's page of this call says that it takes no parameters: then all is in one answer.
                if offset or error.status != 400:
                    raise
                self._takes_limit = False
        return None if offset else self._listed("/bio/pages", known)

    def _listed(self, path: str, known: Mapping[str, JsonObject]) -> dict[str, LivePage]:
        try:
            data, request_id = self._call("GET", path)
        except PageGone as error:
            hint = f"check the API address {self.address}"
            raise NotAnAnswer("there is no xQR at this address", hint=hint, request_id=error.request_id) from None
        if not isinstance(data, list):
            raise NotAnAnswer("what answered is not xQR: the list of pages is no list", request_id=request_id)
        if data and not any(isinstance(value, dict) and "page_data" in value for value in data):
            # A list of summaries would read as pages that have nothing on them.
            raise NotAnAnswer("what answered is not xQR: its pages have no page_data", request_id=request_id)
        pages: dict[str, LivePage] = {}
        for value in data:
            page = answers.page(value, request_id=request_id, known=known)
            if pages.setdefault(page.page_id, page) != page:
                raise NotAnAnswer(f"the list holds two different pages {page.page_id}", request_id=request_id)
        return pages

    def _call(
        self, method: str, path: str, body: JsonObject | None = None, permit: Permit | None = None
    ) -> tuple[Json, str | None]:
        """Send one request and give the `data` of its answer, with the request's id."""
        response = self._send(method, path, body, permit)
        answer, request_id = answers.envelope(response.content, response.headers.get("X-Request-Id"))
        limits = answers.rate_limit(answer)
        if "X-RateLimit-Remaining" not in response.headers:
            self.meter.learn(quota_remaining=limits.get("remaining"))
        if "X-RateLimit-Burst-Limit" not in response.headers:
            self.meter.learn(burst_limit=limits.get("burst_limit"))
        if not response.is_success or "data" not in answer or answer.get("error") is not None:
            may_wait = "Retry-After" in response.headers
            answers.raise_error(answer, status=response.status_code, request_id=request_id, may_wait=may_wait)
        return answer["data"], request_id

    def _send(self, method: str, path: str, body: JsonObject | None, permit: Permit | None) -> httpx.Response:
        content = None if body is None else json.dumps(body, allow_nan=False).encode("ascii")
        headers = {} if body is None else {"Content-Type": "application/json"}
        extensions = {PERMIT: permit} if permit else {}
        try:
            return self._client.request(
                method, f"{self.address}{path}", content=content, headers=headers, extensions=extensions
            )
        except NEVER_SENT as error:
            raise Unreachable(
                f"the service does not answer: {shortened(str(error), 120)}",
                hint=f"check the network and the API address {self.address}",
            ) from None
        except httpx.TransportError as error:
            why = shortened(str(error) or type(error).__name__, 120)
            if method != "GET":
                raise UnclearWrite(
                    f"the answer was lost on its way: {why}",
                    hint="look at the page, or run again: what was written is not written twice",
                ) from None
            raise Unreachable(f"the answer was lost on its way: {why}", hint="try again later") from None


class WritingApi(Api):
    """A client that can also write: PATCH, publish and unpublish, one call each, never sent twice blindly."""

    _methods = WRITING

    def update(self, page_id: str, fields: JsonObject, permit: Permit | None = None) -> tuple[LivePage, str | None]:
        """PATCH the given top-level fields; gives the whole page as stored, and the request's id.

        `permit` is called right before the request leaves, each time, after every wait; what it raises comes out.
        """
        return self._write("PATCH", page_id, "", fields, permit)

    def set_published(
        self, page_id: str, *, published: bool, permit: Permit | None = None
    ) -> tuple[LivePage, str | None]:
        """Publish or unpublish a page, as `update` does."""
        return self._write("POST", page_id, "/publish" if published else "/unpublish", None, permit)

    def create(self, fields: JsonObject) -> tuple[LivePage, str | None]:
        """POST a new page, which begins unpublished; gives it as stored, and the request's id."""
        return self._written("POST", "/bio/pages", fields, None)

    @property
    def rate(self) -> float:
        """How many calls a second may be made now."""
        return self.meter.rate

    @property
    def lanes(self) -> int:
        """How many writes at once keep up with the pace that the service allows."""
        return self.meter.lanes

    @property
    def quota_remaining(self) -> int | None:
        """How many calls the month has left; None when the service has not said."""
        return self.meter.quota_remaining

    def hurry(self) -> None:
        """Give what is under way a few seconds more: the run is to end."""
        self._lanes.hurry(LAST_WRITE, later=LAST_READ)

    def _write(
        self, method: str, page_id: str, verb: str, body: JsonObject | None, permit: Permit | None
    ) -> tuple[LivePage, str | None]:
        return self._written(method, f"/bio/pages/{_checked(page_id)}{verb}", body, permit, page_id)

    def _written(
        self, method: str, path: str, body: JsonObject | None, permit: Permit | None, page_id: str | None = None
    ) -> tuple[LivePage, str | None]:
        try:
            data, request_id = self._call(method, path, body, permit)
            answers.check_whole(data, request_id=request_id)
            page = answers.page(data, request_id=request_id)
            return _same_page(page, page_id or page.page_id, request_id), request_id
        except ServiceError as error:
            if not _is_unclear(error):
                raise
            raise UnclearWrite(error.message, hint=error.hint, request_id=error.request_id) from error


def _checked(page_id: str) -> str:
    if not answers.PAGE_ID.fullmatch(page_id):
        raise ServiceError(f"'{shortened(page_id)}' is not the id of a page")
    return page_id


def _is_unclear(error: ServiceError) -> bool:
    """Tell whether a write may have been carried out: by anything but a plain refusal.

    The code counts before the status: a key that is refused, or a month that is used up, comes before the write.
    """
    if isinstance(error, Unauthorised | QuotaUsedUp | TooManyRequests):
        return False
    status = error.status
    return isinstance(error, NotAnAnswer) or (status is not None and (status < 300 or status == 408 or status >= 500))


def _same_page(page: LivePage, page_id: str, request_id: str | None) -> LivePage:
    if page.page_id != page_id:
        raise NotAnAnswer(f"the service answered with page {page.page_id} for {page_id}", request_id=request_id)
    return page
