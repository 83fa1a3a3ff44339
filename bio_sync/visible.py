"""Foreign text made safe to look at: nothing that a page or a server says may act on the reader's screen."""

import re
from collections.abc import Mapping

# GitHub's runner obeys ##[command] and Azure's ##vso[command] anywhere in a line.
_RUNNER_COMMAND = re.compile(r"##(?=[A-Za-z]*\[)")
# Zero width joiner and non-joiner hold emoji families and Persian words together, and do nothing else there.
JOINERS = "\u200c\u200d"
_EMOJI_STYLE = "\ufe0f"
# Python calls these printable, and no screen shows them: fillers, blanks, variation selectors.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Scripts in which a joiner is part of how a word is written.
_JOINING = re.compile(
    "ARABIC|SYRIAC|NKO|MONGOLIAN|DEVANAGARI|BENGALI|GURMUKHI|GUJARATI|ORIYA|TAMIL|TELUGU|KANNADA|MALAYALAM|SINHALA|"
    "KHMER|MYANMAR|TIBETAN"
)


def visible(text: str) -> str:
    r"""Give `text` on one line with every character that does not show written as an escape (`\x1b`).

    Also broken up: `##[` and `##vso[`, which CI runners obey anywhere in a line.
    """
    if not text.isprintable() or _UNSEEN.search(text):
        text = "".join(_shown(text, index) for index in range(len(text)))
    return _RUNNER_COMMAND.sub(r"\\x23#", text)


def shortened(text: str, limit: int = 60) -> str:
    """Give `text` visible and at most about `limit` characters long, the middle left out."""
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]}…{text[-half:]}"
    return visible(text)


def cause_of(error: OSError) -> str:
    """Say in the system's words why it could not do something, without the name of a file."""
    return visible(error.strerror or "unknown")


def plural(count: int, word: str) -> str:
    """Say how many: `1 page`, `1,247 views`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def and_more(count: int) -> str:
    """Say how many a list leaves out: ` and 3 more`; empty when it is whole."""
    return f" and {count:,} more" if count > 0 else ""


def tally(counts: Mapping[str, int]) -> str:
    """Say how many of each there are: `2 applied, 1 failed`; `nothing to do` where there are none."""
    return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count) or "nothing to do"


def calls_used(calls: int, left: int | None) -> str:
    """Say what a run has cost, and what the month has left if the service has said so."""
    return f"{plural(calls, 'call')} used" + ("" if left is None else f", {left:,} left this month")


def _shown(text: str, index: int) -> str:
    character = text[index]
    if character.isprintable() and not _UNSEEN.match(character):
        return character
    before, after = text[index - 1 : index], text[index + 1 : index + 2]
    if character in JOINERS and (_joins(before, after) or (character == JOINERS[1] and _emoji(before, after))):
        return character
    if character == _EMOJI_STYLE and before and (_category(before) == "So" or before in "0123456789#*"):
        return character
    named = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(character)
    if named:
        return named
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _joins(before: str, after: str) -> bool:
    import unicodedata  # noqa: PLC0415 - 2 ms that only text with such characters needs

    return bool(before and after) and all(_JOINING.match(unicodedata.name(each, "")) for each in (before, after))


def _emoji(before: str, after: str) -> bool:
    return (
        bool(before and after)
        and (before == _EMOJI_STYLE or _category(before) in {"So", "Sk"})
        and _category(after) == "So"
    )


def _category(character: str) -> str:
    import unicodedata  # noqa: PLC0415 - as above

    return unicodedata.category(character)
