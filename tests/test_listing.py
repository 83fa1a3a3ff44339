"""The reading of a list that shifts, without a network: thousands of shifts cost no sockets."""

from hypothesis import given
from hypothesis import strategies as st

from bio_sync.listing import Batch, Listing
from bio_sync.model import PageContent
from tests import strategies as some

PAGE = some.live_page(PageContent("T", "", {}, published=True))


@given(
    count=st.integers(1, 620),
    moves=st.dictionaries(st.integers(2, 9), st.integers(0, 10_000), max_size=2),
    wanted=st.integers(0, 10),
)
def test_pages_that_only_move_are_never_missed_nor_met_twice(count: int, moves: dict[int, int], wanted: int) -> None:
    ids = [f"bio_{number}" for number in range(count)]
    calls = 0

    def read_batch(offset: int) -> Batch:
        nonlocal calls
        calls += 1
        if calls in moves:
            ids.insert(0, ids.pop(moves[calls] % count))
        return dict.fromkeys(ids[offset : offset + 200], PAGE)

    listing = Listing(read_batch, frozenset(ids[:wanted]))
    listing.read()
    assert sorted(listing.pages) == sorted(ids)
    assert calls <= 3 * (count // 200 + 2)


@given(count=st.integers(201, 620), removed=st.integers(0, 300), call=st.integers(2, 4))
def test_wanted_pages_are_found_or_doubted_when_others_are_removed_before_them(
    count: int, removed: int, call: int
) -> None:
    ids = [f"bio_{number}" for number in range(count)]
    wanted = frozenset(ids)
    calls = 0

    def read_batch(offset: int) -> Batch:
        nonlocal calls
        calls += 1
        if calls == call:
            del ids[:removed]
        return dict.fromkeys(ids[offset : offset + 200], PAGE)

    listing = Listing(read_batch, wanted)
    listing.read()
    assert set(ids) <= listing.pages.keys() | set(listing.doubtful)
