"""The reference is made of what the code says: each page is as it would be made now, and nothing is left out."""

import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
import yaml
from markdown_it import MarkdownIt

from bio_sync import schema, yamltext
from bio_sync.commands import commands
from tests.conftest import ROOT, Run

DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
MADE = ("commands", "configuration", "exit-codes", "json", "page-file", "plan", "rules")
BY_HAND = {"comments.md", "formats.md", "glossary.md", "python.md"}
# No other command has a use for them, and the key is not among what these need.
OF_GITHUB = {"comment", "issue"}
# Long-running, or with a service of its own.
NOT_TRIED = {"demo", "sandbox"}


@pytest.fixture(scope="module")
def reference() -> Iterator[ModuleType]:
    """The script that makes the pages, as `make reference` runs it."""
    sys.path.insert(0, str(DOCS))
    try:
        found = importlib.util.spec_from_file_location("make_reference", DOCS / "reference.py")
        assert found
        assert found.loader
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(DOCS))


def part(name: str) -> Any:
    return importlib.import_module(f"reference_pages.{name}")


@pytest.mark.parametrize("name", MADE)
def test_a_page_says_what_the_code_says_now(name: str, reference: ModuleType) -> None:
    made = reference.PAGES[f"{name}.md"]()
    assert made == (REFERENCE / f"{name}.md").read_text(encoding="utf-8"), "make reference"


def test_every_page_is_made_or_known_to_be_written_by_hand(reference: ModuleType) -> None:
    assert set(reference.PAGES) == {f"{name}.md" for name in MADE}
    assert {path.name for path in REFERENCE.iterdir()} - set(reference.PAGES) <= BY_HAND


def test_the_width_of_the_terminal_and_the_settings_of_the_reader_change_nothing(
    reference: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A key that is cut out of all output, as every key is.
    for name, value in {"COLUMNS": "40", "FORCE_COLOR": "1", "XQR_API_KEY": "clients/acme"}.items():
        monkeypatch.setenv(name, value)
    for page in ("commands.md", "json.md"):
        assert reference.PAGES[page]() == (REFERENCE / page).read_text(encoding="utf-8")


def test_what_click_does_not_know_is_told_of_every_command_and_of_no_other(reference: ModuleType) -> None:
    facts = part("facts")
    assert set(facts.FACTS) == set(commands.everything())
    options = {name for each in commands.everything().values() for option in each.params for name in option.opts}
    assert set(facts.DEFAULTS) <= options
    for name, command in commands.everything().items():
        arguments = {
            (each.metavar or "").replace("...", "").strip("[]")
            for each in command.params
            if isinstance(each, click.Argument)
        }
        assert set(facts.FACTS[name].arguments) == arguments, name


def test_the_commands_that_need_the_key_are_those_that_miss_it(
    reference: ModuleType, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts, stage = part("facts").FACTS, part("stage")
    journal = tmp_path / "journal.json"
    with stage.example_repository() as folder:
        # A plan and a journal to read, made while there is a key.
        assert run("plan", "--out", "plan.json").code == 0
        assert run("apply", "pages/acme.yaml", "--yes", "--journal", str(journal)).code == 0
        monkeypatch.delenv("XQR_API_KEY")
        (folder / "new.yaml").write_text("title: New\n", encoding="utf-8")
        given = {
            "apply": ["--yes"],
            "create": ["new.yaml"],
            "init": ["--dry-run"],
            "show": ["plan.json"],
            "undo": [str(journal), "--yes"],
        }
        for name in set(facts) - NOT_TRIED - OF_GITHUB:
            result = run(name, *given.get(name, []))
            missed = "there is no API key" in result.out + result.err
            assert missed == facts[name].needs.startswith("the key"), name
        assert "there is no API key" in run("init", "--from-live").err


def test_every_environment_variable_that_is_looked_up_is_told_of(reference: ModuleType) -> None:
    # The action's own are for its workflow, and the sandbox reads none.
    own = [path for path in (ROOT / "bio_sync").rglob("*.py") if not {"action", "sandbox"} & set(path.parts)]
    looked_up = {
        name
        for path in own
        for name in re.findall(
            r'"((?:XQR|GITHUB|GH|CI|NO|FORCE|SSL|HTTPS?)_[A-Z_]+|CI|TERM)"', path.read_text(encoding="utf-8")
        )
    }
    of_urllib_and_ssl = {"HTTPS_PROXY", "NO_PROXY", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"}
    assert looked_up == part("environment").VARIABLES - of_urllib_and_ssl
    asked = re.findall(r'environ(?:ment)?(?:\.get\(|\[)"([A-Z_]+)"', "".join(path.read_text("utf-8") for path in own))
    assert asked
    assert set(asked) <= looked_up | {"PYTHONPATH"}


@pytest.mark.parametrize(("page", "problems"), [("page-file", "page_problems"), ("configuration", "config_problems")])
def test_every_example_of_a_field_keeps_the_rules(page: str, problems: str, reference: ModuleType) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", (REFERENCE / f"{page}.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    fields = part("fields").fields_of({"page-file": "page", "configuration": "config"}[page])
    assert len(blocks) >= len(fields) > 3
    for block in blocks:
        whole = block if page == "configuration" or "id:" in block else f"id: bio_abc123\n{block}"
        document = yamltext.read(whole.encode(), file="example.yaml")
        assert document.problems == ()
        assert getattr(schema, problems)(document) == [], block


def test_an_example_of_a_field_shows_that_field(reference: ModuleType) -> None:
    for page, name in (("page-file", "page"), ("configuration", "config")):
        text = (REFERENCE / f"{page}.md").read_text("utf-8")
        for field in part("fields").fields_of(name):
            shown = re.search(
                rf"^### `{re.escape(field.name)}`\n.*?^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE
            )
            assert shown, field.name
            value = yaml.safe_load(shown[1])
            for token in field.path:
                value = value["x-owner" if token == "x-…" else token]


@pytest.mark.parametrize("name", MADE)
def test_a_page_is_read_as_it_is_meant(name: str) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse((REFERENCE / f"{name}.md").read_text(encoding="utf-8"))
    assert tokens[0].type == "html_block"
    assert "make reference" in tokens[0].content
    assert [token.type for token in tokens].count("html_block") == 1
    rows = 0
    for index, token in enumerate(tokens):
        if token.type == "paragraph_open":
            # A table that is none, or a fence that was not closed, would be a paragraph.
            assert not tokens[index + 1].content.startswith(("|", "```")), tokens[index + 1].content
        rows += token.type == "tr_open"
    assert rows > 3
    assert all("html_inline" not in [child.type for child in token.children or ()] for token in tokens)


def test_the_generator_leaves_folder_and_environment_as_they_were(reference: ModuleType) -> None:
    before, here = dict(os.environ), Path.cwd()
    with part("stage").example_repository():
        assert "XQR_API_KEY" in os.environ
    assert (dict(os.environ), Path.cwd()) == (before, here)
