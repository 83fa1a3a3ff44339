"""The first line of what we write on GitHub, which nobody sees: whose it is, and what it was made of."""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bio_sync.event import COMMIT, number_of
from bio_sync.jsonvalues import Json, canonical, parsed

VERSION = 1
Kind: TypeAlias = Literal["plan", "drift"]
State: TypeAlias = Literal["whole", "offline", "failed"]
_KINDS: tuple[Kind, ...] = ("plan", "drift")
_STATES: tuple[State, ...] = ("whole", "offline", "failed")
# At the very start only: what stands further down was quoted by somebody.
_MARKER = re.compile(r"\A<!-- bio-sync:([a-z]+) (\{[^\n\r<>]*\}) -->\r?(?:\n|\Z)")
# Two hyphens, or `>`, would end the comment of HTML; two `#` may begin an order to a runner.
_ESCAPED = {ord(sign): f"\\u{ord(sign):04x}" for sign in "-<>&#"}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Marker:
    """What a comment or an issue was made of; `label` tells several of one repository apart.

    `head` is the commit that was pushed, `digest` that of the plan that is shown, `run` the number of the workflow's
    run. An apply goes by the marker of a `whole` plan only: one made `offline` has not seen the live pages.
    """

    kind: Kind
    label: str
    state: State
    head: str | None
    digest: str | None
    run: int | None

    def line(self) -> str:
        """Write the marker as a comment of HTML on a line of its own, which nothing in it can end."""
        told: Json = {
            "v": VERSION,
            "label": self.label,
            "state": self.state,
            "head": self.head,
            "digest": self.digest,
            "run": self.run,
        }
        return f"<!-- bio-sync:{self.kind} {canonical(told).translate(_ESCAPED)} -->\n"


def read_marker(body: str) -> Marker | None:
    """Read the marker at the start of a body; None when there is none, or none that we write."""
    found = _MARKER.match(body)
    kind = next((kind for kind in _KINDS if found and found.group(1) == kind), None)
    try:
        told = parsed(found.group(2)) if found and kind else None
    except (ValueError, RecursionError):
        return None
    if kind is None or not isinstance(told, dict) or canonical(told.get("v")) != str(VERSION):
        return None
    label = told.get("label")
    state = next((state for state in _STATES if state == told.get("state")), None)
    if not isinstance(label, str) or state is None:
        return None
    head, digest = _matching(COMMIT, told.get("head")), _matching(_DIGEST, told.get("digest"))
    return Marker(kind, label, state, head, digest, number_of(told.get("run")))


def without_marker(body: str) -> str:
    """Give what people see of a body."""
    found = _MARKER.match(body)
    return body[found.end() :] if found else body


def _matching(pattern: re.Pattern[str], value: Json) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None
