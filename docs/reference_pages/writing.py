"""Markdown as the reference is written in: tables, code, and words of ours in which options and files become code."""

import re
from collections.abc import Iterable, Sequence

MADE = "<!-- Made by `make reference`: edit what it is made of, see docs/reference.py. -->\n\n"
# Options, with a form behind them, and names of files and settings that stand in our help.
_WORDS_OF_CODE = re.compile(
    r"(?<![\w/.-])(?:--[a-z][a-z-]*(?: (?:github|gitlab)\b)?|bio-sync\.yaml|safety\.max_changes|\.gitignore|\.bio-sync/"
    r"|[A-Z]+\.json|\$GITHUB_OUTPUT)"
)
_DOCUMENT = re.compile(r"\bdocs/([\w/-]+\.md)")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Give a table; a column that says nothing in any row is left out."""
    rows = [list(row) for row in rows]
    kept = [index for index in range(len(head)) if any(row[index] for row in rows)]
    lines = [[head[index] for index in kept], ["---"] * len(kept), *([row[index] for index in kept] for row in rows)]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines) + "\n"


def code(text: str) -> str:
    """Give a word of ours as a code span."""
    return f"`{text}`"


def codes(words: Iterable[object]) -> str:
    """Give some values as code spans, the way they are written in JSON."""
    return ", ".join(code(str(word).lower() if isinstance(word, bool) else str(word)) for word in words)


def marked_up(text: str) -> str:
    """Give a sentence of our help with options as code, but for what is code already, and documents as links."""
    parts = text.split("`")
    parts[::2] = [_WORDS_OF_CODE.sub(lambda found: f"`{found.group()}`", part) for part in parts[::2]]
    return _DOCUMENT.sub(r"[\1](../\1)", "`".join(parts))


def fenced(text: str, language: str) -> str:
    """Give whole lines in a fence."""
    return f"```{language}\n{text.rstrip()}\n```\n\n"


def anchor_of(heading: str) -> str:
    """Give the anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def first_sentence(text: str) -> str:
    """Give what stands before the first full stop that ends a sentence."""
    return re.split(r"(?<=\.)\s", " ".join(text.split()), maxsplit=1)[0]
