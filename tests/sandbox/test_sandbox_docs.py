"""docs/how-to/sandbox.md: its examples do what the text says, and its tables name everything."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bio_sync.commands import commands
from bio_sync.sandbox import Behaviour, Fault, Sandbox, load_faults, load_seed
from bio_sync.sandbox.pages import EDITABLE
from bio_sync.sandbox.wires import WIRES
from tests.conftest import ROOT, Run

if TYPE_CHECKING:
    from pathlib import Path

Serve = Callable[..., Sandbox]
Ask = Callable[..., httpx.Response]

TEXT = (ROOT / "docs" / "how-to" / "sandbox.md").read_text(encoding="utf-8")
PATH = "/bio/pages/bio_abc123"
LIVE = load_seed(ROOT / "examples" / "live")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def rows(heading: str) -> dict[str, list[str]]:
    """Return the rows of the table under a heading, by the names in their first cell."""
    part = TEXT.partition(f"{heading}\n")[2].partition("\n#")[0]
    found = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in part.splitlines() if line[:3] == "| `"]
    return {name: cells[1:] for cells in found for name in re.findall(r"`([^`]+)`", cells[0])}


@pytest.fixture
def example(serve: Serve, tmp_path: Path) -> Callable[[int], Sandbox]:
    """Serve the example pages with the faults of the JSON block of this number."""

    def start(number: int) -> Sandbox:
        path = tmp_path / "faults.json"
        path.write_text(blocks("json")[number], encoding="utf-8")
        faults, seed = load_faults(path)
        return serve(LIVE, faults=faults, fault_seed=seed, behaviour=Behaviour(burst_limit=1_000))

    return start


def test_every_example_of_a_file_is_tried_here() -> None:
    assert len(blocks("json")) == 3
    assert len(blocks("python")) == 1


def test_a_lost_answer_of_a_write_that_was_carried_out(example: Callable[[int], Sandbox], ask: Ask) -> None:
    sandbox = example(0)
    assert ask(sandbox, "GET", PATH).status_code == 200
    with pytest.raises(httpx.ReadError):
        ask(sandbox, "PATCH", PATH, json={"title": "New"})
    assert ask(sandbox, "GET", PATH).json()["data"]["title"] == "New"
    assert ask(sandbox, "PATCH", PATH, json={"title": "Newer"}).status_code == 200


def test_the_same_without_after_changes_nothing(serve: Serve, ask: Ask) -> None:
    members = json.loads(blocks("json")[0])
    del members["after"]
    sandbox = serve(LIVE, faults=[Fault(**members)])
    with pytest.raises(httpx.ReadError):
        ask(sandbox, "PATCH", PATH, json={"title": "New"})
    assert sandbox.page("bio_abc123")["title"] == "Acme Inc"


def test_one_in_five_requests_fails_and_in_every_run_the_same(example: Callable[[int], Sandbox], ask: Ask) -> None:
    named = re.search(r"the first twenty requests the (.*?) are answered 503", TEXT)
    assert named
    for _ in range(2):
        sandbox = example(1)
        statuses = [ask(sandbox, "GET", "/bio/pages").status_code for _ in range(20)]
        assert [number for number, status in enumerate(statuses, 1) if status == 503] == [
            int(number) for number in re.findall(r"\d+", named[1])
        ]
        assert set(statuses) == {200, 503}


def test_somebody_edits_before_the_second_read(example: Callable[[int], Sandbox], ask: Ask) -> None:
    sandbox = example(2)
    titles = [ask(sandbox, "GET", "/bio/pages").json()["data"][0]["title"] for _ in range(3)]
    assert titles == ["Acme Inc", "Edited by hand", "Edited by hand"]
    (revision,) = sandbox.history
    assert revision.by == "dashboard"


def test_an_apply_notices_the_edit_after_its_plan_and_writes_nothing(
    example: Callable[[int], Sandbox], folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "examples" / "pages", folder / "pages")
    sandbox = example(2)
    monkeypatch.setenv("XQR_API_URL", sandbox.url)
    monkeypatch.setenv("XQR_API_KEY", sandbox.key)
    assert run("plan", "--out", "plan.json").code == 0
    applied = run("apply", "--plan", "plan.json", "--yes")
    assert applied.code == 1
    assert "title" in applied.out + applied.err
    assert [revision.by for revision in sandbox.history] == ["dashboard"]


def test_the_example_in_python_runs(http: httpx.Client, capsys: pytest.CaptureFixture[str]) -> None:
    def run_what_you_test(url: str, key: str) -> None:
        answer = http.patch(f"{url}{PATH}", json={"title": "New"}, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 504

    names: dict[str, Any] = {"run_what_you_test": run_what_you_test}
    exec(blocks("python")[0], names)  # noqa: S102 -- our own document
    assert "'title': 'Acme'" in capsys.readouterr().out
    assert names["sandbox"].history[0].page["title"] == "Edited by hand"


def test_the_tables_name_every_member_with_its_default() -> None:
    told = rows("### Which requests") | rows("### What happens")
    defaults = {field.name: field.default for field in dataclasses.fields(Fault)}
    assert told.keys() == defaults.keys()
    for name in ("skip", "times", "after", "delay"):
        assert told[name][0].strip("`") == json.dumps(defaults[name]).removesuffix(".0")
    assert told["status"][0] == f"`{Fault().status}`"
    assert {name for name in EDITABLE if f"`{name}`" not in told["edits"][1]} == set()


def test_the_table_of_wires_names_every_kind() -> None:
    assert tuple(rows("### How an answer fails on its way")) == WIRES


def test_the_table_of_options_names_every_option_of_the_command(run: Run) -> None:
    options = {name.split()[0] for name in rows("# A sandbox for your own tests")}
    assert options == {"--port", "--seed", "--db", "--faults"}
    own = {name for option in commands.everything()["sandbox"].params for name in option.opts}
    assert options <= own
    assert set(re.findall(r"^  (--\w+)", run("sandbox", "--help").out, re.MULTILINE)) >= options
