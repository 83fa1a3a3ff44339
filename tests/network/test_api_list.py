"""The list of pages: what it costs, and that none is missed, whatever the service makes of `limit` and `offset`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from bio_sync import listing
from bio_sync.errors import NotAnAnswer, Rejected, Unauthorised

if TYPE_CHECKING:
    from bio_sync.sandbox import Sandbox
    from tests.network.conftest import Asked, Connect, RawServer, StartServer, Wire

SIZES = [0, 1, 25, 50, 100, 199, 200, 201, 400, 1000]
Service = Callable[[list[str], int, int], list[str]]


def names(count: int, first: int = 0) -> list[str]:
    return [f"bio_{number}" for number in range(first, first + count)]


def pages(count: int) -> list[dict[str, object]]:
    return [{"id": name, "title": name, "slug": name.replace("_", "-")} for name in names(count)]


def batches_for(count: int) -> int:
    return max(1, -(-count // 200))


class Workspace:
    """A list that changes while it is read: `moves[n]` happens just before the n-th answer."""

    def __init__(self, wire: Wire, ids: list[str], moves: dict[int, Callable[[list[str]], None]] | None = None) -> None:
        self.ids = ids
        self.calls = 0
        self._wire = wire
        self._moves = moves or {}

    def __call__(self, asked: Asked) -> bytes:
        self.calls += 1
        if self.calls in self._moves:
            self._moves[self.calls](self.ids)
        address = urlsplit(asked.target)
        if address.path != "/api/v1/bio/pages":
            name = address.path.rpartition("/")[2]
            return self._wire.data(self._wire.page(name)) if name in self.ids else self._wire.error(404, "NOT_FOUND")
        query = parse_qs(address.query)
        limit, offset = int(query["limit"][0]), int(query["offset"][0])
        return self._wire.data([self._wire.page(name) for name in self.ids[offset : offset + limit]])


# ---- what it costs


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("paging", ["honour", "ignore"])
def test_all_pages_cost_one_call_for_each_200(
    paging: str, count: int, start_sandbox: Callable[..., Sandbox], connect: Connect
) -> None:
    sandbox = start_sandbox(pages(count), paging=paging)
    found = connect(sandbox.url, key=sandbox.key).list_pages(names(count))
    assert list(found) == names(count)
    assert len(sandbox.calls) == (batches_for(count) if paging == "honour" else 1)


@pytest.mark.parametrize("count", SIZES)
def test_a_service_that_refuses_parameters_costs_one_more_call(
    count: int, start_sandbox: Callable[..., Sandbox], connect: Connect
) -> None:
    sandbox = start_sandbox(pages(count), paging="refuse")
    found = connect(sandbox.url, key=sandbox.key).list_pages(names(count))
    assert list(found) == names(count)
    assert [(call.status, call.query) for call in sandbox.calls] == [(400, {"limit": "200", "offset": "0"}), (200, {})]


def test_a_service_that_gives_more_than_it_was_asked_for_has_given_all(
    serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.data([wire.page(name) for name in names(201)]))
    assert list(connect(server.url).list_pages(["bio_3"])) == names(201)
    assert len(server.asked) == 1


def test_parameters_that_were_refused_once_are_not_sent_again(
    start_sandbox: Callable[..., Sandbox], connect: Connect
) -> None:
    sandbox = start_sandbox(pages(3), paging="refuse")
    api = connect(sandbox.url, key=sandbox.key)
    api.list_pages()
    api.list_pages()
    assert [call.status for call in sandbox.calls] == [400, 200, 200]


@pytest.mark.parametrize("paging", ["honour", "ignore", "refuse"])
def test_a_wanted_page_that_is_gone_costs_nothing_when_one_answer_told_all(
    paging: str, start_sandbox: Callable[..., Sandbox], connect: Connect
) -> None:
    sandbox = start_sandbox(pages(3), paging=paging)
    found = connect(sandbox.url, key=sandbox.key).list_pages([*names(3), "bio_gone"])
    assert list(found) == names(3)
    assert all(call.path == "/api/v1/bio/pages" for call in sandbox.calls)
    assert len(sandbox.calls) <= 2


def test_a_retried_list_is_not_taken_for_a_long_one(serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.error(503), wire.data([wire.page("bio_1")]))
    connect(server.url).list_pages(["bio_1", "bio_gone"])
    assert len(server.asked) == 2


def test_a_refusal_that_is_not_about_parameters_is_the_answer(serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.error(400, "VALIDATION_ERROR"))
    with pytest.raises(Rejected):
        connect(server.url).list_pages()
    assert len(server.asked) == 2


def test_a_wrong_key_costs_one_call(start_sandbox: Callable[..., Sandbox], connect: Connect) -> None:
    sandbox = start_sandbox(pages(3))
    with pytest.raises(Unauthorised):
        connect(sandbox.url).list_pages()
    assert len(sandbox.requests) == 1


# ---- that none is missed


@pytest.mark.parametrize("paging", ["honour", "ignore", "refuse"])
@pytest.mark.parametrize("count", [200, 201, 400, 401])
def test_pages_that_no_file_names_are_found_beyond_a_full_answer(
    paging: str, count: int, start_sandbox: Callable[..., Sandbox], connect: Connect
) -> None:
    sandbox = start_sandbox(pages(count), paging=paging)
    assert list(connect(sandbox.url, key=sandbox.key).list_pages(names(25))) == names(count)
    assert len(sandbox.calls) <= batches_for(count) + 1


@pytest.mark.parametrize("size", [50, 100])
def test_wanted_pages_are_found_at_a_service_that_gives_fewer_at_once(
    size: int, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    everything = [wire.page(name) for name in names(3 * size)]

    def answer(asked: Asked) -> bytes:
        offset = int(parse_qs(urlsplit(asked.target).query)["offset"][0])
        return wire.data(everything[offset : offset + size])

    found = connect(serve(answer).url).list_pages(names(3 * size))
    assert list(found) == names(3 * size)


def to_front(name: str) -> Callable[[list[str]], None]:
    def move(ids: list[str]) -> None:
        ids.remove(name)
        ids.insert(0, name)

    return move


@pytest.mark.parametrize("count", [201, 202, 399, 400, 401, 600])
def test_a_page_that_moves_to_the_front_between_two_calls_is_not_missed(
    count: int, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    workspace = Workspace(wire, names(count), {2: to_front(f"bio_{count - 1}")})
    assert sorted(connect(serve(workspace).url).list_pages(names(5))) == sorted(names(count))


@pytest.mark.parametrize("count", [200, 201, 399, 400, 600])
def test_a_page_that_is_made_in_front_between_two_calls_is_found(
    count: int, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    workspace = Workspace(wire, names(count), {2: lambda ids: ids.insert(0, "bio_new")})
    assert sorted(connect(serve(workspace).url).list_pages(names(5))) == sorted([*names(count), "bio_new"])


@pytest.mark.parametrize("count", [202, 399, 400, 600])
def test_a_wanted_page_that_slips_past_a_page_taken_away_is_asked_for(
    count: int, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    workspace = Workspace(wire, names(count), {2: lambda ids: ids.remove("bio_0")})
    found = connect(serve(workspace).url).list_pages(names(count))
    assert found.keys() >= set(names(count - 1, first=1))
    assert workspace.calls <= batches_for(count) + 1


def test_a_list_that_moves_all_the_time_is_read_three_times_at_most(
    serve: StartServer, connect: Connect, wire: Wire
) -> None:
    def restless(ids: list[str]) -> None:
        ids.insert(0, f"bio_new_{len(ids)}")

    workspace = Workspace(wire, names(390), dict.fromkeys(range(2, 30), restless))
    found = connect(serve(workspace).url).list_pages(names(5))
    assert found.keys() >= set(names(390))
    assert workspace.calls <= 3 * 3


def test_a_page_that_was_edited_between_two_passes_is_taken_as_it_is_now(
    serve: StartServer, connect: Connect, wire: Wire
) -> None:
    first = [wire.page(name) for name in names(200)]
    second = [wire.page("bio_199"), wire.page("bio_200")]
    later = [wire.page(name, title="later") for name in names(200)]
    server = serve(*map(wire.data, (first, second, later, [wire.page("bio_200", title="later")])))
    found = connect(server.url).list_pages()
    assert {page.content.title for page in found.values()} == {"later"}


# ---- a list that is none


@pytest.mark.parametrize("size", [200, 50])
def test_a_service_without_an_end_is_left(
    size: int, serve: StartServer, connect: Connect, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_BATCHES", 20)

    def endless(asked: Asked) -> bytes:
        offset = int(parse_qs(urlsplit(asked.target).query)["offset"][0])
        return wire.data([wire.page(name) for name in names(size, first=offset)])

    server = serve(endless)
    with pytest.raises(NotAnAnswer, match=f"did not end after 20 answers and {20 * size:,} pages") as caught:
        connect(server.url).list_pages(["bio_x"])
    assert "of a workspace of more pages" in caught.value.hint
    assert len(server.asked) == 20


def test_a_service_that_repeats_one_full_answer_is_left_after_the_second(
    serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.data([wire.page(name) for name in names(200)]))
    assert list(connect(server.url).list_pages()) == names(200)
    assert len(server.asked) == 2


def test_one_page_told_twice_alike_is_one_page(serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.data([wire.page("bio_1"), wire.page("bio_2"), wire.page("bio_1")]))
    assert list(connect(server.url).list_pages()) == ["bio_1", "bio_2"]


def test_one_page_told_twice_differently_is_refused(serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.data([wire.page("bio_1"), wire.page("bio_1", title="Other")]))
    with pytest.raises(NotAnAnswer, match="two different pages bio_1"):
        connect(server.url).list_pages()


@pytest.mark.parametrize("bad", [None, 1, "bio_1", [], {}, {"id": "../x"}, {"id": 7}, {"title": "no id"}])
def test_one_item_that_is_no_page_refuses_the_list(
    bad: object, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.data([wire.page("bio_1"), bad]))
    with pytest.raises(NotAnAnswer, match="this is no page"):
        connect(server.url).list_pages()


@pytest.mark.parametrize("data", [None, {}, {"pages": []}, "", 0, False])
def test_a_list_that_is_no_list_is_refused(data: object, serve: StartServer, connect: Connect, wire: Wire) -> None:
    server: RawServer = serve(wire.data(data))
    with pytest.raises(NotAnAnswer, match="no list"):
        connect(server.url).list_pages()


@pytest.mark.parametrize("status", [404, 410])
def test_a_list_that_is_not_there_is_no_service(status: int, serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.error(status, "NOT_FOUND"))
    with pytest.raises(NotAnAnswer, match="no xQR at this address"):
        connect(server.url).list_pages()


# ---- pages that are removed while the list is read


def removing(count: int) -> Callable[[list[str]], None]:
    def move(ids: list[str]) -> None:
        del ids[:count]

    return move


@pytest.mark.parametrize("removed", [1, 3, 5, 60, 199])
@pytest.mark.parametrize("count", [400, 450, 1000])
def test_wanted_pages_are_found_although_others_were_removed_before_them(
    count: int, removed: int, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    workspace = Workspace(wire, names(count), {2: removing(removed)})
    found = connect(serve(workspace).url).list_pages(names(count))
    assert set(names(count)[removed:]) <= found.keys()
    assert workspace.calls <= 3 * (batches_for(count) + 1)


def test_many_gone_pages_of_a_large_workspace_cost_one_more_reading_and_no_more(
    serve: StartServer, connect: Connect, wire: Wire
) -> None:
    workspace = Workspace(wire, names(430))
    found = connect(serve(workspace).url).list_pages([*names(430), *names(100, first=9000)])
    assert len(found) == 430
    assert workspace.calls == 6


@pytest.mark.parametrize("count", [200, 1000])
def test_for_single_files_reading_ends_when_they_are_found(
    count: int, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    workspace = Workspace(wire, names(count))
    connect(serve(workspace).url).list_pages(["bio_3", "bio_7"], everything=False)
    assert workspace.calls == 1


class Summaries(Workspace):
    """A list that shows of the pages in `short` no page data, or no title."""

    def __init__(self, wire: Wire, ids: list[str], short: dict[str, str], gone: str = "") -> None:
        super().__init__(wire, ids)
        self._short = short
        self._gone = gone

    def __call__(self, asked: Asked) -> bytes:
        if "?" not in asked.target:
            return (
                self._wire.error(404, "NOT_FOUND")
                if asked.target.endswith(f"/{self._gone}")
                else super().__call__(asked)
            )
        self.calls += 1
        shown = [self._wire.page(name) for name in self.ids]
        return self._wire.data(
            [{k: v for k, v in page.items() if k != self._short.get(str(page["id"]))} for page in shown]
        )


def test_a_wanted_page_that_the_list_shows_in_part_is_asked_for(
    serve: StartServer, connect: Connect, wire: Wire
) -> None:
    short = {"bio_1": "page_data", "bio_3": "title", "bio_4": "page_data", "bio_5": "page_data"}
    workspace = Summaries(wire, names(9), short, gone="bio_5")
    found = connect(serve(workspace).url).list_pages(["bio_1", "bio_2", "bio_3", "bio_5"])
    assert {name for name in found if found[name].untold} == {"bio_4"}
    assert sorted(found) == [name for name in names(9) if name != "bio_5"]
    assert workspace.calls == 3


def test_many_pages_that_the_list_shows_in_part_are_not_asked_for_each(
    serve: StartServer, connect: Connect, wire: Wire
) -> None:
    workspace = Summaries(wire, names(30), dict.fromkeys(names(25), "page_data"))
    found = connect(serve(workspace).url).list_pages(names(30))
    assert {name for name in found if found[name].untold} == set(names(25))
    assert workspace.calls == 1


def test_a_list_of_summaries_is_not_taken_for_pages_with_nothing_on_them(
    serve: StartServer, connect: Connect, wire: Wire
) -> None:
    with pytest.raises(NotAnAnswer, match="no page_data"):
        connect(serve(wire.data([{"id": "bio_1", "title": "T", "is_published": True}])).url).list_pages()
