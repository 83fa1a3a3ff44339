"""The second's limit is waited for as the service says, the month's never."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bio_sync.errors import (
    NotAnAnswer,
    QuotaUsedUp,
    ServiceError,
    TooManyRequests,
    Unauthorised,
)
from bio_sync.transport import Meter, Patience
from tests.network.asks import WRITES

if TYPE_CHECKING:
    from collections.abc import Callable

    from bio_sync.api import WritingApi
    from bio_sync.sandbox import Sandbox
    from tests.network.conftest import Connect, Hands, StartServer, Wire


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


# ---- Retry-After

DATE = "Sun, 22 Nov 2026 10:00:00 GMT"
WAITS: list[tuple[str, str | None, float]] = [
    ("0", None, 0),
    ("007", None, 7),
    ("1000000000", None, 30),
    ("Sun, 22 Nov 2026 10:00:07 GMT", DATE, 7),
    ("Sunday, 22-Nov-26 10:00:07 GMT", DATE, 7),
    ("Sun Nov 22 10:00:07 2026", DATE, 7),
    ("Sun Nov 22 10:00:07 2026", "Sun Nov 22 10:00:00 2026", 7),
    ("Sun, 22 Nov 2026 10:00:07 GMT", "Sunday, 22-Nov-26 10:00:00 GMT", 7),
    ("Sun, 22 Nov 2026 10:00:07 -0000", DATE, 7),
    ("Sun, 22 Nov 2026 11:00:07 +0100", DATE, 7),
    ("Sun, 22 Nov 2026 10:00:07", DATE, 7),
    (DATE, DATE, 0),
    ("Sun, 22 Nov 2026 09:59:00 GMT", DATE, 0),
    ("Sun, 06 Nov 1994 08:49:37 GMT", DATE, 0),
    ("Thu, 31 Dec 2099 23:59:59 GMT", DATE, 30),
    ("Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", 30),
    ("Sun, 22 Nov 2026 10:00:07 GMT", None, 1),
    ("Sun, 22 Nov 2026 10:00:07 GMT", "", 1),
    ("Sun, 22 Nov 2026 10:00:07 GMT", "today", 1),
    ("Sun, 22 Nov 2026 10:00:07 GMT", "1795341600", 1),
    ("Sun, 22 Nov 99999 10:00:07 GMT", DATE, 1),
    ("Sun, 22 Nov 2026 10:00:07 +99999999999999", DATE, 1),
    ("Sun, 22 Nov 2026 25:61:61 GMT", DATE, 1),
    *((text, DATE, 1.0) for text in ("nan", "inf", "-5", "+5", "1.5", "1e1", "0x10", "1_0", "abc", "", ",", "3, 9")),
    *((text, DATE, 1.0) for text in ("\xb2", "\xd9\xa3", "9" * 16, "9" * 5_000, "x" * 50_000, "1 " * 5_000)),
]


class Scripted(httpx.BaseTransport):
    """Gives one answer after the other, the last one again and again."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0

    def handle_request(self, _: httpx.Request) -> httpx.Response:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


BURST = b'{"error": {"code": "BURST_LIMIT_EXCEEDED"}}'
ANY_HEADER = st.binary(max_size=40) | st.text("0123456789 :,+-.GMTSunNovJan", max_size=40).map(str.encode)


