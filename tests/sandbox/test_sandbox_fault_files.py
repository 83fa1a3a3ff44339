"""Files of faults: what they may say, and how plainly a mistake in one is told."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync.sandbox import Fault, load_faults
from bio_sync.sandbox.fault_files import _TYPES
from bio_sync.sandbox.wires import WIRES, WIRES_OF_AN_ANSWER

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "faults.json"


def told(path: Path, content: object) -> str:
    """Return what is said of a file with this content, which is wrong."""
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(ValueError, match=r"faults\.json: ") as caught:
        load_faults(path)
    return str(caught.value).removeprefix(f"{path}: ")


def test_one_fault_a_list_and_a_list_with_a_seed_are_read(path: Path) -> None:
    for content, seed in (
        ({"wire": "reset"}, 0),
        ([{"wire": "reset"}], 0),
        ({"seed": 7, "faults": [{"wire": "reset"}]}, 7),
    ):
        path.write_text(json.dumps(content))
        assert load_faults(path) == ([Fault(wire="reset")], seed)
    nothing: object
    for nothing in ([], {"faults": []}, {"seed": 1}):
        path.write_text(json.dumps(nothing))
        assert load_faults(path).faults == []


def test_a_file_can_say_every_member_of_a_fault() -> None:
    assert {field.name for field in dataclasses.fields(Fault)} == set(_TYPES)


def test_what_a_file_leaves_out_is_as_in_python(path: Path) -> None:
    for members in (
        {},
        {"wire": "hang"},
        {"edits": {"bio_a": {"title": "x"}}},
        {"delay": 1},
        {"late": 1},
        {"after": True},
    ):
        path.write_text(json.dumps(members))
        assert load_faults(path).faults == [Fault(**members)]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"stauts": 500}, "a fault has no member 'stauts', did you mean 'status'?"),
        ({"drop": True}, "a fault has no member 'drop'"),
        ({"wire": "truncated"}, "wire: there is no kind 'truncated', did you mean 'truncate'?"),
        ({"wire": "xyz"}, f"wire: there is no kind 'xyz'; there are {', '.join(WIRES)}"),
        ({"method": "PACTH"}, "method: there is no method 'PACTH', did you mean 'PATCH'?"),
        ({"status": "500"}, 'status: must be a whole number or null, not "500"'),
        ({"status": True}, "status: must be a whole number or null, not true"),
        ({"status": 500.0}, "status: must be a whole number or null, not 500.0"),
        ({"status": 0}, "status: must be from 200 to 599, not 0"),
        ({"status": 103}, "status: must be from 200 to 599, not 103"),
        ({"status": 600}, "status: must be from 200 to 599, not 600"),
        ({"times": 0}, "times: must be 1 or more, or null for all, not 0"),
        ({"times": False}, "times: must be a whole number or null, not false"),
        ({"skip": -1}, "skip: must be 0 or more, not -1"),
        ({"skip": None}, "skip: must be a whole number, not null"),
        ({"probability": 1.5}, "probability: must be from 0 to 1, not 1.5"),
        ({"probability": -0.1}, "probability: must be from 0 to 1, not -0.1"),
        ({"probability": True}, "probability: must be a number or null, not true"),
        ({"delay": -1}, "delay: must be from 0 to 1000000000 seconds, not -1"),
        ({"delay": "1"}, 'delay: must be a number, not "1"'),
        ({"delay": 10**400}, "delay: must be from 0 to 1000000000 seconds, not 1" + "0" * 39),
        ({"late": -0.5}, "late: must be from 0 to 1000000000 seconds, not -0.5"),
        ({"late": 5, "after": True}, "late and after: a request is carried out first or late, not both"),
        ({"late": 5, "status": None}, "late: meanwhile the request needs a status that tells, or a wire that hides"),
        ({"wire": "reset", "status": 500}, "status: nobody gets to see it, as the wire is 'reset'"),
        ({"wire": "hang", "body": "x"}, "body: nobody gets to see it, as the wire is 'hang'"),
        ({"status": None, "code": "X"}, "code: an answer that is left as it is takes none; it needs a status"),
        ({"body": "x", "code": "X"}, "body and code: a whole body leaves no place for an envelope"),
        ({"body": "x", "message": "X"}, "body and message: a whole body leaves no place for an envelope"),
        ({"body": "x", "status": 204}, "body: an answer 204 has none"),
        ({"headers": {"Retry-After": 1}}, "headers: Retry-After: must be a string, not 1"),
        ({"headers": []}, "headers: must be an object, not []"),
        ({"headers": {"A b": "1"}}, "headers: 'A b' can not be the name of a header"),
        ({"headers": {"A": "1\r\nB: 2"}}, "headers: A can not have the value '1\\r\\nB: 2'"),
        ({"headers": {"A": "✓"}}, "headers: A can not have the value '✓'"),
        (
            {"headers": {"content-length": "5"}},
            "headers: content-length follows from the body; to make it a lie, use wire",
        ),
        ({"edits": {"bio_a": "x"}}, 'edits: bio_a: must be an object, not "x"'),
        ({"edits": {"bio_a": {}}}, "edits: of the page 'bio_a' nothing is changed"),
        ({"edits": {"bio_a": {"titel": "x"}}}, "edits: a page has no 'titel' to edit, did you mean 'title'?"),
        ({"edits": {"bio_a": {"slug": "x"}}}, "edits: a page has no 'slug' to edit"),
        ({"edits": {"bio_a": {"title": 5}}}, "edits: bio_a: title: 5 is not what a page has there"),
        ({"edits": {"bio_a": {"view_count": True}}}, "edits: bio_a: view_count: True is not what a page has there"),
        (5, "must be an object, not 5"),
        (None, "must be an object, not null"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_its_member(path: Path, fault: object, words: str) -> None:
    assert told(path, [{}, fault]) == f"fault 2: {words}"
    assert told(path, {"seed": 1, "faults": [fault]}) == f"fault 1: {words}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"seed": True, "faults": []}, "seed: must be a whole number, not true"),
        ({"seed": 1.5, "faults": []}, "seed: must be a whole number, not 1.5"),
        ({"faults": {}}, "faults: must be a list of faults"),
        ({"faults": [], "sede": 1}, "the file has no member 'sede', did you mean 'seed'?"),
        ({"fautls": []}, "fault 1: a fault has no member 'fautls', did you mean 'faults'?"),
        ('{"delay": NaN}', "not JSON in UTF-8: NaN is no number of JSON"),
        ('{"delay": -Infinity}', "not JSON in UTF-8: -Infinity is no number of JSON"),
        ('{"delay": 1e999}', "fault 1: delay: must be from 0 to 1000000000 seconds, not inf"),
        ('{"status": 500, "status": 502}', "not JSON in UTF-8: the member 'status' stands twice in one object"),
    ],
)
def test_a_mistake_round_the_faults_is_told(path: Path, content: object, words: str) -> None:
    assert told(path, content) == words


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"9" * 5_000, b"\xef\xbb\xbf{}"])
def test_what_is_not_json_is_told_as_that(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"faults\.json: not JSON in UTF-8: "):
        load_faults(path)


def test_a_file_that_can_not_be_read_is_told_plainly(path: Path) -> None:
    with pytest.raises(OSError, match=r"faults\.json: No such file or directory$"):
        load_faults(path)


@pytest.mark.parametrize(
    "members",
    [{"delay": float("nan")}, {"probability": float("nan")}, {"late": float("inf")}, {"wire": "reset", "status": 500}],
)
def test_python_is_as_strict_as_a_file(members: Any) -> None:
    with pytest.raises(ValueError, match=r"^(delay|probability|late|status): "):
        Fault(**members)


@pytest.mark.parametrize("wire", WIRES)
def test_only_a_wire_that_spoils_an_answer_takes_one(path: Path, wire: str) -> None:
    content = {"wire": wire, "status": 502, "body": "<h1>"}
    if wire in WIRES_OF_AN_ANSWER:
        path.write_text(json.dumps(content))
        assert load_faults(path).faults[0].status == 502
    else:
        assert "nobody gets to see it" in told(path, content)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
members = st.dictionaries(st.sampled_from([*_TYPES, "seed", "faults", "x"]), json_values, max_size=4)


@given(json_values | members | st.lists(members, max_size=3))
def test_any_json_is_read_or_refused_in_one_line(tmp_path: Path, content: object) -> None:
    path = tmp_path / "faults.json"
    path.write_text(json.dumps(content))
    try:
        load_faults(path)
    except ValueError as error:
        words = str(error)
    else:
        return
    assert words.startswith(f"{path}: ")
    assert len(words.splitlines()) == 1
