"""How far long work has come, in words: counts, pace, time left, and what it waits for. Moments come as arguments."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import NamedTuple, TypeVar, overload

from bio_sync.visible import plural

Thing = TypeVar("Thing")

# Whoever counts tells every sixteenth: a call costs 0.1 µs, and the slowest files take 40 ms each.
STRIDE = 16
# The pace is that of the last half a minute, so that it follows a service that gets slower, and does not jump.
MARKS, BETWEEN_MARKS = 30, 1.0
# Seconds; shorter waits only flicker, and an answer that takes longer is worth a word.
LEAST_WAIT, LONG_SILENCE = 1.0, 5.0
# One a minute: what is slower has stood still, or the machine was asleep, and foretells nothing.
LEAST_PACE = 1 / 60


class Work(NamedTuple):
    """What is counted, as a person would say it: `writing 37 of 300 pages`, `37 of 300 pages done`.

    `guessed` says that the total is only likely, `asks` that somebody else has to answer, who may be slow.
    """

    doing: str
    thing: str
    done: str
    guessed: bool = False
    asks: bool = False


READING = Work("reading", "file", "read")
RULES = Work("checking the house rules of", "file", "checked")
ASKING = Work("asking for", "live page", "read", guessed=True, asks=True)
COMPARING = Work("comparing", "page", "compared")
# Not "written": some may have failed, or were as wanted by the time.
WRITING = Work("writing", "page", "done", asks=True)
CREATING = Work("creating", "page", "done", asks=True)
WRITING_UP = Work("writing up", "change", "written up")
SAVING = Work("saving", "file", "saved")

LIMIT = "waiting {} s for the service's limit"
AGAIN = "no good answer: asking again in {} s"
LOST_ANSWER = "a lost answer: looking again in {} s"


class Watch:
    """Hears how far work has come. This one keeps it to itself; `statusline` has the one that tells."""

    def begin(self, work: Work, total: int | None = None) -> None:
        """Hear that work begins, of so many things; None is not known."""

    def reach(self, work: Work, done: int) -> None:
        """Hear that so many things are done; of other work than the one that was begun, it is a sign of life."""

    def wait(self, why: str, seconds: float) -> None:
        """Hear that something waits from now on: `why` is one of the sentences above."""

    def end(self) -> None:
        """Hear that the work is over."""

    def sleeping(self, why: str, sleep: Callable[[float], None]) -> Callable[[float], None]:
        """Give `sleep` as one that tells before it does."""

        def told(seconds: float) -> None:
            self.wait(why, seconds)
            sleep(seconds)

        return told

    def counted(self, work: Work, things: Sequence[Thing]) -> "Sequence[Thing]":
        """Give `things` as a sequence that tells of the work on them: from its begin on, whoever goes through it."""
        return _Counted(things, work, self)


UNWATCHED = Watch()


class _Counted(Sequence[Thing]):
    def __init__(self, things: Sequence[Thing], work: Work, watch: Watch) -> None:
        self._things, self._work, self._watch = things, work, watch
        self._begun = False

    def __len__(self) -> int:
        return len(self._things)

    @overload
    def __getitem__(self, index: int) -> Thing: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Thing]: ...
    def __getitem__(self, index: int | slice) -> Thing | Sequence[Thing]:
        return self._things[index]

    def __iter__(self) -> Iterator[Thing]:
        # Not before: whoever is to fork first has no thread yet. And not again for who only copies them.
        if not self._begun:
            self._begun = True
            self._watch.begin(self._work, len(self._things))
        for number, thing in enumerate(self._things):
            if not number % STRIDE:
                self._watch.reach(self._work, number)
            yield thing
        self._watch.reach(self._work, len(self._things))


class Progress:
    """One piece of work on its way; `now` is the same clock's seconds everywhere."""

    def __init__(self, work: Work, total: int | None, *, now: float) -> None:
        self.begun_at = now
        self._work = work
        self._total = total or None
        self._done = 0
        self._signs = 0
        self._seen = (0, 0)
        self._moved_at = now
        self._marks: deque[tuple[float, int]] = deque([(now, 0)], MARKS)
        self._wait: tuple[float, str] = (now, "")

    def reach(self, work: Work, done: int) -> None:
        """Count; what was counted before stays counted, whoever goes through the same things again."""
        if work is not self._work:
            self._signs += 1
        elif done > self._done:
            self._done = done if self._total is None or self._work.guessed else min(done, self._total)

    def wait(self, why: str, seconds: float, *, now: float) -> None:
        """Remember what is waited for; of several, what ends last."""
        if seconds >= LEAST_WAIT and now + seconds > self._wait[0]:
            self._wait = (now + seconds, why)

    def look(self, now: float) -> None:
        """Take the measure of the pace; a second apart, and whenever the words are wanted."""
        if self._seen != (self._done, self._signs):
            self._seen, self._moved_at = (self._done, self._signs), now
        if self._wait[0] > now:
            # What was waited is no part of the pace: it is told by itself, and says nothing of what is left.
            self._marks.clear()
            self._marks.append((now, self._done))
        elif now - self._marks[-1][0] >= BETWEEN_MARKS:
            self._marks.append((now, self._done))

    def line(self, now: float) -> str:
        """Say it while it happens: `writing 37 of 300 pages · 9.8 a second · about 27 s left`."""
        work, of = self._work, self._of
        things = f"the {work.thing}s" if of is None else self._things(of)
        so_far = f": {self._done:,} so far" if of is None and self._done else ""
        return " · ".join([f"{work.doing} {things}{so_far}", *self._circumstances(now)])

    def sentence(self, now: float) -> str:
        """Say it for a log: `120 of 300 pages done, 9.8 a second, about 18 s left`."""
        work, of = self._work, self._of
        if not self._done:
            told = f"{work.doing} {f'the {work.thing}s' if of is None else self._things(of)}"
        elif of is None:
            told = f"{plural(self._done, work.thing)} {work.done} so far"
        else:
            told = f"{self._things(of)} {work.done}"
        return ", ".join([told, *self._circumstances(now)])

    @property
    def _of(self) -> int | None:
        """The total, until a guess turns out to be too low."""
        return None if self._total is not None and self._done > self._total else self._total

    def _things(self, of: int) -> str:
        things = f"{'about ' if self._work.guessed else ''}{plural(of, self._work.thing)}"
        return f"{self._done:,} of {things}" if self._done else things

    def _circumstances(self, now: float) -> Iterator[str]:
        until, why = self._wait
        if until > now:
            yield why.format(ceil(until - now))
            return
        silence = now - max(self._moved_at, until)
        if self._work.asks and silence >= LONG_SILENCE:
            yield f"no answer for {int(silence):,} s"
            return
        since, before = self._marks[0]
        if now - since < BETWEEN_MARKS or self._done == before:
            return
        pace = (self._done - before) / (now - since)
        if pace < LEAST_PACE:
            return
        yield _pace(pace)
        if (of := self._of) is not None and of > self._done:
            yield _time_left((of - self._done) / pace)


def _pace(a_second: float) -> str:
    if a_second >= 20:
        return f"{round(a_second):,} a second"
    return f"{a_second:.1f} a second" if a_second >= 0.2 else f"{a_second * 60:.1f} a minute"


def _time_left(seconds: float) -> str:
    if seconds < 90:
        return f"about {ceil(seconds)} s left"
    minutes = seconds / 60
    return f"about {round(minutes):,} min left" if minutes < 90 else f"about {round(minutes / 60):,} h left"
