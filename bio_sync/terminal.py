"""What people see and answer: results on standard output, all else on standard error, the key on neither."""

import contextlib
import io
import os
import stat
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TextIO

from bio_sync.errors import NoConsent
from bio_sync.key import ApiKey
from bio_sync.visible import cause_of, visible

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bio_sync.progress import Watch
    from bio_sync.statusline import StatusLine

USUAL_COLUMNS = 80


# As of a session: no value to compare or to print.
@dataclass(slots=True, eq=False, repr=False)
class Terminal:
    """The streams of one run. `quietness` counts `-q` against `-v`; `keys` are cut out of all that leaves.

    `clock` gives the seconds that people wait: it is no other one when a run's own clock is.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    colour_choice: Literal["auto", "always", "never"] | None = None
    quietness: int = 0
    keys: list[ApiKey] = field(default_factory=list)
    result_lost: bool = False
    clock: Callable[[], float] = time.monotonic
    _status: "StatusLine | None" = field(default=None, init=False)

    def hide(self, key: ApiKey | None) -> None:
        """Cut this key, too, out of all that leaves from now on."""
        if key is not None:
            self.keys.append(key)

    def result(self, text: str) -> None:
        """Print a part of the result on standard output."""
        self._write(sys.stdout, text)

    def say(self, text: str) -> None:
        """Print a line for people on standard error, unless they asked for quiet."""
        if self.quietness <= 0:
            self.complain(text)

    def detail(self, text: str) -> None:
        """Print a line for people who asked for more talk (`-v`) on standard error."""
        if self.quietness < 0:
            self.complain(text)

    def complain(self, text: str) -> None:
        """Print a line on standard error, quiet or not."""
        self._write(sys.stderr, text + "\n")

    def colours(self, stream: TextIO | None) -> bool:
        """Tell whether to colour what goes to `stream`: the flag, `NO_COLOR`, `FORCE_COLOR`, a terminal."""
        if self.colour_choice in {"always", "never"}:
            return self.colour_choice == "always"
        # no-color.org and force-color.org: set and not empty.
        if self.environment.get("NO_COLOR"):
            return False
        if self.environment.get("FORCE_COLOR"):
            return True
        return stream is not None and stream.isatty() and self.environment.get("TERM") != "dumb"

    def watching(self) -> "AbstractContextManager[Watch]":
        """Show on standard error how far the work inside the block has come, unless people asked for quiet."""
        status = self._status_line()
        return status.watching() if status else contextlib.nullcontext(self.watch)

    @property
    def watch(self) -> "Watch":
        """Give what hears of work that may be inside such a block."""
        from bio_sync.progress import UNWATCHED  # noqa: PLC0415 - not for `--help`

        return self._status_line() or UNWATCHED

    def _status_line(self) -> "StatusLine | None":
        from bio_sync.statusline import StatusLine  # noqa: PLC0415 - not for `--help`

        if self._status is None and self.quietness <= 0:
            columns = self._columns if self._redraws(sys.stderr) else None
            self._status = StatusLine(self._put_on_stderr, columns=columns, clock=self.clock)
        return self._status

    def _redraws(self, stream: TextIO | None) -> bool:
        """Tell whether a line can be rewritten there: on a terminal, but in no log of a CI system that uses one."""
        if stream is None or stream.closed or self.colour_choice == "never":
            return False
        plain = self.environment.get("NO_COLOR") and self.colour_choice != "always"
        ci = self.environment.get("CI", "").lower() not in {"", "0", "false"}
        return stream.isatty() and self.environment.get("TERM") != "dumb" and not plain and not ci

    @staticmethod
    def _columns() -> int:
        try:
            return os.get_terminal_size(sys.stderr.fileno()).columns or USUAL_COLUMNS
        except (OSError, ValueError):
            return USUAL_COLUMNS

    def can_ask(self) -> bool:
        """Tell whether somebody sits at the keyboard."""
        return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()

    def ask(self, question: str) -> None:
        """Ask for a yes; raises NoConsent on any other answer."""
        self._write(sys.stderr, f"{question} [y/N] ")
        answer = sys.stdin.readline()
        if not answer.endswith("\n"):
            self._write(sys.stderr, "\n")
        if answer.strip().lower() not in {"y", "yes"}:
            raise NoConsent("nothing was written", hint="answer y to apply")

    def save(self, path: str, text: str) -> None:
        """Write a file whole or not at all, without the key; raises NotWritten if it can't be."""
        from bio_sync.wholefile import write_whole  # noqa: PLC0415 - 4 ms that `--help` does not need

        redacted = self._redacted(text)
        if redacted != text:
            self.complain(f"warning: the key stood in what {visible(path)} holds, and is cut out")
        write_whole(path, redacted)

    def _write(self, stream: TextIO | None, text: str) -> None:
        # What goes into a file does not touch the line, nor wait for a screen that stands still (Ctrl-S).
        if self._status is None or not text or _leads_to(stat.S_ISREG, stream):
            self._put(stream, text)
            return
        # What goes through a pipe may come out on the same screen, a moment later: the line waits for that.
        with self._status.set_aside(unfinished=not text.endswith("\n"), back=not _leads_to(stat.S_ISFIFO, stream)):
            self._put(stream, text)

    def _put_on_stderr(self, text: str) -> None:
        self._put(sys.stderr, text)

    def _put(self, stream: TextIO | None, text: str) -> None:
        """Write as long as somebody reads: a run does not end half-way because its words have nowhere to go."""
        if stream is None or stream.closed:
            return
        try:
            stream.write(self._redacted(text))
            stream.flush()
        except OSError as error:
            # What is still buffered must not be tried, and complained about, again when the interpreter exits.
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            if not isinstance(error, BrokenPipeError) and stream is sys.stdout:
                self.result_lost = True
                self.complain(f"error: the result can't be written: {cause_of(error)}")

    def redacts(self, text: str) -> bool:
        """Tell whether something of a key stands in a text, so that it would be cut out."""
        return self._redacted(text) != text

    def _redacted(self, text: str) -> str:
        for key in self.keys:
            text = key.redacted(text)
        return text


def _leads_to(kind: Callable[[int], bool], stream: TextIO | None) -> bool:
    try:
        return stream is not None and kind(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def use_utf8() -> None:
    """Make the standard streams take every character, in any locale, and every text whole."""
    for name in ("stdout", "stderr"):
        stream: object = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper):
            continue
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
        if isinstance(stream.buffer, io.RawIOBase):
            # PYTHONUNBUFFERED: what a signal or a full disk cuts short would lose its end, and nobody would know.
            whole = io.BufferedWriter(stream.detach())
            setattr(sys, name, io.TextIOWrapper(whole, "utf-8", "backslashreplace", line_buffering=True))
