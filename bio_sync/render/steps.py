"""One operation after the other in words, all foreign text in them visible; no two plans read the same."""

import json
import re
from dataclasses import dataclass

from bio_sync.diff import Op, Operation
from bio_sync.jsonvalues import Json
from bio_sync.model import FIELDS, links_of
from bio_sync.origin import Origin
from bio_sync.planning import Change
from bio_sync.pointer import from_pointer
from bio_sync.positions import positions_of_moves
from bio_sync.visible import shortened, visible

LONGEST_VALUE = 2_000
MOST_OF_A_NAME = 200
MOST_OF_A_LABEL = 40
# What is shown before the place where two long values begin to differ.
CONTEXT = 100
_PLAIN_WORD = re.compile(r"[\w-]+")
_PLAIN_ADDRESS = re.compile(r'[^\s"\\]+')


@dataclass(frozen=True, slots=True)
class Step:
    """One operation in words: `name` is its place, `before` and `after` are values (of a move, both the moved one).

    What is added has no value before, what is removed none after: an empty text. `positions` are where a moved
    item was and will be, counted from 1. A `publication` makes a page public, or hides it.
    """

    op: Op
    origin: Origin | None
    name: str
    before: str
    after: str
    positions: tuple[int, int] | None = None
    publication: bool = False

    @property
    def move(self) -> str:
        """Say where a moved item goes: `position 4 → 2`."""
        was, will_be = self.positions or (0, 0)
        return f"position {was} → {will_be}" if was != will_be else f"still {was}, others move past it" if was else ""


def steps_of(change: Change, *, offline: bool) -> tuple[Step, ...]:
    """Say what is done to one page, step by step; offline, what a file leaves out is told to be so."""
    moves = positions_of_moves(change)
    nothing = "(not in the file)" if offline else "(empty)"
    return tuple(
        Step(
            operation.op,
            operation.origin,
            _name(operation, change),
            *_values(operation, nothing),
            _positions(operation, moves.get(index)),
            publication=operation.path == "/published",
        )
        for index, operation in enumerate(change.operations)
    )


def _name(operation: Operation, change: Change) -> str:
    """Name the place of a step in words: `title`, `link 2 label`, `link 2 "Shop" url`, `layout.columns`.

    No two places have one name: a key that is not a plain word is quoted, and one of `page_data` that is named like
    a field of the page has `page_data.` before it.
    """
    tokens = from_pointer(operation.path)
    if tokens[:2] == ("page_data", "links") and len(tokens) > 2 and tokens[2].isdecimal():
        if operation.op == "move" and len(tokens) == 3:
            return "link"
        label = [_label(change, int(tokens[2]))] if tokens[3:] and tokens[3] != "label" else []
        inside = [*label, ".".join(map(_word, tokens[3:]))]
        return shortened(" ".join(filter(None, ("link", str(int(tokens[2]) + 1), *inside))), MOST_OF_A_NAME)
    if len(tokens) > 1 and tokens[1] not in FIELDS:
        tokens = tokens[1:]
    return shortened(".".join(map(_word, tokens)), MOST_OF_A_NAME)


def _word(token: str) -> str:
    return token if _PLAIN_WORD.fullmatch(token) else json.dumps(token, ensure_ascii=False)


def _label(change: Change, index: int) -> str:
    """Give the label of a link that is edited: edits come last, so that it stands where it will stand."""
    links = links_of(change.after.page_data)
    link = links[index] if index < len(links) else None
    label = link.get("label") if isinstance(link, dict) else None
    return json.dumps(label, ensure_ascii=False) if isinstance(label, str) and len(label) <= MOST_OF_A_LABEL else ""


def _positions(operation: Operation, known: tuple[int, int] | None) -> tuple[int, int] | None:
    if operation.op != "move":
        return None
    # A move is always one inside a list, so that its pointers end in numbers.
    return known or (int(from_pointer(operation.source or "")[-1]) + 1, int(from_pointer(operation.path)[-1]) + 1)


def _values(operation: Operation, nothing: str) -> tuple[str, str]:
    """Give the values before and after; of two long ones the part where they begin to differ."""
    before = "" if operation.op == "add" else _item(operation.before, nothing)
    after = "" if operation.op == "remove" else _item(operation.after, nothing)
    if operation.op != "replace":
        return visible(_shortened(before)), visible(_shortened(after))
    alike = next((index for index, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), 0)
    start = max(0, alike - CONTEXT) if max(len(before), len(after)) > LONGEST_VALUE else 0
    return visible(_part(before, start)), visible(_part(after, start))


def _item(value: Json, nothing: str) -> str:
    """Show a whole value: a link by its label and address, whatever else it has after them."""
    if isinstance(value, dict) and isinstance(value.get("label"), str) and isinstance(value.get("url"), str):
        more = {key: member for key, member in value.items() if key not in {"label", "url"}}
        url = str(value["url"])
        shown = url if _PLAIN_ADDRESS.fullmatch(url) and url.isprintable() else _value(url, nothing)
        return f"{_value(value['label'], nothing)}  {shown}{f'  {_value(more, nothing)}' if more else ''}"
    return _value(value, nothing)


def _value(value: Json, nothing: str) -> str:
    if value is None:
        return nothing
    return "(empty)" if value == "" else json.dumps(value, ensure_ascii=False)


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_VALUE:
        return text
    half = LONGEST_VALUE // 2
    return f"{text[:half]} …{len(text) - LONGEST_VALUE:,} characters more… {text[-half:]}"


def _part(text: str, start: int) -> str:
    """Give LONGEST_VALUE characters from `start` on, and say how many there are before and after them."""
    rest = len(text) - start - LONGEST_VALUE
    before = f"…{start:,} characters more… " if start else ""
    return before + text[start : start + LONGEST_VALUE] + (f" …{rest:,} characters more…" if rest > 0 else "")
