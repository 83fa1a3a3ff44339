"""What strangers install: built like a release, in environments of their own, with no help of this one."""

import functools
import json
import os
import re
import shutil
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from bio_sync import __version__, planfile
from bio_sync.sandbox import Behaviour, Sandbox, load_seed
from tests.conftest import ROOT
from tests.packages import PROGRAMS, SOURCE, build, copied, environment, install, lends_libraries, of_git, run, uv
from tests.test_render_text import example_plan

RELEASE = PROGRAMS.parent / "release" / "bin"
ADDRESS = "https://github.com/bio-sync/bio-sync"


# What is built


def test_the_same_bytes_are_built_anywhere_and_from_the_sdist(built: dict[str, Path], tmp_path: Path) -> None:
    # Other times and other rights of the files, as a clone on another machine has them.
    again = build(copied(tmp_path / "tree", SOURCE, mode=0o600), tmp_path / "again")
    assert {suffix: path.read_bytes() for suffix, path in again.items()} == {
        suffix: path.read_bytes() for suffix, path in built.items()
    }
    with tarfile.open(built[".gz"]) as archive:
        archive.extractall(tmp_path / "sdist", filter="data")
    from_sdist = build(tmp_path / "sdist" / f"bio_sync-{__version__}", tmp_path / "from", "--target", "wheel")
    assert from_sdist[".whl"].read_bytes() == built[".whl"].read_bytes()


def test_the_sdist_and_the_wheel_hold_what_they_should_and_nothing_else(built: dict[str, Path]) -> None:
    with tarfile.open(built[".gz"]) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert packed == {*of_git(*SOURCE), "PKG-INFO"}
    inside = {name.replace("bio_sync-" + __version__, "", 1) for name in zipfile.ZipFile(built[".whl"]).namelist()}
    about = {".dist-info/METADATA", ".dist-info/WHEEL", ".dist-info/RECORD", ".dist-info/entry_points.txt"}
    shown = of_git("schemas", "examples/live", "examples/pages", "examples/bio-sync.yaml")
    wanted = {*of_git("bio_sync"), *(f"bio_sync/{name}" for name in shown), ".dist-info/licenses/LICENSE"} | about
    assert inside == wanted
    assert "bio_sync/py.typed" in inside


def metadata(wheel: Path) -> Any:
    (name,) = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("/METADATA")]
    return message_from_string(zipfile.ZipFile(wheel).read(name).decode())


def test_the_readme_leads_from_a_package_index_to_the_files_of_this_version(wheel: Path) -> None:
    text = metadata(wheel).get_payload()
    tokens = [child for token in MarkdownIt("commonmark").enable("table").parse(text) for child in token.children or []]
    places = [str(value) for token in tokens for name, value in token.attrs.items() if name in {"href", "src"}]
    places += re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(places) > 10
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for place in places:
        if place.startswith("#") or (place.startswith("https://") and place in readme):
            continue
        path = re.fullmatch(rf"{ADDRESS}/(?:blob|raw)/v{__version__}/([^#]*)(?:#.*)?", place)
        assert path, place
        assert (ROOT / path[1]).exists(), place
    assert text.count(f"{ADDRESS}/raw/v{__version__}/docs/images/") == readme.count("docs/images/")


