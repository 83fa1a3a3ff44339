"""Long work shows itself, and leaves no trace: on a terminal that pyte plays, on a real one, and in a log."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any, Self

import pyte
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bio_sync import cli, progress, statusline, workflow
from bio_sync.api import Api
from bio_sync.config import read_config
from bio_sync.key import ApiKey
from bio_sync.options import Session
from bio_sync.progress import (
    AGAIN,
    ASKING,
    COMPARING,
    CREATING,
    LIMIT,
    LOST_ANSWER,
    READING,
    RULES,
    SAVING,
    UNWATCHED,
    WRITING,
    Progress,
    Watch,
    Work,
)
from bio_sync.sandbox import Fault, Sandbox
from bio_sync.statusline import StatusLine
from bio_sync.terminal import Terminal
from tests.conftest import HELD, Run

Start = Callable[..., Sandbox]
COMMAND = (sys.executable, "-m", "bio_sync")
WORKS = [work for work in vars(progress).values() if isinstance(work, Work)]
WAITS = [AGAIN, LIMIT, LOST_ANSWER]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Heard(Watch):
    """Remembers what it hears."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int | None]] = []
        self.reached: list[tuple[str, int]] = []
        self.waits: list[tuple[str, float]] = []
        self.at_the_end: Callable[[], None] = lambda: None

    def begin(self, work: Work, total: int | None = None) -> None:
        self.begun.append((work.doing, total))

    def reach(self, work: Work, done: int) -> None:
        self.reached.append((work.doing, done))

    def wait(self, why: str, seconds: float) -> None:
        self.waits.append((why, seconds))

    def end(self) -> None:
        self.at_the_end()


def after(work: Work, total: int | None, *events: tuple[float, int]) -> tuple[str, str]:
    """Give the line and the sentence of work that had reached so many things at these seconds."""
    made = Progress(work, total, now=0.0)
    for second in range(1 + int(max(second for second, _ in events))):
        for _, done in (event for event in events if event[0] == second):
            made.reach(work, done)
        made.look(float(second))
    return made.line(float(second)), made.sentence(float(second))


@pytest.mark.parametrize(
    ("work", "total", "events", "line", "sentence"),
    [
        (WRITING, 300, [(0, 0)], "writing 300 pages", "writing 300 pages"),
        (
            WRITING,
            300,
            [(second, second * 10) for second in range(5)],
            "writing 40 of 300 pages · 10.0 a second · about 26 s left",
            "40 of 300 pages done, 10.0 a second, about 26 s left",
        ),
        (WRITING, 1, [(4, 0)], "writing 1 page", "writing 1 page"),
        (WRITING, 2, [(5, 0)], "writing 2 pages · no answer for 5 s", "writing 2 pages, no answer for 5 s"),
        (
            WRITING,
            1_000,
            [(second, min(second * 10, 540 + second)) for second in range(101)],
            "writing 640 of 1,000 pages · 1.0 a second · about 6 min left",
            "640 of 1,000 pages done, 1.0 a second, about 6 min left",
        ),
        (
            READING,
            10_000,
            [(2, 6_000)],
            "reading 6,000 of 10,000 files · 3,000 a second · about 2 s left",
            "6,000 of 10,000 files read, 3,000 a second, about 2 s left",
        ),
        (READING, 100, [(2, 100)], "reading 100 of 100 files · 50 a second", "100 of 100 files read, 50 a second"),
        (READING, 100, [(40, 0)], "reading 100 files", "reading 100 files"),
        (READING, 0, [(1, 0)], "reading the files", "reading the files"),
        (READING, 100, [(0, 101)], "reading 100 of 100 files", "100 of 100 files read"),
        (ASKING, None, [(1, 0)], "asking for the live pages", "asking for the live pages"),
        (
            ASKING,
            None,
            [(0, 1_400), (1, 1_400)],
            "asking for the live pages: 1,400 so far · 1,400 a second",
            "1,400 live pages read so far, 1,400 a second",
        ),
        (ASKING, 10_000, [(0, 0)], "asking for about 10,000 live pages", "asking for about 10,000 live pages"),
        (
            ASKING,
            10_000,
            [(2, 2_000)],
            "asking for 2,000 of about 10,000 live pages · 1,000 a second · about 8 s left",
            "2,000 of about 10,000 live pages read, 1,000 a second, about 8 s left",
        ),
        (
            ASKING,
            1_000,
            [(0, 1_200), (1, 1_200)],
            "asking for the live pages: 1,200 so far · 1,200 a second",
            "1,200 live pages read so far, 1,200 a second",
        ),
        (
            COMPARING,
            1_000_000,
            [(10, 1_000)],
            "comparing 1,000 of 1,000,000 pages · 100 a second · about 3 h left",
            "1,000 of 1,000,000 pages compared, 100 a second, about 3 h left",
        ),
        (
            SAVING,
            50,
            [(20, 1)],
            "saving 1 of 50 files · 3.0 a minute · about 16 min left",
            "1 of 50 files saved, 3.0 a minute, about 16 min left",
        ),
    ],
)
def test_it_is_said_in_plain_words(
    work: Work, total: int | None, events: list[tuple[float, int]], line: str, sentence: str
) -> None:
    assert after(work, total, *events) == (line, sentence)


