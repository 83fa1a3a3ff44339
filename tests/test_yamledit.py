"""Texts in every style of YAML, edited: they read as wanted, and what is not touched stays byte for byte."""

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bio_sync.alignment import aligned
from bio_sync.jsonvalues import Json, JsonObject, normalised, same
from bio_sync.yamledit import CannotEdit, edited
from bio_sync.yamlevents import FORBIDDEN, FORBIDDEN_IN_VALUES
from bio_sync.yamltext import read
from tests import strategies

Path: TypeAlias = tuple[str | int, ...]

# Values

# fmt: off
WORDS = ("", "no", "1", "~", "null", "a: b", "# c", "- x", "it's", 'say "hi"', "ends ", " begins", "tab\t", "{x}",
         "https://a.example/?a=b#c", "one\ntwo",
         "one\n\n  two\n", "\n", "x\n\n", "🥐: yes", "*a", "&a", "!t", "%", "@", "`", "?", "?x",
         "word " * 40,
         "a" * 200, "<<", "x-note", "\u200bx", "é", "\u2028", "[", "a, b", ":", "a:", "-", "--- x", "...", "true")
# fmt: on
free_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
texts = st.one_of(st.sampled_from(WORDS), free_texts).filter(lambda text: not FORBIDDEN_IN_VALUES.search(text))
keys = st.one_of(st.sampled_from(("a", "b", "c", "label", "url", "page_data")), texts)
numbers = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
scalars: st.SearchStrategy[Json] = st.one_of(st.booleans(), st.none(), numbers, texts, texts)
values: st.SearchStrategy[Json] = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)
documents: st.SearchStrategy[JsonObject] = st.dictionaries(keys, values, min_size=1, max_size=5)


def reads_as(text: str) -> Json:
    document = read(text.encode(), file="page.yaml")
    assert document.problems == (), text
    return document.value


def alike(one: Json, other: Json) -> bool:
    return same(normalised(one), normalised(other))


# Texts


@dataclass
class Line:
    """A line of a text, and the path of the entry that it says something of; none for a comment."""

    text: str
    owner: Path | None


