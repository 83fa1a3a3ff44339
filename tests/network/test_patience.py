"""What is tried again, how often, and what ends it; a write whose answer was lost never is."""

from __future__ import annotations

import itertools
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from bio_sync.errors import (
    NotAnAnswer,
    ServiceError,
    TooManyRequests,
    UnclearWrite,
    Unreachable,
)
from bio_sync.sandbox import Fault, Sandbox
from tests.network.asks import LOST, WRITES

if TYPE_CHECKING:
    from collections.abc import Callable

    from bio_sync.api import WritingApi
    from tests.network.conftest import Connect, Hands, StartServer, Wire

TRY_LATER = [408, 500, 502, 503, 504]


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
    server = serve(wire.error(503))
    waits: list[list[float]] = []
    for _ in range(40):
        hands.sleeps.clear()
        hands.now += 60  # long enough ago that the pace asks for no wait of its own
        with pytest.raises(NotAnAnswer):
            connect(server.url).get_page("bio_1")
        waits.append([seconds for seconds in hands.sleeps if seconds > 0][:6])
    totals = [sum(each) for each in waits]
    assert max(totals) <= 0.5 + 1 + 2 + 0.5
    assert len({round(total, 6) for total in totals}) > 30
    assert sum(totals) / len(totals) > 0.75


