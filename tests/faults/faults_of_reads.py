"""What can go wrong when the service is read: faults 1 to 8 and 26 to 33."""

import json
import socket
from typing import Any

from bio_sync.sandbox import wires
from tests.faults.stage import Hook, Stage
from tests.faults.table import fault, lost

UNREACHABLE = {"error/unreachable", "failed/unreachable", "unknown/unreachable", "skipped/unreachable"}
JSON_TYPE = {"Content-Type": "application/json"}


@fault(1, "connection refused / DNS / TLS error / connect timeout")
def never_reached(stage: Stage) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    stage.address = stage.random.choice((f"http://127.0.0.1:{port}/api/v1", "https:same"))
    stage.may |= {"error/unreachable"}
    stage.anywhere = True
    stage.exit_codes = {1}


@fault(2, "reset before any byte, on GET")
def reset(stage: Stage) -> None:
    _some_reads(stage, wire=stage.random.choice(("reset", "close", "garbage")))


@fault(3, "reset / truncation in mid body (Content-Length, chunked) on GET")
def truncated(stage: Stage) -> None:
    _some_reads(stage, wire=stage.random.choice(("truncate", "truncate-chunk", "silent-truncate")))


@fault(4, "close-delimited truncation, still valid JSON / empty list")
def emptied(stage: Stage) -> None:
    # The list that a view is refreshed by may shrink as well as the first one.
    skip = stage.random.choice((0, 0, 1))
    stage.behaviour["burst_limit"] = stage.random.choice((1, 10))
    left = [] if stage.random.random() < 0.5 else [page for page in stage.live if stage.random.random() < 0.5]
    body = _envelope(left) if stage.count > 1 else _envelope({})
    stage.strike_read(status=200, body=body, headers=JSON_TYPE | {"Connection": "close"}, skip=skip)
    stage.believed = True
    stage.anywhere = True
    stage.may |= {*UNREACHABLE, "error/gone", "failed/gone", "skipped/gone", "error/None"}


@fault(5, "slow-loris headers/body, endless 1xx, endless body, gzip bomb, 10 MB")
def slow_or_huge(stage: Stage) -> None:
    kind = stage.random.choice(("trickle", "hints", "endless", "packed", "hang"))
    if kind == "packed":
        # It is made once, and the service does nothing else meanwhile.
        wires._bomb()
    stage.arguments += ["--timeout", "0.15"]
    # A request that is given up so soon may not even be read by a service on a busy machine.
    stage.counts_calls = False
    stage.anywhere = True
    stage.may |= UNREACHABLE
    if stage.random.random() < 0.5:
        stage.strike_write(wire=kind, after=stage.random.random() < 0.5)
    else:
        stage.strike_read(wire=kind, times=stage.random.choice((1, 2)))


@fault(6, "200 with HTML, wrong content type, empty, null, list instead of object, missing data")
def no_envelope(stage: Stage) -> None:
    _wrong_body(
        stage, stage.random.choice(("<html>", "", " ", "null", "[]", "{}", '{"meta":{}}', '{"data":null}', "7"))
    )


@fault(7, "JSON with NaN / duplicate keys / 5,000-digit int / depth 10^5 / lone surrogate / latin-1 / BOM")
def odd_json(stage: Stage) -> None:
    page = json.dumps(stage.live[0])
    bodies: tuple[str | bytes, ...] = (
        '{"data":[' + page[:-1] + ',"n":NaN}]}',
        '{"data":[{"id":"bio_00",' + page[1:] + "]}",
        '{"data":[' + page[:-1] + ',"n":' + "9" * 5000 + "}]}",
        '{"data":' + "[" * 100_000 + "]" * 100_000 + "}",
        b'{"data":[{"id":"bio_00","title":"\xe9"}]}',
        b"\xef\xbb\xbf" + ('{"data":[' + page + "]}").encode(),
        '{"data":[' + page[:-1] + ',"n":1e999}]}',
    )
    _wrong_body(stage, stage.random.choice(bodies))


@fault(8, "3xx same or other origin")
def redirect(stage: Stage) -> None:
    status = stage.random.choice((301, 302, 303, 307, 308))
    to = stage.random.choice(("/api/v1/bio/pages/elsewhere", "http://decoy.test/", "decoy"))
    headers = {"Location": to}
    if stage.random.random() < 0.5:
        stage.strike_read(status=status, headers=headers, times=None)
        stage.may |= {"error/rejected", "error/unreachable"}
        stage.exit_codes = {1}
    else:
        stage.strike_write(status=status, headers=headers)
        stage.may |= {"failed/rejected"}


@fault(26, "429 no code, Retry-After -5 / 1.5 / abc / nan / 10^9 / year 2099")
def odd_retry_after(stage: Stage) -> None:
    forms = ("-5", "1.5", "abc", "nan", "1000000000", "Fri, 01 Jan 2099 00:00:00 GMT", "0")
    headers = {"Retry-After": stage.random.choice(forms)}
    if stage.random.random() < 0.3:
        headers["Date"] = "Fri, 01 Jan 2099 00:00:10 GMT"
    body = stage.random.choice(("{}", "slow down", '{"error":{"message":"x"}}'))
    times = stage.random.choice((1, 5))
    if times == 5:
        # No real 429 beside them; and each wait may make the view too old, which is looked at five times only.
        stage.behaviour["burst_limit"] = 50
        stage.may |= {"failed/unreachable"}
    strike = stage.strike_write if stage.random.random() < 0.5 else stage.strike_read
    strike(status=429, body=body, headers=headers, times=times)


