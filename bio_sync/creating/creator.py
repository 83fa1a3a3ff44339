"""POST a page for a file, settle what is unclear about it, and write its id; or write that of a page that is there."""

import html
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from bio_sync.api import Api, WritingApi
from bio_sync.applying.guards import RESERVE_SETTING, month_has
from bio_sync.applying.stored import stored_otherwise
from bio_sync.creating.files import NOT_MADE_YET, Made, NewPage, Word
from bio_sync.errors import AlreadyClaimed, NotWritten, PageGone, QuotaTooSmall, ServiceError, UnclearWrite
from bio_sync.jsonvalues import same
from bio_sync.model import LivePage, PageContent, same_content
from bio_sync.planning import change_of
from bio_sync.visible import plural, shortened, visible

MOST_SENT = 2
_LOST = "not tried: of the page before it nobody knows whether it was made"

Save: TypeAlias = Callable[[str, str], None]


@dataclass(slots=True)
class Creator:
    """Makes pages one after the other; `save` writes a file whole.

    `live` are the pages that were there at the last look, `claimed` the ids that files name, with these files, and
    `reserve` the calls of the month that are kept for people.
    """

    api: WritingApi
    live: Mapping[str, LivePage]
    claimed: dict[str, str]
    save: Save
    settle: float
    sleep: Callable[[float], None]
    ending: Callable[[], bool]
    reserve: int = 0
    _stopped: str = ""

    def check_quota(self, new: Sequence[NewPage]) -> None:
        """Raise QuotaTooSmall when the month has not a call for every page that would be made; before the first."""
        left = self.api.quota_remaining
        needed = sum(not self._twins(page, self.live) for page in new)
        if left is None or not needed or needed <= left - self.reserve:
            return
        smaller = f"a reserve of {left - needed} leaves enough; or " if needed <= left else ""
        raise QuotaTooSmall(
            f"nothing was written: this needs {plural(needed, 'more API call')},"
            f" and {month_has(left, self.reserve, RESERVE_SETTING)}",
            hint=f"{smaller}wait for the next month, take a larger plan, or make fewer pages: bio-sync create FILE",
        )

    def create(self, new: NewPage) -> Made:
        """Make the page of a file and write its id; every failure of the service is told, and some end the run."""
        if self.ending():
            return Made(new.file, "skipped", message="not tried: the run was ended before it")
        if self._stopped:
            return Made(new.file, "skipped", message=self._stopped)
        if twins := self._twins(new, self.live):
            return _undecided(new, twins[0], "failed")
        left = self.api.quota_remaining
        if self.reserve and left is not None and left <= self.reserve:
            self._stopped = f"not tried: {left:,} calls are left this month, and {self.reserve:,} are kept for people"
            return Made(new.file, "skipped", message=self._stopped)
        try:
            new.with_id(NOT_MADE_YET)
            return self._sent(new)
        except NotWritten as error:
            return Made(new.file, "failed", message=error.message)
        except ServiceError as error:
            if error.stops_the_run or error.reason == "unreachable":
                self._stopped = f"not tried: {error.message}"
            return Made(new.file, "failed", message=_joined(error.message, error.hint), request_id=error.request_id)

    def _sent(self, new: NewPage) -> Made:
        """POST until it is known whether the page is there, twice at most, and only when it was looked for between."""
        for _ in range(MOST_SENT):
            try:
                return self._named(new, *self._new_page(new))
            except UnclearWrite as error:
                lost = error
                found = self._settled(new, lost)
            if isinstance(found, Made):
                return found
            if found:
                return self._named(new, found, lost.request_id)
            if self.ending():
                break
        return self._unknown(new, lost, "it is not there so far")

    def _new_page(self, new: NewPage) -> tuple[LivePage, str | None]:
        page, request_id = self.api.create(new.fields)
        if page.page_id in self.live or page.page_id in self.claimed:
            raise UnclearWrite(
                f"the service answered with page {page.page_id}, which is not new", request_id=request_id
            )
        return page, request_id

    def _settled(self, new: NewPage, lost: UnclearWrite) -> LivePage | Made | None:
        """Wait until the service is surely done with a POST, and look for the page that it may have made.

        Gives what is told instead when that can't be known, or when somebody else may have made what is there now.
        """
        self.sleep(self.settle)
        before = self.live
        try:
            self.live = self.api.list_pages(everything=True)
        except ServiceError as error:
            return self._unknown(new, lost, f"what is there now could not be read: {error.message}")
        fresh = [page for page_id, page in self.live.items() if page_id not in before and page_id not in self.claimed]
        alike = self._twins(new, {page.page_id: page for page in fresh})
        if len(alike) == 1 and not alike[0].without_data and same_content(alike[0].content, new.content):
            return alike[0]
        if not fresh:
            return None
        self._stopped = _LOST
        return _undecided(new, (alike or fresh)[0], "unknown", lost)

    def _unknown(self, new: NewPage, lost: UnclearWrite, why: str) -> Made:
        self._stopped = _LOST
        message = f"{_joined(lost.message, why)}. Run this again later: it looks for the page before it makes one"
        return Made(new.file, "unknown", message=message, request_id=lost.request_id, written=True)

    def _twins(self, new: NewPage, pages: Mapping[str, LivePage]) -> list[LivePage]:
        """Give the pages that may be a file's own and that no file claims, the likeliest first."""
        content = new.content
        alike = {page_id: _alike(content, pages[page_id]) for page_id in sorted(pages.keys() - self.claimed.keys())}
        # A page_data says more than a title.
        likely = sorted(alike, key=lambda page_id: alike[page_id], reverse=True)
        return [pages[page_id] for page_id in likely if any(alike[page_id])]

    def _named(self, new: NewPage, page: LivePage, request_id: str | None) -> Made:
        """Write the id into the file: before this a crash leaves a page that only its content tells."""
        self.claimed[page.page_id] = visible(new.file)
        made = Made(new.file, "created", page.page_id, "", page.html_url, request_id, written=True)
        try:
            self.save(str(new.path), new.with_id(page.page_id))
        except NotWritten as error:
            self._stopped = f"not tried: {error.message}"
            said = f"the page is there, but its id is not in the file: add a line `id: {page.page_id}`"
            if (other := new.page_by_now) not in {None, page.page_id}:
                return replace(made, outcome="failed", message=_one_too_many(page.page_id, str(other)))
            return replace(made, outcome="failed", message=_joined(said, error.message))
        # As with any write, what the server stores otherwise is never passed over.
        wanted = replace(new.wanted, page_id=page.page_id, published=None)
        change = change_of(wanted, page)
        if not change:
            return made
        said = stored_otherwise(change.operations, change.before, change.after)
        return replace(made, outcome="failed", message=f"created, but {said}")


