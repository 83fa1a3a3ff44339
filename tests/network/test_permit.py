"""The permit of a write: asked each time that it leaves, after every wait, and its word is final."""

from __future__ import annotations

import socket
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from bio_sync.errors import TooManyRequests, UnclearWrite, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bio_sync.api import Permit, WritingApi
    from tests.network.conftest import Connect, Hands, StartServer, Wire

PERMITTED: dict[str, Callable[[WritingApi, Permit], object]] = {
    "update": lambda api, permit: api.update("bio_1", {"title": "New"}, permit),
    "publish": lambda api, permit: api.set_published("bio_1", published=True, permit=permit),
    "unpublish": lambda api, permit: api.set_published("bio_1", published=False, permit=permit),
}


class Stop(Exception):
    """What somebody's permit may raise."""


@pytest.mark.parametrize("write", PERMITTED)
def test_a_permit_is_asked_once_for_a_write_and_before_it(
    write: str, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.data(wire.page()))
    seen: list[int] = []
    PERMITTED[write](connect(server.url), lambda: seen.append(len(server.asked)))
    assert seen == [0]
    assert len(server.asked) == 1


def test_a_permit_is_asked_again_for_every_time_that_a_write_leaves(
    serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    busy = wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": "7"})
    server = serve(busy, busy, wire.data(wire.page()))
    asked_at: list[float] = []
    connect(server.url).update("bio_1", {"title": "New"}, lambda: asked_at.append(hands()))
    assert len(asked_at) == 3
    # After the wait, not before it: what was permitted seven seconds ago is not any more.
    assert all(7 <= later - sooner <= 8 for sooner, later in pairwise(asked_at))


def test_a_permit_is_asked_after_the_wait_for_a_turn(
    serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    api = connect(serve(wire.data(wire.page(), headers={"X-RateLimit-Burst-Limit": "1"})).url)
    asked_at: list[float] = []
    for _ in range(3):
        api.update("bio_1", {"title": "New"}, lambda: asked_at.append(hands()))
    assert [later - asked_at[0] for later in asked_at] == pytest.approx([0, 1 / 0.98, 2 / 0.98])


def test_a_permit_is_asked_after_the_wait_for_a_connection(
    serve: StartServer, connect: Connect, hands: Hands, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, real = serve(wire.data(wire.page())), socket.create_connection

    def slowly(*arguments: Any, **options: Any) -> socket.socket:
        hands.sleep(20)
        return real(*arguments, **options)

    monkeypatch.setattr(socket, "create_connection", slowly)
    begun, asked_at = hands(), []
    connect(server.url).update("bio_1", {"title": "New"}, lambda: asked_at.append(hands()))
    assert asked_at == [begun + 20]


def test_no_permit_is_asked_for_what_never_left(connect: Connect, hands: Hands) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/api/v1"
    asked: list[int] = []
    with pytest.raises(Unreachable):
        connect(url).update("bio_1", {"title": "New"}, lambda: asked.append(1))
    assert asked == []


@pytest.mark.parametrize("write", PERMITTED)
@pytest.mark.parametrize("stop", [Stop("no more"), KeyboardInterrupt(), ValueError("x"), OSError(5, "x")])
def test_what_a_permit_raises_comes_out_and_nothing_is_sent(
    stop: BaseException, write: str, serve: StartServer, connect: Connect, hands: Hands, wire: Wire
) -> None:
    server = serve(wire.data(wire.page()))
    api = connect(server.url)

    def permit() -> None:
        raise stop

    with pytest.raises(type(stop)) as caught:
        PERMITTED[write](api, permit)
    assert caught.value is stop
    assert (server.asked, api.meter.calls, hands.sleeps) == ([], 0, [])
    # Nor is anything of it left on a connection.
    api.update("bio_1", {"title": "Newer"})
    assert b"Newer" in server.asked[0].body
    assert api.meter.calls == 1


def test_a_permit_that_runs_out_during_the_wait_after_a_429_ends_the_write(
    serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": "7"}))
    api = connect(server.url)

    def permit() -> None:
        if server.asked:
            raise Stop

    with pytest.raises(Stop):
        api.update("bio_1", {"title": "New"}, permit)
    assert (len(server.asked), api.meter.calls) == (1, 1)


@pytest.mark.parametrize("used_again", [True, False])
def test_a_permit_is_asked_on_a_new_connection_and_on_one_that_is_used_again(
    used_again: bool, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    answer = wire.data(wire.page(), headers={"Connection": "keep-alive"} if used_again else {})
    server = serve(answer, keeps=used_again)
    api = connect(server.url)
    asked: list[int] = []
    for _ in range(4):
        api.update("bio_1", {"title": "New"}, lambda: asked.append(1))
    assert len(asked) == 4
    assert server.connections == (1 if used_again else 4)
    assert api.meter.calls == 4


def test_one_write_s_permit_is_no_other_request_s(serve: StartServer, connect: Connect, wire: Wire) -> None:
    api = connect(serve(wire.data(wire.page(), headers={"Connection": "keep-alive"}), keeps=True).url)
    asked: list[str] = []
    api.update("bio_1", {"title": "New"}, lambda: asked.append("first"))
    api.get_page("bio_1")
    api.update("bio_1", {"title": "New"})
    api.set_published("bio_1", published=True, permit=lambda: asked.append("last"))
    assert asked == ["first", "last"]


def test_calls_are_those_that_left(serve: StartServer, connect: Connect, wire: Wire) -> None:
    busy = wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": "1"})
    server = serve(busy, wire.data(wire.page()), None)
    api = connect(server.url)
    api.update("bio_1", {"title": "New"})
    with pytest.raises(UnclearWrite):
        api.update("bio_1", {"title": "New"})
    with pytest.raises(Unreachable):
        api.get_page("bio_1")
    assert api.meter.calls == len(server.asked) == 7


def test_a_busy_service_asks_for_six_permits(serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.error(429, "BURST_LIMIT_EXCEEDED", headers={"Retry-After": "1"}))
    asked: list[int] = []
    with pytest.raises(TooManyRequests):
        connect(server.url).update("bio_1", {"title": "New"}, lambda: asked.append(1))
    assert len(asked) == len(server.asked) == 6
