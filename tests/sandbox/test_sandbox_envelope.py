"""Keys, scopes, the envelope and the headers of every answer under /api/v1."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from bio_sync.sandbox import Behaviour, Fault, Sandbox

if TYPE_CHECKING:
    from types import SimpleNamespace

    from bio_sync.sandbox.behaviour import RateLimitShape
    from bio_sync.sandbox.store import KeyState

Serve = Callable[..., Sandbox]
Ask = Callable[..., httpx.Response]


def test_a_success_is_data_and_meta(serve: Serve, ask: Ask) -> None:
    answer = ask(serve([{"title": "Acme"}]), "GET", "/bio/pages")
    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert set(body) == {"data", "meta"}
    assert body["meta"]["request_id"] == answer.headers["x-request-id"]
    assert re.fullmatch(r"req_[0-9a-f]{16}", body["meta"]["request_id"])


def test_a_refusal_is_error_and_meta(serve: Serve, ask: Ask) -> None:
    answer = ask(serve(), "GET", "/bio/pages/bio_nothere")
    body = answer.json()
    assert answer.status_code == 404
    assert set(body) == {"error", "meta"}
    assert set(body["error"]) == {"code", "message", "status"}
    assert (body["error"]["code"], body["error"]["status"]) == ("NOT_FOUND", 404)
    assert body["meta"] == {"request_id": answer.headers["x-request-id"]}


def test_every_answer_tells_the_limits_in_its_headers(serve: Serve, ask: Ask, clock: SimpleNamespace) -> None:
    sandbox = serve(behaviour=Behaviour(burst_limit=7, monthly_limit=50), clock=clock)
    for path in ("/bio/pages", "/bio/pages/bio_nothere"):
        clock.now += 1
        headers = ask(sandbox, "GET", path).headers
        assert headers["x-ratelimit-limit"] == "50"
        assert headers["x-ratelimit-burst-limit"] == "7"
        assert headers["x-ratelimit-burst-remaining"] == "6"
    assert headers["x-ratelimit-remaining"] == "48"


def test_every_answer_has_a_date_by_the_clock_of_the_sandbox_unless_a_fault_has_its_own(
    serve: Serve, ask: Ask, clock: SimpleNamespace
) -> None:
    sandbox = serve(clock=clock)
    for path in ("/bio/pages", "/bio/pages/bio_nothere"):
        clock.now += 3600
        said = parsedate_to_datetime(ask(sandbox, "GET", path).headers["date"])
        assert said.timestamp() == int(clock.now)
    sandbox.fail(Fault(status=503, headers={"Date": "Thu, 01 Jan 1970 00:00:00 GMT"}))
    assert ask(sandbox, "GET", "/bio/pages").headers.get_list("date") == ["Thu, 01 Jan 1970 00:00:00 GMT"]


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ("month", {"remaining": 999, "reset_at": "2026-12-01T00:00:00Z"}),
        ("burst", {"limit": 1000, "remaining": 999, "burst_limit": 10, "burst_remaining": 9}),
        ("unix", {"limit": 1000, "remaining": 999, "reset": 1796083200}),
        ("none", None),
    ],
)
def test_meta_rate_limit_has_each_documented_shape(
    serve: Serve, ask: Ask, clock: SimpleNamespace, shape: RateLimitShape, wanted: object
) -> None:
    sandbox = serve(behaviour=Behaviour(rate_limit=shape), clock=clock)
    assert ask(sandbox, "GET", "/bio/pages").json()["meta"].get("rate_limit") == wanted


def test_the_key_has_the_documented_form(serve: Serve) -> None:
    assert re.fullmatch(r"xqr_pk_[0-9a-f]{8}\.[A-Za-z0-9_-]{64}", serve().key)


@pytest.mark.parametrize("key", [None, "xqr_pk_00000000.wrong", b"\xd0\xba\xff"])
def test_a_missing_or_unknown_key_is_refused(serve: Serve, ask: Ask, key: str | bytes | None) -> None:
    sandbox = serve()
    answer = ask(sandbox, "GET", "/bio/pages", key=key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "INVALID_API_KEY")
    assert "x-ratelimit-limit" not in answer.headers
    assert not sandbox.calls


@pytest.mark.parametrize("state", ["revoked", "expired"])
def test_a_revoked_or_expired_key_is_refused_by_name(serve: Serve, ask: Ask, state: KeyState) -> None:
    sandbox = serve()
    answer = ask(sandbox, "GET", "/bio/pages", key=sandbox.add_key(state=state))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, f"{state.upper()}_API_KEY")


def test_another_scheme_than_bearer_is_refused(serve: Serve, http: httpx.Client) -> None:
    sandbox = serve()
    answer = http.get(f"{sandbox.url}/bio/pages", headers={"Authorization": f"Basic {sandbox.key}"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/bio/pages", "bio:read"),
        ("GET", "/bio/pages/bio_acme", "bio:read"),
        ("POST", "/bio/pages", "bio:write"),
        ("PATCH", "/bio/pages/bio_acme", "bio:write"),
        ("POST", "/bio/pages/bio_acme/publish", "bio:write"),
        ("POST", "/bio/pages/bio_acme/unpublish", "bio:write"),
        ("GET", "/workspace/usage", "workspace:read"),
    ],
)
def test_each_endpoint_asks_for_its_scope_and_no_other(
    serve: Serve, ask: Ask, method: str, path: str, scope: str
) -> None:
    sandbox = serve([{"id": "bio_acme", "title": "Acme"}])
    body = {"json": {"title": "New"}} if method in ("PATCH", "POST") else {}
    others = {"bio:read", "bio:write", "workspace:read", "assets:write"} - {scope}
    refused = ask(sandbox, method, path, key=sandbox.add_key(others), **body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "INSUFFICIENT_SCOPE")
    assert scope in refused.json()["error"]["message"]
    assert sandbox.page("bio_acme")["title"] == "Acme"
    assert ask(sandbox, method, path, key=sandbox.add_key([scope]), **body).is_success


@pytest.mark.parametrize("path", ["/nothing", "/bio/pages/", "/bio", "", "/bio/pages/bio_acme/delete"])
def test_an_unknown_path_is_not_found_as_json(serve: Serve, ask: Ask, path: str) -> None:
    answer = ask(serve(), "GET", path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/bio/pages/bio_acme"), ("PUT", "/bio/pages"), ("GET", "/bio/pages/bio_acme/publish")],
)
def test_a_wrong_method_is_refused_as_json(serve: Serve, ask: Ask, method: str, path: str) -> None:
    answer = ask(serve([{"id": "bio_acme"}]), method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")
