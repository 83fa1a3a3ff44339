"""Runs that somebody ends, and what they leave: real processes, waited for by what the service has seen of them."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from bio_sync.sandbox import Sandbox
from bio_sync.sandbox.recording import RecordedRequest

COMMAND = [sys.executable, "-P", "-m", "bio_sync"]
# The same with one page after the other: a run that sees slow answers, as on a busy machine, writes several at once.
ONE_AFTER_THE_OTHER = (
    "from bio_sync.transport import meter; meter.MOST_LANES = 1; from bio_sync.__main__ import main; main()"
)
APPLY = ("apply", "--yes", "--force", "--format", "json")
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
ENDING = "ending: what is under way is brought to its end first; once more to leave at once"
# Generous: what is waited for comes within milliseconds on a quiet machine, and has to come at all on a noisy one.
PATIENCE = 60.0
NEW_DATA = {"theme": "dark", "links": [{"label": "New", "url": "https://new.example"}]}


def write_pages(folder: Path, count: int, *, published: Iterable[int] = ()) -> None:
    """Write files that want all of their pages anew, and some of them public."""
    (folder / "pages").mkdir(exist_ok=True)
    for n in range(count):
        page = {"id": f"bio_{n}", "title": f"New {n}", "description": "new", "page_data": NEW_DATA}
        wanted = page | ({"published": True} if n in published else {})
        (folder / "pages" / f"p{n}.yaml").write_text(json.dumps(wanted), encoding="utf-8")


def live_pages(count: int) -> list[dict[str, Any]]:
    return [{"id": f"bio_{n}", "title": f"Old {n}", "description": "old", "page_data": {"a": 1}} for n in range(count)]


def is_new(page: Mapping[str, Any]) -> bool:
    """Tell whether a page is entirely as its file wants it; fails when it is neither that nor as it was."""
    number = page["id"].removeprefix("bio_")
    content = (page["title"], page["description"], page["page_data"])
    new = (f"New {number}", "new", NEW_DATA)
    assert content in {0: new, 1: (f"Old {number}", "old", {"a": 1})}.values(), content
    return content == new


def asked(sandbox: Sandbox) -> list[RecordedRequest]:
    """List the requests that came with the sandbox's own key: its port may have been somebody else's before."""
    return [call for call in sandbox.requests if call.headers.get("authorization") == f"Bearer {sandbox.key}"]


def patched(sandbox: Sandbox) -> Counter[str]:
    """Count the PATCH requests for each page."""
    return Counter(call.path.rsplit("/", 1)[1] for call in asked(sandbox) if call.method == "PATCH")


def sent(sandbox: Sandbox) -> list[str]:
    """List the requests that write, in their order."""
    short = (f"{call.method} {call.path.removeprefix('/api/v1/bio/pages/')}" for call in asked(sandbox))
    return [each for each in short if not each.startswith("GET")]


def wait_for(found: Callable[[], object], what: str) -> None:
    """Wait until something is so, for a minute at most."""
    end = time.monotonic() + PATIENCE
    while not found():
        if time.monotonic() > end:
            pytest.fail(f"it never came to this: {what}")
        time.sleep(0.005)


def holds_no_key(secret: str, *texts: str) -> None:
    """Fail if eight characters in a row of a key's secret stand in one of the texts."""
    secret = secret.rpartition(".")[2]
    for text in texts:
        assert not any(secret[start : start + 8] in text for start in range(len(secret) - 7)), "the key is shown"


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.out)
        assert value["exit_code"] == self.code
        return value

    @property
    def outcomes(self) -> list[tuple[str, str | None]]:
        return [(each["outcome"], each["reason"]) for each in self.document["outcomes"]]


class Running:
    """A run in a process of its own, which a test lets get so far, and then ends.

    It writes one page after the other unless it may write them `side_by_side`.
    """

    def __init__(
        self, sandbox: Sandbox, *arguments: str, before: Sequence[str] = (), side_by_side: bool = False, **streams: Any
    ) -> None:
        self.sandbox = sandbox
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        program = COMMAND if side_by_side else [sys.executable, "-P", "-c", ONE_AFTER_THE_OTHER]
        command = [*before, *program, *arguments]
        self.process = subprocess.Popen(command, text=True, encoding="utf-8", **pipes)
        self._said: list[str] = []
        self._heard = threading.Thread(target=self._listen, daemon=True)
        self._heard.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        self._heard.join(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    @property
    def said(self) -> str:
        """What has been said on standard error so far."""
        return "".join(self._said)

    def until(self, found: Callable[[], object], what: str) -> Self:
        """Wait until something is so; the run has to go on until then."""
        wait_for(lambda: found() or self.process.poll() is not None, what)
        assert found(), f"the run ended before: {what}; {self.said}"
        return self

    def until_sent(self, count: int) -> Self:
        """Wait until so many requests have come."""
        return self.until(lambda: len(asked(self.sandbox)) >= count, f"{count} requests")

    def until_it_rests(self) -> Self:
        """Wait until the run waits itself: none of its threads has had anything to do for a while."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        if not tasks.is_dir():
            time.sleep(2)
            return self
        at_rest = 0

        def rests() -> bool:
            nonlocal at_rest
            states = {path.read_text().rpartition(")")[2].split()[0] for path in tasks.glob("*/stat")}
            at_rest = at_rest + 1 if states == {"S"} else 0
            time.sleep(0.02)
            return at_rest > 9

        return self.until(rests, "the run rests")

    def signal(self, number: int) -> Self:
        """Send a signal."""
        self.process.send_signal(number)
        return self

    def until_it_ends(self) -> Self:
        """Wait until the run has heard its first signal, and says so."""
        return self.until(lambda: ENDING in self.said, "the note")

    def end(self) -> Ended:
        """Wait for the end, and look for the key in all that was said and written."""
        out = self.process.stdout.read() if self.process.stdout else ""
        code = self.process.wait(PATIENCE)
        self._heard.join(PATIENCE)
        files = (path.read_text(errors="replace") for path in Path.cwd().rglob("*") if path.is_file())
        holds_no_key(self.sandbox.key, out, self.said, *files)
        assert "Traceback" not in self.said
        return Ended(code, out, self.said)

    def _listen(self) -> None:
        stream = self.process.stderr
        while stream and (heard := os.read(stream.fileno(), 4096)):
            self._said.append(heard.decode("utf-8", "replace"))
