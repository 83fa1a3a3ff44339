"""YAML text as pieces with their places, and values as pieces of text; the one user of ruamel.yaml.

Places come from the events of the parser that reads page files, so that both see the same text alike; texts that
need quotes or lines of their own are written by ruamel.yaml.
"""

import io
import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import (
    DoubleQuotedScalarString,
    FoldedScalarString,
    LiteralScalarString,
    ScalarString,
    SingleQuotedScalarString,
)

from bio_sync.jsonvalues import Json, JsonObject, canonical
from bio_sync.visible import visible

# Text that is longer is folded, at spaces; an address has none.
LONGEST_LINE = 100
WIDTH_OF_FOLDED = 80
# A list in a list stands on one line up to here: dashes behind dashes are hard to read.
LONGEST_INNER_LIST = 60
# A key of more than 1,024 characters has to be marked as one (yaml.org/spec/1.2.2, section 7.4.2).
LONGEST_KEY = 1_000
# What every reader of YAML takes for text: it begins as no number, date, sign or quote does, and in brackets has none.
_PLAIN = re.compile(r"[^\s\d\-?:,\[\]{}#&*!|>'\"%@`+.~=<_\\](?:[^:# ]|:(?=[^ ])|(?<=[^ ])#| (?=[^# ]))*")
_PLAIN_IN_FLOW = re.compile(r"[^\W\d_](?:[\w./-]| (?=[\w./-]))*")
# YAML 1.1, which many tools still read, takes these for true, false or nothing (yaml.org/type).
_WORDS = re.compile(r"(?i)y|n|yes|no|on|off|true|false|null|~")
# Between two values there are blank lines, comments and the indent, and then a sign.
_GAP = r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*"
_SIGNS = {sign: re.compile(_GAP + re.escape(sign)) for sign in "-:?"}
_WHITE = " \t\r\n"
_REST_WITH_COMMENT = re.compile(r"[ \t]*#[^\n]*")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
    events = yaml.parse(text, Loader=_LOADER)
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


def keys_text(wanted: JsonObject) -> str:
    """Write a mapping in block style, without an indent, with a line end."""
    return "".join(f"{line}\n" for key, member in wanted.items() for line in _member(key, member))


def item_text(value: Json) -> str:
    """Write one item of a list in block style: a dash, and its lines."""
    return "".join(f"{line}\n" for line in _behind("-", value))


def value_text(value: Json, style: str = "") -> str:
    """Write what stands behind `key:`: the rest of its line, then the lines below it, if any, with a line end."""
    return "".join(f"{line}\n" for line in _behind("", value, style)).lstrip(" ")


def flow_text(value: Json, style: str = "") -> str:
    """Write a value so that it can stand inside brackets: on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow_text(key)}: {flow_text(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow_text, value)) + "]"
    return _text(value, style, flow=True) if isinstance(value, str) else json.dumps(value)


def _member(key: str, value: Json) -> list[str]:
    name = flow_text(key)
    return _behind(f"{name}:", value) if len(name) < LONGEST_KEY else [f"? {name}", *_behind(":", value)]


def _behind(head: str, value: Json, style: str = "") -> list[str]:
    """Write a value behind `head`, a key with its colon or a dash, as lines; those below are indented."""
    inner: list[str] = []
    if isinstance(value, dict):
        inner = [line for key, member in value.items() for line in _member(key, member)]
    elif isinstance(value, list) and not (head == "-" and len(canonical(value)) <= LONGEST_INNER_LIST):
        inner = [line for item in value for line in _behind("-", item)]
    if inner:
        begin = [head] if head != "-" else [f"- {inner.pop(0)}"]
        return [*begin, *(f"  {line}" if line else "" for line in inner)]
    text = _text(value, style) if isinstance(value, str) else flow_text(value)
    return f"{head} {text}".split("\n")


def _text(value: str, style: str, *, flow: bool = False) -> str:
    """Write a text as the old one was written, if it can be, or as plainly as every reader allows."""
    simple = visible(value) == value
    if style == "'" and simple:
        return _written(SingleQuotedScalarString(value))
    if style == '"':
        return _written(DoubleQuotedScalarString(value))
    if not flow and "\n" in value and _fits_a_block(value):
        return _written(LiteralScalarString(value))
    if not flow and simple and (len(value) > LONGEST_LINE or style == ">") and _fits_a_fold(value):
        return _written(_folded(value))
    pattern = _PLAIN_IN_FLOW if flow else _PLAIN
    if simple and pattern.fullmatch(value) and not _WORDS.fullmatch(value):
        return value
    return _written(DoubleQuotedScalarString(value))


def _written(value: ScalarString) -> str:
    """Let ruamel.yaml write a text in its style; the lines below the first are indented."""
    stream = io.StringIO()
    _writer().dump({"k": value}, stream)
    # What does not show is in double quotes, where the escapes of `visible` are YAML's own.
    return "\n".join(map(visible, stream.getvalue().removeprefix("k: ").removesuffix("\n").split("\n")))


@cache
def _writer() -> YAML:
    writer = YAML(typ="rt", pure=True)
    # Lines are folded where `_folded` says, and nowhere else.
    writer.width = 2**30
    writer.allow_unicode = True
    return writer


def _fits_a_block(value: str) -> bool:
    """Tell whether lines can be written as they are: a space or a blank line first would need a mark of its own."""
    lines = value.split("\n")
    if not lines[0] or any(line[:1] in {" ", "\t"} or line[-1:] in {" ", "\t"} for line in lines):
        return False
    # More than one line end at the end would be kept by a sign that is easily overlooked.
    return not value.endswith("\n\n") and all(visible(line) == line for line in lines)


def _fits_a_fold(value: str) -> bool:
    return "  " not in value and value == value.strip() and " " in value


def _folded(value: str) -> ScalarString:
    folded: Any = FoldedScalarString(value)
    lines = textwrap.wrap(value, WIDTH_OF_FOLDED, break_long_words=False, break_on_hyphens=False)
    folded.fold_pos = [end - 1 for end in accumulate(len(line) + 1 for line in lines[:-1])]
    result: ScalarString = folded
    return result
