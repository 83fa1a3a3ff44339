"""Which page comes when, what stops all of them, how many are under way at once, and several runs at a time."""

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from bio_sync import workflow
from bio_sync.api import WritingApi
from bio_sync.applying.outcomes import Report
from bio_sync.applying.page import Means, PageWriter
from bio_sync.applying.remote import RunEnds
from bio_sync.applying.run import apply_plan
from bio_sync.applying.view import View
from bio_sync.config import Config
from bio_sync.errors import (
    QuotaUsedUp,
    Rejected,
    ServiceError,
    TooManyRequests,
    Unauthorised,
    UnclearWrite,
    Unreachable,
    WorkspaceEmptied,
)
from bio_sync.jsonvalues import JsonObject
from bio_sync.key import ApiKey
from bio_sync.model import DesiredPage, LivePage, PageContent
from bio_sync.planning import Circumstances, Plan, make_plan
from bio_sync.sandbox import Behaviour, Sandbox
from tests import strategies as some
from tests.applying.conftest import Bench, Clock, Done

if TYPE_CHECKING:
    from bio_sync.applying.remote import Remote

APPLIED, UNKNOWN = ("applied", None), ("unknown", "unreachable")
OUT_OF_REACH = ("skipped", "unreachable")


def lose(bench: Bench, *pages: int) -> None:
    """Let every write of some pages be lost for good."""
    for n in pages:
        bench.fail(method="PATCH", path=f"bio_{n:03}", status=503, times=None)


def test_three_pages_in_a_row_out_of_reach_end_the_run(bench: Bench) -> None:
    bench.many(6)
    lose(bench, *range(6))
    done = bench.apply()
    assert done.words == [UNKNOWN] * 3 + [OUT_OF_REACH] * 3
    assert done.pages["bio_003"].message == "the run was stopped before it: 3 pages in a row could not be reached"
    assert bench.writes == [f"PATCH bio_00{n}" for n in (0, 0, 1, 1, 2, 2)]
    assert done.code == 3


@pytest.mark.parametrize("lost", [(0, 1, 3, 4), (0, 2, 3, 5), (1, 2, 4, 5), (0, 1)])
def test_a_page_that_is_written_in_between_counts_anew(bench: Bench, lost: tuple[int, ...]) -> None:
    bench.many(7)
    lose(bench, *lost)
    done = bench.apply()
    assert done.words == [UNKNOWN if n in lost else APPLIED for n in range(7)]


def test_the_last_three_of_six_count_as_the_first_ones_do(bench: Bench) -> None:
    bench.many(6)
    lose(bench, 2, 3, 4)
    assert bench.apply().words == [APPLIED, APPLIED, UNKNOWN, UNKNOWN, UNKNOWN, OUT_OF_REACH]


def test_a_refusal_says_that_the_service_is_there(bench: Bench) -> None:
    bench.many(6)
    lose(bench, 0, 1, 3, 4)
    bench.fail(method="PATCH", path="bio_002", status=400, code="VALIDATION_ERROR")
    rejected = ("failed", "rejected")
    assert bench.apply().words == [UNKNOWN, UNKNOWN, rejected, UNKNOWN, UNKNOWN, APPLIED]


def test_a_run_of_refusals_ends_nothing(bench: Bench) -> None:
    bench.many(6)
    bench.fail(method="PATCH", status=422, code="VALIDATION_ERROR", times=5)
    done = bench.apply()
    assert done.words == [("failed", "rejected")] * 5 + [APPLIED]
    assert len(bench.calls) == 7


def test_lost_answers_that_are_settled_are_no_trouble(bench: Bench) -> None:
    bench.many(6)
    for n in range(6):
        bench.fail(method="PATCH", path=f"bio_00{n}", wire="reset", after=True)
    assert bench.apply().words == [APPLIED] * 6


@pytest.mark.parametrize("wire", ["reset", "close", "garbage"])
def test_looks_that_fail_count_too(bench: Bench, wire: str) -> None:
    bench.many(6)

    def asked() -> None:
        bench.clock.now += 60
        bench.fail(method="GET", wire=wire, times=None)

    done = bench.apply(asked=asked)
    assert done.words == [("failed", "unreachable")] * 3 + [OUT_OF_REACH] * 3
    assert (done.code, bench.writes) == (1, [])
    assert bench.calls == ["GET"] * (1 + 3 * 4)


