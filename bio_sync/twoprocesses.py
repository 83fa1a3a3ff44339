"""Work on many things in two processes, where one would keep everybody waiting and the machine has room for two.

The other process is a fork: it begins with all that is loaded, gives its results through a pipe, and is ended with the
block whatever happens; should this one be killed, it ends at its first word. What it does not give, this one does.
"""

import gc
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Any, BinaryIO, NoReturn, TypeVar

Thing = TypeVar("Thing")
Result = TypeVar("Result")

_ENDING = (signal.SIGINT, signal.SIGTERM)
# With fewer, the other process takes longer to begin and to tell its results than it saves.
LEAST_THINGS = 300
# So many results are told at once: what is common to them, such as the keys of pages, is told once a part.
PART = 100


@contextmanager
def in_two_processes(
    function: Callable[[Thing], Result],
    things: Sequence[Thing],
    *,
    meanwhile: Callable[[], object] | None = None,
    worth: int = 0,
) -> Iterator[Iterator[Result]]:
    """Give the results of `function`, in the order of the things, about half of them from another process.

    Results have to be picklable. `meanwhile` is what this process has to do besides, `worth` how many things would be
    done in that time: it does so many fewer.
    """
    meanwhile, worth = (meanwhile, worth) if meanwhile else (_nothing, 0)
    if not _pays(len(things)):
        meanwhile()
        yield map(function, things)
        return
    # What the function sets up for itself, both have when it has been called once.
    first = function(things[0])
    split = max(1, (len(things) - worth) // 2)
    child = reading = None
    # A signal between the fork and the `try` would leave the other process to itself.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        # No room for another process, or none allowed: then this one does it all.
        with suppress(OSError):
            child, reading = _begin(function, things[split:], before)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        meanwhile()
        yield chain([first], map(function, things[1:split]), _rest(function, things[split:], reading))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if child and reading is not None:
            os.close(reading)
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _begin(
    function: Callable[[Thing], Result], things: Sequence[Thing], signals: set[signal.Signals | int]
) -> tuple[int, int]:
    """Fork, and give the other process and the descriptor of its results; raises OSError."""
    reading, writing = os.pipe()
    try:
        child = os.fork()
        if not child:
            # While this end were open here, too, nobody would be told that the first process is gone.
            os.close(reading)
            _be_the_other(function, things, writing, signals)
    except OSError:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return child, reading


def _nothing() -> None:
    """Have nothing else to do."""


def _pays(number: int) -> bool:
    """Tell whether a second process is quicker, and safe: a fork takes over no thread, and macOS does not bear it."""
    return number >= LEAST_THINGS and sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1 and _can_fork()


def _can_fork() -> bool:
    """Tell whether this process has one thread, those unknown to `threading` counted, and hears of its children."""
    if signal.getsignal(signal.SIGCHLD) is not signal.SIG_DFL:
        # Ignored, the system forgets a child as soon as it ends, and its number may be another's; a handler of somebody
        # else's may take the news of its end away.
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - names of no files
    except OSError:
        return False


def _rest(function: Callable[[Thing], Result], things: Sequence[Thing], reading: int | None) -> Iterator[Result]:
    """Give what the other process has found, and find here what it does not give."""
    given = 0
    if reading is not None:
        with os.fdopen(reading, "rb", closefd=False) as stream:
            while given < len(things) and (part := _next_part(stream)):
                yield from part
                given += len(part)
    yield from map(function, things[given:])


def _next_part(stream: BinaryIO) -> Sequence[Any]:
    try:
        # Only the process that was forked above can have written it.
        part: Sequence[Any] = pickle.load(stream)  # noqa: S301
    except (EOFError, pickle.UnpicklingError):
        return ()
    return part


def _be_the_other(
    function: Callable[[Thing], Result], things: Sequence[Thing], writing: int, signals: set[signal.Signals | int]
) -> NoReturn:
    """Work, tell the results, and leave without a word: what is open and unwritten belongs to the first process."""
    code = 1
    try:
        for number in (*_ENDING, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)
        _let_go(writing)
        # A collection would write to all memory, and the system would copy it.
        gc.disable()
        # Told at the end, when the first process listens; until then it takes a third of the memory when pickled.
        parts = [
            pickle.dumps(list(map(function, things[start : start + PART])), protocol=pickle.HIGHEST_PROTOCOL)
            for start in range(0, len(things), PART)
        ]
        with os.fdopen(writing, "wb") as stream:
            stream.writelines(parts)
        code = 0
    finally:
        os._exit(code)


def _let_go(writing: int) -> None:
    """Let go of the standard streams: whoever reads them waits until nobody has them open any more."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in {0, 1, 2} - {writing}:
        os.dup2(nothing, stream)
