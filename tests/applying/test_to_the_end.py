"""What a run says when it does not end as it should: a bug, the reserve, a second Ctrl-C at any line."""

import json
import sys
import threading
import time
from collections.abc import Callable, Collection
from types import FrameType
from typing import Any

import pytest

from bio_sync import cli
from bio_sync.applying import run as run_module
from bio_sync.applying import stored
from bio_sync.applying.outcomes import Report
from bio_sync.applying.remote import RunEnds
from bio_sync.applying.run import apply_plan
from bio_sync.applying.view import View
from bio_sync.interruption import Interruption
from bio_sync.jsonvalues import JsonObject
from bio_sync.model import LivePage, PageContent
from bio_sync.options import Session
from bio_sync.planning import Circumstances, make_plan
from bio_sync.sandbox import Fault
from tests import strategies as some
from tests.applying.conftest import Bench
from tests.applying.service import Service
from tests.conftest import Run
from tests.guards.test_quota import used_up_by_somebody_else

OLD, NEW = (PageContent(title, "", {}, published=False) for title in ("Old", "New"))
WANTED = [some.wanted_page(NEW, f"bio_{n}") for n in range(3)]
LIVE = {page.page_id: some.live_page(OLD, page.page_id) for page in WANTED}
PLAN = make_plan(
    WANTED, LIVE, circumstances=Circumstances("0", "2026-11-22T10:00:00Z", "https://xqr.co/api/v1", 1, None)
)


OUTSIDE = {"apply_plan", "<dictcomp>", "__init__", "to_its_end", "<lambda>"}


def interrupted_at(line: int) -> tuple[Report, Service, bool]:
    """Run with a second Ctrl-C at the n-th line that the main thread comes to in the module of the run."""
    service, interruption = Service(), Interruption()
    passed = 0

    def here(_: FrameType, event: str, __: object) -> Any:
        nonlocal passed
        if event == "line":
            passed += 1
            if passed == line:
                interruption.exit_code = 130
                interruption.ending.set()
                raise KeyboardInterrupt
        return here

    def enter(frame: FrameType, _: str, __: object) -> Any:
        # Not before there is a run that could report, and not in the handler itself.
        ours = frame.f_code.co_filename == run_module.__file__
        return here if ours and frame.f_code.co_name not in OUTSIDE else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        report = apply_plan(PLAN, WANTED, service, taken_at=time.monotonic(), interruption=interruption)
    finally:
        sys.settrace(before)
    for thread in threading.enumerate():
        if thread.name.startswith("write "):
            thread.join()
    return report, service, passed >= line


def test_a_second_ctrl_c_at_any_line_leaves_a_report_that_is_true() -> None:
    line = 1
    while True:
        report, service, reached = interrupted_at(line)
        if not reached:
            break
        words = {outcome.page_id: outcome for outcome in report.outcomes}
        assert set(words) == set(LIVE), line
        assert all(words[page_id].written for page_id in service.written), line
        assert {o.outcome for o in words.values() if o.page_id not in service.written} <= {"skipped", "unknown"}, line
        assert report.exit_code == 130, line
        line += 1
    assert line > 60


def test_a_bug_in_one_page_ends_the_run_and_keeps_what_is_known_of_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    bench.many(3)
    capfd.readouterr()
    real, asked = stored.moved, [0]

    def broken(*arguments: Any) -> Any:
        asked[0] += 1
        if asked[0] > 2:
            raise ZeroDivisionError
        return real(*arguments)

    monkeypatch.setattr(stored, "moved", broken)
    session = Session(clock=bench.clock, sleep=bench.clock.sleep, api_url=bench.sandbox.url)
    code = cli.run(["apply", "--yes", "--format", "json"], session)
    out, err = capfd.readouterr()
    # One document, and nothing after it.
    document = json.loads(out)
    outcomes = document["outcomes"]
    assert (code, document["exit_code"]) == (3, 3)
    assert [each["outcome"] for each in outcomes] == ["applied", "unknown", "skipped"]
    assert "a bug in bio-sync" in outcomes[1]["message"]
    assert "ZeroDivisionError" in err
    assert "this is a bug in bio-sync" in err


@pytest.mark.timeout(20)
def test_what_ends_the_interpreter_in_one_page_is_told_and_never_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    bench.many(3)
    capfd.readouterr()
    monkeypatch.setattr(stored, "moved", lambda *_: sys.exit(5))
    session = Session(clock=bench.clock, sleep=bench.clock.sleep, api_url=bench.sandbox.url)
    with pytest.raises(SystemExit):
        cli.run(["apply", "--yes", "--format", "json"], session)
    outcomes = json.loads(capfd.readouterr().out)["outcomes"]
    assert [each["outcome"] for each in outcomes] == ["unknown", "skipped", "skipped"]