def test_a_second_s_limit_that_never_passes_counts_too(bench: Bench) -> None:
    bench.many(6)
    bench.fail(method="PATCH", status=429, code="BURST_LIMIT_EXCEEDED", headers={"Retry-After": "1"}, times=None)
    done = bench.apply("--max-age", "3600")
    assert done.words == [("failed", "rejected")] * 3 + [OUT_OF_REACH] * 3
    assert bench.writes == [f"PATCH bio_00{n}" for n in (0, 1, 2) for _ in range(6)]
    assert done.code == 1


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (401, "INVALID_API_KEY", "auth"),
        (401, None, "auth"),
        (403, "FEATURE_NOT_AVAILABLE", "auth"),
        (429, "RATE_LIMIT_EXCEEDED", "quota"),
    ],
)
@pytest.mark.parametrize("first", [0, 1, 3])
def test_what_every_call_would_meet_ends_the_run_at_the_first_call(
    bench: Bench, status: int, code: str | None, reason: str, first: int
) -> None:
    bench.many(5)
    bench.fail(method="PATCH", status=status, code=code, skip=first, times=None)
    done = bench.apply()
    rest = [("failed", reason)] + [("skipped", reason)] * (4 - first)
    assert done.words == [APPLIED] * first + rest
    assert len(bench.writes) == first + 1
    assert done.code == (3 if first else 1)
    assert "the run was stopped before it" in done.pages["bio_004"].message


def test_the_month_s_end_between_two_writes_of_a_page_leaves_it_half_written_and_says_so(bench: Bench) -> None:
    bench.many(2, "title: New\npublished: true")
    bench.fail(method="POST", status=429, code="RATE_LIMIT_EXCEEDED")
    done = bench.apply()
    assert (done.code, done.words) == (3, [("failed", "quota"), ("skipped", "quota")])
    assert bench.calls == ["GET", "PATCH bio_000", "POST bio_000/publish"]


def test_a_page_is_complete_before_it_is_public_and_hidden_before_it_changes(bench: Bench) -> None:
    bench.files({"bio_1": "title: New\npublished: true", "bio_2": "title: New\npublished: false"})
    bench.start([{"id": "bio_1"}, {"id": "bio_2", "is_published": True}])
    assert bench.apply().words == [APPLIED] * 2
    assert bench.writes == ["PATCH bio_1", "POST bio_1/publish", "POST bio_2/unpublish", "PATCH bio_2"]


def test_a_page_that_could_not_be_hidden_is_not_changed(bench: Bench) -> None:
    bench.files({"bio_1": "title: New\npublished: false"})
    bench.start([{"id": "bio_1", "is_published": True, "title": "Old"}])
    bench.fail(method="POST", status=409, code="CONFLICT")
    done = bench.apply()
    assert (done.code, done.words, bench.writes) == (1, [("failed", "rejected")], ["POST bio_1/unpublish"])


@pytest.mark.parametrize("count", [2, 12])
def test_a_quick_service_is_asked_for_one_page_after_the_other_by_the_order_of_files(bench: Bench, count: int) -> None:
    most = busiest(bench, count)
    assert bench.apply().words == [APPLIED] * count
    assert bench.writes == [f"PATCH bio_{n:03}" for n in range(count)]
    assert most() == 1


def busiest(bench: Bench, count: int, text: str = "title: New") -> Callable[[], int]:
    """Serve pages, and give what tells how many writes were under way at once."""
    seen = [0]

    def look(page: dict[str, Any]) -> dict[str, Any]:
        if isinstance(bench.clock, Passing) and not bench.clock.begun:
            bench.clock.begun = time.monotonic()
        writes = [each for each in bench.sandbox.requests if each.method != "GET" and each.status is None]
        seen.append(len(writes))
        return page

    bench.many(count, text)
    bench.sandbox.behaviour = Behaviour(burst_limit=10_000, monthly_limit=1_000_000, normalise=look)
    return lambda: max(seen)


class Passing(Clock):
    """A clock that passes by itself too once a write has come, so that a slow service is seen to be slow.

    The look before it takes no time on any machine, and is remembered with the first three writes: a slow answer beside
    a quick one is no slow service.
    """

    begun: float | None = None

    def __call__(self) -> float:
        return self.now + (time.monotonic() - self.begun if self.begun else 0)


@pytest.fixture
def slow(bench: Bench) -> Bench:
    """The bench, with a service that takes a tenth of a second for each PATCH."""
    bench.clock = Passing()
    return bench


def slow_down(bench: Bench, seconds: float = 0.1) -> None:
    bench.fail(method="PATCH", delay=seconds, times=None)


