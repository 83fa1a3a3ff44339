"""What an author sees who edits page files: the schemas in yaml-language-server, the real one, and no network."""

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bio_sync import cli
from bio_sync.problems import Problem
from bio_sync.sandbox import Sandbox
from bio_sync.schema import config_problems, page_problems
from bio_sync.schemafiles import schema_text
from bio_sync.yamltext import read
from tests.conftest import ROOT, Run
from tests.language_server import CURSOR, Editor, editor

EXAMPLES = sorted((ROOT / "examples" / "pages").glob("*.yaml"))
CASES = ROOT / "tests" / "cases"
PAGE = """\
id: bio_a
title: A
description: About A
published: true
x-owner: me
page_data:
  theme: light
  avatar_url: https://a.example/a.png
  links:
    - label: Shop
      url: https://shop.example
      show_from: 2026-12-24T09:00+01:00
      show_until: 2026-12-27T00:00+01:00
ignore:
  - /page_data/experiments
"""
CONFIG = "pages: [pages]\nignore:\n  - /title\nschema: rules.json\nsafety:\n  max_changes: 30%\n  reserve: 100\n"
# What only `validate` knows, by the folder of the case: rules that no JSON Schema can say, and YAML that is no page.
UNSEEN = {
    "browser-goes-elsewhere", "control-character", "empty-file", "key-not-text", "merge-key", "not-a-number",
    "raw-bidi", "second-document",
}  # fmt: skip
# What is no YAML is told by another parser than ours, and elsewhere.
NOT_YAML = {"at-sign", "colon-in-text", "open-quote", "tabs"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Editor, Path]]:
    """A page repository that `init` made, open in an editor that has its settings from there."""
    folder = tmp_path_factory.mktemp("desk")
    with contextlib.chdir(folder), contextlib.redirect_stdout(None), contextlib.redirect_stderr(None):
        assert cli.run(["init"]) == 0
    settings = json.loads((folder / ".vscode" / "settings.json").read_text("utf-8"))
    with editor(folder, settings["yaml.schemas"]) as opened:
        yield opened, folder


@pytest.fixture(scope="module")
def underlined(desk: tuple[Editor, Path]) -> dict[str, list[tuple[int, str]]]:
    """What an editor underlines in the pages of tests/cases, by the path of each."""
    opened, folder = desk
    paths = [path.relative_to(CASES) for path in CASES.rglob("*.yaml")]
    texts = {folder / "pages" / path: (CASES / path).read_bytes().decode("utf-8") for path in paths}
    found = opened.all_complaints(texts)
    return {str(path): found[folder / "pages" / path] for path in paths}


@pytest.fixture
def author(desk: tuple[Editor, Path]) -> "Author":
    return Author(*desk)


class Author:
    """Somebody who edits a page, or bio-sync.yaml, of the repository; the files have no modeline."""

    def __init__(self, opened: Editor, folder: Path) -> None:
        self.editor, self.folder = opened, folder
        self.page, self.config = folder / "pages" / "mine.yaml", folder / "bio-sync.yaml"

    def hovers(self, text: str, word: str) -> str:
        path = self.config if text == CONFIG else self.page
        return self.editor.hover(path, re.sub(rf"\b{word}\b", f"{word[0]}{CURSOR}{word[1:]}", text, count=1))

    def sees(self, text: str) -> list[tuple[int, str]]:
        return self.editor.complaints(self.page, text)


def own_problems(text: str) -> list[Problem]:
    document = read(text.encode("utf-8"), file="page.yaml")
    return list(document.problems) or page_problems(document)


# What is offered


def test_an_empty_file_is_offered_a_whole_page_of_which_only_the_id_is_missing(author: Author) -> None:
    offers = author.editor.offers(author.page, f"# mine\n{CURSOR}")
    keys = {"id", "title", "description", "published", "page_data", "ignore"}
    assert keys | {"a new page"} <= set(offers)
    assert [problem.message for problem in own_problems(offers["a new page"])] == ["the page has no 'id'"]
    assert "\n  links:\n    - label: Website\n      url: https://example.com" in offers["a new page"]


LINK, BELOW = {"a link", "a mail address", "a telephone number"}, "id: a\npage_data:\n  links:\n"
GIVEN = f"{BELOW}    - label: A\n      url: https://a.example\n"


