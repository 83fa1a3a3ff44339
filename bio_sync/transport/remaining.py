"""How many calls the month has left: by what the answers tell, and by what was sent since."""

import threading


class Remaining:
    """What is left of the month's calls; safe from any thread.

    Every call is taken off when it is sent, since not every answer tells a number, and some are lost. A lower number
    that is told counts: others use calls, too. A higher one counts when it is higher even without the calls that were
    under way beside it, which it may or may not include: the month is a new one, or a call was never counted.
    """

    def __init__(self) -> None:
        self._left: int | None = None
        self._sent = 0
        self._under_way: set[int] = set()
        # How many others were under way beside a call, at any moment of it; of those that tell no number it stays.
        self._beside: dict[int, int] = {}
        self._lock = threading.Lock()

    def sent(self) -> int:
        """Count a call that leaves, and give its number."""
        with self._lock:
            self._sent += 1
            for other in self._under_way:
                self._beside[other] += 1
            self._beside[self._sent] = len(self._under_way)
            self._under_way.add(self._sent)
            if self._left is not None:
                self._left -= 1
            return self._sent

    def ended(self, call: int) -> None:
        """Note that the answer to a call has come or was lost."""
        with self._lock:
            self._under_way.discard(call)

    def told(self, call: int, remaining: int) -> None:
        """Take over what the answer to a call tells."""
        with self._lock:
            least = remaining - self._beside.pop(call, 0)
            self._left = least if self._left is None or least > self._left else min(self._left, remaining)

    @property
    def left(self) -> int | None:
        """What is left after all calls that were sent; None when nobody told it."""
        return None if self._left is None else max(0, self._left)
