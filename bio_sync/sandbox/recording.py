"""Recording: every request as it arrived, and what was answered; a pure ASGI layer, the outermost."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from bio_sync.sandbox.wires import SPOIL

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bio_sync.sandbox.behaviour import Clock

BODY_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request.

    Attributes:
        method: in upper case.
        path: decoded, without the query.
        query: the parameters by name.
        headers: by lower-case name.
        body: the parsed JSON; None when there was none, or something else.
        status: of the answer; None while there is none, and when a fault of the wire sends none.
        at: the sandbox's clock at its arrival, in Unix seconds.
        charged: whether the month paid for it.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    status: int | None
    at: float
    charged: bool = False


class Record:
    """The requests in the order of their arrival; safe to read from another thread."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._requests: list[RecordedRequest] = []

    def add(self, request: RecordedRequest) -> int:
        """Append a request and return its number."""
        with self._lock:
            self._requests.append(request)
            return len(self._requests) - 1

    def complete(self, number: int, *, status: int | None, charged: bool) -> None:
        """Note how a request ended."""
        with self._lock:
            self._requests[number] = replace(self._requests[number], status=status, charged=charged)

    def requests(self) -> list[RecordedRequest]:
        """Return a copy."""
        with self._lock:
            return list(self._requests)


class RecordRequests:
    """ASGI layer: read the whole body into `scope["sandbox.body"]`, record, pass on.

    The body is None there when it is larger than BODY_LIMIT. It is read to its end even so: an answer
    in the middle of an upload would reach the client as a broken pipe instead of a 413.
    """

    def __init__(self, app: ASGIApp, record: Record, clock: Clock) -> None:
        """Wrap `app`."""
        self._app = app
        self._record = record
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        at = self._clock()
        chunks: list[bytes] = []
        size = 0
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size += len(message["body"])
            if size <= BODY_LIMIT:
                chunks.append(message["body"])
            more = message["more_body"]
        scope["sandbox.body"] = b"".join(chunks) if size <= BODY_LIMIT else None
        scope["sandbox.charged"] = False
        number = scope["sandbox.number"] = self._record.add(_request(scope, at))

        async def note(message: Message) -> None:
            # Before the answer leaves: a caller that has it, or has lost it, finds the request complete.
            if message["type"] in ("http.response.start", SPOIL):
                self._record.complete(number, status=message.get("status"), charged=scope["sandbox.charged"])
            await send(message)

        await self._app(scope, receive, note)


def _request(scope: Scope, at: float) -> RecordedRequest:
    return RecordedRequest(
        method=scope["method"],
        path=scope["path"],
        query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=_parsed(scope["sandbox.body"]),
        status=None,
        at=at,
    )


def _parsed(body: bytes | None) -> object:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None
