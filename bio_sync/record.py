"""The journal of a run as it goes: on disk before the first write, and once more when all is known."""

import contextlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bio_sync import journal
from bio_sync.applying.outcomes import Report
from bio_sync.errors import InvalidJournal, NotWritten
from bio_sync.model import DesiredPage
from bio_sync.planning import Plan
from bio_sync.visible import cause_of, visible


class Writer(Protocol):
    """Saves files without the key, and passes on what somebody should know."""

    def save(self, path: str, text: str) -> None:
        """Write a file whole, without the key; raises NotWritten."""

    def redacts(self, text: str) -> bool:
        """Tell whether something of the key stands in a text, so that it would be cut out."""

    def complain(self, text: str) -> None:
        """Pass on a sentence."""


def _check_journal(named: str) -> None:
    """Let pass a place that holds nothing, or another run's journal; raises NotWritten, for a page file above all."""
    path = Path(named)
    if path.is_file() and path.stat().st_size:
        try:
            journal.read_journal(named)
        except InvalidJournal:
            why = f"{visible(named)} is no journal, and is not written over"
            raise NotWritten(why, hint="name a file that is not there") from None


class Record:
    """The journal of one run.

    `path` is its name, as it can be typed from here; None when there is nothing to write, or no place for a journal.
    `leads_back` tells whether an undo would take it: it refuses one that the key was cut out of.
    """

    def __init__(
        self,
        plan: Plan,
        desired: Iterable[DesiredPage],
        writer: Writer,
        *,
        command: str,
        page_files: int,
        begun_at: datetime,
        folder: Path,
        named: str | None,
    ) -> None:
        """Write down what is about to be written, to the file `named` or else into `.bio-sync/` of `folder`.

        Raises NotWritten when that can't be where somebody wants it.
        """
        self._writer, self._begun_at = writer, begun_at
        self._journal: journal.Journal | None = None
        self.leads_back = False
        self.path: str | None = None
        if not plan.changes:
            return
        self._journal = journal.begun(plan, desired, command=command, page_files=page_files)
        text = journal.dumps(self._journal, begun_at=begun_at)
        self.leads_back = not writer.redacts(text)
        if named is None:
            self.path = self._saved_in_folder(text, folder, command)
        else:
            _check_journal(named)
            writer.save(named, text)
            self.path = named

    def _saved_in_folder(self, text: str, folder: Path, command: str) -> str | None:
        """Save the journal in its usual place; where that can't be written, a run goes on without."""
        place, saved = None, False
        try:
            place = journal.reserved(folder, command, self._begun_at)
            self._writer.save(journal.shown_path(place), text)
            saved = True
        except OSError as error:
            why = f"{journal.FOLDER}/ can't be written: {cause_of(error)}"
        except NotWritten as error:
            why = error.message
        finally:
            if place and not saved:
                with contextlib.suppress(OSError):
                    place.unlink()
        if place and saved:
            return journal.shown_path(place)
        self._writer.complain(f"warning: no journal to undo this by: {why}; --journal FILE names a place")
        return None

    def end(self, done: Report) -> None:
        """Add what became of the pages; what is there stays if that can't be written."""
        if not (self._journal and self.path):
            return
        try:
            ended = journal.ended(self._journal, done)
            self._writer.save(self.path, journal.dumps(ended, begun_at=self._begun_at))
        except NotWritten as error:
            self._writer.complain(f"warning: {error.message}: the journal does not tell what became of the pages")
