"""Writes that land late, hands in the dashboard, reads that lag behind, and the history that knows it all."""

from __future__ import annotations

import dataclasses
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync.sandbox import Behaviour, Fault, Revision, Sandbox
from tests.sandbox.conftest import Hands

if TYPE_CHECKING:
    from pathlib import Path
    from types import SimpleNamespace

Serve = Callable[..., Sandbox]
Ask = Callable[..., httpx.Response]

PAGE = {"id": "bio_acme", "title": "Acme"}
PATH = "/bio/pages/bio_acme"
BEGIN = 1795341600.0


def told(sandbox: Sandbox) -> list[tuple[Any, ...]]:
    """Return the history in short: when, by whom, by which request, and the title then."""
    return [
        (revision.at - BEGIN, revision.by, revision.request, revision.page and revision.page["title"])
        for revision in sandbox.history
    ]


def test_a_late_write_is_refused_now_and_carried_out_when_it_is_due(
    serve: Serve, ask: Ask, clock: SimpleNamespace
) -> None:
    sandbox = serve([PAGE], faults=[Fault(504, late=10)], clock=clock)
    assert ask(sandbox, "PATCH", PATH, json={"title": "Late"}).status_code == 504
    clock.now += 9.9
    assert sandbox.page("bio_acme")["title"] == "Acme"
    assert ask(sandbox, "GET", PATH).json()["data"]["title"] == "Acme"
    clock.now += 300
    assert sandbox.page("bio_acme")["title"] == "Late"
    assert sandbox.page("bio_acme")["updated_at"] == "2026-11-22T10:00:10Z"
    assert told(sandbox) == [(10, "api", 0, "Late")]


@pytest.mark.parametrize(
    "look",
    [
        lambda sandbox, _: sandbox.page("bio_acme")["title"],
        lambda sandbox, _: sandbox.pages[0]["title"],
        lambda sandbox, _: sandbox.history[-1].page["title"],
        lambda sandbox, _: sandbox.edit("bio_acme", view_count=1)["title"],
        lambda sandbox, ask: ask(sandbox, "GET", PATH).json()["data"]["title"],
        lambda sandbox, ask: ask(sandbox, "GET", "/bio/pages").json()["data"][0]["title"],
        lambda sandbox, ask: ask(sandbox, "POST", f"{PATH}/publish").json()["data"]["title"],
        lambda sandbox, ask: ask(sandbox, "PATCH", PATH, json={"description": "x"}).json()["data"]["title"],
        lambda sandbox, _: httpx.get(f"{sandbox.address}/acme").text.partition("<title>")[2][:4],
        lambda sandbox, _: httpx.get(sandbox.address).text.partition("/acme")[2].partition(">")[2][:4],
    ],
)
def test_whoever_looks_after_a_jump_of_the_clock_sees_the_late_write(
    serve: Serve, ask: Ask, clock: SimpleNamespace, look: Callable[[Sandbox, Ask], str]
) -> None:
    sandbox = serve([PAGE | {"is_published": True}], faults=[Fault(wire="close", late=10)], clock=clock)
    with pytest.raises(httpx.RemoteProtocolError):
        ask(sandbox, "PATCH", PATH, json={"title": "Late"})
    clock.now += 3600
    assert look(sandbox, ask) == "Late"


def test_a_late_creation_counts_once_it_is_due(serve: Serve, ask: Ask, clock: SimpleNamespace) -> None:
    sandbox = serve(faults=[Fault(late=10)], clock=clock)
    assert ask(sandbox, "POST", "/bio/pages", json={"title": "Late"}).status_code == 503
    usage = [ask(sandbox, "GET", "/workspace/usage").json()["data"]["usage"]["total_bio_pages"]]
    clock.now += 10
    usage += [ask(sandbox, "GET", "/workspace/usage").json()["data"]["usage"]["total_bio_pages"]]
    assert usage == [0, 1]
    assert sandbox.pages[0]["created_at"] == "2026-11-22T10:00:10Z"


def test_late_writes_land_in_the_order_of_their_time_and_before_what_comes_later(
    serve: Serve, ask: Ask, clock: SimpleNamespace
) -> None:
    sandbox = serve([PAGE], faults=[Fault(late=30), Fault(late=10), Fault(late=10)], clock=clock)
    for title in ("Thirty", "Ten", "Ten again"):
        ask(sandbox, "PATCH", PATH, json={"title": title})
    clock.now += 20
    sandbox.edit("bio_acme", title="By hand")
    clock.now += 20
    ask(sandbox, "PATCH", PATH, json={"title": "Last"})
    assert told(sandbox) == [
        (10, "api", 1, "Ten"),
        (10, "api", 2, "Ten again"),
        (20, "dashboard", None, "By hand"),
        (30, "api", 0, "Thirty"),
        (40, "api", 3, "Last"),
    ]


