"""What the service has, compared with what was wanted and with what was there, in words."""

from collections.abc import Iterable, Sequence
from unicodedata import normalize

from bio_sync.adopt import ANY_ITEM, places
from bio_sync.diff import Operation, operations
from bio_sync.jsonvalues import Json, canonical
from bio_sync.model import DesiredPage, LivePage, PageContent
from bio_sync.planning import change_of
from bio_sync.pointer import from_pointer, to_pointer
from bio_sync.visible import shortened, visible

MOST_NAMED = 3
# Somebody has to write them down: only all of them are of use.
MOST_POINTERS = 12
MOST_SHOWN = 60


def field_of(step: Operation) -> str:
    """Give the top-level field that a step touches."""
    return from_pointer(step.path)[0]


def steps_left(wanted: DesiredPage, live: LivePage) -> tuple[Operation, ...]:
    """Give what would still have to be written; what is left alone is none of it."""
    change = change_of(wanted, live)
    return change.operations if change else ()


def moved(wanted: DesiredPage, expected: Sequence[Operation], was: PageContent, live: LivePage) -> list[Operation]:
    """Give the steps that a write would take now and that were not among the `expected` ones: somebody's edits.

    A step that is not needed any more is no edit that a write could undo. Whether the public sees the page counts
    as managed: consent to change a hidden page is none to change a public one. What an answer did not tell of that
    (None) is no edit, before or now.
    """
    known = recognised(expected)
    told = None not in {was.published, live.content.published}
    unknown = (step for step in steps_left(wanted, live) if _known_by(step) not in known)
    found = [step for step in unknown if told or step.path != "/published"]
    managed = wanted.published is not None and "/published" not in wanted.ignore
    done = managed and live.content.published == wanted.published
    if told and live.content.published != was.published and not done and not any(s.path == "/published" for s in found):
        found.append(Operation("replace", "/published", before=live.content.published, after=was.published))
    return found


def recognised(steps: Iterable[Operation]) -> set[str]:
    """Give what steps are recognised by, to compare them with others."""
    return set(map(_known_by, steps))


def _known_by(step: Operation) -> str:
    """Give what a step is recognised by.

    Of an item that moves, not its value: an edit of what is managed in it is a step of its own, and of what is
    ignored in it is nobody's business.
    """
    form = step.as_json()
    if step.op == "move":
        form = {key: form[key] for key in ("op", "from", "path")}
    elif step.path == "/description":
        # No description and an empty one are the same.
        form["before"] = step.before or ""
    elif step.path == "/published":
        # It was the contrary, or not told.
        del form["before"]
    return canonical(form)


def changed_beside(was: PageContent, now: PageContent, written: Iterable[str]) -> list[str]:
    """Name the places of a page that changed although nobody wrote to their fields; what was not told is none."""
    fields = set(written) | ({"published"} if None in {was.published, now.published} else set())
    return list(dict.fromkeys(step.path for step in operations(was, now) if field_of(step) not in fields))


def stored_otherwise(steps: Sequence[Operation], *pages: PageContent) -> str:
    """Say what the server has in place of what was sent, and the way out.

    `pages` are the page as stored and as wanted: with them, a pointer with `*` stands for the same place of all links.
    """
    said = joined([_stored(step) for step in steps])
    if steps[0].path == "/published":
        return said
    pointers = [shortened(pointer, 200) for pointer in _to_ignore(steps, pages)]
    named = joined(pointers, ", ", most=MOST_POINTERS)
    return f"{said}. Write in the file what the server stores, or add {named} to `ignore`"


def _to_ignore(steps: Iterable[Operation], pages: Iterable[PageContent]) -> list[str]:
    """Give the pointers that leave places alone: one for several that differ by the item only and are all there are."""
    # By the pattern, its places.
    alike: dict[str, dict[tuple[str, ...], None]] = {}
    documents = [page.as_json() for page in pages]
    for step in steps:
        place = _left_alone_by(step)
        alike.setdefault(_with_any_item(place, documents), {})[place] = None
    found: list[str] = []
    for pattern, group in alike.items():
        everywhere = {place for document in documents for place in places(pattern, document)}
        found += [pattern] if len(group) > 1 and everywhere == set(group) else map(to_pointer, group)
    return found


def _left_alone_by(step: Operation) -> tuple[str, ...]:
    """Give the place to leave alone; for an item too many or at another place that is the list's."""
    *outer, last = from_pointer(step.path)
    in_list = step.op == "move" or (step.op != "replace" and last.isdecimal())
    return tuple(outer) if in_list and outer else (*outer, last)


def _with_any_item(place: tuple[str, ...], documents: Iterable[Json]) -> str:
    """Give the pattern of a place, with `*` for each item of a list on the way to it; at its end, it is all items."""
    tokens = list(place)
    for document in documents:
        value = document
        for index, token in enumerate(place[:-1]):
            if isinstance(value, list):
                tokens[index] = ANY_ITEM
                value = value[int(token)] if token.isdecimal() and int(token) < len(value) else None
            else:
                value = value.get(token) if isinstance(value, dict) else None
    return to_pointer(tokens)


def edited(steps: Sequence[Operation]) -> str:
    """Say what is there in place of what the plan has seen."""
    return joined([_now(step) for step in steps])


def joined(said: list[str], between: str = "; ", most: int = MOST_NAMED) -> str:
    """Put the first few sentences into one, and count the others."""
    more = [f"and {len(said) - most:,} more"] if len(said) > most else []
    return between.join(said[:most] + more)


def _stored(step: Operation) -> str:
    path = shortened(step.path, 200)
    match step.op:
        case "remove":
            return f"{path}: the server keeps {_value(step.before)}, which the file does not have"
        case "add":
            return f"{path}: the server does not store {_value(step.after)}"
        case "move":
            return f"{path}: the server stores it at {step.source}"
        case _:
            stored, sent = _told_apart(step.before, step.after)
            return f"{path}: the server stores {stored} for {sent}"


def _now(step: Operation) -> str:
    path = shortened(step.path, 200)
    match step.op:
        case "add":
            return f"{path} is not there now"
        case "move":
            return f"{path} is at {step.source} now"
        case _:
            return f"{path} is {_value(step.before)} now"


def _told_apart(one: Json, other: Json) -> tuple[str, str]:
    """Give two values that differ so that they read differently too."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return _value(one), _value(other)
    if normalize("NFC", one) == normalize("NFC", other):
        # The same letters, written in two ways.
        one, other = (text.encode("ascii", "backslashreplace").decode("ascii") for text in (one, other))
    part_at = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))
    start = max(0, min(part_at, len(other)) - MOST_SHOWN // 3) if max(len(one), len(other)) > MOST_SHOWN else 0
    return _part(one, start), _part(other, start)


def _part(text: str, start: int) -> str:
    end = start + MOST_SHOWN
    return f"'{'…' if start else ''}{visible(text[start:end])}{'…' if end < len(text) else ''}'"


def _value(value: Json) -> str:
    return f"'{shortened(value)}'" if isinstance(value, str) else shortened(canonical(value))
