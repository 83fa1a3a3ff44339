"""rules.md: every rule of a check, with a file that breaks it and what is said then."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from bio_sync.reporters.rules import RULES
from bio_sync.visible import visible
from reference_pages.stage import ROOT, empty_folder, typed
from reference_pages.writing import MADE, code, fenced, marked_up, table

ABOUT = """# Rules

What `bio-sync validate`, and any command that reads page files, finds in them. The ids are stable: they are `rule` in
[JSON](json.md#validate), and stand in every other [form of report](formats.md). An error makes the exit code 1, a
warning does not.

"""
CASES = ROOT / "tests" / "cases" / "invalid"
PAGE, SETTINGS = "page.yaml", "bio-sync.yaml"
_ID = "id: bio_abc123\n"
# What takes more than one file of ours to show.
OWN: Mapping[str, Mapping[str, str | bytes | Path]] = {
    "duplicate-id": {"again.yaml": _ID, PAGE: _ID},
    "file-too-large": {PAGE: _ID + f"description: {'long ' * 60_000}\n"},
    "house-rule": {
        SETTINGS: "pages: [page.yaml]\nschema: rules.yaml\n",
        "rules.yaml": "properties:\n  title:\n    description: a title ends with the name of our town\n"
        "    pattern: Millbrook$\n",
        PAGE: f"{_ID}title: The library\n",
    },
    "house-rules-file": {
        SETTINGS: "pages: [page.yaml]\nschema: rules.yaml\n",
        "rules.yaml": "minProperties: -1\n",
        PAGE: _ID,
    },
    "no-effect": {
        PAGE: f"{_ID}page_data:\n  links:\n    - label: Sale\n      url: https://acme.com/sale\n"
        "      show_untill: 2026-12-27T00:00+01:00\n"
    },
    "not-checked": {SETTINGS: "pages: [links]\n"},
    "not-encrypted": {PAGE: f"{_ID}page_data:\n  links:\n    - label: Website\n      url: http://acme.com\n"},
    "not-utf-8": {PAGE: f"{_ID}title: Café\n".encode("latin-1")},
    "too-deep": {PAGE: f"{_ID}page_data:\n  deep: {'[' * 300}{']' * 300}\n"},
    "too-many-values": {PAGE: f"{_ID}page_data:\n  many: [{'1, ' * 20_000}1]\n"},
    "unreadable": {PAGE: Path(__file__)},
}
# The cases of the tests that show most, where none is called like its rule.
CHOSEN: Mapping[str, str] = {
    "empty": "empty-title",
    "wrong-form": "wrong-pointer",
    "wrong-type": "number-for-text",
    "yaml-syntax": "colon-in-text",
}
# What a reader can't see in the files, or is not to.
IN_WORDS: Mapping[str, str] = {
    "file-too-large": "Of a file with a description of 300,000 letters:",
    "not-checked": "Without a folder of that name:",
    "not-utf-8": "Of a file with the line `title: Café`, saved as Latin-1:",
    "too-deep": "Of a file with a list in a list in a list, 300 levels deep:",
    "too-many-values": "Of a file with a list of 20,001 numbers:",
    "unreadable": "Of a `page.yaml` that is a symbolic link to a file beyond the repository:",
}
# Files that are longer say nothing to their readers.
_MOST_SHOWN = 400
_COUNT = re.compile(r"error: \d+ problems? in the files\nhint: .*\n")
_CODE = re.compile(r"<<|!!str|https?://|mailto:|tel:|sms:|\bx-(?=\.)")


@dataclass(frozen=True, slots=True)
class Example:
    """Files that break a rule, by name, and what is said of them."""

    files: Mapping[str, str | bytes | Path]
    said: str


def rules_page() -> str:
    """Write rules.md; raises ValueError for a rule that nothing here breaks."""
    examples = _of_the_cases() | {rule: _of_our_own(rule, files) for rule, files in OWN.items()}
    if missing := set(RULES) ^ set(examples):
        raise ValueError(f"rules without an example, or examples without a rule: {missing}")
    rows = (
        (f"[{code(name)}](#{name})", rule.level, _CODE.sub(lambda found: code(found.group()), rule.summary))
        for name, rule in RULES.items()
    )
    sections = "".join(_section(name, examples[name]) for name in RULES)
    return f"{MADE}{ABOUT}{table(('rule', 'level', 'what is wrong'), rows)}{sections}".rstrip() + "\n"


def _section(name: str, example: Example) -> str:
    rule, note = RULES[name], f"{IN_WORDS[name]}\n\n" if name in IN_WORDS else ""
    words = _CODE.sub(lambda found: code(found.group()), f"{rule.summary} {rule.help}")
    return f"## {name}\n\n{marked_up(words)}\n\n{''.join(_shown(example.files))}{note}{fenced(example.said, 'text')}"


def _shown(files: Mapping[str, str | bytes | Path]) -> Iterator[str]:
    """Show the files, with their names where it is not a page alone; neither what is long nor what is no text."""
    for name, text in sorted(files.items()):
        if isinstance(text, str) and len(text) < _MOST_SHOWN:
            yield f"{code(name)}:\n\n" if list(files) != [PAGE] else ""
            yield fenced(text, _language(text))


def _language(text: str) -> str:
    """Name the language of a file, which is no YAML when that is what is wrong with it."""
    try:
        list(yaml.safe_load_all(text))
    except yaml.YAMLError:
        return "text"
    return "yaml"


def _of_the_cases() -> dict[str, Example]:
    """Give for each rule the case of the tests that is called like it, else the one with the fewest problems."""
    found: dict[str, tuple[tuple[bool, int, str], Example]] = {}
    for case in sorted(CASES.iterdir()):
        text = (case / PAGE).read_text(encoding="utf-8")
        # What does not show may not stand in a document of ours, either.
        if any(visible(line) != line for line in text.splitlines()):
            continue
        rules, said = _checked({PAGE: text})
        for rule in set(rules):
            rank = (case.name != CHOSEN.get(rule, rule), len(rules), case.name)
            if rule not in found or rank < found[rule][0]:
                found[rule] = rank, Example({PAGE: text}, said)
    return {rule: example for rule, (_, example) in found.items()}


def _of_our_own(rule: str, files: Mapping[str, str | bytes | Path]) -> Example:
    """Give files of our own as an example; raises ValueError when they do not break the rule."""
    rules, said = _checked(files)
    if rule not in rules:
        raise ValueError(f"{rule}: its files do not break it")
    return Example(files, said)


def _checked(files: Mapping[str, str | bytes | Path]) -> tuple[list[str], str]:
    """Check files, by name: text, bytes, or where a link leads; gives the rules that they break, and what is said."""
    words = [] if SETTINGS in files else sorted(files)
    with empty_folder() as folder:
        for name, content in files.items():
            if isinstance(content, Path):
                (folder / name).symlink_to(content)
            else:
                (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        # This form has the rules, and leaves the words of the text form to standard error.
        said = typed("validate", *words, "--format", "gitlab")
    return [finding["check_name"] for finding in json.loads(said.out)], _COUNT.sub("", said.err)
