"""Every kind of problem that a check of page files can find, by its stable id: `Problem.rule`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]
# The files could not be checked at all; a report tells it, and no file is to blame.
NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of problem: `summary` says what is wrong in one sentence, `help` what to do about it."""

    summary: str
    help: str
    level: Level = "error"


RULES: Mapping[str, Rule] = {
    "duplicate-id": Rule(
        "Two files are about the same page.", "One page, one file: remove one of the two, or correct its id."
    ),
    "duplicate-key": Rule("A key stands twice in one mapping.", "Keep one of the two."),
    "empty": Rule("A value that has to say something is empty.", "Write something, or leave the line out."),
    "file-too-large": Rule("The file is larger than 256 KiB.", "Shorten it: a page of that size is no page."),
    "forbidden-character": Rule(
        "The text holds a character that does not show, or turns the direction of reading.",
        "Remove it; most come along with text that is copied from elsewhere.",
    ),
    "house-rule": Rule(
        "The page breaks a rule of this repository's own.", "The file that schema in bio-sync.yaml names has the rules."
    ),
    "house-rules-file": Rule(
        "The house rules themselves are wrong, so that no page is held against them.",
        "Correct the JSON Schema that schema in bio-sync.yaml names.",
    ),
    "key-not-text": Rule("A key is a number, a list or the like.", "Put the key in quotes."),
    "merge-key": Rule("YAML's merge key << is not allowed.", "Write the keys out in each place."),
    "missing-key": Rule("A key that has to be there is missing.", "Add the line that the message names."),
    "no-effect": Rule(
        "A key reads like a time to show a link, and has no effect as one.",
        "Correct its spelling, or move it into a link; show_from and show_until are such keys.",
        level="warning",
    ),
    "not-a-link": Rule(
        "An address is none that a page may lead to.",
        "Links begin with https://, http://, mailto:, tel: or sms:, and pictures with https://.",
    ),
    "not-a-value": Rule(
        "A number is none that a page can hold, or would lose digits.", "If it is meant as text, put it in quotes."
    ),
    NOT_CHECKED: Rule(
        "The files could not be checked.",
        "The message says why; nothing is known about the files until it is mended.",
    ),
    "not-encrypted": Rule(
        "A link leads to http://, where others can listen to its visitors.",
        "Use https:// where the site has it.",
        level="warning",
    ),
    "not-utf-8": Rule("The text is not UTF-8.", "Save the file with the encoding UTF-8."),
    "second-document": Rule("A second YAML document begins in the file.", "One page, one file: move it to its own."),
    "tag": Rule("A YAML tag such as !!str is not allowed.", "Remove it."),
    "too-deep": Rule("Values are nested more than 64 levels deep.", "Nest them less."),
    "too-many-values": Rule(
        "The file has too many values, counted with its aliases written out.", "Shorten it, or use fewer aliases."
    ),
    "unknown-key": Rule(
        "A key is not known in its place.",
        "Correct its spelling; outside page_data a note of your own begins with x-.",
    ),
    "unknown-value": Rule("A value is none of those that are known there.", "Write one of those that the hint names."),
    "unreadable": Rule(
        "The file can't be read, or leads out of the repository.",
        "Put the file itself into the repository, and let it be read.",
    ),
    "wrong-form": Rule("A value has not the form that is needed there.", "Write it as the hint says."),
    "wrong-type": Rule(
        "A value is of the wrong type, such as a number where text belongs.", "Write it as the hint says."
    ),
    "yaml-syntax": Rule(
        "The file is not valid YAML.", "Look at the indent and the quotes of the line and of the one before."
    ),
}
