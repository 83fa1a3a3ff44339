"""Writes against a service that enforces its limit: k writes at r a second can't take less than about k/r."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contestants import Contestant
from benchmarks.rounds import Entry, progress, run_once, workspace
from benchmarks.service import Asked, Service

# Seconds: of less than that, the start of a command is too large a part for the whole of it to be held to k/r.
LONG_ENOUGH = 10.0


@dataclass(frozen=True, slots=True)
class Paced:
    """An apply of `writes` pages at `rate` a second: what it took, and what the service saw of it."""

    writes: int
    rate: int
    entry: Entry

    @property
    def asked(self) -> Asked | None:
        """What the service saw; None when nothing ran."""
        return self.entry.runs[0].asked if self.entry.runs else None

    @property
    def is_long_enough(self) -> bool:
        """Tell whether the whole command, and not only its writes, can be held to k/r."""
        return self.writes / self.rate >= LONG_ENOUGH

    @property
    def whole(self) -> float:
        """The whole command, with its start and its reading, as a multiple of k/r."""
        return self.entry.wall / (self.writes / self.rate)

    @property
    def writing(self) -> float:
        """From the first write to the last, as a multiple of (k - 1)/r: as many gaps as lie between k writes."""
        return self.asked.writing / ((self.writes - 1) / self.rate) if self.asked else 0.0


def paced(contestant: Contestant, server: Path, rates: Sequence[tuple[int, int]]) -> list[Paced]:
    """Apply changes of all k pages at r a second, for each (k, r)."""
    rows = []
    for writes, rate in rates:
        progress(f"apply, {writes:,} writes at {rate} a second")
        entry = Entry(contestant.name)
        with workspace(writes, 100) as place, Service(server, place, burst_limit=rate, enforce=True) as service:
            run_once(contestant, "apply", place, service, entry)
        rows.append(Paced(writes, rate, entry))
    return rows
