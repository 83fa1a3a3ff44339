"""Patience and caution, as layers around an httpx transport; the clock and the sleep are arguments.

    Origin      one service, and only the methods that the command needs
    Patience    tries again what is safe to try again
    Pace        stays under the service's requests a second
    (Deadline)  a request takes so long and no longer: deadline.py
    Whole       the whole answer, of bounded size, and nothing that is packed
    (httpx)     sockets and TLS

A request goes from top to bottom, its answer back up.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from bio_sync import answers
from bio_sync.errors import InvalidAddress, NotAnAnswer

if TYPE_CHECKING:
    from tenacity import RetryCallState

MOST_BYTES = 32 * 1024 * 1024
READS_AGAIN = 3
BURSTS_AGAIN = 5
LONGEST_WAIT = 30.0
# Of the service's own limit: at 100 % a clock that differs a little earns a 429 (measured: 98 % earns none).
SHARE_OF_LIMIT = 0.98
UNKNOWN_BURST_LIMIT = 10
# No limit is as large; a float, which the pace is, could not even hold some whole numbers that JSON can.
SENSELESS = 10**15

# A proxy's refusal comes before the request: it answers to CONNECT.
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_TRY_LATER = frozenset((408, 500, 502, 503, 504))
_NOT_FOR_HTTPX = frozenset((b"location", b"set-cookie"))


@dataclass(slots=True)
class Meter:
    """What the service has said of its limits, and what was used; None is what it never said."""

    calls: int = 0
    quota_remaining: int | None = None
    burst_limit: int = UNKNOWN_BURST_LIMIT
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, calls: int) -> None:
        """Count calls that go out, or take back those that never did."""
        with self._lock:
            self.calls += calls

    def learn(self, *, quota_remaining: object = None, burst_limit: object = None) -> None:
        """Take over numbers that make sense, as numbers or as the text of a header; ignore all others."""
        remaining, burst = _whole_number(quota_remaining), _whole_number(burst_limit)
        if remaining is not None:
            self.quota_remaining = remaining
        if burst:
            self.burst_limit = burst


class Origin(httpx.BaseTransport):
    """Lets requests pass to one service and by some methods only: the one choke point of all that is sent."""

    def __init__(self, inner: httpx.BaseTransport, *, address: str, methods: frozenset[str]) -> None:
        self._inner = inner
        self._address = httpx.URL(address)
        self._methods = methods

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on; raises InvalidAddress for another host, path or method."""
        url, home = request.url, self._address
        same_place = (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port)
        if not same_place or not url.path.startswith(home.path.rstrip("/") + "/"):
            raise InvalidAddress("a request to another place than the service was stopped")
        if request.method not in self._methods:
            raise InvalidAddress(f"a {request.method} request was stopped: this command only reads")
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close the layers below."""
        self._inner.close()


class _Again(Exception):
    def __init__(self, outcome: httpx.Response | httpx.TransportError, *, burst_wait: float | None = None) -> None:
        super().__init__()
        self.outcome = outcome
        self.burst_wait = burst_wait


class Patience(httpx.BaseTransport):
    """Tries again: reads that failed and requests that never left (3 times), the second's limit (5 times).

    A write whose answer was lost is never sent again here: it may have been carried out.
    """

    def __init__(self, inner: httpx.BaseTransport, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._inner = inner
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on until there is an answer that waiting would not change."""
        try:
            return self._once(request)
        except _Again as first:
            return self._again(request, first)

    def close(self) -> None:
        """Close the layers below."""
        self._inner.close()

    def _once(self, request: httpx.Request) -> httpx.Response:
        reading = request.method == "GET"
        try:
            response = self._inner.handle_request(request)
        except httpx.TransportError as error:
            if reading or isinstance(error, NEVER_SENT):
                raise _Again(error) from error
            raise
        if response.status_code == 429 and (wait := _burst_wait(response)) is not None:
            raise _Again(response, burst_wait=wait)
        if reading and response.status_code in _TRY_LATER:
            raise _Again(response)
        return response

    def _again(self, request: httpx.Request, first: _Again) -> httpx.Response:
        import tenacity  # noqa: PLC0415 - 60 ms that a run without trouble does not need

        waiting_turns = [first]

        def attempt() -> httpx.Response:
            # The first turn is the failure that brought us here: it has its wait, but no second request.
            if waiting_turns:
                raise waiting_turns.pop()
            return self._once(request)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            stop=_enough,
            wait=_pause,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(attempt)
        except _Again as last:
            if isinstance(last.outcome, httpx.Response):
                return last.outcome
            raise last.outcome from None


