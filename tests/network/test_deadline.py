"""A request takes so long and no longer, and its end is nobody else's."""

from __future__ import annotations

import gc
import random
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bio_sync.errors import (
    UnclearWrite,
    Unreachable,
)
from bio_sync.transport import Meter, Watchdog
from bio_sync.transport.deadline import Deadline
from tests.network.asks import WRITES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.network.conftest import Asked, Connect, Hands, RawServer, StartServer, Wire


def slowly(server: list[RawServer], text: bytes, pause: float) -> Callable[[Asked], Iterator[bytes]]:
    def stream(_: Asked) -> Iterator[bytes]:
        for position in range(len(text)):
            if server[0].ending.wait(pause):
                return
            yield text[position : position + 1]

    return stream


def has_been_asked(server: RawServer, count: int) -> bool:
    """Wait for what has left but may not have been read yet: on a noisy machine the server's threads are late."""
    end = time.monotonic() + 60
    while len(server.asked) < count and time.monotonic() < end:
        time.sleep(0.01)
    return len(server.asked) == count


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
    assert has_been_asked(servers[0], 1)


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


def test_a_read_that_runs_out_of_time_is_tried_three_times_more(
    serve: StartServer, connect: Connect, hands: Hands
) -> None:
    servers: list[RawServer] = []
    servers.append(serve(slowly(servers, b"x", 60)))
    with pytest.raises(Unreachable):
        connect(servers[0].url, timeout=0.3, clock=time.monotonic).get_page("bio_1")
    assert len(hands.sleeps) == 3
    assert has_been_asked(servers[0], 4)


# ---- side by side


def hung(server: list[RawServer]) -> Callable[[Asked], Iterator[bytes]]:
    """Answer with nothing until the server is stopped."""

    def stream(_: Asked) -> Iterator[bytes]:
        server[0].ending.wait(60)
        yield from ()

    return stream


def test_of_sixteen_requests_only_the_late_one_is_ended(serve: StartServer, connect: Connect, wire: Wire) -> None:
    late_one_ended = threading.Event()
    servers: list[RawServer] = []

    def answer(asked: Asked) -> Iterator[bytes]:
        if asked.target.endswith("bio_15"):
            servers[0].ending.wait(60)
            return
        late_one_ended.wait(60)
        yield wire.data(wire.page(asked.target.rpartition("/")[2]))

    servers.append(serve(answer))
    api = connect(servers[0].url, timeout=60.0)
    with ThreadPoolExecutor(15) as pool:
        futures = [pool.submit(api.update, f"bio_{number}", {"title": "A"}) for number in range(15)]
        try:
            assert has_been_asked(servers[0], 15)
            api._watchdog.timeout = 0.5
            with pytest.raises(UnclearWrite, match=r"longer than 0\.5 seconds"):
                api.update("bio_15", {"title": "A"})
        finally:
            late_one_ended.set()
    assert [done.result()[0].page_id for done in futures] == [f"bio_{number}" for number in range(15)]


def test_a_connection_is_used_again(serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.data(wire.page(), headers={"Connection": "keep-alive"}), keeps=True)
    api = connect(server.url)
    for _ in range(10):
        api.get_page("bio_1")
        api.update("bio_1", {"title": "A"})
    assert (len(server.asked), server.connections) == (20, 1)


def test_a_connection_whose_request_was_late_is_not_used_again(
    serve: StartServer, connect: Connect, wire: Wire
) -> None:
    servers: list[RawServer] = []
    kept = wire.data(wire.page(), headers={"Connection": "keep-alive"})
    servers.append(serve(kept, hung(servers), kept, keeps=True))
    api = connect(servers[0].url, timeout=60.0)
    api.get_page("bio_1")
    api._watchdog.timeout = 0.3
    with pytest.raises(UnclearWrite):
        api.update("bio_1", {"title": "A"})
    api._watchdog.timeout = 60.0
    for _ in range(3):
        api.get_page("bio_1")
    assert servers[0].connections == 2