def take(new: NewPage | Made, page_id: str, *, api: Api, claimed: Mapping[str, str], save: Save) -> Made:
    """Write the id of a live page into a file; raises AlreadyClaimed, NotWritten, or what the service says.

    PageGone has the id in its words.
    """
    if isinstance(new, Made):
        if new.page_id == page_id:
            return new
        raise AlreadyClaimed(
            f"{visible(new.file)} is the file of page {visible(new.page_id)} already",
            hint="remove its line `id: …` first",
        )
    if page_id in claimed:
        raise AlreadyClaimed(
            f"page {visible(page_id)} has a file already: {claimed[page_id]}",
            hint="one page, one file: take another id, or remove that file first",
        )
    try:
        page = api.get_page(page_id)
    except PageGone as error:
        message = f"page {visible(page_id)} is not in this workspace"
        raise PageGone(message, hint=f"check the id; {error.hint}", request_id=error.request_id) from None
    save(str(new.path), new.with_id(page.page_id))
    return Made(new.file, "adopted", page.page_id, "", page.html_url)


def _one_too_many(page_id: str, other: str) -> str:
    said = f"the page is there, and one too many: while it was made, this became the file of page {shortened(other)}"
    stays = f"if that is {shortened(other)}, write `id: {page_id}` in its place"
    return f"{said}; look at both in xQR and delete one; {stays}"


def _undecided(new: NewPage, page: LivePage, outcome: Word, lost: UnclearWrite | None = None) -> Made:
    """Tell of a live page that may be the file's own: which it is, only somebody who knows them can say."""
    same_data, same_title = _alike(new.content, page)
    where = f" ({visible(page.slug)})" if page.slug else ""
    alike = " and the page_data of this file," if same_data else ""
    said = f"page {page.page_id}{where} is live with the title '{shortened(page.content.title or '')}'{alike}"
    differ = " and ".join(["another title"] * same_title + ["other page_data"] * same_data)
    return Made(
        new.file,
        outcome,
        message=_joined(lost.message if lost else "", f"{'since then ' if lost else ''}{said} and has no file"),
        request_id=lost.request_id if lost else None,
        written=lost is not None,
        twin=page.page_id,
        otherwise=f"give one of the two {differ}" if differ else "run this again",
    )


def _alike(wanted: PageContent, page: LivePage) -> tuple[bool, bool]:
    """Tell whether a page has the page_data of a file, and whether it has its title: a service may change either."""
    data, live = wanted.page_data, page.content
    return bool(data) and same(live.page_data, data), _as_read(live.title) == _as_read(wanted.title)


def _joined(*said: str) -> str:
    """Put what is said into one sentence, without a stop at its end."""
    return "; ".join(each.rstrip(".") for each in said if each)


def _as_read(title: str | None) -> str:
    """Give a title as people read it: services trim, escape and compose what they store."""
    return " ".join(html.unescape(unicodedata.normalize("NFC", title or "")).split())
