import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync.jsonvalues import (
    LARGEST_EXACT,
    MOST_LIVE_LEVELS,
    Json,
    TooDeep,
    canonical,
    digest,
    json_text,
    normalised,
    same,
)

SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.0, 2.0]),
    st.text(max_size=3),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "x-a"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def nested(levels: int, *, in_mappings: bool) -> Json:
    value: Json = []
    for _ in range(levels - 1):
        value = {"a": value} if in_mappings else [value]
    return value


def holds(value: Json, found: Any) -> bool:
    if isinstance(value, dict):
        return any(found(key) or holds(member, found) for key, member in value.items())
    if isinstance(value, list):
        return any(found(item) or holds(item, found) for item in value)
    return False


@given(VALUES)
def test_normalising_twice_is_normalising_once(value: Json) -> None:
    once = normalised(value)
    assert canonical(normalised(once)) == canonical(once)


@given(VALUES, VALUES)
def test_values_are_the_same_exactly_when_their_canonical_texts_are(one: Json, other: Json) -> None:
    one, other = normalised(one), normalised(other)
    assert same(one, other) == (canonical(one) == canonical(other))


@given(VALUES)
def test_a_value_is_the_same_as_itself_after_a_trip_through_json(value: Json) -> None:
    value = normalised(value)
    assert same(normalised(json.loads(json.dumps(value))), value)


@given(VALUES)
def test_keys_of_the_author_are_left_out_at_every_depth(value: Json) -> None:
    without = normalised(value, without_author_keys=True)
    assert not holds(without, lambda name: isinstance(name, str) and name.startswith("x-") and name == "x-a")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": None, "b": 1}, {"b": 1}),
        ({"a": {"b": None}}, {"a": {}}),
        ([None, 1, None], [1]),
        ([{"a": None}], [{}]),
        (1.0, 1),
        (-0.0, 0),
        (1.5, 1.5),
        (float(LARGEST_EXACT), LARGEST_EXACT),
        (True, True),
        ({"x-note": 1}, {"x-note": 1}),
        ("", ""),
    ],
)
def test_the_normal_form_has_no_nulls_and_one_kind_of_number(value: Json, expected: Json) -> None:
    result = normalised(value)
    assert same(result, expected)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (0, False), (1, "1"), (0, ""), ([], {}), ({}, None), ([1, 2], [2, 1]), ({"a": 1}, {"a": 1, "b": 2})],
)
def test_what_json_tells_apart_is_not_the_same(one: Json, other: Json) -> None:
    assert not same(one, other)
    assert not same(other, one)


def test_the_order_of_keys_means_nothing() -> None:
    one: Json = {"a": 1, "b": 2}
    other: Json = {"b": 2, "a": 1}
    assert same(one, other)
    assert digest(one) == digest(other)


def test_a_number_and_true_have_different_digests() -> None:
    assert digest([1]) != digest([True])


def test_the_digest_names_its_kind() -> None:
    assert digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_what_json_cannot_write_has_no_canonical_text() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical(math.nan)


@pytest.mark.parametrize("in_mappings", [True, False])
def test_the_deepest_value_is_taken_and_one_level_more_refused(in_mappings: bool) -> None:
    deepest = nested(MOST_LIVE_LEVELS, in_mappings=in_mappings)
    assert normalised(deepest) == deepest
    with pytest.raises(TooDeep):
        normalised(nested(MOST_LIVE_LEVELS + 1, in_mappings=in_mappings))


@given(st.text(st.sampled_from("#[vso:a"), max_size=12))
def test_no_runner_command_stands_in_the_json_that_is_printed(text: str) -> None:
    written = json_text({"title": text})
    assert "##" not in written
    assert json.loads(written) == {"title": text}
