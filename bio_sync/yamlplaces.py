"""Where each value of a YAML text stands, by the events of the parser that reads page files: both see the same."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from bio_sync.jsonvalues import Json
from bio_sync.yamlevents import LOADER

# Between two values there are blank lines, comments and the indent, and then a sign.
_GAP = r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*"
_SIGNS = {sign: re.compile(_GAP + re.escape(sign)) for sign in "-:?"}
_WHITE = " \t\r\n"
_REST_WITH_COMMENT = re.compile(r"[ \t]*#[^\n]*")


@dataclass(slots=True)
class Node:
    """A value in a text: `kind` is scalar, alias, mapping, sequence, or pair, a mapping in a list without braces.

    `start` is its first character, behind its anchor, and `end` is behind its last one. `name` is that of its anchor,
    or of the one that an alias stands for; `head` is where its anchor ends, or None.
    """

    kind: str
    start: int
    end: int
    style: str = ""
    flow: bool = False
    name: str = ""
    head: int | None = None
    entries: list["Entry"] = field(default_factory=list)


@dataclass(slots=True)
class Entry:
    """A member of a collection: `start` is its key or dash, `mark` is right behind its colon or dash."""

    start: int
    mark: int
    value: Node
    key: bool = False


def nodes_of(text: str) -> Node | None:
    """Give the places of all values of a YAML text; None when it has none, or can't be read."""
    events = yaml.parse(text, Loader=LOADER)
    try:
        return next((_node(event, events, text) for event in events if hasattr(event, "anchor")), None)
    except yaml.YAMLError:
        return None


def _node(event: Any, events: Iterator[Any], text: str) -> Node:
    start, end, name = event.start_mark.index, event.end_mark.index, event.anchor or ""
    if isinstance(event, yaml.AliasEvent):
        return Node("alias", start, end, name=name)
    head = start + 1 + len(name) if name else None
    if isinstance(event, yaml.ScalarEvent):
        start = start if head is None else head + len(text[head:end]) - len(text[head:end].lstrip(_WHITE))
        style = event.style or ""
        if style in {"|", ">"}:
            # With a `+`, the empty lines below are a part of it.
            keeps = "+" in text[start:end].partition("\n")[0]
            end = end - 1 if keeps and text[end - 1] == "\n" else start + len(text[start:end].rstrip(_WHITE))
        return Node("scalar", start, end, style, name=name, head=head)
    kind, flow = "mapping", bool(event.flow_style)
    start = start if head is None else head
    start = end - 1 if flow and text[end - 1 : end] in {"[", "{"} else start
    if isinstance(event, yaml.SequenceStartEvent):
        kind = "sequence"
    elif flow and text[start : start + 1] != "{":
        kind = "pair"
    return _with_entries(Node(kind, start, end, flow=flow, name=name, head=head), events, text)


def _with_entries(node: Node, events: Iterator[Any], text: str) -> Node:
    """Read the members of a collection up to its end."""
    behind = node.start
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            break
        first = _node(event, events, text)
        start = mark = first.start
        if node.kind != "sequence":
            asked = _SIGNS["?"].match(text, behind)
            start = asked.end() - 1 if asked else event.start_mark.index
            colon = _SIGNS[":"].match(text, _behind_comment(text, first.end))
            mark = colon.end() if colon else first.end
            value = _in_its_place(_node(next(events), events, text), mark)
        else:
            if dash := None if node.flow else _SIGNS["-"].match(text, behind):
                start, mark = dash.end() - 1, dash.end()
            value = _in_its_place(first, mark)
        node.entries.append(Entry(start, mark, value, key=node.kind != "sequence"))
        behind = _behind_comment(text, max(value.end, mark))
    if node.flow and node.kind != "pair":
        node.end = event.end_mark.index
    elif node.entries:
        node.start, node.end = node.entries[0].start, max(value.end, mark)
    return node


def _behind_comment(text: str, index: int) -> int:
    found = _REST_WITH_COMMENT.match(text, index)
    return found.end() if found else index


def _in_its_place(value: Node, mark: int) -> Node:
    # The parser places an empty value where the next thing begins.
    if value.kind == "scalar" and value.start == value.end and value.head is None:
        value.start = value.end = mark
    return value


def members(node: Node, value: Json) -> Iterator[tuple[Entry, Json]]:
    """Give the entries of a collection, each with its value; none of anything else."""
    if isinstance(value, dict) and node.kind == "mapping":
        yield from zip(node.entries, value.values(), strict=True)
    elif isinstance(value, list) and node.kind == "sequence":
        yield from zip(node.entries, value, strict=True)


class Lines:
    """The lines of a text, each of which has an end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.end = line_end(text)

    def start(self, index: int) -> int:
        """Give where the line begins that a place is in."""
        return self.text.rfind("\n", 0, index) + 1

    def after(self, index: int) -> int:
        """Give where the next line begins."""
        return self.text.index("\n", index) + 1

    def column(self, entry: Entry) -> int:
        """Give how far an entry is indented."""
        return entry.start - self.start(entry.start)

    def begins(self, entry: Entry) -> bool:
        """Tell whether nothing stands before an entry on its line: the first key of an item has its dash there."""
        return not self.text[self.start(entry.start) : entry.start].strip()

    def indented(self, text: str, column: int) -> str:
        """Indent lines, with the line ends that the text has; an empty one stays empty."""
        return re.sub(r"(?m)^(?=.)", " " * column, text).replace("\n", self.end)


def line_end(text: str) -> str:
    """Give what ends the lines of a text."""
    return "\r\n" if "\r\n" in text else "\n"
