"""A server that answers with scripted bytes, a clock that moves by sleeping only, and clients that use both."""

from __future__ import annotations

import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from bio_sync.api import Api, WritingApi
from bio_sync.key import ApiKey

if TYPE_CHECKING:
    import ssl

SECRET = "S3cr3t-" + "Zq9_xW4vKp7LmN2bRt8Y" * 2
PREFIX = "xqr_pk_0a1b2c3d"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came over the wire; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Reply = bytes | Iterable[bytes] | None
Answer = Reply | Callable[[Asked], Reply]


class RawServer(socketserver.ThreadingTCPServer):
    """Answers the n-th request with the n-th answer, the last one again and again, and closes the connection.

    An answer is bytes, a stream of them, a function that makes either of a request, or None: a reset. With `keeps`
    a connection stays open for more requests; with `tls` it speaks that.
    """

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, *answers: Answer, keeps: bool = False, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.keeps, self.tls = keeps, tls
        self.asked: list[Asked] = []
        self.connections = 0
        self.ending = threading.Event()
        self._answers = answers
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://{self.address}/api/v1"

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, client = super().get_request()
        if self.tls:
            # The handshake is made by the handler's first read, in its own thread.
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, client

    def answer_to(self, asked: Asked) -> Reply:
        with self._lock:
            answer = self._answers[min(len(self.asked), len(self._answers) - 1)]
            self.asked.append(asked)
        return answer(asked) if callable(answer) else answer

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self.connections += 1
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def stop(self) -> None:
        self.ending.set()
        self.shutdown()
        with self._lock:
            for connection in self._open:
                # The client may have left already.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that leaves in the middle is what many of these tests are about."""


class _Handler(socketserver.StreamRequestHandler):
    server: RawServer
    timeout = 10

    def handle(self) -> None:
        self.server.opened(self.connection)
        try:
            while (asked := self._asked()) and self._answer(self.server.answer_to(asked)):
                pass
        finally:
            self.server.closed(self.connection)

    def _answer(self, reply: Reply) -> bool:
        """Send an answer, and tell whether the connection stays open."""
        if reply is None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        for part in [reply] if isinstance(reply, bytes) else reply:
            self.connection.sendall(part)
        return self.server.keeps

    def finish(self) -> None:
        self.wfile.close()
        self.rfile.close()

    def _asked(self) -> Asked | None:
        first = self.rfile.readline().decode("latin-1").split()
        if len(first) != 3:
            return None
        headers: dict[str, str] = {}
        while line := self.rfile.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return Asked(first[0], first[1], headers, self.rfile.read(int(headers.get("content-length", "0"))))


class Wire:
    """Makes bytes of answers."""

    def raw(self, body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> bytes:
        """Give an HTTP answer around any body."""
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
        lines = [f"{name}: {value}" for name, value in (fields | (headers or {})).items()]
        return "\r\n".join([f"HTTP/1.1 {status} Said", *lines, "", ""]).encode("latin-1") + body

    def json(self, value: object, *, status: int = 200, headers: dict[str, str] | None = None) -> bytes:
        """Give an HTTP answer around a JSON value."""
        return self.raw(json.dumps(value).encode("ascii"), status=status, headers=headers)

    def data(self, data: object, *, rate_limit: object = None, headers: dict[str, str] | None = None) -> bytes:
        """Give a success as xQR tells it."""
        meta = {"request_id": "req_1"} | ({} if rate_limit is None else {"rate_limit": rate_limit})
        return self.json({"data": data, "meta": meta}, headers=headers)

    def error(
        self, status: int, code: str | None = None, message: str = "No.", headers: dict[str, str] | None = None
    ) -> bytes:
        """Give a refusal as xQR tells it."""
        error = {"message": message, "status": status} | ({} if code is None else {"code": code})
        return self.json({"error": error, "meta": {"request_id": "req_1"}}, status=status, headers=headers)

    def page(self, page_id: str = "bio_1", **members: object) -> dict[str, object]:
        """Give a page as xQR shows it."""
        page: dict[str, object] = {"id": page_id, "title": page_id, "description": None, "page_data": {}}
        return page | {"is_published": True} | members


@dataclass
class Hands:
    """A clock that moves only when somebody sleeps; every sleep is remembered."""

    now: float = 1_000.0
    sleeps: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> float:
        with self._lock:
            return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.sleeps.append(seconds)
            self.now += seconds


StartServer = Callable[..., RawServer]
Connect = Callable[..., WritingApi]


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def key() -> ApiKey:
    return ApiKey(f"{PREFIX}.{SECRET}")


@pytest.fixture
def serve() -> Iterator[StartServer]:
    """Start `serve(answer, answer, …)`; it is stopped after the test."""
    running: list[RawServer] = []

    def start(*answers: Answer, **how: Any) -> RawServer:
        running.append(RawServer(*answers, **how))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def connect(serve: StartServer, key: ApiKey, hands: Hands) -> Iterator[Connect]:
    """Give `connect(url)`, a client that can write and whose sleeps cost nothing; `reading=True` one that can't."""
    del serve  # the servers outlive the clients
    opened: list[Api] = []

    def start(url: str, *, reading: bool = False, **options: Any) -> Api:
        settings: dict[str, Any] = {"timeout": 5.0, "clock": hands, "sleep": hands.sleep} | options
        own = settings.pop("key", None)
        api = (Api if reading else WritingApi)(url, ApiKey(own) if own else key, **settings)
        opened.append(api)
        return api

    yield start  # type: ignore[misc]
    for api in opened:
        api.__exit__(None, None, None)