def check_true(bench: Bench, done: Done) -> None:
    """Hold every outcome against what became of its page."""
    for page_id, told in done.pages.items():
        written = bench.carried_out(page_id)
        match told.outcome:
            case "applied":
                assert (bench.live(page_id, "title"), written > 0) == (("New",), True)
            case "skipped":
                assert (bench.live(page_id, "title"), written) == (("Old",), 0)
            case "failed":
                assert told.reason != "rejected" or written == 0


def test_a_slow_service_gets_several_pages_at_once_and_each_is_written_once(slow: Bench) -> None:
    most = busiest(slow, 24)
    slow_down(slow)
    done = slow.apply()
    assert done.words == [APPLIED] * 24
    assert most() > 1
    assert sorted(slow.writes) == [f"PATCH bio_{n:03}" for n in range(24)]
    # The first ones are how slowness is found out.
    assert slow.writes[:4] == [f"PATCH bio_{n:03}" for n in range(4)]


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [(401, "REVOKED_API_KEY", "auth"), (429, "RATE_LIMIT_EXCEEDED", "quota"), (403, None, "auth")],
)
def test_what_ends_the_run_ends_it_for_all_that_are_under_way(
    slow: Bench, status: int, code: str | None, reason: str
) -> None:
    most = busiest(slow, 60)
    slow.fail(method="PATCH", path="bio_009", status=status, code=code)
    slow_down(slow, 0.3)
    done = slow.apply()
    check_true(slow, done)
    assert most() > 1
    assert done.pages["bio_009"].words == ("failed", reason)
    assert {told.words for told in done.pages.values()} == {APPLIED, ("failed", reason), ("skipped", reason)}
    # Those beside it were under way, and nobody was begun after it.
    assert done.words[45:] == [("skipped", reason)] * 15
    assert len(set(slow.writes)) == len(slow.writes) == 60 - done.document["summary"]["skipped"]


def test_three_in_a_row_end_the_run_with_several_under_way(slow: Bench) -> None:
    busiest(slow, 60)
    for n in range(6, 60):
        slow.fail(method="PATCH", path=f"bio_{n:03}", status=503, times=None, delay=0.05)
    slow_down(slow)
    done = slow.apply()
    check_true(slow, done)
    # Of those that could be written, some may have been about to leave when the run was stopped.
    assert done.words[:2] == [APPLIED] * 2
    assert set(done.words[:6]) <= {APPLIED, OUT_OF_REACH}
    assert set(done.words[6:]) == {UNKNOWN, OUT_OF_REACH}
    assert done.words.count(UNKNOWN) >= 3
    assert done.words[40:] == [OUT_OF_REACH] * 20
    assert all(slow.writes.count(write) <= 2 for write in slow.writes)


def test_two_writes_of_a_page_stay_in_order_when_others_are_under_way_and_the_view_is_always_new(slow: Bench) -> None:
    busiest(slow, 16, "title: New\npublished: true")
    slow.fail(method="PATCH", delay=0.1, times=None)
    slow.fail(method="POST", delay=0.05, times=None)
    done = slow.apply("--max-age", "0")
    assert done.words == [APPLIED] * 16
    for n in range(16):
        assert [each for each in slow.writes if f"_{n:03}" in each] == [f"PATCH bio_{n:03}", f"POST bio_{n:03}/publish"]


def test_lost_answers_of_several_pages_under_way_are_settled_each(slow: Bench) -> None:
    busiest(slow, 20)
    for n in range(4, 16):
        slow.fail(method="PATCH", path=f"bio_{n:03}", wire="reset", delay=0.1, after=n % 2 == 0)
    slow_down(slow)
    done = slow.apply()
    assert done.words == [APPLIED] * 20
    assert all(slow.carried_out(f"bio_{n:03}") == 1 for n in range(20))


class _Listed:
    """A service that lists pages as somebody has laid them out; `meanwhile` happens while a write is under way."""

    def __init__(self) -> None:
        self.pages: dict[str, LivePage] = {}
        self.meanwhile: Callable[[], object] = lambda: None
        self.unread: ServiceError | None = None

    def update(self, page_id: str, fields: JsonObject, permit: Callable[[], None]) -> tuple[LivePage, str | None]:
        permit()
        self.meanwhile()
        content = replace(self.pages[page_id].content, title=str(fields["title"]))
        return replace(self.pages[page_id], content=content), None

    def set_published(
        self, page_id: str, *, published: bool, permit: Callable[[], None]
    ) -> tuple[LivePage, str | None]:
        permit()
        content = PageContent("New", "", {}, published=published)
        return replace(self.pages[page_id], content=content), None

    def list_pages(self, wanted: Collection[str], *, everything: bool) -> dict[str, LivePage]:
        assert not everything
        return {page_id: self.pages[page_id] for page_id in wanted}

    def get_page(self, page_id: str) -> LivePage:
        if self.unread:
            raise self.unread
        return self.pages[page_id]


