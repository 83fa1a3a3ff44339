"""From a journal to the plan that takes an apply back.

What the run touched is wanted as it was before, and the rest is left alone. A page that somebody has edited since is
told as an apply tells it: an edit is what would be overwritten, and is not what the run itself has written.

A journal is a file like any other, and a live page may have held anything: what comes back keeps to the rules of page
files.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from bio_sync import workflow
from bio_sync.adopt import adopt
from bio_sync.applying import stored
from bio_sync.applying.guards import Limit
from bio_sync.applying.outcomes import Outcome
from bio_sync.applying.view import page_of
from bio_sync.errors import InvalidJournal
from bio_sync.journal import Journal, JournalPage
from bio_sync.jsonvalues import AUTHOR_PREFIX, Json
from bio_sync.links import runs_script
from bio_sync.model import DesiredPage, LivePage, PageContent, same_content
from bio_sync.pages import MOST_OF_A_POINTER, PageFiles
from bio_sync.planning import Change, Plan, change_of
from bio_sync.pointer import ValuePath
from bio_sync.problems import Problem
from bio_sync.schema import page_problems
from bio_sync.visible import plural, shortened, visible
from bio_sync.yamlevents import FORBIDDEN_IN_VALUES, about_character
from bio_sync.yamltext import Document

if TYPE_CHECKING:
    from bio_sync.api import Api
    from bio_sync.diff import Operation

_WAY_OUT = "write into the file what is to stand there"


@dataclass(frozen=True, slots=True)
class Undo:
    """The plan that takes a run back, made of the `desired` pages, and the outcomes of those that it leaves.

    Somebody has `edited` them since, or what would come back is `invalid`: no page file may hold it.
    """

    plan: Plan
    desired: tuple[DesiredPage, ...]
    edited: tuple[Outcome, ...]
    invalid: tuple[Outcome, ...]

    @property
    def left(self) -> tuple[Outcome, ...]:
        """Give the outcomes of all pages that are left as they are, by file."""
        return tuple(sorted((*self.edited, *self.invalid), key=lambda outcome: (outcome.file, outcome.page_id)))


@dataclass(frozen=True, slots=True)
class _UndoOfPage:
    """What takes one page back, the edits since that it would overwrite, and what of it no page file may hold."""

    wanted: DesiredPage
    change: Change
    problems: Sequence[Problem]
    edits: Sequence["Operation"] = ()


def check_address(journal: Journal, address: str) -> None:
    """Let pass only a journal of the service that is asked; raises InvalidJournal."""
    if journal.api_url != address:
        raise InvalidJournal(
            f"the journal was written at {visible(journal.api_url)}, and this is {visible(address)}",
            hint="use the same XQR_API_URL or --api-url",
        )


def limit_for(journal: Journal, limit: Limit, *, page_files: int) -> Limit:
    """Give how many pages may change: a share is one of all pages that the run was about, as it was then.

    They can't be more than its own pages, or the `page_files` of this repository: a journal may say any number.
    """
    if not limit.percent:
        return limit
    pages = min(journal.page_files, max(len(journal.pages), page_files))
    return replace(limit, number=limit.number * pages // 100, percent=False)


def plan_undo(journal: Journal, api: "Api", *, now: datetime, overwrite: bool) -> Undo:
    """Compare the pages before a run with the live ones: one list call for 200 pages, one GET for one page.

    With `overwrite`, pages that somebody edited since are taken back as well, and the plan says so.
    """
    wanted = tuple(_wanted(page, page.before) for page in journal.pages)
    files = PageFiles(desired=wanted, problems=(), warnings=(), files=len(wanted), whole=False, at=now)
    made = workflow.plan_pages(files, api, now=now)
    pages = {page.page_id: page for page in journal.pages}
    undos = [_undo_of(change, pages[change.page_id]) for change in made.changes]
    invalid = [undo for undo in undos if undo.problems]
    edited = [undo for undo in undos if undo.edits and not undo.problems]
    kept = [undo for undo in undos if not undo.problems and (overwrite or not undo.edits)]
    plan = replace(
        made,
        changes=tuple(undo.change for undo in kept),
        warnings=(
            *made.warnings,
            *(f"{visible(undo.wanted.file)} is {_not_undone(undo)}" for undo in invalid),
            *(
                f"{visible(undo.wanted.file)} {_edited_since(undo, journal.command, overwrite=overwrite)}"
                for undo in edited
            ),
        ),
    )
    chosen = {undo.wanted.page_id: undo.wanted for undo in kept}
    desired = tuple(chosen.get(page.page_id, page) for page in wanted)
    left = () if overwrite else tuple(_left_edited(undo, journal.command) for undo in edited)
    return Undo(plan, desired, left, tuple(_left_alone(undo, "invalid", _not_undone(undo)) for undo in invalid))


def nothing_to_undo(undo: Undo) -> str:
    """Say in a sentence why nothing is taken back; empty when something is."""
    plan = undo.plan
    if plan.changes:
        return ""
    if not plan.gone and not undo.left:
        pages = len(plan.unchanged)
        return f"Nothing to undo. {'The page is' if pages == 1 else f'All {pages:,} pages are'} as before."
    counts = (
        (plan.unchanged, "as before"),
        (undo.edited, "edited since"),
        (undo.invalid, "against the rules of page files"),
        (plan.gone, "not found"),
    )
    told = [f"{plural(len(found), 'page')} {words}" for found, words in counts if found]
    return f"Nothing to undo: {', '.join(told)}."


def _undo_of(change: Change, page: JournalPage) -> _UndoOfPage:
    """Take a page back with what it ignores left alone or, where that would lose something, just as it was.

    A link that comes back would come without its ignored parts. When not even what is ignored was edited since, all
    of it is wanted as it was.
    """
    live, wanted = page_of(change), _wanted(page, page.before)
    whole = replace(wanted, ignore=())
    exact = change_of(whole, live)
    if exact and not same_content(exact.after, change.after) and not _edits(page, whole, live):
        return _UndoOfPage(whole, exact, _problems(exact))
    return _UndoOfPage(wanted, change, _problems(change), _edits(page, wanted, live))


def _edits(page: JournalPage, wanted: DesiredPage, live: LivePage) -> list["Operation"]:
    """Give the steps to what is wanted that would not be needed if nobody had edited the page since the run.

    What is ignored, and what the run has not touched, counts as left by the run in the form that it has now.
    """
    left = adopt(replace(_wanted(page, page.after), ignore=wanted.ignore), live.content)
    expected = stored.steps_left(wanted, replace(live, content=left))
    return stored.moved(wanted, expected, left, live)


def _problems(change: Change) -> list[Problem]:
    """Give what no page file may hold of that which a change brings to a page, a problem a place.

    What the page holds already, and keeps, is no reason to leave the rest of it.
    """
    told = {name: value for name, value in change.after.as_json().items() if value is not None}
    document = Document(change.file, "", {"id": change.page_id, **told}, ())
    brought = {step.path for step in change.operations if step.op in {"add", "replace"}}
    found = [*page_problems(document), *_unfit_text(document, document.value, ())]
    # Of two problems at one place, the more exact one.
    by_place = {problem.pointer: problem for problem in found}
    return [by_place[place] for place in by_place if any(f"{place}/".startswith(f"{path}/") for path in brought)]


def _unfit_text(document: Document, value: Json, path: ValuePath) -> Iterator[Problem]:
    """Find characters that no file may hold, and code in author keys, which a file may hold and never sends."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _unfit_characters(document, key, (*path, key))
            yield from _unfit_text(document, member, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unfit_text(document, item, (*path, index))
    elif isinstance(value, str):
        if runs_script(value) and any(str(token).startswith(AUTHOR_PREFIX) for token in path):
            message = f"'{shortened(value)}' is what a browser would take for code"
            yield document.problem(path, message, rule="not-a-link")
        yield from _unfit_characters(document, value, path)


def _unfit_characters(document: Document, text: str, path: ValuePath) -> Iterator[Problem]:
    if found := FORBIDDEN_IN_VALUES.search(text):
        yield document.problem(path, about_character(found.group())[0], rule="forbidden-character")


def _wanted(page: JournalPage, content: PageContent) -> DesiredPage:
    """Ask for the fields that the run touched, as they are in `content`; no description is an empty one."""
    touched = page.touched
    return DesiredPage(
        page_id=page.page_id,
        file=page.file,
        title=content.title if "title" in touched else None,
        description=(content.description or "") if "description" in touched else None,
        page_data=content.page_data if "page_data" in touched else None,
        published=content.published if "published" in touched else None,
        ignore=page.ignore,
    )


def _edited_since(undo: _UndoOfPage, command: str, *, overwrite: bool) -> str:
    told = "--overwrite-edits overwrites that" if overwrite else "is left as it is (--overwrite-edits undoes it too)"
    return f"was edited since the {command}, and {told}: {stored.edited(undo.edits)}"


def _left_edited(undo: _UndoOfPage, command: str) -> Outcome:
    edits = stored.edited(undo.edits)
    message = f"edited since the {command} and not undone: {edits}; --overwrite-edits undoes it too"
    return _left_alone(undo, "drifted", message)


def _not_undone(undo: _UndoOfPage) -> str:
    """Say what of a page can't come back, in words that follow its name."""
    said = stored.joined([f"{shortened(each.pointer, MOST_OF_A_POINTER)}: {each.message}" for each in undo.problems])
    return f"not undone, since no page file may hold what would come back: {said}; {_WAY_OUT}"


def _left_alone(undo: _UndoOfPage, reason: str, message: str) -> Outcome:
    return Outcome(undo.wanted.page_id, undo.wanted.file, "failed", undo.change.actions, reason, message)