def test_a_wait_counts_down_in_place_of_the_pace_and_is_no_part_of_it() -> None:
    made = Progress(WRITING, 300, now=0.0)
    for second in range(11):
        made.reach(WRITING, second * 10)
        made.look(float(second))
    made.wait(LIMIT, 2.4, now=10.0)
    made.wait(LOST_ANSWER, 12.0, now=10.0)
    made.wait(AGAIN, 3.0, now=10.0)
    assert made.line(10.0) == "writing 100 of 300 pages · a lost answer: looking again in 12 s"
    for second in range(11, 22):
        made.look(float(second))
    assert made.line(21.5) == "writing 100 of 300 pages · a lost answer: looking again in 1 s"
    made.look(22.5)
    assert made.line(22.5) == "writing 100 of 300 pages"
    made.reach(WRITING, 120)
    made.look(23.0)
    assert made.line(23.0) == "writing 120 of 300 pages · 10.0 a second · about 18 s left"


def test_a_wait_of_less_than_a_second_is_none() -> None:
    made = Progress(WRITING, 300, now=0.0)
    made.wait(AGAIN, 0.9, now=0.0)
    assert made.line(0.1) == "writing 300 pages"


def test_a_list_that_is_read_again_meanwhile_is_a_sign_of_life_and_no_page_written() -> None:
    made = Progress(WRITING, 300, now=0.0)
    for second in range(9):
        made.reach(ASKING, 200 * second)
        made.look(float(second))
    assert made.line(8.0) == "writing 300 pages"


seconds = st.one_of(st.floats(0, 60), st.sampled_from([0.0, 0.1, 1.0, 1e9]))
counts = st.integers(0, 2_000)
events = st.one_of(
    st.tuples(st.just("reach"), st.sampled_from(WORKS), counts),
    st.tuples(st.just("wait"), st.sampled_from(WAITS), seconds),
    st.tuples(st.just("look"), seconds, st.none()),
)


@given(st.sampled_from(WORKS), st.one_of(st.none(), counts), st.lists(events, max_size=20))
@example(WRITING, 300, [("reach", WRITING, 500)])
@example(WRITING, 300, [("reach", WRITING, 200), ("reach", WRITING, 100)])
@example(WRITING, 0, [("look", 1.0, None)])
@example(READING, 300, [("reach", READING, 1), ("look", 1e9, None)])
def test_no_number_is_ever_senseless(work: Work, total: int | None, happened: list[tuple[str, Any, Any]]) -> None:
    now, most = 1000.0, 0
    made = Progress(work, total, now=now)
    for what, first, second in happened:
        if what == "reach":
            made.reach(first, second)
            most = max(most, second if first is work else 0)
        elif what == "wait":
            made.wait(first, second, now=now)
        else:
            now += first
            made.look(now)
        for text in (made.line(now), made.sentence(now)):
            assert text.isprintable()
            assert not re.search(r"nan|inf|-\d|\b0 of|of 0|\b0 s|\b0\.0 |None|^[:#]", text), text
            if found := re.search(r"([\d,]+) of (?:about )?([\d,]+) ", text):
                done, of = (int(number.replace(",", "")) for number in found.groups())
                assert 0 < done <= of == total
                assert done == min(most, of)