def test_a_late_write_to_a_page_that_is_gone_then_does_nothing(serve: Serve, ask: Ask, clock: SimpleNamespace) -> None:
    sandbox = serve([PAGE], faults=[Fault(late=10)], clock=clock)
    ask(sandbox, "PATCH", PATH, json={"title": "Late"})
    sandbox.remove("bio_acme")
    clock.now += 20
    assert sandbox.pages == []
    assert told(sandbox) == [(0, "dashboard", None, None)]


@pytest.mark.parametrize(("body", "key"), [({"title": ""}, None), ({"title": "Late"}, "bio:read")])
def test_a_write_that_would_be_refused_is_not_carried_out_late(
    serve: Serve, ask: Ask, clock: SimpleNamespace, body: dict[str, str], key: str | None
) -> None:
    sandbox = serve([PAGE], faults=[Fault(late=10)], clock=clock)
    options = {"key": sandbox.add_key([key])} if key else {}
    assert ask(sandbox, "PATCH", PATH, json=body, **options).status_code == 503
    clock.now += 20
    assert sandbox.history == []


def test_a_late_write_that_is_due_reaches_the_database_file_and_another_does_not(
    ask: Ask, clock: Hands, tmp_path: Path
) -> None:
    faults = [Fault(late=10), Fault(late=20)]
    with Sandbox([PAGE], database=tmp_path / "xqr.db", faults=faults, clock=clock) as sandbox:
        for title in ("Due", "Never"):
            ask(sandbox, "PATCH", PATH, json={"title": title})
        clock.now += 15
    assert [revision.request for revision in sandbox.history] == [0]
    clock.now += 15
    with Sandbox(database=tmp_path / "xqr.db", clock=clock) as again:
        assert again.page("bio_acme")["title"] == "Due"


def test_a_read_is_never_late(serve: Serve, ask: Ask) -> None:
    sandbox = serve([PAGE], faults=[Fault(late=0, method="GET")])
    assert ask(sandbox, "GET", PATH).status_code == 503
    assert sandbox.history == []


@pytest.mark.parametrize("after", [False, True])
def test_a_person_edits_just_before_the_request_is_handled(
    serve: Serve, ask: Ask, clock: SimpleNamespace, after: bool
) -> None:
    by_hand: dict[str, dict[str, object]] = {
        "bio_acme": {"title": "By hand", "description": "Hers"},
        "bio_other": {"is_published": True},
    }
    fault = Fault(None, edits=by_hand, after=after)
    sandbox = serve([PAGE, {"id": "bio_other", "title": "Other"}], faults=[fault], clock=clock)
    page = ask(sandbox, "PATCH", PATH, json={"title": "New"}).json()["data"]
    assert (page["title"], page["description"]) == ("New", "Hers")
    assert sandbox.page("bio_other")["is_published"]
    assert told(sandbox) == [
        (0, "dashboard", None, "By hand"),
        (0, "dashboard", None, "Other"),
        (0, "api", 0, "New"),
    ]


def test_an_edit_comes_after_a_delay_and_with_any_answer(serve: Serve, ask: Ask) -> None:
    edits = {"bio_acme": {"title": "By hand"}}
    for fault in (Fault(500, edits=edits, delay=0.2), Fault(edits=edits, delay=0.2)):
        sandbox = serve([PAGE], faults=[fault])
        begin = time.time()
        ask(sandbox, "GET", PATH)
        (revision,) = sandbox.history
        assert revision.at - begin >= 0.19
    sandbox = serve([PAGE], faults=[Fault(wire="close", edits=edits)])
    with pytest.raises(httpx.RemoteProtocolError):
        ask(sandbox, "GET", PATH)
    assert sandbox.page("bio_acme")["title"] == "By hand"


def test_an_edit_of_a_page_that_is_gone_is_left_out(serve: Serve, ask: Ask) -> None:
    sandbox = serve([PAGE], faults=[Fault(edits={"bio_acme": {"title": "By hand"}})])
    sandbox.remove("bio_acme")
    assert ask(sandbox, "GET", "/bio/pages").json()["data"] == []


def test_a_sandbox_does_not_start_with_an_edit_of_a_page_that_it_does_not_have() -> None:
    faults = [Fault(edits={"bio_acne": {"title": "By hand"}})]
    with pytest.raises(ValueError, match=r"no page 'bio_acne', did you mean 'bio_acme'\?"):
        Sandbox([PAGE], faults=faults).start()


