"""What the documents show is what happens: sessions are typed, links lead somewhere, tables are compared."""

import importlib.util
import json
import os
import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import click
import pytest
import yaml
from markdown_it import MarkdownIt

from bio_sync.commands import commands
from bio_sync.sandbox import Behaviour, Sandbox, load_seed
from tests import browser
from tests.conftest import ROOT, Run
from tests.documents import DOCUMENTS, Shell, fences, sessions, shell, tools, typed
from tests.test_completion import SHELLS

README, INDEX, TUTORIAL = ROOT / "README.md", ROOT / "docs" / "README.md", ROOT / "docs" / "tutorial.md"
LANGUAGES = {"console", "diff", "fish", "json", "lua", "python", "sh", "text", "yaml"}
# Sessions that need another stage have another name, and a test of their own that types them.
TYPED_ELSEWHERE = {
    ("workspaces.md", "shell-session"): "tests/test_matrix.py",
    ("scale.md", "shell-session"): "tests/benchmarks/test_month.py",
    ("python.md", "pycon"): "tests/test_library.py",
}
# tests/test_first_ten_minutes.py types the README, with an installed bio-sync and a sandbox of its own.
TYPED_HERE = [path for path in DOCUMENTS if path != README and sessions(path)]
# These begin in an empty folder; all others in the example repository, of which `main` is what was applied last.
EMPTY = {
    "tutorial.md",
    "adopt.md",
    "at-your-terminal.md",
    "drift.md",
    "hide-a-page.md",
    "many-pages.md",
    "schedule.md",
    "undo.md",
}
SCREEN, SCREENS = 1080, 3
# GitHub's own measures of a README in a window of 1,280 pixels.
GITHUB = """
body { margin: 0; }
article { width: 1012px; font: 16px/1.5 "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; }
article > :first-child { margin-top: 0; }
article > :last-child { margin-bottom: 0; }
p, ul, pre, table { margin: 0 0 16px; }
h1, h2 { margin: 24px 0 16px; padding-bottom: .3em; line-height: 1.25; border-bottom: 1px solid; }
h1 { font-size: 2em; }
h2 { font-size: 1.5em; }
ul { padding-left: 2em; }
li + li { margin-top: .25em; }
code, pre { font-family: ui-monospace, Menlo, Consolas, "Liberation Mono", monospace; font-size: 85%; }
code { padding: .2em .4em; }
pre { padding: 16px; line-height: 1.45; }
pre code { padding: 0; font-size: 100%; }
table { border-collapse: collapse; }
th, td { padding: 6px 13px; border: 1px solid; }
"""


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="session")
def pictures() -> ModuleType:
    """The script that makes pictures and example documents."""
    found = importlib.util.spec_from_file_location("pictures", ROOT / "docs" / "pictures.py")
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture
def workspace() -> Iterator[Sandbox]:
    with Sandbox(pages=load_seed(ROOT / "examples" / "live"), behaviour=Behaviour(burst_limit=10_000)) as sandbox:
        yield sandbox


