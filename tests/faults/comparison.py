"""Pages compared by rules of the judge's own: nothing of this is bio-sync's code."""

import json
from typing import Any

Content = dict[str, Any]
FIELDS = ("title", "description", "page_data", "published")


def normal(value: Any) -> Any:
    """Give a JSON value without nulls, and whole numbers as integers."""
    if isinstance(value, dict):
        return {key: normal(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [normal(item) for item in value if item is not None]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same JSON; `1` is `1.0` and is not `true`."""
    return json.dumps(normal(one), sort_keys=True) == json.dumps(normal(other), sort_keys=True)


def content(page: dict[str, Any]) -> Content:
    """Give what a file could manage of a page as the service shows it."""
    return {
        "title": page["title"] or "",
        "description": page["description"] or "",
        "page_data": normal(page["page_data"] or {}),
        "published": page["is_published"],
    }


def manages(file: dict[str, Any], field: str) -> bool:
    """Tell whether a file says how a field is to be."""
    return field in file and f"/{field}" not in file.get("ignore", [])


def wanted(file: dict[str, Any], now: Content) -> Content:
    """Give the page that a file asks for, when the page is as it is `now`."""
    result = {field: file[field] if manages(file, field) else now[field] for field in FIELDS}
    if manages(file, "page_data"):
        result["page_data"] = _wanted_data(file, now["page_data"])
    return result


def is_as_wanted(file: dict[str, Any], now: Content) -> bool:
    """Tell whether a page is as its file wants it."""
    return same(wanted(file, now), now)


def touched(file: dict[str, Any], was: Content, now: Content) -> list[str]:
    """Name what differs between two states of a page and is none of the file's business."""
    found = [field for field in FIELDS if not manages(file, field) and not same(was[field], now[field])]
    if manages(file, "page_data"):
        old, new = was["page_data"], now["page_data"]
        alone = {key for key in (*old, *new) if key.startswith("x-")} | _ignored_keys(file)
        found += [f"page_data/{key}" for key in sorted(alone) if not same(old.get(key), new.get(key))]
        for member in _ignored_members(file):
            before, after = _by_url(old), _by_url(new)
            shared = before.keys() & after.keys()
            found += [url for url in sorted(shared) if not same(before[url].get(member), after[url].get(member))]
    return found


def laid_over(before: Content, sent: Content) -> Content:
    """Give what a service that merges (RFC 7396) makes of a page with the page data of another state of it."""
    return {**sent, "page_data": _merged(before["page_data"], sent["page_data"])}


def _merged(before: Any, sent: Any) -> Any:
    if not isinstance(before, dict) or not isinstance(sent, dict):
        return sent
    return before | {key: _merged(before.get(key), value) for key, value in sent.items()}


def leaves(page: Content) -> dict[str, Any]:
    """Give every value of a page by a name that stays when links move."""
    found: dict[str, Any] = {}
    for field in FIELDS:
        if field != "page_data":
            found[field] = page[field]
    data = dict(page["page_data"])
    for link in data.pop("links", None) or []:
        _flatten(f"links/{link['url']}", link, found)
    _flatten("page_data", data, found)
    return found


def order(page: Content, among: set[str]) -> list[str]:
    """Give the addresses of a page's links in their order, those among some."""
    return [link["url"] for link in page["page_data"].get("links") or [] if link["url"] in among]


def addresses(page: Content) -> set[str]:
    """Give the addresses of a page's links."""
    return {link["url"] for link in page["page_data"].get("links") or []}


def _wanted_data(file: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {key: value for key, value in normal(file["page_data"]).items() if not key.startswith("x-")}
    for key in _ignored_keys(file):
        data.pop(key, None)
    alone = {key for key in now if key.startswith("x-")} | (_ignored_keys(file) & now.keys())
    data |= {key: now[key] for key in alone}
    live = _by_url({"links": now.get("links")})
    members = _ignored_members(file)
    if members and "links" in data:
        data["links"] = [_left_alone(link, live.get(link["url"], {}), members) for link in data["links"]]
    return data


def _left_alone(link: dict[str, Any], live: dict[str, Any], members: set[str]) -> dict[str, Any]:
    kept = {key: value for key, value in link.items() if key not in members}
    return kept | {key: live[key] for key in members if key in live}


def _ignored_keys(file: dict[str, Any]) -> set[str]:
    pointers = [pointer.split("/")[1:] for pointer in file.get("ignore", [])]
    return {pointer[1] for pointer in pointers if len(pointer) == 2 and pointer[0] == "page_data"}


def _ignored_members(file: dict[str, Any]) -> set[str]:
    pointers = [pointer.split("/")[1:] for pointer in file.get("ignore", [])]
    return {pointer[3] for pointer in pointers if pointer[:3] == ["page_data", "links", "*"]}


def _by_url(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {link["url"]: link for link in data.get("links") or []}


def _flatten(name: str, value: Any, found: dict[str, Any]) -> None:
    if isinstance(value, dict) and value:
        for key, member in value.items():
            _flatten(f"{name}/{key}", member, found)
    else:
        found[name] = value
