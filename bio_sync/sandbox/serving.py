"""Serving: uvicorn in a daemon thread on a loopback socket, quick to start and quick to end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import threading
from typing import TYPE_CHECKING, Any, cast

import uvicorn

from bio_sync.sandbox.dated import DateAnswers
from bio_sync.sandbox.gate import Gate
from bio_sync.sandbox.injection import InjectFaults
from bio_sync.sandbox.recording import Record, RecordRequests
from bio_sync.sandbox.routes import application
from bio_sync.sandbox.spoiling import Connection, SpoilAnswers

if TYPE_CHECKING:
    from bio_sync.sandbox.faults import Faults
    from bio_sync.sandbox.service import Service

LOOPBACK = "127.0.0.1"


class Server(uvicorn.Server):
    """uvicorn without its polling and, as it never runs in the main thread, without signal handlers."""

    def __init__(self, service: Service, faults: Faults, record: Record, listener: socket.socket) -> None:
        """Prepare to serve on a bound listener, which the server closes in the end."""
        self._listener = listener
        # The event belongs to the server's loop, and is set from there only.
        self._ending = asyncio.Event()
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        connections: set[Connection] = set()
        inner = Gate(InjectFaults(application(service), service, faults, self._ending), service)
        dated = DateAnswers(RecordRequests(inner, record, service.clock), service.clock)
        app = SpoilAnswers(dated, connections, self._ending)
        super().__init__(_configuration(app))
        self.server_state.connections = cast("Any", connections)
        self._thread = threading.Thread(target=self.run, args=([listener],), name="sandbox", daemon=True)

    def start(self) -> None:
        """Start the thread and return once it serves."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """End the thread; answers under way get a second to go out."""
        if self._loop is not None:
            # The loop is closed already when the thread died of an error, which it has printed.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()
        self._listener.close()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until the end; whoever waits for the start is released even when there is none."""
        try:
            super().run(sockets)
        finally:
            self._ready.set()

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn's own loop looks for it ten times a second."""
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let answers under way go out, then close what is open; uvicorn's own sleeps 100 ms at least."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in tuple(self.server_state.connections):
            connection.shutdown()
        await self._finish_tasks()
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        await self._finish_tasks()
        # One turn of the loop, in which the closed connections give up their sockets.
        await asyncio.sleep(0)

    async def _finish_tasks(self) -> None:
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=1)


def bound(port: int) -> socket.socket:
    """Return a socket that listens on the loopback port; 0 takes a free one.

    Raises:
        OSError: the port is taken or not ours to take.
        ValueError: there is no such port.
    """
    if not 0 <= port <= 65535:
        raise ValueError(f"{port} is not a port: 0 to 65535")
    # The protocol is named because asyncio sets TCP_NODELAY only on sockets that say TCP; without it
    # every answer, sent in two parts, waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # Without it a port stays taken for a minute after the run before; on Windows it would let
        # two programs share one.
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        taken = error.errno == errno.EADDRINUSE
        reason = "another program uses this port" if taken else error.strerror
        raise OSError(f"can not listen on {LOOPBACK}:{port}: {reason}") from error
    return listener


def _configuration(app: SpoilAnswers) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
    )
