"""docs/explanation/scale.md is what the simulation prints, and what a run is said to cost a local xQR counts."""

import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from math import ceil
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import month, team
from benchmarks.quota import BUSINESS, PRO, TIERS, Tier, judged, reads, runs, seconds, writing
from benchmarks.team import Habits, Play, Schedule, month_of_calls
from bio_sync import cli
from bio_sync.answers import Usage
from bio_sync.checkup import Check, Files, Seen, about_calls
from bio_sync.checkup.calls import LONGEST_MONTH, SCHEDULES, interval
from bio_sync.listing import Batch, Listing
from bio_sync.model import PageContent
from bio_sync.options import Session
from bio_sync.sandbox import Sandbox
from bio_sync.workspaces import Workspace, gitlab_pipeline
from tests.applying.conftest import Clock
from tests.conftest import ROOT, Run
from tests.strategies import live_page
from tests.test_doctor import NOW

DOCUMENT = (ROOT / "docs" / "explanation" / "scale.md").read_text(encoding="utf-8")
AGE = 3.0  # seconds: the shortest --max-age, so that few writes need many looks
Start = Callable[..., Sandbox]


def printed(*arguments: str) -> str:
    return CliRunner().invoke(month.main, arguments, catch_exceptions=False).output


# What a run costs, as a local xQR counts it.


def write_files(folder: Path, count: int, *, changed: int = 0, published: int = 0) -> list[dict[str, str]]:
    """Write page files of which some change a title, and some of these publish; gives the live pages."""
    (folder / "pages").mkdir()
    for number in range(count):
        lines = [f"id: bio_{number:04}", f"title: {'New' if number < changed else 'Old'}"]
        lines += ["published: true"] if number < published else []
        (folder / "pages" / f"{number:04}.yaml").write_text("\n".join(lines) + "\n")
    return [{"id": f"bio_{number:04}", "title": "Old"} for number in range(count)]


