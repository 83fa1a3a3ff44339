"""The workspaces of the benchmark: the same every time, and what is said to differ does."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import workspaces


@given(number=st.integers(min_value=0, max_value=99_999))
def test_a_file_says_what_its_page_is_to_be(number: int) -> None:
    assert yaml.safe_load(workspaces.as_yaml(number)) == workspaces.desired(number)


@pytest.mark.parametrize(
    ("pages", "percent", "changes"), [(1, 0, 0), (1, 100, 1), (25, 1, 1), (25, 30, 8), (9, 100, 9)]
)
def test_just_the_named_pages_differ_and_their_patches_put_them_right(
    pages: int, percent: int, changes: int, tmp_path: Path
) -> None:
    made = workspaces.make(tmp_path / "w", pages=pages, percent=percent)
    files = sorted((made.folder / "pages").iterdir())
    wanted = {page["id"]: page for page in (yaml.safe_load(file.read_text(encoding="utf-8")) for file in files)}
    live = {page["id"]: page for page in json.loads(made.live.read_text(encoding="utf-8"))}
    differ = [key for key, page in wanted.items() if any(live[key][name] != page[name] for name in page)]
    assert (len(wanted), len(live), len(differ), differ) == (pages, pages, changes, list(made.changed))
    for key, body in json.loads(made.patches.read_text(encoding="utf-8")):
        assert {name: (live[key] | json.loads(body))[name] for name in wanted[key]} == wanted[key]


def test_pages_are_of_the_size_that_the_figures_are_told_for() -> None:
    page = workspaces.desired(7)
    live = json.dumps(workspaces.live_page(7, page), ensure_ascii=False, separators=(",", ":"))
    data = json.dumps(page["page_data"], ensure_ascii=False, separators=(",", ":"))
    assert 1_300 < len(workspaces.as_yaml(7).encode()) < 1_700
    assert 1_100 < len(data.encode()) < 1_400
    assert 1_500 < len(live.encode()) < 1_900
