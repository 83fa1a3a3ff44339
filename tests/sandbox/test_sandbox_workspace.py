"""Creating and publishing pages, the hand in the dashboard, and several hands at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bio_sync.sandbox import Behaviour, Sandbox
from tests.sandbox.documented import MEMBERS, PAGE

if TYPE_CHECKING:
    from types import SimpleNamespace

Serve = Callable[..., Sandbox]
Ask = Callable[..., httpx.Response]


def test_a_created_page_starts_unpublished(serve: Serve, ask: Ask, clock: SimpleNamespace) -> None:
    sandbox = serve([{"title": "Acme"}], clock=clock)
    answer = ask(sandbox, "POST", "/bio/pages", json={"title": "Acme", "page_data": {"theme": "dark"}})
    page = answer.json()["data"]
    assert answer.status_code == 201
    assert set(page) == MEMBERS
    assert (page["slug"], page["is_published"], page["page_data"]) == ("acme-2", False, {"theme": "dark"})
    assert page["created_at"] == page["updated_at"] == "2026-11-22T10:00:00Z"
    assert page == sandbox.page(page["id"])


@pytest.mark.parametrize("body", [{"description": "x"}, {"title": ""}, {"title": "x", "slug": "y"}, {}])
def test_a_page_without_a_good_title_is_not_created(serve: Serve, ask: Ask, body: Any) -> None:
    sandbox = serve()
    answer = ask(sandbox, "POST", "/bio/pages", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert sandbox.pages == []


def test_no_more_pages_than_the_plan_allows(serve: Serve, ask: Ask) -> None:
    sandbox = serve([PAGE], behaviour=Behaviour(page_limit=2))
    assert ask(sandbox, "POST", "/bio/pages", json={"title": "Two"}).status_code == 201
    answer = ask(sandbox, "POST", "/bio/pages", json={"title": "Three"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "PLAN_LIMIT_EXCEEDED")
    assert len(sandbox.pages) == 2


def test_publishing_again_changes_nothing_and_unpublishing_keeps_the_first_time(
    serve: Serve, ask: Ask, clock: SimpleNamespace
) -> None:
    sandbox = serve([PAGE], clock=clock)
    pages = []
    for action in ("publish", "publish", "unpublish", "unpublish", "publish"):
        clock.now += 1
        pages.append(ask(sandbox, "POST", f"/bio/pages/bio_acme/{action}").json()["data"])
    assert [page["is_published"] for page in pages] == [True, True, False, False, True]
    assert {page["published_at"] for page in pages} == {"2026-11-22T10:00:01Z"}
    assert [page["updated_at"][-3:-1] for page in pages] == ["01", "01", "03", "03", "05"]


def test_an_edit_in_the_dashboard_moves_the_time_and_counts_do_not(serve: Serve, clock: SimpleNamespace) -> None:
    sandbox = serve([PAGE], clock=clock)
    clock.now += 5
    assert sandbox.edit("bio_acme", view_count=9)["updated_at"] == "2026-11-22T10:00:00Z"
    page = sandbox.edit("bio_acme", title="By hand", is_published=True)
    assert (page["title"], page["updated_at"], page["view_count"]) == ("By hand", "2026-11-22T10:00:05Z", 9)
    assert page["published_at"] == "2026-11-22T10:00:05Z"
    with pytest.raises(TypeError, match="slug"):
        sandbox.edit("bio_acme", slug="other")
    assert not sandbox.requests


def test_a_removed_page_is_gone(serve: Serve, ask: Ask) -> None:
    sandbox = serve([PAGE])
    sandbox.remove("bio_acme")
    assert ask(sandbox, "GET", "/bio/pages/bio_acme").status_code == 404
    for call in (sandbox.page, sandbox.remove, sandbox.edit):
        with pytest.raises(KeyError):
            call("bio_acme")


def test_two_threads_that_write_at_once_lose_nothing(serve: Serve, ask: Ask) -> None:
    sandbox = serve([PAGE], behaviour=Behaviour(patch="merge", burst_limit=1000))

    def over_http(number: int) -> None:
        assert ask(sandbox, "PATCH", "/bio/pages/bio_acme", json={"page_data": {f"h{number}": 1}}).is_success
        assert ask(sandbox, "POST", "/bio/pages", json={"title": "Same"}).status_code == 201

    def by_hand(number: int) -> None:
        sandbox.edit("bio_acme", view_count=number)
        sandbox.use_up(1)

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(work, number) for number in range(40) for work in (over_http, by_hand)]
    for future in futures:
        future.result()
    assert {f"h{number}" for number in range(40)} <= set(sandbox.page("bio_acme")["page_data"])
    assert len({page["slug"] for page in sandbox.pages}) == 41
    assert ask(sandbox, "GET", "/workspace/usage").json()["data"]["usage"]["api_calls_this_month"] == 121
