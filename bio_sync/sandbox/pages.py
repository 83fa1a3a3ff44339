"""A page: what may be written to it, what a new one looks like, and how a PATCH changes it. Pure."""

from __future__ import annotations

import json
import re
import secrets
import string
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bio_sync.sandbox.answers import Refusal, rfc3339
from bio_sync.sandbox.strict_json import refuse_constant

if TYPE_CHECKING:
    from bio_sync.sandbox.behaviour import Behaviour, Page

WRITABLE = ("title", "description", "page_data")
COUNTS = ("view_count", "click_count")
EDITABLE = (*WRITABLE, "is_published", *COUNTS)
TITLE_LENGTH = 200

_ALPHABET = string.ascii_lowercase + string.digits
_SLUG = re.compile(r"[A-Za-z0-9._~-]+")
_SEED_TYPES: dict[str, tuple[type, ...]] = {
    "id": (str,),
    "title": (str,),
    "description": (str, type(None)),
    "slug": (str,),
    "page_data": (dict,),
    "is_published": (bool,),
    "published_at": (str, type(None)),
    "view_count": (int,),
    "click_count": (int,),
    "created_at": (str,),
    "updated_at": (str,),
}


def timestamp(now: float) -> str:
    """Return a Unix time as RFC 3339 in UTC, to the second."""
    return rfc3339(datetime.fromtimestamp(now, UTC))


def slug_of(title: str) -> str:
    """Return a title as a path segment: ASCII, lower case, hyphens; `page` when nothing is left."""
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^a-z0-9]+", "-", ascii_title.lower())[:60].strip("-") or "page"


def new_page(fields: Page, now: float) -> Page:
    """Return a whole page (without `html_url`) from some of its members, each missing one filled in.

    Members that are not known are kept: the vendor adds response fields without notice.

    Raises:
        ValueError: a member has a type that the service never shows.
    """
    check_types(fields)
    moment = timestamp(now)
    title = fields.get("title", "Untitled page")
    page: Page = {
        "id": "bio_" + "".join(secrets.choice(_ALPHABET) for _ in range(8)),
        "title": title,
        "description": None,
        "slug": slug_of(title),
        "page_data": {},
        "is_published": False,
        "published_at": None,
        "view_count": 0,
        "click_count": 0,
        "created_at": moment,
        "updated_at": moment,
    }
    page.update(fields)
    page.pop("html_url", None)
    if not _SLUG.fullmatch(page["slug"]):
        raise ValueError(f"slug: {page['slug']!r} can not be part of an address")
    if page["is_published"] and page["published_at"] is None:
        page["published_at"] = page["updated_at"]
    return page


def check_types(fields: Page) -> None:
    """Refuse a member of a type that the service never shows.

    Raises:
        ValueError: names the member.
    """
    for name, types in _SEED_TYPES.items():
        # bool is an int to isinstance, and `view_count: true` is a mistake.
        if name in fields and type(fields[name]) not in types:
            raise ValueError(f"{name}: {fields[name]!r} is not what a page has there")


def parse_fields(body: bytes | None) -> Page:
    """Return the members of a PATCH or POST body.

    Raises:
        Refusal: 413 for None (a body over the limit); 400 for what is not a JSON object, an empty
            one, an unknown member or a wrong type, naming the member.
    """
    if body is None:
        raise Refusal(413, "The request body is larger than 1 MiB.")
    try:
        fields = json.loads(body.decode("utf-8"), parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise Refusal(400, "The request body is not valid JSON.") from None
    if not isinstance(fields, dict):
        raise Refusal(400, "The request body must be a JSON object.")
    if not fields:
        raise Refusal(400, f"The request body must contain at least one of {', '.join(WRITABLE)}.")
    for name, value in fields.items():
        _check_field(name, value)
    return fields


def patched(page: Page, fields: Page, behaviour: Behaviour, now: float) -> Page:
    """Return the page after a PATCH: only the given members change, and `updated_at`."""
    changed = page | fields
    if behaviour.patch == "merge" and "page_data" in fields:
        changed["page_data"] = merge(page["page_data"], fields["page_data"])
    return normalised(changed, behaviour) | {"updated_at": timestamp(now)}


def normalised(page: Page, behaviour: Behaviour) -> Page:
    """Return the page with its writable members as this service stores them."""
    if behaviour.normalise is None:
        return page
    writable = json.loads(json.dumps({name: page[name] for name in WRITABLE}))
    return page | behaviour.normalise(writable)


def with_published(page: Page, published: bool, now: float) -> Page:
    """Return the page published or not: `published_at` is set once and stays; a no-op moves no time."""
    if page["is_published"] == published:
        return page
    moment = timestamp(now)
    first = page["published_at"] or (moment if published else None)
    return page | {"is_published": published, "published_at": first, "updated_at": moment}


def edited(page: Page, fields: Page, now: float) -> Page:
    """Return the page after a person changed members in the dashboard; counts move no `updated_at`."""
    published = bool(fields.get("is_published", page["is_published"]))
    moved = {"updated_at": timestamp(now)} if fields.keys() - set(COUNTS) else {}
    return with_published(page, published, now) | fields | moved


def merge(target: object, patch: object) -> object:
    """Return `target` changed by `patch` as RFC 7396 says: null removes, objects merge, else replaced."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result


def _check_field(name: str, value: object) -> None:
    if name not in WRITABLE:
        raise Refusal(400, f"{name}: this field is unknown or can not be written.")
    if name == "title" and not (isinstance(value, str) and 0 < len(value) <= TITLE_LENGTH):
        raise Refusal(400, f"title: must be a string of 1 to {TITLE_LENGTH} characters.")
    if name == "description" and not isinstance(value, str | None):
        raise Refusal(400, "description: must be a string or null.")
    if name == "page_data" and not isinstance(value, dict):
        raise Refusal(400, "page_data: must be an object.")
