"""Whose change an operation is: the file at a base revision, the file now, and the live page tell together."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from bio_sync.alignment import aligned, heaviest_increasing
from bio_sync.jsonvalues import ABSENT, Absent, Json, same

Origin: TypeAlias = Literal["conflict", "drift", "yours"]
# In the order of their urgency.
ORIGINS: Final[tuple[Origin, ...]] = ("conflict", "drift", "yours")


@dataclass(frozen=True, slots=True)
class Base:
    """What a place of the page held when live and file were last the same; with `given` false, nobody knows."""

    value: Json | Absent
    given: bool = True

    def at(self, path: Sequence[str | int]) -> "Base":
        """Give the base of a place inside this one, by a way through objects only."""
        value = self.value
        for token in path:
            value = value.get(str(token), ABSENT) if isinstance(value, dict) else ABSENT
        return Base(value, self.given)

    def origin(self, old: Json | Absent, new: Json | Absent) -> Origin | None:
        """Tell who made `old` and `new` differ: `yours` the file, `drift` the live page, `conflict` both."""
        if not self.given:
            return None
        if same(self.value, old):
            return "yours"
        return "drift" if same(self.value, new) else "conflict"


NO_BASE: Final = Base(ABSENT, given=False)


class ListOrigins:
    """Whose are the steps between two lists, by the identity that `aligned` gives their items.

    `pairs` is `{index in new: index in old}`. A base that is no list is an empty one: all was added since.
    """

    def __init__(self, base: Base, old: Sequence[Json], new: Sequence[Json], pairs: Mapping[int, int]) -> None:
        self._given = base.given
        self._base = base.value if isinstance(base.value, list) else []
        self._old, self._new, self._pairs = old, new, pairs
        # A side that is the base has changed nothing; to pair items that are there twice would be a choice.
        whole = base.origin(list(old), list(new))
        self._only = whole if whole != "conflict" else None
        asked = self._given and self._only is None
        # As the plan pairs `old` with `new`: which of two equal items is the one is chosen the same way.
        self._of_old = {there: here for here, there in aligned(old, self._base).items()} if asked else {}
        self._of_new = aligned(self._base, new) if asked else {}
        self._found: tuple[list[int], list[int], list[int]] | None = None

    def removed(self, index: int) -> Origin | None:
        """Tell whose removal the item of `old` at `index` is: of an item that the base lacks, it is drift."""
        return self._only or self._item(self._of_old.get(index)).origin(self._old[index], ABSENT)

    def added(self, index: int) -> Origin | None:
        """Tell whose addition the item of `new` at `index` is: of an item that the base has, it is drift."""
        return self._only or self._item(self._of_new.get(index)).origin(ABSENT, self._new[index])

    def edited(self, index: int) -> Base:
        """Give what the base has for the pair of items that stands at `index` in `new`."""
        if self._only is not None:
            return Base(self._old[self._pairs[index]] if self._only == "yours" else self._new[index])
        return self._item(self._base_index(index))

    def moved(self, index: int, stays: Sequence[int]) -> Origin | None:
        """Tell who moved the item that stands at `index` in `new`; `stays` are the items there that nobody moves.

        Between which two of those that stand in the order of the base, too, an item is found, in the base, in
        `old` and in `new`, is told apart like any other value. What the base does not have is a conflict.
        """
        if self._only is not None or not self._given:
            return self._only
        base_index = self._base_index(index)
        if base_index is None:
            return "conflict"
        in_base, in_old, in_new = self._settled(stays)
        was = bisect_left(in_base, base_index)
        live = bisect_left(in_old, self._pairs[index])
        now = bisect_left(in_new, index)
        if live == now:
            return "conflict"
        return "yours" if was == live else "drift" if was == now else "conflict"

    def _settled(self, stays: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
        """Give the indexes, in base, `old` and `new`, of what stands in one order everywhere; found out once."""
        if self._found is None:
            known = [(base, item) for item in stays if (base := self._base_index(item)) is not None]
            kept = [known[position] for position in heaviest_increasing([base for base, _ in known], [1] * len(known))]
            self._found = (
                [base for base, _ in kept],
                [self._pairs[item] for _, item in kept],
                [item for _, item in kept],
            )
        return self._found

    def _base_index(self, index: int) -> int | None:
        by_new, by_old = self._of_new.get(index), self._of_old.get(self._pairs[index])
        if by_new is None or by_old is None:
            return by_old if by_new is None else by_new
        return by_new if by_new == by_old else None

    def _item(self, index: int | None) -> Base:
        return Base(ABSENT if index is None else self._base[index], self._given)
