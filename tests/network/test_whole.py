"""What an answer may be: not elsewhere, not packed, not larger than 32 MiB."""

from __future__ import annotations

import gzip
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from bio_sync.errors import (
    NotAnAnswer,
    Rejected,
    UnclearWrite,
)
from tests.network.asks import WRITES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.network.conftest import Asked, Connect, StartServer, Wire


# ---- redirects


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308])
@pytest.mark.parametrize("body", ["nothing", "envelope"])
@pytest.mark.parametrize("place", ["same", "other"])
def test_a_redirect_is_never_followed(
    place: str, body: str, status: int, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    other = serve(wire.data(wire.page()))

    def elsewhere(asked: Asked) -> bytes:
        target = asked.target if place == "same" else f"{other.url}/bio/pages/bio_1"
        content = b"" if body == "nothing" else b'{"error": {"code": "MOVED", "message": "Moved."}}'
        return wire.raw(content, status=status, headers={"Location": target})

    server = serve(elsewhere)
    api = connect(server.url)
    for read in (lambda: api.get_page("bio_1"), api.list_pages):
        with pytest.raises(Rejected):
            read()
    for write in WRITES.values():
        with pytest.raises(Rejected):
            write(api)
    assert len(server.asked) == 5
    assert other.connections == 0


@pytest.mark.parametrize(
    "location",
    ["", "//", "http://", "http://[", "https://:99999/", "javascript:x", "http://\xff/", "\x7f", "http://a b/"],
)
def test_a_malformed_redirect_is_one_of_our_errors(
    location: str, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    api = connect(serve(wire.raw(b"", status=302, headers={"Location": location})).url)
    with pytest.raises(Rejected):
        api.get_page("bio_1")
    with pytest.raises(Rejected):
        api.update("bio_1", {"title": "A"})


# ---- size


def endless(block: bytes, *, head: bytes = b"") -> Callable[[Asked], Iterator[bytes]]:
    def stream(_: Asked) -> Iterator[bytes]:
        yield head or b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        while True:
            yield block

    return stream


@pytest.mark.parametrize("framing", ["until the end", "with a length", "in chunks"])
def test_an_answer_of_more_than_32_mib_is_refused(framing: str, serve: StartServer, connect: Connect) -> None:
    head = {
        "until the end": b"\r\n",
        "with a length": b"Content-Length: 99999999999\r\n\r\n",
        "in chunks": b"Transfer-Encoding: chunked\r\n\r\n",
    }[framing]
    block = b" " * 2**20
    block = b"100000\r\n" + block + b"\r\n" if framing == "in chunks" else block
    server = serve(endless(block, head=b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + head))
    with pytest.raises(UnclearWrite, match="larger than 32 MiB"):
        connect(server.url).update("bio_1", {"title": "A"})


def test_an_answer_of_32_mib_is_read_and_one_byte_more_is_not(serve: StartServer, connect: Connect, wire: Wire) -> None:
    body = wire.data(wire.page()).partition(b"\r\n\r\n")[2]
    full = body + b" " * (32 * 2**20 - len(body))
    api = connect(serve(wire.raw(full), wire.raw(full + b" ")).url)
    assert api.update("bio_1", {"title": "A"})[0].page_id == "bio_1"
    with pytest.raises(UnclearWrite, match="larger than 32 MiB"):
        api.update("bio_1", {"title": "A"})


def test_refusing_a_large_answer_takes_little_memory(serve: StartServer, connect: Connect) -> None:
    api = connect(serve(endless(b" " * 2**20)).url)
    tracemalloc.start()
    try:
        with pytest.raises(UnclearWrite, match="larger than 32 MiB"):
            api.update("bio_1", {"title": "A"})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 80 * 2**20


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip"])
def test_a_packed_answer_is_refused(coding: str, serve: StartServer, connect: Connect, wire: Wire) -> None:
    body = gzip.compress(wire.data(wire.page()))
    server = serve(wire.raw(body, headers={"Content-Encoding": coding}))
    with pytest.raises(NotAnAnswer, match="packed"):
        connect(server.url).get_page("bio_1")
    assert len(server.asked) == 1


def test_a_plain_answer_may_say_so(serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.data(wire.page(), headers={"Content-Encoding": "Identity"}))
    assert connect(server.url).get_page("bio_1").page_id == "bio_1"


def test_endless_headers_are_refused(serve: StartServer, connect: Connect) -> None:
    server = serve(endless(b"X-Filler: " + b"x" * 1000 + b"\r\n", head=b"HTTP/1.1 200 OK\r\n"))
    with pytest.raises(UnclearWrite):
        connect(server.url).update("bio_1", {"title": "A"})
