"""What an apply did, as a file: the pages before and after, and the requests; never the key.

The file is on disk before the first write, so that a run that was killed can be undone too. It lies in `.bio-sync/`,
beside the configuration, unless another place was named.
"""

import contextlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import cast

from bio_sync.answers import PAGE_ID
from bio_sync.applying.outcomes import Outcome, Report
from bio_sync.errors import InvalidJournal
from bio_sync.jsonvalues import Json, JsonObject, TooDeep, canonical, digest, normalised, parsed
from bio_sync.model import FIELDS, DesiredPage, PageContent, same_field
from bio_sync.planning import Plan
from bio_sync.version import __version__
from bio_sync.visible import cause_of, shortened, visible

FORMAT_VERSION = "1.0"
FOLDER = ".bio-sync"
# Before and after of ten thousand pages that all change are some 60 MB.
MOST_BYTES = 256 * 1024 * 1024
APPLY, UNDO = "apply", "undo"
# What an undo goes by; the rest of a page only tells.
UNDONE = ("page_id", "file", "ignore", "before", "after")
_POINTER = re.compile(r"(/([^/~]|~[01])*)+", re.DOTALL)
_NAME = re.compile(r"(?:apply|undo)-(?P<moment>[0-9]{8}T[0-9]{6}Z)(?:-(?P<number>[0-9]{1,9}))?\.json")
_FORM = re.compile(r"([0-9]+)\.[0-9]+")
_HINT = f"an apply writes its journal into {FOLDER}/, or where --journal says"


@dataclass(frozen=True, slots=True)
class JournalPage:
    """One page of a run, before and after it; `outcome` is None until the run has come to its report.

    `ignore` holds the JSON Pointers to what was left as it was live.
    """

    page_id: str
    file: str
    actions: tuple[str, ...]
    ignore: tuple[str, ...]
    before: PageContent
    after: PageContent
    outcome: str | None = None
    reason: str | None = None
    message: str = ""
    request_id: str | None = None

    @property
    def touched(self) -> tuple[str, ...]:
        """Name the top-level fields that the run was about to change."""
        both = self.before, self.after
        return tuple(name for name in FIELDS if not same_field(name, *(getattr(page, name) for page in both)))


@dataclass(frozen=True, slots=True)
class Journal:
    """One run that wrote, or was about to: an `apply`, or an `undo`.

    `page_files` counts the pages that it was about in all, those included that it left alone.
    """

    command: str
    api_url: str
    page_files: int
    pages: tuple[JournalPage, ...]

    @property
    def digest(self) -> str:
        """Give the fingerprint of what an undo goes by."""
        pages = [_as_json(page) for page in self.pages]
        undone: list[Json] = [{name: page[name] for name in UNDONE} for page in pages]
        return digest([self.command, self.api_url, self.page_files, undone])


def begun(plan: Plan, desired: Iterable[DesiredPage], *, command: str, page_files: int) -> Journal:
    """Give the journal of a run that is about to carry out `plan`, made of the `desired` pages."""
    ignore = {page.page_id: page.ignore for page in desired}
    return Journal(
        command=command,
        api_url=plan.circumstances.api_url,
        page_files=page_files,
        pages=tuple(
            JournalPage(each.page_id, each.file, each.actions, ignore[each.page_id], each.before, each.after)
            for each in plan.changes
        ),
    )


def ended(journal: Journal, report: Report) -> Journal:
    """Give the journal of a run that has come to its report."""
    outcomes = {outcome.page_id: outcome for outcome in report.outcomes}
    pages = (_with_outcome(page, outcomes[page.page_id]) for page in journal.pages)
    return replace(journal, pages=tuple(pages))


def _with_outcome(page: JournalPage, found: Outcome) -> JournalPage:
    return replace(page, outcome=found.outcome, reason=found.reason, message=found.message, request_id=found.request_id)


def dumps(journal: Journal, *, begun_at: datetime) -> str:
    """Write the journal of a run that began at `begun_at` as JSON text, a page a line, ASCII only."""
    told: JsonObject = {
        "format_version": FORMAT_VERSION,
        "tool_version": __version__,
        "created_at": begun_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "api_url": journal.api_url,
        "command": journal.command,
        "page_files": journal.page_files,
        "finished": all(page.outcome for page in journal.pages),
        "digest": journal.digest,
    }
    # Indented, the pages of a large workspace take so long that the view of them gets too old to write by.
    members = [f'  "{name}": {json.dumps(value)},' for name, value in told.items()]
    pages = ",\n".join(f"    {json.dumps(_as_json(page), allow_nan=False)}" for page in journal.pages)
    text = "\n".join(("{", *members, '  "pages": [', pages, "  ]", "}", ""))
    # As in all JSON of ours: a CI runner could obey it.
    return text.replace("##", r"\u0023\u0023")


def reserved(folder: Path, command: str, now: datetime) -> Path:
    """Make an empty file for the journal of a run in `.bio-sync/` of `folder`, which git never sees; raises OSError."""
    place = folder / FOLDER
    if place.is_symlink():
        # Somebody's pull request may bring it, and what is saved would land wherever it leads.
        raise OSError(None, "it is a link")
    place.mkdir(exist_ok=True)
    _made(place / ".gitignore", "*\n")
    name = f"{command}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    numbered = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(path for each in numbered if _made(path := place / f"{each}.json", ""))