@pytest.fixture
def bash(tmp_path: Path, workspace: Sandbox) -> Iterator[Shell]:
    """A shell in the empty folder `work`, whose environment points at the example workspace."""
    (tmp_path / "work").mkdir()
    who = {f"GIT_{role}_{what}": f"ada@{what}" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    own = {
        "PATH": tools(tmp_path / "tools"),
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    service = {"XQR_API_URL": workspace.url, "XQR_API_KEY": workspace.key}
    with shell(tmp_path / "work", os.environ | who | own | service, workspace) as running:
        yield running


@pytest.mark.parametrize("document", TYPED_HERE, ids=named)
def test_every_session_shows_what_really_happens(
    document: Path, bash: Shell, tmp_path: Path, pictures: ModuleType
) -> None:
    if document.name not in EMPTY:
        for name in ("pages", "drafts"):
            shutil.copytree(ROOT / "examples" / name, tmp_path / "work" / name)
        shutil.copy(ROOT / "examples" / "bio-sync.yaml", tmp_path / "work")
        pictures.commit_base(tmp_path / "work")
    for command, shown in sessions(document):
        bash.check(command, shown)


def test_the_tutorial_shows_every_command_of_this_way_of_working() -> None:
    used = {command.split()[1] for command, _ in sessions(TUTORIAL) if command.startswith("bio-sync")}
    assert used >= {"init", "doctor", "validate", "plan", "apply", "undo", "drift", "pull", "create"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_no_session_hides_from_the_tests(document: Path) -> None:
    for fence in fences(document):
        elsewhere = TYPED_ELSEWHERE.get((document.name, fence.language))
        assert fence.language in LANGUAGES or (elsewhere and (ROOT / elsewhere).is_file()), fence
        if fence.language == "console":
            assert fence.text.startswith("$ "), fence
        elif not elsewhere:
            assert not re.search(r"^\s*(\$|>>>) ", fence.text, re.MULTILINE), fence


@pytest.mark.parametrize("line", SHELLS.values(), ids=list(SHELLS))
def test_the_lines_that_switch_completion_on_are_those_that_shells_were_given(line: tuple[list[str], str]) -> None:
    told = (ROOT / "docs" / "how-to" / "install.md").read_text(encoding="utf-8")
    assert f"echo '{line[1].split('; ')[-1]}' >>" in told


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_what_is_to_be_typed_exists(document: Path) -> None:
    for fence in fences(document):
        if fence.language == "sh":
            for words in typed(fence.text):
                parsed(words)
    tokens = [each for token in MarkdownIt().parse(document.read_text("utf-8")) for each in token.children or ()]
    for span in (token.content for token in tokens if token.type == "code_inline"):
        if found := re.fullmatch(r"bio-sync ([a-z]+)( .*)?", span, re.DOTALL):
            flags = {word.partition("=")[0].strip(".,") for word in span.split() if word.startswith("--")}
            assert found[1] in commands.everything(), span
            assert flags <= known_flags(found[1]), span


def known_flags(name: str) -> set[str]:
    return {flag for parameter in commands.everything()[name].params for flag in parameter.opts} | {"--help"}


def parsed(words: list[str]) -> None:
    """Read the words of a command as click does; raises click.UsageError."""
    if words[0] in {"--help", "--version"}:
        return
    name = next(word for word in words if word in commands.everything())
    command = commands.everything()[name]
    context = click.Context(command, info_name=name, parent=click.Context(commands, **commands.context_settings))
    given, _, _ = command.make_parser(context).parse_args([word for word in words if word != name])
    for parameter in command.params:
        if isinstance(parameter.type, click.Choice) and isinstance(given.get(str(parameter.name)), str):
            parameter.type_cast_value(context, given[str(parameter.name)])


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_word_of_make_exists_and_every_yaml_can_be_read(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for fence in fences(document):
        if fence.language == "sh":
            for word in re.findall(r"^make ([a-z-]+)", fence.text, re.MULTILINE):
                assert re.search(rf"^{word}:", makefile, re.MULTILINE), word
        if fence.language == "yaml":
            list(yaml.safe_load_all(fence.text))


def anchors(document: Path) -> set[str]:
    """Give what GitHub lets a link lead to: its headings in small letters, without punctuation, numbered if need be."""
    tokens = MarkdownIt().parse(document.read_text(encoding="utf-8"))
    found: dict[str, int] = {}
    for heading, inline in pairwise(tokens):
        if heading.type == "heading_open":
            words = "".join(token.content for token in inline.children or () if token.type in {"text", "code_inline"})
            name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            again = found[name] = found.get(name, -1) + 1
            found[f"{name}-{again}" if again else name] = 0
    return set(found)


def links(document: Path) -> list[str]:
    """Give the addresses of all links and pictures, in Markdown and in HTML."""
    tokens = MarkdownIt().enable("table").parse(document.read_text(encoding="utf-8"))
    every = [*tokens, *(child for token in tokens for child in token.children or ())]
    html = " ".join(token.content for token in every if token.type.startswith("html"))
    plain = (token.attrGet("href") or token.attrGet("src") for token in every)
    return [str(each) for each in (*plain, *re.findall(r'(?:href|src)="([^"]*)"', html)) if each]


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_relative_link_leads_to_a_file_and_to_a_heading_in_it(document: Path) -> None:
    for link in links(document):
        if not re.match(r"[a-z]+:", link):
            path, _, anchor = link.partition("#")
            target = document.parent / path if path else document
            assert target.exists(), link
            assert target.resolve().is_relative_to(ROOT), link
            assert not anchor or anchor in anchors(target), link


def test_every_page_is_in_the_index() -> None:
    listed = {(INDEX.parent / link.partition("#")[0]).resolve() for link in links(INDEX)}
    pages = {path for path in (ROOT / "docs").rglob("*.md") if path != INDEX}
    assert {named(path) for path in pages - listed} == set()


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 120


def test_the_readme_is_three_screens_at_most() -> None:
    html = MarkdownIt("commonmark").enable("table").render(README.read_text(encoding="utf-8"))
    html = html.replace('src="docs/', f'src="{(ROOT / "docs").as_uri()}/')
    document = f"<!doctype html><meta charset=utf-8><style>{GITHUB}</style><article>{html}</article>"
    with browser.chromium() as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": SCREEN})
        # Only a page that is a file itself may show a picture that is a file.
        page.goto(INDEX.as_uri())
        page.set_content(document, wait_until="load")
        assert page.evaluate("document.querySelector('img').getBoundingClientRect().height") > 300
        assert page.evaluate("document.querySelector('article').getBoundingClientRect().height") <= SCREENS * SCREEN


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


def test_every_command_is_in_the_readme() -> None:
    readme = README.read_text(encoding="utf-8")
    assert {name for name in commands.everything() if f"`bio-sync {name}" not in readme} == set()


@pytest.mark.parametrize("name", sorted(commands.everything()))
def test_every_command_has_help_with_an_example(name: str, run: Run) -> None:
    for flag in ("-h", "--help"):
        result = run(name, flag)
        assert result.code == 0
        assert f"Example:\n    bio-sync {name}" in result.out
        assert "--api-key-file" in result.out


def test_the_exit_codes_of_the_readme_are_those_of_the_help(run: Run) -> None:
    rows = re.findall(r"^\| (\d[\d, ]*) \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    told = re.search(r"Exit codes:(.*)", run("--help").out, re.DOTALL)
    assert told
    assert re.findall(r"\b(\d+) [a-z]", told.group(1)) == ", ".join(rows).split(", ")


def test_the_example_pages_and_their_workspace_differ_as_the_demo_tells(bash: Shell, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "pages", tmp_path / "work" / "pages")
    shutil.copy(ROOT / "examples" / "bio-sync.yaml", tmp_path / "work")
    assert "Plan: 5 pages to change (5 to update, 1 to publish), 2 unchanged." in bash.says("bio-sync plan")


def test_the_architecture_names_every_module() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    modules = {path.stem for path in (ROOT / "bio_sync").glob("*.py")}
    packages = {f"{path.parent.name}/" for path in (ROOT / "bio_sync").glob("*/__init__.py")}
    names = modules | packages
    assert {name for name in names - {"__init__", "__main__"} if f"`{name}`" not in text} == set()
