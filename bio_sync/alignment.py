"""Which item of one list is which item of another: links keep their identity through edits and moves."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence

from bio_sync.jsonvalues import Json, canonical

Key = str | None
# Pairs that the longest common subsequence looks at; five hundred equal links would be 250,000 of them.
MOST_CANDIDATES = 300_000


def aligned(old: Sequence[Json], new: Sequence[Json]) -> dict[int, int]:
    """Pair the items of two lists, as `{index in new: index in old}`; an item is in one pair at most.

    An item is the same item when it is equal, else when it has the same `url`, else the same `label`;
    what is not a link is also the same when it stands at the same index.
    """
    pairs: dict[int, int] = {}
    for key in (canonical, _member("url"), _member("label")):
        taken = set(pairs.values())
        free_old = [index for index in range(len(old)) if index not in taken]
        free_new = [index for index in range(len(new)) if index not in pairs]
        if not free_old or not free_new:
            break
        _pair_by_key(pairs, free_old, free_new, [key(old[i]) for i in free_old], [key(new[i]) for i in free_new])
    taken = set(pairs.values())
    for index in range(min(len(old), len(new))):
        if index not in pairs and index not in taken and not (_is_link(old[index]) or _is_link(new[index])):
            pairs[index] = index
    return pairs


def heaviest_increasing(numbers: Sequence[int], weights: Sequence[int]) -> list[int]:
    """Give the positions of a strictly increasing subsequence of the greatest total weight, in n log n.

    With equal weights this is a longest increasing subsequence. `heads` and `totals` hold, for the last
    numbers that are worth keeping, the number and the weight of the best subsequence that ends in it.
    """
    heads: list[int] = []
    totals: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for position, (number, weight) in enumerate(zip(numbers, weights, strict=True)):
        place = bisect_left(heads, number)
        total = weight + (totals[place - 1] if place else 0)
        previous.append(ends[place - 1] if place else -1)
        beaten = place
        while beaten < len(heads) and totals[beaten] <= total:
            beaten += 1
        if beaten > place or place == len(heads) or heads[place] > number:
            heads[place:beaten], totals[place:beaten], ends[place:beaten] = [number], [total], [position]
    result: list[int] = []
    position = ends[-1] if ends else -1
    while position >= 0:
        result.append(position)
        position = previous[position]
    return result[::-1]


def _pair_by_key(
    pairs: dict[int, int], free_old: list[int], free_new: list[int], old_keys: list[Key], new_keys: list[Key]
) -> None:
    """Pair items of equal key: first those that keep their order, so that few items move; then the others."""
    places: defaultdict[Key, list[int]] = defaultdict(list)
    for index, key in zip(free_old, old_keys, strict=True):
        if key is not None:
            places[key].append(index)
    # A longest common subsequence is a longest increasing one over all pairs of equal items, when the
    # places of each new item are tried backwards (Hunt and Szymanski 1977).
    wanted = [(new, key) for new, key in zip(free_new, new_keys, strict=True) if key in places]
    if sum(len(places[key]) for _, key in wanted) <= MOST_CANDIDATES:
        candidates = [(old, new) for new, key in wanted for old in reversed(places[key])]
        for position in heaviest_increasing([old for old, _ in candidates], [1] * len(candidates)):
            old, new = candidates[position]
            pairs[new] = old
    taken = set(pairs.values())
    free = {key: iter([place for place in found if place not in taken]) for key, found in places.items()}
    for new, key in wanted:
        old_index = None if new in pairs else next(free[key], None)
        if old_index is not None:
            pairs[new] = old_index


def _member(name: str) -> Callable[[Json], Key]:
    def key(item: Json) -> Key:
        value = item.get(name) if isinstance(item, dict) else None
        return value if isinstance(value, str) else None

    return key


def _is_link(item: Json) -> bool:
    return isinstance(item, dict) and ("url" in item or "label" in item)
