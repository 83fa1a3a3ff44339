"""A workspace, its page files and a clock that moves by sleeping only: what every test of an apply starts from."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bio_sync import cli
from bio_sync.options import Session
from bio_sync.sandbox import Behaviour, Fault, Sandbox
from bio_sync.terminal import Terminal

Page = dict[str, Any]


@dataclass
class Clock:
    """Seconds that pass only when somebody sleeps; `meanwhile` is what happens during the next sleeps."""

    now: float = 1795341600.0
    sleeps: list[float] = field(default_factory=list)
    meanwhile: list[Callable[[], object]] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass; halfway, whoever waits for a long sleep does what they wanted."""
        with self._lock:
            self.sleeps.append(seconds)
            if seconds >= 1 and self.meanwhile:
                self.now += seconds / 2
                self.meanwhile.pop(0)()
                self.now += seconds / 2
            else:
                self.now += seconds

    @property
    def waits(self) -> list[float]:
        """The sleeps that are no pace: a second and longer, rounded."""
        return [round(seconds) for seconds in self.sleeps if seconds >= 1]


class Somebody(Terminal):
    """A person who does something before they answer yes."""

    def __init__(self, asked: Callable[[], object]) -> None:
        super().__init__()
        self._asked = asked

    def can_ask(self) -> bool:
        return True

    def ask(self, question: str) -> None:
        assert question == "Apply this plan?"
        self._asked()


@dataclass(frozen=True)
class Told:
    """The outcome of one page, as the command has printed it."""

    outcome: str
    reason: str | None
    message: str
    actions: tuple[str, ...]

    @property
    def words(self) -> tuple[str, str | None]:
        return self.outcome, self.reason


@dataclass(frozen=True)
class Done:
    """What an apply has printed, and how it has exited."""

    code: int
    pages: dict[str, Told]
    document: dict[str, Any]
    err: str

    @property
    def words(self) -> list[tuple[str, str | None]]:
        return [told.words for told in self.pages.values()]


class Bench:
    """A sandbox and a folder of page files that share a clock."""

    def __init__(self, folder: Path, clock: Clock, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder, self.clock, self._capfd = folder, clock, capfd
        self._running: Sandbox | None = None
        self._seen = 0

    @property
    def sandbox(self) -> Sandbox:
        assert self._running is not None
        return self._running

    def start(self, pages: list[Page], **behaviour: Any) -> Sandbox:
        """Serve a workspace; `bio_9` follows `bio_10` in no order that matters."""
        self.stop()
        limits = {"burst_limit": 10_000, "monthly_limit": 1_000_000} | behaviour
        self._running = Sandbox(pages, behaviour=Behaviour(**limits), clock=self.clock).start()
        self._seen = 0
        return self._running

    def stop(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None

    def files(self, texts: dict[str, str]) -> None:
        """Put page files in place of those that were there: by page id, what they say beside it."""
        (self.folder / "pages").mkdir(exist_ok=True)
        for old in (self.folder / "pages").iterdir():
            old.unlink()
        for page_id, text in texts.items():
            (self.folder / "pages" / f"{page_id}.yaml").write_text(f"id: {page_id}\n{text}\n", encoding="utf-8")

    def many(self, count: int, text: str = "title: New", **live: Any) -> Sandbox:
        """Serve `count` pages with the title Old, and write a file for each."""
        names = [f"bio_{n:03}" for n in range(count)]
        self.files(dict.fromkeys(names, text))
        return self.start([{"id": name, "title": "Old", **live} for name in names])

    def fail(self, **members: Any) -> None:
        self.sandbox.fail(Fault(**members))

    def apply(self, *arguments: str, asked: Callable[[], object] | None = None) -> Done:
        """Run `bio-sync apply --yes --force` in this process, without waiting; `asked` happens before the yes."""
        self._seen = len(self.sandbox.requests)
        self.clock.sleeps.clear()
        self._capfd.readouterr()
        terminal = Somebody(asked) if asked else Terminal()
        session = Session(terminal=terminal, clock=self.clock, sleep=self.clock.sleep, api_url=self.sandbox.url)
        consent = [] if asked else ["--yes"]
        code = cli.run(["apply", *consent, "--force", "--format", "json", *arguments], session)
        out, err = self._capfd.readouterr()
        document = json.loads(out)
        assert document["exit_code"] == code, err
        assert "Traceback" not in err, err
        pages = {
            each["page_id"]: Told(each["outcome"], each["reason"], each["message"], tuple(each["actions"]))
            for each in document["outcomes"]
        }
        return Done(code, pages, document, err)

    @property
    def calls(self) -> list[str]:
        """The requests of the last apply, such as `GET`, `GET bio_1`, `PATCH bio_1`, `POST bio_1/publish`."""
        return [
            f"{each.method} {each.path.removeprefix('/api/v1/bio/pages').removeprefix('/')}".rstrip()
            for each in self.sandbox.requests[self._seen :]
        ]

    @property
    def writes(self) -> list[str]:
        """Those of the requests that are not GET."""
        return [call for call in self.calls if not call.startswith("GET")]

    def carried_out(self, page_id: str) -> int:
        """Count the writes of a page that the service has carried out since it was started."""
        return sum(each.by == "api" and each.page_id == page_id for each in self.sandbox.history)

    def live(self, page_id: str, *members: str) -> tuple[Any, ...]:
        page = self.sandbox.page(page_id)
        return tuple(page[member] for member in members)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bench(
    folder: Path, clock: Clock, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    """A page repository, the key of whichever sandbox was started last, and no waiting."""
    made = Bench(folder, clock, capfd)
    start = made.start

    def start_with_key(pages: list[Page], **behaviour: Any) -> Sandbox:
        sandbox = start(pages, **behaviour)
        monkeypatch.setenv("XQR_API_KEY", sandbox.key)
        return sandbox

    made.start = start_with_key  # type: ignore[method-assign]
    yield made
    made.stop()
