"""Late writes: what was answered already, and is carried out when its time has come."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True, order=True)
class LateWrite:
    """A write with the moment at which it is due; `carry_out` does it as of that moment."""

    due: float
    # Of two that are due at once, the one that was asked for first is carried out first.
    number: int
    carry_out: Callable[[float], object] = field(compare=False)


class LateWrites:
    """The writes that are still to come. No timer: whoever looks at a page asks for the due ones first."""

    def __init__(self) -> None:
        """Start empty."""
        self._writes: list[LateWrite] = []

    def add(self, write: LateWrite) -> None:
        """Keep a write until it is due."""
        heapq.heappush(self._writes, write)

    def due(self, now: float) -> Iterator[LateWrite]:
        """Yield the writes that are due by `now`, in order of their time, each one once."""
        while self._writes and self._writes[0].due <= now:
            yield heapq.heappop(self._writes)
