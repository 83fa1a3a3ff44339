"""The month's calls: enough of them or no write at all, some of them kept for people, and their end in the middle."""

import json
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bio_sync.applying.guards import USUAL_AGE, check_quota, foreseen_shortage, looks_needed, month_has
from bio_sync.applying.run import Terms, apply_plan
from bio_sync.applying.view import page_of
from bio_sync.errors import QuotaTooSmall
from bio_sync.jsonvalues import JsonObject
from bio_sync.model import LivePage, PageContent
from bio_sync.planning import Circumstances, Plan, make_plan
from bio_sync.sandbox import Fault, Sandbox
from bio_sync.transport import meter
from tests import strategies as some
from tests.conftest import Result, Run
from tests.guards import check_json, check_outcomes, check_text, nothing_written, write_pages, writes

if TYPE_CHECKING:
    from bio_sync.applying.remote import Remote

Start = Callable[..., Sandbox]
HINT = "wait for the next month, take a larger plan, or apply fewer files: bio-sync apply PATH"
ROOMY = ("--max-changes", "100%")


def plan_of(updates: int, both: int = 0, calls: int = 1) -> Plan:
    """Make a plan of so many pages that change, and of so many that change and are published."""
    now = Circumstances("0", "2026-11-22T10:00:00Z", "https://xqr.co/api/v1", calls, None)
    old = PageContent("Old", "", {}, published=False)
    ids = [f"bio_{n}" for n in range(updates + both)]
    wanted = [
        some.wanted_page(PageContent("New", "", {}, published=n >= updates), page_id) for n, page_id in enumerate(ids)
    ]
    return make_plan(wanted, {page_id: some.live_page(old, page_id) for page_id in ids}, circumstances=now)


@pytest.mark.parametrize(
    ("updates", "both", "left", "reserve", "looks", "enough"),
    [
        (3, 0, 3, 0, 0, True),
        (3, 0, 2, 0, 0, False),
        (2, 1, 4, 0, 0, True),
        (2, 1, 3, 0, 0, False),
        (3, 0, 13, 10, 0, True),
        (3, 0, 12, 10, 0, False),
        (3, 0, 5, 0, 2, True),
        (3, 0, 4, 0, 2, False),
        (3, 0, 0, 0, 0, False),
        (3, 0, None, 10**9, 0, True),
        (0, 0, 0, 10**9, 0, True),
        (3, 0, 5, 10, 0, False),
    ],
)
def test_every_call_has_to_be_left(
    updates: int, both: int, left: int | None, reserve: int, looks: int, enough: bool
) -> None:
    plan = plan_of(updates, both)
    if enough:
        check_quota(plan, left=left, reserve=reserve, looks=looks)
        return
    with pytest.raises(QuotaTooSmall) as caught:
        check_quota(plan, left=left, reserve=reserve, looks=looks)
    assert left is not None
    needed = updates + 2 * both + looks
    has = month_has(left, reserve, "--reserve")
    assert caught.value.message == f"nothing was written: this needs {needed} more API calls, and {has}"
    assert caught.value.hint == (f"--reserve {left - needed} leaves enough; or {HINT}" if left >= needed else HINT)


def test_an_undo_takes_no_files_so_none_are_named_as_its_way_out() -> None:
    with pytest.raises(QuotaTooSmall) as caught:
        check_quota(plan_of(3, 0), left=2, reserve=0, looks=0, of_files=False)
    assert caught.value.hint == "wait for the next month, or take a larger plan"


@pytest.mark.parametrize(
    ("left", "reserve", "said"),
    [
        (45, 0, "the month has 45 left"),
        (45, 1, "the month has 45 left, of which 1 is kept for people (--reserve)"),
        (1_045, 1_045, "the month has 1,045 left, of which 1,045 are kept for people (--reserve)"),
        (45, 997, "the month has 45 left, and 997 are to be kept for people (--reserve)"),
    ],
)
def test_nobody_keeps_more_than_there_is(left: int, reserve: int, said: str) -> None:
    assert month_has(left, reserve, "--reserve") == said


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 40), st.integers(0, 20), st.integers(0, 12))
def test_what_is_left_after_all_calls_is_never_less_than_the_reserve(
    updates: int, both: int, left: int, reserve: int, looks: int
) -> None:
    after = left - updates - both - both - looks
    passes = after >= reserve or not updates + both
    try:
        check_quota(plan_of(updates, both), left=left, reserve=reserve, looks=looks)
    except QuotaTooSmall:
        assert not passes
    else:
        assert passes


