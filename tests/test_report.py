"""Problems as text, and read again from JSON that others may have written."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync.jsonvalues import Json
from bio_sync.pages import MOST_OF_A_POINTER
from bio_sync.problems import Problem
from bio_sync.report import problem_of, problem_text
from bio_sync.visible import visible

LINK = Problem("pages/a.yaml", 3, 7, "/page_data/links/0", "no link", "write one", "bad-link")
shown = st.text().map(visible)
problems = st.builds(
    Problem, shown, st.integers(), st.integers(), shown, shown.filter(bool), shown, st.sampled_from(("", "bad-link"))
)


@given(problems)
def test_a_problem_survives_its_json(problem: Problem) -> None:
    assert problem_of(json.loads(json.dumps(asdict(problem)))) == problem


@given(st.text(min_size=1))
def test_what_a_file_says_is_made_visible_once_more(text: str) -> None:
    read = problem_of({"file": text, "line": 1, "column": 1, "pointer": text, "message": text, "hint": text})
    assert read == Problem(visible(text), 1, 1, visible(text), visible(text), visible(text), "")


@pytest.mark.parametrize(("member", "value"), [("message", ""), ("message", None), ("line", "3"), ("column", 1.5)])
def test_what_says_nothing_or_has_no_place_is_no_problem(member: str, value: Json) -> None:
    document: dict[str, Json] = asdict(LINK)
    assert problem_of(document) == LINK
    assert problem_of(document | {member: value}) is None
    del document[member]
    assert problem_of(document) is None


@pytest.mark.parametrize("value", [None, "a", [], 1])
def test_what_is_no_object_is_no_problem(value: Json) -> None:
    assert problem_of(value) is None


def test_a_problem_is_a_line_with_its_place_and_a_line_with_its_hint() -> None:
    assert problem_text(LINK) == "pages/a.yaml:3:7: /page_data/links/0: no link\n  hint: write one\n"


@given(st.text(st.sampled_from("/ab~1"), min_size=MOST_OF_A_POINTER + 1, max_size=3 * MOST_OF_A_POINTER))
def test_a_place_deep_inside_a_page_does_not_fill_the_screen(pointer: str) -> None:
    half = MOST_OF_A_POINTER // 2
    line, _ = problem_text(Problem("a.yaml", 1, 1, pointer, "no link", "", "")).split("\n")
    assert line == f"a.yaml:1:1: {pointer[:half]}…{pointer[-half:]}: no link"
