"""The reading of a list that shifts, without a network: thousands of shifts cost no sockets."""

import random

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


@given(count=st.integers(201, 620), strangers=st.integers(0, 20), order=st.randoms())
def test_a_list_in_another_order_each_time_has_no_wanted_page_called_gone(
    count: int, strangers: int, order: random.Random
) -> None:
    ids = [f"bio_{number}" for number in range(count)]

    def read_batch(offset: int) -> Batch:
        order.shuffle(ids)
        return dict.fromkeys(ids[offset : offset + 200], PAGE)

    listing = Listing(read_batch, frozenset(sorted(ids)[strangers:]))
    listing.read()
    assert listing.wanted <= listing.pages.keys() | set(listing.doubtful)
    assert not listing.pages.keys() & set(listing.doubtful)


@given(wanted=st.integers(51, 70))
def test_pages_behind_a_first_answer_that_is_always_the_same_are_asked_for_and_not_called_gone(wanted: int) -> None:
    ids = [f"bio_{number:03}" for number in range(wanted)]
    listing = Listing(lambda _: dict.fromkeys(ids[:50], PAGE), frozenset(ids))
    listing.read()
    assert (listing.batches, listing.doubtful) == (2, ids[50:])


@given(gone=st.integers(21, 90))
def test_more_gone_pages_than_are_worth_it_are_not_asked_for_in_every_run(gone: int) -> None:
    there = [f"bio_{number}" for number in range(100)]
    wanted = frozenset(there) | {f"gone_{number}" for number in range(gone)}
    listing = Listing(lambda _: dict.fromkeys(there, PAGE), wanted)
    listing.read()
    assert (listing.batches, listing.doubtful) == (2, [])


@given(wanted=st.integers(101, 1_000), known=st.integers(0, 2))
def test_hundreds_of_pages_of_another_workspace_are_not_asked_for_one_by_one(wanted: int, known: int) -> None:
    there = [f"bio_{number}" for number in range(known)] + [f"other_{number}" for number in range(100 - known)]
    listing = Listing(lambda _: dict.fromkeys(there, PAGE), frozenset(f"bio_{number}" for number in range(wanted)))
    listing.read()
    assert (listing.batches, listing.doubtful) == (2, [])
