"""The first signal lets what is under way come to its end and starts nothing, the second one leaves at once."""

import json
import os
import pty
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bio_sync.applying.run import apply_plan
from bio_sync.errors import Terminated
from bio_sync.interruption import Interruption
from bio_sync.sandbox import Fault, Sandbox
from tests.conftest import HELD, Run
from tests.signals import APPLY, CODES, ENDING, Running, asked, is_new, live_pages, patched, sent, write_pages

Start = Callable[..., Sandbox]
APPLIED, SKIPPED = ("applied", None), ("skipped", "interrupted")
UNKNOWN, HALF = ("unknown", "interrupted"), ("failed", "interrupted")
BURST: dict[str, Any] = {"status": 429, "code": "BURST_LIMIT_EXCEEDED", "headers": {"Retry-After": "30"}}
both = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])


@pytest.fixture
def three(folder: Path, start_sandbox: Start) -> Sandbox:
    """Three pages that change; the second one is also published."""
    write_pages(folder, 3, published=[1])
    return start_sandbox(live_pages(3))


def check_truth(sandbox: Sandbox, document: dict[str, Any]) -> None:
    """Hold the outcomes of a run against what the service has seen and has."""
    sent_to = {call.path.split("/")[5] for call in asked(sandbox) if call.method != "GET"}
    for outcome in document["outcomes"]:
        page_id = outcome["page_id"]
        if outcome["outcome"] == "applied":
            assert is_new(sandbox.page(page_id))
        if outcome["outcome"] == "skipped" and not any(call.status == 429 for call in asked(sandbox)):
            assert page_id not in sent_to
        if outcome["outcome"] == "skipped":
            assert not is_new(sandbox.page(page_id))
    words = [outcome["outcome"] for outcome in document["outcomes"]]
    assert document["summary"] == {word: words.count(word) for word in document["summary"]}


def converges(sandbox: Sandbox, run: Run) -> None:
    """Run again without faults: all pages are as wanted after it, and a third run has nothing to do."""
    sandbox.faults.clear()
    assert run(*APPLY).code == 0
    assert all(map(is_new, sandbox.pages))
    before = len(sent(sandbox))
    assert run(*APPLY).code == 0
    assert len(sent(sandbox)) == before
    assert max(patched(sandbox).values()) <= 2


@both
def test_while_the_key_is_read(three: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.delenv("XQR_API_KEY")
    os.mkfifo(folder / "key")
    with Running(three, *APPLY, "--api-key-file", "key") as running:
        # A pipe can be opened for writing, without waiting, only when somebody is about to read it.
        opened: list[int] = []

        def somebody_reads() -> bool:
            try:
                opened.append(os.open(folder / "key", os.O_WRONLY | os.O_NONBLOCK))
            except OSError:
                return False
            return True

        running.until(somebody_reads, "the key is read")
        # Between the opening and the reading, Python would take notice of the signal only when the reading ends.
        running.until_it_rests().signal(number)
        running.process.wait(60)
        for each in opened:
            os.close(each)
        (folder / "key").unlink()
        done = running.end()
    assert (done.code, done.document["error"]["reason"], done.document["outcomes"]) == (
        CODES[signal.Signals(number)],
        "interrupted",
        [],
    )
    assert not asked(three)


@pytest.mark.parametrize(
    ("number", "command"),
    [(signal.SIGINT, APPLY), (signal.SIGTERM, APPLY), (signal.SIGTERM, ("plan", "--format", "json"))],
    ids=["SIGINT", "SIGTERM", "plan"],
)
def test_while_the_pages_are_listed(three: Sandbox, number: int, command: tuple[str, ...]) -> None:
    three.fail(Fault(wire="hang", method="GET"))
    with Running(three, *command) as running:
        done = running.until_sent(1).signal(number).end()
    assert (done.code, done.document["error"]["reason"]) == (CODES[signal.Signals(number)], "interrupted")
    assert done.document.get("outcomes", []) == []
    words, way_out = ", and nothing was written", "run again"
    if command is not APPLY:
        words, way_out = "", "run again: what was written is not written twice"
    assert done.err.lstrip() == f"error: interrupted{words}\nhint: {way_out}\n"
    assert len(asked(three)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM])
def test_while_a_read_waits_to_be_tried_again(three: Sandbox, number: int) -> None:
    three.fail(Fault(**BURST, method="GET"))
    with Running(three, *APPLY) as running:
        running.until(lambda: [call.status for call in asked(three)] == [429], "the list is refused")
        done = running.signal(number).end()
    assert (done.code, done.document["outcomes"]) == (CODES[signal.Signals(number)], [])
    assert len(asked(three)) == 1


