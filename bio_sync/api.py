"""The service as we need it: list and read pages, write one; every HTTP failure becomes an error of ours."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Self, TypeVar

from bio_sync import answers
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
from bio_sync.model import PAGES_A_CALL, SEEN_FIRST, LivePage
from bio_sync.progress import UNWATCHED, Watch
from bio_sync.transport import NEVER_SENT, PERMIT, Meter, Pace, Patience, Watchdog, careful_client, goes_through_proxy
from bio_sync.transport.deadline import CALL
from bio_sync.visible import shortened

READING = frozenset(("GET",))
WRITING = frozenset(("GET", "PATCH", "POST"))
# More pages than these without their data are too many to ask for each: a file that manages them is told so.
MOST_IN_PART = 20
# Seconds, when somebody ends the run, for a write that is under way and for reading it back: a cancelled job of
# GitHub's is killed after 7.5.
LAST_WRITE, LAST_READ = 4.5, 2.0

Permit = Callable[[], None]
Read = TypeVar("Read")
_UNCLEAR_HINT = "look at the page, or run again: what was written is not written twice"


class Api:
    """A client that can only read; to be used in a `with`."""

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
        self.meter = meter = Meter()
        self._watchdog = Watchdog(timeout)
        ending = ending or threading.Event()

        def patient(lanes: httpx.BaseTransport) -> httpx.BaseTransport:
            pace = Pace(lanes, meter=meter, clock=clock, sleep=sleep)
            return Patience(pace, meter=meter, ending=ending, clock=clock, sleep=sleep, watch=watch)

        self._client = careful_client(
            self.address,
            patient,
            methods=self._methods,
            headers={"Authorization": key.header(), "Accept": "application/json"},
            meter=meter,
            watchdog=self._watchdog,
        )
        self._takes_limit = True
        self._watch = watch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get_page(self, page_id: str) -> LivePage:
        """Read one page, one call; raises PageGone when it is not there."""
        page, _ = self._call("GET", _path(page_id), lambda data: _same_page(answers.page(data), page_id))
        return page

    def list_pages(
        self,
        wanted: Collection[str] = (),
        *,
        everything: bool = True,
        known: Mapping[str, JsonObject] = answers.NOTHING_KNOWN,
    ) -> dict[str, LivePage]:
        """Read the pages of the workspace, by id: one call for 200 pages.

        `wanted` are ids that should be there; those that a list in parts missed, or showed in part, are asked for one
        by one. With `everything` false, reading ends when all of them are found. A page whose page data are the same
        as those that are `known` by its id shares them, which takes a third off the memory of a plan of 10,000 pages.
        """
        listing = Listing(partial(self._batch, known=known), frozenset(wanted), everything, self._watch)
        listing.read()
        for page_id in (*listing.doubtful, *_shown_in_part(listing)):
            listing.pages.pop(page_id, None)
            with contextlib.suppress(PageGone):
                listing.pages[page_id] = self.get_page(page_id)
        return listing.pages

    def first_pages(self) -> dict[str, LivePage]:
        """Read the first 200 pages, by id: one call, and one more of a service that refuses parameters."""
        return self._batch(0) or {}

    def usage(self) -> answers.Usage:
        """Read the workspace's plan and what is used of it, one call, which needs the scope workspace:read."""
        usage, _ = self._call("GET", "/workspace/usage", answers.usage)
        return usage

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
            pages, _ = self._call("GET", path, lambda data: answers.pages(data, known))
        except PageGone as error:
            hint = f"check the API address {self.address}"
            raise NotAnAnswer("there is no xQR at this address", hint=hint, request_id=error.request_id) from None
        return pages

    def _call(
        self,
        method: str,
        path: str,
        read: Callable[[Json], Read],
        body: JsonObject | None = None,
        permit: Permit | None = None,
    ) -> tuple[Read, str | None]:
        """Send one request and give what `read` makes of the `data` of its answer, with the request's id."""
        response = self._send(method, path, body, permit)
        answer = answers.envelope(response.content)
        call = response.request.extensions[CALL]
        self.meter.learn_from_envelope(call, response.headers, answers.rate_limit(answer))
        request_id = answers.request_id(answer, response.headers.get("X-Request-Id"))
        try:
            if not response.is_success or "data" not in answer or answer.get("error") is not None:
                answers.raise_error(answer, status=response.status_code, may_wait="Retry-After" in response.headers)
            return read(answer["data"]), request_id
        except ServiceError as error:
            error.request_id = request_id
            raise

    def _send(self, method: str, path: str, body: JsonObject | None, permit: Permit | None) -> httpx.Response:
        content = None if body is None else json.dumps(body, allow_nan=False).encode("ascii")
        headers = {} if body is None else {"Content-Type": "application/json"}
        extensions = {PERMIT: permit} if permit else {}
        try:
            return self._client.request(
                method, f"{self.address}{path}", content=content, headers=headers, extensions=extensions
            )
        except NEVER_SENT as error:
            by = ", the proxy that HTTPS_PROXY names" if goes_through_proxy(self.address) else ""
            raise Unreachable(
                f"the service does not answer: {shortened(str(error), 120)}",
                hint=f"check the network{by} and the API address {self.address}",
            ) from None
        except httpx.TransportError as error:
            why = shortened(str(error) or type(error).__name__, 120)
            if method != "GET":
                raise UnclearWrite(f"the answer was lost on its way: {why}", hint=_UNCLEAR_HINT) from None
            raise Unreachable(f"the answer was lost on its way: {why}", hint="try again later") from None