@dataclass
class Style:
    """Draws how a value is written; `anchored` are the values that an alias can stand for."""

    draw: st.DrawFn
    anchors: bool = True
    blocks: bool = True
    loose: bool = True
    notes: int = 0
    anchored: list[tuple[str, Json]] = field(default_factory=list)

    def chance(self, of: int = 3) -> bool:
        return self.draw(st.integers(0, of)) == of

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def note(self) -> str:
        self.notes += 1
        return f"# note {self.notes}"

    def between(self) -> Iterator[Line]:
        if self.chance(4):
            note = self.note()
            yield Line(self.pick("", "  ", " " * self.pick(0, 2, 5) + note) if self.loose else note, None)

    def tail(self) -> str:
        return " " * self.pick(1, 3) + self.note() if self.chance(4) else ""

    def anchor(self, value: Json) -> str:
        if not self.anchors or not self.chance(6):
            return ""
        self.anchored.append((f"a{len(self.anchored)}", value))
        return f"&a{len(self.anchored) - 1} "

    def alias(self, value: Json) -> str:
        found = [name for name, known in self.anchored if json.dumps(known) == json.dumps(value)]
        return f"*{self.pick(*found)}" if found and self.chance(1) else ""

    def key(self, key: str, *, flow: bool = False) -> str:
        written: str = self.pick(*self.simple(key, flow=flow, key=True))
        return f"{written}:"

    def simple(self, value: Json, *, flow: bool, key: bool = False) -> list[str]:
        """Give the ways to write a scalar on one line."""
        if not isinstance(value, str):
            return [json.dumps(value)] if value is not None else ["null", "~"]
        ways = [json.dumps(value, ensure_ascii=False)]
        if not FORBIDDEN.search(value) and value.isprintable():
            ways.append("'" + value.replace("'", "''") + "'")
        if FORBIDDEN.search(value):
            ways = [json.dumps(value)]
        if self.is_plain(value, flow=flow, key=key):
            ways.append(value)
        return ways

    @staticmethod
    def is_plain(value: str, *, flow: bool, key: bool) -> bool:
        if not value.isprintable() or (flow and any(each in value for each in ",[]{}:?")):
            return False
        text = f"{value}: 1" if key else f"k: {value}" if not flow else f"[{value}]"
        document = read(text.encode(), file="")
        wanted: Json = {value: 1} if key else {"k": value} if not flow else [value]
        return not document.problems and document.value == wanted

    def flow(self, value: Json, column: int, *, lines: bool) -> str:
        """Write a value inside brackets, on lines of its own or on one."""
        if alias := self.alias(value):
            return f"{alias} "
        if isinstance(value, dict | list) and value:
            gap = "\n" + " " * column if lines else self.pick("", " ")
            members = value.items() if isinstance(value, dict) else [(None, item) for item in value]
            parts = []
            for key, member in members:
                name = "" if key is None else self.key(key, flow=True) + " "
                parts.append(name + self.flow(member, column + 2, lines=lines and self.chance(1)))
            between = "," + (gap if lines else " ")
            if lines and self.chance(3):
                between = f", {self.note()}{gap}"
            last = self.pick("", ",") if lines else ""
            begin, end = "{}" if isinstance(value, dict) else "[]"
            return begin + gap + between.join(parts) + last + (gap if lines else self.pick("", " ")) + end
        if isinstance(value, dict | list):
            return str(self.pick("{}", "{ }") if isinstance(value, dict) else self.pick("[]", "[ ]"))
        return str(self.pick(*self.simple(value, flow=True)))

    def block_scalar(self, value: str, column: int) -> list[str] | None:
        """Write a text as a literal or a folded block, where it can be."""
        body, end = value.rstrip("\n"), len(value) - len(value.rstrip("\n"))
        lines = body.split("\n")
        if not body or FORBIDDEN.search(value) or any(line.strip(" ") == "" and line for line in lines):
            return None
        if not lines[0] or "\t" in value:
            return None
        style = self.pick("|", ">")
        if style == ">" and (len(lines) > 1 or "  " in body or body != body.strip()):
            return None
        indent = self.pick(1, 2, 3)
        needs_mark = any(line.startswith(" ") for line in lines)
        head = style + (str(indent) if needs_mark or self.chance(4) else "") + ("-", "", "+")[min(end, 2)]
        if style == ">" and " " in body and self.chance(1):
            first, _, rest = body.partition(" ")
            lines = [first, rest]
        text = [" " * (column + indent) + line if line else "" for line in lines]
        return [head + self.tail(), *text, *[""] * (end - 1)]

    def after(self, value: Json, column: int, path: Path, head: str, *, dash: bool) -> list[Line]:
        """Write a value behind `head`, a key or a dash at `column`; lines below it begin at `least` or more."""
        if alias := self.alias(value):
            return [Line(f"{head} {alias}{self.tail()}", path)]
        anchor = self.anchor(value)
        if isinstance(value, dict | list) and value and not self.chance(4):
            return self.collection(value, column, path, head, anchor, dash=dash)
        if isinstance(value, str) and self.blocks and self.chance(2) and (lines := self.block_scalar(value, column)):
            return [Line(f"{head} {anchor}{lines[0]}", path), *(Line(line, path) for line in lines[1:])]
        if value is None and not anchor and self.chance(1):
            return [Line(head + self.tail(), path)]
        if isinstance(value, dict | list):
            text = self.flow(value, column + 2, lines=self.chance(1)).split("\n")
        else:
            text = [self.pick(*self.simple(value, flow=False))]
        text[-1] += self.tail()
        if self.chance(8):
            return [
                Line(head, path),
                Line(" " * (column + 2) + anchor + text[0], path),
                *(Line(x, path) for x in text[1:]),
            ]
        return [Line(f"{head} {anchor}{text[0]}", path), *(Line(x, path) for x in text[1:])]

    def collection(self, value: Json, column: int, path: Path, head: str, anchor: str, *, dash: bool) -> list[Line]:
        in_list = isinstance(value, list)
        if dash and not anchor and self.chance(1):
            gap = " " * self.pick(1, 2, 3)
            lines = self.block(value, column + 1 + len(gap), path)
            if not (lines[0].owner is None or lines[0].text[:1] == ""):
                first = lines[0]
                return [Line(head + gap + first.text.lstrip(" "), first.owner), *lines[1:]]
        first = Line(f"{head} {anchor}".rstrip() + self.tail(), path)
        inner = column + self.pick(*((0, 1, 2, 4) if in_list and not dash else (1, 2, 4)))
        return [first, *self.between(), *self.block(value, inner, path)]

    def block(self, value: Json, column: int, path: Path) -> list[Line]:
        lines: list[Line] = []
        members: Any = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else [])
        for name, member in members:
            if lines:
                lines += self.between()
            here = (*path, name)
            if isinstance(name, str):
                head = " " * column + self.key(name)
                lines += self.after(member, column, here, head, dash=False)
            else:
                lines += self.after(member, column, here, " " * column + "-", dash=True)
        return lines


