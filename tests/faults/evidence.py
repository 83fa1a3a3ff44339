"""What a judge gets to see of one run: what was wanted, what the service has seen, and what the command has said."""

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bio_sync.sandbox import Fault, RecordedRequest, Revision
from tests.faults import comparison

COUNTERS = ("lost updates", "double writes", "unmanaged touched", "wrong outcomes", "leaked keys")


APPLY = ("apply", "--yes", "--format", "json")


@dataclass(slots=True)
class Said:
    """What a command has said, and its exit code; None when it did not live to give one."""

    code: int | None
    out: str
    err: str


@dataclass(frozen=True)
class Promises:
    """What may become of a run, beside everything being as wanted."""

    may: frozenset[str] = frozenset()
    anywhere: bool = False
    exit_codes: frozenset[int] = frozenset()
    max_age: float = 15.0
    stale: float = 0.0
    merges: bool = False
    normalises: bool = False
    believed: bool = False
    signalled: bool = False
    counts_calls: bool = True
    stops_after: Fault | None = None


@dataclass(frozen=True)
class Evidence:
    """One run. `seen` and `met` are by number of request: the length of the history then, and the fault it met."""

    files: dict[str, dict[str, Any]]
    start: dict[str, dict[str, Any]]
    requests: list[RecordedRequest]
    history: list[Revision]
    seen: dict[int, int]
    met: dict[int, Fault]
    key: str
    first: int
    code: int | None
    out: str
    err: str
    promises: Promises = field(default_factory=Promises)

    @cached_property
    def numbers(self) -> list[int]:
        """The requests of this run."""
        bearer = f"Bearer {self.key}"
        later = range(self.first, len(self.requests))
        return [number for number in later if self.requests[number].headers.get("authorization") == bearer]

    @cached_property
    def own(self) -> list[tuple[int, Revision]]:
        """What this run has written, each with its place in the history."""
        numbers = set(self.numbers)
        return [(place, revision) for place, revision in enumerate(self.history) if revision.request in numbers]

    @cached_property
    def first_place(self) -> int:
        """How long the history was when this run began."""
        return next((self.seen[number] for number in self.numbers if number in self.seen), len(self.history))

    def got(self, number: int) -> bool:
        """Tell whether the client got the answer of this request, and it was the true one."""
        fault, status = self.met.get(number), self.requests[number].status
        if fault is None:
            return status == 200
        return (fault.status is None and fault.wire is None) or (self.promises.believed and status == 200)

    def state(self, page_id: str, place: int) -> comparison.Content | None:
        """Give a page as it was when the history was so long; None for one that is not there."""
        page: dict[str, Any] | None = self.start.get(page_id)
        for revision in self.history[:place]:
            if revision.page_id == page_id:
                page = revision.page
        return None if page is None else comparison.content(page)

    def views(self, page_id: str) -> list[tuple[int, int]]:
        """Give when the client saw a page: number of the request, and how long the history was."""
        found = []
        after = {revision.request: place + 1 for place, revision in self.own}
        for number in self.numbers:
            request = self.requests[number]
            if not self.got(number) or number not in self.seen:
                continue
            if request.method == "GET" and (request.path.endswith(("/bio/pages", page_id))):
                found.append((number, self.seen[number]))
            elif request.method != "GET" and page_id in request.path:
                found.append((number, after.get(number, self.seen[number])))
        return found

    @cached_property
    def report(self) -> dict[str, Any] | None:
        """What the command printed, if it is JSON."""
        try:
            found = json.loads(self.out)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


@dataclass(slots=True)
class Verdict:
    """How often each promise was broken, and what was found; `in_the_gap` are edits that nobody could see."""

    broken: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    in_the_gap: int = 0

    def add(self, counter: str, words: str) -> None:
        """Count a broken promise."""
        self.broken[counter] += 1
        self.found.append(f"{counter}: {words}")

    def join(self, other: "Verdict", where: str = "") -> None:
        """Count what another verdict has found too."""
        self.broken += other.broken
        self.found += [where + words for words in other.found]
        self.in_the_gap += other.in_the_gap
