"""YAML events to a JSON value, as authors mean it (the YAML 1.2 core schema) and within limits.

The parser's event stream is looked at before anything recursive is: 25 KB of `[` overflows the C stack of
libyaml 0.2.5 while it composes, and nothing in Python can catch that. Aliases are counted as if written out.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from bio_sync.jsonvalues import Json
from bio_sync.pointer import ValuePath, to_pointer
from bio_sync.problems import Place, Problem
from bio_sync.scalars import NotAValue, plain_value
from bio_sync.visible import shortened, visible

MOST_LEVELS = 64
MOST_NODES = 20_000
# Only aliases can make more text than a file has: one to 200 KB could otherwise be written out 20,000 times.
MOST_CHARACTERS = 2 * 1024 * 1024

# Control characters but tab, newline and the carriage return of a Windows line end (C0, DEL, C1), bidi
# overrides and isolates (Unicode TR 9: they make text look other than it is), lone surrogates.
_NOWHERE = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
# As escapes the last four are text. Raw, libyaml takes U+2028 and U+2029 for line ends, so that what an editor shows
# as the rest of a comment would be a key; it gives up at U+FFFE and U+FFFF without a place.
FORBIDDEN = re.compile(f"[{_NOWHERE}\u2028\u2029\ufffe\uffff]|\r(?!\n)")
FORBIDDEN_IN_VALUES = re.compile(f"[{_NOWHERE}\r]")
# libyaml's parser where it is there; by the same one a text is read and its places are found.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def about_character(character: str) -> tuple[str, str]:
    """Give the message and the hint of a character that no file may hold."""
    if character > "\x9f":
        return (
            f"the invisible character {visible(character)} is not allowed",
            "remove it: it makes text look other than it is",
        )
    return f"the control character {visible(character)} is not allowed", "remove it"


class _Stop(Exception):
    """Nothing after this place can be read."""


@dataclass(slots=True)
class _Anchor:
    value: Json
    nodes: int
    characters: int
    levels: int
    complete: bool


@dataclass(slots=True)
class _Open:
    """A collection that is being read; `key` is the key whose value comes next."""

    value: Any
    path: ValuePath
    nodes_before: int
    characters_before: int
    anchor: str | None
    is_mapping: bool
    key: str | None = None
    key_ignored: bool = False
    ignored: bool = False
    levels: int = 1
    lines: dict[str, int] = field(default_factory=dict)


class Builder:
    """Builds a JSON value from YAML events with a stack of its own, so that depth costs no C stack."""

    def __init__(self, file: str, places: dict[ValuePath, tuple[Place, Place]] | None) -> None:
        self.file = file
        self.places = places
        self.problems: list[Problem] = []
        self.result: Json = None
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchor] = {}
        self._nodes = 0
        self._characters = 0
        self._documents = 0

    def build(self, text: str) -> None:
        """Read `text` into `result`, `problems` and, if they were asked for, `places`."""
        try:
            for event in yaml.parse(text, Loader=LOADER):
                self._take(event)
        except _Stop:
            pass
        except yaml.YAMLError as error:
            self._syntax_error(error, text)

    def _take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                hint = "one page a file: move it to a file of its own"
                self._stop(event, "a second document begins here", "second-document", hint)

    def _scalar(self, event: Any) -> None:
        self._count(event, 1, len(event.value))
        self._refuse_tag(event)
        value: Json = event.value
        if event.implicit[0]:
            value = self._plain(event)
        elif event.style == '"' and (found := FORBIDDEN_IN_VALUES.search(event.value)):
            message, hint = about_character(found.group())
            self._complain(event, message, "forbidden-character", hint)
        if event.anchor:
            self._anchors[event.anchor] = _Anchor(value, 1, len(event.value), 0, complete=True)
        self._put(value, event)

    def _plain(self, event: Any) -> Json:
        if event.value == "<<" and self._wants_key():
            hint = "write the keys out in each place"
            self._complain(event, "the merge key '<<' is not allowed", "merge-key", hint)
            return "<<"
        try:
            return plain_value(event.value)
        except NotAValue as error:
            self._complain(event, error.message, "not-a-value", error.hint)
            return str(event.value)

    def _open(self, event: Any) -> None:
        self._count(event, 1)
        self._refuse_tag(event)
        self._check_depth(event, 1)
        if self._wants_key():
            self._stop(event, "a key has to be text, not a list or a mapping", "key-not-text")
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        value: Any = {} if is_mapping else []
        path = self._path_of_next()
        if event.anchor:
            self._anchors[event.anchor] = _Anchor(value, 0, 0, 0, complete=False)
        self._record(event, path)
        nodes, characters, ignored = self._nodes - 1, self._characters, self._is_ignored()
        self._stack.append(_Open(value, path, nodes, characters, event.anchor, is_mapping, ignored=ignored))

    def _close(self) -> None:
        done = self._stack.pop()
        if done.anchor:
            nodes, characters = self._nodes - done.nodes_before, self._characters - done.characters_before
            self._anchors[done.anchor] = _Anchor(done.value, nodes, characters, done.levels, complete=True)
        self._attach(done.value, done.levels)

    def _alias(self, event: Any) -> None:
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            self._stop(event, f"there is no anchor &{shortened(event.anchor)}", "yaml-syntax")
        elif not anchor.complete:
            self._stop(event, f"the alias *{shortened(event.anchor)} stands inside itself", "yaml-syntax")
        else:
            self._count(event, anchor.nodes, anchor.characters)
            self._check_depth(event, anchor.levels)
            self._put(anchor.value, event, levels=anchor.levels)

    def _put(self, value: Json, event: Any, *, levels: int = 0) -> None:
        if self._wants_key():
            self._key(value, event)
        else:
            self._record(event, self._path_of_next())
            self._attach(value, levels)

    def _key(self, value: Json, event: Any) -> None:
        parent = self._stack[-1]
        if not isinstance(value, str):
            hint = f'put it in quotes: "{shortened(str(event.value))}"' if hasattr(event, "value") else ""
            self._complain(event, "a key has to be text", "key-not-text", hint)
            value = str(getattr(event, "value", ""))
        line = event.start_mark.line + 1
        parent.key, parent.key_ignored = value, value in parent.lines
        if parent.key_ignored:
            first = parent.lines[value]
            message = f"the key '{shortened(value)}' stands here a second time; the first is on line {first}"
            self._complain(event, message, "duplicate-key", "keep one of the two")
        parent.lines.setdefault(value, line)
        if self.places is not None and not (parent.key_ignored or parent.ignored):
            place = _place(event)
            self.places[(*parent.path, value)] = (place, place)

    def _attach(self, value: Json, levels: int) -> None:
        if not self._stack:
            self.result = value
            return
        parent = self._stack[-1]
        parent.levels = max(parent.levels, levels + 1)
        if not parent.is_mapping:
            parent.value.append(value)
            return
        if not parent.key_ignored:
            parent.value[parent.key] = value
        parent.key = None

    def _wants_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].is_mapping and self._stack[-1].key is None

    def _path_of_next(self) -> ValuePath:
        if not self._stack:
            return ()
        parent = self._stack[-1]
        return (*parent.path, str(parent.key) if parent.is_mapping else len(parent.value))

    def _is_ignored(self) -> bool:
        """Tell whether the next value stands under a key that stood there before."""
        return bool(self._stack) and (self._stack[-1].ignored or self._stack[-1].key_ignored)

    def _record(self, event: Any, path: ValuePath) -> None:
        if self.places is not None and not self._is_ignored():
            place = _place(event)
            self.places[path] = (self.places.get(path, (place, place))[0], place)

    def _count(self, event: Any, nodes: int, characters: int = 0) -> None:
        self._nodes += nodes
        self._characters += characters
        if self._nodes > MOST_NODES:
            self._stop(event, f"the file has more than {MOST_NODES:,} values", "too-many-values")
        if self._characters > MOST_CHARACTERS:
            self._stop(
                event, f"with its aliases the file has more than {MOST_CHARACTERS:,} characters", "too-many-values"
            )

    def _check_depth(self, event: Any, levels: int) -> None:
        if len(self._stack) + levels > MOST_LEVELS:
            self._stop(event, f"the values are nested more than {MOST_LEVELS} levels deep", "too-deep")

    def _refuse_tag(self, event: Any) -> None:
        if event.tag:
            hint = "remove it; values are text, numbers, true, false, lists and mappings"
            tag = shortened(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self._complain(event, f"the tag '{tag}' is not allowed", "tag", hint)

    def _complain(self, event: Any, message: str, rule: str, hint: str = "") -> None:
        path = self._stack[-1].path if self._wants_key() else self._path_of_next()
        self._add(_place(event), to_pointer(path), message, rule, hint)

    def _stop(self, event: Any, message: str, rule: str, hint: str = "") -> None:
        self._add(_place(event), "", message, rule, hint)
        raise _Stop

    def _add(self, place: Place, pointer: str, message: str, rule: str, hint: str) -> None:
        self.problems.append(Problem(self.file, place.line, place.column, pointer, message, hint, rule))

    def _syntax_error(self, error: yaml.YAMLError, text: str) -> None:
        self.result = None
        what = getattr(error, "problem", None) or "it can't be read"
        mark = getattr(error, "problem_mark", None)
        if "end of stream" in what:
            mark = getattr(error, "context_mark", None) or mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        lines = text.splitlines()
        hint = _hint_for(what, lines[line - 1] if line <= len(lines) else "")
        self._add(Place(line, column), "", f"this is not valid YAML: {visible(what)}", "yaml-syntax", hint)


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _hint_for(what: str, line: str) -> str:
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with spaces, not with tabs"
    if "mapping values are not allowed" in what:
        return "text that holds a colon and a space needs quotes, and every key of a group the same indent"
    if "end of stream" in what:
        return "the quote that opens here is never closed"
    if "invalid Unicode character escape" in what:
        return r"write the character itself, or as one escape such as \U0001F600"
    if "cannot start any token" in what:
        return "text that begins with @, `, % or a tab needs quotes"
    if "did not find expected" in what or "could not find expected" in what:
        return "look at the indent and the quotes of this line and of the one before"
    return ""
