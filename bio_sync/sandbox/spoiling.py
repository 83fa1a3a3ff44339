"""Spoiling: wire faults carried out on the socket, by the outermost ASGI layer, which alone touches one.

A fault travels here as an ASGI message of our own, SPOIL, past the record of requests.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
import struct
from typing import TYPE_CHECKING, Any, Protocol

from bio_sync.sandbox.wires import SPOIL, Answer, Wire, parts, told_status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bio_sync.sandbox.wires import Part

# Beyond this a client does not read what it is sent, and more would only fill the memory.
_BACKLOG = 512 * 1024
_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Connection(Protocol):
    """An open connection, as the server keeps it."""

    client: tuple[str, int] | None
    transport: asyncio.Transport


def spoiled(wire: Wire, answer: Answer, delay: float) -> Message:
    """Return the message that spoils an answer, with the status that the client gets to see."""
    return {
        "type": SPOIL,
        "status": told_status(wire, answer),
        "reset": wire == "reset",
        "parts": parts(wire, answer, delay),
    }


class SpoilAnswers:
    """ASGI layer, the outermost: writes what a SPOIL message says, and ends the connection."""

    def __init__(self, app: ASGIApp, connections: Iterable[Connection], ending: asyncio.Event) -> None:
        """Wrap `app`; `connections` is the server's live collection of them, `ending` is set when it stops."""
        self._app = app
        self._connections = connections
        self._ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def spoil_or_send(message: Message) -> None:
            if message["type"] == SPOIL:
                await self._spoil(scope, receive, message)
            else:
                await send(message)

        await self._app(scope, receive, spoil_or_send)

    async def _spoil(self, scope: Scope, receive: Receive, message: Message) -> None:
        left = asyncio.create_task(_left(receive))
        ending = asyncio.create_task(self._ending.wait())
        transport = self._transport(scope["client"])
        try:
            if transport is not None:
                await _play(transport, message["parts"], {left, ending})
                await _end(transport, {left, ending}, reset=message["reset"])
        finally:
            if transport is not None:
                transport.abort()
            ending.cancel()
            # uvicorn takes an application that returns unanswered for broken, unless the client has left.
            await asyncio.wait({left, ending})

    def _transport(self, client: object) -> asyncio.Transport | None:
        for connection in tuple(self._connections):
            if connection.client == client:
                return connection.transport
        return None


async def _play(transport: asyncio.Transport, sent: Iterator[Part], over: set[asyncio.Task[Any]]) -> None:
    """Write part after part, until one of `over` is done."""
    for part, pause in sent:
        if transport.get_write_buffer_size() < _BACKLOG:
            transport.write(part)
        if pause:
            await _wait(over, pause)
        if any(task.done() for task in over):
            return


async def _end(transport: asyncio.Transport, over: set[asyncio.Task[Any]], *, reset: bool) -> None:
    """End the connection: at once with a reset, else in order, when everything is written."""
    if transport.is_closing():
        return
    if reset:
        # With nothing to linger for, the system drops the connection by RST instead of FIN.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        return
    transport.close()
    await _wait(over, math.inf)


async def _wait(over: set[asyncio.Task[Any]], seconds: float) -> None:
    timeout = None if seconds == math.inf else seconds
    await asyncio.wait(over, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
