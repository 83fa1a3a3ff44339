"""Values as pieces of YAML text; the one user of ruamel.yaml, which writes what needs quotes or lines of its own."""

import io
import json
import re
import textwrap
from functools import cache
from itertools import accumulate
from typing import Any

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
