"""A page file's text with only what differs edited: what is not touched stays byte for byte.

Pieces of the text are replaced, by the places of the parser's events; nothing is loaded and dumped again. An item of
a list takes the comment lines above it along when it moves, and those behind it on its lines.
"""

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from bio_sync.alignment import aligned
from bio_sync.jsonvalues import Json, JsonObject, normalised, same
from bio_sync.visible import visible
from bio_sync.yamlpieces import flow_text, item_text, keys_text, value_text
from bio_sync.yamlplaces import Entry, Lines, Node, line_end, members, nodes_of
from bio_sync.yamltext import Document, read

_BLANK = re.compile(r"\A(?:[ \t]*\r?\n)+")
_COMMENT = re.compile(r"[ \t]*#[^\n]*")


class CannotEdit(Exception):
    """A text that can't be edited so that it says what is wanted."""


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


# A wanted member of a collection: its key, its value, and which old member it was.
_Matched: TypeAlias = tuple[str, Json, int | None]
_Bounds: TypeAlias = list[tuple[int, int]]


def edited(text: str, wanted: JsonObject) -> str:
    """Give the text of a YAML mapping changed so that it reads as `wanted`; raises CannotEdit when that can't be done.

    Each attempt is read again by the reader of page files before it is believed: in place first, then with aliases
    written out, and at last with each value of the top level that differs written anew.
    """
    before = text.removeprefix("\ufeff")
    mark = text[: len(text) - len(before)]
    missing = "" if before.endswith("\n") else line_end(before)
    # A block at the end, whose last line has no end, says more once it has one.
    values = [_read(each).mapping for each in dict.fromkeys((before, before + missing))]
    for attempt in _attempts(before + missing, values, wanted):
        for after in dict.fromkeys((attempt.removesuffix(missing), attempt)):
            document = _read(after)
            if not document.problems and same(normalised(document.value), normalised(wanted)):
                return mark + after
    raise CannotEdit


def _attempts(text: str, values: Sequence[JsonObject], wanted: JsonObject) -> Iterator[str]:
    for written_out, coarse in ((False, False), (True, False), (True, True)):
        for value in values:
            with contextlib.suppress(CannotEdit):
                editor = _Editor(text)
                editor = editor.without_aliases(value) if written_out else editor
                yield editor.edited(value, wanted, coarse=coarse)


def _read(text: str) -> Document:
    return read(text.encode("utf-8"), file="")