@both
def test_between_the_list_and_the_first_write(three: Sandbox, number: int) -> None:
    controller, terminal = pty.openpty()
    with Running(three, "apply", "--force", "--format", "json", stdin=terminal) as running:
        # As above: it has to be reading, and not about to.
        running.until(lambda: "[y/N]" in running.said, "the question").until_it_rests().signal(number)
        done = running.end()
    os.close(controller)
    os.close(terminal)
    assert (done.code, done.outcomes) == (CODES[signal.Signals(number)], [SKIPPED] * 3)
    assert done.document["error"]["message"] == "interrupted, and nothing was written"
    assert done.err.endswith("\nerror: interrupted, and nothing was written\nhint: run again\n")
    assert sent(three) == []


@pytest.mark.parametrize(
    ("number", "position", "expected", "requests"),
    [
        (signal.SIGINT, 0, [APPLIED, SKIPPED, SKIPPED], 1),
        (signal.SIGTERM, 1, [APPLIED, HALF, SKIPPED], 2),
        (signal.SIGINT, 2, [APPLIED, APPLIED, SKIPPED], 3),
        (signal.SIGTERM, 3, [APPLIED, APPLIED, APPLIED], 4),
    ],
    ids=["the first PATCH", "a PATCH before a publish", "a publish", "the last PATCH"],
)
def test_a_write_that_is_under_way_comes_to_its_end_and_no_other_begins(
    three: Sandbox,
    held: threading.Event,
    run: Run,
    number: int,
    position: int,
    expected: list[tuple[str, str | None]],
    requests: int,
) -> None:
    three.fail(Fault(status=None, delay=HELD, skip=1 + position))
    with Running(three, *APPLY) as running:
        running.until_sent(2 + position).signal(number).until_it_ends()
        held.set()
        done = running.end()
    assert (done.code, done.outcomes) == (CODES[signal.Signals(number)], expected)
    assert len(sent(three)) == requests
    check_truth(three, done.document)
    if expected[1] == HALF:
        said = "updated, but not published: the run ended before that; run again"
        assert done.document["outcomes"][1]["message"] == said
    converges(three, run)
    assert set(patched(three).values()) == {1}


@pytest.mark.parametrize(
    ("number", "after", "expected", "reads"),
    [
        (signal.SIGINT, False, [UNKNOWN, SKIPPED, SKIPPED], 2),
        (signal.SIGTERM, True, [APPLIED, SKIPPED, SKIPPED], 2),
    ],
)
def test_a_write_without_an_answer_is_cut_and_read_back_once(
    three: Sandbox, run: Run, number: int, after: bool, expected: list[tuple[str, str | None]], reads: int
) -> None:
    three.fail(Fault(wire="hang", method="PATCH", after=after))
    with Running(three, *APPLY, "--timeout", "300", "--settle", "300") as running:
        done = running.until_sent(2).signal(number).end()
    assert (done.code, done.outcomes) == (CODES[signal.Signals(number)], expected)
    assert sum(call.method == "GET" for call in asked(three)) == reads
    assert len(sent(three)) == 1
    check_truth(three, done.document)
    converges(three, run)


def test_neither_the_cut_write_nor_its_reading_back_holds_the_end_up(three: Sandbox, run: Run) -> None:
    three.fail(Fault(wire="hang", method="PATCH", after=True))
    three.fail(Fault(wire="hang", method="GET", skip=1, times=None))
    with Running(three, *APPLY, "--timeout", "600", "--settle", "600") as running:
        running.until_sent(2)
        begun = time.monotonic()
        done = running.signal(signal.SIGINT).end()
    # 4.5 s and 2 s; the rest is for a slow machine.
    assert time.monotonic() - begun < 30
    assert (done.code, done.outcomes) == (130, [UNKNOWN, SKIPPED, SKIPPED])
    assert len(asked(three)) == 3
    converges(three, run)
    assert set(patched(three).values()) == {1}


@pytest.mark.parametrize(
    ("number", "after"), [(signal.SIGTERM, True), (signal.SIGINT, False)], ids=["carried out", "not carried out"]
)
def test_a_lost_write_is_read_back_at_once(three: Sandbox, run: Run, number: int, after: bool) -> None:
    three.fail(Fault(wire="reset", method="PATCH", after=after))
    with Running(three, *APPLY, "--settle", "600") as running:
        done = running.until_sent(2).signal(number).end()
    assert (done.code, done.outcomes) == (
        CODES[signal.Signals(number)],
        [APPLIED if after else UNKNOWN, SKIPPED, SKIPPED],
    )
    assert [call.method for call in asked(three)] == ["GET", "PATCH", "GET"]
    said = done.document["outcomes"][0]["message"]
    assert said.startswith("its answer was lost; read back" if after else "the answer was lost on its way")
    check_truth(three, done.document)
    converges(three, run)
    assert patched(three)["bio_0"] == (1 if after else 2)