def test_large_numbers_are_written_for_people() -> None:
    with pytest.raises(QuotaTooSmall, match=r"needs 1 more API call, and the month has 1,000 left, of which 1,000 are"):
        check_quota(plan_of(1), left=1000, reserve=1000, looks=0)


@pytest.mark.parametrize(
    ("writes_", "rate", "max_age", "calls", "looks"),
    [
        (100, 10.0, 15.0, 1, 0),
        (149, 10.0, 15.0, 1, 0),
        (150, 10.0, 15.0, 1, 1),
        (300, 10.0, 15.0, 1, 2),
        (300, 10.0, 15.0, 2, 4),
        (300, 1.0, 15.0, 1, 20),
        (300, 0.01, 15.0, 1, 300),
        (7, 10.0, 0.0, 1, 7),
        (7, 10.0, 0.0, 3, 7),
        (0, 10.0, 0.0, 1, 0),
    ],
)
def test_a_long_apply_counts_the_looks_that_keep_its_view_fresh(
    writes_: int, rate: float, max_age: float, calls: int, looks: int
) -> None:
    assert looks_needed(plan_of(writes_, calls=calls), rate=rate, max_age=max_age) == looks


class _Paced:
    """A service whose every call takes its turn, at `rate` a second; a list takes as many turns as it takes calls."""

    lanes, quota_remaining = 1, None

    def __init__(self, pages: dict[str, LivePage], *, rate: float, calls: int) -> None:
        self.pages, self.rate, self.calls = pages, rate, calls
        self.looks, self.now = 0, 0.0

    def list_pages(self, wanted: Collection[str], *, everything: bool) -> dict[str, LivePage]:
        assert not everything
        self._look(self.calls)
        return {page_id: self.pages[page_id] for page_id in wanted}

    def get_page(self, page_id: str) -> LivePage:
        self._look(1)
        return self.pages[page_id]

    def update(self, page_id: str, fields: JsonObject, permit: Callable[[], None]) -> tuple[LivePage, str | None]:
        self.now += 1 / self.rate
        permit()
        return replace(
            self.pages[page_id], content=replace(self.pages[page_id].content, title=str(fields["title"]))
        ), None

    def _look(self, calls: int) -> None:
        self.looks += calls
        self.now += calls / self.rate


@settings(max_examples=30)
@given(st.integers(1, 120), st.sampled_from((2.0, 9.8, 49.0)), st.sampled_from((3.0, 5.0)), st.integers(1, 40))
@example(100, 9.8, 3.0, 20)  # a list of 20 calls serves 10 writes: single reads are cheaper
def test_no_apply_looks_much_more_often_than_was_counted_however_long_a_list_takes(
    writes_: int, rate: float, max_age: float, calls: int
) -> None:
    plan = plan_of(writes_, calls=calls)
    wanted = [some.wanted_page(change.after, change.page_id) for change in plan.changes]
    paced = _Paced({change.page_id: page_of(change) for change in plan.changes}, rate=rate, calls=calls)
    terms = Terms(max_age=max_age)
    report = apply_plan(plan, wanted, cast("Remote", paced), taken_at=0.0, terms=terms, clock=lambda: paced.now)
    assert report.exit_code == 0
    counted = looks_needed(plan, rate=rate, max_age=max_age)
    # A turn before each list, and one after it that comes too late, are not counted: of a few writes, a look more.
    assert paced.looks <= 1.25 * counted + calls


def old(count: int) -> list[dict[str, Any]]:
    return [{"id": f"bio_{n}", "title": "Old"} for n in range(count)]


@pytest.fixture
def three(folder: Path) -> None:
    """Three pages that want four calls: the last one is published, too."""
    write_pages(folder, {f"p{n}": f"id: bio_{n}\ntitle: New\n" for n in range(3)})
    write_pages(folder, {"p2": "id: bio_2\ntitle: New\npublished: true\n"})