@fault(27, "500/502/503/504 on GET")
def down_for_readers(stage: Stage) -> None:
    _some_reads(stage, status=stage.random.choice((500, 502, 503, 504, 408)))


@fault(28, "stale list (GET after PATCH shows old value for 0-5 s)")
def stale_reads(stage: Stage) -> None:
    stage.behaviour["stale"] = stage.random.uniform(0, 5)
    if stage.random.random() < 0.7:
        stage.strike_write(**lost(stage), after=True)


@fault(29, "duplicate ids / missing id / id with ../ / slug collision in list")
def ambiguous_list(stage: Stage) -> None:
    pages = [dict(page) for page in stage.live]
    odd: dict[str, Any] = dict(pages[0], title="Another")
    kind = stage.random.randrange(4)
    if kind == 1:
        odd.pop("id")
    elif kind == 2:
        odd["id"] = "../../admin"
    elif kind == 3:
        odd["id"] = stage.random.choice((None, 7, "", "a b", "x" * 65))
    if stage.count == 1:
        # One page is read by itself: then its answer is another page's, or none's.
        odd["id"] = "bio_99" if kind == 0 else odd.get("id")
        stage.strike_read(status=200, body=_envelope(odd), headers=JSON_TYPE, times=None)
    else:
        pages.insert(stage.random.randint(0, len(pages)), odd)
        stage.strike_read(status=200, body=_envelope(pages), headers=JSON_TYPE, times=None)
    stage.may |= {"error/unreachable"}
    stage.exit_codes = {1}
    stage.anywhere = True


@fault(30, "extra fields, new enum values, null page_data / description, missing page_data")
def tolerated(stage: Stage) -> None:
    for page in stage.live:
        page["plan_tier"] = stage.random.choice(("gold", {"new": [1]}, None))
        if stage.random.random() < 0.3:
            page["page_data"] = page["page_data"] | {"a": None, "b": {"c": None}, "theme": "a new enum value"}
        if stage.random.random() < 0.3:
            page["page_data"] = {}
            stage.files.get(page["id"], {}).pop("page_data", None)
        if stage.random.random() < 0.3:
            page["description"] = None
    body = [
        {key: (value or None) if key in {"page_data", "description"} else value for key, value in page.items()}
        for page in stage.live
    ]
    if stage.random.random() < 0.5:
        data: Any = body if stage.count > 1 else body[0]
        stage.believed = True
        stage.strike_read(status=200, body=_envelope(data), headers=JSON_TYPE)


@fault(31, "counters and updated_at move on every read")
def counters(stage: Stage) -> None:
    def visitors() -> None:
        for page in stage.sandbox.pages:
            count = page["view_count"] + stage.clock.now.as_integer_ratio()[0] % 7 + 1
            stage.sandbox.edit(page["id"], view_count=count, click_count=count)

    stage.hooks.append(Hook(visitors, "GET", times=99))


@fault(32, "pagination appears in a later API version (meta.next)")
def paged(stage: Stage) -> None:
    half = stage.live[: max(1, len(stage.live) // 2)]
    body = json.dumps({"data": half, "meta": {"request_id": "req_1", "next": "/bio/pages?cursor=abc"}})
    if stage.count > 1:
        stage.strike_read(status=200, body=body, headers=JSON_TYPE)
    stage.believed = True
    stage.anywhere = True
    stage.may |= {"failed/gone", "error/gone", "error/None", "error/unreachable", "skipped/gone"}


@fault(33, "list order shifts between calls")
def shuffled(stage: Stage) -> None:
    pages = list(stage.live)
    stage.random.shuffle(pages)
    if stage.count > 1:
        stage.strike_read(status=200, body=_envelope(pages), headers=JSON_TYPE)
    stage.believed = True
    stage.behaviour["burst_limit"] = 1


def _some_reads(stage: Stage, **members: Any) -> None:
    times = stage.random.choice((1, 2, 3, 4, None))
    if times == 3:
        # A real 429 in between would cost one of the four tries: nobody has told the limit yet.
        stage.behaviour["burst_limit"] = 50
    skip = stage.random.choice((0, 0, 0, 1))
    if skip:
        # A later read: that of a view which has become old, or of a write that is read back.
        stage.behaviour["burst_limit"] = 1
        if stage.random.random() < 0.5:
            stage.strike_write(**lost(stage), after=True)
    stage.strike_read(times=times, skip=skip, **members)
    if times is None or times == 4 or skip:
        stage.anywhere = True
        stage.may |= UNREACHABLE


def _wrong_body(stage: Stage, body: str | bytes) -> None:
    headers = JSON_TYPE if stage.random.random() < 0.7 else {"Content-Type": "text/html"}
    if stage.random.random() < 0.5:
        stage.strike_read(status=200, body=body, headers=headers, times=stage.random.choice((1, None)))
        stage.may |= {"error/unreachable"}
        stage.anywhere = True
    else:
        stage.strike_write(status=200, body=body, headers=headers, after=stage.random.random() < 0.5)


def _envelope(data: Any) -> str:
    return json.dumps({"data": data, "meta": {"request_id": "req_told"}})
