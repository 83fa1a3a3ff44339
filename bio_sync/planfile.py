"""A plan as JSON, and back: the form for scripts, for saving, and for consent."""

from typing import TYPE_CHECKING, cast

from bio_sync.destinations import new_destinations
from bio_sync.diff import Operation, operations
from bio_sync.errors import InvalidPlanFile
from bio_sync.jsonvalues import Json, JsonObject, digest, json_text, same
from bio_sync.model import PageContent
from bio_sync.planning import (
    Change,
    Circumstances,
    PageFile,
    Plan,
    Revision,
    Transition,
    UnmanagedPage,
    actions_of,
    patch_of,
)
from bio_sync.visible import shortened

if TYPE_CHECKING:
    from bio_sync.origin import Origin

FORMAT_VERSION = "1.0"


def dumps(plan: Plan) -> str:
    """Write a plan as indented JSON text, ASCII only, by `schemas/plan.schema.json`."""
    return json_text(as_json(plan))


def as_json(plan: Plan) -> JsonObject:
    """Give a plan as a JSON object by `schemas/plan.schema.json`."""
    now = plan.circumstances
    return {
        "format_version": FORMAT_VERSION,
        "tool_version": now.tool_version,
        "created_at": now.created_at,
        "api_url": now.api_url,
        "offline": now.offline,
        "at": now.at,
        "git": _git_as_json(now),
        "digest": plan.digest,
        "summary": cast("JsonObject", plan.summary),
        "changes": [_change_as_json(change) for change in plan.changes],
        "unchanged": [{"page_id": page.page_id, "file": page.file} for page in plan.unchanged],
        "gone": [{"page_id": page.page_id, "file": page.file} for page in plan.gone],
        "unmanaged": [{"page_id": page.page_id, "slug": page.slug, "title": page.title} for page in plan.unmanaged],
        "new_destinations": [
            {"destination": found.address, "unicode": found.unicode or None, "page_ids": list(found.page_ids)}
            for found in new_destinations(plan)
        ],
        "left_as_live": plan.left_as_live,
        "transitions": [_transition_as_json(transition) for transition in plan.transitions],
        "warnings": list(plan.warnings),
        "api": {
            "calls": now.calls,
            "calls_to_apply": plan.calls_to_apply,
            "quota_remaining": now.quota_remaining,
        },
    }


def from_json(document: JsonObject) -> Plan:
    """Read a plan from a JSON object that `schemas/plan.schema.json` has accepted.

    Raises InvalidPlanFile when the changes are not those that the digest was made of.
    """
    api = cast("JsonObject", document["api"])
    commit, base = _git_from_json(cast("JsonObject", document.get("git", {})))
    now = Circumstances(
        tool_version=str(document["tool_version"]),
        created_at=str(document["created_at"]),
        api_url=str(document["api_url"]),
        calls=cast("int", api["calls"]),
        quota_remaining=cast("int | None", api["quota_remaining"]),
        commit=commit,
        base=base,
        offline=bool(document.get("offline", False)),
        at=cast("str | None", document.get("at")),
    )
    plan = Plan(
        circumstances=now,
        changes=tuple(_change_from_json(change) for change in _objects(document["changes"])),
        unchanged=tuple(_page_file(page) for page in _objects(document["unchanged"])),
        gone=tuple(_page_file(page) for page in _objects(document["gone"])),
        unmanaged=tuple(
            UnmanagedPage(str(page["page_id"]), str(page["slug"]), str(page["title"]))
            for page in _objects(document["unmanaged"])
        ),
        warnings=tuple(str(warning) for warning in cast("list[Json]", document["warnings"])),
        transitions=tuple(map(_transition, _objects(document.get("transitions", [])))),
        left_as_live=cast("int", document.get("left_as_live", 0)),
    )
    told = cast("JsonObject", document["summary"])
    whole = plan.summary.items() <= told.items() and _told_alike(plan) and all(map(_holds_together, plan.changes))
    if not whole or plan.digest != document["digest"]:
        raise InvalidPlanFile(
            "the plan was changed after it was made, or made by a bio-sync that compares otherwise"
            f" ({shortened(now.tool_version)})",
            hint="make it again with `bio-sync plan --out plan.json`",
        )
    return plan