FOUR = ["PATCH bio_0", "PATCH bio_1", "PATCH bio_2", "POST bio_2/publish"]


def all_writes(sandbox: Sandbox) -> list[str]:
    shown = (f"{call.method} {call.path.removeprefix('/api/v1/bio/pages/')}" for call in sandbox.requests)
    return [call for call in shown if not call.startswith("GET")]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("month", "settings", "flags", "kept"),
    [
        (5, 0, (), 0),
        (15, 0, ("--reserve", "10"), 10),
        (15, 10, (), 10),
        (5, 1000, ("--reserve", "0"), 0),
        (8, 1000, ("--reserve", "3"), 3),
    ],
)
def test_the_last_call_of_the_month_is_used_and_not_one_of_the_reserve(
    folder: Path, start_sandbox: Start, run: Run, month: int, settings: int, flags: tuple[str, ...], kept: int
) -> None:
    (folder / "bio-sync.yaml").write_text(f"safety: {{reserve: {settings}}}\n")
    short = start_sandbox(old(3), monthly_limit=month - 1)
    result = run("apply", "--yes", *ROOMY, *flags)
    by = "--reserve" if flags else "safety.reserve of bio-sync.yaml"
    said = f"nothing was written: this needs 4 more API calls, and {month_has(month - 2, kept, by)}"
    check_text(result, error=said, hint=f"--reserve {kept - 1} leaves enough; or {HINT}" if kept else HINT)
    assert nothing_written(short)
    enough = start_sandbox(old(3), monthly_limit=month)
    result = run("apply", "--yes", *ROOMY, *flags)
    assert result.code == 0, result.err
    assert all_writes(enough) == FOUR
    assert result.out.endswith(f"Pages: 3 applied. API: 5 calls used, {kept} left this month.\n")


@settings(max_examples=40)
@given(st.integers(1, 400), st.integers(0, 12), st.integers(0, 200), st.booleans())
@example(180, 0, 0, True)  # at ten a second a second look at the list is needed
def test_a_plan_foresees_what_an_apply_with_the_same_files_would_refuse(
    updates: int, spare: int, reserve: int, enough: bool
) -> None:
    plan, rate = plan_of(updates), 9.8
    looks = looks_needed(plan, rate=rate, max_age=USUAL_AGE)
    calls = plan.circumstances.calls
    left = max(calls, updates + looks + calls + reserve + (spare if enough else -1 - spare))
    foreseen = foreseen_shortage(plan, left=left, reserve=reserve, looks=looks)
    try:
        check_quota(plan, left=left - calls, reserve=reserve, looks=looks)
    except QuotaTooSmall:
        assert len(foreseen) == 1
    else:
        assert foreseen == []


def test_a_plan_is_foreseen_by_the_age_that_an_apply_goes_by() -> None:
    assert Terms().max_age == USUAL_AGE


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("month", "reserve", "said"),
    [
        (6, 0, ""),
        (5, 0, "needs 5 calls, and the month has 4 left"),
        (16, 10, ""),
        (15, 10, "needs 5 calls, and the month has 14 left, of which 10 are kept for people (safety.reserve of"),
        (15, 99, "needs 5 calls, and the month has 14 left, and 99 are to be kept for people (safety.reserve of"),
    ],
)
def test_a_plan_says_beforehand_that_an_apply_has_too_few_calls(
    folder: Path, start_sandbox: Start, run: Run, month: int, reserve: int, said: str
) -> None:
    (folder / "bio-sync.yaml").write_text(f"safety: {{reserve: {reserve}, max_changes: 100%}}\n")
    start_sandbox(old(3), monthly_limit=month)
    document = json.loads(run("plan", "--out", "plan.json", "--format", "json").out)
    assert document["api"] == {"calls": 1, "calls_to_apply": 5, "quota_remaining": month - 1}
    assert len(document["warnings"]) == bool(said)
    assert all(warning.startswith(f"an apply would be refused: it {said}") for warning in document["warnings"])
    for form in ("text", "markdown", "html"):
        shown = run("show", "plan.json", "--format", form).out
        assert ("an apply would be refused" in shown) == bool(said)
    assert run("apply", "--yes").code == (1 if said else 0)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("flags", [(), ("--force",), ("--max-changes", "0"), ("--force", "--max-changes", "100%")])
