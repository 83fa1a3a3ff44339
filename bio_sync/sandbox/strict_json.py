"""JSON as RFC 8259 has it, where Python reads more; of files, with unique members too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def read_file(path: Path) -> Any:
    """Return the value in a JSON file.

    Raises:
        ValueError: the file is not JSON in UTF-8; the message names it.
        OSError: the file can not be read; the message names it.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text, parse_constant=refuse_constant, object_pairs_hook=_once_each)
    except OSError as error:
        raise OSError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not JSON in UTF-8: {error}") from error


def refuse_constant(name: str) -> object:
    """Refuse NaN and Infinity, which Python reads and JSON does not have: a ValueError."""
    raise ValueError(f"{name} is no number of JSON")


def _once_each(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {twice!r:.60} stands twice in one object")
    return found
