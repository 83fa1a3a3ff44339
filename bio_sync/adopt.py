"""Hands off: what a file does not manage is copied from the live page into the wanted one, before any diff.

Copied, and not filtered out of a diff afterwards: `page_data` is sent whole, so what must stay has to be in it.
"""

from typing import TypeAlias

from bio_sync.alignment import aligned
from bio_sync.jsonvalues import ABSENT, AUTHOR_PREFIX, Absent, Json, JsonObject, same
from bio_sync.model import DesiredPage, PageContent, same_field
from bio_sync.pointer import from_pointer

Patterns: TypeAlias = frozenset[tuple[str, ...]]
ANY_ITEM = "*"


def adopt(desired: DesiredPage, now: PageContent) -> PageContent:
    """Give the whole page as it should be: the file's values, and the live ones for all that it leaves alone."""
    patterns = frozenset(from_pointer(pointer) for pointer in desired.ignore)
    ignored = {pattern[0] for pattern in patterns if len(pattern) == 1}
    return PageContent(
        title=now.title if desired.title is None or "title" in ignored else desired.title,
        description=_description(desired, now, ignored),
        page_data=_page_data(desired, now, patterns),
        published=now.published if desired.published is None or "published" in ignored else desired.published,
    )


def left_as_live(desired: DesiredPage, now: PageContent) -> int:
    """Count the values that `ignore` leaves as they are live: each once, and not what stands inside another.

    What only the file has counts too: its absence is what is left as it is.
    """
    found: set[tuple[str, ...]] = set()
    for pointer in desired.ignore:
        found |= places(pointer, now.as_json()) or places(pointer, desired.as_json())
    return sum(not any(place[:length] in found for length in range(1, len(place))) for place in found)


def places(pointer: str, page: JsonObject) -> set[tuple[str, ...]]:
    """Give the places in a page that a pointer stands for, `*` being any item of a list; none when nothing is there."""
    level: list[tuple[tuple[str, ...], Json]] = [((), page)]
    for token in from_pointer(pointer):
        level = [((*place, key), value) for place, parent in level for key, value in _members(parent, token)]
    return {place for place, _ in level}


def _members(parent: Json, token: str) -> list[tuple[str, Json]]:
    if isinstance(parent, dict):
        return [(token, parent[token])] if token in parent else []
    items = enumerate(parent if isinstance(parent, list) else ())
    return [(str(index), item) for index, item in items if token in {ANY_ITEM, str(index)}]


def below(patterns: Patterns, key: str) -> Patterns:
    """Give what patterns say about the inside of a member."""
    return frozenset(pattern[1:] for pattern in patterns if pattern[:1] == (key,))


def _description(desired: DesiredPage, now: PageContent, ignored: set[str]) -> str | None:
    wanted = desired.description
    if wanted is None or "description" in ignored or same_field("description", wanted, now.description):
        return now.description
    return wanted


def _page_data(desired: DesiredPage, now: PageContent, patterns: Patterns) -> JsonObject:
    wanted = desired.page_data
    if wanted is None or same(wanted, now.page_data):
        return now.page_data
    if desired.out_of_season and "links" not in now.page_data:
        wanted = {key: value for key, value in wanted.items() if key != "links"}
    return _Copying(now.page_data).page_data(wanted, below(patterns, "page_data"))


class _Copying:
    """Copies from one live page, and goes into nothing from which there is nothing to copy.

    A list is gone into for its items and for their places: with both, wherever there are lists in lists, the time
    would double with each level.
    """

    def __init__(self, live: JsonObject) -> None:
        self._live = live
        # By identity, since that takes no second look inside; they live as long as the page does.
        self._with_author_keys: set[int] = set()
        self._note_author_keys(live)

    def page_data(self, wanted: JsonObject, patterns: Patterns) -> JsonObject:
        """Give `wanted` with the live values at `patterns`, and with the live author keys, wherever they stand."""
        copied = self._over(wanted, self._live, patterns)
        return copied if isinstance(copied, dict) else {}

    def _note_author_keys(self, value: Json) -> bool:
        """Note each object and list with an author key in it, at any depth, and tell whether this is one."""
        if not isinstance(value, dict | list):
            return False
        members = value.values() if isinstance(value, dict) else value
        inside = [self._note_author_keys(member) for member in members]
        found = any(inside) or (isinstance(value, dict) and any(key[:2] == AUTHOR_PREFIX for key in value))
        if found:
            self._with_author_keys.add(id(value))
        return found

    def _over(self, wanted: Json | Absent, live: Json | Absent, patterns: Patterns) -> Json | Absent:
        if () in patterns:
            return live
        if not patterns and id(live) not in self._with_author_keys:
            return wanted
        if isinstance(live, dict) and isinstance(wanted, dict | Absent):
            return self._over_object(wanted, live, patterns)
        if isinstance(wanted, dict) and not isinstance(live, list):
            return self._over_object(wanted, {}, patterns)
        if isinstance(wanted, list) and isinstance(live, list):
            return self._over_list(wanted, live, patterns)
        # What must stay as it is stands inside a live value that the file has something flat for: then all of it stays.
        return live if patterns and isinstance(live, dict | list) and not isinstance(wanted, Absent) else wanted

    def _over_object(self, wanted: JsonObject | Absent, live: JsonObject, patterns: Patterns) -> Json | Absent:
        result: JsonObject = {} if isinstance(wanted, Absent) else dict(wanted)
        heads = {pattern[0] for pattern in patterns}
        author_keys = {key for key in live if key.startswith(AUTHOR_PREFIX) and not isinstance(wanted, Absent)}
        for key in sorted(set(result) | heads | author_keys):
            if key in author_keys:
                value: Json | Absent = live[key]
            else:
                value = self._over(result.get(key, ABSENT), live.get(key, ABSENT), below(patterns, key))
            if isinstance(value, Absent):
                result.pop(key, None)
            else:
                result[key] = value
        return ABSENT if isinstance(wanted, Absent) and not result else result

    def _over_list(self, wanted: list[Json], live: list[Json], patterns: Patterns) -> Json:
        """Copy into the items that are the same item for `*`, and into those at the same place for an index."""
        if (ANY_ITEM,) in patterns:
            return live
        pairs, any_item = aligned(live, wanted), below(patterns, ANY_ITEM)
        result: list[Json] = []
        for index, item in enumerate(wanted):
            partner = pairs.get(index)
            value = self._over(item, ABSENT if partner is None else live[partner], any_item)
            result.append(item if isinstance(value, Absent) else value)
        for index in range(min(len(live), len(result) + 1)):
            at_place = below(patterns, str(index))
            # Behind the last item only the whole of one stays: of a part of it, no item could be made.
            if () in at_place or (at_place and index < len(result)):
                value = self._over(result[index] if index < len(result) else ABSENT, live[index], at_place)
                if not isinstance(value, Absent):
                    result[index : index + 1] = [value]
        return result
