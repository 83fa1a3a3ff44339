"""The envelope: what is believed of an answer, which error it stands for, and what it teaches about limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync import answers
from bio_sync.errors import (
    NotAnAnswer,
    PageGone,
    QuotaUsedUp,
    Rejected,
    ServiceError,
    TooManyRequests,
    Unauthorised,
    UnclearWrite,
)
from bio_sync.jsonvalues import canonical

if TYPE_CHECKING:
    from collections.abc import Callable

    from bio_sync.sandbox import Sandbox
    from tests.network.conftest import Connect, StartServer, Wire

PAGE = b'{"id":"bio_1","title":"A","page_data":%s}'
NOT_XQR = {
    "nothing": b"",
    "no JSON": b"service up",
    "HTML": b"<!doctype html><title>Maintenance</title>",
    "half": b'{"data": {"id": "bio_1"',
    "two": b'{"data": []}{"data": []}',
    "a list": b'[{"data": []}]',
    "a string": b'"data"',
    "null": b"null",
    "no data": b'{"meta": {"request_id": "req_1"}}',
    "empty": b"{}",
    "NaN": b'{"data": ' + PAGE % b'{"n": NaN}' + b"}",
    "Infinity": b'{"data": ' + PAGE % b'{"n": -Infinity}' + b"}",
    "a number too large": b'{"data": ' + PAGE % b'{"n": 1e400}' + b"}",
    "a number of 5,000 digits": b'{"data": ' + PAGE % (b'{"n": ' + b"9" * 5_000 + b"}") + b"}",
    "a key twice": b'{"data": ' + PAGE % b'{"n": 1, "n": 2}' + b"}",
    "data twice": b'{"data": {}, "data": {}}',
    "deep": b'{"data": ' + b"[" * 100_000,
    "deep and whole": b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"data":' * 100_000 + b"1" + b"}" * 100_000,
    "a deep page": b'{"data": ' + PAGE % (b'{"n": ' + b"[" * 101 + b"]" * 101 + b"}") + b"}",
    "latin-1": '{"data": {"id": "bio_1", "title": "Café"}}'.encode("latin-1"),
    "UTF-16": '{"data": {"id": "bio_1"}}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + b'{"data": {"id": "bio_1"}}',
    "a raw surrogate": b'{"data": {"id": "bio_1", "title": "\xed\xa0\x80"}}',
    "a zero byte": b'{"data": {"id": "bio_1", "title": "\x00"}}',
    "no page": b'{"data": []}',
    "no id": b'{"data": {"title": "A"}}',
    "an id with a path": b'{"data": {"id": "../x"}}',
    "an id of 65": b'{"data": {"id": "' + b"x" * 65 + b'"}}',
    "an id with a line end": b'{"data": {"id": "bio_1\\n"}}',
    "a number for a title": b'{"data": {"id": "bio_1", "title": 1}}',
    "a list for a description": b'{"data": {"id": "bio_1", "description": []}}',
    "a list for page_data": b'{"data": {"id": "bio_1", "page_data": []}}',
    "a word for is_published": b'{"data": {"id": "bio_1", "is_published": "true"}}',
}


@pytest.mark.parametrize("what", NOT_XQR)
def test_what_is_no_answer_of_xqr_is_not_believed(what: str, serve: StartServer, connect: Connect, wire: Wire) -> None:
    with pytest.raises(NotAnAnswer):
        connect(serve(wire.raw(NOT_XQR[what])).url).get_page("bio_1")


@pytest.mark.parametrize("what", NOT_XQR)
def test_a_write_that_is_not_answered_by_xqr_is_unclear(
    what: str, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.raw(NOT_XQR[what]))
    api = connect(server.url)
    with pytest.raises(UnclearWrite):
        api.update("bio_1", {"title": "A"})
    with pytest.raises(UnclearWrite):
        api.set_published("bio_1", published=True)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Unauthorised), (403, Unauthorised), (429, QuotaUsedUp), (400, Rejected), (404, Rejected), (410, Rejected)],
)
def test_a_refusal_in_html_is_a_refusal_and_no_lost_answer(
    status: int, kind: type[ServiceError], serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.raw(b"<html>No.</html>", status=status, headers={"Content-Type": "text/html"}))
    api = connect(server.url)
    with pytest.raises(kind):
        api.update("bio_1", {"title": "A"})
    with pytest.raises(kind):
        api.get_page("bio_1")
    assert len(server.asked) == 2


def test_an_escaped_lone_surrogate_is_text_like_any_other(serve: StartServer, connect: Connect, wire: Wire) -> None:
    page = wire.page("bio_1", title="\udc80", page_data={"theme": "\ud800"})
    content = connect(serve(wire.data(page)).url).get_page("bio_1").content
    assert (content.title, content.page_data) == ("\udc80", {"theme": "\ud800"})


def test_members_that_are_new_are_passed_over(serve: StartServer, connect: Connect, wire: Wire) -> None:
    page = wire.page("bio_1", badges=[1], seo={"deep": {"er": None}})
    answer = wire.json({"data": page, "meta": {"version": 9}, "links": {}})
    assert connect(serve(answer).url).get_page("bio_1").page_id == "bio_1"


@pytest.mark.parametrize(
    ("member", "value"),
    [("view_count", -1), ("view_count", True), ("view_count", "many"), ("click_count", 1.5), ("click_count", None)],
)
def test_counts_that_are_none_are_zero(
    member: str, value: object, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    page = connect(serve(wire.data(wire.page("bio_1", **{member: value}))).url).get_page("bio_1")
    assert (page.views, page.clicks) == (0, 0)


def test_a_count_in_a_text_is_a_count(serve: StartServer, connect: Connect, wire: Wire) -> None:
    """An unpublish of a page that people have seen needs a word more."""
    counts = {"view_count": "1247", "click_count": "9" * 16}
    page = connect(serve(wire.data(wire.page("bio_1", **counts))).url).get_page("bio_1")
    assert (page.views, page.clicks) == (1247, 0)


@pytest.mark.parametrize(
    ("left_out", "untold"),
    [((), ()), (("page_data",), ("page_data",)), (("title", "is_published"), ("published", "title"))],
)
def test_what_an_answer_does_not_show_is_known_to_be_unknown(
    left_out: tuple[str, ...], untold: tuple[str, ...], serve: StartServer, connect: Connect, wire: Wire
) -> None:
    shown = {name: value for name, value in wire.page("bio_1").items() if name not in left_out}
    assert connect(serve(wire.data(shown)).url).get_page("bio_1").untold == frozenset(untold)


def test_a_page_with_nothing_but_its_id_is_an_empty_page(serve: StartServer, connect: Connect, wire: Wire) -> None:
    page = connect(serve(wire.data({"id": "bio_1"})).url).get_page("bio_1")
    assert page.content.as_json() == {"title": "", "description": None, "page_data": {}, "published": None}
    assert (page.slug, page.html_url, page.updated_at) == ("", "", None)


# ---- properties

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = {
    "id": st.sampled_from(["bio_1", "bio_2", "../x", ""]) | JSON,
    **dict.fromkeys(("title", "description", "page_data", "is_published", "view_count", "updated_at"), JSON),
}
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "data": st.fixed_dictionaries({}, optional=MEMBERS) | JSON,
        "error": st.fixed_dictionaries({}, optional={"code": JSON, "message": JSON}) | JSON,
        "meta": st.fixed_dictionaries(
            {},
            optional={
                "request_id": JSON,
                "rate_limit": st.dictionaries(st.sampled_from(["remaining", "burst_limit", "limit"]), JSON) | JSON,
            },
        )
        | JSON,
    },
)


def explained(body: bytes, status: int) -> ServiceError | None:
    """Give the error that an answer makes, if any; every other exception is the test's failure."""
    try:
        believed(body, status)
    except ServiceError as error:
        return error
    return None


