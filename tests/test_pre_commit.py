"""The hook for pre-commit, run by the real one: from a clone of this repository, in a repository with pages."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import ROOT

# What a wheel is built from, and the hook.
NEEDED = ("bio_sync", "schemas", "examples", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")
NO_REGISTRY = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "ProxyError")
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
def environment(tmp_path: Path) -> dict[str, str]:
    """The machine's settings, for pip too; what pre-commit and git keep lies in the folder of the test."""
    own = {
        key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PRE_COMMIT", "XQR_", "PYTHON"))
    }
    author = {f"GIT_{who}_{what}": "ada@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    kept = {"PRE_COMMIT_HOME": str(tmp_path / "home"), "GIT_CONFIG_GLOBAL": os.devnull}
    # Half the time of the installation, for modules that are imported four times.
    return own | author | kept | {"PIP_NO_COMPILE": "1"}


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
    tool, pages = tmp_path / "tool", tmp_path / "pages"
    tool.mkdir()
    for name in (*NEEDED, ".pre-commit-hooks.yaml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tool / name)
    revision = commit(tool, environment)
    (pages / "pages").mkdir(parents=True)
    ours, installed = shown()
    ours = ours.replace("https://github.com/bio-sync/bio-sync", tool.as_uri()).replace("v0.1.0", revision)
    (pages / ".pre-commit-config.yaml").write_text(ours)
    (pages / "pages" / "a.yaml").write_text(PAGE)
    (pages / "README.md").write_text("Mine\n")
    commit(pages, environment)

    good = run(pre_commit("run", "--all-files"), pages, environment)
    if good.returncode and any(word in good.stdout + good.stderr for word in NO_REGISTRY):
        pytest.skip("the package registry can't be reached: the hook is not tried")
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
