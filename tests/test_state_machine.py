"""Any order of edits in files and in the dashboard, plans, applies and faults: it converges, or it refuses."""

import contextlib
import json
from copy import deepcopy
from random import Random
from typing import Any

import yaml
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bio_sync.sandbox import Fault
from tests.faults import comparison, world
from tests.faults.campaign import page_repository
from tests.faults.evidence import APPLY, Evidence, Promises, Said, Verdict
from tests.faults.oracle import judge_key
from tests.faults.outcomes import judge
from tests.faults.run import Workshop, opened, second_run, write_files
from tests.faults.stage import Hook, stage_for
from tests.faults.table import LOST

PAGES = 3
PLAN = "plan.json"
# Seconds: a few requests of a service that takes one a second.
MAX_AGE = 4.0
pages = st.integers(0, PAGES - 1).map(lambda number: f"bio_{number:02d}")
seeds = st.integers(0, 2**32).map(Random)
# What may become of a page whose run has met a fault; each is judged to be true all the same.
TROUBLE = frozenset(
    f"{word}/{reason}"
    for word in ("failed", "unknown", "skipped", "error")
    for reason in ("drifted", "rejected", "unreachable", "gone", "auth", "quota", "not-converged")
)
FAULTS: tuple[dict[str, Any], ...] = (
    *({"method": method, "status": way} for way in LOST if isinstance(way, int) for method in ("GET", "PATCH", "POST")),
    *({"method": "PATCH", "wire": way} for way in LOST if isinstance(way, str) and way != "<html>"),
    *({"method": "PATCH", "wire": way, "after": True} for way in LOST if isinstance(way, str) and way != "<html>"),
    {"method": "PATCH", "status": 504, "late": 10.0},
    {"method": "POST", "wire": "reset", "after": True},
    {"method": "PATCH", "status": 400, "code": "VALIDATION_ERROR"},
    {"method": "PATCH", "status": 404},
    {"status": 401, "code": "REVOKED_API_KEY"},
    {"status": 429, "code": "RATE_LIMIT_EXCEEDED"},
    {"status": 429, "code": "BURST_LIMIT_EXCEEDED", "headers": {"Retry-After": "1"}},
    {"status": 429, "code": "BURST_LIMIT_EXCEEDED", "headers": {"Retry-After": "20"}, "times": 2},
)


