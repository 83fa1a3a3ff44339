"""Page files without an id: what they ask for, and the place in them where the id goes."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from bio_sync import schema, timetable, yamltext
from bio_sync.adopt import adopt
from bio_sync.config import Config
from bio_sync.creating.modeline import modeline, with_modeline
from bio_sync.errors import InvalidFiles, NoPages, NotWritten
from bio_sync.files import FoundFile, LeavesRepository, read_bytes
from bio_sync.houserules import house_problems
from bio_sync.jsonvalues import JsonObject
from bio_sync.model import WRITABLE_FIELDS, DesiredPage, PageContent
from bio_sync.pages import read_document
from bio_sync.problems import Problem
from bio_sync.progress import READING, RULES, UNWATCHED, Watch
from bio_sync.visible import cause_of, shortened, visible
from bio_sync.yamledit import CannotEdit, edited
from bio_sync.yamltext import MOST_BYTES, Document

NO_PAGE = PageContent("", None, {}, published=False)
# Stands for the id that is not there yet, where all else of a file is checked; no service gives it, for its spaces.
NOT_MADE_YET = "not made yet"


@dataclass(frozen=True, slots=True)
class NewPage:
    """A page file that has no page yet: where it is, what it says, and what it asks for.

    `modeline` is the line for editors that it gets with its id.
    """

    found: FoundFile
    document: Document
    wanted: DesiredPage
    modeline: str = ""

    @property
    def file(self) -> str:
        """The name of the file, not yet made visible."""
        return self.found.name

    @property
    def path(self) -> Path:
        """The file itself: a link inside the repository stays one."""
        return Path(os.path.realpath(self.found.path))

    @property
    def fields(self) -> JsonObject:
        """The body of the POST: the fields that the file has, without what it leaves to others."""
        whole = adopt(self.wanted, NO_PAGE)
        named = {name: getattr(whole, name) for name in WRITABLE_FIELDS if getattr(self.wanted, name) is not None}
        # No page is made without a title, whoever writes it from then on; and a null is never sent.
        titled = {**named, "title": self.wanted.title}
        return {name: value for name, value in titled.items() if value is not None}

    @property
    def content(self) -> PageContent:
        """The page that the POST makes, of a service that adds nothing of its own."""
        whole = adopt(self.wanted, NO_PAGE)
        return PageContent(self.wanted.title, whole.description, whole.page_data, published=False)

    @property
    def page_by_now(self) -> str | None:
        """The id that the file has by now, if it has one."""
        page_id = read_document(self.found).mapping.get("id")
        return page_id if isinstance(page_id, str) else None

    def with_id(self, page_id: str) -> str:
        """Give the text that the file has by now, with the id in it, and the line for editors if it has none.

        Raises NotWritten when the id can't be put there.
        """
        try:
            text = read_bytes(self.found, most=MOST_BYTES).decode("utf-8")
            document = yamltext.read(text.encode("utf-8"), file="")
            if document.problems:
                raise ValueError(f"line {document.problems[0].line}: {document.problems[0].message}")  # noqa: TRY301
            own = document.mapping
            if own.get("id") is None or own["id"] == page_id != NOT_MADE_YET:
                return with_modeline(edited(text, {**own, "id": page_id}), self.modeline)
            why = f"by now it is the file of page {shortened(str(own['id']))}"
        except CannotEdit:
            why = "its form leaves no place for one; write it as lines of `key: value`"
        except OSError as error:
            why = f"it can't be read any more: {cause_of(error)}"
        except (LeavesRepository, ValueError) as error:
            why = f"it can't be read any more: {visible(str(error))}"
        raise NotWritten(f"no id can be written into {visible(self.file)}: {why}", hint="look at the file")


Word: TypeAlias = Literal["created", "adopted", "unchanged", "failed", "unknown", "skipped"]


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one file; `page_id` is that of its page, if it has one now, and `written` tells of a POST.

    `twin` is the id of a live page that may be the file's own: somebody has to say so. `otherwise` is what to do if
    it is not.
    """

    file: str
    outcome: Word
    page_id: str = ""
    message: str = ""
    address: str = ""
    request_id: str | None = None
    written: bool = False
    twin: str = ""
    otherwise: str = ""