class WritingApi(Api):
    """A client that can also write: PATCH, publish and unpublish, one call each, never sent twice blindly."""

    _methods = WRITING

    def update(self, page_id: str, fields: JsonObject, permit: Permit | None = None) -> tuple[LivePage, str | None]:
        """PATCH the given top-level fields; gives the whole page as stored, and the request's id.

        `permit` is called right before the request leaves, each time, after every wait; what it raises comes out.
        """
        return self._write("PATCH", _path(page_id), fields, permit, page_id)

    def set_published(
        self, page_id: str, *, published: bool, permit: Permit | None = None
    ) -> tuple[LivePage, str | None]:
        """Publish or unpublish a page, as `update` does."""
        verb = "publish" if published else "unpublish"
        return self._write("POST", f"{_path(page_id)}/{verb}", None, permit, page_id)

    def create(self, fields: JsonObject) -> tuple[LivePage, str | None]:
        """POST a new page, which begins unpublished; gives it as stored, and the request's id."""
        return self._write("POST", "/bio/pages", fields)

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
        """How many calls the month has left after all that were sent; None when the service has not said."""
        return self.meter.quota_remaining

    def hurry(self) -> None:
        """Give what is under way a few seconds more: the run is to end."""
        self._watchdog.hurry(LAST_WRITE, later=LAST_READ)

    def _write(
        self,
        method: str,
        path: str,
        body: JsonObject | None,
        permit: Permit | None = None,
        page_id: str | None = None,
    ) -> tuple[LivePage, str | None]:
        """Send a write; its answer has to be a whole page, and that of `page_id` if it is known."""
        try:
            return self._call(method, path, lambda data: _same_page(answers.whole_page(data), page_id), body, permit)
        except ServiceError as error:
            if not _is_unclear(error):
                raise
            raise UnclearWrite(error.message, hint=_UNCLEAR_HINT, request_id=error.request_id) from error


def _shown_in_part(listing: Listing) -> list[str]:
    """Give the ids of wanted pages that the list showed without their title or page data, if these are few."""
    partly = sorted(each for each in listing.wanted & listing.pages.keys() if listing.pages[each].untold & SEEN_FIRST)
    return partly if len(partly) <= MOST_IN_PART else []


def _path(page_id: str) -> str:
    if not answers.PAGE_ID.fullmatch(page_id):
        raise ServiceError(f"'{shortened(page_id)}' is not the id of a page")
    return f"/bio/pages/{page_id}"


def _is_unclear(error: ServiceError) -> bool:
    """Tell whether a write may have been carried out: by anything but a plain refusal.

    The code counts before the status: a key that is refused, or a month that is used up, comes before the write.
    """
    if isinstance(error, Unauthorised | QuotaUsedUp | TooManyRequests):
        return False
    status = error.status
    return isinstance(error, NotAnAnswer) or (status is not None and (status < 300 or status == 408 or status >= 500))


def _same_page(page: LivePage, page_id: str | None) -> LivePage:
    if page_id is not None and page.page_id != page_id:
        raise NotAnAnswer(f"the service answered with page {page.page_id} for {page_id}")
    return page
