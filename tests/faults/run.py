"""One run of the campaign: the real command in this process, against the real sandbox, in virtual time."""

import contextlib
import io
import json
import os
import random as global_random
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from bio_sync import cli
from bio_sync.options import Session
from bio_sync.sandbox import Behaviour, Fault, Sandbox
from tests.faults import comparison, ways
from tests.faults.evidence import APPLY, Evidence, Promises, Said, Verdict
from tests.faults.faults_around_a_run import Killed, echo
from tests.faults.oracle import judge_key
from tests.faults.outcomes import judge
from tests.faults.stage import Patch, Stage, Watched, stage_for
from tests.faults.whole_table import whole_table


class Workshop:
    """A stage with its service running and its files written, ready for commands."""

    def __init__(self, stage: Stage, folder: Path, watched: Watched) -> None:
        self.stage = stage
        self.folder = folder
        self.watched = watched
        self.start = {page["id"]: page for page in stage.sandbox.pages}
        self.said: list[Said] = []
        self._naps = 0

    def command(self, *arguments: str, out: io.StringIO | None = None, kill_after: int | None = None) -> Said:
        """Run one command; `kill_after` ends it like a kill in its n-th sleep."""
        out, err = out or io.StringIO(), io.StringIO()
        naps = 0

        def sleep(seconds: float) -> None:
            nonlocal naps
            naps += 1
            if kill_after is not None and naps > kill_after:
                raise Killed
            self.stage.clock.sleep(seconds)

        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = self._exit_code(arguments, Session(clock=self.stage.clock, sleep=sleep))
        self.said.append(Said(code, out.getvalue(), err.getvalue()))
        return self.said[-1]

    def _exit_code(self, arguments: Sequence[str], session: Session) -> int | None:
        code: int | None = None
        with contextlib.suppress(Killed, KeyboardInterrupt):
            code = cli.run(list(arguments), session)
        while True:
            # A signal that is on its way still belongs to this command.
            try:
                _wait_for_strays()
                with self.stage.signalling:
                    return code
            except KeyboardInterrupt:
                continue

    def apply(self, *more: str, out: io.StringIO | None = None) -> Said:
        """Apply as this stage wants it."""
        force = ("--force",) if self.stage.forces else ()
        return self.command(*APPLY, *force, *self.stage.arguments, *more, out=out, kill_after=self.stage.killed_after)

    def begin(self) -> int:
        """Give the number of the next request."""
        return len(self.stage.sandbox.requests)

    def evidence(self, said: Said, first: int, promises: Promises, key: str | None = None) -> Evidence:
        """Collect what there is to see of a run that began with request `first`."""
        sandbox = self.stage.sandbox
        return Evidence(
            self.stage.files,
            self.start,
            sandbox.requests,
            sandbox.history,
            self.watched.seen,
            {number: fault for number, fault in self.watched.met.items() if number >= first},
            key or sandbox.key,
            first,
            said.code,
            said.out,
            said.err,
            promises,
        )

    def promises(self) -> Promises:
        """Give what this stage promises."""
        stage = self.stage
        return Promises(
            frozenset(stage.may),
            stage.anywhere,
            frozenset(stage.exit_codes),
            max(stage.max_age, 3.0),
            float(stage.behaviour.get("stale", 0.0)),
            stage.patch == "merge",
            stage.normalises,
            stage.believed,
            stage.signals,
            stage.counts_calls and not stage.signals,
            stage.stops_after,
        )


def run_one(number: int, patch: Patch, count: int, seed: int, folder: Path, *, talks: bool = False) -> Verdict:
    """Play one run and judge it; everything follows from the four numbers."""
    stage = stage_for(number, patch, count, seed)
    entry = whole_table()[number]
    assert entry.arrange is not None
    entry.arrange(stage)
    # The jitter of the back-off is the one thing that comes from elsewhere.
    global_random.seed(seed)
    with opened(stage, folder) as workshop:
        verdict = ways.play(workshop)
        if not verdict.found:
            verdict.join(second_run(workshop), "run again: ")
        texts = {f"output {place}": said.out + said.err for place, said in enumerate(workshop.said)}
        texts |= {path.name: path.read_text("utf-8", "replace") for path in folder.rglob("*") if path.is_file()}
        verdict.join(judge_key(stage.sandbox.key, texts))
        if talks:
            _tell(workshop)
    return verdict


