"""Rounds: everybody once, then everybody once more, so that a noisy moment hits all."""

import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.contestants import FLOOR, Contestant, wrong_apply, wrong_plan
from benchmarks.measure import Measurement, measure
from benchmarks.service import Service
from benchmarks.workspaces import Workspace, make

# Seconds: a peer that takes longer runs so many times and no more. bio-sync and the floor run in every round.
SLOW, RUNS_IF_SLOW = 4.0, 2
VERY_SLOW, RUNS_IF_VERY_SLOW = 20.0, 1


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as long: the median of the ratios of each round, and the ratio of the quickest runs."""

    median: float
    minima: float


@dataclass(slots=True)
class Entry:
    """The runs of one contestant in a row; `wrong` says what was wrong with a result, or why there is none.

    `together` are the bytes of all its processes at once, at their most, of a run that is not among `runs`; 0 where
    nobody looked.
    """

    name: str
    runs: list[Measurement] = field(default_factory=list)
    wrong: str = ""
    together: int = 0

    @property
    def wall(self) -> float:
        """The median of the seconds."""
        return statistics.median(run.wall for run in self.runs)

    @property
    def peak(self) -> int:
        """The largest single process of any run, in bytes."""
        return max(run.peak for run in self.runs)

    @property
    def calls(self) -> int:
        """The calls of a run; each made the same, or the most of them."""
        return max(run.asked.all_calls if run.asked else 0 for run in self.runs)


@dataclass(frozen=True, slots=True)
class Row:
    """One piece of work: so many pages, of which so many differ, and who did it."""

    work: str
    pages: int
    percent: int
    changed: int
    entries: Mapping[str, Entry]

    @property
    def least_calls(self) -> int:
        """The calls that the work needs: one list a 200 pages, or one GET; an apply, one a page that differs too."""
        return -(-self.pages // 200) + (self.changed if self.work == "apply" else 0)


def ratio(one: Entry, other: Entry) -> Ratio | None:
    """Tell how many times as long `one` took as `other`, by the rounds that both ran in."""
    pairs = list(zip(one.runs, other.runs, strict=False))
    if not pairs:
        return None
    return Ratio(
        statistics.median(mine.wall / yours.wall for mine, yours in pairs),
        min(mine.wall for mine, _ in pairs) / min(yours.wall for _, yours in pairs),
    )


@contextmanager
def workspace(pages: int, percent: int) -> Iterator[Workspace]:
    """Give a workspace in a folder that goes when it is done with."""
    with tempfile.TemporaryDirectory(prefix="bio-sync-benchmark-") as folder:
        yield make(Path(folder) / "workspace", pages=pages, percent=percent)


def row(work: str, place: Workspace, service: Service, percent: int, who: Sequence[Contestant], rounds: int) -> Row:
    """Let everybody do the work, so many rounds; what a contestant can't do is an entry that says why."""
    entries = {each.name: Entry(each.name, wrong=_why_not(each, work, place)) for each in who}
    running = [each for each in who if not entries[each.name].wrong]
    for number in range(rounds):
        progress(f"{work}, {place.pages:,} pages, {percent} % changed: round {number + 1} of {rounds}")
        for each in running:
            entry = entries[each.name]
            if not entry.wrong and not (each.is_peer and has_run_enough(entry)):
                run_once(each, work, place, service, entry)
    progress(f"{work}, {place.pages:,} pages, {percent} % changed: memory")
    for each in running:
        if not entries[each.name].wrong:
            _look_at_memory(each, work, place, service, entries[each.name])
    return Row(work, place.pages, percent, len(place.changed), entries)


def run_once(each: Contestant, work: str, place: Workspace, service: Service, entry: Entry) -> None:
    """Run it, look at its result, and add it to the entry."""
    run = measure(_line(each, work, place, service), folder=place.folder, service=service)
    entry.wrong = wrong_plan(each, run, place) if work == "plan" else wrong_apply(run, place, service)
    if entry.wrong:
        progress(f"{each.name}: {entry.wrong}\n{run.err[-1000:]}")
    # The plan of 10,000 pages as text is megabytes, which nobody needs any more.
    entry.runs.append(replace(run, out="", err=run.err[-500:]))


def _look_at_memory(each: Contestant, work: str, place: Workspace, service: Service, entry: Entry) -> None:
    run = measure(_line(each, work, place, service), folder=place.folder, service=service, memory=True)
    entry.wrong, entry.together = run.failure, run.together


def _line(each: Contestant, work: str, place: Workspace, service: Service) -> Sequence[str]:
    command = each.plan if work == "plan" or not each.apply else each.apply
    # A peer makes here what its command needs beforehand: that is not measured.
    return command(place, service)


def interleaved(commands: Mapping[str, Callable[[], Measurement]], rounds: int) -> dict[str, Entry]:
    """Measure commands that ask nobody, so many rounds, everybody once a round."""
    entries = {name: Entry(name) for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            entries[name].runs.append(command())
    return entries


def progress(text: str) -> None:
    """Tell whoever waits what is under way."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _why_not(each: Contestant, work: str, place: Workspace) -> str:
    if each.missing:
        return each.missing
    if work == "apply" and not each.apply:
        return "only plans"
    if place.pages > each.most_pages:
        return f"not asked for more than {each.most_pages:,} pages"
    if work == "apply" and len(place.changed) > each.most_writes:
        return f"not asked for more than {each.most_writes:,} writes"
    if each.is_peer and place.pages > 1_000 and len(place.changed) == place.pages:
        return f"not asked: {FLOOR} and bio-sync only"
    return ""


def has_run_enough(entry: Entry) -> bool:
    """Tell whether a peer is so slow that what it has run is enough."""
    slowest = max((run.wall for run in entry.runs), default=0.0)
    if slowest > VERY_SLOW:
        return len(entry.runs) >= RUNS_IF_VERY_SLOW
    return slowest > SLOW and len(entry.runs) >= RUNS_IF_SLOW
