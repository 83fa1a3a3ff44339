"""Seeds: pages read from JSON files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bio_sync.sandbox.strict_json import read_file

if TYPE_CHECKING:
    from pathlib import Path

    from bio_sync.sandbox.behaviour import Page


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
        pages += _objects(path)
    return pages


def _objects(path: Path) -> list[Page]:
    content = read_file(path)
    found = content if isinstance(content, list) else [content]
    for item in found:
        if not isinstance(item, dict):
            raise ValueError(  # noqa: TRY004 -- the file is wrong, not its type
                f"{path}: expected a page object or a list of them, found {item!r:.60}"
            )
    return found
