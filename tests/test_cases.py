import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import Run

CASES = Path(__file__).parent / "cases"
INVALID = sorted(path for path in (CASES / "invalid").iterdir())
VALID = sorted((CASES / "valid").glob("*.yaml"))
PLACE = re.compile(r"page\.yaml:[1-9][0-9]*:[1-9][0-9]*: [^\x00-\x1f]{1,300}|  hint: [^\x00-\x1f]{1,200}")


@pytest.mark.parametrize("case", INVALID, ids=lambda path: path.name)
def test_a_file_with_problems_is_told_what_stands_beside_it(case: Path, folder: Path, run: Run) -> None:
    shutil.copy(case / "page.yaml", folder)
    result = run("validate", "page.yaml")
    assert result.out == (case / "expected.txt").read_text(encoding="utf-8")
    assert result.code == 1


@pytest.mark.parametrize("case", INVALID, ids=lambda path: path.name)
def test_what_is_told_is_a_line_with_a_place_or_a_hint(case: Path) -> None:
    lines = (case / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert lines
    assert all(PLACE.fullmatch(line) for line in lines)


@pytest.mark.parametrize("case", INVALID, ids=lambda path: path.name)
def test_what_is_told_comes_in_reading_order(case: Path) -> None:
    told = (case / "expected.txt").read_text(encoding="utf-8")
    places = [(int(line), int(column)) for line, column in re.findall(r"^page\.yaml:(\d+):(\d+):", told, re.MULTILINE)]
    assert places == sorted(places)


@pytest.mark.parametrize("case", VALID, ids=lambda path: path.stem)
def test_a_good_file_has_no_problems_and_no_warnings(case: Path, folder: Path, run: Run) -> None:
    shutil.copy(case, folder / "page.yaml")
    result = run("validate", "page.yaml")
    assert (result.code, result.out, result.err) == (0, "1 page file, no problems\n", "")


def test_there_are_cases_of_both_kinds() -> None:
    assert len(INVALID) >= 25
    assert len(VALID) >= 8
