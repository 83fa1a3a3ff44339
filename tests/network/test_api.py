"""What goes over the wire for each call, and what of the answer is taken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from bio_sync import __version__
from bio_sync.api import READING, WRITING
from bio_sync.errors import InvalidAddress, NotAnAnswer, PageGone, ServiceError, UnclearWrite
from bio_sync.model import PageContent
from bio_sync.transport.fence import Fence

if TYPE_CHECKING:
    from collections.abc import Callable

    from bio_sync.api import WritingApi
    from bio_sync.sandbox import Sandbox
    from tests.network.conftest import Asked, Connect, StartServer, Wire

ACME = {"title": "Acme", "description": "Links", "page_data": {"theme": "light"}, "is_published": True}
NO_IDS = ["", ".", "..", "../x", "a/b", "a?b", "a#b", "a%2fb", "a b", "a\n", "ä", "x" * 65, "a\x00", "\udc80"]
CALLS: dict[str, Callable[[WritingApi, str], object]] = {
    "get": lambda api, page_id: api.get_page(page_id),
    "update": lambda api, page_id: api.update(page_id, {"title": "New"}),
    "publish": lambda api, page_id: api.set_published(page_id, published=True),
    "unpublish": lambda api, page_id: api.set_published(page_id, published=False),
}
WRITES = ["update", "publish", "unpublish"]


def sent(call: str, serve: StartServer, connect: Connect, wire: Wire) -> Asked:
    server = serve(wire.data(wire.page("bio_1")))
    CALLS[call](connect(server.url), "bio_1")
    (asked,) = server.asked
    return asked


def test_reading_a_page_is_one_get(serve: StartServer, connect: Connect, wire: Wire) -> None:
    asked = sent("get", serve, connect, wire)
    assert (asked.method, asked.target, asked.body) == ("GET", "/api/v1/bio/pages/bio_1", b"")


def test_updating_a_page_is_one_patch_with_the_given_fields_alone(
    serve: StartServer, connect: Connect, wire: Wire
) -> None:
    asked = sent("update", serve, connect, wire)
    assert (asked.method, asked.target) == ("PATCH", "/api/v1/bio/pages/bio_1")
    assert json.loads(asked.body) == {"title": "New"}
    assert asked.headers["content-type"] == "application/json"


@pytest.mark.parametrize("verb", ["publish", "unpublish"])
def test_publishing_is_one_post_without_a_body(verb: str, serve: StartServer, connect: Connect, wire: Wire) -> None:
    asked = sent(verb, serve, connect, wire)
    assert (asked.method, asked.target, asked.body) == ("POST", f"/api/v1/bio/pages/bio_1/{verb}", b"")
    assert "content-type" not in asked.headers


def test_the_body_of_a_patch_is_ascii_json_whatever_the_text(serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.data(wire.page("bio_1")))
    connect(server.url).update("bio_1", {"title": "Café ☕ 日本"})
    assert server.asked[0].body.isascii()
    assert json.loads(server.asked[0].body) == {"title": "Café ☕ 日本"}


@pytest.mark.parametrize("call", sorted(CALLS))
def test_every_request_says_who_asks_and_wants_a_plain_answer(
    call: str, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    headers = sent(call, serve, connect, wire).headers
    assert headers["authorization"].startswith("Bearer xqr_pk_0a1b2c3d.")
    assert headers["accept"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert headers["user-agent"] == f"bio-sync/{__version__}"


@pytest.mark.parametrize("slashes", ["", "/", "//"])
def test_slashes_at_the_end_of_the_address_change_nothing(
    slashes: str, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.data([]))
    connect(server.url + slashes).list_pages()
    assert server.asked[0].target == "/api/v1/bio/pages?limit=200&offset=0"


@pytest.mark.parametrize("call", sorted(CALLS))
@pytest.mark.parametrize("page_id", NO_IDS)
def test_what_is_no_id_never_enters_a_path(
    call: str, page_id: str, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.data(wire.page()))
    with pytest.raises(ServiceError, match="is not the id of a page"):
        CALLS[call](connect(server.url), page_id)
    assert server.connections == 0


def test_an_id_of_64_characters_is_one(serve: StartServer, connect: Connect, wire: Wire) -> None:
    page_id = "Az09_-" + "x" * 58
    server = serve(wire.data(wire.page(page_id)))
    assert connect(server.url).get_page(page_id).page_id == page_id


def test_a_page_is_read_with_all_that_a_plan_shows(start_sandbox: Callable[..., Sandbox], connect: Connect) -> None:
    counts = {"view_count": 1247, "click_count": 892, "updated_at": "2026-03-20T16:30:00Z"}
    sandbox = start_sandbox([{"id": "bio_1", "slug": "acme", **ACME, **counts}])
    page = connect(sandbox.url, key=sandbox.key).get_page("bio_1")
    assert page.content == PageContent("Acme", "Links", {"theme": "light"}, published=True)
    assert (page.slug, page.html_url) == ("acme", f"{sandbox.address}/acme")
    assert (page.views, page.clicks, page.updated_at) == (1247, 892, "2026-03-20T16:30:00Z")


def test_a_write_gives_the_page_as_stored_and_the_name_of_the_request(
    start_sandbox: Callable[..., Sandbox], connect: Connect
) -> None:
    sandbox = start_sandbox([{"id": "bio_1", **ACME}], normalise=lambda page: page | {"title": page["title"].strip()})
    page, request_id = connect(sandbox.url, key=sandbox.key).update("bio_1", {"title": " New "})
    assert page.content.title == "New"
    assert (request_id or "").startswith("req_")


def test_publishing_and_unpublishing_reach_the_page(start_sandbox: Callable[..., Sandbox], connect: Connect) -> None:
    sandbox = start_sandbox([{"id": "bio_1", **ACME, "is_published": False}])
    api = connect(sandbox.url, key=sandbox.key)
    assert api.set_published("bio_1", published=True)[0].content.published
    assert not api.set_published("bio_1", published=False)[0].content.published
    assert [(call.method, call.path) for call in sandbox.calls] == [
        ("POST", "/api/v1/bio/pages/bio_1/publish"),
        ("POST", "/api/v1/bio/pages/bio_1/unpublish"),
    ]


def test_a_page_that_is_not_there_is_gone(start_sandbox: Callable[..., Sandbox], connect: Connect) -> None:
    sandbox = start_sandbox()
    with pytest.raises(PageGone):
        connect(sandbox.url, key=sandbox.key).get_page("bio_1")


def test_an_answer_for_another_page_is_refused(serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.data(wire.page("bio_2")))
    with pytest.raises(NotAnAnswer, match="page bio_2 for bio_1"):
        connect(server.url).get_page("bio_1")


@pytest.mark.parametrize("call", WRITES)
def test_a_write_that_is_answered_with_another_page_is_unclear(
    call: str, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.data(wire.page("bio_2")))
    with pytest.raises(UnclearWrite):
        CALLS[call](connect(server.url), "bio_1")


@pytest.mark.parametrize("method", ["PATCH", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_a_reading_client_sends_nothing_but_get(method: str, serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.data([]))
    with pytest.raises(InvalidAddress, match="only reads"):
        connect(server.url, reading=True)._client.send(httpx.Request(method, f"{server.url}/bio/pages/bio_1"))
    assert server.connections == 0


def test_a_reading_client_has_no_way_to_write(serve: StartServer, connect: Connect, wire: Wire) -> None:
    api = connect(serve(wire.data([])).url, reading=True)
    assert not hasattr(api, "update")
    assert not hasattr(api, "set_published")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_even_a_writing_client_has_no_method_that_deletes(
    method: str, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.data([]))
    with pytest.raises(InvalidAddress):
        connect(server.url)._client.request(method, f"{server.url}/bio/pages/bio_1")
    assert server.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2:{port}/api/v1/bio/pages",
        "http://localhost:{port}/api/v1/bio/pages",
        "http://127.0.0.1:1/api/v1/bio/pages",
        "https://127.0.0.1:{port}/api/v1/bio/pages",
        "http://127.0.0.1:{port}/api/v2/bio/pages",
        "http://127.0.0.1:{port}/api/v1",
        "http://127.0.0.1:{port}/api/v1x/bio",
        "http://127.0.0.1:{port}/api/v1/../../admin",
    ],
)
def test_nothing_is_sent_to_another_place_than_the_service(
    url: str, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.data([]))
    with pytest.raises(InvalidAddress, match="another place"):
        connect(server.url)._client.get(url.format(port=server.server_address[1]))
    assert server.connections == 0


def test_the_default_port_written_out_is_the_same_place() -> None:
    passed = httpx.MockTransport(lambda request: httpx.Response(200, text=str(request.url)))
    with httpx.Client(transport=Fence(passed, address="https://xqr.co:443/api/v1", methods=READING)) as client:
        assert client.get("https://xqr.co/api/v1/bio/pages").is_success


def test_reading_is_a_part_of_writing() -> None:
    assert READING < WRITING
    assert {"GET"} == READING
