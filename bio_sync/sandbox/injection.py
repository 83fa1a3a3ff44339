"""Injection: the ASGI layer in which a request meets its fault.

It stands inside the gate, so that a call that meets a fault has been paid for, as it would behind any
real proxy.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.responses import Response

from bio_sync.sandbox.answers import Refusal, call_of, refused, success
from bio_sync.sandbox.fault_rules import WITHOUT_BODY
from bio_sync.sandbox.spoiling import spoiled
from bio_sync.sandbox.wires import Answer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bio_sync.sandbox.answers import Call
    from bio_sync.sandbox.faults import Fault, Faults
    from bio_sync.sandbox.service import Service

_MADE_UP = {"title": "This answer is made up: the request met a fault and was not carried out.", "page_data": {}}


class InjectFaults:
    """ASGI layer: the first matching fault has its way with a request before the application."""

    def __init__(self, app: ASGIApp, service: Service, faults: Faults, ending: asyncio.Event) -> None:
        """Wrap `app`, which serves `service`; `ending` cuts every delay short when the server stops."""
        self._app = app
        self._service = service
        self._faults = faults
        self._ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; public pages pass."""
        call = call_of(scope)
        fault = self._faults.take(scope["method"], scope["path"]) if call else None
        if call is None or fault is None:
            await self._app(scope, receive, send)
            return
        if fault.late is not None:
            scope["sandbox.call"] = replace(call, due=self._service.clock() + fault.late)
        answer: list[Message] = []
        if fault.after or fault.late is not None:
            self._service.edit_pages(fault.edits)
            await self._app(scope, receive, _keep_in(answer))
            await self._pause(fault)
        else:
            await self._pause(fault)
            self._service.edit_pages(fault.edits)
        if fault.wire is not None:
            whole = await self._to_spoil(fault, call, answer, scope, receive)
            await send(spoiled(fault.wire, whole, fault.delay))
        elif fault.status is not None:
            await _told(fault, fault.status, call)(scope, receive, send)
        elif fault.after:
            for message in answer:
                await send(message)
        else:
            await self._app(scope, receive, send)

    async def _pause(self, fault: Fault) -> None:
        # A fault of the wire waits where it is seen that the client leaves.
        if fault.wire is None and fault.delay > 0:
            try:
                await asyncio.wait_for(self._ending.wait(), fault.delay)
            except TimeoutError:
                return

    async def _to_spoil(
        self, fault: Fault, call: Call, answer: list[Message], scope: Scope, receive: Receive
    ) -> Answer:
        """Return the whole of the answer that a fault of the wire spoils.

        Nothing is carried out by a GET, so that its own answer can always be had.
        """
        if fault.status is not None:
            return _whole(_told(fault, fault.status, call))
        if fault.after:
            return _joined(answer)
        if scope["method"] == "GET":
            await self._app(scope, receive, _keep_in(answer))
            return _joined(answer)
        return _whole(success(call, _MADE_UP, self._service.behaviour.rate_limit))


def _keep_in(answer: list[Message]) -> Send:
    async def keep(message: Message) -> None:
        answer.append(message)

    return keep


def _joined(answer: list[Message]) -> Answer:
    start, *bodies = answer
    return Answer(start["status"], tuple(start["headers"]), b"".join(message["body"] for message in bodies))


def _whole(response: Response) -> Answer:
    return Answer(response.status_code, tuple(response.raw_headers), bytes(response.body))


def _told(fault: Fault, status: int, call: Call) -> Response:
    """Return the answer that stands in a fault's members."""
    if status in WITHOUT_BODY:
        response = Response(status_code=status)
    elif fault.body is not None:
        response = Response(fault.body, status, media_type="text/html")
    else:
        refusal = Refusal(status, fault.message, code=fault.code, headers=call.standing.headers())
        response = refused(refusal, call.request_id, None)
    for name, value in fault.headers.items():
        response.headers[name] = value
    return response
