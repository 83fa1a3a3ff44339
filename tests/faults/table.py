"""The 45 faults of the reliability research, by their numbers: what each does to a run, and what may come of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.stage import Stage

Arrange = Callable[[Stage], None]

LOST = ("reset", "close", "truncate", "truncate-chunk", "silent-truncate", "garbage", 500, 502, 503, 504, 408, "<html>")


@dataclass(frozen=True, slots=True)
class Entry:
    """A fault of the table. Without `arrange`, `left_out` says where else it is looked after, or why not."""

    number: int
    words: str
    arrange: Arrange | None = None
    left_out: str = ""


TABLE: dict[int, Entry] = {}


def fault(number: int, words: str) -> Callable[[Arrange], Arrange]:
    """Put an arrangement into the table."""

    def put(arrange: Arrange) -> Arrange:
        assert number not in TABLE
        TABLE[number] = Entry(number, words, arrange)
        return arrange

    return put


def left_out(number: int, words: str, why: str) -> None:
    """Name a fault that can't be met here."""
    assert number not in TABLE
    TABLE[number] = Entry(number, words, left_out=why)


def lost(stage: Stage) -> dict[str, Any]:
    """Draw a way in which the answer to a request gets lost."""
    way = stage.random.choice(LOST)
    if isinstance(way, int):
        return {"status": way}
    if way == "<html>":
        return {"status": 200, "body": "<html>a proxy's own page</html>"}
    return {"wire": way}
