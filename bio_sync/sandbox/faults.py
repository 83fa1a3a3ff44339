"""Faults on demand: an answer replaced, delayed or lost. Pure ASGI layers around the API.

InjectFaults stands inside the gate, so that a call that meets a fault has been paid for, as it would
behind any real proxy. A dropped connection travels outwards as an ASGI message of our own, CUT, past
the record, to CutConnections at the very outside: the one place that touches a socket.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from starlette.responses import Response

from bio_sync.sandbox.answers import Refusal, call_of, refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CUT = "sandbox.cut"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the next matching request under /api/v1 instead of an ordinary answer.

    Attributes:
        status: of the answer; None leaves the answer as it is (for a mere delay).
        code: of the error envelope; by default what the status suggests.
        message: of the error envelope.
        headers: added to the answer.
        method: only requests with this method; None is any.
        path: only requests whose path contains this; None is any.
        times: how many requests meet the fault; None is all of them.
        after: carry the request out first, then lose its answer.
        delay: seconds before the answer.
        body: the whole body instead of an envelope; text/html unless `headers` say otherwise.
        drop: close the connection without an answer.
    """

    status: int | None = 503
    code: str | None = None
    message: str = "The service is not available."
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str | None = None
    path: str | None = None
    times: int | None = 1
    after: bool = False
    delay: float = 0.0
    body: bytes | str | None = None
    drop: bool = False

    def matches(self, method: str, path: str) -> bool:
        """Tell whether a request meets this fault."""
        return (self.method is None or self.method.upper() == method) and (self.path is None or self.path in path)


class Faults:
    """The faults that are still to come, in order; safe from any thread."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        """Start with `faults`."""
        self._lock = threading.Lock()
        self._faults = list(faults)

    def append(self, fault: Fault) -> None:
        """Add a fault behind the others."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._faults.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the first fault that matches, used up by one, or None."""
        with self._lock:
            for index, fault in enumerate(self._faults):
                if not fault.matches(method, path):
                    continue
                if fault.times is not None and fault.times <= 1:
                    del self._faults[index]
                elif fault.times is not None:
                    self._faults[index] = replace(fault, times=fault.times - 1)
                return fault
        return None

    def __len__(self) -> int:
        """Return how many faults are left."""
        with self._lock:
            return len(self._faults)

    def __iter__(self) -> Iterator[Fault]:
        """Iterate over a copy."""
        with self._lock:
            return iter(tuple(self._faults))


class InjectFaults:
    """ASGI layer: the first matching fault answers instead of the application."""

    def __init__(self, app: ASGIApp, faults: Faults, ending: asyncio.Event) -> None:
        """Wrap `app`; `ending` cuts every delay short when the server stops."""
        self._app = app
        self._faults = faults
        self._ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; public pages pass."""
        call = call_of(scope)
        fault = self._faults.take(scope["method"], scope["path"]) if call else None
        if call is None or fault is None:
            await self._app(scope, receive, send)
            return
        answer: list[Message] = []
        if fault.after:
            await self._app(scope, receive, _keep_in(answer))
        await self._pause(fault.delay)
        if fault.drop:
            await send({"type": CUT})
        elif fault.status is not None:
            response = _answer(fault, fault.status, call.request_id, call.standing.headers())
            await response(scope, receive, send)
        elif fault.after:
            for message in answer:
                await send(message)
        else:
            await self._app(scope, receive, send)

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            try:
                await asyncio.wait_for(self._ending.wait(), seconds)
            except TimeoutError:
                return


class Connection(Protocol):
    """An open connection, as the server keeps it."""

    client: tuple[str, int] | None
    transport: asyncio.Transport


class CutConnections:
    """ASGI layer, the outermost: turns the message CUT into a closed socket."""

    def __init__(self, app: ASGIApp, connections: Iterable[Connection]) -> None:
        """Wrap `app`; `connections` is the server's live collection of them."""
        self._app = app
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def cut_or_send(message: Message) -> None:
            if message["type"] != CUT:
                await send(message)
                return
            for connection in tuple(self._connections):
                if connection.client == scope["client"]:
                    connection.transport.abort()
            # uvicorn takes an application that returns unanswered for broken, unless the client has left.
            while (await receive())["type"] != "http.disconnect":
                pass

        await self._app(scope, receive, cut_or_send)


def _keep_in(answer: list[Message]) -> Send:
    async def keep(message: Message) -> None:
        answer.append(message)

    return keep


def _answer(fault: Fault, status: int, request_id: str, standing: Mapping[str, str]) -> Response:
    if fault.body is not None:
        response = Response(fault.body, status, media_type="text/html")
    else:
        refusal = Refusal(status, fault.message, code=fault.code, headers=standing)
        response = refused(refusal, request_id, None)
    for name, value in fault.headers.items():
        response.headers[name] = value
    return response
