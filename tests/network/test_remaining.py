"""What the month has left, whoever tells it, however often, and in whatever order: never more than there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bio_sync.transport.remaining import Remaining

if TYPE_CHECKING:
    from tests.network.conftest import Connect, StartServer, Wire

MONTH = 100
# What becomes of a call, in its order: it leaves, the service counts it (or never does), its answer comes or is lost.
LEAVES, IS_COUNTED, IS_TOLD, IS_ANSWERED = "leaves", "is counted", "tells", "is answered without a number"


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, str]]:
    """Mix the lives of some calls in any order that can be."""
    lives = {
        call: draw(
            st.sampled_from(
                (
                    [LEAVES, IS_COUNTED, IS_TOLD],
                    [LEAVES, IS_COUNTED, IS_ANSWERED],
                    [LEAVES, IS_ANSWERED],
                )
            )
        ).copy()
        for call in range(draw(st.integers(1, 8)))
    }
    order = []
    while lives:
        call = draw(st.sampled_from(sorted(lives)))
        order.append((call, lives[call].pop(0)))
        if not lives[call]:
            del lives[call]
    return order


def played(history: list[tuple[int, str]]) -> tuple[Remaining, list[tuple[int | None, int]]]:
    """Play a history, and give what was said to be left, and what was, whenever a call has ended."""
    remaining, service, numbers, told, seen = Remaining(), MONTH, {}, {}, []
    for call, event in history:
        if event == LEAVES:
            numbers[call] = remaining.sent()
        elif event == IS_COUNTED:
            service -= 1
            told[call] = service
        else:
            remaining.ended(numbers[call])
            if event == IS_TOLD:
                remaining.told(numbers[call], told[call])
            seen.append((remaining.left, service))
    return remaining, seen


SIDE_BY_SIDE = [(0, LEAVES), (1, LEAVES)]


@given(histories())
@example([*SIDE_BY_SIDE, (1, IS_COUNTED), (0, IS_COUNTED), (1, IS_TOLD), (0, IS_TOLD)])
@example([*SIDE_BY_SIDE, (0, IS_COUNTED), (1, IS_COUNTED), (1, IS_TOLD), (0, IS_TOLD)])
@example([*SIDE_BY_SIDE, (0, IS_COUNTED), (1, IS_COUNTED), (1, IS_ANSWERED), (0, IS_TOLD)])
def test_it_is_never_more_than_there_is(history: list[tuple[int, str]]) -> None:
    _, seen = played(history)
    assert all(said is None or said <= left for said, left in seen)


@given(histories().map(lambda history: [(call, IS_TOLD if IS_ANSWERED in event else event) for call, event in history]))
def test_it_is_what_the_service_says_when_every_answer_says_it(history: list[tuple[int, str]]) -> None:
    counted = {call for call, event in history if event == IS_COUNTED}
    remaining, seen = played([(call, event) for call, event in history if call in counted])
    if seen:
        assert remaining.left == MONTH - len(counted)


@given(told=st.integers(0, 20), sent=st.integers(0, 30), lost=st.integers(0, 30))
def test_what_was_told_once_is_less_by_every_call_since(told: int, sent: int, lost: int) -> None:
    remaining = Remaining()
    first = remaining.sent()
    remaining.ended(first)
    assert remaining.left is None
    remaining.told(first, told)
    for number in [remaining.sent() for _ in range(sent)][:lost]:
        remaining.ended(number)
    assert remaining.left == max(0, told - sent)


def test_a_number_that_is_told_wins_over_what_was_thought() -> None:
    remaining = Remaining()
    for told in (50, 3, 1000):
        lost, call = remaining.sent(), 0
        remaining.ended(lost)
        call = remaining.sent()
        remaining.ended(call)
        remaining.told(call, told)
        assert remaining.left == told


# ---- over the wire


def test_lost_answers_and_those_without_a_number_are_calls_too(
    serve: StartServer, connect: Connect, wire: Wire
) -> None:
    told, untold = wire.data(wire.page(), headers={"X-RateLimit-Remaining": "19"}), wire.data(wire.page())
    api = connect(serve(told, untold, None, untold, told).url)
    left = []
    for _ in range(4):
        api.get_page("bio_1")
        left.append((api.meter.calls, api.meter.quota_remaining))
    assert left == [(1, 19), (2, 18), (4, 16), (5, 19)]


@pytest.mark.parametrize("header", ["plenty", "", "-1", "1, 1", "1.0"])
@pytest.mark.parametrize("place", ["month", "second"])
def test_a_header_that_makes_no_sense_leaves_the_word_to_the_envelope(
    header: str, place: str, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    name = {"month": "X-RateLimit-Remaining", "second": "X-RateLimit-Burst-Limit"}[place]
    answer = wire.data(wire.page(), headers={name: header}, rate_limit={"remaining": 7, "burst_limit": 33})
    api = connect(serve(answer).url)
    api.get_page("bio_1")
    assert (api.meter.quota_remaining, api.meter.burst_limit) == (7, 33)


def test_a_write_that_is_under_way_is_taken_off(serve: StartServer, connect: Connect, wire: Wire) -> None:
    seen: list[int | None] = []

    def answer(_: object) -> bytes:
        seen.append(api.quota_remaining)
        return wire.data(wire.page())

    api = connect(serve(wire.data(wire.page(), headers={"X-RateLimit-Remaining": "19"}), answer).url)
    api.get_page("bio_1")
    api.update("bio_1", {"title": "A"})
    assert (seen, api.quota_remaining) == ([18], 18)
