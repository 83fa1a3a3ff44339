"""`python -m benchmarks`, which `make bench` runs: set up, measure, print the tables, write RESULTS.md."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import contestants, installs
from benchmarks.contestants import Contestant
from benchmarks.load import Load, loads
from benchmarks.pace import paced
from benchmarks.peers import PEERS
from benchmarks.results import Results, document
from benchmarks.rounds import Row, progress, row, workspace
from benchmarks.service import Service
from benchmarks.startup import cold_starts
from benchmarks.surroundings import surroundings

RESULTS = Path(__file__).with_name("RESULTS.md")


@dataclass(frozen=True, slots=True)
class Extent:
    """What is run: (pages, percent, works) each with so many rounds, (k, r), rounds of cold starts, seconds of load."""

    work: Sequence[tuple[int, int, Sequence[str], int]]
    pace: Sequence[tuple[int, int]]
    starts: int
    load: float


# One page is changed or it is not: 1 % and 100 % are the same there.
FULL = Extent(
    work=(
        (1, 0, ("plan",), 9),
        (1, 100, ("plan",), 9),
        (25, 0, ("plan",), 9),
        (25, 1, ("plan",), 9),
        (25, 100, ("plan",), 9),
        (1_000, 0, ("plan",), 5),
        (1_000, 1, ("plan", "apply"), 5),
        (1_000, 100, ("plan", "apply"), 5),
        (10_000, 0, ("plan",), 3),
        (10_000, 1, ("plan",), 3),
        (10_000, 100, ("plan",), 2),
    ),
    pace=((250, 10), (1_000, 50), (2_000, 200)),
    starts=21,
    load=1.0,
)
QUICK = Extent(
    work=((1, 0, ("plan",), 2), (25, 1, ("plan",), 2), (25, 100, ("plan", "apply"), 2)),
    pace=((50, 50),),
    starts=5,
    load=0.2,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write a file when all was measured; gives 1 when bio-sync gave a wrong result."""
    told = _parser().parse_args(arguments)
    try:
        return _measure(told)
    except RuntimeError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.stderr.write(
            "hint: the first run installs into .bench, which needs a package index; `make clean` begins anew\n"
        )
        return 1


def _measure(told: argparse.Namespace) -> int:
    extent = QUICK if told.quick else FULL
    began, clock = datetime.now(UTC), time.monotonic()
    progress("installing what is measured")
    server, programs = installs.server_python(), installs.bio_sync()
    who = [contestants.the_floor(programs), contestants.bio_sync(programs)]
    who += contestants.peers(told.peers, install=not told.quick)
    with_what = surroundings(programs, server)
    progress("cold starts")
    starts = cold_starts(programs, extent.starts)
    rows = list(_rows(extent, who, server, told.most_pages))
    pace = paced(who[1], server, extent.pace)
    results = Results(
        command=_command(told),
        began=f"{began:%Y-%m-%d}",
        minutes=(time.monotonic() - clock) / 60,
        surroundings=with_what,
        contestants=who,
        starts=starts,
        rows=rows,
        pace=pace,
        load=_load(server, extent.load),
    )
    text = document(results)
    sys.stdout.write(text)
    if target := told.out or (RESULTS if _command(told) == "make bench" else None):
        target.write_text(text, encoding="utf-8")
    wrong = [each.entries[contestants.BIO_SYNC].wrong for each in rows] + [each.entry.wrong for each in pace]
    return int(any(wrong))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, and the peers that are installed: a minute")
    parser.add_argument("--peers", metavar="NAME,…", type=_names, help="these peers only; nothing is written")
    parser.add_argument("--most-pages", metavar="N", type=int, help="leave larger rows out; nothing is written")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write the results there")
    return parser


def _names(text: str) -> list[str]:
    known, names = [peer.name for peer in PEERS], text.split(",")
    if strange := [name for name in names if name not in known]:
        raise argparse.ArgumentTypeError(f"no such peer: {', '.join(strange)}. There are: {', '.join(known)}.")
    return names


def _command(told: argparse.Namespace) -> str:
    """Name the command that makes these results; `make bench` for all of them."""
    given = [f"--peers '{','.join(told.peers)}'"] if told.peers else []
    given += [f"--most-pages {told.most_pages}"] if told.most_pages is not None else []
    if given:
        return " ".join(["python -m benchmarks", *(["--quick"] if told.quick else []), *given])
    return "make bench QUICK=1" if told.quick else "make bench"


def _rows(extent: Extent, who: Sequence[Contestant], server: Path, most_pages: int | None) -> Iterator[Row]:
    """Run each row. Everybody runs once beforehand: the first run of a Python program compiles it."""
    with workspace(1, 100) as place, Service(server, place) as service:
        row("plan", place, service, 100, who, 1)
    for pages, percent, works, rounds in extent.work:
        if most_pages is not None and pages > most_pages:
            continue
        with workspace(pages, percent) as place, Service(server, place) as service:
            for work in works:
                yield row(work, place, service, percent, who, rounds)


def _load(server: Path, seconds: float) -> list[Load]:
    progress("how much the service can take")
    with workspace(200, 0) as place, Service(server, place) as service:
        return loads(service, seconds)


if __name__ == "__main__":
    sys.exit(main())
