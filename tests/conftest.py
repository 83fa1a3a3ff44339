"""What the tests share: a real xQR on loopback, the command line, and a folder of pages."""

import asyncio
import ipaddress
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from bio_sync import cli
from bio_sync.sandbox import Behaviour, Fault, Sandbox
from bio_sync.sandbox.injection import InjectFaults
from bio_sync.transport import meter
from tests.packages import build, copied

ROOT = Path(__file__).parent.parent
# A process whose files may not grow, as on a full disk, would leave cut-off bytecode to all that follow.
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
# But what pytest has made of the tests while it collects them: to make it anew takes each worker of xdist, which
# inherits the line above, as long as all the rest of collecting.
sys.dont_write_bytecode = False

_NOT_A_SIGN = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
# `make test` runs the quick profile; `make properties` the long one (see the Makefile).
settings.register_profile("quick", max_examples=30, deadline=None, suppress_health_check=_NOT_A_SIGN)
settings.register_profile("long", max_examples=3_000, deadline=None, suppress_health_check=_NOT_A_SIGN)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Seconds of a fault's delay: longer than any test may take.
HELD = 3600.0


def pytest_collection_finish() -> None:
    """From here on, a test may take away the room that bytecode needs."""
    sys.dont_write_bytecode = True


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_arrives() -> Iterator[None]:
    """A shell lets what it starts in the background ignore SIGINT, and so would all that the tests start."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may talk to another machine, nor find a key or a colour setting of the developer's own."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not ipaddress.ip_address(address[0]).is_loopback:
            pytest.fail(f"a test wanted to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    for name in ("XQR_API_KEY", "XQR_API_KEY_FILE", "XQR_API_URL", "NO_COLOR", "FORCE_COLOR", "GITHUB_EVENT_PATH"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What a release consists of, by its suffix."""
    folder = tmp_path_factory.mktemp("built")
    # Of all that is there, so that what does not belong into a package could get into it.
    return build(copied(folder / "tree", (".",)), folder / "dist")


@pytest.fixture(scope="session")
def wheel(built: dict[str, Path]) -> Path:
    return built[".whl"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty page repository, which is also the working directory."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write one page after the other, also on a machine that takes 20 ms and more to answer: order is not luck."""
    monkeypatch.setattr(meter, "MOST_LANES", 1)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], one_after_the_other: None) -> Run:
    """Run the command line in this process: `run("plan", "--format", "json").out`."""

    def call(*arguments: str) -> Result:
        capfd.readouterr()
        code = cli.run(arguments)
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return call


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """An xQR without pages and with roomy limits, which the environment points at."""
    with Sandbox(behaviour=Behaviour(burst_limit=10_000, monthly_limit=1_000_000)) as running:
        monkeypatch.setenv("XQR_API_URL", running.url)
        monkeypatch.setenv("XQR_API_KEY", running.key)
        yield running


@pytest.fixture
def start_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Sandbox]]:
    """Start an xQR with pages and behaviour of one's own; the environment points at the last one started."""
    started: list[Sandbox] = []

    def start(pages: list[dict[str, Any]] | None = None, **behaviour: Any) -> Sandbox:
        limits = {"burst_limit": 10_000, "monthly_limit": 1_000_000} | behaviour
        running = Sandbox(pages=pages or [], behaviour=Behaviour(**limits)).start()
        started.append(running)
        monkeypatch.setenv("XQR_API_URL", running.url)
        monkeypatch.setenv("XQR_API_KEY", running.key)
        return running

    yield start
    for running in started:
        running.stop()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Hold each request that meets a fault with the delay HELD until this is set, so that no machine is too slow."""
    let_go, real = threading.Event(), InjectFaults._pause

    async def pause(self: InjectFaults, fault: Fault) -> None:
        while fault.delay == HELD and not let_go.is_set():
            await asyncio.sleep(0.005)
        if fault.delay != HELD:
            await real(self, fault)

    monkeypatch.setattr(InjectFaults, "_pause", pause)
    yield let_go
    let_go.set()
