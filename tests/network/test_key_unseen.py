"""The key is in no log, no copy and no traceback, whatever fails and whoever looks."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
import pytest

from bio_sync.errors import BioSyncError, InvalidAddress
from tests.network.asks import LOST, WRITES

if TYPE_CHECKING:
    from collections.abc import Callable

    from bio_sync.api import WritingApi
    from bio_sync.key import ApiKey
    from tests.network.conftest import Answer, Connect, StartServer, Wire

ASKS: dict[str, Callable[[WritingApi], object]] = {"read": lambda api: api.get_page("bio_1"), **WRITES}


def told(key: ApiKey, text: str) -> list[str]:
    """Give every run of eight characters of the secret that stands in a text."""
    secret = key.header().partition(".")[2]
    return [part for start in range(len(secret) - 7) if (part := secret[start : start + 8]) in text]


def every_answer(wire: Wire) -> dict[str, Answer]:
    statuses = {str(status): wire.error(status) for status in (302, 400, 401, 404, 429, 503)}
    packed = wire.raw(b"x", headers={"Content-Encoding": "gzip"})
    return {"good": wire.data(wire.page()), "packed": packed, **statuses, **LOST}


@pytest.mark.parametrize("ask", ASKS)
def test_no_log_however_talkative_holds_the_key(
    ask: str, serve: StartServer, connect: Connect, wire: Wire, key: ApiKey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for answer in every_answer(wire).values():
        with suppress(BioSyncError):
            ASKS[ask](connect(serve(answer).url))
    assert "send_request_headers.started" in caplog.text
    shown = caplog.text + "".join(f"{record.__dict__}" for record in caplog.records)
    assert not told(key, shown)


@pytest.mark.parametrize("ask", ASKS)
def test_no_traceback_with_local_variables_holds_the_key_whatever_failed(
    ask: str, serve: StartServer, connect: Connect, wire: Wire, key: ApiKey
) -> None:
    for what, answer in every_answer(wire).items():
        if what == "good":
            continue
        with pytest.raises(BioSyncError) as caught:
            ASKS[ask](connect(serve(answer).url))
        trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        assert not told(key, "".join(trace.format())), what


def test_what_a_permit_raises_shows_no_key_on_its_way_out(
    serve: StartServer, connect: Connect, wire: Wire, key: ApiKey
) -> None:
    class Stop(Exception):
        """What somebody's permit raises."""

    def permit() -> None:
        raise Stop

    with pytest.raises(Stop) as caught:
        connect(serve(wire.data(wire.page())).url).update("bio_1", {"title": "A"}, permit)
    trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = "".join(trace.format())
    assert "httpcore" in shown
    assert not told(key, shown)


def test_nothing_of_a_client_can_be_copied_or_printed_with_the_key(connect: Connect, key: ApiKey) -> None:
    api = connect("http://127.0.0.1:1/api/v1")
    for thing in (api, api._client, api._client._transport, key):
        shown = (
            repr(thing) + str(thing) + f"{thing}" + json.dumps(vars(thing) if thing is not key else {}, default=repr)
        )
        assert not told(key, shown)
        for copied in (pickle.dumps, copy.deepcopy):
            with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
                copied(thing)
    for format_string in ("%s", "%r", "{}", "{!r}"):
        assert not told(key, format_string % (key,) if "%" in format_string else format_string.format(key))
    with pytest.raises(TypeError):
        json.dumps(key)


@pytest.mark.parametrize("path", ["/bio/%2e%2e/%2e%2e/admin", "/bio/%2E%2E", "/%2e/bio", "/bio/..%2f../x"])
def test_a_way_upwards_in_disguise_is_no_place_of_the_service(
    path: str, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.data([]))
    with pytest.raises(InvalidAddress, match="another place"):
        connect(server.url)._client.get(f"{server.url}{path}")
    assert server.connections == 0


def test_a_name_in_the_address_can_not_take_the_key_s_place(serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.data([]))
    with pytest.raises(InvalidAddress, match="another place"):
        connect(server.url)._client.send(httpx.Request("GET", f"http://eve:x@{server.address}/api/v1/bio/pages"))
    assert server.connections == 0
