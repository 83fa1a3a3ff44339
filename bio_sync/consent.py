"""A saved plan, and whether it is still what somebody agreed to: a plan is consent, never instructions."""

import os
from datetime import datetime
from pathlib import Path

from bio_sync import schema
from bio_sync.diff import operations
from bio_sync.errors import InvalidPlanFile, StalePlan
from bio_sync.jsonvalues import Json, parsed
from bio_sync.planfile import from_json
from bio_sync.planning import Change, Plan
from bio_sync.timetable import has_come
from bio_sync.visible import cause_of, shortened, visible

# A plan of ten thousand pages that all change is some 60 MB.
MOST_PLAN_BYTES = 256 * 1024 * 1024
_LOOK = "look at a new plan: bio-sync plan --out plan.json"
_SAVE = "save one with `bio-sync plan --out plan.json`"


def read_plan(path: str | os.PathLike[str]) -> Plan:
    """Read a saved plan; raises InvalidPlanFile for what is none, or was changed."""
    path = os.fspath(path)
    document = read_document(path)
    if isinstance(document, dict) and isinstance(why := document.get("error"), dict):
        said = shortened(str(why.get("message", "")), 200)
        raise InvalidPlanFile(
            f"{visible(path)} holds no plan, since making it failed: {said}",
            hint="make it again: bio-sync plan --out plan.json",
        )
    return plan_of(document, path)


def read_document(path: str) -> Json:
    """Read what was saved as a plan, or in its place; raises InvalidPlanFile for what is no JSON."""
    shown = visible(path)
    try:
        with Path(path).open("rb") as stream:
            return parsed(stream.read(MOST_PLAN_BYTES).decode("utf-8-sig"))
    except OSError as error:
        raise InvalidPlanFile(f"{shown} can't be read: {cause_of(error)}", hint=_SAVE) from None
    except (ValueError, RecursionError):
        raise InvalidPlanFile(f"{shown} is no saved plan: it is not JSON", hint=_SAVE) from None


def plan_of(document: Json, path: str) -> Plan:
    """Give the plan that a document is; raises InvalidPlanFile, naming the file, for one that is none."""
    if complaint := schema.plan_complaint(document):
        raise InvalidPlanFile(f"{visible(path)} is no saved plan: {complaint}", hint=_SAVE)
    return from_json(schema.as_object(document))


def read_consent(path: str) -> Plan:
    """Read a saved plan that is to be applied; raises StalePlan for one that has not seen the live pages."""
    saved = read_plan(path)
    check_seen(saved)
    return saved


def check_seen(saved: Plan) -> None:
    """Let pass only a plan of live pages; raises StalePlan."""
    if saved.circumstances.offline:
        raise StalePlan(
            "the plan was made offline: nobody has seen what it does to the live pages",
            hint="look at a plan of them: bio-sync plan --out plan.json",
        )


def check_consent(saved: Plan, fresh: Plan, *, now: datetime) -> None:
    """Let pass only a plan that would write what the saved one would; raises StalePlan, naming what moved by `now`."""
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
            hint=f"{_other_time(saved, now)}{_LOOK}",
        )


def _other_time(saved: Plan, now: datetime) -> str:
    """Say that a plan was made for another moment, or whose links the time alone has shown or hidden since."""
    if saved.circumstances.at is not None:
        return f"it was made for {visible(saved.circumstances.at)}, and this is now; "
    due = [each for each in saved.transitions if has_come(each.moment, now)]
    named = ", ".join(
        f"'{shortened(each.label)}' of {visible(each.file)} at {visible(each.moment)}" for each in due[:3]
    )
    return f"since then it was time for a link: {named}; " if due else ""


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
