"""The verbs, as functions that give values: read and check the files, plan, check what is safe."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bio_sync.applying.guards import (
    USUAL_LIMIT,
    Limit,
    check_guards,
    check_quota,
    foreseen_shortage,
    looks_needed,
    objections,
)
from bio_sync.config import Config
from bio_sync.errors import InvalidFiles, NoPages, PageGone
from bio_sync.files import FoundFile, absolute, find_pages, repository_root
from bio_sync.model import PAGES_A_CALL, DesiredPage, LivePage, as_if_live
from bio_sync.pages import PageFiles, read_pages, unmatched_pointers
from bio_sync.planning import Circumstances, Plan, differing, make_plan
from bio_sync.problems import Problem
from bio_sync.progress import ASKING, COMPARING, READING, RULES, UNWATCHED, Watch
from bio_sync.version import __version__
from bio_sync.visible import visible

if TYPE_CHECKING:
    from bio_sync.api import Api
    from bio_sync.applying.run import Terms
    from bio_sync.base import BaseFiles
    from bio_sync.transport import Meter


def read_files(
    paths: Sequence[str],
    config: Config,
    *,
    at: datetime,
    watch: Watch = UNWATCHED,
    meanwhile: Callable[[], object] | None = None,
) -> PageFiles:
    """Read the page files that `paths` name, or else those of the configuration, for the moment `at`.

    `watch` hears how many are read; `meanwhile` loads what comes after. Raises NoPages without any.
    """
    found = find_pages([Path(path) for path in paths]) if paths else config.page_files()
    whole = not paths or _all_of_them(found, paths, config)
    if not found:
        where = ", ".join(paths or config.pages)
        raise NoPages(
            f"there are no page files in {visible(where)}",
            hint="page files end in .yaml or .yml; names that begin with _ or . are skipped",
        )
    files = read_pages(watch.counted(READING, found), at=at, ignore=config.ignore, whole=whole, meanwhile=meanwhile)
    if config.house_rules is not None:
        watch.begin(RULES, len(found))
    return replace(
        files,
        problems=_house_problems(files, found, config),
        folders=tuple(Path(path) for path in paths if Path(path).is_dir()),
        documents=(),
    )


def _house_problems(files: PageFiles, found: Sequence[FoundFile], config: Config) -> tuple[Problem, ...]:
    """Give the problems of the files with those by the house rules among them, in the order of the files.

    A file that has problems already is not tried; what is wrong with the rules themselves comes first.
    """
    if config.house_rules is None:
        return files.problems
    from bio_sync.houserules import house_problems  # noqa: PLC0415 - few repositories have any

    order = {visible(file.name): number for number, file in enumerate(found)}
    problems = [*files.problems, *house_problems(files.documents, config.house_rules)]
    return tuple(sorted(problems, key=lambda problem: order.get(problem.file, -1)))


def _all_of_them(found: Sequence[FoundFile], paths: Sequence[str], config: Config) -> bool:
    """Tell whether the files that PATHs name are all page files there are; single files never are."""
    try:
        every = config.page_files()
    except NoPages:
        return any(Path(path).is_dir() for path in paths)
    # Behind a link, `..` leads elsewhere than its text says. (os, as pathlib takes five times as long.)
    plain = [file.path for file in found if os.pardir not in str(file.path)]
    named = {absolute(path) for path in plain}
    others = [file.path for file in every if absolute(file.path) not in named]
    # By another name it may be the same file; to ask the system costs as much as to read it.
    return not others or {*map(os.path.realpath, others)} <= {os.path.realpath(file.path) for file in found}


def checked(files: PageFiles) -> tuple[DesiredPage, ...]:
    """Give the wanted pages; raises InvalidFiles when the files have problems."""
    if files.problems:
        raise InvalidFiles(files.problems, files=files.files)
    return files.desired


def plan_pages(
    files: PageFiles,
    api: "Api",
    *,
    now: datetime,
    at: str | None = None,
    commit: str | None = None,
    base: "BaseFiles | None" = None,
    limit: Limit | None = None,
    reserve: int = 0,
    strangers: bool = False,
    watch: Watch = UNWATCHED,
) -> Plan:
    """Compare the files with the live pages: one list call for 200 pages, one GET when there is one page.

    With `strangers` it is a list for one page too, so that live pages without a file are seen. With `base`, every
    operation has an origin; with `limit`, what would hold an apply back is a warning: it, too few calls beside the
    `reserve`, and what else needs to be forced. `commit` is told, and nothing else; so is `at`, the moment that
    somebody asked for and the files were read for. `watch` hears how far it is.
    """
    desired = checked(files)
    live = _live_pages(desired, api, everything=files.whole, by_list=strangers and files.whole, watch=watch)
    watch.begin(COMPARING, len(desired))
    # What it has cost is known by now.
    circumstances = _circumstances(api, now=now, at=at, commit=commit, base=base)
    pages, notes = base.pages(differing(desired, live)) if base else (None, [])
    made = make_plan(
        desired,
        live,
        circumstances=circumstances,
        bases=pages,
        tell_unmanaged=files.whole,
        warnings=[*_warnings(files), *unmatched_pointers(files, live), *_none_there(desired, live), *notes],
        transitions=files.transitions,
        watch=watch,
    )
    return replace(made, warnings=(*made.warnings, *_held_back(made, api.meter, limit, reserve)))


def _circumstances(
    api: "Api", *, now: datetime, at: str | None, commit: str | None, base: "BaseFiles | None"
) -> Circumstances:
    return Circumstances(
        tool_version=__version__,
        created_at=_rfc3339(now),
        api_url=api.address,
        calls=api.meter.calls,
        quota_remaining=api.meter.quota_remaining,
        commit=commit,
        base=base.revision if base else None,
        at=at,
    )


def _held_back(made: Plan, meter: "Meter", limit: Limit | None, reserve: int) -> list[str]:
    if limit is None:
        return []
    short = foreseen_shortage(
        made, left=meter.quota_remaining, reserve=reserve, looks=looks_needed(made, rate=meter.rate)
    )
    return [*short, *(f"apply needs --force for this: {objection}" for objection in objections(made, limit))]


def _none_there(desired: Sequence[DesiredPage], live: Mapping[str, LivePage]) -> list[str]:
    if any(page.page_id in live for page in desired):
        return []
    return ["none of the files' pages is in this workspace: is this the right workspace's key?"]


def commit_of(files: PageFiles) -> str | None:
    """Give the commit that the page files belong to, where git or the CI system knows it."""
    from bio_sync.git import head_commit  # noqa: PLC0415 - a plan at a terminal does not tell it

    first = next(iter(files.sources.values()))
    return head_commit(repository_root(first.path.parent), os.environ)


def guard_limit(config: Config) -> Limit:
    """Give how many pages may change without being forced."""
    return USUAL_LIMIT if config.max_changes is None else Limit.read(config.max_changes)


def check_safety(made: Plan, meter: "Meter", terms: "Terms", *, limit: Limit | None, of_files: bool = True) -> None:
    """Let pass what the month's calls suffice for and, with `limit`, no guard objects to; before the first write.

    The way out that is named is one for a plan `of_files`, or else of a journal. Raises QuotaTooSmall or Unsafe.
    """
    looks = looks_needed(made, rate=meter.rate, max_age=terms.max_age)
    check_quota(
        made,
        left=meter.quota_remaining,
        reserve=terms.reserve,
        looks=looks,
        reserved_by=terms.reserved_by,
        of_files=of_files,
    )
    if limit:
        check_guards(made, limit, of_files=of_files)


def plan_offline(
    files: PageFiles, base: "BaseFiles", *, api_url: str, now: datetime, at: str | None = None, commit: str | None
) -> Plan:
    """Compare the files with what they were at `base`, as if the live pages were as they were wanted then."""
    desired = checked(files)
    pages, notes = base.pages([page.page_id for page in desired])
    circumstances = Circumstances(
        tool_version=__version__,
        created_at=_rfc3339(now),
        api_url=api_url,
        calls=0,
        quota_remaining=None,
        commit=commit,
        base=base.revision,
        offline=True,
        at=at,
    )
    before = {page.page_id: as_if_live(page.page_id, pages.get(page.page_id)) for page in desired}
    return make_plan(
        desired,
        before,
        circumstances=circumstances,
        bases=pages,
        warnings=[*_warnings(files), *notes],
        transitions=files.transitions,
    )


def _rfc3339(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _warnings(files: PageFiles) -> list[str]:
    return [f"{warning.file}:{warning.line}: {warning.message}; {warning.hint}" for warning in files.warnings]


def _live_pages(
    desired: Sequence[DesiredPage], api: "Api", *, everything: bool, by_list: bool, watch: Watch
) -> dict[str, LivePage]:
    # What one call brings is there at once: a total is for those that come in parts.
    watch.begin(ASKING, len(desired) if len(desired) > PAGES_A_CALL else None)
    if by_list or len(desired) > 1:
        known = {page.page_id: page.page_data for page in desired if page.page_data is not None}
        return api.list_pages([page.page_id for page in desired], everything=everything, known=known)
    try:
        return {desired[0].page_id: api.get_page(desired[0].page_id)}
    except PageGone:
        return {}