@pytest.mark.parametrize("status", TRY_LATER)
@pytest.mark.parametrize(
    ("after", "least", "most"),
    [
        ("3", 3, 3.25),
        ("1000000000", 30, 30.25),
        ("Sun, 22 Nov 2026 10:00:07 GMT", 7, 7.25),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0, 2),
        ("0", 0, 2),
        ("soon", 0, 2),
    ],
)
def test_a_read_comes_back_when_a_failing_service_says_and_three_times_at_most(
    after: str, least: float, most: float, status: int, serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    server = serve(wire.error(status, headers={"Retry-After": after, "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}))
    with pytest.raises(NotAnAnswer):
        connect(server.url, sleep=hands.sleep).get_page("bio_1")
    waits = [seconds for seconds in hands.sleeps if seconds > 0.2] if least else hands.sleeps
    assert len(server.asked) == 4
    assert len(waits) >= 3
    assert all(least <= seconds <= most for seconds in waits)


def test_a_failing_service_that_says_zero_is_not_asked_four_times_at_once(
    serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    server = serve(wire.error(503, headers={"Retry-After": "0"}))
    for _ in range(10):
        with pytest.raises(NotAnAnswer):
            connect(server.url).get_page("bio_1")
    # More than the quarter of a second by which a wait that was told is lengthened.
    assert max(hands.sleeps) > 0.3


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
    sandbox.fail(Fault(method="PATCH", after=True, wire="close"))
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


# ---- a success that lacks its end

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
WHOLE = b' {"data": {"id": "bio_1", "title": "\xc3\xa9", "page_data": {"a": {"b": 12}}}, "meta": {}}\n'


@pytest.mark.parametrize("cut", [*range(len(WHOLE) - 2)])
def test_a_success_that_ends_anywhere_too_early_is_asked_for_again(
    cut: int, serve: StartServer, connect: Connect
) -> None:
    server = serve(HEAD + WHOLE[:cut], HEAD + WHOLE)
    assert connect(server.url).get_page("bio_1").content.page_data == {"a": {"b": 12}}
    assert len(server.asked) == 2


def test_a_success_that_is_whole_is_asked_for_once(serve: StartServer, connect: Connect, wire: Wire) -> None:
    spaces = b" " * 200
    framed = wire.raw(spaces + WHOLE + spaces)
    for answer in (HEAD + WHOLE, HEAD + spaces + WHOLE + spaces, framed):
        server = serve(answer)
        assert connect(server.url).get_page("bio_1").page_id == "bio_1"
        assert len(server.asked) == 1


def test_what_a_proxy_framed_anew_may_lack_its_end_too(serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.raw(b" " * 200 + WHOLE[:40]), wire.raw(WHOLE))
    assert connect(server.url).get_page("bio_1").page_id == "bio_1"
    assert len(server.asked) == 2


@pytest.mark.parametrize("body", [b"<html>", b"[1, 2", b"OK", b'"x'])
def test_what_is_no_object_at_all_is_asked_for_once(body: bytes, serve: StartServer, connect: Connect) -> None:
    server = serve(HEAD + body)
    with pytest.raises(NotAnAnswer):
        connect(server.url).get_page("bio_1")
    assert len(server.asked) == 1


def test_half_an_answer_to_a_write_is_never_asked_for_again(serve: StartServer, connect: Connect) -> None:
    server = serve(HEAD + WHOLE[:40])
    with pytest.raises(UnclearWrite):
        WRITES["update"](connect(server.url))
    assert len(server.asked) == 1


# ---- the budget of a run


def failing_reads(api: WritingApi, reads: int) -> None:
    for _ in range(reads):
        with pytest.raises(ServiceError):
            api.get_page("bio_1")


@pytest.mark.parametrize("reads", [1, 6, 7, 8, 60])
def test_a_dead_service_is_asked_twenty_times_more_in_a_run_and_no_more(
    reads: int, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.error(503))
    failing_reads(connect(server.url), reads)
    assert len(server.asked) == reads + min(3 * reads, 20)


def test_threads_share_the_budget(serve: StartServer, connect: Connect) -> None:
    server = serve(None)
    api = connect(server.url)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: failing_reads(api, 1), range(60)))
    assert len(server.asked) == 80


@pytest.mark.parametrize(("answers", "again"), [(4, 0), (5, 1), (10, 2), (14, 2), (15, 3)])
def test_five_answers_earn_one_more_try(
    answers: int, again: int, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(*[wire.error(503)] * 30, *[wire.data(wire.page())] * answers, wire.error(503))
    api = connect(server.url)
    failing_reads(api, 10)
    for _ in range(answers):
        api.get_page("bio_1")
    failing_reads(api, 1)
    assert len(server.asked) == 30 + answers + 1 + again


def test_answers_never_save_up_more_than_a_full_budget(serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(*[wire.data(wire.page())] * 60, wire.error(503))
    api = connect(server.url)
    for _ in range(60):
        api.get_page("bio_1")
    failing_reads(api, 10)
    assert len(server.asked) == 60 + 10 + 20


def test_waiting_for_the_next_second_costs_no_budget(serve: StartServer, connect: Connect, wire: Wire) -> None:
    busy = [wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": "1"})] * 5
    server = serve(*[*busy, wire.error(404, "NOT_FOUND")] * 8, wire.error(503))
    api = connect(server.url)
    failing_reads(api, 8)
    assert len(server.asked) == 48
    failing_reads(api, 10)
    assert len(server.asked) == 48 + 10 + 20


def test_writes_that_never_left_use_the_budget_too(connect: Connect, hands: Hands) -> None:
    api = connect(unused_address())
    tries = 0
    for _ in range(10):
        hands.sleeps.clear()
        hands.now += 60
        with pytest.raises(Unreachable):
            api.update("bio_1", {"title": "A"})
        tries += len(hands.sleeps)
    assert tries <= 2 * 20


# ---- the end of a run


@pytest.mark.parametrize("what", ["busy", "failing", "lost"])
def test_nothing_is_tried_again_once_the_run_ends(
    what: str, serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    ending = threading.Event()
    ending.set()
    busy = wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": "1"})
    server = serve({"busy": busy, "failing": wire.error(503), "lost": None}[what])
    with pytest.raises(ServiceError):
        connect(server.url, ending=ending).get_page("bio_1")
    assert len(server.asked) == 1
    assert hands.sleeps == []


@pytest.mark.parametrize("what", ["busy", "failing", "lost"])
def test_nothing_is_tried_again_when_the_run_ends_during_the_wait(
    what: str, serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    ending = threading.Event()
    slept: list[float] = []

    def cut_short(seconds: float) -> None:
        slept.append(seconds)
        ending.set()

    busy = wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": "9"})
    failing = wire.error(503, headers={"Retry-After": "9"})
    server = serve({"busy": busy, "failing": failing, "lost": None}[what], wire.data(wire.page()))
    with pytest.raises(ServiceError):
        connect(server.url, ending=ending, sleep=cut_short).get_page("bio_1")
    assert len(server.asked) == 1
    assert len(slept) == 1


def test_a_wait_that_is_cut_short_is_not_begun_again(serve: StartServer, connect: Connect, wire: Wire) -> None:
    ending = threading.Event()
    slept: list[float] = []
    busy = wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": "30"})
    server = serve(busy, wire.data(wire.page()))
    api = connect(server.url, ending=ending, clock=lambda: 0.0, sleep=slept.append)
    ending.set()
    with pytest.raises(TooManyRequests):
        api.get_page("bio_1")
    assert api.get_page("bio_1").page_id == "bio_1"
    assert slept == [30.0]


@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_was_never_sent_is_not_tried_again_once_the_run_ends(write: str, connect: Connect) -> None:
    ending = threading.Event()
    slept: list[float] = []
    ending.set()
    with pytest.raises(Unreachable):
        WRITES[write](connect(unused_address(), ending=ending, sleep=slept.append))
    assert slept == []