@contextlib.contextmanager
def opened(stage: Stage, folder: Path) -> Iterator[Workshop]:
    """Write the files of a stage, start its service, and point the environment at it."""
    write_files(stage, folder)
    sandbox = Sandbox(stage.live, behaviour=Behaviour(**stage.behaviour), clock=stage.sandbox_clock or stage.clock)
    watched = sandbox.faults = Watched(stage)
    stage.opened(sandbox)
    before = {name: os.environ.get(name) for name in ("XQR_API_URL", "XQR_API_KEY")}
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with sandbox:
        https = sandbox.url.replace("http:", "https:")
        os.environ["XQR_API_URL"] = https if stage.address == "https:same" else stage.address or sandbox.url
        os.environ["XQR_API_KEY"] = sandbox.key
        if stage.way == "echo":
            watched.append(Fault(**echo(stage.random, sandbox.key), skip=stage.random.choice((0, 0, 1))))
        if stage.signals:
            # As `main` does.
            cli.take_signals(Session())
        try:
            yield Workshop(stage, folder, watched)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            _restore(before)


def write_files(stage: Stage, folder: Path) -> None:
    """Write the page files; JSON is YAML."""
    (folder / "pages").mkdir(exist_ok=True)
    for page_id, file in stage.files.items():
        (folder / "pages" / f"{page_id}.yaml").write_text(json.dumps(file), encoding="utf-8")


def second_run(workshop: Workshop) -> Verdict:
    """Run again without faults: everything converges, or is named; and a third time, which writes nothing."""
    stage = workshop.stage
    workshop.watched.clear()
    stage.hooks.clear()
    stage.sandbox.behaviour = Behaviour(**{**stage.behaviour, "stale": 0.0, "burst_limit": 50})
    os.environ["XQR_API_URL"] = stage.sandbox.url
    stage.clock.sleep(60)
    verdict = Verdict()
    if not stage.files:
        return verdict
    may = {"failed/not-converged"} if stage.normalises else set()
    gone = stage.files.keys() - {page["id"] for page in stage.sandbox.pages}
    may |= {"failed/gone"} if gone else set()
    promises = Promises(frozenset(may), anywhere=True, merges=stage.patch == "merge", normalises=stage.normalises)
    for again in range(2):
        first = workshop.begin()
        said = workshop.command(*APPLY, "--force")
        evidence = workshop.evidence(said, first, promises)
        verdict.join(judge(evidence))
        written = {revision.page_id for _, revision in evidence.own}
        left = {page_id for page_id in stage.files.keys() - gone if not _is_as_wanted(workshop, page_id)}
        if left and not (stage.normalises or stage.patch == "merge"):
            verdict.add("wrong outcomes", f"{sorted(left)} did not converge")
        if again and written - left:
            verdict.add("double writes", f"{sorted(written - left)} were written although they were as wanted")
    return verdict


def _is_as_wanted(workshop: Workshop, page_id: str) -> bool:
    now = comparison.content(workshop.stage.sandbox.page(page_id))
    return comparison.is_as_wanted(workshop.stage.files[page_id], now)


def _wait_for_strays() -> None:
    """Wait for what a run has left behind that was told to leave at once."""
    for thread in threading.enumerate():
        if thread.name.startswith("write "):
            thread.join(10)


def _restore(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _tell(workshop: Workshop) -> None:
    sandbox = workshop.stage.sandbox
    lines = [f"{workshop.stage}"]
    for number, request in enumerate(sandbox.requests):
        met = workshop.watched.met.get(number)
        lines.append(
            f"{number:>3} {request.at % 100_000:.3f} {request.method} {request.path} {request.status} {met or ''}"
        )
    lines += [
        f"{each.at % 100_000:.3f} {each.by} {each.request} {each.page_id} {each.page}" for each in sandbox.history
    ]
    lines += [f"exit {said.code}\n{said.out}\n{said.err}" for said in workshop.said]
    sys.stdout.write("\n".join(lines) + "\n")
