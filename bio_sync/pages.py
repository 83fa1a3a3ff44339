"""Page files to wanted pages, with every problem of every file and a place for each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from bio_sync import schema, yamltext
from bio_sync.files import FoundFile, LeavesRepository, read_bytes
from bio_sync.jsonvalues import Json
from bio_sync.links import is_unencrypted
from bio_sync.model import DesiredPage, desired_page
from bio_sync.problems import Problem
from bio_sync.visible import shortened, visible
from bio_sync.yamlevents import Path
from bio_sync.yamltext import MOST_BYTES, Document


@dataclass(frozen=True, slots=True)
class PageFiles:
    """What the page files say. With problems, `desired` is not to be used; warnings are only to be told.

    `whole` tells whether these are all page files of the repository, so that a live page without one is a
    stranger. `sources` tells by page id where a wanted page was read from, `folders` which were searched because
    a PATH named them.
    """

    desired: tuple[DesiredPage, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    files: int
    whole: bool
    sources: Mapping[str, FoundFile] = field(default_factory=dict)
    folders: tuple[FilePath, ...] = ()


def read_pages(found: Sequence[FoundFile], *, ignore: tuple[str, ...] = (), whole: bool = True) -> PageFiles:
    """Read and check page files; `ignore` holds the JSON Pointers that count for every page."""
    desired: list[DesiredPage] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    first_of_id: dict[str, Document] = {}
    sources: dict[str, FoundFile] = {}
    for file in found:
        document = read_document(file)
        complaints = [*document.problems]
        if not complaints or document.value is not None:
            complaints.extend(schema.page_problems(document))
        complaints.extend(_claimed_twice(document, first_of_id))
        problems.extend(sorted(complaints))
        if not complaints:
            desired.append(desired_page(schema.as_object(document.value), file=document.file, ignore=ignore))
            sources[desired[-1].page_id] = file
            warnings.extend(_unencrypted_links(document))
    return PageFiles(tuple(desired), tuple(problems), tuple(warnings), len(found), whole, sources)


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
