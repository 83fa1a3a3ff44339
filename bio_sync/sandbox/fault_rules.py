"""What a fault may say: each of its members by itself, and no two of them against each other."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from bio_sync.sandbox.pages import EDITABLE, check_types
from bio_sync.sandbox.wires import WIRES, WIRES_OF_AN_ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bio_sync.sandbox.faults import Fault

# More seconds than any test has; beyond it a deadline may be a number that no clock takes.
_LONGEST = 1e9
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS")
WITHOUT_BODY = (204, 304)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?:[\x21-\x7e\xa0-\xff](?:[\t\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa0-\xff])?)?")
_FRAMING = ("content-length", "transfer-encoding")


def check(fault: Fault) -> None:
    """Refuse a fault that can not be.

    Raises:
        ValueError: a member is out of its range, or contradicts another; the message names it.
    """
    _check_numbers(fault)
    _check_request(fault)
    _check_headers(fault.headers)
    for page_id, members in fault.edits.items():
        _check_edit(page_id, members)
    _check_time(fault)
    _check_answer(fault)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `, did you mean '…'?` for a name that is close to a known one, else nothing."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f", did you mean {close[0]!r}?" if close else ""


def _check_numbers(fault: Fault) -> None:
    if fault.status is not None and not 200 <= fault.status <= 599:
        raise ValueError(f"status: must be from 200 to 599, not {fault.status!r:.40}")
    if fault.times is not None and fault.times < 1:
        raise ValueError(f"times: must be 1 or more, or null for all, not {fault.times!r:.40}")
    if fault.skip < 0:
        raise ValueError(f"skip: must be 0 or more, not {fault.skip!r:.40}")
    if fault.probability is not None and not 0 <= fault.probability <= 1:
        raise ValueError(f"probability: must be from 0 to 1, not {fault.probability!r:.40}")
    for name, seconds in (("delay", fault.delay), ("late", fault.late)):
        # The comparison is false for NaN too.
        if seconds is not None and not 0 <= seconds <= _LONGEST:
            raise ValueError(f"{name}: must be from 0 to {_LONGEST:.0f} seconds, not {seconds!r:.40}")


def _check_request(fault: Fault) -> None:
    if fault.method is not None and fault.method.upper() not in _METHODS:
        guess = did_you_mean(fault.method.upper(), _METHODS)
        raise ValueError(f"method: there is no method {fault.method!r:.60}{guess}")
    if fault.wire is not None and fault.wire not in WIRES:
        guess = did_you_mean(fault.wire, WIRES) or f"; there are {', '.join(WIRES)}"
        raise ValueError(f"wire: there is no kind {fault.wire!r:.60}{guess}")


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"headers: {name!r:.60} can not be the name of a header")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"headers: {name:.60} can not have the value {value!r:.60}")
        if name.lower() in _FRAMING:
            raise ValueError(f"headers: {name} follows from the body; to make it a lie, use wire")


def _check_edit(page_id: str, members: Mapping[str, object]) -> None:
    if not members:
        raise ValueError(f"edits: of the page {page_id!r:.60} nothing is changed")
    for name in members:
        if name not in EDITABLE:
            raise ValueError(f"edits: a page has no {name!r:.60} to edit{did_you_mean(name, EDITABLE)}")
    try:
        check_types(dict(members))
    except ValueError as error:
        raise ValueError(f"edits: {page_id:.60}: {error}") from None


def _check_time(fault: Fault) -> None:
    if fault.late is not None and fault.after:
        raise ValueError("late and after: a request is carried out first or late, not both")
    if fault.late is not None and fault.status is None and fault.wire is None:
        raise ValueError("late: meanwhile the request needs a status that tells, or a wire that hides")


def _check_answer(fault: Fault) -> None:
    words = fault.words_of_its_own()
    if words and fault.status is None:
        raise ValueError(f"{words[0]}: an answer that is left as it is takes none; it needs a status")
    if fault.status is not None and fault.wire is not None and fault.wire not in WIRES_OF_AN_ANSWER:
        raise ValueError(f"{(*words, 'status')[0]}: nobody gets to see it, as the wire is {fault.wire!r}")
    if fault.body is not None and words not in (["body"], ["headers", "body"]):
        raise ValueError(f"body and {words[0]}: a whole body leaves no place for an envelope")
    if fault.body and fault.status in WITHOUT_BODY:
        raise ValueError(f"body: an answer {fault.status} has none")