@dataclass(frozen=True)
class Text:
    lines: tuple[Line, ...]
    line_end: str = "\n"
    mark: str = ""
    last_end: bool = True

    def joined(self, lines: tuple[Line, ...]) -> str:
        return "".join(line.text + self.line_end for line in lines)

    @property
    def text(self) -> str:
        return self.mark + self.joined(self.lines).removesuffix("" if self.last_end else self.line_end)


@st.composite
def texts_of(
    draw: st.DrawFn, value: JsonObject, *, anchors: bool = True, blocks: bool = True, loose: bool = True
) -> Text:
    style = Style(draw, anchors, blocks, loose)
    lines = [*style.between(), *style.between()]
    if style.chance(6):
        lines += [Line("---", None)]
    lines += [*style.between(), *style.block(value, style.pick(0, 0, 0, 2), ()), *style.between(), *style.between()]
    end = draw(st.sampled_from(("\n", "\n", "\r\n")))
    mark = draw(st.sampled_from(("", "", "\ufeff")))
    last_end = draw(st.booleans()) or not lines[-1].text
    text = Text(tuple(lines), end, mark, last_end)
    document = read(text.text.encode(), file="")
    # What the reader does not take is no page file: flow in odd indents and the like.
    assume(not document.problems and document.value == value)
    return text


@st.composite
def mutated(draw: st.DrawFn, value: Json) -> Json:
    """Draw what becomes of a value when somebody changes a little of it."""
    if isinstance(value, dict) and value:
        result = dict(value)
        for key in draw(st.lists(st.sampled_from(sorted(value)), max_size=2, unique=True)):
            if draw(st.booleans()):
                result[key] = draw(mutated(value[key]))
            else:
                del result[key]
        return result | draw(st.dictionaries(keys, values, max_size=1))
    if isinstance(value, list) and value:
        items = list(draw(st.permutations(value))) if draw(st.booleans()) else list(value)
        items = items[: draw(st.integers(0, len(items)))] + draw(st.lists(values, max_size=1))
        return [draw(mutated(item)) if draw(st.booleans()) else item for item in items]
    return draw(values)


@given(st.data(), documents)
def test_an_edited_text_reads_as_wanted(data: st.DataObject, value: JsonObject) -> None:
    text = data.draw(texts_of(value)).text
    wanted = data.draw(mutated(value) | documents)
    assume(isinstance(wanted, dict) and normalised(wanted))
    assert isinstance(wanted, dict)
    assert alike(reads_as(edited(text, wanted)), wanted)


@given(st.data(), documents)
def test_a_text_that_says_what_is_wanted_stays_as_it_is(data: st.DataObject, value: JsonObject) -> None:
    text = data.draw(texts_of(value)).text
    assert edited(text, value) == text


# Byte for byte


def leaves(value: Json, path: Path = ()) -> Iterator[Path]:
    members: Any = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    if isinstance(value, dict | list) and value:
        for name, member in members:
            yield from leaves(member, (*path, name))
    else:
        yield path


def with_value(value: Json, path: Path, new: Json) -> Json:
    if not path:
        return new
    first, rest = path[0], path[1:]
    if isinstance(value, dict):
        return value | {str(first): with_value(value[str(first)], rest, new)}
    assert isinstance(value, list)
    return [with_value(item, rest, new) if index == first else item for index, item in enumerate(value)]


def within(line: Line, path: Path) -> bool:
    """Tell whether a line says something of the value at a path: its own, or that of the brackets around it."""
    return line.owner is not None and line.owner == path[: len(line.owner)]


