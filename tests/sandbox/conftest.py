"""Fixtures of the sandbox's own tests: serve one, and ask it over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import httpx
import pytest

from bio_sync.sandbox import Sandbox

Serve = Callable[..., Sandbox]
Ask = Callable[..., httpx.Response]


class Hands(SimpleNamespace):
    """A clock that moves only when its `now` is set."""

    def __call__(self) -> float:
        return float(self.now)


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    """One client for all: building it costs more than a hundred requests."""
    with httpx.Client(timeout=60) as client:
        yield client


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a sandbox with the arguments of Sandbox; it is stopped after the test."""
    running: list[Sandbox] = []

    def start(*args: object, **options: object) -> Sandbox:
        sandbox = Sandbox(*args, **options)  # type: ignore[arg-type]
        running.append(sandbox)
        return sandbox.start()

    yield start
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def ask(http: httpx.Client) -> Ask:
    """Call `ask(sandbox, method, path)`: a request under /api/v1 with the sandbox's key, or with `key`."""

    def send(sandbox: Sandbox, method: str, path: str, **options: object) -> httpx.Response:
        key = options.pop("key", sandbox.key)
        bearer = key if isinstance(key, bytes) else str(key).encode()
        headers = {} if key is None else {"Authorization": b"Bearer " + bearer}
        return http.request(method, sandbox.url + path, headers=headers, **options)  # type: ignore[arg-type]

    return send


@pytest.fixture
def clock() -> Hands:
    """22 November 2026, 10:00 UTC, until the test sets `clock.now`."""
    return Hands(now=1795341600.0)
