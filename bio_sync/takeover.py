"""What a page file has to say so that its plan is empty: the live page, with all that is the file's own kept.

The other way round of `adopt`: what the file leaves alone stays out of it, and what is the author's stays in it.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection

from bio_sync.adopt import ANY_ITEM, Patterns, below
from bio_sync.alignment import aligned
from bio_sync.jsonvalues import ABSENT, AUTHOR_PREFIX, Absent, Json, JsonObject, canonical, normalised, same
from bio_sync.model import FIELDS, PageContent, same_field
from bio_sync.pointer import from_pointer
from bio_sync.timetable import KEYS, SHOW_FROM, SHOW_UNTIL

# In reading order; what the vendor adds comes in between, and the links, which are long, last.
_FIRST, _LAST = ("theme", "avatar_url"), ("links",)
_FIRST_OF_A_LINK = ("label", "url")
_LINKS = ("page_data", "links")

Hidden = Callable[[JsonObject], bool]


def new_document(page_id: str, live: PageContent, ignore: Collection[str] = ()) -> JsonObject:
    """Give the document of a page that has no file yet: all of it, but what `ignore` leaves to others."""
    left = {from_pointer(pointer)[0] for pointer in ignore if len(from_pointer(pointer)) == 1}
    whole: JsonObject = {**live.as_json(), "description": live.description or "", "page_data": {}}
    own: JsonObject = {name: whole[name] for name in FIELDS if name not in left and whole[name] is not None}
    # Last, since it is long.
    if "published" in own and "page_data" in own:
        own["page_data"] = own.pop("page_data")
    return taken_over({"id": page_id, **own}, live, ignore, hidden=lambda _: False)


def taken_over(own: JsonObject, live: PageContent, ignore: Collection[str], *, hidden: Hidden) -> JsonObject:
    """Give the document `own` with the live page's values for all that it manages.

    `ignore` holds the JSON Pointers of values that it does not, `hidden` tells of a link that it is not on the
    page at this time. Notes (`x-`), times to show a link, and links that do not show stay as they are; of one
    that is live all the same, equal in all that is sent, the time that hides it is taken out.
    """
    patterns: Patterns = frozenset(map(from_pointer, ignore))
    result = dict(own)
    for name in ("title", "description", "published"):
        now = getattr(live, name)
        if name in own and (name,) not in patterns and not same_field(name, own[name], now):
            result[name] = "" if now is None else now
    if isinstance(own.get("page_data"), dict):
        merging = _Merging(hidden)
        inner = below(patterns, "page_data")
        merged = merging.value(own["page_data"], live.page_data, inner, ("page_data",))
        result["page_data"] = {} if isinstance(merged, Absent) else merged
    return result


class _Merging:
    def __init__(self, hidden: Hidden) -> None:
        self._hidden = hidden

    def value(
        self, own: Json | Absent, live: Json | Absent, patterns: Patterns, path: tuple[str, ...]
    ) -> Json | Absent:
        """Give what the file has to say at one place; ABSENT where it says nothing."""
        if () in patterns:
            return own
        if isinstance(live, Absent):
            return None if own is None else self._those_that_wait(own, path)
        if isinstance(live, dict):
            return self._object(own if isinstance(own, dict) else {}, live, patterns, path)
        if isinstance(live, list):
            return self._list(own if isinstance(own, list) else [], live, patterns, path)
        if not isinstance(own, Absent) and same(normalised(own), live):
            return own
        return live

    def _object(self, own: JsonObject, live: JsonObject, patterns: Patterns, path: tuple[str, ...]) -> JsonObject:
        result: JsonObject = {}
        is_link = path == (*_LINKS, ANY_ITEM)
        for key, value in own.items():
            kept = key.startswith(AUTHOR_PREFIX) or (is_link and key in KEYS)
            new = value if kept else self.value(value, live.get(key, ABSENT), below(patterns, key), (*path, key))
            if not isinstance(new, Absent):
                result[key] = new
        added: JsonObject = {}
        for key in (key for key in live if key not in result):
            new = self.value(ABSENT, live[key], below(patterns, key), (*path, key))
            if not (isinstance(new, Absent) or key.startswith(AUTHOR_PREFIX) or (is_link and key in KEYS)):
                added[key] = new
        keys = _in_reading_order(list(result), list(added), _FIRST_OF_A_LINK if is_link else _FIRST)
        return {key: result[key] if key in result else added[key] for key in keys}

    def _list(self, own: list[Json], live: list[Json], patterns: Patterns, path: tuple[str, ...]) -> list[Json]:
        if (ANY_ITEM,) in patterns:
            return list(own)
        place, inner = (*path, ANY_ITEM), below(patterns, ANY_ITEM)
        apart = {index for index, item in enumerate(own) if item is None or self._is_hidden(item, path)}
        shown = [index for index in range(len(own)) if index not in apart]
        pairs = aligned(live, [self._as_sent(own[index], path) for index in shown])
        partner = {now: shown[new] for new, now in pairs.items()}
        if path == _LINKS:
            partner |= self._out_of_season(own, live, apart, partner, inner)
        apart -= set(partner.values())
        taken: list[tuple[int | None, Json]] = []
        for index, item in enumerate(live):
            old = partner.get(index)
            new = self.value(ABSENT if old is None else self._in_season(own[old], path), item, inner, place)
            taken.append((old, item if isinstance(new, Absent) else new))
        return _with_those_apart(own, taken, apart)

    def _those_that_wait(self, own: Json | Absent, path: tuple[str, ...]) -> Json | Absent:
        """Give the links that are to come, or were there, of a page that has no list of links any more."""
        waiting = [item for item in own if self._is_hidden(item, path)] if isinstance(own, list) else []
        return waiting or ABSENT

    def _out_of_season(
        self, own: list[Json], live: list[Json], apart: set[int], partner: dict[int, int], patterns: Patterns
    ) -> dict[int, int]:
        """Find the live links that are links of the file which should not show now: no apply has run since.

        Only an equal one is the same link: of one with its address or its label only, the file's would be lost.
        """
        hidden: defaultdict[str, deque[int]] = defaultdict(deque)
        for index in sorted(apart):
            if own[index] is not None:
                hidden[_as_managed(self._as_sent(own[index], _LINKS), patterns)].append(index)
        result: dict[int, int] = {}
        for index, item in enumerate(live):
            if index not in partner and hidden and (same_link := hidden.get(_as_managed(item, patterns))):
                result[index] = same_link.popleft()
        return result

    def _in_season(self, item: Json, path: tuple[str, ...]) -> Json:
        """Take out of a link the times by which it does not show: it does."""
        if isinstance(item, dict) and self._is_hidden(item, path):
            for keys in ((SHOW_FROM,), (SHOW_UNTIL,), KEYS):
                link = {key: value for key, value in item.items() if key not in keys}
                if not self._hidden(link):
                    return link
        return item

    def _is_hidden(self, item: Json, path: tuple[str, ...]) -> bool:
        return path == _LINKS and isinstance(item, dict) and self._hidden(item)

    def _as_sent(self, item: Json, path: tuple[str, ...]) -> Json:
        if path == _LINKS and isinstance(item, dict):
            item = {key: value for key, value in item.items() if key not in KEYS}
        return normalised(item, without_author_keys=True)


def _as_managed(item: Json, patterns: Patterns) -> str:
    """Give the text that two items share when they differ at most in what is left as it is live."""
    return canonical(_without(normalised(item, without_author_keys=True), patterns))


def _without(value: Json, patterns: Patterns) -> Json:
    if isinstance(value, dict) and patterns:
        return {key: _without(value[key], below(patterns, key)) for key in value if (key,) not in patterns}
    if isinstance(value, list) and patterns:
        inner = below(patterns, ANY_ITEM)
        return [] if (ANY_ITEM,) in patterns else [_without(item, inner) for item in value]
    return value


def _with_those_apart(own: list[Json], taken: list[tuple[int | None, Json]], apart: set[int]) -> list[Json]:
    """Put the items that are not on the page behind those that they stand behind in the file."""
    there = {old for old, _ in taken if old is not None}
    behind: dict[int | None, list[Json]] = {}
    nearest: int | None = None
    for index, item in enumerate(own):
        if index in apart:
            behind.setdefault(nearest, []).append(item)
        elif index in there:
            nearest = index
    result = behind.pop(None, [])
    for old, item in taken:
        result += [item, *(behind.get(old, ()) if old is not None else ())]
    return result


def _in_reading_order(own: list[str], added: list[str], first: tuple[str, ...]) -> list[str]:
    """Keep the file's own order, and put each new key before what a reader expects behind it."""
    for rank in sorted({_rank(key, first) for key in added}):
        behind = (place for place, other in enumerate(own) if _rank(other, first) > rank)
        place = next(behind, len(own))
        own[place:place] = [key for key in added if _rank(key, first) == rank]
    return own


def _rank(key: str, first: tuple[str, ...]) -> int:
    return first.index(key) - len(first) if key in first else 1 if key in _LAST else 0
