"""Patience and caution: what is tried again and how often, the pace, and the size and time of an answer."""

from __future__ import annotations

import gzip
import itertools
import socket
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bio_sync.errors import (
    NotAnAnswer,
    QuotaUsedUp,
    Rejected,
    ServiceError,
    TooManyRequests,
    UnclearWrite,
    Unreachable,
)
from bio_sync.sandbox import Behaviour, Fault, Sandbox
from bio_sync.transport import SHARE_OF_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bio_sync.api import WritingApi
    from tests.network.conftest import Answer, Asked, Connect, Hands, RawServer, StartServer, Wire

TRY_LATER = [408, 500, 502, 503, 504]
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


def unused_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/api/v1"


# ---- what is tried again


@pytest.mark.parametrize("status", TRY_LATER)
def test_a_read_is_tried_three_times_more_when_the_service_fails(
    status: int, serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    server = serve(wire.error(status))
    with pytest.raises(NotAnAnswer, match=f"fault of its own \\({status}\\)"):
        connect(server.url).get_page("bio_1")
    assert len(server.asked) == 4
    assert len([seconds for seconds in hands.sleeps if seconds]) >= 3


@pytest.mark.parametrize("what", LOST)
def test_a_read_is_tried_three_times_more_when_its_answer_is_lost(
    what: str, serve: StartServer, connect: Connect
) -> None:
    server = serve(LOST[what])
    with pytest.raises(Unreachable, match="lost on its way"):
        connect(server.url).get_page("bio_1")
    assert len(server.asked) == 4


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_a_read_that_succeeds_at_last_is_a_read(
    failures: int, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(*itertools.islice(itertools.cycle([wire.error(503), None]), failures), wire.data(wire.page()))
    assert connect(server.url).get_page("bio_1").page_id == "bio_1"
    assert len(server.asked) == failures + 1


def test_the_waits_between_reads_grow_and_are_never_the_same(
    serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    api = connect(serve(wire.error(503)).url)
    waits: list[list[float]] = []
    for _ in range(40):
        hands.sleeps.clear()
        hands.now += 60  # long enough ago that the pace asks for no wait of its own
        with pytest.raises(NotAnAnswer):
            api.get_page("bio_1")
        waits.append([seconds for seconds in hands.sleeps if seconds > 0][:6])
    totals = [sum(each) for each in waits]
    assert max(totals) <= 0.5 + 1 + 2 + 0.5
    assert len({round(total, 6) for total in totals}) > 30
    assert sum(totals) / len(totals) > 0.75


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("status", TRY_LATER)
def test_a_write_is_sent_once_when_the_service_fails(
    write: str, status: int, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.error(status))
    with pytest.raises(UnclearWrite):
        WRITES[write](connect(server.url))
    assert len(server.asked) == 1


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("what", LOST)
def test_a_write_is_sent_once_when_its_answer_is_lost(
    write: str, what: str, serve: StartServer, connect: Connect
) -> None:
    server = serve(LOST[what])
    with pytest.raises(UnclearWrite):
        WRITES[write](connect(server.url))
    assert len(server.asked) == 1


def test_a_write_that_was_carried_out_before_its_answer_was_lost_is_carried_out_once(
    start_sandbox: Callable[..., Sandbox], connect: Connect
) -> None:
    sandbox = start_sandbox([{"id": "bio_1", "title": "Old"}])
    sandbox.fail(Fault(method="PATCH", after=True, drop=True))
    with pytest.raises(UnclearWrite):
        connect(sandbox.url, key=sandbox.key).update("bio_1", {"title": "New"})
    assert sandbox.page("bio_1")["title"] == "New"
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("ask", [lambda api: api.get_page("bio_1"), *WRITES.values()])
def test_what_was_never_sent_is_tried_three_times_more(
    ask: Callable[[WritingApi], object], connect: Connect, hands: Hands
) -> None:
    api = connect(unused_address())
    with pytest.raises(Unreachable, match="does not answer"):
        ask(api)
    assert api.meter.calls == 0
    assert len(hands.sleeps) >= 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 413, 422, 501, 505])
def test_a_refusal_is_final(status: int, serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.error(status, "SOME_CODE"))
    api = connect(server.url)
    for ask in (lambda: api.get_page("bio_1"), lambda: api.update("bio_1", {"title": "A"})):
        with pytest.raises(ServiceError):
            ask()
    assert len(server.asked) == 2


# ---- the second's limit, and the month's


@pytest.mark.parametrize("ask", [lambda api: api.get_page("bio_1"), *WRITES.values()])
def test_a_burst_is_waited_for_as_long_as_the_service_says(
    ask: Callable[[WritingApi], object], serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    burst = wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": "7"})
    server = serve(burst, burst, wire.data(wire.page()))
    ask(connect(server.url))
    assert len(server.asked) == 3
    assert [7 <= seconds <= 7.25 for seconds in hands.sleeps] == [True, True]


@pytest.mark.parametrize("ask", [lambda api: api.get_page("bio_1"), *WRITES.values()])
def test_a_burst_is_waited_for_five_times(
    ask: Callable[[WritingApi], object], serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": "1"}))
    with pytest.raises(TooManyRequests) as caught:
        ask(connect(server.url))
    assert len(server.asked) == 6
    assert not caught.value.stops_the_run


@pytest.mark.parametrize("after", ["31", "3600", "999999999999999"])
def test_a_burst_is_never_waited_for_longer_than_30_seconds_at_a_time(
    after: str, serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    burst = wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": after})
    connect(serve(burst, wire.data(wire.page())).url).update("bio_1", {"title": "New"})
    assert [30 <= seconds <= 30.25 for seconds in hands.sleeps] == [True]


def test_a_burst_that_asks_for_30_seconds_is_waited_for(
    serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    burst = wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": "30"})
    connect(serve(burst, wire.data(wire.page())).url).get_page("bio_1")
    assert 30 <= hands.sleeps[0] <= 30.25


@pytest.mark.parametrize("after", ["soon", "-1", "", "1.5", "Sun, 22 Nov 2026 10:00:00 GMT", "\xb2", "9" * 30])
def test_a_malformed_wait_is_one_second(
    after: str, serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    burst = wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": after})
    connect(serve(burst, wire.data(wire.page())).url).get_page("bio_1")
    assert 1 <= hands.sleeps[0] <= 1.25


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}])
@pytest.mark.parametrize("ask", [lambda api: api.get_page("bio_1"), *WRITES.values()])
def test_the_end_of_the_month_is_final_and_stops_the_run(
    ask: Callable[[WritingApi], object], headers: dict[str, str], serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.error(429, "RATE_LIMIT_EXCEEDED", headers=headers))
    with pytest.raises(QuotaUsedUp) as caught:
        ask(connect(server.url))
    assert len(server.asked) == 1
    assert caught.value.stops_the_run


def test_a_used_up_month_of_a_real_workspace_costs_one_request(
    start_sandbox: Callable[..., Sandbox], connect: Connect
) -> None:
    sandbox = start_sandbox([{"id": "bio_1"}], monthly_limit=5)
    sandbox.use_up(5)
    with pytest.raises(QuotaUsedUp):
        connect(sandbox.url, key=sandbox.key).update("bio_1", {"title": "New"})
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("body", [b"", b"slow down", b"[]", b"{}", b'{"error": 7}', b"[" * 100_000, b"\xff"])
def test_a_429_of_something_in_between_is_waited_for_when_it_says_how_long(
    body: bytes, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.raw(body, status=429, headers={"Retry-After": "2"}), wire.data(wire.page()))
    assert connect(server.url).get_page("bio_1").page_id == "bio_1"


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


# ---- the pace


@pytest.mark.parametrize(("limit", "requests"), [(1, 5), (10, 30), (50, 120), (200, 300)])
def test_requests_keep_just_under_the_limit_of_the_service(
    limit: int, requests: int, serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    api = connect(serve(wire.data(wire.page(), headers={"X-RateLimit-Burst-Limit": str(limit)})).url)
    api.get_page("bio_1")
    started = hands.now
    for _ in range(requests):
        api.get_page("bio_1")
    assert hands.now - started == pytest.approx(requests / (limit * SHARE_OF_LIMIT))


@pytest.mark.parametrize("place", ["header", "meta"])
def test_the_pace_is_learned_wherever_the_service_tells_it(
    place: str, serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    answer = {
        "header": wire.data(wire.page(), headers={"X-RateLimit-Burst-Limit": "50"}),
        "meta": wire.data(wire.page(), rate_limit={"burst_limit": 50}),
    }[place]
    api = connect(serve(answer).url)
    for _ in range(11):
        api.get_page("bio_1")
    assert sum(hands.sleeps) == pytest.approx(10 / (50 * SHARE_OF_LIMIT))


def test_the_pace_is_ten_a_second_until_the_service_tells_another(
    serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    api = connect(serve(wire.data(wire.page())).url)
    for _ in range(11):
        api.get_page("bio_1")
    assert sum(hands.sleeps) == pytest.approx(10 / (10 * SHARE_OF_LIMIT))


def test_a_request_after_a_pause_does_not_wait(serve: StartServer, connect: Connect, hands: Hands, wire: Wire) -> None:
    api = connect(serve(wire.data(wire.page())).url)
    api.get_page("bio_1")
    hands.now += 60
    api.get_page("bio_1")
    assert hands.sleeps == []


@given(limit=st.integers(1, 60), requests=st.integers(1, 40))
@example(limit=1, requests=5)
def test_a_quiet_key_meets_no_429_at_any_limit(limit: int, requests: int, connect: Connect, hands: Hands) -> None:
    behaviour = Behaviour(burst_limit=limit, monthly_limit=10**6)
    with Sandbox([{"id": "bio_1"}], behaviour=behaviour, clock=hands) as sandbox:
        api = connect(sandbox.url, key=sandbox.key)
        for _ in range(requests):
            api.get_page("bio_1")
        api.__exit__(None, None, None)
        assert [request.status for request in sandbox.requests] == [200] * requests


def test_threads_share_one_pace(serve: StartServer, connect: Connect, wire: Wire) -> None:
    api = connect(
        serve(wire.data(wire.page(), headers={"X-RateLimit-Burst-Limit": "50"})).url,
        clock=time.monotonic,
        sleep=time.sleep,
    )
    api.get_page("bio_1")
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: api.get_page("bio_1"), range(30)))
    assert time.monotonic() - started >= 29 / (50 * SHARE_OF_LIMIT)


def test_threads_take_turns_none_twice(serve: StartServer, connect: Connect, wire: Wire) -> None:
    turns: list[float] = []
    api = connect(serve(wire.data(wire.page())).url, clock=lambda: 0.0, sleep=turns.append)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: api.get_page("bio_1"), range(40)))
    step = 1 / (10 * SHARE_OF_LIMIT)
    assert sorted(turns) == pytest.approx([turn * step for turn in range(1, 40)])


def test_sixty_writes_at_fifty_a_second_meet_no_429(start_sandbox: Callable[..., Sandbox], connect: Connect) -> None:
    sandbox = start_sandbox([{"id": "bio_1"}], burst_limit=50)
    api = connect(sandbox.url, key=sandbox.key, clock=time.monotonic, sleep=time.sleep)
    started = time.monotonic()
    for number in range(60):
        api.update("bio_1", {"title": str(number)})
    assert [request.status for request in sandbox.requests] == [200] * 60
    assert time.monotonic() - started < 12


# ---- size and time


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


def slowly(server: list[RawServer], text: bytes, pause: float) -> Callable[[Asked], Iterator[bytes]]:
    def stream(_: Asked) -> Iterator[bytes]:
        for position in range(len(text)):
            if server[0].ending.wait(pause):
                return
            yield text[position : position + 1]

    return stream


@pytest.mark.parametrize("write", WRITES)
def test_a_body_that_drips_ends_at_the_timeout(write: str, serve: StartServer, connect: Connect) -> None:
    servers: list[RawServer] = []

    def answer(asked: Asked) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        yield from slowly(servers, b" " * 1_500, 0.02)(asked)

    servers.append(serve(answer))
    api = connect(servers[0].url, timeout=0.3, clock=time.monotonic)
    started = time.monotonic()
    with pytest.raises(UnclearWrite, match=r"longer than 0\.3 seconds"):
        WRITES[write](api)
    assert 0.25 < time.monotonic() - started < 15


@pytest.mark.parametrize("opening", ["head", "103"])
@pytest.mark.parametrize("write", WRITES)
def test_a_head_that_never_ends_ends_at_the_timeout(
    write: str, opening: str, serve: StartServer, connect: Connect
) -> None:
    servers: list[RawServer] = []

    def answer(asked: Asked) -> Iterator[bytes]:
        while opening == "103" and not servers[0].ending.wait(0.02):
            yield b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
        yield from slowly(servers, b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1_500, 0.02)(asked)

    servers.append(serve(answer))
    api = connect(servers[0].url, timeout=0.3, clock=time.monotonic)
    started = time.monotonic()
    with pytest.raises(UnclearWrite, match=r"longer than 0\.3 seconds"):
        WRITES[write](api)
    assert 0.25 < time.monotonic() - started < 15
    assert len(servers[0].asked) == 1


def test_a_deadline_that_passed_leaves_the_next_request_alone(serve: StartServer, connect: Connect, wire: Wire) -> None:
    servers: list[RawServer] = []
    servers.append(serve(slowly(servers, b"x" * 20, 0.1), wire.data(wire.page())))
    api = connect(servers[0].url, timeout=0.3, clock=time.monotonic)
    with pytest.raises(UnclearWrite):
        api.update("bio_1", {"title": "A"})
    assert api.get_page("bio_1").page_id == "bio_1"


def test_silence_ends_at_the_timeout(serve: StartServer, connect: Connect) -> None:
    servers: list[RawServer] = []
    servers.append(serve(slowly(servers, b"x", 60)))
    api = connect(servers[0].url, timeout=0.2, clock=time.monotonic)
    started = time.monotonic()
    with pytest.raises(UnclearWrite):
        api.update("bio_1", {"title": "A"})
    assert 0.15 < time.monotonic() - started < 15


def test_a_read_that_runs_out_of_time_is_tried_three_times_more(serve: StartServer, connect: Connect) -> None:
    servers: list[RawServer] = []
    servers.append(serve(slowly(servers, b"x", 60)))
    with pytest.raises(Unreachable):
        connect(servers[0].url, timeout=0.1, clock=time.monotonic).get_page("bio_1")
    assert len(servers[0].asked) == 4


def test_endless_headers_are_refused(serve: StartServer, connect: Connect) -> None:
    server = serve(endless(b"X-Filler: " + b"x" * 1000 + b"\r\n", head=b"HTTP/1.1 200 OK\r\n"))
    with pytest.raises(UnclearWrite):
        connect(server.url).update("bio_1", {"title": "A"})
