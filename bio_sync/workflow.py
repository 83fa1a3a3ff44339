"""The verbs, as functions that give values: read and check the files, plan, check consent and safety."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bio_sync import __version__, schema
from bio_sync.apply.guards import Limit, check_guards, check_quota, looks_needed, objections
from bio_sync.apply.run import Terms
from bio_sync.config import Config
from bio_sync.diff import operations
from bio_sync.errors import InvalidFiles, InvalidPlanFile, NoPages, PageGone, StalePlan
from bio_sync.files import FoundFile, find_pages
from bio_sync.jsonvalues import parsed
from bio_sync.model import DesiredPage, LivePage, as_if_live
from bio_sync.pages import PageFiles, read_pages
from bio_sync.plan import Change, Circumstances, Plan, differing, make_plan
from bio_sync.planfile import from_json
from bio_sync.visible import visible

if TYPE_CHECKING:
    from bio_sync.api import Api
    from bio_sync.base import BaseFiles
    from bio_sync.transport import Meter

# A plan of ten thousand pages that all change is some 60 MB.
MOST_PLAN_BYTES = 256 * 1024 * 1024


def read_files(paths: Sequence[str], config: Config) -> PageFiles:
    """Read the page files that `paths` name, or else those of the configuration; raises NoPages without any."""
    found = find_pages([Path(path) for path in paths]) if paths else config.page_files()
    whole = not paths or _all_of_them(found, paths, config)
    if not found:
        where = ", ".join(paths or config.pages)
        raise NoPages(
            f"there are no page files in {visible(where)}",
            hint="page files end in .yaml or .yml; names that begin with _ or . are skipped",
        )
    files = read_pages(found, ignore=config.ignore, whole=whole)
    return replace(files, folders=tuple(Path(path) for path in paths if Path(path).is_dir()))


def _all_of_them(found: Sequence[FoundFile], paths: Sequence[str], config: Config) -> bool:
    """Tell whether the files that PATHs name are all page files there are; single files never are."""
    try:
        names = {os.path.realpath(file.path) for file in config.page_files()}
    except NoPages:
        return any(Path(path).is_dir() for path in paths)
    return names <= {os.path.realpath(file.path) for file in found}


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
    commit: str | None = None,
    base: "BaseFiles | None" = None,
    limit: Limit | None = None,
) -> Plan:
    """Compare the files with the live pages: one list call for 200 pages, one GET when there is one page.

    With `base`, every operation has an origin; with `limit`, what an apply would hold back is a warning. `commit`
    is told, and nothing else.
    """
    desired = checked(files)
    live = _live_pages(desired, api, everything=files.whole)
    warnings = _warnings(files)
    if not any(page.page_id in live for page in desired):
        warnings.append("none of the files' pages is in this workspace: is this the right workspace's key?")
    circumstances = Circumstances(
        tool_version=__version__,
        created_at=_rfc3339(now),
        api_url=api.address,
        calls=api.meter.calls,
        quota_remaining=api.meter.quota_remaining,
        commit=commit,
        base=base.revision if base else None,
    )
    pages, notes = base.pages(differing(desired, live)) if base else (None, [])
    made = make_plan(
        desired,
        live,
        circumstances=circumstances,
        bases=pages,
        tell_unmanaged=files.whole,
        warnings=[*warnings, *notes],
    )
    held_back = [f"apply needs --force for this: {objection}" for objection in objections(made, limit)] if limit else []
    return replace(made, warnings=(*made.warnings, *held_back))


def check_safety(made: Plan, meter: "Meter", terms: Terms, *, limit: Limit | None) -> None:
    """Let pass what the month's calls suffice for and, with `limit`, no guard objects to; before the first write.

    Raises QuotaTooSmall or Unsafe.
    """
    looks = looks_needed(made, rate=meter.rate, max_age=terms.max_age)
    check_quota(made, left=meter.quota_remaining, reserve=terms.reserve, looks=looks)
    if limit:
        check_guards(made, limit)


def plan_offline(files: PageFiles, base: "BaseFiles", *, api_url: str, now: datetime, commit: str | None) -> Plan:
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
    )
    before = {page.page_id: as_if_live(page.page_id, pages.get(page.page_id)) for page in desired}
    return make_plan(desired, before, circumstances=circumstances, bases=pages, warnings=[*_warnings(files), *notes])


def _rfc3339(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _warnings(files: PageFiles) -> list[str]:
    return [f"{warning.file}:{warning.line}: {warning.message}; {warning.hint}" for warning in files.warnings]


def _live_pages(desired: Sequence[DesiredPage], api: "Api", *, everything: bool) -> dict[str, LivePage]:
    if len(desired) > 1:
        return api.list_pages([page.page_id for page in desired], everything=everything)
    try:
        return {desired[0].page_id: api.get_page(desired[0].page_id)}
    except PageGone:
        return {}


def read_plan(path: str) -> Plan:
    """Read a saved plan; raises InvalidPlanFile for what is none, or was changed."""
    shown = visible(path)
    hint = "save one with `bio-sync plan --out plan.json`"
    try:
        with Path(path).open("rb") as stream:
            document = parsed(stream.read(MOST_PLAN_BYTES).decode("utf-8-sig"))
    except OSError as error:
        raise InvalidPlanFile(f"{shown} can't be read: {visible(error.strerror or 'unknown')}", hint=hint) from None
    except (ValueError, RecursionError):
        raise InvalidPlanFile(f"{shown} is no saved plan: it is not JSON", hint=hint) from None
    if complaint := schema.plan_complaint(document):
        raise InvalidPlanFile(f"{shown} is no saved plan: {complaint}", hint=hint)
    return from_json(schema.as_object(document))


def read_consent(path: str) -> Plan:
    """Read a saved plan that is to be applied; raises StalePlan for one that has not seen the live pages."""
    saved = read_plan(path)
    if saved.circumstances.offline:
        raise StalePlan(
            "the plan was made offline: nobody has seen what it does to the live pages",
            hint="look at a plan of them: bio-sync plan --out plan.json",
        )
    return saved


def check_consent(saved: Plan, fresh: Plan) -> None:
    """Let pass only a plan that would write what the saved one would; raises StalePlan, naming what moved."""
    if saved.circumstances.api_url != fresh.circumstances.api_url:
        raise StalePlan(
            f"the plan was made for {visible(saved.circumstances.api_url)}, and this is"
            f" {visible(fresh.circumstances.api_url)}",
            hint="use the same XQR_API_URL or --api-url",
        )
    if saved.digest != fresh.digest:
        moved = moved_since(saved, fresh)
        raise StalePlan(
            f"the plan is no longer what would be written: {'; '.join(moved)}",
            hint="look at a new plan: bio-sync plan --out plan.json",
        )


def moved_since(saved: Plan, fresh: Plan) -> list[str]:
    """Say for each page on which two plans differ what moved, and on which side."""
    was = {change.page_id: change for change in saved.changes}
    will_be = {change.page_id: change for change in fresh.changes}
    sentences: list[str] = []
    for page_id in sorted(was.keys() | will_be.keys()):
        old, new = was.get(page_id), will_be.get(page_id)
        if old is None and new is not None:
            sentences.append(f"{new.file} ({page_id}) has changes that the plan does not hold: {_fields(new)}")
        elif new is None and old is not None:
            sentences.append(f"{old.file} ({page_id}) {_no_longer(page_id, fresh)}: {_fields(old)}")
        elif old is not None and new is not None:
            sentences.extend(_moved_fields(old, new) if old.operations != new.operations else ())
            if old.is_published != new.is_published:
                words = "is public now" if new.is_published else "is not public any more"
                sentences.append(f"{new.file} ({page_id}) {words}")
    return sentences


def _no_longer(page_id: str, fresh: Plan) -> str:
    if any(page.page_id == page_id for page in fresh.unchanged):
        return "has nothing left to change"
    if any(page.page_id == page_id for page in fresh.gone):
        return "is gone"
    return "is not among the files this time (give the PATHs that the plan was made of)"


def _moved_fields(old: Change, new: Change) -> list[str]:
    """Name the fields of one page that moved, and whether live or in its file."""
    sentences: list[str] = []
    for side, before, after in (("live", old.before, new.before), ("in the file", old.after, new.after)):
        if steps := operations(before, after):
            paths = ", ".join(dict.fromkeys(visible(step.path) for step in steps[:5]))
            sentences.append(f"{new.file} ({new.page_id}) was changed {side} at {paths}")
    return sentences


def _fields(change: Change) -> str:
    return ", ".join(dict.fromkeys(visible(operation.path) for operation in change.operations[:5]))
