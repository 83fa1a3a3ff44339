"""Faults on demand: what happens to a request instead of an ordinary answer, and which request it is."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from bio_sync.sandbox import fault_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bio_sync.sandbox.wires import Wire


class _Unsaid(int):
    """A status that nobody gave: equal to none, so that a given one is never taken for it."""

    __slots__ = ()


UNSAID: Final = _Unsaid()
MESSAGE: Final = "The service is not available."


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the next matching request under /api/v1 instead of an ordinary answer.

    A request that meets a fault is not carried out, unless the fault leaves its answer alone or says
    otherwise (`after`, `late`). What contradicts itself is a ValueError.

    Attributes:
        status: of the answer; None leaves the answer as it is. When it is not given it is 503, but None
            for a fault that names `wire`, and for one that only edits or delays.
        code: of the error envelope; by default what the status suggests.
        message: of the error envelope.
        headers: added to the answer.
        method: only requests with this method; None is any.
        path: only requests whose path contains this; None is any.
        times: how many requests meet the fault; None is all of them.
        after: carry the request out first, then lose its answer.
        delay: seconds before the answer; with the wires `trickle` and `hints` those between their parts.
        body: the whole body instead of an envelope; text/html unless `headers` say otherwise.
        wire: how the answer fails on its way. `reset`, `close`: not one byte, and the connection is
            dropped or closed in order. `truncate`, `truncate-chunk`, `silent-truncate`: half of the body,
            by its Content-Length, in the middle of a chunk, or with nothing that tells. `trickle`: a byte
            each second. `garbage`: no HTTP. `hints`: 103 for ever. `endless`: a body for ever. `packed`:
            a gzip body of 64 MiB. `hang`: nothing for ever. The half, or the bytes, are those of the
            answer with `status` when it is given, of the true one after `after` and for GET, else of a
            made-up success.
        skip: how many matching requests pass unharmed first.
        probability: of each matching request to meet the fault, 0 to 1; None is certainty.
        late: seconds, by the sandbox's clock, after which the request is carried out, although it is
            answered (`status`) or lost (`wire`) now.
        edits: pages by id, each with the members that a person changes in the dashboard just before the
            request is handled.
    """

    status: int | None = UNSAID
    code: str | None = None
    message: str = MESSAGE
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str | None = None
    path: str | None = None
    times: int | None = 1
    after: bool = False
    delay: float = 0.0
    body: bytes | str | None = None
    wire: Wire | None = None
    skip: int = 0
    probability: float | None = None
    late: float | None = None
    edits: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Settle the status that was not given, and refuse what contradicts itself."""
        if self.status is UNSAID:
            object.__setattr__(self, "status", 503 if self._answers() else None)
        fault_rules.check(self)

    def matches(self, method: str, path: str) -> bool:
        """Tell whether a request is one of those that can meet this fault."""
        return (self.method is None or self.method.upper() == method) and (self.path is None or self.path in path)

    def words_of_its_own(self) -> list[str]:
        """Return the members that say something of an answer and need a status."""
        said = {"code": self.code is not None, "message": self.message != MESSAGE}
        said |= {"headers": bool(self.headers), "body": self.body is not None}
        return [name for name, is_said in said.items() if is_said]

    def _answers(self) -> bool:
        if self.words_of_its_own():
            return True
        only_beside = (self.edits or self.delay) and not self.after and self.late is None
        return self.wire is None and not only_beside


class Faults:
    """The faults that are still to come, in order; safe from any thread."""

    def __init__(self, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        """Start with `faults`; `seed` decides who meets one that has a probability."""
        self._lock = threading.Lock()
        self._faults = list(faults)
        self._random = random.Random(seed)  # noqa: S311 -- a seed is wanted here, and nothing is secret

    def append(self, fault: Fault) -> None:
        """Add a fault behind the others."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._faults.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the first fault that a request meets, used up by one, or None.

        A fault counts, and throws its dice for, only the requests that none before it has met.
        """
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.matches(method, path) and self._meets(index, fault):
                    self._use(index, fault)
                    return fault
        return None

    def _meets(self, index: int, fault: Fault) -> bool:
        if fault.skip:
            self._faults[index] = replace(fault, skip=fault.skip - 1)
            return False
        return fault.probability is None or self._random.random() < fault.probability

    def _use(self, index: int, fault: Fault) -> None:
        if fault.times is not None and fault.times <= 1:
            del self._faults[index]
        elif fault.times is not None:
            self._faults[index] = replace(fault, times=fault.times - 1)

    def __len__(self) -> int:
        """Return how many faults are left."""
        with self._lock:
            return len(self._faults)

    def __iter__(self) -> Iterator[Fault]:
        """Iterate over a copy."""
        with self._lock:
            return iter(tuple(self._faults))
