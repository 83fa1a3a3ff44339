"""What differs between two pages, as operations that carry one into the other; the one user of deepdiff."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from bio_sync.alignment import aligned, heaviest_increasing
from bio_sync.jsonvalues import Json, JsonObject, same
from bio_sync.model import WRITABLE_FIELDS, PageContent, same_field
from bio_sync.pointer import to_pointer

if TYPE_CHECKING:
    from collections.abc import Sequence

READING_ORDER: "Sequence[str | int]" = ("theme", "avatar_url", "links")
Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One step from the live page to the wanted one, in the words of JSON Patch (RFC 6902).

    `path` and `source` (of a move) are JSON Pointers into the page as the steps before have left it.
    `before` is absent (None) for an `add`, `after` for a `remove`; both are the moved value for a `move`.
    """

    op: Literal["add", "remove", "replace", "move"]
    path: str
    before: Json = None
    after: Json = None
    source: str | None = None


def operations(before: PageContent, after: PageContent) -> tuple[Operation, ...]:
    """Give the steps that carry `before` into `after`, in the order in which they are carried out."""
    steps: list[Operation] = []
    for field in (*WRITABLE_FIELDS, "published"):
        old, new = getattr(before, field), getattr(after, field)
        if not same_field(field, old, new):
            steps.extend(_differences((field,), old, new))
    return tuple(steps)


def _differences(path: Path, old: Json, new: Json) -> Iterator[Operation]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _object_differences(path, old, new)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_differences(path, old, new)
    else:
        yield Operation("replace", to_pointer(path), before=old, after=new)


class _ListsAreOurs:
    """DeepDiff operator: note a pair of lists and go no deeper, since DeepDiff knows no moves."""

    def __init__(self) -> None:
        self.found: list[tuple[Path, list[Json], list[Json]]] = []

    def match(self, level: Any) -> bool:
        return isinstance(level.t1, list) and isinstance(level.t2, list)

    def give_up_diffing(self, level: Any, diff_instance: object) -> bool:  # noqa: ARG002 - deepdiff's form
        if not same(level.t1, level.t2):
            self.found.append((tuple(level.path(output_format="list")), level.t1, level.t2))
        return True


def _object_differences(path: Path, old: JsonObject, new: JsonObject) -> Iterator[Operation]:
    from deepdiff import DeepDiff  # noqa: PLC0415 - 200 ms that a plan without changes does not need

    lists = _ListsAreOurs()
    # threshold 0: by default objects that share few keys collapse into one change, and removals are lost;
    # private variables: by default keys that begin with two underscores are not seen.
    tree = DeepDiff(
        old,
        new,
        view="tree",
        threshold_to_diff_deeper=0,
        ignore_private_variables=False,
        custom_operators=[lists],
    )
    found: list[tuple[Path, Sequence[Operation]]] = [
        (inner, tuple(_list_differences((*path, *inner), old_list, new_list)))
        for inner, old_list, new_list in lists.found
    ]
    for kind, levels in tree.items():
        for level in levels:
            if kind == "type_changes" and same(level.t1, level.t2):
                continue
            inner = tuple(level.path(output_format="list"))
            found.append((inner, (_operation(kind, (*path, *inner), level),)))
    for _, steps in sorted(found, key=lambda entry: _reading_order(path, entry[0])):
        yield from steps


def _reading_order(path: Path, inner: Path) -> tuple[int, list[str]]:
    """Order by key, the known ones of a page first; the order in a file says nothing, so equal plans are equal."""
    known = path == ("page_data",) and inner[0] in READING_ORDER
    return (READING_ORDER.index(inner[0]) if known else len(READING_ORDER), [str(token) for token in inner])


def _operation(kind: str, path: Path, level: Any) -> Operation:
    pointer = to_pointer(path)
    match kind:
        case "dictionary_item_added":
            return Operation("add", pointer, after=level.t2)
        case "dictionary_item_removed":
            return Operation("remove", pointer, before=level.t1)
        case "values_changed" | "type_changes":
            return Operation("replace", pointer, before=level.t1, after=level.t2)
        case _:
            raise AssertionError(f"deepdiff reports {kind!r}, which JSON can't have")


def _list_differences(path: Path, old: list[Json], new: list[Json]) -> Iterator[Operation]:
    """Remove, move, add, then edit: so a path names the final index of an added or an edited item."""
    pairs = aligned(old, new)
    kept = set(pairs.values())
    for index in reversed(range(len(old))):
        if index not in kept:
            yield Operation("remove", to_pointer((*path, index)), before=old[index])
    yield from _moves(path, old, pairs)
    for index, item in enumerate(new):
        if index not in pairs:
            yield Operation("add", to_pointer((*path, index)), after=item)
    for index in sorted(pairs):
        if not same(old[pairs[index]], new[index]):
            yield from _differences((*path, index), old[pairs[index]], new[index])


def _moves(path: Path, old: list[Json], pairs: dict[int, int]) -> Iterator[Operation]:
    """Put the kept items, named by their index in `old`, into their new order by the fewest moves."""
    wanted = [pairs[index] for index in sorted(pairs)]
    current = sorted(wanted)
    # The most items stay, and among the choices those that keep their number: "position 2 → 2" is no news.
    weights = [len(pairs) + 1 + (index == pairs[index]) for index in sorted(pairs)]
    stays = {wanted[position] for position in heaviest_increasing(wanted, weights)}
    for position, item in enumerate(wanted):
        if item in stays:
            continue
        source = current.index(item)
        current.pop(source)
        target = current.index(wanted[position - 1]) + 1 if position else 0
        current.insert(target, item)
        yield Operation(
            "move",
            to_pointer((*path, target)),
            before=old[item],
            after=old[item],
            source=to_pointer((*path, source)),
        )