def read_new(
    found: Sequence[FoundFile], config: Config, *, at: datetime, adopts: bool = False, watch: Watch = UNWATCHED
) -> list[NewPage | Made]:
    """Read files whose pages are to be made, or tell that they have one; raises InvalidFiles for any other problem.

    One that `adopts` a live page needs no title; `watch` hears how many are read. Raises NotWritten for a file that no
    id can be written into.
    """
    read: list[NewPage | Made] = []
    problems: list[Problem] = []
    files: dict[str, FoundFile] = {}
    for file in found:
        # A file may be named twice, by a PATH and by its folder or a link, and is no second page.
        files.setdefault(os.path.realpath(file.path), file)
    for file in watch.counted(READING, [*files.values()]):
        document = read_document(file)
        page_id = document.mapping.get("id")
        whole = _with_some_id(document) if page_id is None else document
        complaints = _complaints(whole, is_new=page_id is None, needs_title=not adopts)
        problems += complaints
        if not complaints and page_id is not None:
            read.append(Made(file.name, "unchanged", str(page_id), "has its page already"))
        elif not complaints:
            wanted = timetable.desired_at(whole.mapping, at, file=document.file, ignore=config.ignore)
            real = Path(os.path.realpath(file.path))
            read.append(NewPage(file, whole, wanted, modeline(real, config)))
    new = [each for each in read if isinstance(each, NewPage)]
    problems += _second_names(new, found, config)
    if config.house_rules and new and not problems:
        watch.begin(RULES, len(new))
        broken = house_problems([each.document for each in new], config.house_rules)
        problems = [problem for problem in broken if problem.pointer != "/id"]
    if problems:
        raise InvalidFiles(problems, files=len(found))
    for each in new:
        _check_writable(each)
    return read


def _with_some_id(document: Document) -> Document:
    if not isinstance(document.value, dict):
        return document
    return replace(document, value={**document.value, "id": NOT_MADE_YET})


def _complaints(document: Document, *, is_new: bool, needs_title: bool) -> list[Problem]:
    """Give every problem of a page file that has an id, or of one that `is_new` and stands there as if it had."""
    complaints = [*document.problems]
    hint = "add a line `title: …`: the service makes no page without one"
    if not complaints and document.value is None:
        return [document.problem((), "the file is empty", rule="wrong-type", hint=hint)]
    if document.value is not None:
        complaints += [each for each in schema.page_problems(document) if not (is_new and each.pointer == "/id")]
    if not complaints and is_new and needs_title and "title" not in document.mapping:
        complaints.append(document.problem((), "the page has no 'title'", rule="missing-key", hint=hint))
    return complaints


def _second_names(new: Sequence[NewPage], found: Sequence[FoundFile], config: Config) -> Iterator[Problem]:
    """Tell of links to new files among the files of one plan: with an id in them, it finds two files of one page."""
    try:
        whole = config.page_files()
    except NoPages:
        whole = []
    by_plan = [_names(files) for files in (found, whole)]
    for page in new:
        first, *more = max((names.get(str(page.path), []) for names in by_plan), key=len)
        for name in more:
            message = f"this is {visible(first)} once more: with an id in it, a plan would find two files of one page"
            hint = "one page, one file: remove the link, or name the file once"
            yield Problem(visible(name), 1, 1, "", message, hint, "duplicate-id")


def _names(files: Sequence[FoundFile]) -> dict[str, list[str]]:
    """Give by the real path of each file the names it has, those of links last."""
    names: dict[str, list[str]] = {}
    for file in sorted(files, key=lambda file: (file.path.is_symlink(), file.name)):
        names.setdefault(os.path.realpath(file.path), []).append(file.name)
    return names


def _check_writable(new: NewPage) -> None:
    """Make sure before the POST that the id can be written into the file; raises NotWritten."""
    new.with_id(NOT_MADE_YET)
    if not (os.access(new.path, os.W_OK) and os.access(new.path.parent, os.W_OK)):
        raise NotWritten(f"{visible(new.file)} can't be written", hint="check who may write the file and its folder")


def claimed_ids(found: Sequence[FoundFile], *, watch: Watch = UNWATCHED) -> dict[str, str]:
    """Give the ids that page files name, whatever else is wrong with them, each with the name of its file."""
    claimed: dict[str, str] = {}
    for file in watch.counted(READING, found):
        page_id = read_document(file).mapping.get("id")
        if isinstance(page_id, str):
            claimed.setdefault(page_id, visible(file.name))
    return claimed