@given(st.data(), documents)
def test_one_other_value_touches_the_lines_of_that_value_only(data: st.DataObject, value: JsonObject) -> None:
    text = data.draw(texts_of(value, anchors=False))
    path = data.draw(st.sampled_from(list(leaves(value))))
    new = data.draw(values)
    wanted = with_value(value, path, new)
    assert isinstance(wanted, dict)
    assume(normalised(wanted) and not alike(wanted, value) and same_items(value, wanted))
    lines = [index for index, line in enumerate(text.lines) if line.owner == innermost(text.lines, path)]
    above = text.joined(text.lines[: lines[0]])
    below = text.joined(text.lines[lines[-1] + 1 :])
    after = edited(text.text, wanted)
    assert after.startswith(text.mark + above)
    assert after.endswith(below.removesuffix("" if text.last_end else text.line_end))
    assert alike(reads_as(after), wanted)


def same_items(value: Json, wanted: Json) -> bool:
    """Tell whether each item of each list is taken for the item that it was, and not for an equal one beside it."""
    if isinstance(value, dict) and isinstance(wanted, dict):
        return all(same_items(member, wanted[key]) for key, member in value.items())
    if isinstance(value, list) and isinstance(wanted, list) and len(value) == len(wanted):
        # An empty mapping and one of nulls are equal, too.
        pairs = aligned(*([None if item is None else normalised(item) for item in each] for each in (value, wanted)))
        return all(pairs.get(index) == index and same_items(item, wanted[index]) for index, item in enumerate(value))
    return True


def innermost(lines: tuple[Line, ...], path: Path) -> Path:
    return max((line.owner for line in lines if line.owner is not None and within(line, path)), key=len)


links: st.SearchStrategy[list[Json]] = st.lists(
    st.builds(
        lambda number, more: {"label": f"Link {number}", **more, "url": f"https://a.example/{number}"},
        st.integers(0, 99),
        st.dictionaries(st.sampled_from(("badge", "icon", "text")), values, max_size=2),
    ),
    min_size=2,
    max_size=6,
    unique_by=(lambda link: json.dumps(strategies.as_object(link)["label"])),
)


@given(st.data(), links)
def test_links_that_move_or_go_take_their_lines_and_the_comments_above_along(
    data: st.DataObject, chain: list[Json]
) -> None:
    # Below a block of text, an indented comment or a blank line would be a part of it.
    blocks = data.draw(st.booleans())
    whole_value: JsonObject = {"before": 1, "links": chain, "behind": [2]}
    text = data.draw(texts_of(whole_value, anchors=False, blocks=blocks, loose=not blocks))
    starts = [index for index, line in enumerate(text.lines) if line.owner and line.owner[0] == "links"]
    owned = [line.owner[:2] if line.owner else () for line in text.lines]
    ends = [len(owned) - owned[::-1].index(("links", number)) for number in range(len(chain)) if ("links", 0) in owned]
    assume(ends)
    first = starts[0] + 1
    chunks = [text.joined(text.lines[start:end]) for start, end in zip([first, *ends], ends, strict=False)]
    order = data.draw(st.permutations(range(len(chain))))[: data.draw(st.integers(1, len(chain)))]
    wanted = whole_value | {"links": [chain[number] for number in order]}
    whole = text.mark + text.joined(text.lines)
    moved = "".join(chunks[number] for number in order)
    if all(chunk.split("\n")[0].strip() == "" for chunk in chunks[1:]) and order != sorted(range(len(chain))):
        # Blank lines between all of them stay between.
        moved = text.line_end.join(re.sub(r"\A(\s*\n)+", "", chunks[number]) for number in order)
    expected = text.mark + text.joined(text.lines[:first]) + moved + text.joined(text.lines[ends[-1] :])
    assert edited(whole, wanted) == expected


# Examples


