"""Faults of the wire, looked at through raw sockets: what leaves, how it ends, and that it does end."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from bio_sync.sandbox import Behaviour, Fault, Sandbox
from bio_sync.sandbox.serving import Server
from bio_sync.sandbox.wires import WIRES

Serve = Callable[..., Sandbox]
Ask = Callable[..., httpx.Response]

PAGE = {"id": "bio_acme", "title": "Acme"}
ENDING = ("truncate", "truncate-chunk", "silent-truncate")
# Each with the seconds of its pauses or of its delay: what does not see its client leave lasts longer than SOON.
LASTING = (("trickle", 120.0), ("hints", 120.0), ("endless", 0.0), ("hang", 0.0), ("reset", 120.0), ("close", 120.0))
# Generous: what is waited for comes within milliseconds on a quiet machine.
SOON = 60.0


@contextmanager
def opened(
    sandbox: Sandbox, method: str = "GET", path: str = "/bio/pages/bio_acme", **fields: object
) -> Iterator[socket.socket]:
    """Send one request over a socket of its own; what comes back is read by the test."""
    host, port = sandbox.address.removeprefix("http://").split(":")
    body = json.dumps(fields).encode() if fields else b""
    head = (
        f"{method} /api/v1{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {sandbox.key}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=SOON) as connection:
        connection.sendall(head.encode() + body)
        yield connection


def rest(connection: socket.socket) -> bytes:
    """Read until the other side closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def split(raw: bytes) -> tuple[str, dict[str, str], bytes]:
    """Return the status line, the headers by lower-case name, and the bytes of the body as they came."""
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    return line, {name.lower(): value for name, value in (each.split(": ", 1) for each in lines)}, body


def idle(sandbox: Sandbox) -> bool:
    """Wait until the server has no request under way."""
    assert sandbox._server is not None
    deadline = time.monotonic() + SOON
    while sandbox._server.server_state.tasks and time.monotonic() < deadline:
        time.sleep(0.005)
    return not sandbox._server.server_state.tasks


def patched(sandbox: Sandbox) -> bytes:
    with opened(sandbox, "PATCH", title="New") as connection:
        return rest(connection)


def test_a_reset_sends_no_byte_and_drops_the_connection(serve: Serve) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire="reset")])
    with opened(sandbox) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    assert sandbox.requests[0].status is None


def test_a_close_sends_no_byte_and_ends_in_order(serve: Serve) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire="close")])
    with opened(sandbox) as connection:
        assert rest(connection) == b""
    assert sandbox.requests[0].status is None


def test_a_truncated_answer_has_the_length_of_the_whole_and_half_of_the_body(serve: Serve, ask: Ask) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire="truncate", skip=1)])
    whole = ask(sandbox, "GET", "/bio/pages/bio_acme").content
    with opened(sandbox) as connection:
        line, headers, body = split(rest(connection))
    assert (line, headers["content-type"]) == ("HTTP/1.1 200 OK", "application/json")
    assert int(headers["content-length"]) == len(whole)
    assert len(body) == len(whole) // 2
    assert body[:80] == whole[:80]
    assert "x-ratelimit-limit" in headers
    assert sandbox.requests[1].status == 200


def test_a_slow_reader_gets_all_of_the_half_before_the_connection_closes(serve: Serve) -> None:
    page = {**PAGE, "page_data": {"text": "x" * 16 * 1024 * 1024}}
    sandbox = serve([page], faults=[Fault(wire="truncate")])
    with opened(sandbox) as connection:
        time.sleep(0.3)
        _, headers, body = split(rest(connection))
    assert len(body) == int(headers["content-length"]) // 2 > 8 * 1024 * 1024


def test_a_truncated_chunk_ends_in_its_middle(serve: Serve) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire="truncate-chunk")])
    with opened(sandbox) as connection:
        _, headers, body = split(rest(connection))
    size, _, content = body.partition(b"\r\n")
    assert headers["transfer-encoding"] == "chunked"
    assert "content-length" not in headers
    assert len(content) == int(size, 16) // 2
    assert content.startswith(b'{"data":{"id":"bio_acme"')


def test_a_silently_truncated_answer_ends_early_and_nothing_tells(serve: Serve) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire="silent-truncate")])
    with opened(sandbox) as connection:
        _, headers, body = split(rest(connection))
    assert headers["connection"] == "close"
    assert not {"content-length", "transfer-encoding"} & headers.keys()
    assert body.startswith(b'{"data":{"id":"bio_acme"')
    with pytest.raises(ValueError, match="line 1"):
        json.loads(body)


