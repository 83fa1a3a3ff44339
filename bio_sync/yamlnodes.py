"""YAML files with nothing unusual in them, read by libyaml's composer in less than half the time of our own reading.

Whatever needs a second look (an alias, a tag, a key that stands twice, a mistake) is `Unusual` here, and read by
`yamlevents`, which has the words for it and the places. A property holds the two together.
"""

import re
from contextlib import suppress
from sys import intern
from typing import Any

import yaml
from yaml import ScalarNode, SequenceNode

from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.scalars import NotAValue, plain_value
from bio_sync.yamlevents import FORBIDDEN_IN_VALUES, MOST_LEVELS

# Every collection begins with one of these characters, or its first key ends with one; every further value of it
# takes one more. So many of them are at most as many levels, and twice as many values: the composer recurses in C,
# 300 to 400 bytes a level, which the smallest usual stack (512 KiB) bears; and MOST_NODES is out of reach.
_STRUCTURE = "[{-:?,"
_MOST_STRUCTURE = 1_000
# What a word or a number begins with: true, False, null, ~, -1, .5; any other plain text is text.
_FIRST_OF_A_VALUE = frozenset("tTfFnN~+-.0123456789")
# A tag or an alias, which begin a value; "Welcome!" and "4*" do not.
_TAG_OR_ALIAS = re.compile(r"(?<!\w)[!*]")
_Parser: Any = object
# Without libyaml, PyYAML has no such module, and every file is read event by event.
with suppress(ImportError):
    from yaml._yaml import CParser as _Parser


class Unusual(Exception):
    """Something in the file needs a second look."""


class _Composer(_Parser):  # type: ignore[misc] # PyYAML has no types for it
    """libyaml's composer, whose nodes carry a value where there would be a tag."""

    def resolve(self, _: type, text: str | None, implicit: tuple[bool, bool]) -> Json:
        """Give the value of a scalar, plain or not; a collection has no text."""
        if text is None or not implicit[0]:
            return text
        return text if text and text[0] not in _FIRST_OF_A_VALUE else plain_value(text)

    def descend_resolver(self, parent: object, index: object) -> None:
        """Go into a collection: nothing here depends on the path."""

    def ascend_resolver(self) -> None:
        """Come out of a collection."""


def composed(text: str) -> Json:
    """Give the value of a file's text, which has no forbidden characters; raises Unusual."""
    if _Parser is object or sum(map(text.count, _STRUCTURE)) > _MOST_STRUCTURE or "<<" in text:
        raise Unusual
    if ("!" in text or "*" in text) and _TAG_OR_ALIAS.search(text):
        raise Unusual
    try:
        node = _Composer(text).get_single_node()
    except (yaml.YAMLError, NotAValue):
        raise Unusual from None
    if node is None:
        return None
    value: Json = node.tag if type(node) is ScalarNode else _collection(node, MOST_LEVELS)
    # An escape can write what no file may hold.
    if "\\" in text and _holds_forbidden(value):
        raise Unusual
    return value


def _collection(node: Any, levels: int) -> Json:
    if not levels:
        raise Unusual
    if type(node) is SequenceNode:
        return [item.tag if type(item) is ScalarNode else _collection(item, levels - 1) for item in node.value]
    result: JsonObject = {}
    for key, value in node.value:
        name = key.tag
        if type(name) is not str or type(key) is not ScalarNode:
            raise Unusual
        # The same few keys in thousands of pages: one string each.
        result[intern(name)] = value.tag if type(value) is ScalarNode else _collection(value, levels - 1)
    if len(result) != len(node.value):
        raise Unusual
    return result


def _holds_forbidden(value: Json) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_forbidden, value)) or any(map(_holds_forbidden, value.values()))
    if isinstance(value, list):
        return any(map(_holds_forbidden, value))
    return isinstance(value, str) and bool(FORBIDDEN_IN_VALUES.search(value))