def _told_alike(plan: Plan) -> bool:
    """Tell whether all operations have an origin, or none: what has none where others have would not be shown."""
    based = plan.circumstances.base is not None
    told = {operation.origin is not None for change in plan.changes for operation in change.operations}
    return told <= {based} and (based or not plan.circumstances.offline)


def _holds_together(change: Change) -> bool:
    """Tell whether all that a change says follows from its two pages, so that the digest stands for all of it."""
    return (
        change.operations == operations(change.before, change.after)
        and same(change.patch, patch_of(change.operations, change.after))
        and change.actions == actions_of(change.operations, change.after)
        and change.is_published == bool(change.before.published)
        and change.live_digest == digest(change.before.as_json())
    )


def _git_as_json(now: Circumstances) -> JsonObject:
    base: Json = {"revision": now.base.name, "commit": now.base.commit} if now.base else None
    return {"commit": now.commit, "base": base}


def _git_from_json(document: JsonObject) -> tuple[str | None, Revision | None]:
    base = cast("JsonObject | None", document.get("base"))
    revision = Revision(str(base["revision"]), str(base["commit"])) if base else None
    return cast("str | None", document.get("commit")), revision


def _change_as_json(change: Change) -> JsonObject:
    return {
        "page_id": change.page_id,
        "file": change.file,
        "slug": change.slug,
        "html_url": change.html_url,
        "is_published": change.is_published,
        "views": change.views,
        "clicks": change.clicks,
        "actions": list(change.actions),
        "live_updated_at": change.live_updated_at,
        "live_digest": change.live_digest,
        "operations": [
            operation.as_json() | ({"origin": operation.origin} if operation.origin else {})
            for operation in change.operations
        ],
        "patch": change.patch,
        "before": change.before.as_json(),
        "after": change.after.as_json(),
    }


def _change_from_json(document: JsonObject) -> Change:
    return Change(
        page_id=str(document["page_id"]),
        file=str(document["file"]),
        slug=str(document["slug"]),
        html_url=str(document["html_url"]),
        is_published=bool(document["is_published"]),
        views=cast("int", document["views"]),
        clicks=cast("int", document["clicks"]),
        actions=tuple(str(action) for action in cast("list[Json]", document["actions"])),
        live_updated_at=cast("str | None", document["live_updated_at"]),
        live_digest=str(document["live_digest"]),
        operations=tuple(_operation(operation) for operation in _objects(document["operations"])),
        patch=cast("JsonObject", document["patch"]),
        before=_content(cast("JsonObject", document["before"])),
        after=_content(cast("JsonObject", document["after"])),
    )


def _operation(document: JsonObject) -> Operation:
    return Operation(
        op=cast("str", document["op"]),  # type: ignore[arg-type]  # the schema has the four words
        path=str(document["path"]),
        before=document.get("before"),
        after=document.get("after"),
        source=cast("str | None", document.get("from")),
        origin=cast("Origin | None", document.get("origin")),
    )


def _content(document: JsonObject) -> PageContent:
    return PageContent(
        title=cast("str | None", document["title"]),
        description=cast("str | None", document["description"]),
        page_data=cast("JsonObject", document["page_data"]),
        published=cast("bool | None", document["published"]),
    )


def _transition_as_json(transition: Transition) -> JsonObject:
    return {
        "moment": transition.moment,
        "page_id": transition.page_id,
        "file": transition.file,
        "label": transition.label,
        "action": "show" if transition.shows else "hide",
    }


def _transition(document: JsonObject) -> Transition:
    return Transition(
        moment=str(document["moment"]),
        page_id=str(document["page_id"]),
        file=str(document["file"]),
        label=str(document["label"]),
        shows=document["action"] == "show",
    )


def _page_file(document: JsonObject) -> PageFile:
    return PageFile(str(document["page_id"]), str(document["file"]))


def _objects(value: Json) -> list[JsonObject]:
    return cast("list[JsonObject]", value)