def lines_of(screen: pyte.Screen) -> list[str]:
    lines = [line.rstrip() for line in screen.display]
    while lines and not lines[-1]:
        lines.pop()
    return lines


class Player:
    """An independent terminal."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self.screen)

    def play(self, text: str) -> None:
        """Show a text; the kernel makes two characters of a line's end."""
        self._stream.feed(text.replace("\n", "\r\n"))


def played(text: str, *, columns: int) -> pyte.Screen:
    player = Player(columns, 120)
    player.play(text)
    return player.screen


def status_line(clock: Clock, written: list[str], columns: int | None) -> StatusLine:
    """Give one that draws when it is told to look, and not by itself."""
    width = None if columns is None else lambda: columns
    return StatusLine(written.append, columns=width, clock=clock, ticks=lambda _over, _seconds: True)


@given(
    st.one_of(st.integers(1, 25), st.integers(26, 90)),
    st.lists(
        st.one_of(
            st.tuples(st.just("pass"), st.floats(0.0, 40.0)),
            st.tuples(st.just("reach"), st.integers(0, 500)),
            st.tuples(st.just("begin"), st.sampled_from(WORKS)),
            st.tuples(st.just("wait"), st.sampled_from(WAITS)),
            st.tuples(
                st.just("print"), st.sampled_from(["one\n", "a line\nand another\n", "x" * 30 + "\n", "asked? "])
            ),
            st.tuples(st.just("end"), st.none()),
        ),
        max_size=25,
    ),
    st.booleans(),
)
@example(80, [("print", "asked? "), ("pass", 1.0), ("print", "one\n")], True)
@example(80, [("pass", 10.0), ("reach", 30), ("pass", 1.0), ("begin", READING), ("pass", 1.0)], True)
def test_whatever_happens_the_line_stays_one_line_and_leaves_nothing_behind(
    columns: int, happened: list[tuple[str, Any]], back: bool
) -> None:
    clock, written = Clock(), list[str]()
    line, printed, work = status_line(clock, written, columns), "", WRITING
    whole, bare = Player(columns, 24), Player(columns, 24)
    now, before = whole.screen, bare.screen
    with line.watching() as watch:
        watch.begin(work, 300)
        clock.now += 2
        line.look()
        played_so_far = 0
        for what, value in happened:
            if what == "pass":
                clock.now += value
                line.look()
            elif what == "reach":
                watch.reach(work, value)
            elif what == "begin":
                work = value
                watch.begin(work, 300)
            elif what == "wait":
                watch.wait(value, 20.0)
            elif what == "end":
                watch.end()
            else:
                with line.set_aside(unfinished=not value.endswith("\n"), back=back):
                    written.append(value)
                printed += value
                bare.play(value)
            news, played_so_far = written[played_so_far:], len(written)
            assert all(len(each.strip("\r")) < columns for each in news if each.startswith("\r"))
            whole.play("".join(news))
            assert now.cursor.y == before.cursor.y
            row, shown, wanted = before.cursor.y, now.display, before.display
            assert shown[:row] == wanted[:row]
            free = not printed or printed.endswith("\n")
            mine = written[-1].strip("\r ") if free and written[-1:] and written[-1].startswith("\r") else ""
            assert shown[row].rstrip() in {wanted[row].rstrip(), mine}
    whole.play("".join(written[played_so_far:]))
    assert lines_of(now) == lines_of(before)