def test_httpx_takes_the_silent_kind_for_whole_and_the_others_for_broken(serve: Serve, ask: Ask) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire=wire) for wire in ENDING])  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            ask(sandbox, "GET", "/bio/pages")
    assert ask(sandbox, "GET", "/bio/pages").status_code == 200


def test_garbage_is_no_http(serve: Serve, ask: Ask) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire="garbage", times=2)])
    with opened(sandbox) as connection:
        raw = rest(connection)
    assert raw
    assert not raw.startswith(b"HTTP")
    with pytest.raises(httpx.RemoteProtocolError):
        ask(sandbox, "GET", "/bio/pages")


def test_a_trickle_sends_the_whole_answer_byte_by_byte(serve: Serve) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire="trickle", delay=0.001)])
    begin = time.monotonic()
    with opened(sandbox) as connection:
        raw = rest(connection)
    assert json.loads(split(raw)[2])["data"]["title"] == "Acme"
    assert time.monotonic() - begin >= 0.001 * len(raw)


def test_a_trickle_sends_a_byte_a_second_unless_told_otherwise(serve: Serve) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire="trickle")])
    begin = time.monotonic()
    with opened(sandbox) as connection:
        assert connection.recv(1) + connection.recv(1) == b"HT"
    assert 0.99 < time.monotonic() - begin < SOON


def test_hints_never_end(serve: Serve) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire="hints", delay=0.01)])
    raw = b""
    with opened(sandbox) as connection:
        while raw.count(b"HTTP/1.1 103 Early Hints\r\n") < 5:
            raw += connection.recv(65536)
    assert set(filter(None, raw.split(b"\r\n"))) == {
        b"HTTP/1.1 103 Early Hints",
        b"Link: </style.css>; rel=preload; as=style",
    }
    assert sandbox.requests[0].status is None


def test_an_endless_body_is_valid_chunks_at_a_bounded_pace(serve: Serve, http: httpx.Client) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire="endless")])
    begin, size = time.monotonic(), 0
    with http.stream("GET", f"{sandbox.url}/bio/pages", headers={"Authorization": f"Bearer {sandbox.key}"}) as answer:
        for part in answer.iter_bytes():
            size += len(part)
            if size > 4 * 1024 * 1024:
                break
    assert answer.status_code == 200
    assert time.monotonic() - begin > 0.25
    assert idle(sandbox)


def test_an_endless_body_waits_for_a_client_that_does_not_read(serve: Serve) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire="endless")])
    with opened(sandbox) as connection:
        connection.recv(1)
        time.sleep(1)
        assert sandbox._server is not None
        (server_side,) = tuple(sandbox._server.server_state.connections)
        assert server_side.transport.get_write_buffer_size() < 1024 * 1024
    assert idle(sandbox)


def test_a_packed_body_is_small_gzip_of_a_valid_envelope_of_more_than_32_mebibytes(serve: Serve) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire="packed")])
    with opened(sandbox) as connection:
        line, headers, body = split(rest(connection))
    assert (line, headers["content-encoding"]) == ("HTTP/1.1 200 OK", "gzip")
    assert int(headers["content-length"]) == len(body) < 1024 * 1024
    unpacked = zlib.decompress(body, zlib.MAX_WBITS | 16)
    assert len(unpacked) > 48 * 1024 * 1024
    assert json.loads(unpacked)["data"] == []


def test_a_hanging_request_gets_nothing(serve: Serve) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire="hang")])
    with opened(sandbox) as connection:
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert idle(sandbox)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("wire", WIRES)
def test_every_wire_spoils_a_write_carried_out_before_or_not_at_all(
    serve: Serve, wire: str, after: bool, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire=wire, after=after, delay=0.001)])  # type: ignore[arg-type]
    with opened(sandbox, "PATCH", title="New") as connection:
        if wire == "hang":
            wait_for_request(sandbox)
            connection.settimeout(0.1)
        try:
            raw = connection.recv(65536)
        except (ConnectionResetError, TimeoutError):
            raw = b""
    assert (raw == b"") == (wire in ("reset", "close", "hang"))
    assert idle(sandbox)
    assert sandbox.page("bio_acme")["title"] == ("New" if after else "Acme")
    assert [revision.request for revision in sandbox.history] == ([0] if after else [])
    (call,) = sandbox.calls
    assert call.body == {"title": "New"}
    assert call.status == (None if wire in ("reset", "close", "hang", "garbage", "hints") else 200)
    with opened(sandbox) as connection:
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
    assert not caplog.records


