"""The burst limit, the month, and what is charged to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx

from bio_sync.sandbox import Behaviour, Fault, Sandbox

if TYPE_CHECKING:
    from types import SimpleNamespace

Serve = Callable[..., Sandbox]
Ask = Callable[..., httpx.Response]


def test_a_burst_over_the_limit_is_refused_and_refills_with_time(
    serve: Serve, ask: Ask, clock: SimpleNamespace
) -> None:
    sandbox = serve(behaviour=Behaviour(burst_limit=4), clock=clock)
    statuses = [ask(sandbox, "GET", "/bio/pages").status_code for _ in range(6)]
    assert statuses == [200, 200, 200, 200, 429, 429]
    clock.now += 0.5
    answers = [ask(sandbox, "GET", "/bio/pages") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["error"]["code"] == "BURST_LIMIT_EXCEEDED"
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].headers["x-ratelimit-burst-remaining"] == "0"


def test_the_bucket_holds_no_more_than_the_limit(serve: Serve, ask: Ask, clock: SimpleNamespace) -> None:
    sandbox = serve(behaviour=Behaviour(burst_limit=2), clock=clock)
    clock.now += 3600
    assert [ask(sandbox, "GET", "/bio/pages").status_code for _ in range(3)] == [200, 200, 429]


def test_a_clock_that_is_set_back_drains_nothing(serve: Serve, ask: Ask, clock: SimpleNamespace) -> None:
    sandbox = serve(behaviour=Behaviour(burst_limit=3), clock=clock)
    ask(sandbox, "GET", "/bio/pages")
    clock.now -= 60
    assert ask(sandbox, "GET", "/bio/pages").headers["x-ratelimit-burst-remaining"] == "1"


def test_each_key_has_its_own_bucket(serve: Serve, ask: Ask, clock: SimpleNamespace) -> None:
    sandbox = serve(behaviour=Behaviour(burst_limit=1), clock=clock)
    other = sandbox.add_key(["bio:read"])
    assert [ask(sandbox, "GET", "/bio/pages").status_code for _ in range(2)] == [200, 429]
    assert ask(sandbox, "GET", "/bio/pages", key=other).status_code == 200


def test_an_exhausted_month_is_refused_until_the_next(serve: Serve, ask: Ask, clock: SimpleNamespace) -> None:
    sandbox = serve(behaviour=Behaviour(monthly_limit=3), clock=clock)
    sandbox.use_up(2)
    assert ask(sandbox, "GET", "/bio/pages").headers["x-ratelimit-remaining"] == "0"
    answer = ask(sandbox, "GET", "/bio/pages")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert "retry-after" not in answer.headers
    clock.now = 1796083200.0
    assert ask(sandbox, "GET", "/bio/pages").headers["x-ratelimit-remaining"] == "2"


def test_the_month_after_december_is_january(serve: Serve, ask: Ask, clock: SimpleNamespace) -> None:
    clock.now = 1798761599.0
    sandbox = serve(behaviour=Behaviour(rate_limit="month"), clock=clock)
    meta = ask(sandbox, "GET", "/bio/pages").json()["meta"]
    assert meta["rate_limit"]["reset_at"] == "2027-01-01T00:00:00Z"


def test_all_keys_of_the_workspace_share_the_month(serve: Serve, ask: Ask) -> None:
    sandbox = serve(behaviour=Behaviour(monthly_limit=2))
    ask(sandbox, "GET", "/bio/pages")
    ask(sandbox, "GET", "/bio/pages", key=sandbox.add_key())
    assert ask(sandbox, "GET", "/bio/pages").json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"


def test_calls_with_a_good_key_are_charged_unless_refused_with_429(
    serve: Serve, ask: Ask, http: httpx.Client, clock: SimpleNamespace
) -> None:
    sandbox = serve(behaviour=Behaviour(burst_limit=4), clock=clock)
    ask(sandbox, "GET", "/bio/pages", key="xqr_pk_none")
    http.get(sandbox.address)
    ask(sandbox, "GET", "/bio/pages")
    ask(sandbox, "GET", "/nothing")
    ask(sandbox, "POST", "/bio/pages", json={})
    ask(sandbox, "GET", "/bio/pages", key=sandbox.add_key(["bio:write"]))
    sandbox.fail(Fault(status=429))
    ask(sandbox, "GET", "/bio/pages")
    ask(sandbox, "GET", "/bio/pages")
    assert [call.status for call in sandbox.calls] == [200, 404, 400, 403]
    assert [request.status for request in sandbox.requests] == [401, 200, 200, 404, 400, 403, 429, 429]
    clock.now += 1
    assert ask(sandbox, "GET", "/workspace/usage").json()["data"]["usage"]["api_calls_this_month"] == 5


def test_usage_tells_what_is_used_and_what_is_allowed(serve: Serve, ask: Ask) -> None:
    behaviour = Behaviour(plan="business", monthly_limit=25_000, page_limit=50)
    sandbox = serve([{"title": "Acme"}], behaviour=behaviour)
    sandbox.use_up(41)
    assert ask(sandbox, "GET", "/workspace/usage").json()["data"] == {
        "plan": "business",
        "usage": {"api_calls_this_month": 42, "total_bio_pages": 1},
        "limits": {"api_calls_per_month": 25_000, "bio_pages": 50},
    }


def test_the_behaviour_can_change_while_it_serves(serve: Serve, ask: Ask) -> None:
    sandbox = serve()
    sandbox.behaviour = Behaviour(monthly_limit=0)
    assert ask(sandbox, "GET", "/bio/pages").status_code == 429
