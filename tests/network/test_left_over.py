"""What a service sends unasked is never the answer to the next request (RFC 9112, section 9.2)."""

from __future__ import annotations

import inspect
import ssl
from types import SimpleNamespace
from typing import TYPE_CHECKING

import h11
import pytest
from httpcore._backends.sync import TLSinTLSStream

from bio_sync.transport.sockets import _is_clean
from tests.network.test_tls import OPENSSL, own_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.network.conftest import Connect, StartServer, Wire

__all__ = ["own_context"]
KEPT = {"Connection": "keep-alive"}


def titled(wire: Wire, title: str) -> bytes:
    return wire.data(wire.page(title=title), headers=KEPT)


def chunked(answer: bytes) -> bytes:
    """Give the same answer in a chunk, whose end no header tells."""
    body = answer.partition(b"\r\n\r\n")[2]
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"


UNASKED: dict[str, Callable[[bytes], bytes]] = {
    "an answer": lambda stale: stale,
    "half a head": lambda stale: stale[:30],
    "half a body": lambda stale: stale[:-10],
    "all but its last byte": lambda stale: stale[:-1],
    "a line": lambda _: b"\r\n",
    "a refusal": lambda _: b"HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n",
    "no HTTP": lambda _: b"x",
}


@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("what", UNASKED)
def test_an_answer_that_came_before_its_request_is_not_taken_for_one(
    what: str, framing: str, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    answer = titled(wire, "Old") if framing == "length" else chunked(titled(wire, "Old"))
    server = serve(answer + UNASKED[what](titled(wire, "Stale")), titled(wire, "Now"), keeps=True)
    api = connect(server.url)
    assert api.get_page("bio_1").content.title == "Old"
    stored, _ = api.update("bio_1", {"title": "Now"})
    assert (stored.content.title, api.get_page("bio_1").content.title) == ("Now", "Now")
    assert (len(server.asked), server.connections) == (3, 2)


def test_a_connection_that_tells_nothing_of_itself_is_not_used_again() -> None:
    assert not _is_clean(object())


@pytest.mark.skipif(OPENSSL is None, reason="the certificate is made by the openssl command")
def test_nothing_is_left_over_within_tls(
    own_context: ssl.SSLContext, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(titled(wire, "Old") + titled(wire, "Stale"), titled(wire, "Now"), keeps=True, tls=own_context)
    api = connect(server.url)
    assert [api.get_page("bio_1").content.title for _ in range(3)] == ["Old", "Now", "Now"]
    assert server.connections == 2


def test_what_waits_to_be_decrypted_within_a_proxy_s_tls_is_seen() -> None:
    # The stream keeps it under this name; a handshake within a handshake is not played here.
    assert "self._incoming = ssl.MemoryBIO()" in inspect.getsource(TLSinTLSStream.__init__)
    waiting = ssl.MemoryBIO()
    stream = SimpleNamespace(_incoming=waiting)
    connection = SimpleNamespace(
        _connection=SimpleNamespace(_h11_state=h11.Connection(h11.CLIENT), _network_stream=stream)
    )
    assert _is_clean(connection)
    waiting.write(b"x")
    assert not _is_clean(connection)
