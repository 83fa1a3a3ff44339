"""Foreign text made safe to look at: nothing that a page or a server says may act on the reader's screen."""

import re
import unicodedata

# GitHub's runner obeys ##[command] and Azure's ##vso[command] anywhere in a line.
_RUNNER_COMMAND = re.compile(r"##(?=[A-Za-z]*\[)")
# Zero width joiner and non-joiner hold emoji families and Persian words together, and do nothing else there.
JOINERS = "\u200c\u200d"


def visible(text: str) -> str:
    r"""Give `text` on one line with every character that is not printable written as an escape (`\x1b`).

    Also broken up: `##[` and `##vso[`, which CI runners obey anywhere in a line.
    """
    if not text.isprintable():
        text = "".join(_shown(text, index) for index in range(len(text)))
    return _RUNNER_COMMAND.sub(r"\\x23#", text)


def shortened(text: str, limit: int = 60) -> str:
    """Give `text` visible and at most about `limit` characters long, the middle left out."""
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]}…{text[-half:]}"
    return visible(text)


def plural(count: int, word: str) -> str:
    """Say how many: `1 page`, `1,247 views`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _shown(text: str, index: int) -> str:
    character = text[index]
    if character.isprintable():
        return character
    if character in JOINERS and 0 < index < len(text) - 1 and all(map(_joinable, (text[index - 1], text[index + 1]))):
        return character
    named = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(character)
    if named:
        return named
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _joinable(neighbour: str) -> bool:
    return neighbour > "\x7f" and neighbour.isprintable() and unicodedata.category(neighbour)[0] in "LMS"
