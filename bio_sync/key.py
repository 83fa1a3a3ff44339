"""The API key: read from the environment or a file, shown by its prefix only, and cut out of all that is printed."""

import os
import re
import sys
from collections.abc import Mapping

from bio_sync.errors import InvalidKey
from bio_sync.visible import cause_of

KEY_VARIABLE, KEY_FILE_VARIABLE = "XQR_API_KEY", "XQR_API_KEY_FILE"
TOKEN_VARIABLES = ("GITHUB_TOKEN", "GH_TOKEN")
# What no other program that we start has any use for.
SECRETS = frozenset((KEY_VARIABLE, KEY_FILE_VARIABLE, *TOKEN_VARIABLES))
# RFC 9110, section 5.5: visible ASCII is what every header may carry. But for what JSON, HTML or Markdown would write
# in another way: the key has to be found, and cut out, in all of them.
_SENDABLE = re.compile(r"[!$%()*+,./0-9:;=?@A-Z^_a-z{}~\[\]-]+")
# `xqr_pk_`, eight characters that are safe to log, a dot, then the secret (the vendor's form).
_FORM = re.compile(r"(xqr_pk_[0-9a-f]{8})\.(.+)")
_MOST_BYTES = 4096
_WINDOW = 8


class ApiKey:
    """A bearer key that no `repr`, `str`, pickle or JSON can show; `header()` alone gives it away."""

    __slots__ = ("__value",)

    def __init__(self, text: str) -> None:
        """Take a key as it was typed; raises InvalidKey, without the key, for one that can't be sent."""
        text = text.strip()
        if not text:
            raise InvalidKey("the API key is empty", hint=f"set {KEY_VARIABLE}, or give --api-key-file FILE")
        if not _SENDABLE.fullmatch(text):
            raise InvalidKey(
                "the API key holds a character that no key has (a space, a line end, an accent or the like)",
                hint=f"copy it again, alone and on one line, into {KEY_VARIABLE} or its file",
            )
        self.__value = text

    def __repr__(self) -> str:
        return f"<API key {self.prefix}…>"

    def __reduce__(self) -> str:
        raise TypeError("an API key is not to be copied")

    @property
    def prefix(self) -> str:
        """Give the part of the key that is safe to show; empty when the key is not of the vendor's form."""
        found = _FORM.fullmatch(self.__value)
        return found.group(1) if found else ""

    def header(self) -> str:
        """Give the value of the `Authorization` header."""
        return f"Bearer {self.__value}"

    def redacted(self, text: str) -> str:
        """Give `text` with every run of eight or more characters of the secret replaced by `***`."""
        found = _FORM.fullmatch(self.__value)
        secret = found.group(2) if found else self.__value
        if len(secret) < _WINDOW:
            # No service has keys this short, and their letters stand in every other word.
            return text
        windows = {secret[start : start + _WINDOW] for start in range(len(secret) - _WINDOW + 1)}
        starts = [
            found.start() for each in windows if each in text for found in re.finditer(f"(?={re.escape(each)})", text)
        ]
        for start, end in reversed(_spans(starts)):
            # A number stays a number: in JSON it may be one, and stars would end the document.
            mask = "9" * (end - start) if text[start:end].isdecimal() else "***"
            text = f"{text[:start]}{mask}{text[end:]}"
        return text


def read_key(environment: Mapping[str, str], *, file: str | None) -> ApiKey:
    """Find the key: `file` (`-` is standard input), else `XQR_API_KEY`, else the file of `XQR_API_KEY_FILE`.

    Raises InvalidKey when there is none, or none that can be sent.
    """
    if file is None:
        if environment.get(KEY_VARIABLE, "").strip():
            return ApiKey(environment[KEY_VARIABLE])
        file = environment.get(KEY_FILE_VARIABLE) or None
    if file is None:
        raise InvalidKey(
            "there is no API key",
            hint=f"set {KEY_VARIABLE} (xQR: Settings, API keys), or give --api-key-file FILE",
        )
    try:
        return ApiKey((_standard_input() if file == "-" else _head(file)).decode("utf-8"))
    except OSError as error:
        # Not the name: somebody who puts the key itself where its file belongs would see it printed.
        raise InvalidKey(
            f"the file of the API key can't be read: {cause_of(error)}",
            hint=f"--api-key-file and {KEY_FILE_VARIABLE} take the path of a file that holds the key",
        ) from None
    except UnicodeDecodeError:
        raise InvalidKey("the file of the API key is not text", hint="put the key alone into the file") from None


def key_at_hand(environment: Mapping[str, str]) -> ApiKey | None:
    """Give the key that the environment holds, if it holds a good one: to keep it off the output, not to use it."""
    file = environment.get(KEY_FILE_VARIABLE)
    # A pipe can be read once only, by the command that needs the key.
    # (By os and not by pathlib, whose import takes 4 ms that `--help` does not need.)
    if file and not os.path.isfile(file) and not environment.get(KEY_VARIABLE):  # noqa: PTH113
        return None
    try:
        return read_key(environment, file=None)
    except InvalidKey:
        return None


def _standard_input() -> bytes:
    if sys.stdin is None or sys.stdin.closed:
        raise InvalidKey("there is no API key: standard input is closed", hint="pipe the key into the command")
    return sys.stdin.buffer.read(_MOST_BYTES)


def _head(path: str) -> bytes:
    with open(path, "rb") as stream:  # noqa: PTH123 - as above
        return stream.read(_MOST_BYTES)


def _spans(starts: list[int]) -> list[tuple[int, int]]:
    """Put windows that overlap or touch into one span each, in their order."""
    merged: list[tuple[int, int]] = []
    for start in sorted(starts):
        end = start + _WINDOW
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
