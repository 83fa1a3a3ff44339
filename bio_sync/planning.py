"""The plan: a value made once from what is wanted and what is live, then shown, saved, compared or carried out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from bio_sync.adopt import adopt, left_as_live
from bio_sync.diff import Operation, operations
from bio_sync.errors import NotAnAnswer
from bio_sync.jsonvalues import JsonObject, digest
from bio_sync.model import (
    PAGES_A_CALL,
    SEEN_FIRST,
    WRITABLE_FIELDS,
    DesiredPage,
    LivePage,
    PageContent,
    same_content,
)
from bio_sync.origin import ORIGINS
from bio_sync.pointer import from_pointer
from bio_sync.progress import COMPARING, UNWATCHED, Watch

UPDATE, PUBLISH, UNPUBLISH = "update", "publish", "unpublish"


@dataclass(frozen=True, slots=True)
class Change:
    """What would be written to one page, and what a reader needs to judge it.

    `actions` stand in the order in which they are carried out; `patch` is the exact body of the PATCH, empty
    when there is none. `before` and `after` are the whole page. In a plan made offline, `before` is the page as
    its file at the base has it, addresses are empty and counts are 0.
    """

    page_id: str
    file: str
    slug: str
    html_url: str
    is_published: bool
    views: int
    clicks: int
    actions: tuple[str, ...]
    live_updated_at: str | None
    live_digest: str
    operations: tuple[Operation, ...]
    patch: JsonObject
    before: PageContent
    after: PageContent


@dataclass(frozen=True, slots=True)
class PageFile:
    """A page that a file names, when there is nothing to say about it but that."""

    page_id: str
    file: str


@dataclass(frozen=True, slots=True)
class UnmanagedPage:
    """A live page that no file names."""

    page_id: str
    slug: str
    title: str


@dataclass(frozen=True, slots=True)
class Transition:
    """A link that its file will show, or hide, at a `moment` to come: RFC 3339, as it is written there."""

    moment: str
    page_id: str
    file: str
    label: str
    shows: bool


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit that somebody named: by the name they gave, and by its id."""

    name: str
    commit: str


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When, where and at what cost a plan was made. Calls are API calls; None is what nobody told.

    `commit` is the one that the page files were checked out from, `base` the one that they were compared with.
    An `offline` plan compares with the files at the base and knows nothing of the live pages. `at` is the moment
    that somebody asked for (RFC 3339, as they wrote it): what links show is then decided for it.
    """

    tool_version: str
    created_at: str
    api_url: str
    calls: int
    quota_remaining: int | None
    commit: str | None = None
    base: Revision | None = None
    offline: bool = False
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that an apply would do to a workspace; sequences of pages are ordered by file, then by page id.

    `transitions` are the ones to come, in their order in time; `left_as_live` counts values that `ignore` names.
    """

    circumstances: Circumstances
    changes: tuple[Change, ...]
    unchanged: tuple[PageFile, ...]
    gone: tuple[PageFile, ...]
    unmanaged: tuple[UnmanagedPage, ...]
    warnings: tuple[str, ...]
    transitions: tuple[Transition, ...] = ()
    left_as_live: int = 0

    @property
    def writes(self) -> int:
        """Count the calls that write: one for each action of each change."""
        return sum(len(change.actions) for change in self.changes)

    @property
    def calls_to_apply(self) -> int:
        """Count what an apply costs: the same reads again, and the writes."""
        pages = len(self.changes) + len(self.unchanged) + len(self.gone)
        reads = ceil(pages / PAGES_A_CALL) if self.circumstances.offline else self.circumstances.calls
        return reads + self.writes

    @property
    def origins(self) -> dict[str, int]:
        """Count operations by whose change they are; all are 0 without a base."""
        counted = Counter(operation.origin for change in self.changes for operation in change.operations)
        return {origin: counted[origin] for origin in ORIGINS}

    @property
    def summary(self) -> dict[str, int]:
        """Count pages by what happens to them; `live` are changed pages that the public sees now."""
        actions = [action for change in self.changes for action in change.actions]
        return {
            "pages": len(self.changes) + len(self.unchanged) + len(self.gone),
            UPDATE: actions.count(UPDATE),
            PUBLISH: actions.count(PUBLISH),
            UNPUBLISH: actions.count(UNPUBLISH),
            "unchanged": len(self.unchanged),
            "gone": len(self.gone),
            "live": sum(change.is_published for change in self.changes),
        }

    @property
    def digest(self) -> str:
        """Give the fingerprint of what would be written: the same for two plans that would write the same.

        It covers pages, whether the public sees them, actions, and operations with the values before: consent
        to replace one title is none to replace another. Times, counts, file names, what is left alone and what
        is still to come are not part of it.
        """
        return digest(
            [
                {
                    "page_id": change.page_id,
                    "is_published": change.is_published,
                    "actions": list(change.actions),
                    "operations": [operation.as_json() for operation in change.operations],
                }
                for change in sorted(self.changes, key=lambda change: change.page_id)
            ]
        )


