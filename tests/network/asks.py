"""What a client can be asked for, and the ways to lose an answer: shared by the tests of the layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bio_sync.api import WritingApi
    from tests.network.conftest import Answer

WRITES: dict[str, Callable[[WritingApi], object]] = {
    "update": lambda api: api.update("bio_1", {"title": "New"}),
    "publish": lambda api: api.set_published("bio_1", published=True),
    "unpublish": lambda api: api.set_published("bio_1", published=False),
}
LOST: dict[str, Answer] = {
    "a reset": None,
    "a close": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
    "half a body": b'HTTP/1.1 200 OK\r\nContent-Length: 90\r\nConnection: close\r\n\r\n{"data"',
    "half a chunk": b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n{"data"',
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
}