class Pace(httpx.BaseTransport):
    """Spaces requests evenly (GCRA) under the burst limit that the service names."""

    def __init__(
        self,
        inner: httpx.BaseTransport,
        *,
        meter: Meter,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._inner = inner
        self._meter = meter
        self._clock = clock
        self._sleep = sleep
        self._last = -math.inf
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Wait for this request's turn, then pass it on and learn the limits from its answer."""
        with self._lock:
            now = self._clock()
            # The limit as it is known now: the last answer may have named a lower one than its request was sent by.
            self._last = turn = max(now, self._last + 1 / (self._meter.burst_limit * SHARE_OF_LIMIT))
        if turn > now:
            self._sleep(turn - now)
        response = self._inner.handle_request(request)
        self._meter.learn(
            quota_remaining=response.headers.get("X-RateLimit-Remaining"),
            burst_limit=response.headers.get("X-RateLimit-Burst-Limit"),
        )
        return response

    def close(self) -> None:
        """Close the layers below."""
        self._inner.close()


class Whole(httpx.BaseTransport):
    """Reads the whole answer, at most 32 MiB of it, and nothing that is packed."""

    def __init__(self, inner: httpx.BaseTransport, *, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on and give its answer with the body read.

        Raises NotAnAnswer for an answer that is packed or too large: it would be so each time it is asked for.
        """
        # Counted before the answer: one that is lost or interrupted may have cost a call all the same.
        self._meter.count(1)
        try:
            response = self._inner.handle_request(request)
        except NEVER_SENT:
            self._meter.count(-1)
            raise
        try:
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise NotAnAnswer("the answer is packed, though a plain one was asked for")
            return self._read(response, request)
        finally:
            response.close()

    def close(self) -> None:
        """Close the layers below."""
        self._inner.close()

    def _read(self, response: httpx.Response, request: httpx.Request) -> httpx.Response:
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > MOST_BYTES:
                raise NotAnAnswer(f"the answer is larger than {MOST_BYTES // 2**20} MiB")
        # httpx would read these two, whatever they hold, though no redirect is followed and no cookie kept.
        headers = [pair for pair in response.headers.raw if pair[0].lower() not in _NOT_FOR_HTTPX]
        return httpx.Response(response.status_code, headers=headers, content=bytes(body), request=request)


def _enough(state: "RetryCallState") -> bool:
    last = state.outcome.exception() if state.outcome else None
    bursts = isinstance(last, _Again) and last.burst_wait is not None
    return state.attempt_number > (BURSTS_AGAIN if bursts else READS_AGAIN)


def _pause(state: "RetryCallState") -> float:
    import tenacity  # noqa: PLC0415 - it is imported by now

    last = state.outcome.exception() if state.outcome else None
    if isinstance(last, _Again) and last.burst_wait is not None:
        return last.burst_wait + tenacity.wait_random(0, 0.25)(state)
    return tenacity.wait_random_exponential(multiplier=0.5, max=8)(state)


def _burst_wait(response: httpx.Response) -> float | None:
    """Give the seconds to wait for the next second's requests; None if waiting does not help."""
    answer, _ = answers.envelope(response.content, None)
    after = response.headers.get("Retry-After")
    if not answers.may_come_back(answers.error_code(answer), said_when=after is not None):
        return None
    seconds = _whole_number(after)
    wait = 1.0 if seconds is None else float(seconds)
    return min(wait, LONGEST_WAIT)


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, str):
        if not (value.isascii() and value.strip().isdecimal() and len(value) <= 15):
            return None
        value = int(value)
    return value if 0 <= value < SENSELESS else None