@pytest.fixture
def listed() -> tuple[_Listed, Plan, list[DesiredPage], Clock, View]:
    """Three pages that get a title and are published, seen at 0 on a clock that shows 14."""
    before, after = PageContent("Old", "", {}, published=False), PageContent("New", "", {}, published=True)
    wanted = [some.wanted_page(after, f"bio_{n}") for n in range(3)]
    remote = _Listed()
    remote.pages = {page.page_id: some.live_page(before, page.page_id) for page in wanted}
    now = Circumstances("0", "2026-11-22T10:00:00Z", "https://xqr.co/api/v1", 1, None)
    plan = make_plan(wanted, remote.pages, circumstances=now)
    clock = Clock(now=0)
    lock = threading.Lock()
    view = View(
        cast("Remote", remote),
        plan.changes,
        taken_at=0,
        calls=1,
        worth=147,
        max_age=15,
        clock=clock,
        lock=lock,
        may_look=lambda: None,
    )
    clock.now = 14
    return remote, plan, wanted, clock, view


Listed = tuple[_Listed, Plan, list[DesiredPage], Clock, View]


def test_the_answer_to_a_write_counts_more_than_a_list_that_was_asked_for_while_it_was_under_way(
    listed: Listed,
) -> None:
    remote, plan, wanted, clock, view = listed

    def look_for_another_page() -> None:
        clock.now = 16
        assert view.page("bio_1").content.title == "Old"

    remote.meanwhile = look_for_another_page
    means = Means(cast("Remote", remote), view, 15, clock, clock.sleep, lambda: None)
    result = PageWriter(plan.changes[0], wanted[0], means).run()
    assert (result.outcome.outcome, result.outcome.message) == ("applied", "")


class _Ending:
    """Lets so many questions pass, and says from then on that the run ends."""

    def __init__(self, passes: int) -> None:
        self.left = passes

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise RunEnds("auth")


@pytest.mark.parametrize(
    ("passes", "lost", "word", "written"),
    [
        (0, False, "skipped", False),
        (1, False, "skipped", False),
        (3, False, "failed", True),
        (2, True, "unknown", True),
        (4, False, "applied", True),
    ],
)
def test_a_run_that_ends_lets_no_further_write_of_a_page_leave(
    listed: Listed, passes: int, lost: bool, word: str, written: bool
) -> None:
    remote, plan, wanted, clock, view = listed

    def lose() -> None:
        if lost:
            raise UnclearWrite("the answer was lost on its way")

    remote.meanwhile = lose
    means = Means(cast("Remote", remote), view, 15, clock, clock.sleep, _Ending(passes))
    result = PageWriter(plan.changes[0], wanted[0], means).run()
    assert (result.outcome.outcome, result.outcome.written) == (word, written)
    assert result.outcome.reason == (None if word == "applied" else "auth")


def test_a_run_that_ends_while_a_write_is_read_back_leaves_it_unknown_for_its_own_reason(listed: Listed) -> None:
    remote, plan, wanted, clock, view = listed

    def lose() -> None:
        raise UnclearWrite("the answer was lost on its way")

    remote.meanwhile, remote.unread = lose, Unreachable("nobody there")
    means = Means(cast("Remote", remote), view, 15, clock, clock.sleep, _Ending(2))
    outcome = PageWriter(plan.changes[0], wanted[0], means).run().outcome
    assert (outcome.outcome, outcome.reason, outcome.written) == ("unknown", "auth", True)
    assert "nobody there" not in outcome.message


class _TwoLanes(_Listed):
    """A service that refuses the key at the first page, while the second one waits for its turn."""

    lanes = 2
    rate = 9.8
    quota_remaining: int | None = None

    def __init__(self) -> None:
        super().__init__()
        self.both_begun, self.refused, self.left = threading.Event(), threading.Event(), list[str]()

    def update(self, page_id: str, fields: JsonObject, permit: Callable[[], None]) -> tuple[LivePage, str | None]:
        if page_id == "bio_0":
            permit()
            self.both_begun.wait(60)
            raise Unauthorised("the API key was revoked")
        self.both_begun.set()
        self.refused.wait(60)
        permit()
        self.left.append(page_id)
        return super().update(page_id, fields, permit)