def test_an_inner_block_does_not_end_the_outer_one() -> None:
    clock, written = Clock(), list[str]()
    line = status_line(clock, written, 80)
    with line.watching() as watch:
        with line.watching():
            watch.begin(WRITING, 300)
        clock.now += 2
        line.look()
        assert written == ["\rwriting 300 pages"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_signal_in_the_middle_of_a_line_says_its_word_on_a_line_of_its_own(
    monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr(statusline, "PATIENCE", 0.05)
    clock, written, signals = Clock(), list[str](), ["ending: …\n"]

    def interrupted(text: str) -> None:
        if when == "after":
            written.append(text)
        if signals:
            word = signals.pop()
            with line.set_aside(unfinished=False, back=True):
                written.append(word)
        if when == "before":
            written.append(text)

    line = StatusLine(interrupted, columns=lambda: 80, clock=clock, ticks=lambda _over, _seconds: True)
    with line.watching() as watch:
        watch.begin(WRITING, 300)
        clock.now += 2
        line.look()
        assert lines_of(played("".join(written), columns=80)) == ["ending: …", "writing 300 pages"]


def test_what_is_over_in_a_second_shows_nothing_and_what_goes_on_is_put_back_under_each_line() -> None:
    clock, written = Clock(), list[str]()
    line = status_line(clock, written, 80)
    with line.watching() as watch:
        watch.begin(WRITING, 300)
        for _ in range(9):
            clock.now += 0.1
            line.look()
        assert written == []
        clock.now += 0.2
        watch.reach(WRITING, 11)
        line.look()
        with line.set_aside(unfinished=False, back=True):
            written.append("applied  pages/a.yaml\n")
        assert lines_of(played("".join(written), columns=80)) == [
            "applied  pages/a.yaml",
            "writing 11 of 300 pages · 10.0 a second · about 29 s left",
        ]
        assert "\x1b" not in "".join(written)


def test_a_screen_that_stands_still_keeps_neither_the_work_nor_what_goes_into_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(statusline, "PATIENCE", 0.05)
    drawing, goes_on = threading.Event(), threading.Event()

    class Stopped(Screen):
        def write(self, text: str) -> int:
            drawing.set()
            goes_on.wait(5)
            return super().write(text)

    clock, saved = Clock(), tmp_path / "plan.txt"
    monkeypatch.setattr(sys, "stderr", Stopped())
    terminal = Terminal(environment={}, clock=clock)
    with saved.open("w") as stream, terminal.watching() as watch:
        monkeypatch.setattr(sys, "stdout", stream)
        watch.begin(WRITING, 300)
        clock.now += 2
        assert isinstance(watch, StatusLine)
        thread = threading.Thread(target=watch.look)
        thread.start()
        assert drawing.wait(60)
        watch.begin(WRITING, 200)
        watch.wait(LIMIT, 5.0)
        terminal.result("the plan\n")
        assert saved.read_text() == "the plan\n"
    assert thread.is_alive()
    goes_on.set()
    thread.join(60)


def test_a_log_gets_a_sentence_after_ten_seconds_and_then_each_half_minute_across_all_work() -> None:
    clock, written = Clock(), list[str]()
    line = status_line(clock, written, None)
    said: dict[int, str] = {}
    for begun_at, work in ((0, READING), (50, WRITING)):
        with line.watching() as watch:
            clock.now = 1000.0 + begun_at
            watch.begin(work, 1000)
            for second in range(begun_at, begun_at + 50):
                clock.now = 1000.0 + second
                watch.reach(work, (second - begun_at) * 8)
                line.look()
                said |= {second: written.pop()} if written else {}
    assert said == {
        10: "… 80 of 1,000 files read, 8.0 a second, about 2 min left\n",
        40: "… 320 of 1,000 files read, 8.0 a second, about 85 s left\n",
        70: "… 160 of 1,000 pages done, 8.0 a second, about 2 min left\n",
    }


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "progress"]


@pytest.mark.parametrize(("work", "total"), [(READING, 50), (READING, None), (WRITING, 5)])
def test_a_thread_is_there_only_while_work_may_be_long(work: Work, total: int | None) -> None:
    terminal = Terminal(environment={})
    with terminal.watching() as watch:
        watch.begin(READING, 49)
        assert threads() == []
        watch.begin(work, total)
        assert threads() == ["progress"]
        watch.begin(COMPARING, 5_000)
        assert threads() == ["progress"]
    with terminal.watching():
        pass
    for thread in threading.enumerate():
        if thread.name == "progress":
            thread.join(5)
    assert threads() == []


def test_what_is_counted_begins_with_the_first_thing_so_that_a_fork_may_come_before_it() -> None:
    heard = Heard()
    things = heard.counted(READING, range(100))
    assert (len(things), list(things[90:92]), heard.begun) == (100, [90, 91], [])
    assert tuple(things) == tuple(things) == tuple(range(100))
    assert heard.begun == [(READING.doing, 100)]


def test_where_no_thread_can_be_had_the_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with Terminal(environment={}).watching() as watch:
        assert list(watch.counted(READING, range(100))) == list(range(100))


class Screen(StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def draws(terminal: Terminal) -> str:
    """Give what two seconds of work leave on a screen, before it is wiped."""
    clock = Clock()
    terminal.clock = clock
    with terminal.watching() as watch:
        watch.begin(WRITING, 300)
        clock.now += 2
        if isinstance(watch, StatusLine):
            watch.look()
        assert isinstance(sys.stderr, Screen)
        return sys.stderr.getvalue()


@pytest.mark.parametrize(
    ("environment", "told", "drawn"),
    [
        ({}, {}, True),
        ({"CI": "false", "TERM": "xterm", "NO_COLOR": ""}, {}, True),
        ({"CI": "0"}, {}, True),
        ({"NO_COLOR": "1"}, {"colour_choice": "always"}, True),
        ({"NO_COLOR": "1"}, {}, False),
        ({"TERM": "dumb"}, {}, False),
        ({"CI": "true"}, {}, False),
        ({}, {"colour_choice": "never"}, False),
        ({}, {"quietness": 1}, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, {}, False),
    ],
)
def test_a_line_is_rewritten_only_where_that_works_and_is_wanted(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], told: dict[str, Any], drawn: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", Screen())
    assert draws(Terminal(environment=environment, **told)) == ("\rwriting 300 pages" if drawn else "")


def test_a_terminal_that_does_not_know_its_width_has_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    controller, streams = pty.openpty()
    assert os.get_terminal_size(streams).columns == 0
    clock = Clock()
    with os.fdopen(streams, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        with Terminal(environment={}, clock=clock).watching() as watch:
            watch.begin(WRITING, 300)
            clock.now += 2
            assert isinstance(watch, StatusLine)
            watch.look()
            assert os.read(controller, 65536) == b"\rwriting 300 pages"
    os.close(controller)


def test_the_line_waits_for_what_a_pipe_may_bring_to_the_same_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, clock = Screen(), Clock()
    monkeypatch.setattr(sys, "stderr", screen)
    reader, writer = os.pipe()
    terminal = Terminal(environment={}, clock=clock)
    with os.fdopen(writer, "w") as stream, terminal.watching() as watch:
        monkeypatch.setattr(sys, "stdout", stream)
        watch.begin(WRITING, 300)
        clock.now += 2
        assert isinstance(watch, StatusLine)
        watch.look()
        terminal.result("applied  pages/a.yaml\n")
        assert lines_of(played(screen.getvalue(), columns=80)) == []
        screen.write(os.read(reader, 65536).decode())
        watch.look()
        assert lines_of(played(screen.getvalue(), columns=80)) == ["applied  pages/a.yaml", "writing 300 pages"]
    os.close(reader)


def test_quiet_means_that_nothing_is_counted_and_no_stream_means_nothing_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Terminal(quietness=1).watch is UNWATCHED
    monkeypatch.setattr(sys, "stderr", None)
    with Terminal(environment={}).watching() as watch:
        watch.begin(WRITING, 300)


def test_a_standard_error_that_nobody_reads_does_not_end_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    clock = Clock()
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        terminal = Terminal(environment={}, clock=clock)
        with terminal.watching() as watch:
            watch.begin(WRITING, 300)
            clock.now += 60
            assert isinstance(watch, StatusLine)
            watch.look()
            watch.look()
            terminal.say("more")


def test_threads_that_print_at_the_same_time_do_not_mix_with_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "stdout", screen)
    clock = Clock()
    terminal = Terminal(environment={}, clock=clock)
    with terminal.watching() as watch:
        watch.begin(WRITING, 300)
        clock.now += 5
        assert isinstance(watch, StatusLine)

        def look() -> None:
            for _ in range(200):
                watch.look()

        def write(name: str) -> None:
            for number in range(40):
                watch.reach(WRITING, number)
                terminal.result(f"{name}{number}\n")

        workers = [threading.Thread(target=look), *(threading.Thread(target=write, args=(name,)) for name in "ab")]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    told = sorted(f"{name}{number}" for name in "ab" for number in range(40))
    assert sorted(lines_of(played(screen.getvalue(), columns=80))) == told


def test_files_are_counted_every_now_and_then_as_they_are_read(folder: Path) -> None:
    (folder / "pages").mkdir()
    for number in range(40):
        (folder / "pages" / f"p{number}.yaml").write_text(f"id: bio_{number}\n")
    (folder / "rules.json").write_text("{}")
    (folder / "bio-sync.yaml").write_text("schema: rules.json\n")
    heard = Heard()
    read = workflow.read_files((), read_config(None), at=datetime.now(UTC), watch=heard)
    assert len(read.desired) == 40
    assert heard.begun == [(READING.doing, 40), (RULES.doing, 40)]
    assert sorted(set(heard.reached)) == [(READING.doing, done) for done in (0, 16, 32, 40)]


def client(sandbox: Sandbox, heard: Heard) -> Api:
    return Api(sandbox.url, ApiKey(sandbox.key), sleep=lambda _: None, watch=heard)


def test_the_client_tells_of_each_part_of_the_list_and_of_each_wait(start_sandbox: Start) -> None:
    sandbox = start_sandbox([{"id": f"bio_{number}", "title": "T"} for number in range(201)])
    sandbox.fail(Fault(status=429, code="BURST_LIMIT_EXCEEDED", headers={"Retry-After": "7"}))
    sandbox.fail(Fault(status=503, skip=1))
    heard = Heard()
    with client(sandbox, heard) as api:
        assert len(api.list_pages()) == 201
    assert [done for _, done in heard.reached] == [200, 201]
    assert [why for why, _ in heard.waits] == [LIMIT, AGAIN]
    assert 7 <= heard.waits[0][1] < 7.5


def test_a_run_tells_what_it_does_and_that_it_waits_for_a_lost_answer(
    start_sandbox: Start, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "pages").mkdir()
    for number in range(3):
        (folder / "pages" / f"p{number}.yaml").write_text(f"id: bio_{number}\ntitle: New\n")
    sandbox = start_sandbox([{"id": f"bio_{number}", "title": "Old"} for number in range(3)])
    sandbox.fail(Fault(wire="reset", method="PATCH"))
    heard = Heard()
    monkeypatch.setattr(Terminal, "watching", lambda _: nullcontext(heard))
    told: list[str] = []
    heard.at_the_end = lambda: told.append(capfd.readouterr().out)
    session = Session(sleep=lambda _: None)
    assert cli.run(["apply", "--yes", "--force"], session) == 0
    result = capfd.readouterr()
    assert "applied    pages/p2.yaml" in told[0]
    assert result.out.startswith("Pages: 3 applied.")
    doing = [work for work, _ in heard.begun]
    assert doing[0] == READING.doing
    assert doing.index(ASKING.doing) < doing.index(COMPARING.doing) < doing.index(WRITING.doing)
    assert heard.begun[-1] == (WRITING.doing, 3)
    assert [done for work, done in heard.reached if work == WRITING.doing] == [1, 2, 3]
    assert heard.waits == [(LOST_ANSWER, 15.0)]
    assert "writing" not in result.err


def test_a_create_tells_what_it_does_and_that_it_waits_for_a_lost_answer(
    sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        (folder / f"p{number}.yaml").write_text(f"title: New {number}\n")
    (folder / "rules.json").write_text("{}")
    (folder / "bio-sync.yaml").write_text("pages: ['*.yaml']\nschema: rules.json\n")
    sandbox.fail(Fault(wire="reset", method="POST", skip=1))
    heard, told = Heard(), list[str]()
    heard.at_the_end = lambda: told.append(capfd.readouterr().out)
    monkeypatch.setattr(Terminal, "watching", lambda _: nullcontext(heard))
    assert cli.run(["create", "p0.yaml", "p1.yaml", "p2.yaml"], Session(sleep=lambda _: None)) == 0
    assert heard.begun == [
        (READING.doing, 3),
        (RULES.doing, 3),
        (READING.doing, 3),
        (ASKING.doing, None),
        (CREATING.doing, 3),
    ]
    assert [done for work, done in heard.reached if work == CREATING.doing] == [1, 2, 3]
    assert heard.waits == [(LOST_ANSWER, 15.0)]
    assert "created    p2.yaml" in told[0]
    assert capfd.readouterr().out.startswith("Pages: 3 created.")


class OnATerminal:
    """A run whose three streams are a terminal of 24 by 80, as pyte shows it; a test that fails leaves none behind."""

    def __init__(self, *arguments: str) -> None:
        self._controller, streams = pty.openpty()
        fcntl.ioctl(streams, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = {name: value for name, value in os.environ.items() if name != "CI"} | {"TERM": "xterm"}
        self._run = subprocess.Popen(
            [*COMMAND, *arguments], stdin=streams, stdout=streams, stderr=streams, env=environment
        )
        os.close(streams)
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)
        self._pieces: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._controller)
        self._run.kill()
        self._run.wait()

    def until(self, shown: Callable[[list[str]], bool]) -> list[str]:
        """Read until the screen shows something, and give its lines; raises OSError when the run ends before.

        Line by line: what is shown for a moment only may come in one read with what takes its place.
        """
        end = time.monotonic() + 60
        while not shown(lines_of(self.screen)):
            assert time.monotonic() < end, lines_of(self.screen)
            self._pieces = self._pieces or os.read(self._controller, 65536).splitlines(keepends=True)
            self._stream.feed(self._pieces.pop(0))
        return lines_of(self.screen)

    def _read_on(self) -> None:
        self._stream.feed(b"".join(self._pieces))
        while True:
            self._stream.feed(os.read(self._controller, 65536))

    def interrupt(self) -> None:
        self._run.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, list[str]]:
        """Give the exit code and the last screen."""
        with pytest.raises(OSError, match="Errno 5"):
            self._read_on()
        return self._run.wait(60), lines_of(self.screen)


def many(folder: Path, start_sandbox: Start, count: int) -> Sandbox:
    (folder / "pages").mkdir()
    for number in range(count):
        (folder / "pages" / f"p{number:03}.yaml").write_text(f"id: bio_{number:03}\ntitle: New\n")
    return start_sandbox([{"id": f"bio_{number:03}", "title": "Old"} for number in range(count)], burst_limit=20)


def is_writing(lines: list[str]) -> bool:
    return bool(lines) and re.fullmatch(r"writing \d+ of \d+ pages · .* left", lines[-1]) is not None


def test_on_a_real_terminal_the_line_moves_under_the_outcomes_and_is_gone_at_the_end(
    folder: Path, start_sandbox: Start
) -> None:
    many(folder, start_sandbox, 24)
    with OnATerminal("apply", "--yes", "--force") as running:
        shown = running.until(lambda lines: is_writing(lines) and len(lines) > 1)
        assert re.fullmatch(r"applied    pages/p0\d\d\.yaml  update", shown[-2])
        code, lines = running.end()
    assert code == 0
    assert [line for line in lines if line.startswith("applied")] == lines[:-2]
    assert lines[:-2][-1] == "applied    pages/p023.yaml  update"
    assert lines[-2] == "Pages: 24 applied. API: 25 calls used, 999,975 left this month."
    assert lines[-1].startswith("to take it back: bio-sync undo ")


def test_on_a_real_terminal_ctrl_c_leaves_whole_lines(
    folder: Path, start_sandbox: Start, held: threading.Event
) -> None:
    # With nothing under way at that moment, there is nothing to say but what was written.
    many(folder, start_sandbox, 100).fail(Fault(status=None, delay=HELD, method="PATCH", skip=5, times=None))
    with OnATerminal("apply", "--yes", "--force", "--format", "json") as running:
        running.until(is_writing)
        running.interrupt()
        lines = running.until(lambda lines: any(line.startswith("ending: ") for line in lines))
        assert not is_writing(lines)
        held.set()
        code, lines = running.end()
    assert code == 130
    assert not any("writing" in line for line in lines)


def test_a_short_run_through_a_pipe_says_nothing_of_it(run: Run, folder: Path, start_sandbox: Start) -> None:
    many(folder, start_sandbox, 2)
    result = run("apply", "--yes", "--force")
    assert result.code == 0
    assert "\r" not in result.out + result.err
    assert "…" not in result.err
