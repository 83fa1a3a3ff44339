"""Page files to wanted pages, with every problem of every file and a place for each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path as FilePath

from bio_sync import schema, timetable, yamltext
from bio_sync.adopt import content_of, places
from bio_sync.files import CONFIG_NAME, FoundFile, LeavesRepository, read_bytes
from bio_sync.jsonvalues import Json
from bio_sync.links import is_unencrypted
from bio_sync.model import DesiredPage, LivePage, desired_page
from bio_sync.plan import Transition
from bio_sync.problems import Problem
from bio_sync.visible import shortened, visible
from bio_sync.yamlevents import Path
from bio_sync.yamltext import MOST_BYTES, Document

MOST_OF_A_POINTER = 200


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
    folders: tuple[FilePath, ...] = ()
    transitions: tuple[Transition, ...] = ()
    unmatched: tuple[str, ...] = ()
    pointing: Mapping[str, Document] = field(default_factory=dict)
    documents: tuple[Document, ...] = ()
    found: tuple[FoundFile, ...] = ()


def read_pages(
    found: Sequence[FoundFile], *, at: datetime, ignore: tuple[str, ...] = (), whole: bool = True
) -> PageFiles:
    """Read and check page files for the moment `at`; `ignore` holds the JSON Pointers that count for every page."""
    desired: list[DesiredPage] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    first_of_id: dict[str, Document] = {}
    sources: dict[str, FoundFile] = {}
    documents: list[Document] = []
    for file in found:
        document = read_document(file)
        complaints = [*document.problems]
        if not complaints or document.value is not None:
            complaints.extend(schema.page_problems(document))
        complaints.extend(_claimed_twice(document, first_of_id))
        problems.extend(sorted(complaints))
        if not complaints:
            wanted = timetable.page_at(schema.as_object(document.value), at)
            desired.append(desired_page(wanted, file=document.file, ignore=ignore))
            documents.append(document)
            sources[desired[-1].page_id] = file
            warnings.extend(_unencrypted_links(document))
    unmatched, pointing = _unmatched(documents, ignore)
    return PageFiles(
        tuple(desired),
        tuple(problems),
        tuple(warnings),
        len(found),
        whole,
        at,
        sources,
        transitions=_transitions(documents, at),
        unmatched=unmatched,
        pointing=pointing,
        documents=tuple(documents),
        found=tuple(found),
    )


def _transitions(documents: Sequence[Document], at: datetime) -> tuple[Transition, ...]:
    """Give what happens to links after `at`, by time, then by file, then by their order in it."""
    found = [
        transition
        for document in documents
        for transition in timetable.transitions(schema.as_object(document.value), file=document.file, after=at)
    ]
    return tuple(transition for _, transition in sorted(found, key=lambda each: (each[0], each[1].file)))


def _unmatched(documents: Sequence[Document], ignore: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, Document]]:
    """Give the pointers of `ignore` that match nothing in any file, and the documents with such of their own.

    What is written counts, whether it shows at the moment or not.
    """
    left = dict.fromkeys(ignore)
    pointing: dict[str, Document] = {}
    for document in documents:
        own = _own_pointers(document)
        if left or own:
            page = desired_page(schema.as_object(document.value), file=document.file)
            written = content_of(page)
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
        written = content_of(desired_page(schema.as_object(document.value), file=document.file))
        for index, pointer in enumerate(_own_pointers(document)):
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


def _own_pointers(document: Document) -> list[str]:
    own = schema.as_object(document.value).get("ignore")
    return list(map(str, own)) if isinstance(own, list) else []


def read_document(file: FoundFile) -> Document:
    """Read one YAML file within the limits; what is wrong with it stands in the document's problems."""
    try:
        return yamltext.read(read_bytes(file, most=MOST_BYTES), file=visible(file.name))
    except LeavesRepository as error:
        why, hint = str(error), "put the file itself into the repository"
    except OSError as error:
        why, hint = f"the file can't be read: {visible(error.strerror or 'unknown')}", ""
    name = visible(file.name)
    return Document(name, "", None, (Problem(name, 1, 1, "", why, hint, "unreadable"),))


def _claimed_twice(document: Document, first_of_id: dict[str, Document]) -> Iterator[Problem]:
    page_id = document.value.get("id") if isinstance(document.value, dict) else None
    if not isinstance(page_id, str):
        return
    first = first_of_id.setdefault(page_id, document)
    if first is not document:
        message = f"the id '{shortened(page_id)}' is that of {first.file}:{first.place(('id',)).line} too"
        hint = "one page, one file: remove one of the two"
        yield document.problem(("id",), message, rule="duplicate-id", hint=hint)


def _unencrypted_links(document: Document) -> Iterator[Problem]:
    """Warn of `http://` where addresses belong; visitors of such links can be listened to."""
    if "http://" not in document.text.lower():
        return
    for path, value in _addresses(schema.as_object(document.value).get("page_data")):
        if is_unencrypted(value):
            message = f"'{shortened(value)}' is not encrypted"
            yield document.problem(path, message, rule="not-encrypted", hint="use https:// where the site has it")


def _addresses(page_data: Json) -> Iterator[tuple[Path, str]]:
    if not isinstance(page_data, dict):
        return
    avatar, links = page_data.get("avatar_url"), page_data.get("links")
    if isinstance(avatar, str):
        yield ("page_data", "avatar_url"), avatar
    for index, link in enumerate(links if isinstance(links, list) else []):
        url = link.get("url") if isinstance(link, dict) else None
        if isinstance(url, str):
            yield ("page_data", "links", index, "url"), url
