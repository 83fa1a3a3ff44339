"""What the documents show is what happens: every console block is typed, every table is compared."""

import importlib.util
import json
import re
import shlex
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from bio_sync.commands import commands
from bio_sync.sandbox import Behaviour, Sandbox, load_seed
from tests.conftest import ROOT, Run

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "CONTRIBUTING.md"]
SHOWN_ADDRESS = "http://127.0.0.1:8787"
SHOWN_COMMIT = "(3f2a91c0d5e7)"
SHOWN_MOMENT = "20261122T100000Z"


@pytest.fixture(scope="session")
def pictures() -> ModuleType:
    """The script that makes pictures and example documents."""
    found = importlib.util.spec_from_file_location("pictures", ROOT / "docs" / "pictures.py")
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def sessions(document: Path) -> list[tuple[str, str]]:
    """Give (command line, what is shown under it) for every command of every console block."""
    blocks = re.findall(r"^```console\n(.*?)^```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [
        (command, shown)
        for block in blocks
        for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]


def as_shown(text: str, sandbox: Sandbox) -> list[str]:
    text = re.sub(r"\([0-9a-f]{12}\)", SHOWN_COMMIT, text.replace(sandbox.address, SHOWN_ADDRESS))
    return re.sub(r"(?<=/)(apply|undo)-\d{8}T\d{6}Z", rf"\1-{SHOWN_MOMENT}", text).splitlines()


def same_lines(shown: list[str], real: list[str]) -> bool:
    """Compare line by line; a line of three dots stands for any number of lines."""
    if not shown:
        return not real
    if shown[0] == "...":
        return any(same_lines(shown[1:], real[skip:]) for skip in range(len(real) + 1))
    return bool(real) and shown[0] == real[0] and same_lines(shown[1:], real[1:])


@pytest.fixture
def example(folder: Path, monkeypatch: pytest.MonkeyPatch, pictures: ModuleType) -> Sandbox:
    """The example repository, where `main` is what was applied last, and its live workspace behind it."""
    shutil.copytree(ROOT / "examples" / "pages", folder / "pages")
    shutil.copy(ROOT / "examples" / "bio-sync.yaml", folder)
    shutil.copytree(ROOT / "examples" / "drafts", folder / "drafts")
    (folder / ".git").rmdir()
    pictures.commit_base(folder)
    sandbox = Sandbox(pages=load_seed(ROOT / "examples" / "live"), behaviour=Behaviour(burst_limit=10_000)).start()
    monkeypatch.setenv("XQR_API_URL", sandbox.url)
    monkeypatch.setenv("XQR_API_KEY", sandbox.key)
    return sandbox


# The tutorial begins in an empty folder and types more than our own command: tests/test_tutorial.py.
@pytest.mark.parametrize(
    "document", [each for each in DOCUMENTS if each.name != "tutorial.md"], ids=lambda each: each.name
)
def test_every_console_block_shows_what_really_happens(document: Path, example: Sandbox, run: Run) -> None:
    try:
        for command, shown in sessions(document):
            name, *arguments = shlex.split(command)
            assert name == "bio-sync"
            result = run(*arguments)
            real = as_shown(result.out + result.err, example)
            assert same_lines(shown.splitlines(), real), "\n".join([command, "really shows:", *real])
    finally:
        example.stop()


@pytest.mark.parametrize(("document", "least"), [("README.md", 4), ("docs/how-to/review.md", 3)])
def test_the_document_has_sessions_to_execute(document: str, least: int) -> None:
    assert len(sessions(ROOT / document)) >= least


def test_the_example_plan_in_the_documents_is_what_the_code_makes_of_it_now(pictures: ModuleType) -> None:
    shown = (ROOT / "docs" / "example-plan.md").read_text(encoding="utf-8")
    assert pictures.markdown() == shown, "make pictures"


def test_the_pictures_are_made_of_what_the_code_makes_now(pictures: ModuleType) -> None:
    made_of = json.loads((ROOT / "docs" / "images" / "made-of.json").read_text(encoding="utf-8"))
    assert pictures.made_of() == made_of, "make pictures"
    assert {path.name for path in (ROOT / "docs" / "images").iterdir()} == {"made-of.json", *made_of}


def test_the_picture_of_the_terminal_asks_nothing_of_a_network() -> None:
    svg = (ROOT / "docs" / "images" / "plan.svg").read_text(encoding="utf-8")
    assert "http" not in re.sub(r"<text[^>]*>[^<]*</text>|xmlns=\"[^\"]*\"", "", svg)
    assert "@font-face" not in svg


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_to_a_file(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_the_yaml_of_the_readme_is_a_page_file(folder: Path, run: Run) -> None:
    (block,) = re.findall(
        r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    (folder / "page.yaml").write_text(block, encoding="utf-8")
    assert run("validate", "page.yaml").code == 0


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {name for name in commands.everything() if f"`bio-sync {name}" not in readme} == set()


@pytest.mark.parametrize("name", sorted(commands.everything()))
def test_every_command_has_help_with_an_example(name: str, run: Run) -> None:
    for flag in ("-h", "--help"):
        result = run(name, flag)
        assert result.code == 0
        assert f"Example:\n    bio-sync {name}" in result.out
        assert "--api-key-file" in result.out


def test_the_exit_codes_of_the_readme_are_those_of_the_help(run: Run) -> None:
    table = re.findall(r"^\| (\d+) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    told = re.search(r"Exit codes:(.*)", run("--help").out, re.DOTALL)
    assert told
    assert re.findall(r"\b(\d+) [a-z]", told.group(1)) == table


def test_the_example_pages_and_their_workspace_differ_as_the_demo_tells(example: Sandbox, run: Run) -> None:
    try:
        out = run("plan").out
    finally:
        example.stop()
    assert "Plan: 5 pages to change (5 to update, 1 to publish), 2 unchanged." in out


def test_the_architecture_names_every_module() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    modules = {path.stem for path in (ROOT / "bio_sync").glob("*.py")}
    packages = {f"{path.parent.name}/" for path in (ROOT / "bio_sync").glob("*/__init__.py")}
    names = modules | packages
    assert {name for name in names - {"__init__", "__main__"} if f"`{name}`" not in text} == set()
