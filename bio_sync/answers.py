"""What the service answers, believed only in part: the envelope, its errors, and pages out of JSON."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, cast

from bio_sync.errors import (
    NotAnAnswer,
    PageGone,
    QuotaUsedUp,
    Rejected,
    ServiceError,
    TooManyRequests,
    Unauthorised,
)
from bio_sync.jsonvalues import Json, JsonObject, TooDeep, canonical, member, normalised, parsed, same
from bio_sync.model import SEEN_FIRST, LivePage, PageContent
from bio_sync.visible import shortened

# What may stand in the path of a request: ids come from files and from answers alike.
PAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

# What a page always has, whatever else it has; `description` may be left out as null may.
WHOLE_PAGE = ("title", "page_data", "is_published")

_NOTHING: Final[frozenset[str]] = frozenset()

NOTHING_KNOWN: Final[Mapping[str, JsonObject]] = {}

# No workspace has as many calls or pages; a float could not even hold some whole numbers that JSON can.
SENSELESS = 10**15
NO_TIME_HINT = "try again later; the month's calls may be used up, or something in between allows no more"
BUSY_HINT = "is another run using this key?"
SEE_PLAN_HINT = "see the workspace's plan in xQR"
LARGER_PLAN_HINT = "wait for the next month, or take a larger plan"

_UNAUTHORISED = {
    "INVALID_API_KEY": (
        "the service does not know the API key",
        "check XQR_API_KEY, or the key's file: all of the key, and of this workspace",
    ),
    "REVOKED_API_KEY": ("the API key was revoked", "make a new key in xQR's settings"),
    "EXPIRED_API_KEY": ("the API key has expired", "make a new key in xQR's settings"),
    "INSUFFICIENT_SCOPE": (
        "the API key may not do this",
        "give it the scopes bio:read and bio:write in xQR; to look and to change nothing, bio:read is enough",
    ),
    "FEATURE_NOT_AVAILABLE": ("the workspace's plan does not include this", SEE_PLAN_HINT),
    "PLAN_LIMIT_EXCEEDED": (
        "the workspace's plan allows no more of this",
        "in xQR, make room by deleting a page, or take a larger plan; then run this again",
    ),
}


@dataclass(frozen=True, slots=True)
class Usage:
    """The workspace's plan, its calls of this month, used and allowed, and its pages; None is what nobody told."""

    plan: str
    calls: int | None
    most_calls: int | None
    pages: int | None