def test_a_write_that_waited_for_its_turn_does_not_leave_once_another_has_ended_the_run(listed: Listed) -> None:
    remote = _TwoLanes()
    remote.pages = listed[0].pages
    report = apply_plan(
        listed[1],
        listed[2],
        cast("Remote", remote),
        taken_at=listed[3](),
        clock=listed[3],
        sleep=listed[3].sleep,
        tell=lambda _: remote.refused.set(),
    )
    assert [(outcome.outcome, outcome.reason) for outcome in report.outcomes] == [
        ("failed", "auth"),
        ("skipped", "auth"),
        ("skipped", "auth"),
    ]
    assert {outcome.message for outcome in report.outcomes[1:]} == {
        "the run was stopped before it: the API key was refused"
    }
    assert (remote.left, report.exit_code) == ([], 1)


class _Crowded(_Listed):
    """Eight lanes, all of which need a look at once: each look fails until as many have failed as shall.

    It takes until all that are under way, but the one that looks, wait for it.
    """

    lanes, rate = 8, 9.8
    quota_remaining: int | None = None

    def __init__(self, pages: dict[str, LivePage], failure: ServiceError, failures: int) -> None:
        super().__init__()
        self.pages, self._failure, self._failures = pages, failure, failures
        self.looks, self._waiting, self._changed = 0, 0, threading.Condition()
        self.lock = self.Queue(self)

    class Queue:
        """A lock that knows how many wait for it."""

        def __init__(self, crowd: "_Crowded") -> None:
            self._crowd, self._lock = crowd, threading.Lock()

        def __enter__(self) -> None:
            self._crowd.count_waiting(1)
            self._lock.acquire()

        def __exit__(self, *_: object) -> None:
            self._crowd.count_waiting(-1)
            self._lock.release()

    def count_waiting(self, more: int) -> None:
        with self._changed:
            self._waiting += more
            self._changed.notify_all()

    def list_pages(self, wanted: Collection[str], *, everything: bool) -> dict[str, LivePage]:
        self.looks += 1
        with self._changed:
            if self.looks == 1:
                assert self._changed.wait_for(lambda: self._waiting == self.lanes, timeout=60)
        if self.looks <= self._failures:
            raise self._failure
        return super().list_pages(wanted, everything=everything)


def crowded(monkeypatch: pytest.MonkeyPatch, failure: ServiceError, failures: int) -> tuple[_Crowded, Report]:
    """Write 30 pages that were seen too long ago, eight at once, at a service of which some looks fail."""
    before, after = (PageContent(title, "", {}, published=False) for title in ("Old", "New"))
    wanted = [some.wanted_page(after, f"bio_{n:02}") for n in range(30)]
    pages = {page.page_id: some.live_page(before, page.page_id) for page in wanted}
    now = Circumstances("0", "2026-11-22T10:00:00Z", "https://xqr.co/api/v1", 1, None)
    remote = _Crowded(pages, failure, failures)
    monkeypatch.setattr("bio_sync.applying.run.Lock", lambda: remote.lock)
    plan = make_plan(wanted, pages, circumstances=now)
    clock = Clock(now=60)
    return remote, apply_plan(plan, wanted, cast("Remote", remote), taken_at=0, clock=clock, sleep=clock.sleep)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Unauthorised("the API key was revoked"), "auth"),
        (QuotaUsedUp("the month's API calls are used up"), "quota"),
        (WorkspaceEmptied("none of the pages is in the list any more"), "gone"),
    ],
)
def test_a_look_that_every_other_would_meet_too_is_made_once_for_all_who_wait_for_it(
    monkeypatch: pytest.MonkeyPatch, failure: ServiceError, reason: str
) -> None:
    remote, report = crowded(monkeypatch, failure, 30)
    assert remote.looks == 1
    words = [(outcome.outcome, outcome.reason) for outcome in report.outcomes]
    assert sorted(words) == [("failed", reason)] + [("skipped", reason)] * 29