def test_a_refusal_as_json_skips_every_page_and_force_does_not_help(
    start_sandbox: Start, run: Run, flags: tuple[str, ...]
) -> None:
    sandbox = start_sandbox([*old(2), {"id": "bio_2", "title": "New", "is_published": True}], monthly_limit=2)
    result = run("apply", "--yes", "--format", "json", *flags)
    pages = {"p0": ("skipped", "quota"), "p1": ("skipped", "quota"), "p2": ("unchanged", None)}
    document = check_json(sandbox, result, reason="quota", pages=pages)
    assert "needs 2 more API calls, and the month has 1 left" in document["error"]["message"]
    assert document["api"] == {"calls": 1, "quota_remaining": 1}
    assert nothing_written(sandbox)


def test_one_page_is_one_get_and_one_call_is_in_the_singular(folder: Path, start_sandbox: Start, run: Run) -> None:
    write_pages(folder, {"p0": "id: bio_0\ntitle: New\n"})
    sandbox = start_sandbox(old(1), monthly_limit=1)
    assert "this needs 1 more API call, and the month has 0 left\n" in run("apply", "--yes").err
    assert nothing_written(sandbox)


@pytest.mark.usefixtures("three")
def test_nothing_to_do_needs_nothing(start_sandbox: Start, run: Run) -> None:
    pages = [{"id": f"bio_{n}", "title": "New", "is_published": n == 2} for n in range(3)]
    start_sandbox(pages, monthly_limit=1)
    assert run("apply", "--yes", "--reserve", "1000").code == 0


@pytest.mark.usefixtures("three")
def test_looks_are_counted_and_suffice(start_sandbox: Start, run: Run) -> None:
    flags = ("apply", "--yes", *ROOMY, "--max-age", "0")
    short = start_sandbox(old(3), monthly_limit=8)
    assert "this needs 8 more API calls, and the month has 7 left" in run(*flags).err
    assert nothing_written(short)
    enough = start_sandbox(old(3), monthly_limit=9)
    assert run(*flags).code == 0
    assert all_writes(enough) == FOUR


@pytest.mark.usefixtures("three")
def test_what_the_service_does_not_tell_holds_nothing_back(start_sandbox: Start, run: Run) -> None:
    sandbox = start_sandbox(old(3), rate_limit="none")
    pages = json.dumps({"data": sandbox.pages, "meta": {"request_id": "req_1"}})
    odd = {"X-RateLimit-Remaining": "plenty", "Content-Type": "application/json"}
    sandbox.fail(Fault(status=200, body=pages, headers=odd, method="GET"))
    result = run("apply", "--yes", *ROOMY, "--format", "json")
    assert result.code == 0
    assert all_writes(sandbox) == FOUR


def used_up_by_somebody_else(sandbox: Sandbox, calls: int, *, at: int) -> None:
    """Let somebody else use calls of the month while the write number `at` is carried out."""
    seen = []

    def normalise(page: dict[str, Any]) -> dict[str, Any]:
        seen.append(page)
        if len(seen) == at:
            sandbox.use_up(calls)
        return page

    sandbox.behaviour = replace(sandbox.behaviour, normalise=normalise)


def report_of(result: Result) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(result.out)
    assert document["exit_code"] == result.code
    return document


APPLIED, KEPT, USED_UP = ("applied", None), ("skipped", "quota"), ("failed", "quota")


