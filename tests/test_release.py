"""How bio-sync is released: our own workflows, the notes of a release, and the image."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bio_sync import __version__
from tests.conftest import ROOT
from tests.packages import SOURCE, build, copied
from tests.runner.play import read_yaml
from tests.test_workflows import OURS, tool

CHECK, RELEASE = OURS
DOCKERFILE = ROOT / "Dockerfile"


# The workflows


def test_nothing_is_signed_or_published_before_somebody_says_yes_and_then_nothing_of_this_repository_runs() -> None:
    jobs = read_yaml(RELEASE)["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "build": {"contents": "read"},
        "publish": {"id-token": "write", "attestations": "write"},
        "announce": {"contents": "write"},
    }
    waiting = {name for name, job in jobs.items() if job.get("environment") == "release"}
    assert waiting == {name for name, job in jobs.items() if "id-token" in job["permissions"]} == {"publish"}
    assert (jobs["publish"]["needs"], jobs["announce"]["needs"]) == ("build", "publish")
    # No checkout and no shell where a token is: what is published is what `build` has kept, attested first.
    used = [step["uses"].partition("@")[0] for step in jobs["publish"]["steps"]]
    assert used == ["actions/download-artifact"] * 2 + ["actions/attest"] * 2 + ["pypa/gh-action-pypi-publish"]
    assert all("run" not in step for step in jobs["publish"]["steps"])


def says(job: str, step: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the shell lines of a step of the release, as GitHub runs them."""
    steps = read_yaml(RELEASE)["jobs"][job]["steps"]
    (lines,) = [each["run"] for each in steps if each.get("name", "").startswith(step)]
    command, given = ["bash", "-e", "-c", lines], os.environ | environment
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)


def test_a_tag_whose_commit_is_not_on_main_is_refused_before_anything_else(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        author = ("-c", "user.name=Ada", "-c", "user.email=ada@shop.example")
        done = subprocess.run(["git", *author, *words], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "--quiet", "--initial-branch=main")
    for name in ("main", "side"):
        git("switch", "--quiet", "--force-create", name)
        git("commit", "--quiet", "--allow-empty", "--message", name)
        # As the checkout of a whole repository leaves it.
        git("update-ref", "refs/remotes/origin/main", "main")
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "release_notes.py").write_text("print('notes')")
    on_side = says("build", "Refuse", tmp_path, GITHUB_SHA=git("rev-parse", "side"))
    refusal = "error: the commit of this tag is not on main: merge it first, then tag what was merged\n"
    assert (on_side.returncode, on_side.stderr, (tmp_path / "papers").exists()) == (1, refusal, False)
    on_main = says("build", "Refuse", tmp_path, GITHUB_SHA=git("rev-parse", "main"))
    assert (on_main.returncode, (tmp_path / "papers" / "notes.md").read_text()) == (0, "notes\n"), on_main.stderr
    assert read_yaml(RELEASE)["jobs"]["build"]["steps"][0]["with"]["fetch-depth"] == 0


def test_the_release_on_github_can_be_made_again_where_it_has_stopped(tmp_path: Path) -> None:
    # Of gh, what counts here: what is there is not created again, and a file is not replaced unless it is said.
    (tmp_path / "gh").write_text(
        """#!/bin/sh -e
        cd "$(dirname "$0")"
        case "$2 $*" in
          view*) test -f release ;;
          create*--draft*) test ! -f release && echo draft > release ;;
          upload*--clobber*) test ! -f offline && touch assets ;;
          edit*--draft=false*) test -f assets && echo published > release ;;
          *) exit 2 ;;
        esac
        """
    )
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "offline").touch()
    given = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "GITHUB_REF_NAME": "v1.2.0"}
    assert says("announce", "Make it", tmp_path, **given).returncode == 1
    assert (tmp_path / "release").read_text() == "draft\n"
    (tmp_path / "offline").unlink()
    for _ in range(2):
        again = says("announce", "Make it", tmp_path, **given)
        assert (again.returncode, (tmp_path / "release").read_text()) == (0, "published\n"), again.stderr