@pytest.mark.parametrize("fault", [{}, {"delay": 0.1}])
def test_the_reserve_is_kept_by_a_page_of_two_writes_and_by_pages_side_by_side(bench: Bench, fault: Any) -> None:
    names = [f"bio_{n}" for n in range(8)]
    bench.files(dict.fromkeys(names, "title: New\npublished: true"))
    bench.start([{"id": name, "title": "Old"} for name in names], monthly_limit=100, burst_limit=50)
    used_up_by_somebody_else(bench.sandbox, 70, at=1)
    if fault:
        bench.fail(method="PATCH", times=None, status=None, **fault)
    done = bench.apply("--reserve", "20")
    assert 100 - 70 - len(bench.calls) >= 20
    assert {each for each, _ in done.words} <= {"applied", "failed", "skipped"}
    assert ("skipped", "quota") in done.words


def test_an_interrupt_that_comes_out_of_an_import_as_another_error_is_no_bug(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    bench.many(1)
    session = Session(api_url=bench.sandbox.url)
    session.signalled = KeyboardInterrupt()

    def broken(*_: object) -> None:
        raise AttributeError("partially initialized module 'yaml'")

    monkeypatch.setattr("bio_sync.config.read_config", broken)
    assert cli.run(["plan", "--format", "json"], session) == 130
    out, err = capfd.readouterr()
    assert json.loads(out)["exit_code"] == 130
    assert "Traceback" not in err


@pytest.mark.parametrize("missing", ["title", "page_data", "is_published"])
def test_an_answer_to_a_write_that_shows_a_part_of_the_page_is_read_back(bench: Bench, missing: str) -> None:
    bench.many(1)
    page = {"id": "bio_000", "title": "New", "page_data": {}, "is_published": False}
    del page[missing]
    body = json.dumps({"data": page, "meta": {"request_id": "req_1"}})
    bench.fail(method="PATCH", status=200, after=True, body=body)
    done = bench.apply()
    assert done.words == [("applied", None)]
    assert [call.split()[0] for call in bench.calls] == ["GET", "PATCH", "GET"]


@pytest.mark.parametrize("status", [400, 500, 503])
def test_too_many_a_second_is_waited_for_by_its_code_whatever_its_status(bench: Bench, status: int) -> None:
    bench.many(1)
    bench.fail(method="PATCH", status=status, code="BURST_LIMIT_EXCEEDED")
    assert bench.apply().words == [("applied", None)]
    assert [call.split()[0] for call in bench.calls] == ["GET", "PATCH", "PATCH"]


@pytest.mark.parametrize("wait", ["20", "30"])
def test_five_long_waits_are_waited_for(bench: Bench, wait: str) -> None:
    bench.many(1)
    bench.fail(method="PATCH", times=5, status=429, code="BURST_LIMIT_EXCEEDED", headers={"Retry-After": wait})
    assert bench.apply().words == [("applied", None)]


def test_a_page_that_is_shown_without_its_data_is_not_written_when_its_file_ignores_parts_of_it(
    bench: Bench, run: Run
) -> None:
    bench.files({"bio_1": "title: New\npage_data: {theme: light}\nignore: [/page_data/experiments]"})
    bench.start([{"id": "bio_1", "title": "Old", "page_data": {"theme": "dark", "experiments": {"keep": "me"}}}])
    body = json.dumps({"data": {"id": "bio_1", "title": "Old", "is_published": False}, "meta": {}})
    bench.sandbox.fail(Fault(200, method="GET", body=body, times=None))
    result = run("apply", "--yes", "--api-url", bench.sandbox.url)
    assert result.code == 1
    assert "without its page_data, which pages/bio_1.yaml manages" in result.err
    assert [call.method for call in bench.sandbox.requests] == ["GET"]


@pytest.mark.parametrize(("wanted", "verb"), [("false", "unpublish"), ("true", "publish")])
def test_a_page_that_is_shown_without_saying_whether_it_is_public_is_made_as_wanted(
    bench: Bench, run: Run, wanted: str, verb: str
) -> None:
    bench.files({"bio_1": f"published: {wanted}"})
    bench.start([{"id": "bio_1", "title": "Old", "is_published": wanted == "false"}])
    body = json.dumps({"data": {"id": "bio_1", "title": "Old", "page_data": {}}, "meta": {}})
    bench.sandbox.fail(Fault(200, method="GET", body=body))
    assert run("apply", "--yes", "--force", "--api-url", bench.sandbox.url).code == 0
    assert [call.path.rsplit("/", 1)[1] for call in bench.sandbox.requests] == ["bio_1", verb]
    assert bench.live("bio_1", "is_published") == (wanted == "true",)


class _Looked(Service):
    """A service that remembers how it is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: list[str] = []

    def get_page(self, page_id: str) -> LivePage:
        self.looks.append("page")
        return LIVE[page_id]

    def list_pages(self, wanted: Collection[str], *, everything: bool) -> dict[str, LivePage]:
        assert not everything
        self.looks.append("list")
        return {page_id: LIVE[page_id] for page_id in wanted}


def old_view(service: Service, *, calls: int, worth: int, may_look: Callable[[], None] = lambda: None) -> View:
    return View(
        service,
        PLAN.changes,
        taken_at=0,
        calls=calls,
        worth=worth,
        max_age=15,
        clock=lambda: 16.0,
        lock=threading.Lock(),
        may_look=may_look,
    )


@pytest.mark.parametrize(("calls", "worth", "look"), [(2, 1, "page"), (2, 2, "list"), (3, 9, "page"), (1, 1, "list")])
def test_a_list_that_costs_more_than_it_is_good_for_gives_way_to_single_reads(
    calls: int, worth: int, look: str
) -> None:
    service = _Looked()
    old_view(service, calls=calls, worth=worth).page("bio_0")
    assert service.looks == [look]


def test_nobody_looks_at_a_page_any_more_once_the_run_has_ended() -> None:
    def ended() -> None:
        raise RunEnds("auth")

    service = _Looked()
    with pytest.raises(RunEnds):
        old_view(service, calls=1, worth=9, may_look=ended).page("bio_0")
    assert service.looks == []


def test_no_description_that_becomes_an_empty_one_is_no_edit() -> None:
    wanted = some.wanted_page(PageContent("T", "New", {}, published=False))
    without, empty = (some.live_page(PageContent("T", text, {}, published=False)) for text in (None, ""))
    assert stored.moved(wanted, stored.steps_left(wanted, without), without.content, empty) == []


def test_what_hangs_after_ctrl_c_is_not_waited_for_any_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go, interruption = threading.Event(), Interruption()

    class Hanging(Service):
        def update(self, page_id: str, fields: JsonObject, permit: Callable[[], None]) -> tuple[LivePage, str | None]:
            interruption.ask(130)
            let_go.wait(60)
            return super().update(page_id, fields, permit)

    monkeypatch.setattr(run_module, "LAST_SECONDS", 0.2)
    report = apply_plan(PLAN, WANTED, Hanging(), taken_at=time.monotonic(), interruption=interruption)
    assert not let_go.is_set()
    let_go.set()
    assert [outcome.outcome for outcome in report.outcomes] == ["unknown", "skipped", "skipped"]
    assert report.exit_code == 130


def test_a_page_that_hangs_at_its_second_write_after_ctrl_c_tells_of_its_first(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go, interruption = threading.Event(), Interruption()

    class Hanging(Service):
        def set_published(
            self, page_id: str, *, published: bool, permit: Callable[[], None]
        ) -> tuple[LivePage, str | None]:
            permit()
            interruption.ask(130)
            let_go.wait(60)
            raise AssertionError(page_id, published)

    monkeypatch.setattr(run_module, "LAST_SECONDS", 0.2)
    wanted = [some.wanted_page(PageContent("New", "", {}, published=True), "bio_0")]
    plan = make_plan(wanted, LIVE, circumstances=PLAN.circumstances)
    report = apply_plan(plan, wanted, Hanging(), taken_at=time.monotonic(), interruption=interruption)
    let_go.set()
    said = "updated, but perhaps not published: interrupted while it was written: look at the page, or run again"
    assert [(outcome.outcome, outcome.message) for outcome in report.outcomes] == [("unknown", said)]


def test_a_signal_that_a_program_around_python_has_taken_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[object] = []
    # As Python tells of a handler that it has not set itself, and could not set again.
    monkeypatch.setattr("signal.getsignal", lambda _: None)
    monkeypatch.setattr("signal.signal", lambda _, handler: taken.append(handler))
    with Interruption():
        pass
    assert taken == []
