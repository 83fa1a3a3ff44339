"""Links that show from a moment on, or until one: what a page is to have at a moment, and what comes next.

A moment is written by RFC 3339 with an offset; its seconds may be left out. As a value it is a datetime in UTC.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.model import links_of
from bio_sync.planning import Transition
from bio_sync.visible import shortened

SHOW_FROM, SHOW_UNTIL = "show_from", "show_until"
KEYS = (SHOW_FROM, SHOW_UNTIL)
MOMENT_HINT = "write it like 2026-12-24T09:00+01:00: date, T, time, offset"
DAY_HINT = "a day has no hour: write 2026-12-24T00:00+01:00; +01:00 is how far the clock is from UTC, Z is UTC"
OFFSET_HINT = "say whose clock it is: add an offset such as +01:00 at the end, or Z for UTC"

# Two of its numbers by name: `fromisoformat` takes an offset of +01:75, and in newer Pythons 24:00 for the next day.
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?P<hour>[0-9]{2}):[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"(?P<offset>Z|[+-][0-9]{2}:(?P<minutes>[0-9]{2}))?"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class NotAMoment(ValueError):
    """Text that is no moment: what is wrong with it, in words that follow it, and as `hint` the way out."""

    def __init__(self, reason: str, *, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def moment(text: str) -> datetime:
    """Read a moment; raises NotAMoment."""
    found = _MOMENT.fullmatch(text)
    if not found:
        raise NotAMoment("is not a moment", hint=DAY_HINT if _DAY.fullmatch(text) else MOMENT_HINT)
    if found["offset"] is None:
        raise NotAMoment("is not a moment: it has no offset", hint=OFFSET_HINT)
    with suppress(ValueError, OverflowError):
        if int(found["hour"]) < 24 and int(found["minutes"] or 0) < 60:
            return datetime.fromisoformat(text).astimezone(UTC)
    hint = "check the month, the day, the time and the offset"
    raise NotAMoment("is a date or a time that there is not", hint=hint)


def page_at(document: JsonObject, at: datetime) -> JsonObject:
    """Give a page document as it is to be at a moment: the links that show then, without the keys that say when."""
    page_data = document.get("page_data")
    if not isinstance(page_data, dict) or not has_moments(document):
        return document
    shown: list[Json] = [_without_keys(link) for link in _links(document) if shows(link, at)]
    return {**document, "page_data": {**page_data, "links": shown}}


def has_moments(document: JsonObject) -> bool:
    """Tell whether any link of a page document says from when on, or until when, it shows."""
    return any(isinstance(link, dict) and (SHOW_FROM in link or SHOW_UNTIL in link) for link in _links(document))


def shows(link: Json, at: datetime) -> bool:
    """Tell whether a link of a page file shows at a moment: from `show_from` on, and not any more at `show_until`."""
    begins, ends = _window(link)
    return (begins is None or begins <= at) and (ends is None or at < ends)


def has_come(text: str, now: datetime) -> bool:
    """Tell whether a moment is not to come any more; what is no moment never comes."""
    when = _moment_or_none(text)
    return when is not None and when <= now


def transitions(document: JsonObject, *, file: str, after: datetime) -> Iterator[tuple[datetime, Transition]]:
    """Give what happens to the links of a checked page document after a moment, link by link, and when."""
    for link in _links(document):
        if isinstance(link, dict):
            for key, when in zip(KEYS, _window(link), strict=True):
                if when is not None and when > after:
                    page_id, label = str(document["id"]), str(link.get("label"))
                    yield when, Transition(str(link[key]), page_id, file, label, shows=key == SHOW_FROM)


def complaints(document: JsonObject) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Say what is wrong with the moments of the links of a page document: path, message and hint."""
    for index, link in enumerate(_links(document)):
        for key in KEYS:
            value = link.get(key) if isinstance(link, dict) else None
            if isinstance(value, str):
                try:
                    moment(value)
                except NotAMoment as error:
                    path = ("page_data", "links", index, key)
                    yield path, f"'{shortened(value)}' {error.reason}", error.hint
        begins, ends = _window(link)
        if begins and ends and ends <= begins:
            message = f"the link never shows: its {SHOW_UNTIL} is not after its {SHOW_FROM}"
            yield ("page_data", "links", index, SHOW_UNTIL), message, "write a later moment, or swap the two"


def _links(document: JsonObject) -> list[Json]:
    return links_of(document.get("page_data"))


def _window(link: Json) -> tuple[datetime | None, datetime | None]:
    """Give from when and until when a link shows; what is no moment counts as left out."""
    begins, ends = (link.get(key) if isinstance(link, dict) else None for key in KEYS)
    return _moment_or_none(begins), _moment_or_none(ends)


def _moment_or_none(value: Json) -> datetime | None:
    try:
        return moment(value) if isinstance(value, str) else None
    except NotAMoment:
        return None


def _without_keys(link: Json) -> Json:
    return {key: value for key, value in link.items() if key not in KEYS} if isinstance(link, dict) else link
