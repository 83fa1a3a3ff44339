"""The first Ctrl-C or SIGTERM asks a run to end well, the second one ends it at once."""

import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

from bio_sync.errors import INTERRUPTED, TERMINATED, Terminated

if TYPE_CHECKING:
    from collections.abc import Callable

_EXIT_CODES = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}


class Interruption:
    """Takes the place of Python's own handlers for the length of a block.

    `exit_code` is 0 until somebody asks for the end, which sets `ending` and calls `wake`, from wherever the main
    thread is; who was woken calls `notice`.
    """

    def __init__(self) -> None:
        self.ending = threading.Event()
        self.exit_code = 0
        self.wake: Callable[[], object] = lambda: None
        self.notice: Callable[[], object] = lambda: None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        # Python hands signals to the main thread only, and lets no other one take them.
        if threading.current_thread() is threading.main_thread():
            for number in _EXIT_CODES:
                # What was ignored from the start stays so: a shell's background job is not for Ctrl-C. What is not
                # Python's own (None: a program around it has set it) stays too, since nobody could put it back.
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._signalled)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def ask(self, exit_code: int) -> None:
        """Ask for the end; raises KeyboardInterrupt, or Terminated, if that was done before."""
        if self.exit_code:
            self.exit_code = exit_code
            raise Terminated if exit_code == _EXIT_CODES[signal.SIGTERM] else KeyboardInterrupt
        self.exit_code = exit_code
        self.ending.set()
        self.wake()

    def sleep(self, seconds: float) -> None:
        """Sleep, but not past the moment in which the end is asked for."""
        self.ending.wait(seconds)

    def _signalled(self, number: int, _: FrameType | None) -> None:
        self.ask(_EXIT_CODES[signal.Signals(number)])
