"""What was promised, beside what was measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.contestants import BIO_SYNC, FLOOR
from benchmarks.pace import Paced
from benchmarks.peers import ANSIBLE, OCTODNS, SCRIPT, SHELL
from benchmarks.rounds import Entry, Ratio, Row, ratio
from benchmarks.startup import CLICK

NOT_RUN = "not measured"
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target with what was measured; `met` is yes, no, not measured, or, when two figures disagree, on the edge."""

    work: str
    target: str
    measured: str
    met: str


def verdicts(rows: Sequence[Row], starts: Mapping[str, Entry], pace: Sequence[Paced]) -> Iterator[Verdict]:
    """Hold what was measured against each target."""
    for option in ("--version", "--help"):
        figure = _between(starts, f"bio-sync {option}", CLICK)
        yield _at_most(f"`bio-sync {option}`", 1.3, f"`{CLICK}`", figure)
    for pages, percent, limit in ((25, 1, 3.0), (1_000, 1, 2.0), (10_000, 1, 1.5), (1_000, 100, 4.0)):
        figure = _between(_entries(rows, "plan", pages, percent), BIO_SYNC, FLOOR)
        yield _at_most(f"plan, {pages:,} pages, {percent} % changed", limit, "the floor", figure)
    for peer, least in ((SHELL, 1.3), (SCRIPT, 10.0), (OCTODNS, 10.0), (ANSIBLE, 10.0)):
        figure = _between(_entries(rows, "plan", 1_000, 1), peer.name, BIO_SYNC)
        yield _at_least(f"plan, 1,000 pages, 1 % changed: faster than {peer.name}", least, figure)
    yield _memory(rows)
    for each in pace:
        yield from _pace(each)
    yield _calls(rows)


def _entries(rows: Sequence[Row], work: str, pages: int, percent: int) -> Mapping[str, Entry]:
    found = [row for row in rows if (row.work, row.pages, row.percent) == (work, pages, percent)]
    return found[0].entries if found else {}


def _between(entries: Mapping[str, Entry], one: str, other: str) -> Ratio | str:
    """Compare two that both did it, and both rightly; else say why they can't be compared."""
    for name in (one, other):
        if name not in entries:
            return NOT_RUN
        if entries[name].wrong:
            return f"{name}: {entries[name].wrong}"
    return ratio(entries[one], entries[other]) or NOT_RUN


def _at_most(work: str, limit: float, of: str, figure: Ratio | str) -> Verdict:
    target = f"≤ {limit:g} × {of}"
    if isinstance(figure, str):
        return Verdict(work, target, figure, NOT_RUN)
    return Verdict(work, target, _told(figure), _met(figure.median <= limit, figure.minima <= limit))


def _at_least(work: str, least: float, figure: Ratio | str) -> Verdict:
    target = f"≥ {least:g} ×"
    if isinstance(figure, str):
        return Verdict(work, target, figure, NOT_RUN)
    return Verdict(work, target, _told(figure), _met(figure.median >= least, figure.minima >= least))


def _told(figure: Ratio) -> str:
    return f"{figure.median:.2f} ({figure.minima:.2f})"


def _met(*holds: bool) -> str:
    if all(holds):
        return "yes"
    return "on the edge" if any(holds) else "**no**"


def _memory(rows: Sequence[Row]) -> Verdict:
    work, target = "plan, 10,000 pages, 1 % changed: peak memory", "≤ 160 MB"
    entry = _entries(rows, "plan", 10_000, 1).get(BIO_SYNC)
    if entry is None or entry.wrong:
        return Verdict(work, target, NOT_RUN, NOT_RUN)
    one = f"{entry.peak / MEGABYTE:.1f} MB the largest process"
    if not entry.together:
        return Verdict(work, target, f"{one}, together not looked at", NOT_RUN)
    # The kernel misses no moment of the largest process, a look now and then may: the larger counts.
    most = max(entry.peak, entry.together)
    return Verdict(work, target, f"{one}, {entry.together / MEGABYTE:.1f} MB together", _met(most <= 160 * MEGABYTE))


def _pace(each: Paced) -> Iterator[Verdict]:
    work = f"apply, {each.writes:,} writes at {each.rate} a second"
    if each.asked is None or each.entry.wrong:
        yield Verdict(work, "≤ 1.03 × k/r, no 429", each.entry.wrong or NOT_RUN, "**no**")
        return
    if each.is_long_enough:
        yield Verdict(f"{work}: the whole command", "≤ 1.03 × k/r", f"{each.whole:.3f}", _met(each.whole <= 1.03))
    yield Verdict(f"{work}: first to last", "≤ 1.03 × k/r", f"{each.writing:.3f}", _met(each.writing <= 1.03))
    yield Verdict(f"{work}: refusals", "no 429", str(each.asked.too_many), _met(each.asked.too_many == 0))


def _calls(rows: Sequence[Row]) -> Verdict:
    """Of every row, paced ones aside: those last so long that the pages are looked at once more."""
    pairs = [(row, row.entries[BIO_SYNC]) for row in rows if BIO_SYNC in row.entries]
    ran = [(row, entry) for row, entry in pairs if entry.runs and not entry.wrong]
    off = [
        f"{row.work} {row.pages:,}/{row.percent} %: {entry.calls} for {row.least_calls}"
        for row, entry in ran
        if entry.calls != row.least_calls
    ]
    told = "; ".join(off) or f"exactly those, in each of {len(ran)} rows"
    met = _met(not off) if ran else NOT_RUN
    return Verdict("calls of bio-sync", "⌈N/200⌉, and one for each page written", told if ran else NOT_RUN, met)