def test_the_check_runs_on_every_python_that_the_package_names() -> None:
    named = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    tried = read_yaml(CHECK)["jobs"]["check"]["strategy"]["matrix"]["python"]
    assert named == tried[: len(named)]
    assert f'>={tried[0]}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_every_word_of_make_that_a_workflow_says_is_one() -> None:
    words = {word for path in OURS for word in re.findall(r"run: make (\w+)", path.read_text(encoding="utf-8"))}
    assert words == {"check", "dist"}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(re.search(rf"^{word}:", makefile, re.MULTILINE) for word in words)


# The notes


def notes(folder: Path, tag: str, repository: str = "bio-sync/bio-sync") -> "subprocess.CompletedProcess[str]":
    runner = {"GITHUB_REF_NAME": tag, "GITHUB_REPOSITORY": repository}
    command = [sys.executable, str(folder / ".github" / "release_notes.py")]
    return subprocess.run(command, env=os.environ | runner, capture_output=True, text=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the notes are made of, with a release in the changes."""
    for name in (".github/release_notes.py", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    sections = ("# Changes", "## Unreleased\n\n- More.", f"## {__version__} - 2026-12-01\n\n### Added\n\n- All.")
    changes = "\n\n".join((*sections, "## 0.0.1 - 2026-01-01\n\n- Old.\n"))
    (tmp_path / "CHANGELOG.md").write_text(changes, encoding="utf-8")
    return tmp_path


def test_the_notes_of_a_release_are_its_section_of_the_changes(checkout: Path) -> None:
    done = notes(checkout, f"v{__version__}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "### Added\n\n- All.\n", "")


def test_a_tag_that_is_no_release_of_this_repository_is_refused(checkout: Path) -> None:
    other = notes(checkout, "v9.9.9")
    assert (other.returncode, other.stdout) == (1, "")
    assert other.stderr == f"error: the tag is v9.9.9, and the version in pyproject.toml is {__version__}\n"
    fork = notes(checkout, f"v{__version__}", "somebody/bio-sync")
    assert fork.stderr.endswith("lead to https://github.com/bio-sync/bio-sync, and this is somebody/bio-sync\n")
    (checkout / "CHANGELOG.md").write_text("# Changes\n\n## Unreleased\n\n- All.\n", encoding="utf-8")
    silent = notes(checkout, f"v{__version__}")
    assert (silent.returncode, silent.stdout) == (1, "")
    assert "CHANGELOG.md has no section" in silent.stderr


# The image


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    done = tool("hadolint", "--format", "json", DOCKERFILE)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    # Every exception has its reason in the line before.
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert all(re.search(r"# .+\n$", before) for before in re.split(r"# hadolint ignore=\w+\n", text)[:-1])


def test_the_image_runs_as_nobody_in_particular_and_takes_no_module_from_a_repository() -> None:
    last = DOCKERFILE.read_text(encoding="utf-8").split("\nFROM ")[-1]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert re.search(r"^ENV .*\bPYTHONSAFEPATH=1$", last, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["bio-sync"\]$', last, re.MULTILINE)
    assert "pip" not in last


def test_the_image_is_built_of_what_the_dockerfile_copies_and_docker_is_given(tmp_path: Path) -> None:
    build_stage = DOCKERFILE.read_text(encoding="utf-8").split("\nFROM ")[1]
    sources = [word for line in re.findall(r"^COPY (.*) \S+$", build_stage, re.MULTILINE) for word in line.split()]
    given = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    assert {source.split("/")[0] for source in sources} == set(given)
    locked = [ROOT / source for source in sources if source.startswith("requirements/")]
    assert len(locked) == 2
    assert all(path.read_text(encoding="utf-8").count("--hash=sha256:") > 10 for path in locked)
    copies = tuple(source for source in sources if not source.startswith("requirements/"))
    ours = build(copied(tmp_path / "image", copies), tmp_path / "there", "--target", "wheel")
    released = build(copied(tmp_path / "tree", SOURCE), tmp_path / "here", "--target", "wheel")
    assert ours[".whl"].read_bytes() == released[".whl"].read_bytes()
