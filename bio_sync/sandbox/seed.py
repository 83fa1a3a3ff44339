"""Seeds: pages and faults read from JSON files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bio_sync.sandbox.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from bio_sync.sandbox.behaviour import Page

_FAULT_TYPES: dict[str, tuple[type, ...]] = {
    "status": (int, type(None)),
    "code": (str, type(None)),
    "message": (str,),
    "headers": (dict,),
    "method": (str, type(None)),
    "path": (str, type(None)),
    "times": (int, type(None)),
    "after": (bool,),
    "delay": (int, float),
    "body": (str, type(None)),
    "drop": (bool,),
}


def load_seed(folder: Path) -> list[Page]:
    """Return the pages in a folder's `*.json` files, by file name; each file holds one page or a list.

    Raises:
        ValueError: a file is not JSON, or holds something else than pages; the message names it.
        OSError: the folder or a file can not be read.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: this is not a folder")
    pages = []
    for path in sorted(folder.glob("*.json")):
        pages += _objects(path, "page")
    return pages


def load_faults(path: Path) -> list[Fault]:
    """Return the faults in a JSON file: one object or a list, its members named as those of Fault.

    Raises:
        ValueError: the file is not JSON, or holds something else than faults; the message names it.
        OSError: the file can not be read.
    """
    faults = []
    for members in _objects(path, "fault"):
        for name, value in members.items():
            if name not in _FAULT_TYPES:
                raise ValueError(f"{path}: a fault has no member {name!r}")
            # By exact type: bool is an int to isinstance, and `status: true` is a mistake.
            if type(value) not in _FAULT_TYPES[name]:
                raise ValueError(f"{path}: {name} of a fault can not be {value!r:.60}")
        faults.append(Fault(**members))
    return faults


def _objects(path: Path, name: str) -> list[Page]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not JSON in UTF-8: {error}") from error
    found = content if isinstance(content, list) else [content]
    for item in found:
        if not isinstance(item, dict):
            raise ValueError(  # noqa: TRY004 -- the file is wrong, not its type
                f"{path}: expected a {name} object or a list of them, found {item!r:.60}"
            )
    return found