def page(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ("a: 'x' # c\n", {"a": "it's"}, "a: 'it''s' # c\n"),
        ('a: "x" # c\n', {"a": "y"}, 'a: "y" # c\n'),
        ("a: x # c\n", {"a": "no"}, 'a: "no" # c\n'),
        ("a: | # c\n  x\n  y\nb: 1\n", {"a": "x\nz\n"}, "a: | # c\n  x\n  z\nb: 1\n"),
        ("a: >-\n  x\n  y\n", {"a": "x y z"}, "a: >-\n  x y z\n"),
        ("a: >-\n  x\n  y\n", {"a": 5}, "a: 5\n"),
        ("a: x", {"a": "y\nz\n"}, "a: |\n  y\n  z\n"),
        ("a: x", {"a": "z", "b": 1}, "a: z\nb: 1"),
        ("a: |\n  x", {"b": 1}, "a: x\nb: 1"),
        ("a: x\r\n# c\r\nb: 1\r\n", {"a": ["z"]}, "a:\r\n  - z\r\n# c\r\nb: 1\r\n"),
        ("\ufeffa: x\n", {"a": "z"}, "\ufeffa: z\n"),
        ("a: # c\n  - x\n", {"a": []}, "a: [] # c\n"),
        ("a: [] # c\nb: 1\n", {"a": ["x"]}, "a: # c\n  - x\nb: 1\n"),
        ("a: # c\nb: 1\n", {"a": {"c": 2}}, "a: # c\n  c: 2\nb: 1\n"),
        ("a:\nb: 1\n", {"a": "x"}, "a: x\nb: 1\n"),
        ("a: [x, y] # c\n", {"a": ["x", "z", "y"]}, "a: [x, z, y] # c\n"),
        ("a: {b: 1, c: 2}\n", {"a": {"b": 1, "d": "e f"}}, "a: {b: 1, d: e f}\n"),
        ("a: {b, c: 2}\n", {"a": {"b": 1, "c": 2}}, "a: {b: 1, c: 2}\n"),
        ("a: [b: 1, c]\n", {"a": [{"b": 2}, "c"]}, "a: [{b: 2}, c]\n"),
        ("- a", {}, None),
        ("", {"a": 1}, None),
        ('{"id": "x", "a": [\n  1,\n  2\n]}\n', {"a": [1, 2, "no"]}, '{"id": "x", "a": [\n  1,\n  2,\n  "no"\n]}\n'),
        ('{"a": 1}', {"a": "é", "b": {"c": "\u200b"}}, '{"a": "é", "b": {"c": "\\u200b"}}'),
        ("? a\n: 1\n? b\n: 2\n", {"a": 3, "b": None}, "? a\n: 3\n? b\n: null\n"),
        ("a:\n- x\n- y\n", {"a": ["x", "z", "y"]}, "a:\n- x\n- z\n- y\n"),
        ("a:\n  - b: 1\n\n  # c\n  - b: 2\n", {"a": [{"b": 2}, {"b": 1}]}, "a:\n  # c\n  - b: 2\n\n  - b: 1\n"),
        ("a: [x, # of x\n  y, # of y\n  z]\n", {"a": ["x", "w", "y"]}, "a: [x, # of x\n  w,\n  y]\n"),
        ("a:\n  - |-\n    x\xa0\n  - z\n", {"a": ["x\xa0", "w"]}, "a:\n  - |-\n    x\xa0\n  - w\n"),
        ("a:\n  - |-\n    x\xa0\n  - z\n", {"a": ["z", "x\xa0"]}, "a:\n  - z\n  - |-\n    x\xa0\n"),
        ("? a\n: 1\n? b\n: 2\n", {"a": ...}, "? b\n: 2\n"),
        ("a: x\n", {"a": "\u200bx"}, 'a: "\\u200bx"\n'),
        ("a: x\n", {"a": "\nx"}, 'a: "\\nx"\n'),
        ("a: 1\n", {"k" * 1100: 2}, f"a: 1\n? {'k' * 1100}\n: 2\n"),
        ("a: 1\n", {"a": [[1, 2], [[3]]]}, "a:\n  - [1, 2]\n  - [[3]]\n"),
        ("a:\n  - x\n  - b: y\n", {"a": ["x", {"b": "y"}, "z"]}, "a:\n  - x\n  - b: y\n  - z\n"),
        ("a:\n  - x\n\n  - y\n", {"a": ["x", "y", "z"]}, "a:\n  - x\n\n  - y\n\n  - z\n"),
        ("a:\n -   b: 1\n     # c\n     d: 2\n", {"a": [{"b": 1, "d": 3}]}, "a:\n -   b: 1\n     # c\n     d: 3\n"),
        ("title: x\n", {"title": "x", "id": "z"}, "id: z\ntitle: x\n"),
        ("# c\ntitle: x\n", {"id": "z", "title": "x"}, "# c\nid: z\ntitle: x\n"),
        ("a:\n  # of c\n  c: 1\n  d: 2\n", {"a": {"b": 0, "c": 1, "e": 3, "d": 2}},
         "a:\n  b: 0\n  # of c\n  c: 1\n  e: 3\n  d: 2\n"),
        ("a:\n  - b: 1\n    c: 2\n", {"a": [{"d": 3, "b": 1, "c": 2}]}, "a:\n  - b: 1\n    d: 3\n    c: 2\n"),
        ("a: 1\n# of b\nb: 2\n# end\n", {"b": ...}, "a: 1\n# end\n"),
        ("a: x\n...\n", {"a": "x", "b": 1}, "a: x\nb: 1\n...\n"),
    ],
)  # fmt: skip
def test_an_edit_looks_like_one_by_hand(before: str, change: dict[str, Any], after: str | None) -> None:
    value = read(before.removeprefix("\ufeff").encode(), file="").mapping
    wanted = {
        key: new for key, new in ({**value, **change} if "id" not in change else change).items() if new is not ...
    }
    if after is None:
        with pytest.raises(CannotEdit):
            edited(before, wanted)
    else:
        assert edited(before, wanted) == after