class _Editor:
    """Finds the edits of one text, which ends with a line end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = Lines(text)
        root = nodes_of(text)
        if root is None or root.kind != "mapping":
            raise CannotEdit
        self._root = root
        self._may_have_aliases = "*" in text
        # What the anchors that were met are to stand for.
        self._anchored: dict[str, Json] = {}
        self._coarse = False

    def edited(self, value: JsonObject, wanted: JsonObject, *, coarse: bool = False) -> str:
        """Give the text with what differs edited; `coarse` writes members of the top level anew as a whole."""
        self._coarse = coarse
        edits = self._members_edits(self._root, value, wanted, None, flow=False)
        return self._spliced(0, len(self._text), edits)

    def without_aliases(self, value: JsonObject) -> "_Editor":
        """Give the editor of the text with what each alias stands for in its place."""
        edits = list(self._written_out(self._root, value, flow=False))
        return _Editor(self._spliced(0, len(self._text), edits))

    def _written_out(self, node: Node, value: Json, *, flow: bool) -> Iterator[_Edit]:
        flow = flow or node.flow
        for entry, member in members(node, value):
            if entry.value.kind == "alias":
                yield from self._anew(entry, member, flow=flow)
            else:
                yield from self._written_out(entry.value, member, flow=flow)

    def _value_edits(self, entry: Entry, value: Json, wanted: Json, *, flow: bool) -> list[_Edit]:
        """Give the edits by which the value of an entry becomes another one."""
        node = entry.value
        unchanged = same(normalised(value), normalised(wanted))
        if unchanged and not self._may_have_aliases:
            return []
        wanted = value if unchanged else wanted
        if node.kind == "alias":
            stands_for = self._anchored.get(node.name)
            return [] if same(normalised(stands_for), normalised(wanted)) else self._anew(entry, wanted, flow=flow)
        if node.name:
            self._anchored[node.name] = wanted
        is_of_a_kind = isinstance(wanted, {"mapping": dict, "sequence": list}.get(node.kind, ()))
        if is_of_a_kind and node.entries and wanted and (unchanged or not self._coarse):
            return self._members_edits(node, value, wanted, entry, flow=flow)
        return [] if unchanged else self._anew(entry, wanted, flow=flow, style=node.style)

    def _members_edits(self, node: Node, value: Json, wanted: Json, entry: Entry | None, *, flow: bool) -> list[_Edit]:
        """Give the edits by which a collection becomes another one of its kind."""
        matched = _matched(value, wanted)
        kept = [old for _, _, old in matched]
        if kept == list(range(len(node.entries))):
            return [
                edit
                for (child, member), (_, new, _) in zip(members(node, value), matched, strict=True)
                for edit in self._value_edits(child, member, new, flow=flow or node.flow)
            ]
        if node.flow:
            return self._in_brackets(node, value, matched)
        # What goes, or moves, needs lines of its own: a first key may share that of a dash.
        moving = node.entries
        if node.kind == "mapping":
            gone = set(range(len(node.entries))).difference(kept)
            moving = [node.entries[index] for index in sorted(gone)]
        start = self._first_line(node, entry)
        if start is None or not all(map(self._lines.begins, moving)):
            return self._anew(entry, wanted, flow=flow)
        ends = [self._lines.after(max(child.value.end, child.mark)) for child in node.entries]
        # The comments above an entry are among its lines.
        bounds = list(zip([start, *ends], ends, strict=False))
        edit = self._block_mapping if node.kind == "mapping" else self._block_sequence
        return edit(node, value, matched, bounds)

    def _block_mapping(self, node: Node, value: Json, matched: list[_Matched], bounds: _Bounds) -> list[_Edit]:
        """Edit a block mapping: members go, stay or change where they stand; a new one comes before what follows it."""
        wanted = {old: new for _, new, old in matched if old is not None}
        edits: list[_Edit] = []
        for index, (entry, member) in enumerate(members(node, value)):
            if index in wanted:
                edits += self._value_edits(entry, member, wanted[index], flow=False)
            else:
                edits.append(_Edit(*bounds[index], ""))
        column, at = self._lines.column(node.entries[0]), bounds[-1][1]
        added: list[_Edit] = []
        for key, new, old in reversed(matched):
            if old is None:
                added.append(_Edit(at, at, self._lines.indented(keys_text({key: new}), column)))
            elif old or self._lines.begins(node.entries[0]):
                at = bounds[old][0]
            else:
                # The first key shares its line with a dash.
                at = bounds[0][1]
        return [*edits, *reversed(added)]

    def _block_sequence(self, node: Node, value: Json, matched: list[_Matched], bounds: _Bounds) -> list[_Edit]:
        old_members = list(members(node, value))
        column = self._lines.column(node.entries[0])
        firsts = [self._text[begin : self._lines.after(begin)] for begin, _ in bounds[1:]]
        are_apart = bool(firsts) and not any(map(str.strip, firsts))
        chunks: list[str] = []
        for _, new, old in matched:
            if old is None:
                chunks.append(self._lines.indented(item_text(new), column))
            else:
                entry, member = old_members[old]
                chunks.append(self._spliced(*bounds[old], self._value_edits(entry, member, new, flow=False)))
        # Blank lines between all items stay there; one of few goes with its item.
        text = self._lines.end.join(_BLANK.sub("", chunk) for chunk in chunks) if are_apart else "".join(chunks)
        return [_Edit(bounds[0][0], bounds[-1][1], text)]

    def _in_brackets(self, node: Node, value: Json, matched: list[_Matched]) -> list[_Edit]:
        """Edit a collection in brackets: what stands between its members goes with the one before it."""
        old_members = list(members(node, value))
        opening = self._text[node.start + 1 : node.entries[0].start]
        gaps = [self._text[one.value.end : other.start] for one, other in pairwise(node.entries)]
        usual = _COMMENT.sub("", gaps[0] if gaps else "," + (opening if "\n" in opening else " "))
        parts: list[str] = []
        for key, new, old in matched:
            if old is None:
                parts += [f"{self._flow_text(key)}: " if node.kind == "mapping" else "", self._flow_text(new), usual]
            else:
                entry, member = old_members[old]
                edits = self._value_edits(entry, member, new, flow=True)
                parts += [self._spliced(entry.start, entry.value.end, edits), gaps[old] if old < len(gaps) else usual]
        return [_Edit(node.entries[0].start, node.entries[-1].value.end, "".join(parts[:-1]))]

    def _anew(self, entry: Entry | None, wanted: Json, *, flow: bool, style: str = "") -> list[_Edit]:
        """Write a value anew in the place of an old one, and leave the comment behind it where it is."""
        if entry is None:
            raise CannotEdit
        if flow:
            return [self._instead(entry, self._flow_text(wanted, style))]
        if not entry.key:
            return self._item_anew(entry, wanted, style)
        old = entry.value
        first, _, rest = value_text(wanted, style).partition("\n")
        rest = self._lines.indented(rest, self._lines.column(entry))
        head = entry.mark if old.head is None else old.head
        if self._is_block(old, entry) or old.style in {"|", ">"}:
            # The sign of a block of text may stand where no other value can, and a comment behind it.
            sign = re.compile(r"[|>]\S*").match(self._text, old.start)
            end = sign.end() if sign else head
            below = _Edit(self._lines.after(end), self._lines.after(old.end), rest)
            return [_Edit(head, end, f" {first}" if first else ""), below]
        behind = self._lines.after(old.end)
        edit = self._instead(entry, first) if first else _Edit(head, old.end, "")
        return [edit, *([_Edit(behind, behind, rest)] if rest else ())]

    def _item_anew(self, entry: Entry, wanted: Json, style: str) -> list[_Edit]:
        old = entry.value
        if old.kind == "scalar" and not isinstance(wanted, dict | list):
            text = value_text(wanted, style)
            if "\n" not in text[:-1] + self._text[old.start : old.end]:
                return [self._instead(entry, text[:-1])]
        if not self._lines.begins(entry):
            return [self._instead(entry, self._flow_text(wanted, style))]
        start, end = self._lines.start(entry.start), self._lines.after(max(old.end, entry.mark))
        return [_Edit(start, end, self._lines.indented(item_text(wanted), entry.start - start))]

    def _instead(self, entry: Entry, text: str) -> _Edit:
        """Put a text in the place of a value; an empty value has none, and a key in brackets may lack its colon."""
        old = entry.value
        if old.start < old.end:
            return _Edit(old.start, old.end, text)
        colon = ":" if entry.key and self._text[entry.mark - 1] != ":" else ""
        return _Edit(old.start, old.start, f"{colon} {text}")

    def _flow_text(self, value: Json, style: str = "") -> str:
        # A file that is JSON stays JSON.
        return visible(json.dumps(value, ensure_ascii=False)) if self._root.flow else flow_text(value, style)

    def _first_line(self, node: Node, entry: Entry | None) -> int | None:
        """Give where the lines of a block collection begin; None when a list begins in the middle of a line."""
        if entry is None:
            return self._lines.start(node.start)
        if self._is_block(node, entry):
            return self._lines.after(entry.mark if node.head is None else node.head)
        return node.start if node.kind == "mapping" else None

    def _is_block(self, node: Node, entry: Entry) -> bool:
        """Tell whether a value stands on lines of its own below its key or dash."""
        is_collection = node.kind in {"mapping", "sequence"} and not node.flow
        return is_collection and node.start >= self._lines.after(entry.mark)

    def _spliced(self, start: int, end: int, edits: Sequence[_Edit]) -> str:
        """Give a part of the text with the edits inside it made."""
        parts: list[str] = []
        for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
            if edit.start < start:
                raise CannotEdit
            parts += [self._text[start : edit.start], edit.text]
            start = edit.end
        return "".join([*parts, self._text[start:end]])


def _matched(value: Json, wanted: Json) -> list[_Matched]:
    """Pair the members of two collections of a kind; a new key stands before what follows it, and an id first."""
    if isinstance(value, dict) and isinstance(wanted, dict):
        places = {key: index for index, key in enumerate(value)}
        merged = [key for key in value if key in wanted]
        behind = len(merged)
        for key in sorted(wanted, key=lambda key: key != "id")[::-1]:
            if key not in places:
                merged.insert(behind, key)
            behind = merged.index(key)
        return [(key, wanted[key], places.get(key)) for key in merged]
    old, new = (items if isinstance(items, list) else [] for items in (value, wanted))
    pairs = aligned(_comparable(old), _comparable(new))
    return [("", item, pairs.get(index)) for index, item in enumerate(new)]


def _comparable(items: Sequence[Json]) -> list[Json]:
    # A null is dropped by normalising a list, and would shift the places of those behind it.
    return [None if item is None else normalised(item) for item in items]
