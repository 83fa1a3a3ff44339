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
    """A try that failed; `wait` are the seconds that the answer asked for, `bursting` is one too many a second."""

    def __init__(
        self, outcome: httpx.Response | httpx.TransportError, *, wait: float | None = None, bursting: bool = False
    ) -> None:
        super().__init__()
        self.outcome = outcome
        self.wait = wait
        self.bursting = bursting


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
            raise _Again(response, wait=wait, bursting=True)
        if reading and (_may_recover(response) or _ends_early(response)):
            raise _Again(response, wait=_told_wait(response))
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
        self._watch.wait(LIMIT if _failure(state).bursting else AGAIN, seconds)

    def _enough(self, failures: Counter[bool], state: "RetryCallState") -> bool:
        if self._ending.is_set():
            return True
        # Counted apart: a service that was busy five times may still be unreachable three times.
        bursting = _failure(state).bursting
        failures[bursting] += 1
        if bursting:
            # The service says itself when to come back: that is no sign of trouble.
            return failures[bursting] > BURSTS_AGAIN
        return failures[bursting] > READS_AGAIN or not self._budget.take()


def _failure(state: "RetryCallState") -> _Again:
    last = state.outcome.exception() if state.outcome else None
    assert isinstance(last, _Again)  # noqa: S101 - nothing else is tried again
    return last


def _pause(state: "RetryCallState") -> float:
    import tenacity  # noqa: PLC0415 - it is imported by now

    failure = _failure(state)
    told = 0.0 if failure.wait is None else failure.wait + tenacity.wait_random(0, 0.25)(state)
    if failure.bursting:
        return told
    # A service in trouble that says 0 is not asked four times at once.
    return max(told, tenacity.wait_random_exponential(multiplier=0.5, max=8)(state))


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
    if response.is_success:
        return None
    answer = answers.envelope(response.content)
    said_when = response.status_code == 429 and "Retry-After" in response.headers
    if not answers.may_come_back(answers.error_code(answer), said_when=said_when):
        return None
    told = _told_wait(response)
    return 1.0 if told is None else told


def _told_wait(response: httpx.Response) -> float | None:
    """Read Retry-After (RFC 9110, section 10.2.3), up to the longest wait: seconds, or a date.

    A date counts from the answer's own Date, since clocks differ. None is what makes no sense, or is not there.
    """
    after, now = response.headers.get("Retry-After", ""), response.headers.get("Date", "")
    seconds: float | None = told_number(after)
    if seconds is None:
        try:
            seconds = (http_date(after) - http_date(now)).total_seconds()
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT)
