"""What can go wrong when a page is written: faults 9 to 17, 21 to 25 and 34."""

import html
import json
import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.faults.stage import SECONDS_OF_A_LOST_WRITE, Hook, Stage
from tests.faults.table import fault, left_out, lost


@fault(9, "400 on PATCH")
def refused(stage: Stage) -> None:
    message = stage.random.choice(("title: too long", "\x1b[31mred\n::error::x", "links/0/url: no"))
    stage.strike_write(status=400, code="VALIDATION_ERROR", message=message)
    stage.may |= {"failed/rejected"}


@fault(10, "PATCH applied, response lost (reset, timeout, 502/503/504)")
def applied_and_lost(stage: Stage) -> None:
    stage.strike_write(**_lost(stage), after=True)


@fault(11, "PATCH not applied, connection lost")
def not_applied(stage: Stage) -> None:
    stage.strike_write(**_lost(stage))


@fault(12, "PATCH applied late (1-14 s after timeout)")
def applied_late(stage: Stage) -> None:
    stage.strike_write(**_lost(stage), late=stage.random.uniform(0.5, SECONDS_OF_A_LOST_WRITE - 0.5))


@fault(13, "PATCH lost twice")
def lost_twice(stage: Stage) -> None:
    page_id = stage.struck()
    method = stage.random.choice(stage.writes_to(page_id) or ["PATCH"])
    late = stage.random.choice((None, 5.0))
    for carried_out in (False, stage.random.random() < 0.5):
        way: dict[str, Any] = dict(lost(stage), after=carried_out)
        if carried_out and late:
            way |= {"after": False, "late": late}
        stage.strike_write_by(method, page_id, **way)
    stage.may |= {"unknown/unreachable"}


@fault(14, "PATCH lost, then read-back fails too")
def lost_and_unreadable(stage: Stage) -> None:
    page_id = stage.strike_write(**lost(stage), **stage.random.choice(({}, {"after": True}, {"late": 7.0})))
    times = stage.random.choice((1, 4, 4))
    stage.strike_read(status=503, path=page_id, times=times, skip=int(stage.count == 1))
    if times == 4:
        stage.may |= {"unknown/unreachable"}


@fault(15, "PATCH 200 but a field silently ignored")
def ignored(stage: Stage) -> None:
    page_id = stage.struck()
    page = dict(stage.initial(page_id))
    body = json.dumps({"data": page, "meta": {"request_id": "req_ignored"}})
    if "PATCH" in stage.writes_to(page_id):
        stage.strike_write_by("PATCH", page_id, status=200, body=body, headers={"Content-Type": "application/json"})
    stage.may |= {"failed/not-converged"}


@fault(16, "server normalises (8 kinds of section 5)")
def normalised(stage: Stage) -> None:
    stage.behaviour["normalise"] = stage.random.choice(_KINDS)
    stage.normalises = True
    stage.anywhere = True
    # Beside what was written it changes other fields as well, as if somebody had edited them.
    stage.may |= {"failed/not-converged", "failed/drifted"}
    if stage.random.random() < 0.2:
        stage.strike_write(**lost(stage), after=True)


@fault(17, "PATCH response shows other unmanaged change")
def edited_beside(stage: Stage) -> None:
    page_id = stage.struck()
    stage.edit_at("PATCH", page_id, page_id, kinds="title description note")
    stage.may |= {"failed/drifted", "failed/not-converged"}


@fault(21, "401 / 403 first call or mid-apply")
def key_refused(stage: Stage) -> None:
    status, code = stage.random.choice(
        ((401, "REVOKED_API_KEY"), (401, "EXPIRED_API_KEY"), (403, "INSUFFICIENT_SCOPE"), (401, None), (403, None))
    )
    _stops(stage, "auth", status=status, code=code)