@pytest.mark.parametrize(
    ("number", "position"), [(signal.SIGTERM, 0), (signal.SIGINT, 2)], ids=["a PATCH", "a publish"]
)
def test_a_write_that_waits_after_a_429_is_never_sent(three: Sandbox, run: Run, number: int, position: int) -> None:
    three.fail(Fault(**BURST, skip=1 + position))
    with Running(three, *APPLY) as running:
        running.until(lambda: 429 in [call.status for call in asked(three)], "a 429")
        done = running.until_it_rests().signal(number).end()
    expected = [APPLIED, HALF, SKIPPED] if position else [SKIPPED] * 3
    assert (done.code, done.outcomes) == (CODES[signal.Signals(number)], expected)
    assert len(sent(three)) == position + 1
    check_truth(three, done.document)
    converges(three, run)


def test_pages_that_wait_for_their_turn_are_never_sent(folder: Path, start_sandbox: Start, run: Run) -> None:
    write_pages(folder, 30)
    sandbox = start_sandbox(live_pages(30), burst_limit=2)
    with Running(sandbox, *APPLY) as running:
        done = running.until_sent(2).signal(signal.SIGINT).end()
    applied = done.outcomes.count(APPLIED)
    assert done.code == 130
    assert done.outcomes == [APPLIED] * applied + [SKIPPED] * (30 - applied)
    assert 1 <= applied == len(sent(sandbox)) < 30
    check_truth(sandbox, done.document)


def test_all_of_the_writes_that_are_under_way_side_by_side_come_to_their_end(
    folder: Path, start_sandbox: Start, held: threading.Event, run: Run
) -> None:
    write_pages(folder, 40)
    sandbox = start_sandbox(live_pages(40))
    # Four answers show that the service is slow enough for several at once: 20 ms and more.
    sandbox.fail(Fault(status=None, delay=0.05, method="PATCH", times=4))
    sandbox.fail(Fault(status=None, delay=HELD, method="PATCH", times=None))
    with Running(sandbox, *APPLY, side_by_side=True) as running:
        running.until(lambda: len(sent(sandbox)) >= 9, "five are held").signal(signal.SIGINT).until_it_ends()
        held.set()
        done = running.end()
    told = {each["page_id"] for each in done.document["outcomes"] if each["outcome"] == "applied"}
    assert (done.code, set(done.outcomes)) == (130, {APPLIED, SKIPPED})
    assert told == set(patched(sandbox))
    assert len(told) >= 5
    check_truth(sandbox, done.document)
    converges(sandbox, run)
    assert set(patched(sandbox).values()) == {1}


@pytest.mark.parametrize(
    ("first", "second"), [(signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)], ids=["to TERM", "to INT"]
)
def test_the_second_signal_leaves_at_once_with_a_report_and_its_own_code(
    three: Sandbox, run: Run, first: int, second: int
) -> None:
    three.fail(Fault(wire="hang", method="PATCH", after=True))
    with Running(three, *APPLY, "--timeout", "600") as running:
        running.until_sent(2).signal(first)
        done = running.until_it_ends().signal(second).end()
    assert (done.code, done.outcomes) == (CODES[signal.Signals(second)], [UNKNOWN, SKIPPED, SKIPPED])
    assert done.document["outcomes"][0]["message"] == "interrupted while it was written: look at the page, or run again"
    assert [call.method for call in asked(three)] == ["GET", "PATCH"]
    converges(three, run)
    assert set(patched(three).values()) == {1}


def test_in_text_form_every_page_has_its_line_and_the_sum_its_own(three: Sandbox, held: threading.Event) -> None:
    three.fail(Fault(status=None, delay=HELD, method="PATCH"))
    with Running(three, "apply", "--yes") as running:
        running.until_sent(2).signal(signal.SIGTERM).until_it_ends()
        held.set()
        done = running.end()
    assert done.code == 143
    assert done.err.startswith(f"{ENDING}\nto take it back: bio-sync undo .bio-sync/apply-")
    assert done.out.endswith(
        "\napplied    pages/p0.yaml  update\n"
        "skipped    pages/p1.yaml  the run was stopped before it\n"
        "skipped    pages/p2.yaml  the run was stopped before it\n"
        "Pages: 1 applied, 2 skipped. API: 2 calls used, 999,998 left this month.\n"
    )