def differing(desired: Sequence[DesiredPage], live: Mapping[str, LivePage]) -> list[str]:
    """List the ids of the pages that are not live as their files want them."""
    found = ((page, live[page.page_id].content) for page in desired if page.page_id in live)
    return [page.page_id for page, now in found if not same_content(adopt(page, now), now)]


def make_plan(
    desired: Sequence[DesiredPage],
    live: Mapping[str, LivePage],
    *,
    circumstances: Circumstances,
    bases: Mapping[str, DesiredPage] | None = None,
    tell_unmanaged: bool = True,
    warnings: Sequence[str] = (),
    transitions: Sequence[Transition] = (),
    watch: Watch = UNWATCHED,
) -> Plan:
    """Compare what the files want with what is live, by page id; nothing is read and nothing is written.

    With `bases`, the pages that differ as their files wanted them at a base revision, each operation has an origin.
    `watch` hears how many are compared.
    """
    ordered = sorted(desired, key=lambda page: (page.file, page.page_id))
    changes: list[Change] = []
    unchanged: list[PageFile] = []
    gone: list[PageFile] = []
    for page in watch.counted(COMPARING, ordered):
        live_page = live.get(page.page_id)
        if live_page is None:
            gone.append(PageFile(page.page_id, page.file))
        elif change := change_of(page, live_page, bases):
            changes.append(change)
        else:
            unchanged.append(PageFile(page.page_id, page.file))
    return Plan(
        circumstances=circumstances,
        changes=tuple(changes),
        unchanged=tuple(unchanged),
        gone=tuple(gone),
        unmanaged=_unmanaged(desired, live) if tell_unmanaged else (),
        warnings=tuple(warnings),
        # Nothing will happen to a page that is not there.
        transitions=tuple(each for each in transitions if each.page_id in live),
        left_as_live=0 if circumstances.offline else _left_as_live(desired, live),
    )


def _unmanaged(desired: Sequence[DesiredPage], live: Mapping[str, LivePage]) -> tuple[UnmanagedPage, ...]:
    managed = {page.page_id for page in desired}
    strangers = sorted(
        (page for page in live.values() if page.page_id not in managed), key=lambda page: (page.slug, page.page_id)
    )
    return tuple(UnmanagedPage(page.page_id, page.slug, page.content.title or "") for page in strangers)


def _left_as_live(desired: Sequence[DesiredPage], live: Mapping[str, LivePage]) -> int:
    """Count the values that are left alone; without the live pages nobody knows them."""
    return sum(left_as_live(page, live[page.page_id].content) for page in desired if page.page_id in live)


def change_of(desired: DesiredPage, live: LivePage, bases: Mapping[str, DesiredPage] | None = None) -> Change | None:
    """Give what has to be written so that `live` becomes what its file wants; None when nothing has to.

    What a base file leaves alone was as it is live, and so was a page without one: its changes are the file's.
    Raises NotAnAnswer for a live page that does not show what the file manages: what would be lost, nobody could see.
    """
    if unseen := [name for name in sorted(live.untold & SEEN_FIRST) if getattr(desired, name) is not None]:
        raise NotAnAnswer(
            f"the service shows page {live.page_id} without its {unseen[0]}, which {desired.file} manages",
            hint="what a write would replace can't be seen; try again later",
        )
    after = adopt(desired, live.content)
    base = None
    if bases is not None:
        page = bases.get(desired.page_id)
        base = live.content if page is None else adopt(page, live.content)
    steps = operations(live.content, after, base)
    if not steps:
        return None
    return Change(
        page_id=desired.page_id,
        file=desired.file,
        slug=live.slug,
        html_url=live.html_url,
        # Where nobody says, it is taken for public: a write would be seen at once.
        is_published=bool(live.content.published) or "published" in live.untold,
        views=live.views,
        clicks=live.clicks,
        actions=actions_of(steps, after),
        live_updated_at=live.updated_at,
        live_digest=digest(live.content.as_json()),
        operations=steps,
        patch=patch_of(steps, after),
        before=live.content,
        after=after,
    )


def patch_of(steps: Sequence[Operation], after: PageContent) -> JsonObject:
    """Give the body of the PATCH: the top-level fields that the operations touch, each whole."""
    touched = {from_pointer(step.path)[0] for step in steps}
    fields = after.as_json()
    return {field: fields[field] for field in WRITABLE_FIELDS if field in touched}


def actions_of(steps: Sequence[Operation], after: PageContent) -> tuple[str, ...]:
    """Name the calls in their order: a page is complete before it is published, and hidden before it changes."""
    update = (UPDATE,) if patch_of(steps, after) else ()
    if not any(step.path == "/published" for step in steps):
        return update
    return (*update, PUBLISH) if after.published else (UNPUBLISH, *update)
