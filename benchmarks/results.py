"""The results as Markdown: what was promised first, then every row, then how it was measured and with what."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.contestants import BIO_SYNC, FLOOR, Contestant
from benchmarks.load import Load
from benchmarks.pace import Paced
from benchmarks.rounds import Entry, Ratio, Row, ratio
from benchmarks.service import Asked
from benchmarks.startup import CLICK
from benchmarks.targets import MEGABYTE, verdicts

HOW = """\
Made by `{command}`; nothing here is written by hand. [README.md](README.md) says what is measured against what.

**How to read it.** *Floor* is `http.client` + `json` for the same calls and `yaml.CSafeLoader` for the same files in
one process, and nothing else. A ratio is given twice, `a (b)`: the median of the ratios of each round, and the ratio
of the quickest runs. They agree on a quiet machine; a target is met only when both are within it. Seconds are the
median (the least); they belong to this machine and this hour, and ratios are what to compare. *CPU* is of the
quickest run, user and system, and can be more than the wall where two processes work at once. *Peak* is the largest
single process of a command, as the kernel keeps it (ru_maxrss); *together* are all its processes at once, looked at a
hundred times a second in one more run that is not timed, what they share counted once (PSS, with the code and files
of one of them in full). *Calls* is what the service counted, *service* the CPU time that the service itself needed,
as a share of the wall. In each round everybody runs once, in turn; a peer that takes longer than 4 s runs twice,
longer than 20 s once. Each result was checked: a plan has to find the pages that differ and no others, an apply has
to leave every page as its file wants it, with one write each."""

# How many times as much as its fastest client asks for the service has to be able to take.
ENOUGH = 3
# Calls of a kind in one run; fewer are no pace.
SOME = 5


@dataclass(frozen=True, slots=True)
class Results:
    """All that was measured in one run, and with what."""

    command: str
    began: str
    minutes: float
    surroundings: Sequence[tuple[str, str]]
    contestants: Sequence[Contestant]
    starts: Mapping[str, Entry]
    rows: Sequence[Row]
    pace: Sequence[Paced]
    load: Sequence[Load]


def document(results: Results) -> str:
    """Write all of it as one Markdown document."""
    return "\n\n".join(part.strip("\n") for part in _parts(results)) + "\n"


def _parts(results: Results) -> Iterator[str]:
    yield "# What bio-sync costs"
    yield f"Measured on {results.began}, in {max(1, round(results.minutes))} min."
    yield HOW.format(command=results.command)
    yield "## Targets"
    told = verdicts(results.rows, results.starts, results.pace)
    yield table(
        ("work", "target", "measured", "met"), [(each.work, each.target, each.measured, each.met) for each in told]
    )
    yield "## Cold start"
    yield _starts(results.starts)
    for work, title in (("plan", "## Plan"), ("apply", "## Apply, without a limit")):
        yield title
        for row in results.rows:
            if row.work == work:
                yield f"### {_pages(row)}, {row.percent} % changed ({row.changed:,})"
                yield _row(row)
    yield "## Apply, k writes at r a second"
    yield _pace(results.pace)
    yield "## Is it the service that is measured?"
    yield _load(results)
    yield "## With what"
    yield "\n".join(f"- {name}: {value}" for name, value in results.surroundings)
    peers = [(each.name, each.why, each.versions or each.missing) for each in results.contestants]
    yield table(("name", "what it does", "versions"), peers)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a Markdown table that can be read as text too."""
    escaped = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in (head, *rows)]
    widths = [max(3, *(len(row[column]) for row in escaped)) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in escaped
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def seconds(value: float) -> str:
    """Write seconds with as many digits as mean anything."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def _wall(entry: Entry) -> str:
    return f"{seconds(entry.wall)} ({seconds(min(run.wall for run in entry.runs))})"


def _times(figure: Ratio | None) -> str:
    return "" if figure is None else f"{figure.median:.2f} ({figure.minima:.2f})"


def _starts(starts: Mapping[str, Entry]) -> str:
    click = starts.get(CLICK, Entry(""))
    lines = []
    for name, entry in starts.items():
        told = (_wall(entry), _times(ratio(entry, click)), *_megabytes(entry), str(len(entry.runs)))
        lines.append((f"`{name}`", *told, entry.wrong or "right"))
    return table(("command", "wall", "÷ `import click`", "peak", "together", "runs", "result"), lines)


def _megabytes(entry: Entry) -> tuple[str, str]:
    return f"{entry.peak / MEGABYTE:.0f} MB", f"{entry.together / MEGABYTE:.0f} MB" if entry.together else ""


def _row(row: Row) -> str:
    lines = [_entry(entry, row) for entry in row.entries.values() if entry.runs]
    head = ("", "wall", "÷ floor", "÷ bio-sync", "CPU", "peak", "together", "calls", "service", "runs", "result")
    reasons: dict[str, list[str]] = {}
    for entry in row.entries.values():
        if not entry.runs:
            reasons.setdefault(entry.wrong, []).append(entry.name)
    told = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in reasons.items())
    return table(head, lines) + (f"\n\nNot run: {told}." if told else "")


def _pages(row: Row) -> str:
    return f"{row.pages:,} page" + ("" if row.pages == 1 else "s")


def _entry(entry: Entry, row: Row) -> tuple[str, ...]:
    quickest = min(entry.runs, key=lambda run: run.wall)
    asked = quickest.asked
    return (
        entry.name,
        _wall(entry),
        _against(entry, row, FLOOR),
        _against(entry, row, BIO_SYNC),
        seconds(quickest.cpu),
        *_megabytes(entry),
        f"{entry.calls:,}",
        f"{asked.cpu / quickest.wall:.1%}" if asked else "",
        str(len(entry.runs)),
        entry.wrong or "right",
    )


def _against(entry: Entry, row: Row, name: str) -> str:
    other = row.entries.get(name)
    return "" if other is None or entry.name in {FLOOR, name} else _times(ratio(entry, other))


def _pace(pace: Sequence[Paced]) -> str:
    head = (
        "k writes",
        "r a second",
        "k/r",
        "the whole command",
        "÷ k/r",
        "first to last write ÷",
        "calls",
        "429",
        "result",
    )
    lines = []
    for each in pace:
        asked, least = each.asked, each.writes / each.rate
        if asked is None:
            continue
        told = (seconds(least), seconds(each.entry.wall), f"{each.whole:.3f}", f"{each.writing:.3f}")
        counts = (f"{each.entry.calls:,}", str(asked.too_many), each.entry.wrong or "right")
        lines.append((f"{each.writes:,}", str(each.rate), *told, *counts))
    return table(head, lines)


def _load(results: Results) -> str:
    """Compare what the service can take with the most that any client has asked of it, kind by kind."""
    lines, margins = [], []
    for each in results.load:
        who, fastest = _fastest(results.rows, each.kind)
        margins += [each.per_second / fastest] if fastest else []
        asked = (f"{fastest:,.0f}", who, f"{margins[-1]:.1f}") if fastest else ("too few to tell", "", "")
        lines.append((each.kind, f"{each.per_second:,.0f}", *asked))
    share = max((_share(entry) for row in results.rows for entry in row.entries.values()), default=0.0)
    least = min(margins, default=0.0)
    verdict = "No" if least >= ENOUGH else "**It may be**"
    told = (
        f"{verdict}: the service answers from bytes that are ready, in a process of its own. Loaded with requests by"
        f" the\nbatch on a raw socket it takes at least {least:.1f} times what any client here asks of it while it asks"
        f"\n({ENOUGH} is what we want), and its own CPU time is at most {share:.0%} of any wall, the floor's included"
        " (the column\n*service*)."
    )
    head = ("call", "the service, a second", "the fastest client, a second", "which", "times")
    return told + "\n\n" + table(head, lines)


def _share(entry: Entry) -> float:
    return max((run.asked.cpu / run.wall for run in entry.runs if run.asked), default=0.0)


def _fastest(rows: Sequence[Row], kind: str) -> tuple[str, float]:
    """Tell who made calls of a kind at the quickest pace while it made them, and how many a second.

    Writes are taken from the first to the last of them, the others from plans, from the first call to the last.
    """
    work = "apply" if kind == "patch" else "plan"
    pace = [
        ((run.asked.calls[kind] - 1) / _while(run.asked, kind), f"{name}, {work}, {_pages(row)}")
        for row in rows
        for name, entry in row.entries.items()
        for run in entry.runs
        if row.work == work and run.asked and run.asked.calls[kind] >= SOME
    ]
    most, who = max(pace, default=(0.0, ""))
    return who, most


def _while(asked: Asked, kind: str) -> float:
    return asked.writing if kind == "patch" else asked.asking
