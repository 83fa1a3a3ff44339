"""What differs between two pages, as operations that carry one into the other; the one user of deepdiff."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from bio_sync.alignment import aligned, heaviest_increasing
from bio_sync.jsonvalues import ABSENT, Json, JsonObject, same
from bio_sync.model import FIELDS, PageContent, same_field
from bio_sync.origin import NO_BASE, Base, ListOrigins, Origin
from bio_sync.pointer import ValuePath, to_pointer

READING_ORDER: Sequence[str | int] = ("theme", "avatar_url", "links")
Op: TypeAlias = Literal["add", "remove", "replace", "move"]


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One step from the live page to the wanted one, in the words of JSON Patch (RFC 6902).

    `path` and `source` (of a move) are JSON Pointers into the page as the steps before have left it.
    `before` is absent (None) for an `add`, `after` for a `remove`; both are the moved value for a `move`.
    `origin` tells whose change it is where a base was given; the same step is the same whosever it is.
    """

    op: Op
    path: str
    before: Json = None
    after: Json = None
    source: str | None = None
    origin: Origin | None = None

    def __eq__(self, other: object) -> bool:
        """Compare as JSON does, to which 1 is not true as it is to Python."""
        return (
            isinstance(other, Operation)
            and (self.op, self.path, self.source) == (other.op, other.path, other.source)
            and same(self.before, other.before)
            and same(self.after, other.after)
        )

    def __hash__(self) -> int:
        return hash((self.op, self.path, self.source))

    def as_json(self) -> JsonObject:
        """Give the step as JSON Patch writes it, with `before` and `after` in the place of `value`; not its origin."""
        result: JsonObject = {"op": self.op}
        if self.source is not None:
            result["from"] = self.source
        result["path"] = self.path
        if self.op != "add":
            result["before"] = self.before
        if self.op != "remove":
            result["after"] = self.after
        return result


def operations(before: PageContent, after: PageContent, base: PageContent | None = None) -> tuple[Operation, ...]:
    """Give the steps that carry `before` into `after`, in the order in which they are carried out.

    `base` is the page when live and file were last the same; with it, each step has its origin.
    """
    steps: list[Operation] = []
    for name in FIELDS:
        old, new = getattr(before, name), getattr(after, name)
        if not same_field(name, old, new):
            known = NO_BASE if base is None else Base(_like(new, _like(old, getattr(base, name), name), name))
            steps.extend(_differences((name,), old, new, known))
    return tuple(steps)


def _like(value: Json, base: Json, name: str) -> Json:
    """Give `base` as `value` when the two mean the same, as no description and an empty one do."""
    return value if same_field(name, value, base) else base


def _differences(path: ValuePath, old: Json, new: Json, base: Base) -> Iterator[Operation]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _object_differences(path, old, new, base)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_differences(path, old, new, base)
    else:
        yield Operation("replace", to_pointer(path), before=old, after=new, origin=base.origin(old, new))


class _ListsAreOurs:
    """DeepDiff operator: note a pair of lists and go no deeper, since DeepDiff knows no moves."""

    def __init__(self) -> None:
        self.found: list[tuple[ValuePath, list[Json], list[Json]]] = []

    def match(self, level: Any) -> bool:
        return isinstance(level.t1, list) and isinstance(level.t2, list)

    def give_up_diffing(self, level: Any, diff_instance: object) -> bool:  # noqa: ARG002 - deepdiff's form
        if not same(level.t1, level.t2):
            self.found.append((tuple(level.path(output_format="list")), level.t1, level.t2))
        return True


def _object_differences(path: ValuePath, old: JsonObject, new: JsonObject, base: Base) -> Iterator[Operation]:
    differing = [key for key in {**old, **new} if not (key in old and key in new and same(old[key], new[key]))]
    nested = {key for key in differing if isinstance(old.get(key), dict) and isinstance(new.get(key), dict)}
    # Of a flat object there is nothing to find out; of any other, DeepDiff gets the keys that differ inside.
    steps: list[tuple[ValuePath, tuple[Operation, ...]]] = [
        ((key,), tuple(_key_differences(path, key, old, new, base))) for key in differing if key not in nested
    ]
    if nested:
        steps.extend(_deep_differences(path, {k: old[k] for k in nested}, {k: new[k] for k in nested}, base))
    for _, operations in sorted(steps, key=lambda entry: _reading_order(path, entry[0])):
        yield from operations