@pytest.mark.parametrize(
    ("marked", "offered", "choices"),
    [
        (f"id: a\n{CURSOR}", {"title", "description", "published", "page_data", "ignore"}, {"title", "a new page"}),
        (f"id: a\npublished: {CURSOR}", {"true", "false"}, {"true", "false"}),
        (f"id: a\npage_data:\n  theme: {CURSOR}", {"light", "dark"}, {"light", "dark"}),
        (f"id: a\npage_data:\n  {CURSOR}", {"theme", "avatar_url", "links"}, {"avatar_url", "colours and a link"}),
        (f"id: a\npage_data: {CURSOR}", {"colours and a link"}, {"colours and a link"}),
        (f"id: a\npage_data:\n  theme: dark\n  {CURSOR}", {"avatar_url", "links"}, {"colours and a link"}),
        (f"id: a\npage_data:\n  links: {CURSOR}", LINK, LINK),
        (f"{BELOW}    {CURSOR}", LINK, LINK),
        (f"{BELOW}    - {CURSOR}", {"label", "url", "show_from", "show_until"} | LINK, LINK | {"link"}),
        (f"{BELOW}    - label: A\n      {CURSOR}", {"url", "show_from", "show_until"}, LINK | {"url", "link"}),
        (f"{GIVEN}      {CURSOR}", {"show_from", "show_until"}, {"show_from", "show_until"}),
        (f"{GIVEN}    {CURSOR}", LINK, LINK),
        (f"{GIVEN}    - {CURSOR}", {"label", "url"} | LINK, LINK | {"link"}),
        (f"id: a\nignore:\n  - {CURSOR}", {"/page_data/experiments", "/page_data/links/*/badge"}, {"/title"}),
    ],
)
def test_what_is_offered_is_what_can_stand_there_and_a_choice_leaves_a_page_without_problems(
    author: Author, marked: str, offered: set[str], choices: set[str]
) -> None:
    offers = author.editor.offers(author.page, marked)
    assert offered <= set(offers)
    for choice in choices:
        assert own_problems(offers[choice]) == [], offers[choice]
    assert "[object Object]" not in offers


def test_the_settings_are_offered_too_and_a_choice_can_be_read(author: Author) -> None:
    offers = author.editor.offers(author.config, CURSOR)
    assert {"pages", "ignore", "schema", "safety"} <= set(offers)
    for text in (
        offers["the settings of a page repository"],
        author.editor.offers(author.config, f"safety:\n  {CURSOR}")["both limits"],
        author.editor.offers(author.config, f"safety:\n  max_changes: {CURSOR}")["30%"],
    ):
        document = read(text.encode(), file="bio-sync.yaml")
        assert (document.problems, config_problems(document)) == ((), []), text


# What is explained


def explained(name: str) -> dict[str, str]:
    """Give the hover text of each key that people write, by the key."""
    found: dict[str, str] = {}

    def look(part: dict[str, Any]) -> None:
        for key, member in {**part.get("properties", {}), **part.get("patternProperties", {})}.items():
            found[key] = member["markdownDescription"]
            look(member)
            look(member.get("items", {}))

    look(json.loads(schema_text(name)))
    return found


@pytest.mark.parametrize(("name", "text"), [("page", PAGE), ("config", CONFIG)])
def test_every_key_is_explained_under_the_mouse(author: Author, name: str, text: str) -> None:
    for key, words in explained(name).items():
        shown = author.hovers(text, {"^x-": "x-owner"}.get(key, key))
        assert words in shown, key
        assert not {"[object Object]", "undefined", "^("} & set(shown.split()), shown


def test_what_is_shown_under_the_mouse_is_whole(author: Author) -> None:
    shown = author.hovers(PAGE, "theme").replace(author.folder.as_uri(), "file:///mine")
    assert shown == (
        "#### bio-sync page\n\n"
        "The colours of the page: `light` or `dark`.\n\n"
        "Allowed Values:\n\n"
        "* `light`: Dark letters on a light page.\n"
        "* `dark`: Light letters on a dark page.\n\n"
        "Example:\n\n```yaml\nlight\n```\n\n"
        "Source: [page.schema.json](file:///mine/schemas/page.schema.json)"
    )


# What is underlined


def test_nothing_is_underlined_in_the_examples_nor_in_the_settings(author: Author) -> None:
    assert EXAMPLES
    config = ROOT / "examples" / "bio-sync.yaml"
    texts = {path: path.read_text("utf-8") for path in (*EXAMPLES, author.config)}
    texts[author.folder / "more" / "bio-sync.yaml"] = config.read_text("utf-8")
    assert author.editor.all_complaints(texts) == {path: [] for path in texts}


