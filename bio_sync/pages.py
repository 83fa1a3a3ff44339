"""Page files to wanted pages, with every problem of every file and a place for each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeAlias

from bio_sync import schema, timetable, yamltext
from bio_sync.adopt import places
from bio_sync.files import CONFIG_NAME, FoundFile, LeavesRepository, Reader, read_bytes
from bio_sync.jsonvalues import Json
from bio_sync.links import is_unencrypted
from bio_sync.model import DesiredPage, LivePage, desired_page, links_of, own_ignore
from bio_sync.planning import Transition
from bio_sync.pointer import ValuePath
from bio_sync.problems import Problem
from bio_sync.twoprocesses import in_two_processes
from bio_sync.visible import cause_of, shortened, visible
from bio_sync.yamltext import MOST_BYTES, Document

MOST_OF_A_POINTER = 200
# So many files are read in the time that httpx takes to load.
FILES_MEANWHILE = 390
_LIKE_A_TIME = ("show", "from", "until")
# Of one file: the document, what is wrong with it, the page it wants, and warnings.
_Read: TypeAlias = tuple[Document, list[Problem], DesiredPage | None, list[Problem]]


@dataclass(frozen=True, slots=True)
class PageFiles:
    """What the page files say, for the moment `at`.

    With problems, `desired` is not to be used; warnings are only to be told.

    `whole` tells whether these are all page files of the repository, so that a live page without one is a
    stranger. `sources` tells by page id where a wanted page was read from, `folders` which were searched because
    a PATH named them. `transitions` are those after `at`, in their order in time. Of the pointers that match
    nothing in the files, `unmatched` has those that count for every page, `pointing` by page id the documents with
    such of their own. `documents` are those of the wanted pages, until house rules have seen them. `found` are all
    files that were read.
    """

    desired: tuple[DesiredPage, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    files: int
    whole: bool
    at: datetime
    sources: Mapping[str, FoundFile] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()
    transitions: tuple[Transition, ...] = ()
    unmatched: tuple[str, ...] = ()
    pointing: Mapping[str, Document] = field(default_factory=dict)
    documents: tuple[Document, ...] = ()
    found: tuple[FoundFile, ...] = ()


def read_pages(
    found: Sequence[FoundFile],
    *,
    at: datetime,
    ignore: tuple[str, ...] = (),
    whole: bool = True,
    meanwhile: Callable[[], object] | None = None,
) -> PageFiles:
    """Read and check page files for the moment `at`; `ignore` holds the JSON Pointers that count for every page.

    `meanwhile` is called once, while another process may be reading: to load what comes after.
    """
    problems: list[Problem] = []
    first_of_id: dict[str, Document] = {}
    good: list[tuple[FoundFile, Document, DesiredPage, list[Problem]]] = []
    with _each_read(found, at, ignore, meanwhile) as every:
        for file, (document, complaints, wanted, warned) in zip(found, every, strict=True):
            complaints.extend(_claimed_twice(document, first_of_id))
            problems.extend(sorted(complaints))
            if wanted and not complaints:
                good.append((file, document, wanted, warned))
    documents = tuple(document for _, document, _, _ in good)
    unmatched, pointing = _unmatched(documents, ignore)
    return PageFiles(
        desired=tuple(wanted for _, _, wanted, _ in good),
        problems=tuple(problems),
        warnings=tuple(warning for *_, warned in good for warning in warned),
        files=len(found),
        whole=whole,
        at=at,
        sources={wanted.page_id: file for file, _, wanted, _ in good},
        transitions=_transitions(documents, at, ignore),
        unmatched=unmatched,
        pointing=pointing,
        documents=documents,
        found=tuple(found),
    )


@contextmanager
def _each_read(
    found: Sequence[FoundFile], at: datetime, ignore: tuple[str, ...], meanwhile: Callable[[], object] | None
) -> Iterator[Iterator[_Read]]:
    with Reader() as reader:
        read_one = partial(_read_one, reader, at, ignore)
        with in_two_processes(read_one, found, meanwhile=meanwhile, worth=FILES_MEANWHILE) as every:
            yield every


def _read_one(reader: Reader, at: datetime, ignore: tuple[str, ...], file: FoundFile) -> _Read:
    """Give what a file says of itself, whatever others say."""
    document = read_document(file, reader.read)
    complaints = [*document.problems]
    if not complaints or document.value is not None:
        complaints.extend(schema.page_problems(document))
    if complaints:
        return document, complaints, None, []
    page = timetable.desired_at(document.mapping, at, file=document.file, ignore=ignore)
    return document, complaints, page, sorted([*_unencrypted_links(document), *_times_without_effect(document)])


def _transitions(documents: Sequence[Document], at: datetime, ignore: tuple[str, ...]) -> tuple[Transition, ...]:
    """Give what happens to links after `at`, by time, then by file, then by their order in it."""
    found = [
        transition
        for document in documents
        if timetable.has_moments(document.mapping)
        for transition in timetable.transitions(document.mapping, file=document.file, after=at, ignore=ignore)
    ]
    return tuple(transition for _, transition in sorted(found, key=lambda each: (each[0], each[1].file)))


def _unmatched(documents: Sequence[Document], ignore: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, Document]]:
    """Give the pointers of `ignore` that match nothing in any file, and the documents with such of their own.

    What is written counts, whether it shows at the moment or not.
    """
    left = dict.fromkeys(ignore)
    pointing: dict[str, Document] = {}
    for document in documents:
        own = own_ignore(document.mapping)
        if left or own:
            page = desired_page(document.mapping, file=document.file)
            written = page.as_json()
            left = {pointer: None for pointer in left if not places(pointer, written)}
            if not all(places(pointer, written) for pointer in own):
                pointing[page.page_id] = document
    return tuple(left), pointing


def unmatched_pointers(files: PageFiles, live: Mapping[str, LivePage]) -> Iterator[str]:
    """Say which pointers of `ignore` match nothing, live or in the files, each in a sentence with its place.

    Of a page that can't be seen nobody knows, nor can one that counts for every page be judged by some of them.
    """
    seen = {page_id: live[page_id].content.as_json() for page_id in files.sources if _is_seen(live.get(page_id))}
    for page_id, document in files.pointing.items():
        if page_id not in seen:
            continue
        written = desired_page(document.mapping, file=document.file).as_json()
        for index, pointer in enumerate(own_ignore(document.mapping)):
            if not places(pointer, seen[page_id]) and not places(pointer, written):
                line = document.place(("ignore", index)).line
                matches = "matches nothing, live or in the file; check its spelling"
                yield f"{document.file}:{line}: {shortened(pointer, MOST_OF_A_POINTER)} {matches}"
    if files.whole and len(seen) == len(files.sources):
        for pointer in files.unmatched:
            if not any(places(pointer, page) for page in seen.values()):
                matches = "matches nothing on any page, live or in its file; check its spelling"
                yield f"{CONFIG_NAME}: {shortened(pointer, MOST_OF_A_POINTER)} {matches}"


def _is_seen(page: LivePage | None) -> bool:
    return page is not None and not page.without_data


def read_document(file: FoundFile, read: Callable[..., bytes] = read_bytes) -> Document:
    """Read one YAML file within the limits; what is wrong with it stands in the document's problems.

    `read` gives its bytes as `files.read_bytes` does.
    """
    try:
        return yamltext.read(read(file, most=MOST_BYTES), file=visible(file.name))
    except LeavesRepository as error:
        why, hint = str(error), "put the file itself into the repository"
    except OSError as error:
        why, hint = f"the file can't be read: {cause_of(error)}", ""
    name = visible(file.name)
    return Document(name, "", None, (Problem(name, 1, 1, "", why, hint, "unreadable"),))


def _claimed_twice(document: Document, first_of_id: dict[str, Document]) -> Iterator[Problem]:
    page_id = document.mapping.get("id")
    if not isinstance(page_id, str):
        return
    first = first_of_id.setdefault(page_id, document)
    if first is not document:
        message = f"the id '{shortened(page_id)}' is that of {first.file}:{first.place(('id',)).line} too"
        hint = "one page, one file: remove one of the two"
        yield document.problem(("id",), message, rule="duplicate-id", hint=hint)


def _unencrypted_links(document: Document) -> Iterator[Problem]:
    """Warn of `http://` where addresses belong; visitors of such links can be listened to."""
    for path, value in _addresses(document.mapping.get("page_data")):
        if is_unencrypted(value):
            message = f"'{shortened(value)}' is not encrypted"
            yield document.problem(path, message, rule="not-encrypted", hint="use https:// where the site has it")


def _times_without_effect(document: Document) -> Iterator[Problem]:
    """Warn of what reads like a time to show a link and is none."""
    # Most files have none of these: 3 µs, where to look at the values takes ten times as long, as a pattern would.
    text = document.text.lower()
    if any(part in text for part in _LIKE_A_TIME):
        for path, message, hint in timetable.without_effect(document.mapping):
            yield document.problem(path, message, rule="no-effect", hint=hint, of_key=True)


def _addresses(page_data: Json) -> Iterator[tuple[ValuePath, str]]:
    if not isinstance(page_data, dict):
        return
    avatar = page_data.get("avatar_url")
    if isinstance(avatar, str):
        yield ("page_data", "avatar_url"), avatar
    for index, link in enumerate(links_of(page_data)):
        url = link.get("url") if isinstance(link, dict) else None
        if isinstance(url, str):
            yield ("page_data", "links", index, "url"), url
