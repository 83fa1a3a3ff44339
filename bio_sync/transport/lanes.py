"""Requests side by side: each has a stack of its own, so that ending one leaves the others alone."""

import threading
from collections.abc import Callable

from bio_sync.httplibrary import httpx
from bio_sync.transport.watchdog import Watchdog


class Lanes(httpx.BaseTransport):
    """Gives every request that is under way a lane: a deadline, a reader and sockets that no other one uses."""

    def __init__(self, open_lane: Callable[[], httpx.BaseTransport], *, watchdog: Watchdog) -> None:
        self._open_lane = open_lane
        self._watchdog = watchdog
        self._lock = threading.Lock()
        self._lanes: list[httpx.BaseTransport] = []
        self._idle: list[httpx.BaseTransport] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on in a lane that is free; its answer has come whole when this returns."""
        with self._lock:
            if not self._idle:
                self._lanes.append(self._open_lane())
                self._idle.append(self._lanes[-1])
            # The one that was used last: its connection is the most likely to be open still.
            lane = self._idle.pop()
        try:
            return lane.handle_request(request)
        finally:
            with self._lock:
                self._idle.append(lane)

    def close(self) -> None:
        """End what is under way, and close the layers below."""
        self._watchdog.close()
        with self._lock:
            for lane in self._lanes:
                lane.close()