def test_the_address_of_the_project_is_the_one_that_its_examples_name(wheel: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Source"] == ADDRESS
    assert all(url.startswith(ADDRESS) for url in project["urls"].values())
    hook = (ROOT / "examples" / "repository" / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert f"repo: {ADDRESS}\n" in hook
    assert f"uses: {ADDRESS.removeprefix('https://github.com/')}@" in (
        ROOT / "examples" / "ci" / "github" / "merge.yml"
    ).read_text(encoding="utf-8")
    assert metadata(wheel)["License-Expression"] == "MIT"


def test_a_package_index_takes_what_is_built_and_shows_its_readme(built: dict[str, Path], tmp_path: Path) -> None:
    if not (RELEASE / "twine").exists():
        pytest.skip("requirements/release.txt is not installed: see the Makefile")
    for command in (["twine", "check", "--strict", *map(str, built.values())], ["check-wheel-contents", built[".whl"]]):
        done = run(RELEASE / str(command[0]), *command[1:], cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    bill = tmp_path / "bill.json"
    listed = run(
        RELEASE / "cyclonedx-py", "requirements", ROOT / "requirements" / "runtime.txt", "--pyproject",
        ROOT / "pyproject.toml", "--output-reproducible", "--no-validate", "--output-file", bill, cwd=tmp_path,
    )  # fmt: skip
    assert listed.returncode == 0, listed.stderr
    parts = json.loads(bill.read_text())
    assert parts["metadata"]["component"]["name"] == "bio-sync"
    locked = re.findall(r"^([\w.-]+)==([^ ]+)", (ROOT / "requirements" / "runtime.txt").read_text(), re.MULTILINE)
    assert {(each["name"], each["version"]) for each in parts["components"]} == set(locked)


# What is installed


@functools.cache
def pythons() -> dict[str, Path]:
    """Find a Python of each minor version from 3.11 on: this one, those beside it or of pyenv's, those with a name."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = {"{}.{}".format(*sys.version_info): Path(sys.executable)}
    for folder in (Path(sys.base_prefix).parent, pyenv):
        for python in sorted(folder.glob("3.1[1-9].*/bin/python")):
            found.setdefault(re.findall(r"/(3\.\d+)[^/]*/bin/python$", str(python))[0], python)
    for version in (f"3.{minor}" for minor in range(11, 20)):
        named = shutil.which(f"python{version}") if version not in found else None
        # A name may be a shim with nothing behind it.
        if named and run(named, "-c", "import venv", cwd=ROOT).returncode == 0:
            found[version] = Path(named)
    return found


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_the_wheel_does_its_work_on_every_python_that_is_here_with_nothing_but_what_it_declares(
    version: str, wheel: Path, tmp_path: Path
) -> None:
    if version not in pythons():
        pytest.skip(f"there is no Python {version} here")
    programs = environment(tmp_path / "environment", pythons()[version], locked="runtime.txt")
    install(wheel, programs)
    uv("pip", "check", "--quiet", "--python", programs / "python")
    (tmp_path / "pages").mkdir()
    shutil.copy(ROOT / "examples" / "pages" / "acme.yaml", tmp_path / "pages")
    tool = programs / "bio-sync"
    for words in (["--version"], ["--help"], ["validate"]):
        done = run(tool, *words, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), (words, done.stderr)
    names = "import bio_sync, sys; print(bio_sync.__version__, [getattr(bio_sync, name) for name in bio_sync.__all__])"
    imported = run(programs / "python", "-W", "error", "-c", names, cwd=tmp_path)
    assert (imported.returncode, imported.stdout[: len(__version__)]) == (0, __version__), imported.stderr
    pages = load_seed(ROOT / "examples" / "live")
    with Sandbox(pages=pages, behaviour=Behaviour(burst_limit=10_000)) as sandbox:
        place = {"XQR_API_URL": sandbox.url, "XQR_API_KEY": sandbox.key}
        planned = run(tool, "plan", "--out", "plan.html", cwd=tmp_path, **place)
        assert "Plan: 1 page to change." in planned.stdout, planned.stderr
        assert (tmp_path / "plan.html").is_file()
        applied = run(tool, "apply", "--yes", cwd=tmp_path, **place)
        assert "Pages: 1 applied." in applied.stdout, applied.stderr
    refused = run(tool, "demo", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        "error: the sandbox needs starlette, which is not installed\nhint: pip install 'bio-sync[sandbox]'\n"
    )


def test_with_the_sandbox_the_wheel_shows_the_demo_and_begins_a_repository(wheel: Path, tmp_path: Path) -> None:
    """The libraries are those of this environment, so that nothing is fetched; the package itself is the wheel's."""
    programs = environment(tmp_path / "venv")
    install(wheel, programs)
    lends_libraries(programs)
    python = programs / "python"
    where = "import bio_sync.schemafiles as s; print(s.__file__, s.shipped('schemas'), s.shipped('examples'))"
    assert run(python, "-c", where, cwd=tmp_path).stdout.count(str(tmp_path / "venv")) == 3
    shown = run(python, "-m", "bio_sync", "demo", cwd=tmp_path)
    assert (shown.returncode, shown.stderr) == (0, ""), shown.stdout + shown.stderr
    assert "No changes. All 7 pages are as their files want them." in shown.stdout
    begun = run(python, "-m", "bio_sync", "init", "--ci", "gitlab", cwd=tmp_path)
    assert (begun.returncode, (tmp_path / "pages" / "first-page.yaml").is_file()) == (0, True), begun.stderr
    (tmp_path / "plan.json").write_text(planfile.dumps(example_plan()), encoding="utf-8")
    page = run(python, "-m", "bio_sync", "show", "plan.json", "--format", "html", cwd=tmp_path)
    assert (page.returncode, page.stdout[:15]) == (0, "<!doctype html>"), page.stderr


# Every library is behind one of these: YAML read and written, schemas, differences, the network, the HTML report, the
# command line. Of the last two one test each, since the whole takes its time.
OF_THE_LOWEST = (
    "test_cases.py",
    "test_schema.py",
    "test_diff.py",
    "test_takeover.py",
    "test_apply.py",
    "test_render_html.py::test_a_plan_as_a_page",
    "test_cli.py::test_a_slip_in_the_name_of_a_command_is_guessed",
)


def test_the_lowest_versions_that_are_allowed_work_on_the_lowest_python(wheel: Path, tmp_path: Path) -> None:
    if (lowest_python := pythons().get("3.11")) is None:
        pytest.skip("there is no Python 3.11 here")
    programs = environment(tmp_path / "environment", lowest_python, locked="lowest.txt")
    install(wheel, programs)
    uv("pip", "check", "--quiet", "--python", programs / "python")
    # What the tests themselves need; libraries that are compiled are for one Python only.
    ours = sys.version_info[:2] == (3, 11)
    lends_libraries(programs, PROGRAMS if ours else environment(tmp_path / "tests", lowest_python, locked="dev.txt"))
    direct = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = [*direct["dependencies"], *direct["optional-dependencies"]["sandbox"]]
    lowest = dict(bound.split(",")[0].split(">=") for bound in bounds)
    names = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
    used = json.loads(run(programs / "python", "-c", names, *lowest, cwd=tmp_path).stdout)
    # `>=14` stands for 14.0.0.
    assert {name: used[name] for name in lowest if not used[name].startswith(lowest[name])} == {}
    tests = [f"tests/{name}" for name in OF_THE_LOWEST]
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--maxfail=3", *tests)
    done = run(programs / "python", *words, cwd=ROOT, PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr
