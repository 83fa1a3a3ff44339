"""How much the service for measuring can take: so much more than any client asks for that it is not what is measured.

Requests are written by the batch on one connection and the answers only counted by their bytes, so that this side
costs next to nothing and the service is what is busy.
"""

import json
import socket
import time
from dataclasses import dataclass

from benchmarks.service import Service
from benchmarks.workspaces import desired, page_id

BATCH = 64
TRIES = 3


@dataclass(frozen=True, slots=True)
class Load:
    """Requests a second of one kind that the service answers when nothing else holds it up."""

    kind: str
    per_second: float


def loads(service: Service, seconds: float) -> list[Load]:
    """Load the service of a workspace of 200 pages or more, three times so many seconds a kind; the best one counts."""
    path = f"/api/v1/bio/pages/{page_id(7)}"
    body = json.dumps({"page_data": desired(7)["page_data"]})
    requests = {
        "list": _request("GET", "/api/v1/bio/pages?limit=200&offset=0"),
        "get": _request("GET", path),
        "patch": _request("PATCH", path, body),
    }
    return [
        Load(kind, max(_per_second(service, request, seconds) for _ in range(TRIES)))
        for kind, request in requests.items()
    ]


def _request(method: str, path: str, body: str = "") -> bytes:
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer k\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode("ascii")


def _per_second(service: Service, request: bytes, seconds: float) -> float:
    service.reset()
    name, _, port = service.host.partition(":")
    buffer = bytearray(1 << 20)
    with socket.create_connection((name, int(port)), timeout=30) as connection:
        connection.sendall(request)
        answer = answer_length(connection)
        batch = max(1, min(BATCH, (4 << 20) // answer))
        begun, answered = time.perf_counter(), 0
        while (passed := time.perf_counter() - begun) < seconds:
            connection.sendall(request * batch)
            left = answer * batch
            while left:
                left -= connection.recv_into(buffer, min(left, len(buffer)))
            answered += batch
    if service.asked().all_calls != answered + 1:
        raise RuntimeError("the service has not counted as many calls as were answered: the load is not what it seems")
    return answered / passed


def answer_length(connection: socket.socket) -> int:
    """Read one answer, and give its length in bytes: of the same request all have the same."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(1 << 16)
    head, _, body = got.partition(b"\r\n\r\n")
    (told,) = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    length = int(told.partition(b":")[2])
    left = length - len(body)
    while left:
        left -= len(connection.recv(min(left, 1 << 16)))
    return len(head) + 4 + length