@pytest.mark.parametrize("wire", ENDING)
def test_a_write_that_is_not_carried_out_has_a_made_up_success_to_be_truncated(serve: Serve, wire: str) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire=wire, times=2)])  # type: ignore[arg-type]
    line, _, body = split(patched(sandbox))
    assert line == "HTTP/1.1 200 OK"
    assert b'{"data":{"title":"This answer is made up' in body


def test_what_is_made_up_is_an_envelope_without_a_page(serve: Serve) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire="trickle", delay=0.0001)])
    answer = json.loads(split(patched(sandbox))[2])
    assert answer.keys() == {"data", "meta"}
    assert "id" not in answer["data"]


def test_a_write_that_is_carried_out_has_its_true_answer_truncated(serve: Serve) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire="truncate", after=True)])
    assert b'{"data":{"id":"bio_acme","title":"New"' in split(patched(sandbox))[2]


def test_a_refusal_can_be_spoiled_too(serve: Serve) -> None:
    sandbox = serve([PAGE], faults=[Fault(502, body="<h1>Bad gateway</h1>", wire="truncate")])
    line, headers, body = split(patched(sandbox))
    assert (line, headers["content-length"], body) == ("HTTP/1.1 502 Bad Gateway", "20", b"<h1>Bad ga")
    assert sandbox.requests[0].status == 502


@pytest.mark.parametrize("wire", ["reset", "close", "garbage", "truncate", "packed"])
def test_a_wire_waits_for_its_delay_first(serve: Serve, wire: str) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire=wire, delay=0.2)])  # type: ignore[arg-type]
    begin = time.monotonic()
    with opened(sandbox) as connection:
        try:
            connection.recv(1)
        except ConnectionResetError:
            assert wire == "reset"
        assert time.monotonic() - begin >= 0.19


@pytest.mark.parametrize(("wire", "delay"), LASTING)
def test_it_ends_when_the_client_leaves(
    serve: Serve, wire: str, delay: float, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox = serve([PAGE], faults=[Fault(wire=wire, delay=delay)])  # type: ignore[arg-type]
    with opened(sandbox) as connection:
        wait_for_request(sandbox)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    assert idle(sandbox)
    assert not caplog.records


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("wire", "delay"), LASTING)
def test_it_ends_when_the_sandbox_stops(
    serve: Serve,
    wire: str,
    delay: float,
    after: bool,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def finish_by_themselves(server: Server) -> None:
        # Not cut after a second, which would look like an end on a machine that is slow enough.
        if server.server_state.tasks:
            await asyncio.wait(server.server_state.tasks, timeout=SOON)

    monkeypatch.setattr(Server, "_finish_tasks", finish_by_themselves)
    threads = threading.active_count()
    sandbox = serve([PAGE], faults=[Fault(wire=wire, delay=delay, after=after)])  # type: ignore[arg-type]
    with opened(sandbox, "PATCH", title="New"):
        wait_for_request(sandbox)
        begin = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - begin < SOON / 2
    assert threading.active_count() == threads
    assert not caplog.records


def test_many_spoiled_requests_at_once_leave_nothing_behind(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    faults = [Fault(wire=wire) for wire in WIRES * 3]  # type: ignore[arg-type]
    sandbox = serve([PAGE], faults=faults, behaviour=Behaviour(burst_limit=1000))
    all_met = threading.Event()

    def one() -> None:
        with opened(sandbox) as connection:
            all_met.wait(SOON)
            connection.settimeout(0.2)
            try:
                connection.recv(1000)
            except OSError:
                return

    workers = [threading.Thread(target=one) for _ in range(3 * len(WIRES))]
    for worker in workers:
        worker.start()
    wait_for_request(sandbox)
    all_met.set()
    for worker in workers:
        worker.join()
    assert idle(sandbox)
    assert not caplog.records


def wait_for_request(sandbox: Sandbox) -> None:
    """Wait until as many requests have arrived as there were faults, and met them."""
    deadline = time.monotonic() + SOON
    while len(sandbox.faults) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert len(sandbox.faults) == 0