class Workspace(RuleBasedStateMachine):
    """A workspace, its files, and everybody who has a hand in it."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.verdict = Verdict()
        self.agreed: tuple[object, object] | None = None
        self.workshop: Workshop

    @initialize(seed=st.integers(0, 2**32), patch=st.sampled_from(("replace", "replace", "merge")))
    def open(self, seed: int, patch: Any) -> None:
        stage = stage_for(0, patch, PAGES, seed)
        # So slow a service that views get too old, and edits made meanwhile are there to be seen.
        stage.behaviour["burst_limit"] = 1
        folder = self.stack.enter_context(page_repository())
        self.workshop = self.stack.enter_context(opened(stage, folder))

    @property
    def live(self) -> dict[str, world.Page]:
        return {page["id"]: page for page in self.workshop.stage.sandbox.pages}

    @rule(page_id=pages, random=seeds)
    def somebody_edits_a_file(self, page_id: str, random: Random) -> None:
        stage = self.workshop.stage
        page = self.live.get(page_id, stage.initial(page_id))
        stage.files[page_id] = world.file_for(random, page)
        write_files(stage, self.workshop.folder)

    @rule(random=seeds)
    def somebody_adds_a_file(self, random: Random) -> None:
        stage = self.workshop.stage
        for page_id, page in self.live.items():
            if page_id not in stage.files:
                stage.files[page_id] = world.file_for(random, page)
        write_files(stage, self.workshop.folder)

    @rule(
        page_id=pages,
        random=seeds,
        kinds=st.sampled_from(("title", "data", "links", "published", "note", "experiments")),
    )
    def somebody_edits_a_live_page(self, page_id: str, random: Random, kinds: str) -> None:
        if page := self.live.get(page_id):
            self.workshop.stage.sandbox.edit(page_id, **world.dashboard_edit(random, page, kinds=kinds))

    @rule(page_id=pages, skip=st.integers(1, 5))
    def somebody_will_edit_a_live_page_during_a_run(self, page_id: str, skip: int) -> None:
        hands = self.workshop.stage.edit(page_id)
        self.workshop.stage.hooks.append(Hook(hands, skip=skip))

    @rule(page_id=pages, after=st.booleans())
    def somebody_will_edit_a_page_while_a_lost_write_is_left_alone(self, page_id: str, after: bool) -> None:
        self.workshop.watched.append(Fault(method="PATCH", path=page_id, wire="reset", after=after))
        hands = self.workshop.stage.edit(page_id, kinds="title data links description")
        self.workshop.stage.hooks.append(Hook(hands, "GET", page_id))

    @precondition(lambda self: len(self.live) > 2)
    @rule(page_id=pages)
    def somebody_removes_a_live_page(self, page_id: str) -> None:
        if page_id in self.live:
            self.workshop.stage.sandbox.remove(page_id)

    @rule(fault=st.sampled_from(FAULTS), skip=st.integers(0, 3))
    def something_will_go_wrong(self, fault: dict[str, Any], skip: int) -> None:
        self.workshop.watched.append(Fault(**fault, skip=skip))

    @rule()
    def time_passes(self) -> None:
        self.workshop.stage.clock.sleep(60)

    @rule()
    def plan(self) -> None:
        (self.workshop.folder / PLAN).unlink(missing_ok=True)
        before = len(self.workshop.stage.sandbox.history)
        writes = self._writes()
        said = self.workshop.command("plan", "--out", PLAN)
        assert self._writes() == writes, "a plan has sent a write"
        saved = (self.workshop.folder / PLAN).exists()
        assert said.code in {0, 1}
        quiet = before == len(self.workshop.stage.sandbox.history)
        self.agreed = self._world() if saved and quiet else None

    @precondition(lambda self: self.workshop.stage.files.keys() & self.live.keys())
    @rule(random=seeds)
    def pull(self, random: Random) -> None:
        stage = self.workshop.stage
        page_id = random.choice(sorted(stage.files.keys() & self.live.keys()))
        trouble, history, writes = self._is_trouble_ahead(), len(stage.sandbox.history), self._writes()
        said = self.workshop.command("pull", page_id)
        assert self._writes() == writes, "a pull has sent a write"
        if said.code == 0:
            text = (self.workshop.folder / "pages" / f"{page_id}.yaml").read_text("utf-8")
            stage.files[page_id] = yaml.safe_load(text)
            quiet = history == len(stage.sandbox.history)
            if quiet:
                now = comparison.content(stage.sandbox.page(page_id))
                assert comparison.is_as_wanted(stage.files[page_id], now), "a plan right after a pull is not empty"
        else:
            assert trouble, f"a pull without trouble has failed: {said.err}"

    @rule()
    def apply(self) -> None:
        self._judged(("--yes",))

    @precondition(lambda self: (self.workshop.folder / PLAN).exists())
    @rule()
    def apply_the_saved_plan(self) -> None:
        trouble, as_agreed = self._is_trouble_ahead(), self.agreed == self._world()
        evidence = self._judged(("--plan", PLAN), more={"error/stale", "error/invalid"})
        refused = (evidence.report or {}).get("error")
        if refused:
            assert not evidence.own, "a run was refused, and something was written"
            assert trouble or not as_agreed, f"nothing has changed since the plan, and it is refused: {refused}"
        self.agreed = None

    @invariant()
    def every_promise_was_kept(self) -> None:
        assert not self.verdict.found, "\n".join(self.verdict.found)

    def teardown(self) -> None:
        try:
            if hasattr(self, "workshop") and not self.verdict.found:
                self.verdict.join(second_run(self.workshop))
                self.every_promise_was_kept()
        finally:
            self.stack.close()

    def _judged(self, consent: tuple[str, ...], more: set[str] | None = None) -> Evidence:
        stage = self.workshop.stage
        trouble = self._is_trouble_ahead()
        # The second of the command before is over: nobody has spent the one request of this one.
        stage.clock.sleep(5)
        first = self.workshop.begin()
        arguments = [word for word in APPLY if word != "--yes"]
        said = self.workshop.command(*arguments, *consent, "--force", "--max-age", f"{MAX_AGE:g}")
        gone = {"failed/gone", "error/gone"} if stage.files.keys() - self.live.keys() else set()
        may = TROUBLE if trouble else frozenset(gone)
        may |= more or set()
        promises = Promises(may, anywhere=True, max_age=MAX_AGE, merges=stage.patch == "merge")
        evidence = self.workshop.evidence(said, first, promises)
        self.verdict.join(judge(evidence))
        self.verdict.join(judge_key(stage.sandbox.key, self._texts(said)))
        return evidence

    def _texts(self, said: Said) -> dict[str, str]:
        plan = self.workshop.folder / PLAN
        saved = {"plan": plan.read_text("utf-8")} if plan.exists() else {}
        return {"out": said.out, "err": said.err, **saved}

    def _is_trouble_ahead(self) -> bool:
        return bool(len(self.workshop.watched)) or any(hook.times for hook in self.workshop.stage.hooks)

    def _writes(self) -> int:
        return sum(request.method != "GET" for request in self.workshop.stage.sandbox.requests)

    def _world(self) -> tuple[object, object]:
        contents = {page_id: comparison.content(page) for page_id, page in self.live.items()}
        return json.dumps(contents, sort_keys=True), deepcopy(self.workshop.stage.files)


Workspace.TestCase.settings = settings(
    settings(), max_examples=max(10, settings().max_examples // 3), stateful_step_count=15
)
TestWorkspace = Workspace.TestCase
