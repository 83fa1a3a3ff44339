"""Starts the service to measure against in a process of its own, and asks it what it was asked."""

import json
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.installs import ROOT
from benchmarks.workspaces import Page, Workspace

# What xQR's keys look like; the service for measuring takes any.
KEY = "xqr_pk_00000000." + "0" * 64


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command asked the service: calls by kind, refusals (429), bytes, the service's own CPU seconds.

    `asking` and `writing` are the seconds from the first call, and from the first write, to the last one; `written`
    are the pages in their order.
    """

    calls: dict[str, int]
    too_many: int
    received: int
    sent: int
    cpu: float
    asking: float
    writing: float
    written: tuple[str, ...]

    @property
    def all_calls(self) -> int:
        """Count the calls, those that were refused too."""
        return sum(self.calls.values()) + self.too_many


class Service:
    """The running service of a workspace; ends with the `with` that it is used in, or with this process."""

    def __init__(
        self,
        python: Path,
        workspace: Workspace,
        *,
        burst_limit: int = 1_000_000,
        enforce: bool = False,
    ) -> None:
        self._command = [str(python), "-m", "benchmarks.server", str(workspace.live), "--burst-limit", str(burst_limit)]
        self._command += ["--enforce"] if enforce else []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        port = self._process.stdout.readline().strip()
        if not port:
            self._process.wait()
            raise RuntimeError(f"the service for measuring did not start: {' '.join(self._command)}")
        self.host = f"127.0.0.1:{port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # It ends with its standard input.
        self._process.communicate()

    @property
    def address(self) -> str:
        """The base address, as bio-sync's `--api-url` takes it."""
        return f"http://{self.host}/api/v1"

    def reset(self) -> None:
        """Make the pages as they were, and count from 0."""
        self._ask("/_reset", b"")

    def asked(self) -> Asked:
        """Give what was asked since the last reset."""
        told = self._ask("/_measured")
        return Asked(
            calls=told["calls"],
            too_many=told["too_many"],
            received=told["bytes_received"],
            sent=told["bytes_sent"],
            cpu=told["cpu_seconds"],
            asking=told["asking_seconds"],
            writing=told["writing_seconds"],
            written=tuple(told["written"]),
        )

    def pages(self) -> list[Page]:
        """Give all live pages, as they are now."""
        found: list[Page] = self._ask("/_pages")["data"]
        return found

    def _ask(self, path: str, body: bytes | None = None) -> Any:
        # No proxy: it is this machine that is asked, whatever the environment says.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{self.host}{path}", body, timeout=60) as answer:
            return json.load(answer)