def test_a_plan_is_a_call_for_each_200_pages_and_one_page_by_its_name_is_one_call(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    sandbox = start_sandbox(write_files(folder, 201))
    for names, calls in (([], reads(201)), (["0200"], 1), (["0000", "0199"], 1), (["0000", "0200"], 2)):
        before = len(sandbox.requests)
        assert run("plan", "--quiet", *(f"pages/{name}.yaml" for name in names)).code == 0
        assert len(sandbox.requests) - before == calls


@given(st.integers(1, 3_000))
def test_reading_the_list_is_the_rule_of_the_document(pages: int) -> None:
    assert reads(pages) == ceil(pages / 200)


@given(st.integers(1, 1_000), st.integers(1, 1_000))
def test_pages_without_a_file_cost_one_call_more_only_when_the_last_answer_is_full(pages: int, files: int) -> None:
    ids = [str(number) for number in range(pages)]
    page = live_page(PageContent("T", "", {}, published=True))

    def read_batch(offset: int) -> Batch:
        return dict.fromkeys(ids[offset : offset + 200], page)

    # The pages without a file come first: behind 200 pages that all have one, none is looked for.
    listing = Listing(read_batch, frozenset(ids[-files:]))
    listing.read()
    assert listing.batches == ceil(pages / 200) + (files < pages and pages % 200 == 0)


@pytest.mark.parametrize(("pages", "changed", "published"), [(25, 0, 0), (60, 60, 0), (30, 20, 15), (201, 40, 0)])
def test_an_apply_is_its_plan_its_writes_and_its_looks_and_no_call_is_refused(
    pages: int, changed: int, published: int, folder: Path, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    live = write_files(folder, pages, changed=changed, published=published)
    with Sandbox(live, clock=clock) as sandbox:  # ten a second, as on Pro
        monkeypatch.setenv("XQR_API_KEY", sandbox.key)
        begun = clock()
        session = Session(clock=clock, sleep=clock.sleep, api_url=sandbox.url)
        assert cli.run(["apply", "--yes", "--force", "--quiet", "--max-age", str(AGE)], session) == 0
        asked = [each.method for each in sandbox.requests]
        assert {each.status for each in sandbox.requests} == {200}
    writes = changed + published
    assert len(asked) - asked.count("GET") == writes
    counted = reads(pages) + writing(writes, pages, PRO.rate, AGE)
    # A list is read only until the pages that are left are found: here, they are among the first.
    looks = asked.count("GET") - reads(pages)
    assert looks == counted - writes - reads(pages) if pages <= 200 else 0 < looks <= counted - writes - reads(pages)
    # A turn is lost where a write has waited for it longer than its view may be old: one or two for each look.
    passed = clock() - begun
    assert seconds(len(asked), PRO) - 0.001 < passed < seconds(len(asked) + 2 * looks, PRO) + 0.001


def test_what_a_schedule_uses_is_what_doctor_says_it_uses() -> None:
    for pages in (1, 200, 201, 10_000):
        for every in SCHEDULES:
            seen = Seen("http://127.0.0.1", {}, Usage("pro", None, 1_000, pages), 0.0, None, NOW, 1_000)
            told = about_calls(seen, Files(Check("files", "ok", ""), pages, frozenset()), every).message
            assert f"every {interval(every)} uses {runs(every) * reads(pages):,} a month" in told
            alone = month_of_calls(pages, 0, Schedule(every), PRO, Habits(), None)
            assert alone == runs(every) * reads(pages)


# The simulation.

PAGES, PEOPLE = st.integers(1, 12_000), st.integers(0, 12)
NESTED = [(None, each) for each in SCHEDULES] + [(a, b) for a in SCHEDULES for b in SCHEDULES if a % b == 0]


@given(
    pages=st.tuples(PAGES, PAGES).map(sorted),
    people=st.tuples(PEOPLE, PEOPLE).map(sorted),
    every=st.sampled_from(NESTED),
    task=st.sampled_from(["drift", "apply"]),
    tier=st.sampled_from(TIERS),
    name=st.sampled_from(["a", "b", "c"]),
)
def test_more_pages_more_people_or_a_schedule_that_runs_in_between_never_need_fewer_calls(
    pages: list[int], people: list[int], every: tuple[int | None, int], task: team.Task, tier: Tier, name: str
) -> None:
    def calls(pages: int, people: int, every: int | None) -> int:
        schedule = Schedule(every, task) if every else None
        return month_of_calls(pages, people, schedule, tier, Habits(), name)

    (few, many), (small, large), (seldom, often) = pages, people, every
    least = calls(few, small, seldom)
    assert calls(many, small, seldom) >= least
    assert calls(few, large, seldom) >= least
    assert calls(few, small, often) >= least


@given(
    pages=st.integers(100, 10_000),
    people=st.integers(1, 9),
    requests=st.integers(0, 9),
    pushes=st.integers(1, 9),
    written=st.integers(1, 50),
    every=st.sampled_from(SCHEDULES),
)
def test_a_month_without_dice_is_the_sum_of_the_rules(
    pages: int, people: int, requests: int, pushes: int, written: int, every: int
) -> None:
    habits = Habits(pull_requests=requests, pushes=pushes, pages=written, edits=0, campaigns=0)
    plan = ceil(pages / 200)
    merges = people * requests
    calls = month_of_calls(pages, people, Schedule(every), BUSINESS, habits, None)
    assert calls == ceil(LONGEST_MONTH / every) * plan + merges * ((pushes + 2) * plan + written)


def test_an_edit_in_the_dashboard_costs_a_write_and_after_drift_the_plan_of_whoever_answers_it() -> None:
    habits = Habits(pull_requests=0, edits=4, campaigns=0)
    daily = [month_of_calls(1_000, 1, Schedule(86_400, task), PRO, habits, None) for task in ("drift", "apply")]
    assert daily == [31 * 5 + 4 * (5 + 1), 31 * 5 + 4]
    assert month_of_calls(1_000, 1, None, PRO, habits, None) == 0
    # At a quarter of the month and at three: the run at three has found the first, and is too early for the second.
    at_a_run = Schedule(LONGEST_MONTH * 3 // 4)
    assert month_of_calls(1_000, 1, at_a_run, PRO, replace(habits, edits=2), None) == 2 * 5 + 2 * (5 + 1)
    weekly = Schedule(14 * 86_400, "apply")
    assert month_of_calls(1_000, 3, weekly, PRO, habits, None) == 3 * 5 + 12


@given(PEOPLE, st.sampled_from(["a", "b"]))
def test_one_person_more_changes_nothing_for_the_others(people: int, name: str) -> None:
    fewer, more = (set(team.events(Habits(), count, name)) for count in (people, people + 1))
    assert fewer <= more


def test_calls_that_are_made_again_are_about_as_many_as_said() -> None:
    once, again = (
        sum(
            month_of_calls(100, 5, Schedule(3_600), PRO, Habits(repeated=share), f"month {number}")
            for number in range(20)
        )
        for share in (0.0, 0.05)
    )
    assert 0.04 < again / once - 1 < 0.06


def test_verdicts_change_where_the_document_says() -> None:
    assert [judged(calls, PRO) for calls in (800, 801, 1_000, 1_001)] == ["fits", "tight", "tight", "no"]


# The document.


def test_every_table_of_the_document_is_what_the_simulation_prints() -> None:
    tables = printed().strip().split("\n\n")
    assert len(tables) == 5
    for each in tables:
        assert f"\n\n{each}\n\n" in DOCUMENT, each
    assert f"plays {Play().months} months" in DOCUMENT


def test_every_session_of_the_document_shows_what_is_really_printed() -> None:
    typed = re.findall(r"^\$ \.venv/bin/python -m benchmarks\.month(.*)\n((?:.+\n)*?)```", DOCUMENT, re.MULTILINE)
    assert typed
    for arguments, shown in typed:
        assert printed(*shlex.split(arguments)) == shown


def test_the_assumptions_of_the_document_are_those_of_the_simulation() -> None:
    text, usual = " ".join(DOCUMENT.split()), Habits()
    assert f"opens {usual.pull_requests} pull requests a month, with {usual.pushes} pushes" in text
    assert f"writes {usual.pages} pages on average. Each person edits {usual.edits} pages a month" in text
    assert (usual.plans_a_merge, usual.campaigns, usual.share, usual.repeated) == (2, 1, 1 / 4, 1 / 200)
    assert "In 15 seconds Pro allows 147 writes, Business 735 and Enterprise 2,940" in text
    assert [int(15 * tier.rate + 1e-9) for tier in TIERS] == [147, 735, 2_940]


def test_a_pipeline_of_gitlab_holds_about_as_many_workspaces_as_the_document_says() -> None:
    many = [Workspace(f"client-{number:03}", f"clients/client-{number:03}", ROOT, None) for number in range(100)]
    assert "about 560 workspaces" in " ".join(DOCUMENT.split())
    assert 540 < 2 * 1024**2 / (len(gitlab_pipeline(many)) / len(many)) < 580
