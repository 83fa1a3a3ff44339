"""Long work shows itself: on a terminal one line that is rewritten in place, in a log a sentence now and then.

A line is written with a carriage return and wiped with spaces: every terminal knows these, Windows' old ones too.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from bio_sync.progress import Progress, Watch, Work

# Seconds: what is over sooner shows nothing, and ten times a second is as much as an eye can follow.
FIRST_LINE, NEXT_LINE = 1.0, 0.1
# A log is read afterwards: a run of seconds needs no word, and one of an hour not thousands.
FIRST_SENTENCE, NEXT_SENTENCE = 10.0, 30.0
# Seconds; a line is on a screen in a thousandth of that.
PATIENCE = 1.0
# Of the largest files, fifty take two seconds; with fewer there is nothing to tell, and no thread to pay for (0.1 ms).
MANY = 50


class StatusLine(Watch):
    """Tells how far work has come, from a thread of its own.

    The main thread waits in sockets, sleeps and queues where nothing of ours runs, so that a countdown would freeze;
    and as nobody else draws, to count is all that the work itself has to do. `write` puts a text on the screen or
    into the log; `columns` gives the width of the screen, and is None for a log.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        columns: Callable[[], int] | None,
        clock: Callable[[], float],
        ticks: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        """Prepare to tell; `ticks` waits for an event or so many seconds, and tells whether it was the event."""
        self._write = write
        self._columns = columns
        self._clock = clock
        self._ticks = ticks
        # Taken twice by a thread that a signal finds in the middle of a line.
        self._lock = threading.RLock()
        self._progress: Progress | None = None
        self._over: threading.Event | None = None
        self._tells = False
        self._shown = 0
        self._unfinished = False
        self._stands_still = False
        self._first: float | None = None
        self._said_at: float | None = None

    @contextmanager
    def watching(self) -> Iterator[Watch]:
        """Tell of the work that is begun inside the block, until its end; the outermost of such blocks counts."""
        if self._over is not None:
            yield self
            return
        over = self._over = threading.Event()
        try:
            yield self
        finally:
            over.set()
            self._over, self._tells = None, False
            self.end()

    def begin(self, work: Work, total: int | None = None) -> None:
        """Begin to tell of work, in place of what was told of before."""
        if self._over is None:
            return
        with self._alone():
            now = self._clock()
            self._first = now if self._first is None else self._first
            self._progress = Progress(work, total, now=now)
        if not self._tells and (work.asks or total is None or total >= MANY):
            self._tells = True
            # Where no further thread may be had, the work goes on untold.
            with suppress(RuntimeError):
                threading.Thread(target=self._tell, args=(self._over,), name="progress", daemon=True).start()

    def reach(self, work: Work, done: int) -> None:
        """Count."""
        if progress := self._progress:
            progress.reach(work, done)

    def wait(self, why: str, seconds: float) -> None:
        """Count down."""
        with self._alone():
            if self._progress:
                self._progress.wait(why, seconds, now=self._clock())

    def end(self) -> None:
        """Wipe the line."""
        with self._alone() as alone:
            self._progress = None
            if alone:
                self._wipe()

    @contextmanager
    def set_aside(self, *, unfinished: bool, back: bool) -> Iterator[None]:
        """Make room for other output, and put the line `back` after it unless that leaves a line `unfinished`."""
        with self._lock:
            shown = self._shown
            self._wipe()
            yield
            self._unfinished = unfinished
            if shown and back:
                self._draw()

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Keep the drawing thread out; gives False when that thread waits for a screen that stands still (Ctrl-S).

        The work goes on then, until it has a word for the same screen.
        """
        alone = self._lock.acquire(timeout=0 if self._stands_still else PATIENCE)
        self._stands_still = not alone
        try:
            yield alone
        finally:
            if alone:
                self._lock.release()

    def _tell(self, over: threading.Event) -> None:
        seconds = NEXT_LINE if self._columns else FIRST_LINE
        while not self._ticks(over, seconds):
            with self._lock:
                # The block may have ended while this waited for the lock.
                if not over.is_set():
                    self.look()

    def look(self) -> None:
        """Draw the line anew, or say a sentence, when it is time to."""
        with self._lock:
            if (progress := self._progress) is None:
                return
            now = self._clock()
            progress.look(now)
            if self._columns:
                if self._shown or now - progress.begun_at >= FIRST_LINE:
                    self._draw()
            elif self._is_time_to_say(now):
                self._said_at = now
                self._write(f"… {progress.sentence(now)}\n")

    def _is_time_to_say(self, now: float) -> bool:
        if self._said_at is not None:
            return now - self._said_at >= NEXT_SENTENCE
        return self._first is not None and now - self._first >= FIRST_SENTENCE

    def _draw(self) -> None:
        if self._progress is None or self._columns is None or self._unfinished:
            return
        text, most = self._progress.line(self._clock()), self._columns() - 1
        if len(text) > most:
            # In the last column a terminal would begin the next row.
            text = text[: max(0, most - 1)] + "…" * (most > 0)
        rest, self._shown = max(0, min(self._shown, most) - len(text)), max(self._shown, len(text))
        # Remembered before it is written: a signal may come in between.
        self._write(f"\r{text}{' ' * rest}")
        self._shown = len(text)

    def _wipe(self) -> None:
        if self._shown and self._columns:
            most = max(0, self._columns() - 1)
            self._write(f"\r{' ' * min(self._shown, most)}\r")
        self._shown = 0
