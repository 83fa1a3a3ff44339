"""The text of a page's file: written for a live page, or edited where it differs, and what no file can hold."""

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from bio_sync import schema, timetable, yamltext
from bio_sync.errors import CannotPull
from bio_sync.files import CONFIG_NAME
from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.model import FIELDS, LivePage, desired_page
from bio_sync.planning import change_of
from bio_sync.pointer import from_pointer, to_pointer
from bio_sync.takeover import new_document, taken_over
from bio_sync.yamledit import CannotEdit, edited
from bio_sync.yamlevents import FORBIDDEN_IN_VALUES
from bio_sync.yamlpieces import keys_text

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

    return _fitted(write, page, dict(_not_for_files(page, FIELDS, ignore, secret)), ignore, at)


def edited_text(source: str, page: LivePage, *, ignore: tuple[str, ...], at: datetime, secret: Secret) -> Text:
    """Edit the text of a page's file so that its plan is empty, and leave the rest of it as it stands."""
    own = yamltext.read(source.encode("utf-8"), file="").mapping
    pointers = own.get("ignore")
    own_ignore = list(map(str, pointers)) if isinstance(pointers, list) else []

    def hidden(link: Json) -> bool:
        return not timetable.shows(link, at)

    def write(left: list[str]) -> str:
        document = taken_over(own, page.content, [*own_ignore, *ignore, *left], hidden=hidden)
        if left:
            document = {**document, "ignore": [*own_ignore, *left]}
        return edited(source, document) if document != own else source

    # Of a field that the file leaves out, nothing is in the way.
    text = _fitted(write, page, dict(_not_for_files(page, own, [*own_ignore, *ignore], secret)), ignore, at)
    after = _links(yamltext.read(text.text.encode("utf-8"), file="").mapping)
    woken = [link for link in _links(own) if isinstance(link, dict) and hidden(link) and link not in after]
    return replace(text, woken=tuple(str(link.get("label")) for link in woken))


def _links(document: JsonObject) -> list[Json]:
    page_data = document.get("page_data")
    links = page_data.get("links") if isinstance(page_data, dict) else None
    return links if isinstance(links, list) else []


def _fitted(write: Write, page: LivePage, left: dict[str, str], ignore: tuple[str, ...], at: datetime) -> Text:
    """Write a text that validates and whose plan is empty, leaving out what stands in the way of that.

    `left` tells what is known to, `ignore` are the pointers of every page.
    """
    for _ in range(MOST_ROUNDS):
        try:
            text = write(list(left))
        except CannotEdit:
            break
        found = [(_ignorable(pointer, page), why) for pointer, why in _in_the_way(text, page, ignore, at)]
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


def _in_the_way(text: str, page: LivePage, ignore: tuple[str, ...], at: datetime) -> Iterator[Obstacle]:
    """Give what is wrong with a text, or else what its plan would change."""
    document = yamltext.read(text.encode("utf-8", "surrogatepass"), file="")
    problems = [*document.problems, *(schema.page_problems(document) if document.value is not None else ())]
    if problems:
        yield from ((problem.pointer, problem.message) for problem in problems)
        return
    wanted = desired_page(timetable.page_at(document.mapping, at), file="", ignore=ignore)
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
    links = page.content.page_data.get("links")
    for key in timetable.KEYS:
        if isinstance(links, list) and any(isinstance(link, dict) and key in link for link in links):
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
