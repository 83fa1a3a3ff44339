"""Time that passes only in sleeps: one clock for the command and for the sandbox, whoever of several sleeps."""

import heapq
import itertools
import threading
from collections.abc import Callable

BEGIN = 1795341600.0
# A run that sleeps longer would never end.
LONGEST = 50_000.0


class SleptTooLong(AssertionError):
    """The command slept so long that nobody would wait for it."""


class VirtualTime:
    """A clock in Unix seconds. Sleepers wake in the order of their time, and one at a time."""

    def __init__(self) -> None:
        self.now = BEGIN
        self._number = itertools.count()
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._sleepers: list[tuple[float, int]] = []
        self._running = 1
        self._changed = threading.Condition()

    def __call__(self) -> float:
        return self.now

    def at(self, moment: float, event: Callable[[], object]) -> None:
        """Let something happen at a moment that somebody sleeps through."""
        heapq.heappush(self._events, (moment, next(self._number), event))

    def sleep(self, seconds: float) -> None:
        """Let time pass; what it was to bring happens meanwhile, in the thread of the sleeper."""
        with self._changed:
            me = (self.now + max(0.0, seconds), next(self._number))
            heapq.heappush(self._sleepers, me)
            self._running -= 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._running == 0 and self._sleepers[0] == me)
            heapq.heappop(self._sleepers)
            self._running += 1
        while self._events and self._events[0][0] <= me[0]:
            moment, _, event = heapq.heappop(self._events)
            self.now = max(self.now, moment)
            event()
        self.now = max(self.now, me[0])
        if self.now - BEGIN > LONGEST:
            raise SleptTooLong

    def joined_by(self, others: int) -> None:
        """Expect other threads, each of which ends by `left`."""
        with self._changed:
            self._running += others

    def left(self) -> None:
        """Wait no longer for the thread that calls."""
        with self._changed:
            self._running -= 1
            self._changed.notify_all()