@fault(22, "404 / 410 on a known page")
def gone(stage: Stage) -> None:
    page_id = stage.struck()
    stage.may |= {"failed/gone", "skipped/gone", "error/gone"}
    status = stage.random.choice((404, 410, None))
    if status:
        stage.strike_write(page_id, status=status)
        return

    def remove() -> None:
        if any(page["id"] == page_id for page in stage.sandbox.pages):
            stage.sandbox.remove(page_id)

    stage.hooks.append(Hook(remove, skip=stage.random.randint(0, 3)))


@fault(23, "409 SLUG_TAKEN on create")
def slug_taken(stage: Stage) -> None:
    # There is no `create` yet; a conflict is one to any write.
    stage.strike_write(status=409, code="SLUG_TAKEN")
    stage.may |= {"failed/rejected"}


@fault(24, "429 BURST + Retry-After 1 (once / ten times)")
def burst(stage: Stage) -> None:
    times = stage.random.choice((1, 3, 10))
    members: dict[str, Any] = {
        "status": 429,
        "code": "BURST_LIMIT_EXCEEDED",
        "headers": {"Retry-After": "1"},
        "times": times,
    }
    if times == 10:
        stage.may |= {"failed/rejected", "failed/unreachable", "error/rejected", "skipped/unreachable"}
        stage.anywhere = True
    if stage.random.random() < 0.5:
        stage.strike_write(**members)
    else:
        stage.strike_read(**members)


@fault(25, "429 RATE_LIMIT_EXCEEDED (first call / mid-apply)")
def month_used_up(stage: Stage) -> None:
    code = stage.random.choice(("RATE_LIMIT_EXCEEDED", "RATE_LIMIT_EXCEEDED", "SOMETHING_ELSE"))
    _stops(stage, "quota", status=429, code=code)


@fault(34, "publish/unpublish lost response")
def publication_lost(stage: Stage) -> None:
    page_id = stage.struck()
    stage.files[page_id]["published"] = not stage.initial(page_id)["is_published"]
    stage.files[page_id].pop("ignore", None)
    way: dict[str, Any] = stage.random.choice(({}, {"after": True}, {"late": 9.0}))
    stage.strike_write_by("POST", page_id, **lost(stage), **way)


left_out(35, "POST create lost response", "tests/test_create_campaign.py has it: the runs of this one are of `apply`")


def _stops(stage: Stage, reason: str, **members: Any) -> None:
    stage.may |= {f"error/{reason}", f"failed/{reason}", f"skipped/{reason}"}
    stage.anywhere = True
    if stage.random.random() < 0.3:
        stage.strike_read(**members, times=None)
    else:
        stage.strike_write(**members, times=None)
    stage.stops_after = stage.faults[-1]


def _lost(stage: Stage) -> dict[str, Any]:
    """Draw how an answer gets lost: at once, or after the patience of a client."""
    if stage.random.random() < 0.03:
        stage.arguments += ["--timeout", "0.5"]
        return {"wire": "hang"}
    return lost(stage)


def _data(page: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    return page | {"page_data": change(page["page_data"])}


def _strings(page: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    def through(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: through(member, name) for name, member in value.items()}
        if isinstance(value, list):
            return [through(item) for item in value]
        return change(value) if isinstance(value, str) and key != "url" else value

    return dict(through(page))


def _hosts(page: dict[str, Any]) -> dict[str, Any]:
    links = page["page_data"].get("links") or []
    lowered = [link | {"url": link["url"].replace(".example", ".EXAMPLE")} for link in links]
    return _data(page, lambda data: data | ({"links": lowered} if links else {}))


def _whole_numbers(page: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(page["page_data"])
    return page | {"page_data": json.loads(text, parse_float=lambda digits: round(float(digits)))}


def _only_known(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key in {"theme", "links", "avatar_url"}}


_KINDS: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = (
    partial(_strings, change=str.strip),
    _hosts,
    partial(_data, change=lambda data: {"badge_style": "round", **data}),
    partial(_data, change=lambda data: dict(sorted(data.items(), reverse=True))),
    partial(_data, change=_only_known),
    partial(_strings, change=html.escape),
    partial(_strings, change=partial(unicodedata.normalize, "NFD")),
    _whole_numbers,
)
