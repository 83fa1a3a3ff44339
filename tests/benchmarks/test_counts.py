"""What a run costs, in counts that are the same on every machine: calls, modules, files, bytes, diffs, instructions.

Seconds are for `make bench`; these are what keeps them where they are (`make bench-check`).
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import deepdiff
import pytest

from benchmarks.instructions import can_count, instructions
from benchmarks.workspaces import Workspace, make
from bio_sync.sandbox import Sandbox
from tests.conftest import ROOT, Run

pytestmark = pytest.mark.counts
Start = Callable[..., Sandbox]
# What takes long to load, and what each command that does its job without a difference or a mistake needs of it.
HEAVY = {
    *("asyncio", "dataclasses", "deepdiff", "fastjsonschema", "httpcore", "httpx", "jinja2", "jsonschema", "pathlib"),
    *("pygments", "referencing", "rich", "ruamel", "tenacity", "traceback", "unicodedata", "yaml"),
}


def served(place: Workspace, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    monkeypatch.chdir(place.folder)
    return start_sandbox(json.loads(place.live.read_text()))


def counted(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    target = tmp_path / "counts.json"
    command = [sys.executable, "-m", "benchmarks.counting", str(target), *arguments]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(target.read_text())
    return found


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def heavy(found: dict[str, Any]) -> set[str]:
    return {name.partition(".")[0] for name in found["modules"]} & HEAVY


# Calls


@pytest.mark.parametrize(("pages", "lists"), [(1, 1), (2, 1), (200, 1), (201, 2), (450, 3)])
def test_a_plan_costs_one_call_for_200_pages(
    pages: int, lists: int, tmp_path: Path, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    running = served(make(tmp_path / "here", pages=pages, percent=1), start_sandbox, monkeypatch)
    assert run("plan").code == 0
    assert [request.method for request in running.requests] == ["GET"] * lists


def test_an_apply_costs_the_plan_and_one_call_for_each_page_that_differs(
    tmp_path: Path, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    place = make(tmp_path / "here", pages=201, percent=5)
    running = served(place, start_sandbox, monkeypatch)
    assert run("apply", "--yes").code == 0
    methods = [request.method for request in running.requests]
    assert methods == ["GET"] * 2 + ["PATCH"] * len(place.changed) == ["GET"] * 2 + ["PATCH"] * 11


# Modules


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_help_and_version_load_click_and_little_else(option: str, tmp_path: Path) -> None:
    found = counted(tmp_path, option)
    own = [name for name in found["modules"] if name.startswith("bio_sync")]
    assert heavy(found) <= {"dataclasses"}
    assert len(own) <= 13, own


def test_good_files_are_checked_without_jsonschema_and_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make(tmp_path / "here", pages=3, percent=0).folder)
    Path("bio-sync.yaml").write_text("pages: [pages]\nignore: [/title]\nsafety: {max_changes: 30%}\n")
    found = counted(tmp_path, "validate")
    assert heavy(found) <= {"dataclasses", "pathlib", "yaml", "fastjsonschema", "unicodedata"}
    assert "ssl" not in found["modules"]


def test_a_saved_plan_is_shown_again_without_jsonschema(
    tmp_path: Path, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    served(make(tmp_path / "here", pages=3, percent=100), start_sandbox, monkeypatch)
    assert run("plan", "--out", "plan.json").code == 0
    assert heavy(counted(tmp_path, "show", "plan.json")) <= {
        "dataclasses",
        "pathlib",
        "fastjsonschema",
        "unicodedata",
        "yaml",
    }


@pytest.mark.parametrize("percent", [0, 100])
def test_a_plan_loads_httpx_without_its_command_line_and_no_deepdiff_for_flat_changes(
    percent: int, tmp_path: Path, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(make(tmp_path / "here", pages=3, percent=percent), start_sandbox, monkeypatch)
    found = counted(tmp_path, "plan")
    usual = {"dataclasses", "pathlib", "yaml", "fastjsonschema", "unicodedata"}
    # httpx loads logging, and logging traceback.
    assert heavy(found) <= {*usual, "httpx", "httpcore", "tenacity", "traceback"}
    assert "httpx._main" not in found["modules"]


# Files


def test_a_plan_opens_each_page_file_once_and_reads_its_bytes_once(
    tmp_path: Path, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make(tmp_path / "here", pages=25, percent=100)
    served(place, start_sandbox, monkeypatch)
    found = counted(tmp_path, "plan")
    # By their names alone, in the folder that was opened once.
    files = {file.name: file.stat().st_size for file in (place.folder / "pages").iterdir()}
    assert {name: found["opened"].get(name) for name in files} == dict.fromkeys(files, 1)
    assert found["opened"][str(place.folder / "pages")] == 1
    assert found["bytes_read"] == sum(files.values())
    schemas = [name for name in found["opened"] if name.endswith(".schema.json")]
    assert [Path(name).name for name in schemas] == ["page.schema.json"]


def test_what_is_opened_and_read_twice_is_counted_twice(tmp_path: Path) -> None:
    (tmp_path / "cli.py").write_text("import os\ndef run(_):\n  for _ in '12': os.close(os.open('x', 0))\n  return 0\n")
    (tmp_path / "x").write_text("x")
    code = "import sys, types; sys.modules['bio_sync'] = types.ModuleType('bio_sync'); sys.modules['bio_sync.cli'] = "
    code += "__import__('cli'); from benchmarks import counting; sys.argv = ['', 'out.json']; counting.main()"
    paths = os.pathsep.join([str(ROOT), str(tmp_path)])
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths}, check=True)
    assert json.loads((tmp_path / "out.json").read_text())["opened"]["x"] == 2


# Diffs


def test_deepdiff_is_asked_once_for_each_page_with_a_change_in_an_object_in_an_object(
    tmp_path: Path, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    asked: list[tuple[Any, Any]] = []

    class Counted(deepdiff.DeepDiff):
        def __init__(self, old: Any, new: Any, **more: Any) -> None:
            if "_parameters" not in more:
                asked.append((old, new))
            super().__init__(old, new, **more)

    monkeypatch.setattr(deepdiff, "DeepDiff", Counted)
    place = make(tmp_path / "here", pages=12, percent=100)
    live = json.loads(place.live.read_text())
    for page in live[:4]:
        page["page_data"]["layout"]["columns"] = 9
    place.live.write_text(json.dumps(live))
    served(place, start_sandbox, monkeypatch)
    assert run("plan").out.count("  pages/page-000") == 12
    # The keys that differ, and nothing of what is the same.
    assert [(sorted(old), sorted(new)) for old, new in asked] == [(["layout"], ["layout"])] * 4


# Instructions


# Valgrind makes a run take fifty times as long, so there are two of them: both compare with something in the same run.


@pytest.mark.timeout(600)
@pytest.mark.skipif(not can_count(), reason="valgrind is not installed")
def test_the_help_takes_few_instructions_more_than_to_load_click(tmp_path: Path) -> None:
    click, own = (
        instructions([sys.executable, *arguments], folder=tmp_path, environment=environment())
        for arguments in (("-c", "import click"), ("-m", "bio_sync", "--help"))
    )
    assert own <= 1.3 * click, f"{own / click:.2f} times"


@pytest.mark.timeout(600)
@pytest.mark.skipif(not can_count(), reason="valgrind is not installed")
def test_a_plan_of_25_pages_takes_at_most_three_times_the_instructions_of_its_floor(
    tmp_path: Path, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make(tmp_path / "here", pages=25, percent=1)
    host = served(place, start_sandbox, monkeypatch).url.split("/")[2]
    floor, own = (
        instructions([sys.executable, *arguments], folder=place.folder, environment=environment())
        for arguments in (
            (str(ROOT / "benchmarks" / "floor.py"), "plan", host, "pages"),
            ("-m", "bio_sync", "plan"),
        )
    )
    assert own <= 3 * floor, f"{own / floor:.2f} times"


def test_each_further_page_takes_a_bounded_number_of_calls_of_functions(
    tmp_path: Path, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    taken = dict[int, int]()
    for pages in (60, 20, 60):
        place = make(tmp_path / f"{pages}-{len(taken)}", pages=pages, percent=0)
        served(place, start_sandbox, monkeypatch)
        seen: list[str] = []
        sys.setprofile(lambda _, event, __, seen=seen: seen.append(event))  # type: ignore[misc]
        try:
            assert run("plan").code == 0
        finally:
            sys.setprofile(None)
        taken[pages] = seen.count("call") + seen.count("c_call")
    # Some 1,560 with Python 3.11: 98 scalars to tell from numbers, 35 keys, 9 links, the live page. It was 7,000 once.
    assert (taken[60] - taken[20]) / 40 < 1_600, taken