def test_what_is_just_enough_beside_the_reserve_is_enough_side_by_side_too(
    folder: Path, start_sandbox: Start, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer tells a number that other calls under way may stand in: they are not taken off twice."""
    monkeypatch.setattr(meter, "MOST_LANES", 16)
    sandbox = start_sandbox(old(24), monthly_limit=125, burst_limit=1_000)
    write_pages(folder, {f"p{number}": f"id: bio_{number}\ntitle: New\n" for number in range(24)})
    sandbox.fail(Fault(status=None, delay=0.05, method="PATCH", times=None))
    document = report_of(run("apply", "--yes", "--format", "json", *ROOMY, "--reserve", "100"))
    assert (document["summary"]["applied"], document["api"]["quota_remaining"]) == (24, 100)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("where", ["flag", "settings"])
@pytest.mark.parametrize(("left", "stops"), [(50, True), (51, True), (52, False), (49, True)])
def test_the_reserve_holds_during_the_run_too(
    folder: Path, start_sandbox: Start, run: Run, where: str, left: int, stops: bool
) -> None:
    sandbox = start_sandbox(old(3), monthly_limit=100, burst_limit=10)
    # The list, the first write, and all that somebody else does leave so much; the second answer tells of it.
    used_up_by_somebody_else(sandbox, 100 - 3 - left, at=1)
    (folder / "bio-sync.yaml").write_text(f"safety: {{reserve: {50 if where == 'settings' else 1}}}\n")
    flags = ("--reserve", "50") if where == "flag" else ()
    result = run("apply", "--yes", "--format", "json", *ROOMY, *flags)
    document = report_of(result)
    assert result.code == (3 if stops else 0)
    check_outcomes(document, {"p0": APPLIED, "p1": APPLIED, "p2": KEPT if stops else APPLIED})
    assert len(all_writes(sandbox)) == (2 if stops else 4)
    if stops:
        said = f"the run was stopped before it: {left} calls are left this month, and 50 are kept for people"
        assert document["outcomes"][2]["message"] == said


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (0, (USED_UP, KEPT, KEPT)),
        (1, (APPLIED, USED_UP, KEPT)),
        (2, (APPLIED, APPLIED, USED_UP)),
        (3, (APPLIED, APPLIED, USED_UP)),
    ],
)
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_the_month_s_end_stops_the_run_wherever_it_comes(
    start_sandbox: Start,
    run: Run,
    at: int,
    expected: tuple[tuple[str, str | None], ...],
    force: tuple[str, ...],
) -> None:
    sandbox = start_sandbox(old(3), monthly_limit=100, burst_limit=10)
    sandbox.fail(Fault(status=429, code="RATE_LIMIT_EXCEEDED", skip=1 + at, times=None))
    result = run("apply", "--yes", "--format", "json", *ROOMY, *force)
    document = report_of(result)
    assert result.code == (3 if at else 1)
    found = [(each["outcome"], each["reason"]) for each in document["outcomes"]]
    assert found == list(expected)
    assert all_writes(sandbox) == FOUR[: at + 1]
    assert "the month's API calls are used up" in document["outcomes"][min(at, 2)]["message"]
    sandbox.faults.clear()
    assert run("apply", "--yes", *ROOMY).code == 0
    assert sorted(set(all_writes(sandbox))) == FOUR


@pytest.mark.usefixtures("three")
def test_calls_that_somebody_else_used_up_meanwhile_end_the_run_in_order(start_sandbox: Start, run: Run) -> None:
    sandbox = start_sandbox(old(3), monthly_limit=100, burst_limit=10)
    used_up_by_somebody_else(sandbox, 1000, at=1)
    result = run("apply", "--yes", "--format", "json", *ROOMY)
    check_text_of_pages = [(each["outcome"], each["reason"]) for each in report_of(result)["outcomes"]]
    assert (result.code, check_text_of_pages) == (3, [APPLIED, USED_UP, KEPT])
    assert writes(sandbox) == FOUR[:2]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("words", ["-1", "1.5", "10%", "", "many", "nan", "9" * 5000])
def test_a_reserve_that_is_no_number_is_wrong_usage(sandbox: Sandbox, run: Run, words: str) -> None:
    result = run("apply", "--yes", "--reserve", words)
    assert (result.code, result.out) == (64, "")
    assert not sandbox.requests


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(("flags", "settings"), [(("--reserve", "9" * 300), "0"), ((), "1e300"), ((), "1" + "0" * 15)])
def test_a_reserve_beyond_all_measure_holds_everything_back(
    folder: Path, start_sandbox: Start, run: Run, flags: tuple[str, ...], settings: str
) -> None:
    (folder / "bio-sync.yaml").write_text(f"safety: {{reserve: {settings}}}\n")
    sandbox = start_sandbox(old(3))
    result = run("apply", "--yes", *ROOMY, *flags)
    assert (result.code, len(result.err.splitlines())) == (1, 2)
    assert nothing_written(sandbox)
