"""Work in two processes, tried in a process of its own: a test's has threads, which a fork would not take over."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from benchmarks.workspaces import make
from bio_sync.twoprocesses import LEAST_THINGS
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="there is one processor, or no fork to trust"
)
MANY = LEAST_THINGS


def told(body: str) -> Any:
    """Run a few lines with `in_two_processes` at hand, and give what they leave in `told`."""
    code = f"""
import json, os, signal, sys, threading, time
from bio_sync.twoprocesses import in_two_processes
told = None
{textwrap.dedent(body)}
try:
    os.waitpid(-1, os.WNOHANG)
    sys.exit("a process is left")
except ChildProcessError:
    print(json.dumps(told))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_all_results_come_in_order_and_some_of_another_process() -> None:
    results, here, meanwhile = told(f"""
        done = []
        with in_two_processes(lambda n: (n, os.getpid()), range({MANY}), meanwhile=lambda: done.append(1)) as results:
            told = list(results), os.getpid(), done
    """)
    assert [number for number, _ in results] == list(range(MANY))
    assert len({process for _, process in results}) == 2
    assert [process == here for _, process in results] == [True] * (MANY // 2) + [False] * (MANY // 2)
    assert meanwhile == [1]


def test_what_there_is_to_do_besides_is_counted_as_work_of_this_one() -> None:
    processes = told(f"""
        with in_two_processes(lambda n: os.getpid(), range({MANY}), meanwhile=int, worth={MANY - 20}) as results:
            told = [process == os.getpid() for process in results]
    """)
    assert processes == [True] * 10 + [False] * (MANY - 10)


@pytest.mark.parametrize(
    ("number", "before"),
    [
        (MANY - 1, ""),
        (MANY, "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"),
        (MANY, "__import__('_thread').start_new_thread(time.sleep, (60,))"),
        (MANY, "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"),
        (MANY, "signal.signal(signal.SIGCHLD, signal.SIG_IGN)"),
        (MANY, "signal.signal(signal.SIGCHLD, lambda *_: os.waitpid(-1, os.WNOHANG))"),
        (MANY, "def none(): raise BlockingIOError\n        os.fork = none"),
        (MANY, "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))"),
    ],
    ids=[
        "few things",
        "a thread besides",
        "a thread that nobody counts",
        "one processor",
        "children unheard of",
        "children that somebody else hears of",
        "no fork",
        "no pipe",
    ],
)
def test_one_process_does_it_alone_where_two_are_not_quicker_or_not_safe(number: int, before: str) -> None:
    assert told(f"""
        {before}
        here, done = os.getpid(), []
        besides = lambda: done.append(1)
        with in_two_processes(lambda n: os.getpid() == here, range({number}), meanwhile=besides) as results:
            told = all(results) and done == [1]
    """)


@pytest.mark.parametrize(
    "end",
    ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(0)", "sys.exit(0)", "raise MemoryError", "return lambda: n"],
)
def test_what_the_other_process_does_not_give_this_one_does(end: str) -> None:
    assert told(f"""
        here = os.getpid()
        def work(n):
            if os.getpid() != here and n > {MANY - 10}:
                {end}
            return n
        with in_two_processes(work, range({MANY})) as results:
            told = list(results) == list(range({MANY}))
    """)


def test_a_failure_comes_out_as_it_would_of_one_process_at_its_place() -> None:
    assert told(f"""
        def work(n):
            if n == {MANY - 3}:
                raise KeyError(n)
            return n
        seen = []
        with in_two_processes(work, range({MANY})) as results:
            try:
                seen.extend(results)
            except KeyError as error:
                told = seen == list(range({MANY - 3})) and error.args == ({MANY - 3},)
    """)


@pytest.mark.parametrize("left_by", ["break", "raise KeyboardInterrupt"])
def test_the_other_process_ends_with_the_block_however_that_is_left(left_by: str) -> None:
    assert told(f"""
        began = time.monotonic()
        def work(n):
            if os.getpid() != here:
                time.sleep(60)
            return n
        here = os.getpid()
        try:
            with in_two_processes(work, range({MANY})) as results:
                for result in results:
                    {left_by}
        except KeyboardInterrupt:
            pass
        told = time.monotonic() - began < 30
    """)


def test_a_signal_right_after_the_fork_leaves_no_process_to_itself() -> None:
    assert told(f"""
        fork = os.fork
        def interrupted():
            child = fork()
            if child:
                os.kill(os.getpid(), signal.SIGINT)
            return child
        os.fork = interrupted
        try:
            with in_two_processes(lambda n: n, range({MANY})) as results:
                list(results)
        except KeyboardInterrupt:
            told = True
    """)


def test_when_this_process_is_killed_the_other_one_ends_and_nobody_waits_for_its_words() -> None:
    waiting, go_on = os.pipe()
    code = f"""
import os, signal
from bio_sync.twoprocesses import in_two_processes
here = os.getpid()
def work(n):
    if os.getpid() == here and n:
        os.kill(here, signal.SIGKILL)
    if os.getpid() != here:
        os.read({waiting}, 1)
    return "more than a pipe holds " * 1000
with in_two_processes(work, range({MANY})) as results:
    list(results)
"""
    reading, writing = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=[writing, waiting]
    ) as process:
        os.close(writing)
        os.close(waiting)
        # While the other process is at work still.
        assert process.communicate(timeout=30)[0] == b""
        os.write(go_on, b"1")
        os.close(go_on)
        # The other process alone has it now, and it is closed when that is gone.
        assert os.read(reading, 1) == b""
    os.close(reading)


def test_ctrl_c_in_a_terminal_ends_the_other_process_without_a_word() -> None:
    assert told(f"""
        os.setpgrp()
        def work(n):
            time.sleep(0.01)
            return n
        try:
            with in_two_processes(work, range({MANY})) as results:
                os.killpg(0, signal.SIGINT)
                list(results)
        except KeyboardInterrupt:
            told = True
    """)


def test_a_thousand_files_have_the_same_problems_in_the_same_order_whoever_reads_them(tmp_path: Path) -> None:
    folder = make(tmp_path / "here", pages=MANY + 20, percent=0).folder
    files = sorted((folder / "pages").iterdir())
    for number, wrong in ((3, "title: 7\n"), (MANY - 5, "theme: x\n"), (MANY + 7, "b: [\n"), (MANY + 9, "")):
        files[number].write_text(files[number].read_text() + wrong if wrong else files[3].read_text())
    files[MANY + 11].write_text(files[5].read_text())
    code = "from bio_sync import twoprocesses; twoprocesses.LEAST_THINGS = {}; from bio_sync.cli import main; main()"
    said = [
        subprocess.run(
            [sys.executable, "-c", code.format(least), "validate"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        for least in (1, 10**9)
    ]
    assert said[0].stdout == said[1].stdout
    assert said[0].stderr == said[1].stderr
    assert [each.returncode for each in said] == [1, 1]
    assert said[0].stdout.count("  hint: ") >= 5