def test_what_is_underlined_has_words_for_people(author: Author) -> None:
    text = (
        "titel: A\ntitle: 5\npublished: 'yes'\npage_data:\n  theme: blue\n  avatar_url: a.png\n  links:\n"
        "    - label: A\n    - label: B\n      url: www.b.example\n      show_from: tomorrow\n    - https://c.example\n"
        "ignore: [title]\nid: a/b\n"
    )
    link = "A link is two lines: `label: …`, what visitors read, and `url: …`, where it leads."
    assert sorted(author.sees(text)) == [
        (1, "Property titel is not allowed."),
        (2, "Write text here; a number, true or false goes in quotes."),
        (3, "Write true or false, without quotes."),
        (5, "The theme is light or dark."),
        (6, "This is not the web address of a picture: it begins with https://."),
        (8, link),
        (10, "A link begins with https://, http://, mailto:, tel: or sms:."),
        (11, "This is not a moment: write date, T, time and offset, such as 2026-12-24T09:00+01:00."),
        (12, link),
        (13, "This is not a way into a page: it begins with a field of it, such as /page_data/experiments or /title."),
        (14, "This is not the id of a page: copy it from the service; it looks like bio_abc123."),
    ]


Underlined = dict[str, list[tuple[int, str]]]


@pytest.mark.parametrize("path", sorted(CASES.glob("valid/*.yaml")), ids=lambda path: path.stem)
def test_a_good_page_is_underlined_only_at_a_null_and_at_an_anchor_that_nobody_uses(
    underlined: Underlined, path: Path
) -> None:
    lines = path.read_text("utf-8").splitlines()
    for line, message in underlined[f"valid/{path.name}"]:
        # A null means the same as no line; the schema asks for a value there.
        assert "null" in lines[line - 1] or "~" in lines[line - 1] or message == 'Unused anchor "&blog"', message


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.glob("invalid/*")))
def test_a_broken_page_is_underlined_where_validate_says_and_nowhere_else(underlined: Underlined, case: str) -> None:
    own = {problem.line for problem in own_problems((CASES / "invalid" / case / "page.yaml").read_text("utf-8"))}
    seen = {line for line, _ in underlined[f"invalid/{case}/page.yaml"]}
    assert own
    assert bool(seen) is (case not in UNSEEN)
    assert case in NOT_YAML or seen <= own


# Where the schema is found


def test_the_first_line_that_init_create_and_pull_write_leads_an_editor_to_the_schema(
    author: Author, sandbox: Sandbox, run: Run, folder: Path
) -> None:
    # A folder that the settings of this editor do not name.
    (folder / "bio-sync.yaml").write_text("pages: [content]\n")
    assert run("init").code == 0
    first, plain = folder / "content" / "first-page.yaml", folder / "content" / "plain.yaml"
    plain.write_text("title: Plain\n")
    before = author.editor.all_complaints({path: path.read_text("utf-8") for path in (first, plain)})
    assert (before[plain], [message for _, message in before[first]]) == ([], ['Missing property "id".'])
    assert run("create", "content").code == 0
    (live,) = (page["id"] for page in sandbox.pages if page["title"] == "Plain")
    created = plain.rename(plain.with_name("_plain.yaml"))
    assert run("pull", live, "--dir", "content/deep").code == 0
    (pulled,) = (folder / "content" / "deep").iterdir()
    texts = {path: path.read_text("utf-8") for path in (first, created, pulled)}
    assert author.editor.all_complaints(texts) == {path: [] for path in texts}
    broken = author.editor.all_complaints({path: f"{text}titel: A\n" for path, text in texts.items()})
    said = {message for found in broken.values() for _, message in found}
    assert (all(broken.values()), said) == (True, {"Property titel is not allowed."})


def test_the_settings_that_the_document_shows_are_those_that_init_writes(author: Author) -> None:
    document = (ROOT / "docs" / "how-to" / "editors.md").read_text("utf-8")
    (shown,) = re.findall(r"^```json\n(.*?)^```", document, re.DOTALL | re.MULTILINE)
    assert json.loads(shown) == json.loads((author.folder / ".vscode" / "settings.json").read_text("utf-8"))


def test_an_editor_reaches_for_nobody_but_whom_a_page_names(author: Author) -> None:
    path = EXAMPLES[0]
    text = path.read_text("utf-8")
    assert author.editor.complaints(path) == []
    assert author.editor.hover(path, text.replace("title:", f"ti{CURSOR}tle:"))
    assert author.editor.offers(path, f"{text}{CURSOR}")
    author.sees("# yaml-language-server: $schema=http://127.0.0.1:9/page.schema.json\nid: a\n")
    # The first one of this server's whole life, and so the only one.
    assert author.editor.reached.get(timeout=30) == "reached for 127.0.0.1"
    assert author.editor.reached.empty()