@pytest.mark.parametrize("failure", [Unreachable("nobody there"), TooManyRequests("too many"), Rejected("refused")])
def test_three_looks_in_a_row_that_fail_end_the_run_for_all_who_wait_for_the_next(
    monkeypatch: pytest.MonkeyPatch, failure: ServiceError
) -> None:
    remote, report = crowded(monkeypatch, failure, 30)
    assert remote.looks == 3
    words = [(outcome.outcome, outcome.reason) for outcome in report.outcomes]
    assert sorted(words) == [("failed", failure.reason)] * 3 + [("skipped", failure.reason)] * 27
    why = f"the pages can't be looked at: {failure.message}"
    if failure.reason == "unreachable":
        why = "3 pages in a row could not be reached"
    skipped = {outcome.message for outcome in report.outcomes if outcome.outcome == "skipped"}
    assert skipped == {f"the run was stopped before it: {why}"}


@pytest.mark.parametrize("failures", [1, 2])
def test_a_look_that_succeeds_serves_all_who_wait_whatever_failed_before(
    monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    remote, report = crowded(monkeypatch, Unreachable("nobody there"), failures)
    assert remote.looks == failures + 1
    assert report.summary == {"applied": 30 - failures, "unchanged": 0, "failed": failures, "unknown": 0, "skipped": 0}


def test_of_two_answers_to_reading_the_one_that_was_asked_for_later_counts(listed: Listed) -> None:
    remote, _, _, clock, view = listed
    later = replace(remote.pages["bio_0"], views=100)
    view.saw(later, 10)
    view.saw(remote.pages["bio_0"], 9)
    assert view.page("bio_0") is later
    clock.now = 30
    assert view.page("bio_0") is remote.pages["bio_0"]


def one_run(sandbox: Sandbox, folder: Path) -> Report:
    """Apply the files of a folder, as a process of its own would."""
    files = workflow.read_files([str(folder)], Config(folder, folder.parent), at=datetime.now(UTC))
    with WritingApi(sandbox.url, ApiKey(sandbox.key)) as api:
        taken_at = time.monotonic()
        plan = workflow.plan_pages(files, api, now=datetime.now(UTC))
        return apply_plan(plan, files.desired, api, taken_at=taken_at)


def at_once(*runs: Callable[[], Report]) -> list[Report]:
    """Let runs happen at the same time; none of them begins before all are there."""
    reports: dict[int, Report] = {}
    barrier = threading.Barrier(len(runs))

    def go(number: int) -> None:
        barrier.wait()
        reports[number] = runs[number]()

    threads = [threading.Thread(target=go, args=(number,)) for number in range(len(runs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [reports[number] for number in range(len(runs))]


def lay_out(folder: Path, texts: dict[str, str]) -> Path:
    folder.mkdir()
    for page_id, text in texts.items():
        (folder / f"{page_id}.yaml").write_text(f"id: {page_id}\n{text}\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("runs", [2, 4])
def test_several_runs_at_once_on_the_same_files_all_end_well(bench: Bench, runs: int) -> None:
    names = [f"bio_{n}" for n in range(6)]
    text = "title: New\npublished: true\npage_data: {theme: light}"
    folder = lay_out(bench.folder / "same", dict.fromkeys(names, text))
    sandbox = bench.start([{"id": name, "title": "Old"} for name in names])
    reports = at_once(*[partial(one_run, sandbox, folder)] * runs)
    assert {outcome.outcome for report in reports for outcome in report.outcomes} <= {"applied", "unchanged"}
    assert [report.exit_code for report in reports] == [0] * runs
    for name in names:
        assert bench.live(name, "title", "page_data", "is_published") == ("New", {"theme": "light"}, True)


@pytest.mark.parametrize("turn", range(3))
def test_two_runs_at_once_for_the_same_page_never_leave_a_mixture(bench: Bench, turn: int) -> None:
    names = [f"bio_{n}" for n in range(5)]
    folders = [
        lay_out(bench.folder / who, dict.fromkeys(names, f"title: {who}\npage_data: {{theme: {who}, links: []}}"))
        for who in ("light", "dark")
    ]
    sandbox = bench.start([{"id": name, "title": "Old"} for name in names])
    reports = at_once(*[partial(one_run, sandbox, folder) for folder in folders])
    for name in names:
        title, page_data = bench.live(name, "title", "page_data")
        assert title in {"light", "dark"}
        assert page_data == {"theme": title, "links": []}
    # Who says applied has been on the page, and who was overtaken before has not overwritten it unseen.
    for who, report in zip(("light", "dark"), reports, strict=True):
        for outcome in report.outcomes:
            held = [each.page["title"] for each in sandbox.history if each.page_id == outcome.page_id and each.page]
            assert (outcome.outcome == "applied") == (who in held)