def newest(folder: Path) -> Path | None:
    """Find the journal of the last run in `.bio-sync/` of `folder`, by the moment in its name."""
    found = [(name, path) for path in (folder / FOLDER).glob("*.json") if (name := _NAME.fullmatch(path.name))]
    return max(found, key=lambda each: (each[0]["moment"], int(each[0]["number"] or 1)), default=(None, None))[1]


def _made(path: Path, text: str) -> bool:
    """Make a file where there is none: what is there is never written to, and no link is followed."""
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        return False
    except OSError:
        # On a full disk, half of it; the next run would take it for whole.
        with contextlib.suppress(OSError):
            path.unlink()
        raise
    return True


def shown_path(path: Path) -> str:
    """Give the name of a journal as it can be typed from the working directory."""
    return os.path.relpath(path).replace(os.sep, "/")


def read_journal(path: str) -> Journal:
    """Read a journal; raises InvalidJournal for what is none, or was changed."""
    shown = visible(path)
    try:
        with Path(path).open("rb") as stream:
            document = parsed(stream.read(MOST_BYTES).decode("utf-8-sig"))
        return _journal(document)
    except OSError as error:
        raise InvalidJournal(f"{shown} can't be read: {cause_of(error)}", hint=_HINT) from None
    except _NoJournal as error:
        raise InvalidJournal(f"{shown} is no journal: {error}", hint=_HINT) from None
    except (ValueError, RecursionError):
        raise InvalidJournal(f"{shown} is no journal: it is not JSON", hint=_HINT) from None


class _NoJournal(Exception):
    """Why a JSON value is no journal."""


def _journal(document: Json) -> Journal:
    if not isinstance(document, dict):
        raise _NoJournal("it is no JSON object")
    _check_version(document)
    pages, page_files = document.get("pages"), document.get("page_files")
    if not isinstance(pages, list) or not pages:
        raise _NoJournal("it has no pages")
    read = tuple(_page(page, f"pages[{index}]") for index, page in enumerate(pages))
    if len({page.page_id for page in read}) != len(read):
        raise _NoJournal("it has a page twice")
    # To Python, true is a number.
    if not isinstance(page_files, int) or isinstance(page_files, bool) or page_files < len(read):
        raise _NoJournal("page_files is no number of pages")
    command = _text(document, "command", "")
    journal = Journal(
        command=command if command in {APPLY, UNDO} else APPLY,
        api_url=_text(document, "api_url", ""),
        page_files=page_files,
        pages=read,
    )
    if journal.digest != document.get("digest"):
        raise InvalidJournal(
            "the journal was changed after it was written, or the API key stood in a page and was cut out",
            hint="look into it for what the pages were before, and write that into their files",
        )
    return journal


def _check_version(document: JsonObject) -> None:
    told = document.get("format_version")
    found = _FORM.fullmatch(told) if isinstance(told, str) else None
    if found is None:
        raise _NoJournal("it has no format_version")
    if found[1] != FORMAT_VERSION.partition(".")[0]:
        raise InvalidJournal(
            f"the journal has the form {shortened(found[0])}, and this bio-sync knows {FORMAT_VERSION}",
            hint="undo with the version of bio-sync that wrote it",
        )


def _page(value: Json, place: str) -> JournalPage:
    if not isinstance(value, dict):
        raise _NoJournal(f"{place} is no JSON object")
    page_id, ignore = _text(value, "page_id", place), value.get("ignore")
    if not PAGE_ID.fullmatch(page_id):
        raise _NoJournal(f"{place}.page_id: '{shortened(page_id)}' is not the id of a page")
    pointers = [each for each in ignore if isinstance(each, str)] if isinstance(ignore, list) else []
    if pointers != ignore or not all(map(_POINTER.fullmatch, pointers)):
        raise _NoJournal(f"{place}.ignore is no list of JSON Pointers")
    return JournalPage(
        page_id=page_id,
        file=_text(value, "file", place),
        actions=(),
        ignore=tuple(pointers),
        before=_content(value.get("before"), f"{place}.before"),
        after=_content(value.get("after"), f"{place}.after"),
    )


def _content(value: Json, place: str) -> PageContent:
    if not isinstance(value, dict):
        raise _NoJournal(f"{place} is no page")
    title, description, published = value.get("title"), value.get("description"), value.get("published")
    if not isinstance(title, str | None) or not isinstance(description, str | None):
        raise _NoJournal(f"title or description of {place} is no text")
    if not isinstance(value.get("page_data"), dict) or not isinstance(published, bool | None):
        raise _NoJournal(f"page_data or published of {place} has the wrong type")
    try:
        page_data = cast("JsonObject", normalised(value["page_data"]))
    except TooDeep:
        raise _NoJournal(f"page_data of {place} is nested too deep") from None
    return PageContent(title, description, page_data, published)


def _text(value: JsonObject, member: str, place: str) -> str:
    found = value.get(member)
    if not isinstance(found, str):
        raise _NoJournal(f"{place}{'.' if place else ''}{member} is no text, but {shortened(canonical(found))}")
    return found


def _as_json(page: JournalPage) -> JsonObject:
    return {
        "page_id": page.page_id,
        "file": page.file,
        "actions": list(page.actions),
        "outcome": page.outcome,
        "reason": page.reason,
        "message": page.message,
        "request_id": page.request_id,
        "ignore": list(page.ignore),
        "before": page.before.as_json(),
        "after": page.after.as_json(),
    }
