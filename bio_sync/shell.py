"""Commands to copy: words that a POSIX shell takes for what they are, whatever is in them, all of it visible."""

import re
import shlex

from bio_sync.visible import visible

# In the format of printf these stand for themselves, and every other byte is written as its number.
_ITSELF = re.compile(r"[A-Za-z0-9_./-]")


def typed(*words: str) -> str:
    """Give a command as it is to be typed on one line; `words` are those behind `bio-sync`, the verb first."""
    return " ".join(("bio-sync", *map(_word, words)))


def path_word(name: str) -> str:
    """Give the name of a file so that a command takes it for nothing else, such as an option or the id of a page."""
    return name if "/" in name or (name.endswith((".yaml", ".yml")) and not name.startswith("-")) else f"./{name}"


def id_words(page_id: str) -> tuple[str, ...]:
    """Give the id of a page so that a command takes it for no option."""
    return ("--", page_id) if page_id.startswith("-") else (page_id,)


def _word(text: str) -> str:
    if visible(text) == text:
        return shlex.quote(text)
    # What does not show can't be copied as it is: the shell makes it of its number (POSIX, printf).
    data = text.encode("utf-8", "surrogateescape")
    written = "".join(chr(byte) if _ITSELF.match(chr(byte)) else f"\\{byte:03o}" for byte in data)
    return f"\"$(printf '{written}')\""
