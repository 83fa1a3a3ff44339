"""What was measured becomes tables and verdicts that can be read, whatever is missing."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.contestants import BIO_SYNC, FLOOR
from benchmarks.load import Load
from benchmarks.measure import Measurement
from benchmarks.pace import Paced
from benchmarks.peers import ANSIBLE, OCTODNS, SCRIPT, SHELL
from benchmarks.results import Results, document, table
from benchmarks.rounds import Entry, Ratio, Row, has_run_enough, ratio
from benchmarks.service import Asked
from benchmarks.startup import CLICK
from benchmarks.targets import Verdict, verdicts
from benchmarks.words import last_line
from tests.conftest import ROOT


def entry(name: str, *walls: float, calls: int = 5, peak: int = 50_000_000, wrong: str = "") -> Entry:
    asked = Asked({"list": calls, "get": 0, "patch": 0}, 0, 1, 1, 0.01, 0.5, 0.0, ())
    return Entry(name, [Measurement(wall, wall, peak, 0, "", "", asked) for wall in walls], wrong, peak)


def plan(pages: int, percent: int, *entries: Entry) -> Row:
    return Row("plan", pages, percent, pages * percent // 100, {each.name: each for each in entries})


def verdict_of(work: str, *rows: Row, pace: tuple[Paced, ...] = ()) -> tuple[str, str]:
    (found,) = [each for each in verdicts(rows, {}, pace) if each.work == work]
    return found.measured, found.met


def test_a_ratio_is_of_the_rounds_that_both_ran_in() -> None:
    assert ratio(entry("a", 2.0, 9.0, 4.0), entry("b", 1.0, 3.0)) == Ratio(2.5, 2.0)
    assert ratio(entry("a"), entry("b", 1.0)) is None


@pytest.mark.parametrize(
    ("walls", "measured", "met"),
    [
        ((1.9, 1.8), "1.85 (1.80)", "yes"),
        ((2.3, 1.9), "2.10 (1.90)", "on the edge"),
        ((2.3, 2.2), "2.25 (2.20)", "**no**"),
    ],
)
def test_a_target_is_met_when_both_figures_are_within_it(walls: tuple[float, ...], measured: str, met: str) -> None:
    row = plan(1_000, 1, entry(FLOOR, 1.0, 1.0), entry(BIO_SYNC, *walls))
    assert verdict_of("plan, 1,000 pages, 1 % changed", row) == (measured, met)


def test_nothing_wrong_and_nothing_missing_counts_as_met() -> None:
    wrong = entry(BIO_SYNC, 0.1, wrong="wrong: it found 1 of 10 pages")
    row = plan(1_000, 1, entry(FLOOR, 1.0), wrong, entry(SHELL.name, 5.0))
    for work in ("plan, 1,000 pages, 1 % changed", f"plan, 1,000 pages, 1 % changed: faster than {SHELL.name}"):
        assert verdict_of(work, row) == ("bio-sync: wrong: it found 1 of 10 pages", "not measured")
    assert all(each.met != "yes" for each in verdicts([], {}, []))


COMPARED = [
    (("plan", pages, percent), f"plan, {pages:,} pages, {percent} % changed", BIO_SYNC, FLOOR, limit, 1.001)
    for pages, percent, limit in ((25, 1, 3.0), (1_000, 1, 2.0), (10_000, 1, 1.5), (1_000, 100, 4.0))
] + [
    (("plan", 1_000, 1), f"plan, 1,000 pages, 1 % changed: faster than {peer.name}", peer.name, BIO_SYNC, least, 0.999)
    for peer, least in ((SHELL, 1.3), (SCRIPT, 10.0), (OCTODNS, 10.0), (ANSIBLE, 10.0))
]


@pytest.mark.parametrize(("row", "work", "one", "other", "limit", "beyond"), COMPARED, ids=str)
def test_a_ratio_just_at_its_target_is_met_and_just_beyond_it_is_not(
    row: tuple[str, int, int], work: str, one: str, other: str, limit: float, beyond: float
) -> None:
    def met(wall: float) -> str:
        return verdict_of(work, plan(row[1], row[2], entry(one, wall), entry(other, 1.0)))[1]

    assert (met(limit), met(limit * beyond)) == ("yes", "**no**")


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_a_start_just_at_its_target_is_met_and_just_beyond_it_is_not(option: str) -> None:
    def met(wall: float) -> list[str]:
        starts = {CLICK: entry(CLICK, 1.0), f"bio-sync {option}": entry("", wall)}
        return [each.met for each in verdicts([], starts, []) if each.work == f"`bio-sync {option}`"]

    assert (met(1.3), met(1.301)) == (["yes"], ["**no**"])


@pytest.mark.parametrize(
    ("peak", "together", "met"),
    [
        (160_000_000, 160_000_000, "yes"),
        (160_000_001, 160_000_000, "**no**"),
        (90_000_000, 160_000_001, "**no**"),
        (90_000_000, 0, "not measured"),
    ],
)
def test_memory_is_that_of_all_processes_and_of_the_largest(peak: int, together: int, met: str) -> None:
    own = replace(entry(BIO_SYNC, 1.0, peak=peak), together=together)
    told = verdict_of("plan, 10,000 pages, 1 % changed: peak memory", plan(10_000, 1, own))
    assert (told[0].startswith(f"{peak / 1e6:.1f} MB the largest process, "), told[1]) == (True, met)


def paced(wall: float, writing: float, refused: int = 0) -> list[Verdict]:
    told = Asked({"patch": 1_001}, refused, 1, 1, 0.1, 1.0, writing, ())
    each = Paced(1_001, 100, Entry(BIO_SYNC, [Measurement(wall, 1.0, 1, 0, "", "", told)]))
    return [each for each in verdicts([], {}, [each]) if each.work.startswith("apply")]


@pytest.mark.parametrize(
    ("wall", "writing", "refused", "met"),
    [
        (1.03 * 10.01, 1.03 * 10, 0, ["yes", "yes", "yes"]),
        (1.031 * 10.01, 1.03 * 10, 0, ["**no**", "yes", "yes"]),
        # As many gaps as lie between k writes: 10 seconds, not 10.01.
        (1.03 * 10.01, 1.0305 * 10, 0, ["yes", "**no**", "yes"]),
        (1.03 * 10.01, 1.03 * 10, 1, ["yes", "yes", "**no**"]),
    ],
)
def test_a_pace_just_at_its_target_is_met_and_just_beyond_it_is_not(
    wall: float, writing: float, refused: int, met: list[str]
) -> None:
    assert [each.met for each in paced(wall, writing, refused)] == met


@pytest.mark.parametrize(
    ("walls", "enough"),
    [((), False), ((3.9, 3.9, 3.9), False), ((4.1,), False), ((3.0, 4.1), True), ((19.9,), False), ((20.1,), True)],
)
def test_a_slow_peer_runs_twice_and_a_very_slow_one_once(walls: tuple[float, ...], *, enough: bool) -> None:
    assert has_run_enough(entry("slow", *walls)) is enough


def test_one_call_too_many_is_told_with_its_row() -> None:
    rows = [plan(1_000, 1, entry(BIO_SYNC, 1.0, calls=5)), plan(25, 1, entry(BIO_SYNC, 1.0, calls=2))]
    assert verdict_of("calls of bio-sync", rows[0]) == ("exactly those, in each of 1 rows", "yes")
    assert verdict_of("calls of bio-sync", *rows) == ("plan 25/1 %: 2 for 1", "**no**")


def test_a_short_paced_apply_is_not_held_to_k_over_r_as_a_whole() -> None:
    def works(writes: int, wall: float) -> list[tuple[str, str]]:
        told = Asked({"patch": writes}, 0, 1, 1, 0.1, 1.0, 1.02 * (writes - 1) / 50, ())
        run = Measurement(wall, 1.0, 1, 0, "", "", told)
        found = list(verdicts([], {}, [Paced(writes, 50, Entry(BIO_SYNC, [run]))]))
        return [(each.work.partition(": ")[2], each.met) for each in found if each.work.startswith("apply")]

    assert works(50, 1.6) == [("first to last", "yes"), ("refusals", "yes")]
    assert works(1_000, 20.7) == [("the whole command", "**no**"), ("first to last", "yes"), ("refusals", "yes")]


def test_the_document_tells_who_did_not_run_and_why_and_is_one_table_after_the_other() -> None:
    rows = [plan(25, 1, entry(FLOOR, 0.1, 0.2), entry(BIO_SYNC, 0.2, 0.3), entry("octoDNS", wrong="not | here"))]
    starts = {CLICK: entry(CLICK, 0.05), "bio-sync --help": entry("bio-sync --help", 0.06)}
    load = [Load("list", 800.0), Load("patch", 9_000.0)]
    text = document(Results("make bench", "2026-01-01", 0.4, [("kernel", "Linux")], [], starts, rows, [], load))
    assert "Not run: octoDNS (not | here)." in text
    assert "Measured on 2026-01-01, in 1 min." in text
    assert "| `bio-sync --help`" in text
    # A hundredth of a second of the service's own: most of the quickest wall, which is the 50 ms of no row.
    assert "its own CPU time is at most 10% of any wall" in text
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert all(len({line.count(" | ") for line in (block[0], *block[2:])}) == 1 for block in tables)


def test_a_cell_cannot_break_its_table() -> None:
    assert table(("a", "b"), [("x|y", "1\n2")]).splitlines()[2] == "| x\\|y | 1 2 |"


def test_no_path_of_the_machine_is_in_the_results_that_are_kept() -> None:
    kept = Path(__file__).parents[2] / "benchmarks" / "RESULTS.md"
    if not kept.exists():
        pytest.skip("make bench has not written it yet")
    text = kept.read_text(encoding="utf-8")
    for place in ("/tmp/", str(Path.home()), sys.prefix, str(ROOT)):  # noqa: S108 - looked for
        # The home may be as short as `/root`, or even `/`.
        assert place == "/" or place not in text, place
    assert "## Targets" in text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "no reason was given"),
        ("Traceback\nOSError: no '/tmp/bio-x/workspace/pages/a b.yaml'\nhint: look\n", "OSError: no 'a b.yaml'"),
        ("ERROR: /srv/anna/.bench/peers/bin/python: not found", "python: not found"),
        ("refused: http://127.0.0.1:80/api/v1/bio, see pages/a.yaml, 1/2", None),
    ],
)
def test_a_failure_is_told_in_its_last_line_without_the_paths_of_the_machine(said: str, told: str | None) -> None:
    assert last_line(said) == (said if told is None else told)
    run = Measurement(1.0, 1.0, 1, 7, "", said)
    assert run.failure == f"failed with code 7: {(said if told is None else told)[:80]}"