def test_reads_lag_behind_writes_over_the_api(serve: Serve, ask: Ask, clock: SimpleNamespace) -> None:
    sandbox = serve([PAGE], behaviour=Behaviour(stale=5), clock=clock)

    def seen() -> list[str]:
        listed = ask(sandbox, "GET", "/bio/pages").json()["data"]
        return [ask(sandbox, "GET", PATH).json()["data"]["title"], *(page["title"] for page in listed)]

    assert ask(sandbox, "PATCH", PATH, json={"title": "One"}).json()["data"]["title"] == "One"
    clock.now += 3
    assert ask(sandbox, "PATCH", PATH, json={"description": "x"}).json()["data"]["title"] == "One"
    assert ask(sandbox, "PATCH", PATH, json={"title": "Two"}).json()["data"]["title"] == "Two"
    assert seen() == ["Acme", "Acme"]
    assert sandbox.page("bio_acme")["title"] == sandbox.pages[0]["title"] == "Two"
    clock.now += 2
    assert seen() == ["One", "One"]
    clock.now += 3
    assert seen() == ["Two", "Two"]


def test_a_page_that_was_just_created_is_not_read_yet(serve: Serve, ask: Ask, clock: SimpleNamespace) -> None:
    sandbox = serve([PAGE], behaviour=Behaviour(stale=5), clock=clock)
    page_id = ask(sandbox, "POST", "/bio/pages", json={"title": "New"}).json()["data"]["id"]
    assert ask(sandbox, "GET", f"/bio/pages/{page_id}").status_code == 404
    assert len(ask(sandbox, "GET", "/bio/pages?limit=200").json()["data"]) == 1
    clock.now += 5
    assert ask(sandbox, "GET", f"/bio/pages/{page_id}").status_code == 200
    assert len(ask(sandbox, "GET", "/bio/pages?limit=1&offset=1").json()["data"]) == 1


def test_edits_in_the_dashboard_are_read_at_once_but_never_before_a_write_that_they_follow(
    serve: Serve, ask: Ask, clock: SimpleNamespace
) -> None:
    sandbox = serve([PAGE, {"id": "bio_other"}], behaviour=Behaviour(stale=5), clock=clock)
    sandbox.edit("bio_acme", title="By hand")
    assert ask(sandbox, "GET", PATH).json()["data"]["title"] == "By hand"
    ask(sandbox, "PATCH", PATH, json={"title": "New"})
    sandbox.edit("bio_acme", title="By hand again")
    assert ask(sandbox, "GET", PATH).json()["data"]["title"] == "By hand"
    sandbox.remove("bio_acme")
    assert ask(sandbox, "GET", PATH).status_code == 404
    assert [page["id"] for page in ask(sandbox, "GET", "/bio/pages").json()["data"]] == ["bio_other"]


def test_a_list_that_lags_is_cut_into_the_same_windows(serve: Serve, ask: Ask, clock: SimpleNamespace) -> None:
    pages = [{"id": f"bio_{number}", "title": f"Old {number}"} for number in range(5)]
    sandbox = serve(pages, behaviour=Behaviour(stale=5), clock=clock)
    ask(sandbox, "PATCH", "/bio/pages/bio_2", json={"title": "New"})
    window = ask(sandbox, "GET", "/bio/pages?limit=2&offset=1").json()["data"]
    assert [page["title"] for page in window] == ["Old 1", "Old 2"]


def test_a_write_that_lands_late_is_read_later_still(serve: Serve, ask: Ask, clock: SimpleNamespace) -> None:
    sandbox = serve([PAGE], behaviour=Behaviour(stale=5), faults=[Fault(late=10)], clock=clock)
    ask(sandbox, "PATCH", PATH, json={"title": "Late"})
    clock.now += 14
    assert ask(sandbox, "GET", PATH).json()["data"]["title"] == "Acme"
    assert sandbox.page("bio_acme")["title"] == "Late"
    clock.now += 1
    assert ask(sandbox, "GET", PATH).json()["data"]["title"] == "Late"


def test_the_history_knows_every_write_and_nothing_else(
    serve: Serve, ask: Ask, http: httpx.Client, clock: SimpleNamespace
) -> None:
    sandbox = serve([PAGE], clock=clock)
    ask(sandbox, "POST", f"{PATH}/publish")
    ask(sandbox, "GET", PATH)
    http.get(f"{sandbox.address}/acme")
    ask(sandbox, "POST", f"{PATH}/publish")
    ask(sandbox, "PATCH", PATH, json={"title": ""})
    ask(sandbox, "PATCH", PATH, json={"title": "New"})
    created = ask(sandbox, "POST", "/bio/pages", json={"title": "Two"}).json()["data"]
    sandbox.edit(created["id"], title="Three")
    sandbox.remove(created["id"])
    assert [(revision.request, revision.page_id) for revision in sandbox.history] == [
        (0, "bio_acme"), (3, "bio_acme"), (5, "bio_acme"),
        (6, created["id"]), (None, created["id"]), (None, created["id"]),
    ]  # fmt: skip
    assert sandbox.history[3] == Revision(clock.now, created["id"], "api", 6, created)
    assert sandbox.history[2].page == sandbox.page("bio_acme")
    assert sandbox.history[-1].page is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        sandbox.history[0].by = "dashboard"  # type: ignore[misc]
    sandbox.stop()
    assert len(sandbox.history) == 6


