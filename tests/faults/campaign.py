"""The campaign: each fault of the table, on servers that replace and that merge, on small and large workspaces.

python -m tests.faults.campaign --seeds 200             everything, on all cores; what `make faults` does
python -m tests.faults.campaign --minutes 10            as much of it as that time allows, seed after seed
python -m tests.faults.campaign --run 12/merge/5/17     one run again, with all that it has seen and said
"""

import argparse
import itertools
import math
import multiprocessing
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import cast

from tests.faults.evidence import COUNTERS, Verdict
from tests.faults.run import run_one
from tests.faults.stage import Patch
from tests.faults.whole_table import whole_table

PATCHES: tuple[Patch, ...] = ("replace", "merge")
COUNTS = (1, 5, 20)
MOST_SHOWN = 25

Case = tuple[int, Patch, int, int]


def cases(seeds: int, numbers: list[int]) -> Iterator[Case]:
    """Name every run: the number of the fault, what the server does, how many pages, and the seed."""
    for seed, number, patch, count in itertools.product(range(seeds), numbers, PATCHES, COUNTS):
        yield number, patch, count, seed


@contextmanager
def page_repository() -> Iterator[Path]:
    """Work in a page repository of its own, and come back."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / ".git").mkdir()
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


def run_case(case: Case) -> tuple[Case, Verdict]:
    """Run one case in a folder of its own."""
    with page_repository() as folder:
        try:
            return case, run_one(*case, folder)
        except Exception:  # noqa: BLE001 - a run that breaks is told with its name, and stops no other
            verdict = Verdict()
            verdict.add("wrong outcomes", f"the run broke: {traceback.format_exc()[-900:]}")
            return case, verdict


def run_until(end: float, case: Case) -> tuple[Case, Verdict | None]:
    """Run one case, unless the time is up.

    A pool that is ended early would wait for ever: a run takes the signal for it as somebody's Ctrl-C.
    """
    return run_case(case) if time.time() < end else (case, None)


def name_of(case: Case) -> str:
    """Give a case as `--run` takes it."""
    return "/".join(map(str, case))


def main() -> int:
    """Run the campaign, or one case of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--faults", type=int, nargs="*", help="only these numbers")
    parser.add_argument("--run", metavar="FAULT/PATCH/PAGES/SEED", help="one run")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if options.run:
        return _once(options.run)
    numbers = options.faults or [number for number, entry in whole_table().items() if entry.arrange]
    return _everything(list(cases(options.seeds, numbers)), options.workers, options.minutes)


def _once(name: str) -> int:
    number, patch, count, seed = name.split("/")
    case: Case = (int(number), cast("Patch", patch), int(count), int(seed))
    with page_repository() as folder:
        verdict = run_one(*case, folder, talks=True)
    _say("\n".join(verdict.found) or "every promise was kept")
    return 1 if verdict.found else 0


def _everything(all_cases: list[Case], workers: int, minutes: float) -> int:
    began = time.monotonic()
    runs: Counter[int] = Counter()
    totals: dict[int, Verdict] = {}
    failures: list[tuple[Case, Verdict]] = []
    end = time.time() + minutes * 60
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for case, verdict in pool.imap_unordered(partial(run_until, end), all_cases, chunksize=8):
            if verdict is None:
                continue
            runs[case[0]] += 1
            totals.setdefault(case[0], Verdict()).join(verdict)
            if verdict.found:
                failures.append((case, verdict))
    seconds = time.monotonic() - began
    for case, verdict in sorted(failures, key=lambda failure: failure[0])[:MOST_SHOWN]:
        _say(f"make faults RUN={name_of(case)}\n  " + "\n  ".join(verdict.found[:4]))
    if sum(runs.values()) < len(all_cases):
        _say(f"the time was up after {sum(runs.values()):,} of {len(all_cases):,} runs")
    _table(runs, totals)
    _say(f"{sum(runs.values()):,} runs in {seconds:.0f} s, {sum(runs.values()) / seconds:.1f} a second")
    return 1 if failures else 0


def _table(runs: Counter[int], totals: dict[int, Verdict]) -> None:
    head = ("runs", *COUNTERS, "(in the gap)")
    _say(f"\n{'fault':<50}" + "".join(f"{name:>19}" for name in head))
    for number, entry in whole_table().items():
        if number in totals:
            _say(_line(f"F{number} {entry.words}", runs[number], totals[number]))
    whole = Verdict()
    for verdict in totals.values():
        whole.join(verdict)
    _say(_line("all", sum(runs.values()), whole))
    for number, entry in whole_table().items():
        if entry.left_out:
            _say(f"left out: F{number} {entry.words}: {entry.left_out}")


def _line(name: str, runs: int, verdict: Verdict) -> str:
    numbers = (runs, *(verdict.broken[counter] for counter in COUNTERS), verdict.in_the_gap)
    short = name if len(name) < 50 else name[:46] + "..."
    return f"{short:<50}" + "".join(f"{number:>19,}" for number in numbers)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
