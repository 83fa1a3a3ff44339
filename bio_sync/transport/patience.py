"""What is tried again, how often, and after how long; the table is that of docs/explanation/promises.md."""

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bio_sync import answers
from bio_sync.httplibrary import httpx
from bio_sync.progress import AGAIN, LIMIT, UNWATCHED, Watch
from bio_sync.transport.layer import Layer
from bio_sync.transport.meter import Meter, http_date, told_number
from bio_sync.transport.whole import NEVER_SENT

if TYPE_CHECKING:
    from tenacity import RetryCallState

READS_AGAIN = 3
BURSTS_AGAIN = 5
LONGEST_WAIT = 30.0
# The budget, in fifths of a try as whole numbers: ten times 0.2 is less than 2.
FIFTHS = 5
MOST_FIFTHS = 20 * FIFTHS
_TRY_LATER = frozenset((408, 500, 502, 503, 504))


@dataclass(slots=True)
class Budget:
    """Second tries that a whole run has: a service that is down is not asked four times for every page.

    Twenty: one for every try again, back a fifth for every answer that came; botocore has the same idea.
    """

    left: int = MOST_FIFTHS
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        """Take one, or tell that none is left."""
        with self._lock:
            if self.left < FIFTHS:
                return False
            self.left -= FIFTHS
            return True

    def give_back(self) -> None:
        """Count an answer that came."""
        with self._lock:
            self.left = min(MOST_FIFTHS, self.left + 1)


class _Again(Exception):
    def __init__(self, outcome: httpx.Response | httpx.TransportError, *, burst_wait: float | None = None) -> None:
        super().__init__()
        self.outcome = outcome
        self.burst_wait = burst_wait


class Patience(Layer):
    """Tries again: reads that failed and requests that never left (3 times), the second's limit (5 times).

    A write whose answer was lost is never sent again here: it may have been carried out. Once `ending` is set,
    nothing is tried again at all.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        *,
        meter: Meter,
        ending: threading.Event,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        watch: Watch = UNWATCHED,
    ) -> None:
        super().__init__(inner)
        self._meter = meter
        self._ending = ending
        self._clock = clock
        self._sleep = sleep
        self._watch = watch
        self._budget = Budget()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on until there is an answer that waiting would not change."""
        try:
            return self._once(request)
        except _Again as first:
            return self._again(request, first)

    def _once(self, request: httpx.Request) -> httpx.Response:
        reading = request.method == "GET"
        try:
            response = self._inner.handle_request(request)
        except httpx.TransportError as error:
            if reading or isinstance(error, NEVER_SENT):
                raise _Again(error) from error
            raise
        if (wait := _burst_wait(response)) is not None:
            self._meter.too_many(now=self._clock(), wait=wait)
            raise _Again(response, burst_wait=wait)
        if reading and (_may_recover(response) or _ends_early(response)):
            raise _Again(response)
        self._budget.give_back()
        return response

    def _again(self, request: httpx.Request, first: _Again) -> httpx.Response:
        import tenacity  # noqa: PLC0415 - 60 ms that a run without trouble does not need

        turns, last = itertools.count(), first

        def attempt() -> httpx.Response:
            nonlocal last
            # The first turn is the failure that brought us here: it has its wait, but no second request. Nor has
            # one whose wait the end of the run cut short.
            if next(turns) == 0 or self._ending.is_set():
                raise last
            try:
                return self._once(request)
            except _Again as failure:
                last = failure
                raise

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            stop=partial(self._enough, Counter()),
            wait=_pause,
            before_sleep=self._tell,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(attempt)
        except _Again:
            if isinstance(last.outcome, httpx.Response):
                return last.outcome
            raise last.outcome from None

    def _tell(self, state: "RetryCallState") -> None:
        seconds = state.next_action.sleep if state.next_action else 0.0
        self._watch.wait(AGAIN if _burst_of(state) is None else LIMIT, seconds)

    def _enough(self, failures: Counter[bool], state: "RetryCallState") -> bool:
        if self._ending.is_set():
            return True
        # Counted apart: a service that was busy five times may still be unreachable three times.
        bursting = _burst_of(state) is not None
        failures[bursting] += 1
        if bursting:
            # The service says itself when to come back: that is no sign of trouble.
            return failures[bursting] > BURSTS_AGAIN
        return failures[bursting] > READS_AGAIN or not self._budget.take()


def _burst_of(state: "RetryCallState") -> float | None:
    last = state.outcome.exception() if state.outcome else None
    return last.burst_wait if isinstance(last, _Again) else None


def _pause(state: "RetryCallState") -> float:
    import tenacity  # noqa: PLC0415 - it is imported by now

    if (wait := _burst_of(state)) is not None:
        return wait + tenacity.wait_random(0, 0.25)(state)
    return tenacity.wait_random_exponential(multiplier=0.5, max=8)(state)


def _may_recover(response: httpx.Response) -> bool:
    """Tell whether asking again may help; the code of an error counts before its status."""
    if response.status_code not in _TRY_LATER:
        return False
    answer = answers.envelope(response.content)
    return not answers.is_final(answers.error_code(answer))


def _ends_early(response: httpx.Response) -> bool:
    """Tell whether a success lacks its end: an object that does not close."""
    if not response.is_success:
        return False
    body = response.content.strip()
    if "Content-Length" in response.headers or "Transfer-Encoding" in response.headers:
        # Whole by HTTP's own rules; what stands behind a proxy may have been cut all the same.
        return body.startswith(b"{") and not body.endswith(b"}")
    # It ended with its connection, wherever that was: before the first byte, or behind a bracket of many.
    return not body or (body.startswith(b"{") and not _is_json(body))


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _burst_wait(response: httpx.Response) -> float | None:
    """Give the seconds to wait for the next second's requests; None if waiting does not help."""
    status, after = response.status_code, response.headers.get("Retry-After")
    if response.is_success:
        return None
    answer = answers.envelope(response.content)
    if not answers.may_come_back(answers.error_code(answer), said_when=status == 429 and after is not None):
        return None
    seconds = _seconds(after or "", response.headers.get("Date", ""))
    return 1.0 if seconds is None else min(max(seconds, 0.0), LONGEST_WAIT)


def _seconds(after: str, now: str) -> float | None:
    """Read Retry-After (RFC 9110, section 10.2.3): seconds, or a date, which counts from the answer's own Date.

    Clocks differ: a date is never compared with this machine's.
    """
    seconds = told_number(after)
    if seconds is not None:
        return float(seconds)
    try:
        return (http_date(after) - http_date(now)).total_seconds()
    except (ValueError, OverflowError):
        return None