def envelope(body: bytes) -> JsonObject:
    """Read the JSON object around every answer.

    What is no JSON object by RFC 8259, with unique keys and finite numbers, is an empty one.
    """
    try:
        answer = parsed(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def request_id(answer: JsonObject, header: str | None) -> str | None:
    """Give the id that the service gave to the request, by `meta.request_id` or else the header."""
    told = member(answer, "meta", "request_id")
    found = told if isinstance(told, str) else header
    return shortened(found, 80) if found else None


def rate_limit(answer: JsonObject) -> JsonObject:
    """Give `meta.rate_limit` in whichever of its three shapes; empty when there is none."""
    limits = member(answer, "meta", "rate_limit")
    return limits if isinstance(limits, dict) else {}


def raise_error(answer: JsonObject, *, status: int, may_wait: bool = False) -> NoReturn:
    """Raise the ServiceError that an answer stands for, by `error.code` before the status.

    An answer without a code may be a proxy's, or another service's. It is refused all the same, but that a page is
    gone is not believed of it. `may_wait` tells whether the answer said when to come back.
    """
    code, words = error_code(answer), _words(answer, status)
    said = f": {shortened(words, 200)}" if words else ""
    told = f" ({status}{f' {shortened(code)}' if code else ''}){said}"
    kind, message, hint = _meaning(code, status, may_wait=may_wait, explained=bool(words))
    raise kind(f"{message}{told}", hint=hint, status=status, code=code)


def _words(answer: JsonObject, status: int) -> str:
    """Give the reason of a refusal: xQR's, an `error` that is only words, or problem details (RFC 9457)."""
    error = answer.get("error")
    if isinstance(error, dict):
        message = error.get("message")
        return str(message) if message else ""
    # In a success they would be members of something else.
    details = [_text(answer.get(name)) for name in ("title", "detail") if status >= 400]
    return _text(error) or ": ".join(filter(None, details))


def error_code(answer: JsonObject) -> str:
    """Give `error.code`, which is stable where the message is not; empty when there is none."""
    return _text(member(answer, "error", "code"))


def may_come_back(code: str, *, said_when: bool) -> bool:
    """Tell of a 429 whether waiting helps: the second's limit passes, the month's does not.

    An answer without a code of either kind is believed to pass only when it said when (`Retry-After`).
    """
    return code == "BURST_LIMIT_EXCEEDED" or (said_when and not is_final(code))


def is_final(code: str) -> bool:
    """Tell of a code that asking again meets it again, whatever the status says."""
    return code == "RATE_LIMIT_EXCEEDED" or code in _UNAUTHORISED


def _meaning(code: str, status: int, *, may_wait: bool, explained: bool) -> tuple[type[ServiceError], str, str]:
    if code in _UNAUTHORISED:
        return Unauthorised, *_UNAUTHORISED[code]
    if code == "RATE_LIMIT_EXCEEDED":
        return QuotaUsedUp, "the month's API calls are used up", LARGER_PLAN_HINT
    if status == 429 and not may_come_back(code, said_when=may_wait):
        return QuotaUsedUp, "the service refuses more requests, and does not say for how long", NO_TIME_HINT
    if code == "BURST_LIMIT_EXCEEDED" or status == 429:
        return TooManyRequests, "too many requests a second", BUSY_HINT
    if status in {401, 403}:
        return Unauthorised, "the service refuses the API key", "check XQR_API_KEY, or the key's file"
    if status == 408 or status >= 500:
        return NotAnAnswer, "the service has a fault of its own", "try again later"
    return _refusal(code, status, explained=explained)


def _refusal(code: str, status: int, *, explained: bool) -> tuple[type[ServiceError], str, str]:
    if 300 <= status < 400:
        return Rejected, "the service sends elsewhere, and redirects are not followed", "check the API address"
    # What says in JSON what it does not like has read the request; that nothing is there, a wrong address says too.
    if not code and (not explained or status < 300 or status in {404, 410}):
        hint = "check the API address; a proxy or a maintenance page may be in between"
        return NotAnAnswer if status < 300 else Rejected, "what answered is not xQR", hint
    if status in {404, 410}:
        hint = "it was deleted, or the key is another workspace's"
        return PageGone, "the page is not in this workspace", hint
    return Rejected, "the service refused it", ""


def usage(value: Json) -> Usage:
    """Read what the workspace's plan allows; what makes no sense is not told. Raises NotAnAnswer for no object."""
    if not isinstance(value, dict):
        raise NotAnAnswer("what answered is not xQR: the usage is no object")
    return Usage(
        plan=_text(value.get("plan")),
        calls=sensible_number(member(value, "usage", "api_calls_this_month")),
        most_calls=sensible_number(member(value, "limits", "api_calls_per_month")),
        pages=sensible_number(member(value, "usage", "total_bio_pages")),
    )


def pages(value: Json, known: Mapping[str, JsonObject] = NOTHING_KNOWN) -> dict[str, LivePage]:
    """Read a list of pages, by id; raises NotAnAnswer for what is none. `known` is as for `page`."""
    if not isinstance(value, list):
        raise NotAnAnswer("what answered is not xQR: the list of pages is no list")
    if value and not any(isinstance(each, dict) and "page_data" in each for each in value):
        # A list of summaries would read as pages that have nothing on them.
        raise NotAnAnswer("what answered is not xQR: its pages have no page_data")
    found: dict[str, LivePage] = {}
    for each in value:
        read = page(each, known)
        if found.setdefault(read.page_id, read) != read:
            raise NotAnAnswer(f"the list holds two different pages {read.page_id}")
    return found


def whole_page(value: Json) -> LivePage:
    """Read a page that has all that a file can manage; raises NotAnAnswer for one that only shows a part."""
    missing = [name for name in WHOLE_PAGE if isinstance(value, dict) and name not in value]
    if missing:
        _no_page(f"it has no {missing[0]}")
    return page(value)


def page(value: Json, known: Mapping[str, JsonObject] = NOTHING_KNOWN) -> LivePage:
    """Read a page object; members that are new to us are passed over. Raises NotAnAnswer for what is no page.

    `known` are page data by page id: those that are the same are taken in the place of the answer's own.
    """
    if not isinstance(value, dict):
        _no_page("it is no object")
    page_id, title, description = value.get("id"), value.get("title"), value.get("description")
    page_data, published = value.get("page_data"), value.get("is_published")
    if not isinstance(page_id, str) or not PAGE_ID.fullmatch(page_id):
        _no_page(f"{shortened(canonical(page_id))} is not an id")
    if not isinstance(title, str | None) or not isinstance(description, str | None):
        _no_page(f"title or description of {page_id} is no text")
    if not isinstance(page_data, dict | None) or not isinstance(published, bool | None):
        _no_page(f"page_data or is_published of {page_id} has the wrong type")
    if page_id in known and page_data and same(page_data, known[page_id]):
        data = known[page_id]
    else:
        try:
            data = cast("JsonObject", normalised(page_data or {}))
        except TooDeep:
            _no_page(f"page_data of {page_id} is nested too deep")
    return LivePage(
        page_id=page_id,
        content=PageContent(title or "", description, data, published),
        slug=_text(value.get("slug")),
        html_url=_text(value.get("html_url")),
        views=_count(value.get("view_count")),
        clicks=_count(value.get("click_count")),
        updated_at=_text(value.get("updated_at")) or None,
        untold=_NOTHING if published is not None and value.keys() >= SEEN_FIRST else _untold(value),
    )


def _untold(page: JsonObject) -> frozenset[str]:
    published = ("published",) if page.get("is_published") is None else ()
    return frozenset((*(SEEN_FIRST - page.keys()), *published))


def _count(value: Json) -> int:
    """Read how often a page was seen; as text too, since the guard of seen pages hangs on it."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < len(str(SENSELESS)):
        return int(value)
    return _whole(value) or 0


def sensible_number(value: Json) -> int | None:
    """Read a number of calls, pages or seconds; None for what is none, or larger than any of them is."""
    whole = _whole(value)
    return whole if whole is not None and whole < SENSELESS else None


def _no_page(why: str) -> NoReturn:
    raise NotAnAnswer(f"what answered is not xQR: this is no page, {why}")


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: Json) -> int | None:
    whole = normalised(value) if isinstance(value, float) else value
    return whole if isinstance(whole, int) and not isinstance(whole, bool) and whole >= 0 else None
