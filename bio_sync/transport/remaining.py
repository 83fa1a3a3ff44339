"""How many calls the month has left: by what the last answer told, and by what was sent since."""

import threading


class Remaining:
    """What is left of the month's calls, never more than that; safe from any thread.

    Not every answer tells it, and some are lost: a call that may not be in the number that was told last is taken off
    it. Answers come in another order than the service counted their calls.
    """

    def __init__(self) -> None:
        self._told: int | None = None
        # How many calls had been sent when it was told.
        self._told_at = 0
        self._sent = 0
        self._under_way: set[int] = set()
        # Calls that may not be in what was told, by number: how many had been sent when each was answered or lost.
        self._ended: dict[int, int] = {}
        self._lock = threading.Lock()

    def sent(self) -> int:
        """Count a call that leaves, and give its number."""
        with self._lock:
            self._sent += 1
            self._under_way.add(self._sent)
            return self._sent

    def ended(self, call: int) -> None:
        """Note that the answer to a call has come or was lost."""
        with self._lock:
            self._under_way.discard(call)
            self._ended[call] = self._sent

    def told(self, call: int, remaining: int) -> None:
        """Take over what the answer to a call tells, that call and all that had ended before it was sent included."""
        with self._lock:
            self._ended.pop(call, None)
            # A month's count only falls: of two calls that were under way at once, the one with the lower number was
            # counted later, and its number includes the other.
            if self._told is not None and call <= self._told_at and remaining > self._told:
                return
            self._told, self._told_at = remaining, self._sent
            self._ended = {other: sent for other, sent in self._ended.items() if sent >= call}

    def left(self, *, under_way: bool) -> int | None:
        """Give what is left, with or without the calls that are `under_way` taken off; None when nobody told it."""
        with self._lock:
            if self._told is None:
                return None
            return max(0, self._told - len(self._ended) - (len(self._under_way) if under_way else 0))
