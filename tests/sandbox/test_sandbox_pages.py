"""Reading and changing pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bio_sync.sandbox import Behaviour, Sandbox
from tests.sandbox.documented import MEMBERS, PAGE

if TYPE_CHECKING:
    from types import SimpleNamespace

Serve = Callable[..., Sandbox]
Ask = Callable[..., httpx.Response]


def test_a_page_has_every_documented_member(serve: Serve, ask: Ask) -> None:
    sandbox = serve([{"title": "Acmé Inc!"}])
    (page,) = ask(sandbox, "GET", "/bio/pages").json()["data"]
    assert set(page) == MEMBERS
    assert re.fullmatch(r"bio_[a-z0-9]{6,}", page["id"])
    assert (page["slug"], page["html_url"]) == ("acme-inc", f"{sandbox.address}/acme-inc")
    assert (page["is_published"], page["published_at"], page["view_count"]) == (False, None, 0)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", page["updated_at"])
    assert ask(sandbox, "GET", f"/bio/pages/{page['id']}").json()["data"] == page == sandbox.page(page["id"])


def test_seeded_members_are_kept_unknown_ones_too_but_html_url_is_ours(serve: Serve) -> None:
    seed = {
        **PAGE,
        "slug": "acme",
        "view_count": 7,
        "badge": "gold",
        "html_url": "https://elsewhere.example/",
    }
    sandbox = serve([seed])
    page = sandbox.pages[0]
    assert page["html_url"] == f"{sandbox.address}/acme"
    assert {name: page[name] for name in seed if name != "html_url"} == {
        name: value for name, value in seed.items() if name != "html_url"
    }


def test_slugs_of_equal_titles_are_told_apart(serve: Serve) -> None:
    sandbox = serve([{"title": "Acme"}, {"title": "acme"}, {"title": "ACME!"}])
    assert [page["slug"] for page in sandbox.pages] == ["acme", "acme-2", "acme-3"]


@pytest.mark.parametrize(
    "seed",
    [{"title": 5}, {"page_data": []}, {"is_published": "yes"}, {"view_count": True}, {"slug": "a/b"}],
)
def test_a_malformed_seed_is_refused(serve: Serve, seed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(seed))):
        serve([seed])


def test_two_seeds_with_one_id_are_refused(serve: Serve) -> None:
    with pytest.raises(ValueError, match="bio_acme"):
        serve([PAGE, PAGE])


def test_the_list_is_in_creation_order(serve: Serve, ask: Ask) -> None:
    sandbox = serve([{"title": title} for title in ("C", "A", "B")])
    sandbox.remove(sandbox.pages[0]["id"])
    ask(sandbox, "POST", "/bio/pages", json={"title": "0"})
    assert [page["title"] for page in ask(sandbox, "GET", "/bio/pages").json()["data"]] == ["A", "B", "0"]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, range(50)),
        ({"limit": "3"}, range(3)),
        ({"limit": "3", "offset": "4"}, range(4, 7)),
        ({"limit": "200"}, range(60)),
        ({"offset": "58"}, range(58, 60)),
        ({"offset": "60"}, range(0)),
    ],
)
def test_limit_and_offset_are_honoured(serve: Serve, ask: Ask, query: Any, wanted: range) -> None:
    sandbox = serve([{"title": str(number)} for number in range(60)])
    answer = ask(sandbox, "GET", "/bio/pages", params=query).json()
    assert [page["title"] for page in answer["data"]] == [str(number) for number in wanted]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "limit=", "limit=1.5", "offset=-1", "offset=x", "limit=%C2%B2"],
)
def test_a_bad_limit_or_offset_is_refused_by_name(serve: Serve, ask: Ask, query: Any) -> None:
    answer = ask(serve(), "GET", f"/bio/pages?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert query.partition("=")[0] in answer.json()["error"]["message"]


def test_limit_and_offset_can_be_ignored(serve: Serve, ask: Ask) -> None:
    sandbox = serve([{"title": str(number)} for number in range(60)], behaviour=Behaviour(paging="ignore"))
    for query in ("", "?limit=3&offset=5", "?limit=x"):
        assert len(ask(sandbox, "GET", f"/bio/pages{query}").json()["data"]) == 60


def test_limit_and_offset_can_be_refused(serve: Serve, ask: Ask) -> None:
    sandbox = serve([{"title": str(number)} for number in range(60)], behaviour=Behaviour(paging="refuse"))
    assert len(ask(sandbox, "GET", "/bio/pages").json()["data"]) == 60
    for query in ("limit=3", "offset=0"):
        assert ask(sandbox, "GET", f"/bio/pages?{query}").status_code == 400


def test_a_patch_changes_the_fields_given_and_no_other(serve: Serve, ask: Ask, clock: SimpleNamespace) -> None:
    sandbox = serve([PAGE], clock=clock)
    before = sandbox.page("bio_acme")
    clock.now += 61
    after = ask(sandbox, "PATCH", "/bio/pages/bio_acme", json={"title": "Acme"}).json()["data"]
    assert after == before | {"title": "Acme", "updated_at": "2026-11-22T10:01:01Z"}
    assert sandbox.page("bio_acme") == after


def test_a_description_can_be_null(serve: Serve, ask: Ask) -> None:
    answer = ask(serve([PAGE]), "PATCH", "/bio/pages/bio_acme", json={"description": None})
    assert answer.json()["data"]["description"] is None


def test_page_data_is_replaced_whole(serve: Serve, ask: Ask) -> None:
    data = {"theme": "dark", "y": None}
    answer = ask(serve([PAGE]), "PATCH", "/bio/pages/bio_acme", json={"page_data": data})
    assert answer.json()["data"]["page_data"] == data


def test_page_data_can_be_merged_as_rfc_7396_says(serve: Serve, ask: Ask) -> None:
    sandbox = serve([PAGE], behaviour=Behaviour(patch="merge"))
    patch: dict[str, Any] = {"theme": None, "links": [], "x": {"b": {"c": None, "d": 2}}, "new": None}
    answer = ask(sandbox, "PATCH", "/bio/pages/bio_acme", json={"page_data": patch})
    assert answer.json()["data"]["page_data"] == {"links": [], "x": {"a": 1, "b": {"d": 2}}}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'{"title": ""}', "title"),
        (b'{"title": null}', "title"),
        (b'{"title": 5}', "title"),
        (b'{"title": "' + b"x" * 201 + b'"}', "title"),
        (b'{"description": 5}', "description"),
        (b'{"page_data": []}', "page_data"),
        (b'{"page_data": null}', "page_data"),
        (b'{"title": "good", "slug": "x"}', "slug"),
        (b'{"is_published": true}', "is_published"),
        (b"{}", "title"),
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"\xff", "JSON"),
        (b'{"page_data": {"a": NaN}}', "JSON"),
        (b"[" * 100_000, "JSON"),
        (b'["title"]', "object"),
        (b"null", "object"),
    ],
)
def test_a_bad_patch_is_refused_by_name_and_changes_nothing(serve: Serve, ask: Ask, body: Any, named: str) -> None:
    sandbox = serve([PAGE])
    before = sandbox.page("bio_acme")
    answer = ask(sandbox, "PATCH", "/bio/pages/bio_acme", content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert named in answer.json()["error"]["message"]
    assert sandbox.page("bio_acme") == before


def test_a_title_of_200_characters_is_taken(serve: Serve, ask: Ask) -> None:
    assert ask(serve([PAGE]), "PATCH", "/bio/pages/bio_acme", json={"title": "é" * 200}).is_success


def test_a_body_over_a_mebibyte_is_refused(serve: Serve, ask: Ask) -> None:
    sandbox = serve([PAGE])
    body = {"page_data": {"text": "x" * 1024 * 1024}}
    answer = ask(sandbox, "PATCH", "/bio/pages/bio_acme", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert ask(sandbox, "PATCH", "/bio/pages/bio_acme", json={"title": "After"}).is_success


def test_a_lone_surrogate_comes_back_as_it_went(serve: Serve, ask: Ask) -> None:
    body = b'{"title": "a\\ud800b"}'
    answer = ask(serve([PAGE]), "PATCH", "/bio/pages/bio_acme", content=body)
    assert answer.json()["data"]["title"] == "a\ud800b"


@pytest.mark.parametrize(("method", "path"), [("PATCH", ""), ("POST", "/publish"), ("POST", "/unpublish"), ("GET", "")])
def test_an_unknown_page_is_not_found(serve: Serve, ask: Ask, method: str, path: str) -> None:
    body = {"json": {"title": "x"}} if method == "PATCH" else {}
    answer = ask(serve([PAGE]), method, f"/bio/pages/bio_other{path}", **body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


def test_the_service_can_store_something_else_than_it_was_sent(serve: Serve, ask: Ask) -> None:
    def normalise(page: dict[str, Any]) -> dict[str, Any]:
        page["page_data"]["seen"] = True
        return page | {"title": page["title"].strip()}

    sandbox = serve([PAGE], behaviour=Behaviour(normalise=normalise))
    answer = ask(sandbox, "PATCH", "/bio/pages/bio_acme", json={"title": " Acme "})
    assert answer.json()["data"]["title"] == "Acme"
    assert sandbox.page("bio_acme")["page_data"]["seen"] is True
    assert ask(sandbox, "POST", "/bio/pages", json={"title": " New "}).json()["data"]["title"] == "New"
