"""A YAML file as a document: its value, its problems, and where each value stands."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.pointer import ValuePath, to_pointer
from bio_sync.problems import Place, Problem
from bio_sync.yamlevents import FORBIDDEN, Builder, about_character
from bio_sync.yamlnodes import Unusual, composed

MOST_BYTES = 256 * 1024
# A file with more of them is no text at all, and its reader knows by then.
_MOST_FORBIDDEN_TOLD = 100
# Every forbidden character begins, in UTF-8, with another byte: a control character, or C2 (U+0080 on), E2 (U+2000 on)
# or EF (U+F000 on), as a dash does, too.
_LEADS = b"\xc2\xe2\xef"
_HARMLESS = bytes(sorted({*range(0x20, 0x100), *b"\t\n"} - {0x7F, *_LEADS}))
_FORBIDDEN_BEYOND_ASCII = re.compile(rb"\xe2(?:\x80[\xa8-\xae]|\x81[\xa6-\xa9])|\xc2[\x80-\x9f]|\xef\xbf[\xbe\xbf]")


@dataclass(frozen=True)
class Document:
    """A YAML file as a JSON value; where it was not readable, `problems` says why and `value` is a part of it."""

    file: str
    text: str
    value: Json
    problems: tuple[Problem, ...]

    def place(self, path: ValuePath, *, of_key: bool = False) -> Place:
        """Tell where the value at `path` begins, or its key; of what has no place, where its parent does."""
        while path not in self._places and path:
            path, of_key = path[:-1], False
        key_place, value_place = self._places.get(path, (Place(1, 1), Place(1, 1)))
        return key_place if of_key else value_place

    @property
    def mapping(self) -> JsonObject:
        """Give the value when it is a mapping, else an empty one."""
        return self.value if isinstance(self.value, dict) else {}

    def problem(self, path: ValuePath, message: str, *, rule: str, hint: str = "", of_key: bool = False) -> Problem:
        """Make a problem of the value at `path`, or of its key, with its place."""
        place = self.place(path, of_key=of_key)
        return Problem(self.file, place.line, place.column, to_pointer(path), message, hint, rule)

    @cached_property
    def _places(self) -> dict[ValuePath, tuple[Place, Place]]:
        # Read a second time, and only for a file with a problem: the other ones need no places.
        builder = Builder(self.file, {})
        builder.build(self.text)
        return builder.places or {}


def read(data: bytes, *, file: str) -> Document:
    """Read the bytes of a YAML file; what is wrong with them stands in the document's `problems`."""
    if len(data) > MOST_BYTES:
        return _unreadable(file, f"the file is larger than {MOST_BYTES // 1024} KiB", "file-too-large")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        return _unreadable(
            file,
            "the text is not UTF-8",
            "not-utf-8",
            hint="save the file with the encoding UTF-8",
            place=_place_in(before, len(before)),
        )
    text = text.removeprefix("\ufeff")
    if not _is_harmless(data):
        forbidden = tuple(islice(_forbidden_characters(file, text), _MOST_FORBIDDEN_TOLD))
        if forbidden:
            return Document(file, text, None, forbidden)
    with suppress(Unusual):
        return Document(file, text, composed(text), ())
    builder = Builder(file, None)
    builder.build(text)
    return Document(file, text, builder.result, tuple(builder.problems))


def _is_harmless(data: bytes) -> bool:
    """Tell by the bytes of a text that no forbidden character is in it, in a tenth of the time that a search takes."""
    leads = data.translate(None, _HARMLESS)
    return not leads or (not leads.strip(_LEADS) and not _FORBIDDEN_BEYOND_ASCII.search(data))


def _unreadable(file: str, message: str, rule: str, *, hint: str = "", place: Place | None = None) -> Document:
    place = place or Place(1, 1)
    return Document(file, "", None, (Problem(file, place.line, place.column, "", message, hint, rule),))


def _place_in(text: str, index: int) -> Place:
    return Place(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))


def _forbidden_characters(file: str, text: str) -> Iterator[Problem]:
    for found in FORBIDDEN.finditer(text):
        place = _place_in(text, found.start())
        message, hint = about_character(found.group())
        yield Problem(file, place.line, place.column, "", message, hint, "forbidden-character")
