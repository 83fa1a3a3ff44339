"""The text of a page's file: written for a live page, or edited where it differs, and what no file can hold."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeAlias

from bio_sync import schema, timetable, yamltext
from bio_sync.errors import CannotPull
from bio_sync.files import CONFIG_NAME
from bio_sync.jsonvalues import Json, JsonObject, canonical, same
from bio_sync.model import FIELDS, LivePage, links_of, own_ignore
from bio_sync.planning import change_of
from bio_sync.pointer import from_pointer, to_pointer
from bio_sync.takeover import new_document, taken_over
from bio_sync.yamledit import CannotEdit, edited
from bio_sync.yamlevents import FORBIDDEN_IN_VALUES
from bio_sync.yamlpieces import keys_text
from bio_sync.yamltext import Document

# A page that needs more has something at every place that no file can hold.
MOST_ROUNDS = 60
# With a folder and a suffix this stays within what every file system takes for a name.
LONGEST_NAME = 64
# Windows keeps these for devices, with any suffix (learn.microsoft.com, "Naming Files, Paths, and Namespaces").
_DEVICES = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]")
_RESERVED = Path(CONFIG_NAME).stem
_UNSEEN = "the service shows the page without it"
_CANT_HOLD = "# A file can't hold what is live here, so it is left as it is:\n"


# What is in the way of a file: the JSON Pointer of its place, and the reason in words.
Obstacle: TypeAlias = tuple[str, str]
# Whether a text holds something that must not be written down.
Secret: TypeAlias = Callable[[str], bool]
Write: TypeAlias = Callable[[list[str]], str]
InTheWay: TypeAlias = Callable[[str], Iterator[Obstacle]]


@dataclass(frozen=True, slots=True)
class Text:
    """What a page file is to say; `left` tells by JSON Pointer why a value is left as it is live.

    `woken` are the labels of links that are live outside their time, which was taken out of the file.
    """

    text: str
    left: Mapping[str, str]
    woken: tuple[str, ...] = ()


def file_stem(page: LivePage, taken: Collection[str], secret: Secret) -> str:
    """Choose a name, without suffix, that every file system takes and no other file has; `taken` in lower case.

    It is the slug in a-z, 0-9 and `-`, else the id; what is taken already is told apart by the id, or a number. The
    name of the configuration is always taken.
    """
    page_id = re.sub(r"[^a-z0-9_-]", "-", page.page_id.lower()).strip("-_") or "page"
    stem = (not secret(page.slug) and _plain(page.slug)) or page_id
    candidates = [stem, f"{stem}-{page_id}", *(f"{stem}-{page_id}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in candidates if name not in taken and name != _RESERVED)


def _plain(slug: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", slug).encode("ascii", "ignore").decode("ascii").lower()
    stem = re.sub(r"[^a-z0-9]+", "-", ascii_only)[:LONGEST_NAME].strip("-")
    return f"{stem}-page" if _DEVICES.fullmatch(stem) else stem


def new_text(page: LivePage, *, ignore: tuple[str, ...], at: datetime, schema_address: str, secret: Secret) -> Text:
    """Write the file of a page that has none; `schema_address` is where editors find what a page may hold."""

    def write(left: list[str]) -> str:
        document = new_document(page.page_id, page.content, [*ignore, *left])
        own = [pointer for pointer in left if len(from_pointer(pointer)) > 1 and "page_data" in document]
        text = f"# yaml-language-server: $schema={schema_address}\n{keys_text(document)}"
        return text + (f"{_CANT_HOLD}{keys_text({'ignore': list(own)})}" if own else "")

    in_the_way = partial(_in_the_way, page=page, ignore=ignore, at=at)
    return _fitted(write, in_the_way, page, dict(_not_for_files(page, FIELDS, ignore, secret)))


def edited_text(
    source: str, checked: Document, page: LivePage, *, ignore: tuple[str, ...], at: datetime, secret: Secret
) -> Text:
    """Edit the text of a page's file so that its plan is empty, and leave the rest of it as it stands.

    `checked` is what was read of the file and found without problems; somebody may have saved it since.
    """
    own = _document(source, checked).mapping
    pointers = own_ignore(own)

    def hidden(link: Json) -> bool:
        return not timetable.shows(link, at)

    def write(left: list[str]) -> str:
        document = taken_over(own, page.content, [*pointers, *ignore, *left], hidden=hidden)
        if left:
            document = {**document, "ignore": [*pointers, *left]}
        return source if same(document, own) else edited(source, document)

    in_the_way = partial(_in_the_way, page=page, ignore=ignore, at=at, checked=checked)
    # Of a field that the file leaves out, nothing is in the way.
    text = _fitted(write, in_the_way, page, dict(_not_for_files(page, own, [*pointers, *ignore], secret)))
    asleep = [link for link in links_of(own.get("page_data")) if isinstance(link, dict) and hidden(link)]
    after = links_of(_document(text.text, checked).mapping.get("page_data")) if asleep else []
    return replace(text, woken=tuple(_gone(asleep, after)))


def _gone(links: Sequence[JsonObject], after: Sequence[Json]) -> Iterator[str]:
    """Give the labels of the links that are not there any more as they were; of equal ones, each counts."""
    there = Counter(map(canonical, after))
    for link in links:
        as_it_was = canonical(link)
        there[as_it_was] -= 1
        if there[as_it_was] < 0:
            yield str(link.get("label"))


def _document(text: str, checked: Document | None) -> Document:
    """Read a text, unless it is the one that was read and checked before."""
    if checked is not None and text.removeprefix("\ufeff") == checked.text:
        return checked
    return yamltext.read(text.encode("utf-8", "surrogatepass"), file="")


def _fitted(write: Write, in_the_way: InTheWay, page: LivePage, left: dict[str, str]) -> Text:
    """Write a text that validates and whose plan is empty, leaving out what is in the way; `left` is known to be."""
    for _ in range(MOST_ROUNDS):
        try:
            text = write(list(left))
        except CannotEdit:
            break
        found = [(_ignorable(pointer, page), why) for pointer, why in in_the_way(text)]
        if not found:
            return Text(text, left)
        new = {pointer: why for pointer, why in found if pointer not in left}
        # Once left out, it should not be in the way: then what is around it is.
        left |= new or {_around(found[0][0], left): found[0][1]}
        left = {pointer: why for pointer, why in left.items() if not _is_covered(pointer, left.keys() - {pointer})}
    raise CannotPull(
        f"page {page.page_id} can't be written as a page file",
        hint="write the file by hand, and leave out what differs: what a file leaves out is not managed",
    )


def _in_the_way(
    text: str, page: LivePage, ignore: tuple[str, ...], at: datetime, checked: Document | None = None
) -> Iterator[Obstacle]:
    """Give what is wrong with a text, or else what its plan would change."""
    document = _document(text, checked)
    if document is not checked:
        problems = [*document.problems, *(schema.page_problems(document) if document.value is not None else ())]
        yield from ((problem.pointer, problem.message) for problem in problems)
        if problems:
            return
    wanted = timetable.desired_at(document.mapping, at, file="", ignore=ignore)
    if wanted.page_data is not None and page.without_data:
        yield "/page_data", _UNSEEN
    elif change := change_of(wanted, page):
        yield from ((step.path, "it would read otherwise in a file") for step in change.operations)


def _not_for_files(
    page: LivePage, fields: Collection[str], ignored: Collection[str], secret: Secret
) -> Iterator[Obstacle]:
    """Give what no file may hold in one of `fields`, or would mean something else in it, if it is not ignored yet."""
    for pointer, why in _obstacles(page, secret):
        if from_pointer(pointer)[0] in fields and not _is_covered(pointer, ignored):
            yield pointer, why


def _obstacles(page: LivePage, secret: Secret) -> Iterator[Obstacle]:
    if page.without_data:
        yield "/page_data", _UNSEEN
    for pointer in _found(page.content.as_json(), (), _has_forbidden):
        yield _ignorable(pointer, page), "it holds a character that no file may hold"
    for pointer in _found(page.content.as_json(), (), secret):
        yield _ignorable(pointer, page), "the API key stands in it: take it off the page, and make a new key in xQR"
    links = links_of(page.content.page_data)
    for key in timetable.KEYS:
        if any(isinstance(link, dict) and key in link for link in links):
            yield f"/page_data/links/*/{key}", f"in a file, '{key}' says when a link shows"


def _found(value: Json, path: tuple[str | int, ...], sought: Callable[[str], bool]) -> Iterator[str]:
    """Give the pointers of the texts and numbers that are `sought`, and of the objects with such a key."""
    if isinstance(value, str | int | float) and sought(value if isinstance(value, str) else json.dumps(value)):
        yield to_pointer(path)
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from [to_pointer(path)] if sought(key) else _found(member, (*path, key), sought)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _found(item, (*path, index), sought)


def _has_forbidden(text: str) -> bool:
    return FORBIDDEN_IN_VALUES.search(text) is not None


def _ignorable(pointer: str, page: LivePage) -> str:
    """Give the pointer of the value around a place that `ignore` can name: no item of a list, but the whole list."""
    tokens: list[str] = []
    value: Json = page.content.as_json()
    for token in from_pointer(pointer):
        if not isinstance(value, dict):
            break
        tokens.append(token)
        value = value.get(token)
    return to_pointer(tokens) if tokens and tokens[0] != "id" else "/page_data"


def _around(pointer: str, left: Collection[str]) -> str:
    """Give the pointer of what is around a value; of what is around a whole field, another field."""
    fields = (f"/{field}" for field in ("page_data", "description", "title"))
    return to_pointer(from_pointer(pointer)[:-1]) or next((field for field in fields if field not in left), pointer)


def _is_covered(pointer: str, others: Collection[str]) -> bool:
    return any(pointer == other or pointer.startswith(f"{other}/") for other in others)