def test_a_connection_that_takes_too_long_leaves_the_write_unsent(
    serve: StartServer, connect: Connect, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, real, cut = serve(wire.data(wire.page())), socket.create_connection, Deadline.cut
    late = threading.Event()

    def slowly(*arguments: Any, **options: Any) -> socket.socket:
        late.wait(60)
        late.clear()
        return real(*arguments, **options)

    def noticed(deadline: Deadline) -> None:
        cut(deadline)
        late.set()

    monkeypatch.setattr(socket, "create_connection", slowly)
    monkeypatch.setattr(Deadline, "cut", noticed)
    api = connect(server.url, timeout=0.1)
    with pytest.raises(Unreachable, match="too long to connect"):
        api.update("bio_1", {"title": "A"})
    assert (server.asked, api.meter.calls) == ([], 0)
    gc.collect()  # a socket that was left open would be a warning here, and so a failure


# ---- the end of a run


def test_a_hurried_run_ends_what_hangs_and_lets_the_rest_come(serve: StartServer, connect: Connect, wire: Wire) -> None:
    servers: list[RawServer] = []
    both_here, hurried = threading.Barrier(3), threading.Event()

    def answer(asked: Asked) -> Iterator[bytes]:
        if asked.method == "GET":
            servers[0].ending.wait(60)
            return
        both_here.wait(30)
        if asked.target.endswith("bio_2"):
            servers[0].ending.wait(60)
        elif hurried.wait(30):
            yield wire.data(wire.page())

    servers.append(serve(answer))
    api = connect(servers[0].url, timeout=60.0)
    started = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        good, bad = (pool.submit(api.update, page_id, {"title": "A"}) for page_id in ("bio_1", "bio_2"))
        both_here.wait(30)
        api._watchdog.hurry(2.0, later=0.5)
        hurried.set()
        assert good.result()[0].page_id == "bio_1"
        # While the other one is still under way: a lane that is opened only now is hurried as well.
        with pytest.raises(Unreachable, match="the run was ended"):
            api.get_page("bio_1")
        assert isinstance(bad.exception(), UnclearWrite)
        assert "the run was ended before it came" in str(bad.exception())
    assert time.monotonic() - started < 30


def test_hurrying_gives_nobody_more_time(serve: StartServer, connect: Connect) -> None:
    servers: list[RawServer] = []
    servers.append(serve(hung(servers)))
    api = connect(servers[0].url, timeout=0.3)
    api._watchdog.hurry(30.0, later=30.0)
    started = time.monotonic()
    with pytest.raises(UnclearWrite):
        api.update("bio_1", {"title": "A"})
    assert time.monotonic() - started < 20


def test_the_time_of_hurried_connections_is_bounded_too() -> None:
    seen: list[dict[str, float]] = []

    class Inner(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(request.extensions["timeout"])
            return httpx.Response(200)

    watchdog = Watchdog(30.0)
    deadline = Deadline(Inner(), watchdog=watchdog, meter=Meter())
    for _ in range(2):
        deadline.handle_request(httpx.Request("GET", "http://127.0.0.1/"))
        watchdog.hurry(4.5, later=2.0)
    watchdog.close()
    assert [set(timeouts.values()) for timeouts in seen] == [{30.0}, {2.0}]
    assert set(seen[0]) == {"connect", "read", "write", "pool"}


def threads_of_ours() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "bio-sync watchdog"}


@pytest.mark.parametrize("hurried", [False, True])
def test_no_thread_and_no_socket_is_left_behind(
    hurried: bool, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    before = threads_of_ours()
    api = connect(serve(wire.data(wire.page(), headers={"Connection": "keep-alive"}), keeps=True).url, timeout=60.0)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: api.update("bio_1", {"title": "A"}), range(12)))
    if hurried:
        api.hurry()
        api.get_page("bio_1")
    assert len(threads_of_ours() - before) == 1
    api.__exit__(None, None, None)
    assert threads_of_ours() <= before
    gc.collect()


def test_closing_ends_what_is_under_way(serve: StartServer, connect: Connect) -> None:
    servers: list[RawServer] = []
    servers.append(serve(hung(servers)))
    api = connect(servers[0].url, timeout=60.0)
    started = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(api.update, "bio_1", {"title": "A"})
        while not servers[0].asked:
            time.sleep(0.01)
        api.__exit__(None, None, None)
        assert isinstance(future.exception(), UnclearWrite)
    assert time.monotonic() - started < 30


# ---- the watchdog


class Watched:
    """Tells of every cut that came when nothing was under way."""

    def __init__(self) -> None:
        self.under_way = False
        self.cuts = self.wrong = 0

    def cut(self) -> None:
        self.cuts += 1
        self.wrong += not self.under_way


def test_no_request_is_ever_ended_by_the_deadline_of_an_earlier_one() -> None:
    watchdog, seed = Watchdog(0.002), random.Random(7)  # noqa: S311 - any numbers will do
    lanes = [Watched() for _ in range(4)]
    pauses = [seed.uniform(0, 0.004) for _ in range(150)]

    def drive(lane: Watched) -> None:
        for pause in pauses:
            lane.under_way = True
            watchdog.watch(lane)
            time.sleep(pause)
            watchdog.leave(lane)
            lane.under_way = False

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(drive, lanes))
    watchdog.close()
    assert sum(lane.wrong for lane in lanes) == 0
    assert sum(lane.cuts for lane in lanes) > 20


def test_a_later_request_with_less_time_wakes_the_watchdog() -> None:
    watchdog, patient, hasty = Watchdog(60.0), Watched(), Watched()
    patient.under_way = hasty.under_way = True
    watchdog.watch(patient)
    watchdog.timeout = 0.05
    watchdog.watch(hasty)
    until = time.monotonic() + 20
    while not hasty.cuts and time.monotonic() < until:
        time.sleep(0.01)
    assert (patient.cuts, hasty.cuts) == (0, 1)
    watchdog.close()
    assert (patient.cuts, hasty.cuts) == (1, 1)


def test_a_watchdog_that_went_to_sleep_for_good_comes_back() -> None:
    watchdog, before = Watchdog(0.02), threads_of_ours()
    for _ in range(3):
        lane = Watched()
        lane.under_way = True
        watchdog.watch(lane)
        until = time.monotonic() + 20
        while threads_of_ours() - before and time.monotonic() < until:
            time.sleep(0.01)
        assert lane.cuts == 1
    watchdog.close()
    watchdog.close()
