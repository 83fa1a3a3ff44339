"""The hook for pre-commit, run by the real one: from a clone of this repository, in a repository with pages."""

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.packages import SOURCE, copied

PAGE = "id: bio_a\ntitle: A\npage_data:\n  links:\n    - label: Shop\n      url: https://shop.example\n"


def run(command: list[str], folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=110
    )


def commit(folder: Path, environment: Mapping[str, str]) -> str:
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "All"]):
        assert run(["git", *command], folder, environment).returncode == 0
    return run(["git", "rev-parse", "HEAD"], folder, environment).stdout.strip()


@pytest.fixture
def libraries(tmp_path: Path) -> Path:
    """All that is installed here but bio-sync: hatchling for the wheel, and what the wheel needs."""
    folder = tmp_path / "libraries"
    folder.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.suffix != ".pth" and "bio_sync" not in entry.name:
            (folder / entry.name).symlink_to(entry)
    return folder


@pytest.fixture
def environment(tmp_path: Path, libraries: Path) -> dict[str, str]:
    """The machine's settings; what pre-commit and git keep lies in the folder of the test.

    pip builds the wheel and installs it by what is here already, and asks nobody: a quarter of the time. What it would
    fetch, and that it is enough, tests/test_install.py and tests/action/test_flows.py try.
    """
    own = {
        key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PRE_COMMIT", "XQR_", "PYTHON"))
    }
    author = {f"GIT_{who}_{what}": "ada@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    kept = {"PRE_COMMIT_HOME": str(tmp_path / "home"), "GIT_CONFIG_GLOBAL": os.devnull}
    # pip's own way to say --no-build-isolation is a zero.
    pip = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_COMPILE": "1"}
    return own | author | kept | pip | {"PYTHONPATH": str(libraries)}


def shown() -> list[str]:
    """Give the configurations in docs/how-to/editors.md: the hook of this repository, and that of an installed tool."""
    text = (ROOT / "docs" / "how-to" / "editors.md").read_text("utf-8")
    return [block for block in re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE) if "hooks:" in block]


def pre_commit(*words: str) -> list[str]:
    return [sys.executable, "-m", "pre_commit", *words]


def test_the_manifest_is_one_that_pre_commit_takes(environment: dict[str, str]) -> None:
    done = run(pre_commit("validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")), ROOT, environment)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_hook_lets_good_pages_pass_and_names_the_place_and_the_way_out_in_broken_ones(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    pages = tmp_path / "pages"
    tool = copied(tmp_path / "tool", (*SOURCE, ".pre-commit-hooks.yaml"))
    revision = commit(tool, environment)
    (pages / "pages").mkdir(parents=True)
    ours, installed = shown()
    ours = ours.replace("https://github.com/bio-sync/bio-sync", tool.as_uri()).replace("v0.1.0", revision)
    (pages / ".pre-commit-config.yaml").write_text(ours)
    (pages / "pages" / "a.yaml").write_text(PAGE)
    (pages / "README.md").write_text("Mine\n")
    commit(pages, environment)

    good = run(pre_commit("run", "--all-files"), pages, environment)
    assert (good.returncode, good.stdout.count("Passed")) == (0, 1), good.stdout + good.stderr

    # A file for the page that another one is for: only who reads both can see it.
    (pages / "pages" / "b.yaml").write_text(PAGE.replace("https://shop", "ftp://shop"))
    run(["git", "add", "--all"], pages, environment)
    broken = run(pre_commit("run", "--files", "pages/b.yaml"), pages, environment)
    assert broken.returncode == 1
    assert (
        "pages/b.yaml:1:5: /id: the id 'bio_a' is that of pages/a.yaml:1 too\n"
        "  hint: one page, one file: remove one of the two\n"
        "pages/b.yaml:6:12: /page_data/links/0/url: 'ftp://shop.example' is not a web address\n"
        "  hint: a link begins with https://, http://, mailto:, tel: or sms:\n"
    ) in broken.stdout

    elsewhere = run(pre_commit("run", "--files", "README.md"), pages, environment)
    assert (elsewhere.returncode, "(no files to check)Skipped" in elsewhere.stdout) == (0, True)

    (pages / ".pre-commit-config.yaml").write_text(installed)
    with_tool = {"PATH": os.pathsep.join((str(Path(sys.executable).parent), environment["PATH"]))}
    system = run(pre_commit("run", "--files", "pages/b.yaml"), pages, environment | with_tool)
    assert (system.returncode, system.stdout) == (1, broken.stdout)
