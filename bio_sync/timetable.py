"""Links that show from a moment on, or until one: what a page is to have at a moment, and what comes next.

A moment is written by RFC 3339 with an offset; its seconds may be left out. As a value it is a datetime in UTC.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from bio_sync.jsonvalues import AUTHOR_PREFIX, Json, JsonObject
from bio_sync.model import DesiredPage, desired_page, links_of, own_ignore
from bio_sync.planning import Transition
from bio_sync.pointer import ValuePath, from_pointer
from bio_sync.visible import shortened

SHOW_FROM, SHOW_UNTIL = "show_from", "show_until"
KEYS = (SHOW_FROM, SHOW_UNTIL)
# From when and until when a link shows.
_Window: TypeAlias = tuple[datetime | None, datetime | None]
_LINKS = ("page_data", "links")
_ALL_LINKS = (_LINKS[:1], _LINKS)
# What nearly every link has: not to be compared with anything.
_ORDINARY = frozenset(("label", "url"))
# What is not looked at where keys are compared: showFrom, show-from and Show_from are all meant for show_from.
_FOLDED = str.maketrans("", "", "_- ")
# Letters that two keys share, of all their letters: one too many, too few, or two exchanged.
ALIKE = 0.85
MOMENT_HINT = "write it like 2026-12-24T09:00+01:00: date, T, time, offset"
DAY_HINT = "a day has no hour: write 2026-12-24T00:00+01:00; +01:00 is how far the clock is from UTC, Z is UTC"
# A clock on a computer shows it as the second after it, the first of the next month (POSIX.1-2024, section 4.19).
LEAP = "60"
LEAP_HINT = "write 59 for the seconds, or the next minute; 60 is only at 23:59:60 in UTC, on the last day of a month"
OFFSET_HINT = "say whose clock it is: add an offset such as +01:00 at the end, or Z for UTC"

# By RFC 3339, section 5.6, where T and Z may be small, and with seconds that may be left out. Some of its numbers by
# name: `fromisoformat` takes an offset of +01:75, in newer Pythons 24:00 for the next day, and no leap second.
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?P<hour>[0-9]{2}):[0-9]{2}(?::(?P<seconds>[0-9]{2})(?:\.[0-9]+)?)?"
    r"(?P<offset>[Zz]|[+-][0-9]{2}:(?P<minutes>[0-9]{2}))?"
)
_A_YEAR = re.compile(r"[0-9]{4}-")
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
            if found["seconds"] != LEAP:
                return datetime.fromisoformat(text.upper()).astimezone(UTC)
            second = found.start("seconds")
            last = datetime.fromisoformat(f"{text[:second]}59{text[second + 2 :]}".upper()).astimezone(UTC)
            after = last + timedelta(seconds=1)
            if (after.day, after.hour, after.minute) == (1, 0, 0):
                return after
    hint = LEAP_HINT if found["seconds"] == LEAP else "check the month, the day, the time and the offset"
    raise NotAMoment("is a date or a time that there is not", hint=hint)


def page_at(document: JsonObject, at: datetime) -> JsonObject:
    """Give a page document as it is to be at a moment: the links that show then, without the keys that say when."""
    page_data = document.get("page_data")
    if not isinstance(page_data, dict) or not has_moments(document):
        return document
    shown: list[Json] = [_without_keys(link) for link in _links(document) if shows(link, at)]
    return {**document, "page_data": {**page_data, "links": shown}}


def desired_at(document: JsonObject, at: datetime, *, file: str, ignore: tuple[str, ...] = ()) -> DesiredPage:
    """Read a page document as it is to be at a moment; `ignore` comes on top of the document's own."""
    page = desired_page(page_at(document, at), file=file, ignore=ignore)
    if page.page_data is not None and page.page_data.get("links") == []:
        return replace(page, out_of_season=not all(shows(link, at) for link in _links(document)))
    return page


def has_moments(document: JsonObject) -> bool:
    """Tell whether any link of a page document says from when on, or until when, it shows."""
    return any(isinstance(link, dict) and (SHOW_FROM in link or SHOW_UNTIL in link) for link in _links(document))


def shows(link: Json, at: datetime) -> bool:
    """Tell whether a link of a page file shows at a moment: from `show_from` on, and not any more at `show_until`."""
    return _is_within(_window(link), at)


def has_come(text: str, now: datetime) -> bool:
    """Tell whether a moment is not to come any more; what is no moment never comes."""
    when = _moment_or_none(text)
    return when is not None and when <= now


def transitions(
    document: JsonObject, *, file: str, after: datetime, ignore: tuple[str, ...] = ()
) -> Iterator[tuple[datetime, Transition]]:
    """Give what happens to the links of a checked page document after a moment, link by link, and when.

    `ignore` comes on top of the document's own: links that it leaves as they are live neither come nor go. With one
    that it names by its place, it hangs on the live page which link comes or goes: then none is foretold.
    """
    patterns = {tuple(from_pointer(pointer)) for pointer in (*own_ignore(document), *ignore)}
    if any(pattern in _ALL_LINKS or (len(pattern) == 3 and pattern[:2] == _LINKS) for pattern in patterns):
        return
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


def without_effect(document: JsonObject) -> Iterator[tuple[ValuePath, str, str]]:
    """Find the keys of a page document that somebody may take for a time, and that are none: path, message and hint.

    They are ordinary keys and are sent: a slip of the pen would show a link at once.
    """
    for index, link in enumerate(_links(document)):
        for key, value in link.items() if isinstance(link, dict) else ():
            if key not in _ORDINARY and isinstance(value, str) and _A_YEAR.match(value) and (meant := _meant(key)):
                message = f"the key '{shortened(key)}' has no effect on when the link shows"
                yield (*_LINKS, index, key), message, f"did you mean '{meant}'?"
    for path in _times_in_other_lists(document.get("page_data"), ("page_data",)):
        hint = "write it into a link; elsewhere it is an ordinary key, and is sent"
        yield path, f"'{path[-1]}' has an effect only in links", hint


def _meant(key: str) -> str | None:
    """Tell for which of the keys another one was typed, if for any."""
    folded = key.translate(_FOLDED).lower()
    if key in KEYS or key.startswith(AUTHOR_PREFIX) or not 6 <= len(folded) <= 12:
        return None
    import difflib  # noqa: PLC0415 - most links have no such keys

    by_letters = {name.translate(_FOLDED): name for name in KEYS}
    close = difflib.get_close_matches(folded, by_letters, n=1, cutoff=ALIKE)
    return by_letters[close[0]] if close else None


def _times_in_other_lists(value: Json, path: ValuePath) -> Iterator[ValuePath]:
    if isinstance(value, dict):
        for key, member in value.items():
            if isinstance(member, dict | list) and key[:2] != AUTHOR_PREFIX:
                yield from _times_in_other_lists(member, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict) and path != _LINKS:
                yield from ((*path, index, key) for key in KEYS if isinstance(item.get(key), str))
            if isinstance(item, dict | list):
                yield from _times_in_other_lists(item, (*path, index))


def _links(document: JsonObject) -> list[Json]:
    return links_of(document.get("page_data"))


def _is_within(window: _Window, at: datetime) -> bool:
    begins, ends = window
    return (begins is None or begins <= at) and (ends is None or at < ends)


def _window(link: Json) -> _Window:
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