def test_who_asked_for_quiet_is_not_told_that_it_ends(three: Sandbox, held: threading.Event) -> None:
    three.fail(Fault(status=None, delay=HELD, method="PATCH"))
    with Running(three, "-q", *APPLY) as running:
        running.until_sent(2).signal(signal.SIGINT).until_it_rests()
        held.set()
        done = running.end()
    assert (done.code, done.err, done.outcomes) == (130, "", [APPLIED, SKIPPED, SKIPPED])


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_signal_while_the_report_is_printed_leaves_the_report_whole(
    folder: Path, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch, unbuffered: str
) -> None:
    write_pages(folder, 60)
    sandbox = start_sandbox(live_pages(60))
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    # The report is more than the pipe holds, so that the run is still printing until somebody reads.
    with Running(sandbox, "-q", *APPLY, pipesize=4096) as running:
        running.until(lambda: len(sent(sandbox)) == 60, "all pages are written")
        done = running.until_it_rests().signal(signal.SIGTERM).end()
    assert (done.code, done.document["summary"]["applied"]) == (0, 60)


def test_the_second_signal_comes_too_late_to_cut_the_report(
    folder: Path, start_sandbox: Start, held: threading.Event
) -> None:
    write_pages(folder, 60)
    sandbox = start_sandbox(live_pages(60))
    sandbox.fail(Fault(status=None, delay=HELD, method="PATCH", path="bio_9"))
    with Running(sandbox, *APPLY, pipesize=4096) as running:
        # The files come in the order of their names: the page is the last one.
        running.until(lambda: patched(sandbox)["bio_9"], "the last page is written").signal(signal.SIGINT)
        running.until_it_ends()
        held.set()
        running.until(lambda: all(call.status for call in asked(sandbox)), "it has its answer")
        done = running.until_it_rests().signal(signal.SIGTERM).end()
    assert (done.code, done.document["summary"]["applied"]) == (130, 60)


def test_a_run_that_was_told_to_ignore_ctrl_c_goes_on(three: Sandbox, held: threading.Event) -> None:
    # As a shell's background job is.
    three.fail(Fault(status=None, delay=HELD, method="PATCH"))
    ignoring = ("sh", "-c", 'trap "" INT; exec "$0" "$@"')
    with Running(three, *APPLY, before=ignoring) as running:
        running.until_sent(2).signal(signal.SIGINT).until_it_rests()
        held.set()
        done = running.end()
    assert (done.code, done.outcomes) == (0, [APPLIED] * 3)


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
def test_a_run_that_breaks_off_never_says_of_written_pages_that_nothing_was_written(
    three: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch, failure: type[BaseException]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise failure

    with monkeypatch.context() as before:
        before.setattr("bio_sync.workflow.check_safety", broken)
        result = run(*APPLY)
        told = [each["message"] for each in json.loads(result.out)["outcomes"]]
        assert (len(sent(three)), told) == (0, ["nothing was written"] * 3)

    def broken_later(*arguments: Any, **more: Any) -> None:
        apply_plan(*arguments, **more)
        raise failure

    with monkeypatch.context() as later:
        later.setattr("bio_sync.applying.run.apply_plan", broken_later)
        result = run(*APPLY)
    document = json.loads(result.out)
    assert (result.code, document["exit_code"]) == ((130, 130) if failure is KeyboardInterrupt else (3, 3))
    assert document["outcomes"] == []
    assert "nothing was written" not in result.out
    assert len(sent(three)) == 4


@pytest.mark.parametrize("number", CODES)
def test_the_handlers_that_were_there_come_back(three: Sandbox, run: Run, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    assert run(*APPLY).code == 0
    assert signal.getsignal(number) is before


def test_asking_twice_raises_what_the_second_signal_means() -> None:
    for number, kind in ((130, KeyboardInterrupt), (143, Terminated)):
        interruption, woken = Interruption(), threading.Semaphore(0)
        interruption.wake = woken.release
        interruption.ask(273 - number)
        assert (interruption.exit_code, interruption.ending.is_set()) == (273 - number, True)
        assert woken.acquire(blocking=False)
        with pytest.raises(kind) as caught:
            interruption.ask(number)
        assert (caught.type, interruption.exit_code) == (kind, number)
        assert not woken.acquire(blocking=False)


def test_a_thread_that_gets_no_signals_may_apply_too(three: Sandbox, run: Run) -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(run(*APPLY).code))
    thread.start()
    thread.join(60)
    assert codes == [0]
