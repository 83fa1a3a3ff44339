"""How fast: evenly under the limit that the service names."""

import math
import threading
import time
from collections.abc import Callable

from bio_sync.httplibrary import httpx
from bio_sync.transport.layer import Layer
from bio_sync.transport.meter import BURST_LIMIT, Meter

# Seconds that a read may wait for its turn when the run is to end: sixteen of them take 1.6 at the usual rate.
LAST_TURN = 2.0


class Pace(Layer):
    """Spaces requests evenly (GCRA) under the burst limit that the service names."""

    def __init__(
        self,
        inner: httpx.BaseTransport,
        *,
        meter: Meter,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        super().__init__(inner)
        self._meter = meter
        self._clock = clock
        self._sleep = sleep
        self._last = -math.inf
        self._first = True
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Wait for this request's turn, then pass it on and learn the pace from its answer."""
        self._wait_for_a_turn(reading=request.method == "GET")
        sent = self._clock()
        response = self._inner.handle_request(request)
        self._arrived()
        # What is refused is refused sooner than it would be carried out.
        if response.is_success:
            self._meter.took(self._clock() - sent)
        if response.status_code != 429:
            self._meter.passed()
        self._meter.learn_date(response.headers.get("Date"))
        self._meter.learn_burst_limit(response.headers.get(BURST_LIMIT))
        return response

    def _arrived(self) -> None:
        """Count the first turn from its answer: it had to connect first, and the second would follow too soon."""
        with self._lock:
            if self._first:
                self._first, self._last = False, max(self._last, self._clock())

    def _wait_for_a_turn(self, *, reading: bool) -> None:
        while True:
            with self._lock:
                now = self._clock()
                # The rate as it is known now: the last answer may have named a lower one than its request was sent by.
                self._last = turn = max(now, self._last + 1 / self._meter.rate, self._meter.held_until)
            if turn > now:
                self._sleep(turn - now)
            woken = self._clock()
            if woken < turn:
                # The sleep was ended with the run. What was written is still read back, and not all at once.
                if reading and turn - woken <= LAST_TURN:
                    time.sleep(turn - woken)
                return
            # Another request may have met a 429 meanwhile.
            if woken >= self._meter.held_until:
                return
