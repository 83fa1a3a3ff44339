"""What one run is made of: pages, files, faults and people, all from one seed, and what may come of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from bio_sync.sandbox import Fault
from bio_sync.sandbox.faults import Faults
from tests.faults import comparison, world
from tests.faults.virtual_time import VirtualTime

if TYPE_CHECKING:
    from collections.abc import Callable

    from bio_sync.sandbox.server import Sandbox

Patch = Literal["replace", "merge"]
SECONDS_OF_A_LOST_WRITE = 15.0


@dataclass(slots=True)
class Hook:
    """Something that happens when a matching request has arrived, before the service looks at it."""

    action: Callable[[], object]
    method: str | None = None
    path: str = ""
    skip: int = 0
    times: int = 1

    def meet(self, method: str, path: str) -> None:
        """Take notice of a request."""
        if self.method not in {None, method} or not path.endswith(self.path) or self.times == 0:
            return
        if self.skip:
            self.skip -= 1
            return
        self.times -= 1
        self.action()


@dataclass(slots=True)
class Stage:
    """One run before it begins. An entry of the table arranges its fault here.

    `may` holds what may become of a page besides being as wanted, as `outcome/reason`, and what a whole run may
    be refused for, as `error/reason`. Only pages that a fault or a person has met may fare so, unless `anywhere`.
    """

    number: int
    patch: Patch
    count: int
    seed: int
    random: Random
    clock: VirtualTime
    live: list[world.Page]
    files: dict[str, world.File]
    behaviour: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    may: set[str] = field(default_factory=set)
    anywhere: bool = False
    believed: bool = False
    normalises: bool = False
    stops_after: Fault | None = None
    signals: bool = False
    counts_calls: bool = True
    exit_codes: set[int] = field(default_factory=set)
    address: str | None = None
    sandbox_clock: Callable[[], float] | None = None
    way: str = "apply"
    runs_at_once: int = 1
    max_age: float = 15.0
    forces: bool = True
    killed_after: int | None = None
    signalling: threading.Lock = field(default_factory=threading.Lock)
    _sandbox: Sandbox | None = None

    @property
    def sandbox(self) -> Sandbox:
        """The service, once it runs."""
        assert self._sandbox is not None
        return self._sandbox

    def opened(self, sandbox: Sandbox) -> None:
        """Take the service that runs."""
        self._sandbox = sandbox

    def initial(self, page_id: str) -> world.Page:
        """Give a page as it was in the beginning."""
        return next(page for page in self.live if page["id"] == page_id)

    def writes_to(self, page_id: str) -> list[str]:
        """Name the methods by which a page has to be written."""
        now = comparison.content(self.initial(page_id))
        after = comparison.wanted(self.files[page_id], now)
        differing = {name for name in comparison.FIELDS if not comparison.same(now[name], after[name])}
        return ["PATCH"] * bool(differing - {"published"}) + ["POST"] * ("published" in differing)

    def changing(self) -> list[str]:
        """Name the pages that have to be written."""
        return [page_id for page_id in self.files if self.writes_to(page_id)]

    def struck(self) -> str:
        """Choose a page that has to be written, if there is one."""
        return self.random.choice(self.changing() or list(self.files))

    def strike_write(self, page_id: str | None = None, **members: Any) -> str:
        """Let a write to a page, whichever it needs, meet a fault."""
        page_id = page_id or self.struck()
        method = self.random.choice(self.writes_to(page_id) or ["PATCH"])
        self.faults.append(Fault(method=method, path=page_id, **members))
        return page_id

    def strike_write_by(self, method: str, page_id: str, **members: Any) -> None:
        """Let one kind of write to a page meet a fault."""
        self.faults.append(Fault(method=method, path=page_id, **members))

    def strike_read(self, **members: Any) -> None:
        """Let reads meet a fault: often the first, sometimes a later one."""
        self.faults.append(Fault(method="GET", **members))

    def edit(self, page_id: str, *, kinds: str | None = None) -> Callable[[], None]:
        """Prepare the hands of a person who edits a page as it is at that time."""
        random = Random(self.random.random())  # noqa: S311 - a seed is wanted

        def hands() -> None:
            try:
                page = self.sandbox.page(page_id)
            except KeyError:
                return
            more = {"kinds": kinds} if kinds else {}
            self.sandbox.edit(page_id, **world.dashboard_edit(random, page, **more))

        return hands

    def edit_at(self, method: str, path: str, page_id: str, *, skip: int = 0, kinds: str | None = None) -> None:
        """Let a person edit a page when a request arrives."""
        self.hooks.append(Hook(self.edit(page_id, kinds=kinds), method, path, skip))

    def when(self, method: str, action: Callable[[], object]) -> None:
        """Let something happen when the next request of a kind arrives."""
        self.hooks.append(Hook(action, method))


class Watched(Faults):
    """The faults of a sandbox, which also let hooks happen and note what each request has met.

    `met` is by the number of a request, `seen` tells how long the history was when it was handled.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.faults, stage.seed)
        self.met: dict[int, Fault] = {}
        self.seen: dict[int, int] = {}
        self._stage = stage

    def take(self, method: str, path: str) -> Fault | None:
        sandbox = self._stage.sandbox
        number = len(sandbox.requests) - 1
        for hook in self._stage.hooks:
            hook.meet(method, path)
        fault = super().take(method, path)
        if fault is not None:
            self.met[number] = fault
        self.seen[number] = len(sandbox.history)
        return fault


def stage_for(number: int, patch: Patch, count: int, seed: int) -> Stage:
    """Draw the pages and files of a run; the same numbers give the same run."""
    random = Random(f"{number}/{patch}/{count}/{seed}")  # noqa: S311 - a seed is wanted
    live = world.live_pages(random, count)
    files = world.files_for(random, live[:count])
    behaviour = {
        "patch": patch,
        "paging": random.choice(("ignore", "refuse", "honour")),
        "rate_limit": random.choice(("month", "burst", "unix", "none")),
        "burst_limit": random.choice((1, 2, 10, 50)),
        "monthly_limit": 100_000,
    }
    return Stage(number, patch, count, seed, random, VirtualTime(), live, files, behaviour)
