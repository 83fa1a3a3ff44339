"""Where a moved item stood at first and stands at last, which is what people count."""

from collections.abc import Mapping
from dataclasses import dataclass

from bio_sync.alignment import aligned
from bio_sync.jsonvalues import Json
from bio_sync.planning import Change
from bio_sync.pointer import from_pointer, to_pointer


@dataclass(slots=True)
class _List:
    """A list while its steps are followed: which old item stands where, and where each will stand at last."""

    current: list[int]
    final: dict[int, int]


def positions_of_moves(change: Change) -> Mapping[int, tuple[int, int]]:
    """Give `{index of a move in operations: (position before, position after)}`, positions counted from 1.

    The indexes in the operations themselves are those of the list half-way, as JSON Patch wants them. A list
    inside an item of another list has none here: its path names no fixed place.
    """
    before, after = change.before.as_json(), change.after.as_json()
    lists: dict[str, _List | None] = {}
    result: dict[int, tuple[int, int]] = {}
    for index, step in enumerate(change.operations):
        *parents, last = from_pointer(step.path)
        parent = to_pointer(parents)
        if parent not in lists:
            lists[parent] = _followed(before, after, parents)
        followed = lists[parent]
        if followed is None or step.op not in {"move", "remove"}:
            continue
        if step.op == "remove":
            followed.current.pop(int(last))
        else:
            item = followed.current.pop(int(from_pointer(step.source or "")[-1]))
            followed.current.insert(int(last), item)
            result[index] = (item + 1, followed.final[item] + 1)
    return result


def _followed(before: Json, after: Json, path: list[str]) -> _List | None:
    for token in path:
        if not isinstance(before, dict) or not isinstance(after, dict):
            return None
        before, after = before.get(token), after.get(token)
    if not isinstance(before, list) or not isinstance(after, list):
        return None
    final = {old: new for new, old in aligned(before, after).items()}
    return _List(list(range(len(before))), final)