@pytest.mark.parametrize(("after", "date", "seconds"), WAITS, ids=lambda value: repr(value)[:40])
def test_each_wait_is_read_as_it_is_meant_and_bounded(
    after: str, date: str | None, seconds: float, serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    headers = {"Retry-After": after} | ({} if date is None else {"Date": date})
    server = serve(wire.error(429, "BURST_LIMIT_EXCEEDED", headers=headers), wire.data(wire.page()))
    connect(server.url).get_page("bio_1")
    assert len(server.asked) == 2
    assert seconds <= hands.sleeps[0] <= seconds + 0.25


def test_two_waits_in_one_answer_are_none_to_go_by(
    serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    burst = wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": "3\r\nRetry-After: 9"})
    connect(serve(burst, wire.data(wire.page())).url).get_page("bio_1")
    assert 1 <= hands.sleeps[0] <= 1.25


@pytest.mark.parametrize("years", [-10, 10])
def test_this_machine_s_clock_may_be_wrong_by_years(
    years: int, serve: StartServer, connect: Connect, hands: Hands, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + years * 365.25 * 86_400)
    headers = {"Retry-After": "Sun, 22 Nov 2026 10:00:07 GMT", "Date": DATE}
    server = serve(wire.error(429, "BURST_LIMIT_EXCEEDED", headers=headers), wire.data(wire.page()))
    connect(server.url).get_page("bio_1")
    assert 7 <= hands.sleeps[0] <= 7.25


@given(after=ANY_HEADER, date=ANY_HEADER, body=st.sampled_from([BURST, b"", b"busy"]))
@example(after=b"06-Nov- 08:49:37 GMT", date=b"--", body=BURST)
@example(after=b"Sun, 31 Dec 9999 23:59:59 -2359", date=b"Mon, 01 Jan 0001 00:00:00 +2359", body=BURST)
@example(after=b"Mon, 01 Jan 0001 00:00:00 +2359", date=b"Sun, 31 Dec 9999 23:59:59 -2359", body=BURST)
def test_no_wait_whatever_is_a_crash_too_long_or_too_often(after: bytes, date: bytes, body: bytes) -> None:
    waits: list[float] = []
    busy = httpx.Response(429, headers=[(b"Retry-After", after), (b"Date", date)], content=body)
    inner, meter = Scripted(busy), Meter()
    patience = Patience(inner, meter=meter, ending=threading.Event(), clock=lambda: 0.0, sleep=waits.append)
    assert patience.handle_request(httpx.Request("PATCH", "http://127.0.0.1/")).status_code == 429
    assert inner.asked == 6
    assert len(waits) == 5
    assert 0 <= min(waits) <= max(waits) <= 30.25
    assert 0 <= meter.held_until <= 30


# ---- the code of an error before its status


@pytest.mark.parametrize("status", [429, 408, 500, 502, 503, 504])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("RATE_LIMIT_EXCEEDED", QuotaUsedUp),
        ("INVALID_API_KEY", Unauthorised),
        ("REVOKED_API_KEY", Unauthorised),
        ("INSUFFICIENT_SCOPE", Unauthorised),
        ("PLAN_LIMIT_EXCEEDED", Unauthorised),
    ],
)
def test_a_code_that_stays_true_is_not_asked_for_again_whatever_the_status(
    code: str, kind: type[ServiceError], status: int, serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    server = serve(wire.error(status, code, headers={"Retry-After": "1"}))
    for ask in (lambda api: api.get_page("bio_1"), *WRITES.values()):
        with pytest.raises(kind):
            ask(connect(server.url))
    assert len(server.asked) == 4
    assert hands.sleeps == []


def test_a_busy_service_and_a_failing_one_are_counted_apart(serve: StartServer, connect: Connect, wire: Wire) -> None:
    busy = wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": "1"})
    server = serve(*[busy] * 5, None, wire.error(503), None, wire.data(wire.page()))
    assert connect(server.url).get_page("bio_1").page_id == "bio_1"
    assert len(server.asked) == 9


@pytest.mark.parametrize("last", ["busy", "failing"])
def test_both_together_end_after_nine_requests(last: str, serve: StartServer, connect: Connect, wire: Wire) -> None:
    busy = wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": "1"})
    failing = wire.error(503)
    server = serve(*[busy] * 5, *[failing] * 3, busy if last == "busy" else failing)
    with pytest.raises(TooManyRequests if last == "busy" else NotAnAnswer):
        connect(server.url).get_page("bio_1")
    assert len(server.asked) == 9