def _key_differences(path: ValuePath, key: str, old: JsonObject, new: JsonObject, base: Base) -> Iterator[Operation]:
    inner, base = (*path, key), base.at((key,))
    if key not in old:
        yield Operation("add", to_pointer(inner), after=new[key], origin=base.origin(ABSENT, new[key]))
    elif key not in new:
        yield Operation("remove", to_pointer(inner), before=old[key], origin=base.origin(old[key], ABSENT))
    else:
        yield from _differences(inner, old[key], new[key], base)


def _deep_differences(
    path: ValuePath, old: JsonObject, new: JsonObject, base: Base
) -> Iterator[tuple[ValuePath, tuple[Operation, ...]]]:
    """Give the steps for objects in objects, each with its path from `path` on."""
    from deepdiff import DeepDiff  # noqa: PLC0415 - 90 ms that most plans do not need

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
    for inner, old_list, new_list in lists.found:
        yield inner, tuple(_list_differences((*path, *inner), old_list, new_list, base.at(inner)))
    for kind, levels in tree.items():
        for level in levels:
            if kind == "type_changes" and same(level.t1, level.t2):
                continue
            inner = tuple(level.path(output_format="list"))
            yield inner, (_operation(kind, (*path, *inner), level, base.at(inner)),)


def _reading_order(path: ValuePath, inner: ValuePath) -> tuple[int, list[str]]:
    """Order by key, the known ones of a page first; the order in a file says nothing, so equal plans are equal."""
    known = path == ("page_data",) and inner[0] in READING_ORDER
    return (READING_ORDER.index(inner[0]) if known else len(READING_ORDER), [str(token) for token in inner])


def _operation(kind: str, path: ValuePath, level: Any, base: Base) -> Operation:
    pointer, old, new = to_pointer(path), level.t1, level.t2
    match kind:
        case "dictionary_item_added":
            return Operation("add", pointer, after=new, origin=base.origin(ABSENT, new))
        case "dictionary_item_removed":
            return Operation("remove", pointer, before=old, origin=base.origin(old, ABSENT))
        case "values_changed" | "type_changes":
            return Operation("replace", pointer, before=old, after=new, origin=base.origin(old, new))
        case _:
            raise AssertionError(f"deepdiff reports {kind!r}, which JSON can't have")


def _list_differences(path: ValuePath, old: list[Json], new: list[Json], base: Base) -> Iterator[Operation]:
    """Remove, move, add, then edit: so a path names the final index of an added or an edited item."""
    pairs = aligned(old, new)
    origins = ListOrigins(base, old, new, pairs)
    kept = set(pairs.values())
    for index in reversed(range(len(old))):
        if index not in kept:
            yield Operation("remove", to_pointer((*path, index)), before=old[index], origin=origins.removed(index))
    yield from _moves(path, old, pairs, origins)
    for index, item in enumerate(new):
        if index not in pairs:
            yield Operation("add", to_pointer((*path, index)), after=item, origin=origins.added(index))
    for index in sorted(pairs):
        if not same(old[pairs[index]], new[index]):
            yield from _differences((*path, index), old[pairs[index]], new[index], origins.edited(index))


def _moves(path: ValuePath, old: list[Json], pairs: dict[int, int], origins: ListOrigins) -> Iterator[Operation]:
    """Put the kept items, named by their index in `old`, into their new order by the fewest moves."""
    final = sorted(pairs)
    wanted = [pairs[index] for index in final]
    current = sorted(wanted)
    # The most items stay, and among the choices those that keep their number: "position 2 → 2" is no news.
    weights = [len(pairs) + 1 + (index == pairs[index]) for index in final]
    stays = {wanted[position] for position in heaviest_increasing(wanted, weights)}
    staying = [final[position] for position, item in enumerate(wanted) if item in stays]
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
            origin=origins.moved(final[position], staying),
        )