def test_no_history_is_kept_when_nobody_wants_it(serve: Serve, ask: Ask) -> None:
    sandbox = serve([PAGE], keep_history=False)
    ask(sandbox, "PATCH", PATH, json={"title": "New"})
    sandbox.edit("bio_acme", title="By hand")
    assert sandbox.history == []


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Let threads take turns so often that whatever can happen between two steps does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_the_history_stands_in_the_order_of_the_store_when_many_write_at_once(
    serve: Serve, ask: Ask, restless_threads: None
) -> None:
    sandbox = serve([PAGE], behaviour=Behaviour(burst_limit=10_000))

    def by_hand(number: int) -> None:
        sandbox.edit("bio_acme", title=f"H{number}")

    def over_http(number: int) -> None:
        ask(sandbox, "PATCH", PATH, json={"description": f"D{number}"})

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(work, number) for number in range(60) for work in (by_hand, over_http)]:
            future.result()
    pages = [revision.page for revision in sandbox.history]
    for before, after, revision in zip(pages, pages[1:], sandbox.history[1:], strict=False):
        assert before is not None
        assert after is not None
        changed = {name for name in after if after[name] != before[name]} - {"updated_at"}
        assert changed == {"title" if revision.by == "dashboard" else "description"}
        if revision.request is not None:
            assert sandbox.requests[revision.request].body == {"description": after["description"]}
    assert pages[-1] == sandbox.page("bio_acme")


def test_nobody_comes_between_the_time_of_a_write_and_the_write() -> None:
    ticks = itertools.count(1)

    def dawdling() -> float:
        tick = next(ticks)
        # Every second caller is overtaken by the next, if it can be.
        time.sleep(0.005 * (tick % 2))
        return BEGIN + tick

    with Sandbox([PAGE], clock=dawdling) as sandbox, ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(sandbox.edit, "bio_acme", title=str(number)) for number in range(20)]:
            future.result()
        times = [revision.at for revision in sandbox.history]
    assert times == sorted(times)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("now"), st.just(0)),
        st.tuples(st.just("late"), st.integers(0, 6)),
        st.tuples(st.just("after"), st.just(0)),
        st.tuples(st.just("lost"), st.just(0)),
        st.tuples(st.just("edit"), st.just(0)),
        st.tuples(st.just("jump"), st.integers(1, 10)),
        st.tuples(st.just("look"), st.just(0)),
    ),
    max_size=20,
)


@given(steps, st.integers(0, 4))
def test_any_story_of_writes_is_told_and_shown_as_a_plain_model_of_time_tells_it(
    story: list[tuple[str, int]], stale: int
) -> None:
    """The model knows the whole story first and sorts it; the sandbox only ever looks back from the present."""
    clock = Hands(now=BEGIN)
    behaviour = Behaviour(burst_limit=10_000, stale=stale)
    landed: list[tuple[float, int, str, int | None, str]] = []
    requests = 0
    with Sandbox([PAGE], behaviour=behaviour, clock=clock) as sandbox, sandbox_client(sandbox) as client:
        for number, (kind, seconds) in enumerate(story):
            title = f"Title {number}"
            if kind == "jump":
                clock.now += seconds
            elif kind == "edit":
                sandbox.edit("bio_acme", title=title)
                landed.append((clock.now, number, "dashboard", None, title))
            elif kind == "look":
                requests += 1
                seen = client.get(PATH).json()["data"]["title"]
                assert seen == expected_view(landed, clock.now, stale)
            else:
                if kind != "now":
                    sandbox.fail(Fault(after=kind == "after", late=seconds if kind == "late" else None))
                answer = client.patch(PATH, json={"title": title})
                assert answer.status_code == (200 if kind == "now" else 503)
                if kind != "lost":
                    landed.append((clock.now + seconds, number, "api", requests, title))
                requests += 1
        history = [row for row in sorted(landed) if row[0] <= clock.now]
        assert told(sandbox) == [(at - BEGIN, by, request, title) for at, _, by, request, title in history]
        assert sandbox.page("bio_acme")["title"] == (history[-1][4] if history else "Acme")


def sandbox_client(sandbox: Sandbox) -> httpx.Client:
    return httpx.Client(base_url=sandbox.url, headers={"Authorization": f"Bearer {sandbox.key}"}, timeout=60)


def expected_view(landed: list[tuple[float, int, str, int | None, str]], now: float, stale: int) -> str:
    seen = "Acme"
    for at, _, by, _, title in sorted(landed):
        if at > now or (by == "api" and now < at + stale):
            break
        seen = title
    return seen