ANCHORS = page("""
    a: &one   # c
      x: 1
      y: &two [p, q]
    b: *one
    c: {d: *two}
    e: &three text
    f: *three
""")


@pytest.mark.parametrize(
    ("change", "old", "new"),
    [
        # All places say the same still: the alias stays.
        ({"e": "other", "f": "other"}, "e: &three text", "e: &three other"),
        # One of two: the alias is written out, or stays for the others.
        ({"f": "other"}, "f: *three", "f: other"),
        ({"e": "other"}, "e: &three text\nf: *three", "e: &three other\nf: text"),
        ({"b": {"x": 2, "y": ["p", "q"]}}, "b: *one", 'b:\n  x: 2\n  "y":\n    - p\n    - q'),
        ({"a": {"x": 2, "y": ["p", "q"]}, "b": {"x": 2, "y": ["p", "q"]}}, "x: 1", "x: 2"),
        ({"c": {"d": ["p"]}}, "c: {d: *two}", "c: {d: [p]}"),
        ({"e": 5}, "e: &three text\nf: *three", "e: &three 5\nf: text"),
        ({"e": ...}, "e: &three text\nf: *three", "f: text"),
    ],
)
def test_an_anchor_stays_as_long_as_its_places_say_the_same(change: dict[str, Any], old: str, new: str) -> None:
    wanted = {**read(ANCHORS.encode(), file="").mapping, **change}
    wanted = {key: value for key, value in wanted.items() if value is not ...}
    after = edited(ANCHORS, wanted)
    assert after == ANCHORS.replace(old, new)
    assert reads_as(after) == wanted


def test_a_key_that_is_an_alias_is_a_key() -> None:
    assert edited("a: &k b\n*k : 1\nc: 2\n", {"a": "b", "b": 3, "c": 2}) == "a: &k b\n*k : 3\nc: 2\n"


# fmt: off
PIECES = ("a: ", "b:", "c: x", "- ", "\n", "\n  ", "\n    ", " ", "x y", "1", "'", '"', "{", "}", "[", "]", ", ", "|",
          ">-", ">+", " # c", "&a ", "*a", "? ", ": ", "\n\n", "~", "\r\n", "'q'", '"q"', "...", "---\n")
# fmt: on


@settings(suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(PIECES), max_size=12), documents)
def test_whatever_the_reader_takes_can_be_edited(pieces: list[str], wanted: JsonObject) -> None:
    text = "k: " + "".join(pieces)
    document = read(text.encode(), file="")
    assume(not document.problems and isinstance(document.value, dict) and normalised(wanted))
    kept = document.mapping | wanted
    for whole in (wanted, kept, {**kept, "k": [document.mapping["k"]]}):
        assert alike(reads_as(edited(text, whole)), whole)