def believed(body: bytes, status: int) -> None:
    """Take an answer as the client does: the envelope, its limits, its error or its page."""
    answer = answers.envelope(body)
    answers.rate_limit(answer)
    if status >= 300 or "error" in answer or "data" not in answer:
        answers.raise_error(answer, status=status)
    canonical(answers.page(answer.get("data")).content.as_json())


@given(body=st.binary() | JSON.map(json.dumps).map(str.encode), status=st.integers(200, 599))
def test_no_body_whatever_makes_another_error_than_ours(body: bytes, status: int) -> None:
    assert str(explained(body, status)).isprintable()


@given(envelope=ENVELOPES, status=st.integers(200, 599))
def test_no_envelope_whatever_makes_another_error_than_ours(envelope: dict[str, Any], status: int) -> None:
    error = explained(json.dumps(envelope).encode(), status)
    assert len(str(error)) < 500
    assert str(error).isprintable()
    assert str(error and error.request_id).isprintable()


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_no_depth_of_an_error_message_makes_another_error_than_ours(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    for depth in range(1, 1_200, 7):
        body = b'{"error":{"code":"X","message":' + opening * depth + b"1" + closing * depth + b"}}"
        with pytest.raises(ServiceError):
            believed(body, 400)


# ---- errors

KINDS: list[tuple[int, str | None, type[ServiceError]]] = [
    (400, "VALIDATION_ERROR", Rejected),
    (400, None, Rejected),
    (401, "INVALID_API_KEY", Unauthorised),
    (401, "REVOKED_API_KEY", Unauthorised),
    (401, "EXPIRED_API_KEY", Unauthorised),
    (401, "A_NEW_CODE", Unauthorised),
    (401, None, Unauthorised),
    (403, "INSUFFICIENT_SCOPE", Unauthorised),
    (403, "FEATURE_NOT_AVAILABLE", Unauthorised),
    (403, "PLAN_LIMIT_EXCEEDED", Unauthorised),
    (403, None, Unauthorised),
    (404, "NOT_FOUND", PageGone),
    (410, "PAGE_GONE", PageGone),
    # Not xQR's own word: a proxy or a wrong address, and no page is gone because of it.
    (404, None, Rejected),
    (410, None, Rejected),
    (409, "SLUG_TAKEN", Rejected),
    (413, None, Rejected),
    (418, "A_NEW_CODE", Rejected),
    (429, "RATE_LIMIT_EXCEEDED", QuotaUsedUp),
    (429, "BURST_LIMIT_EXCEEDED", TooManyRequests),
    # The code counts before the status.
    (400, "INVALID_API_KEY", Unauthorised),
    (403, "RATE_LIMIT_EXCEEDED", QuotaUsedUp),
    (400, "RATE_LIMIT_EXCEEDED", QuotaUsedUp),
    (200, "REVOKED_API_KEY", Unauthorised),
]


@pytest.mark.parametrize(("status", "code", "kind"), KINDS)
def test_each_refusal_is_named(
    status: int, code: str | None, kind: type[ServiceError], serve: StartServer, connect: Connect, wire: Wire
) -> None:
    api = connect(serve(wire.error(status, code)).url)
    for ask in (lambda: api.get_page("bio_1"), lambda: api.update("bio_1", {"title": "A"})):
        with pytest.raises(kind) as caught:
            ask()
        assert type(caught.value) is kind
        assert caught.value.stops_the_run == (kind in {Unauthorised, QuotaUsedUp})


def test_a_refusal_says_status_code_words_and_request(serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.error(409, "SLUG_TAKEN", "The slug is\x1b[31m taken."))
    with pytest.raises(Rejected) as caught:
        connect(server.url).update("bio_1", {"title": "A"})
    assert str(caught.value) == "the service refused it (409 SLUG_TAKEN): The slug is\\x1b[31m taken."
    assert caught.value.request_id == "req_1"


@pytest.mark.parametrize("status", [400, 409, 413, 422])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "title is too\x1b[31m long"}, "title is too\\x1b[31m long"),
        ({"error": {"message": "title is too long"}}, "title is too long"),
        ({"type": "about:blank", "title": "Too long", "detail": "title: 100 at most"}, "Too long: title: 100 at most"),
        ({"title": "Too long"}, "Too long"),
        ({"detail": "title: 100 at most", "title": 7}, "title: 100 at most"),
    ],
)
def test_a_refusal_in_other_words_is_told_and_no_proxy_is_blamed(
    body: object, words: str, status: int, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    with pytest.raises(Rejected) as caught:
        connect(serve(wire.json(body, status=status)).url).update("bio_1", {"title": "A"})
    assert (str(caught.value), caught.value.hint) == (f"the service refused it ({status}): {words}", "")


@pytest.mark.parametrize("body", [{"error": "not found"}, {"title": "Not Found", "detail": "No route."}])
def test_words_make_no_page_gone_and_no_success_a_refusal(
    body: dict[str, str], serve: StartServer, connect: Connect, wire: Wire
) -> None:
    for status, kind in ((404, Rejected), (410, Rejected), (200, NotAnAnswer)):
        with pytest.raises(kind, match="what answered is not xQR") as caught:
            connect(serve(wire.json(body, status=status)).url).get_page("bio_1")
        assert "check the API address" in caught.value.hint


def test_a_success_of_another_shape_is_not_told_by_its_title(serve: StartServer, connect: Connect, wire: Wire) -> None:
    with pytest.raises(NotAnAnswer) as caught:
        connect(serve(wire.json(wire.page(title="Acme"))).url).get_page("bio_1")
    assert str(caught.value) == "what answered is not xQR (200)"


@pytest.mark.parametrize("body", [b"<html>slow down</html>", b'{"error": {"code": "TOO_MANY"}}'])
def test_a_429_that_does_not_say_for_how_long_is_not_said_to_be_the_month_s(
    body: bytes, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    server = serve(wire.raw(body, status=429))
    with pytest.raises(QuotaUsedUp) as caught:
        connect(server.url).get_page("bio_1")
    assert str(caught.value).startswith("the service refuses more requests, and does not say for how long (429")
    assert (caught.value.reason, caught.value.stops_the_run, len(server.asked)) == ("quota", True, 1)
    assert caught.value.hint.startswith("try again later; the month's calls may be used up")


@pytest.mark.parametrize(
    ("code", "message", "way_out"),
    [
        ("INSUFFICIENT_SCOPE", "the API key may not do this", "give it the scopes bio:read and bio:write in xQR; "),
        ("PLAN_LIMIT_EXCEEDED", "the workspace's plan allows no more of this", "in xQR, make room by deleting a page"),
    ],
)
def test_what_a_key_or_a_plan_does_not_allow_is_said_with_the_way_out(
    code: str, message: str, way_out: str, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    with pytest.raises(Unauthorised) as caught:
        connect(serve(wire.error(403, code, "No.")).url).update("bio_1", {"title": "A"})
    assert str(caught.value) == f"{message} (403 {code}): No."
    assert caught.value.hint.startswith(way_out)


def test_the_name_of_the_request_may_stand_in_a_header(serve: StartServer, connect: Connect, wire: Wire) -> None:
    server = serve(wire.raw(b"oops", headers={"X-Request-Id": "req_header"}))
    with pytest.raises(NotAnAnswer) as caught:
        connect(server.url).get_page("bio_1")
    assert caught.value.request_id == "req_header"


def test_an_unclear_write_keeps_the_name_of_its_request(serve: StartServer, connect: Connect, wire: Wire) -> None:
    with pytest.raises(UnclearWrite) as caught:
        connect(serve(wire.error(500)).url).update("bio_1", {"title": "A"})
    assert caught.value.request_id == "req_1"


@pytest.mark.parametrize("error", [None, "no", 7, [], {}, {"code": ["X"], "message": {"a": 1}}, {"code": None}])
def test_a_malformed_error_is_still_a_refusal(error: object, serve: StartServer, connect: Connect, wire: Wire) -> None:
    with pytest.raises(Rejected):
        connect(serve(wire.json({"error": error}, status=400)).url).get_page("bio_1")


# ---- limits


@pytest.mark.parametrize(("shape", "burst"), [("month", 50), ("burst", 50), ("unix", 50), ("none", 50)])
def test_the_service_teaches_its_limits_in_every_shape(
    shape: str, burst: int, start_sandbox: Callable[..., Sandbox], connect: Connect
) -> None:
    sandbox = start_sandbox([], rate_limit=shape, burst_limit=burst, monthly_limit=100)
    api = connect(sandbox.url, key=sandbox.key)
    api.list_pages()
    assert (api.meter.calls, api.meter.quota_remaining, api.meter.burst_limit) == (1, 99, burst)


@pytest.mark.parametrize(
    ("rate_limit", "remaining", "burst"),
    [
        ({"remaining": 46, "reset_at": "2026-12-01T00:00:00Z"}, 46, 10),
        ({"limit": 1000, "remaining": 46, "burst_limit": 50, "burst_remaining": 49}, 46, 50),
        ({"limit": 1000, "remaining": 46, "reset": 1796083200}, 46, 10),
        ({"remaining": 0}, 0, 10),
        (None, None, 10),
    ],
)
def test_without_headers_the_envelope_teaches(
    rate_limit: object, remaining: int | None, burst: int, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    api = connect(serve(wire.data([], rate_limit=rate_limit)).url)
    api.list_pages()
    assert (api.meter.quota_remaining, api.meter.burst_limit) == (remaining, burst)


def test_headers_count_more_than_the_envelope(serve: StartServer, connect: Connect, wire: Wire) -> None:
    headers = {"X-RateLimit-Remaining": "46", "X-RateLimit-Burst-Limit": "200"}
    api = connect(serve(wire.data([], rate_limit={"remaining": 1, "burst_limit": 2}, headers=headers)).url)
    api.list_pages()
    assert (api.meter.quota_remaining, api.meter.burst_limit) == (46, 200)


def test_a_refusal_teaches_too(serve: StartServer, connect: Connect, wire: Wire) -> None:
    api = connect(serve(wire.error(429, "RATE_LIMIT_EXCEEDED", headers={"X-RateLimit-Remaining": "0"})).url)
    with pytest.raises(QuotaUsedUp):
        api.get_page("bio_1")
    assert api.meter.quota_remaining == 0


NO_NUMBERS = [-1, True, 1.5, "", " ", "x", "-1", "1e3", "٣", "9" * 16, "9" * 5_000, [], {}, None, 10**400, 1e300]


@pytest.mark.parametrize("number", NO_NUMBERS, ids=lambda number: repr(number)[:20])
def test_numbers_that_make_no_sense_are_passed_over(
    number: object, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    api = connect(serve(wire.data([], rate_limit={"remaining": number, "burst_limit": number})).url)
    api.list_pages()
    api.list_pages()
    assert (api.meter.quota_remaining, api.meter.burst_limit) == (None, 10)


@pytest.mark.parametrize("text", [b"-1", b"", b"x", b"1.5", b"\xb2", b"9" * 16, b"10, 20", b"0x10", b"1_0"])
def test_headers_that_make_no_sense_are_passed_over(
    text: bytes, serve: StartServer, connect: Connect, wire: Wire
) -> None:
    said = text.decode("latin-1")
    headers = {"X-RateLimit-Remaining": said, "X-RateLimit-Burst-Limit": said}
    api = connect(serve(wire.data([], headers=headers)).url)
    api.list_pages()
    assert (api.meter.quota_remaining, api.meter.burst_limit) == (None, 10)


def test_a_burst_limit_of_nothing_is_passed_over(serve: StartServer, connect: Connect, wire: Wire) -> None:
    api = connect(serve(wire.data([], rate_limit={"burst_limit": 0})).url)
    api.list_pages()
    api.list_pages()
    assert api.meter.burst_limit == 10
