"""What a plain YAML scalar means: the core schema of YAML 1.2 (yaml.org/spec/1.2.2, section 10.3.2)."""

import math
import re

from bio_sync.jsonvalues import LARGEST_EXACT, Json
from bio_sync.visible import shortened

_WORDS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_FIRST_OF_A_NUMBER = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# Longer ones are out of range whatever their digits, and int() on thousands of digits takes its time.
_MOST_DIGITS = 400


class NotAValue(ValueError):
    """A plain scalar that means no JSON value, or none that every reader of JSON keeps whole."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def plain_value(text: str) -> Json:
    """Give the value of a plain scalar: a word or a number where it is one, else the text itself.

    `no`, `on`, `12:30` and `2026-01-02` are text. Raises NotAValue for `.nan`, `.inf` and numbers that would
    lose digits on their way.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _FIRST_OF_A_NUMBER:
        return text
    if _NOT_FINITE.fullmatch(text):
        raise NotAValue(f"{text} is not a number that a page can hold", _quote(text))
    if len(text) > _MOST_DIGITS:
        return text if not _FLOAT.fullmatch(text) else _too_large(text)
    if _INTEGER.fullmatch(text):
        return _exact(text, int(text))
    if _OCTAL.fullmatch(text):
        return _exact(text, int(text, 0))
    if _HEXADECIMAL.fullmatch(text):
        return _exact(text, int(text, 0))
    if _FLOAT.fullmatch(text):
        return _float(text)
    return text


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _too_large(text)
    if "e" not in text.lower() and abs(number) > LARGEST_EXACT and int(number) != int(text.partition(".")[0]):
        _too_large(text)
    if not number and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise NotAValue(f"{shortened(text, 24)} is too small: browsers would read it as 0", _quote(text))
    return number


def _exact(text: str, number: int) -> int:
    if abs(number) > LARGEST_EXACT:
        _too_large(text)
    return number


def _too_large(text: str) -> Json:
    raise NotAValue(f"{shortened(text, 24)} is too large: browsers would change its digits", _quote(text))


def _quote(text: str) -> str:
    return f'if it is meant as text, put it in quotes: "{shortened(text, 24)}"'
