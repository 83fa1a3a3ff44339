"""Which files are page files, and their bytes: links that leave the repository are not followed."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bio_sync.errors import NoPages
from bio_sync.visible import visible

PAGE_SUFFIXES = (".yaml", ".yml")
CONFIG_NAME = "bio-sync.yaml"
# Names that begin so are skipped in a search: drafts, and what belongs to other tools.
HIDDEN = ("_", ".")


class LeavesRepository(Exception):
    """A link in the way to a file leads out of the repository, or the file is no ordinary file."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to read: where it is, the name that people see (from the working directory, with `/`), its root."""

    path: Path
    name: str
    root: Path


def repository_root(start: Path) -> Path | None:
    """Give the nearest folder from `start` upwards that holds `.git`; None outside of a git checkout."""
    start = Path(os.path.abspath(start))  # noqa: PTH100 - resolve() would follow the links we have to see
    return next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), None)


def find_pages(paths: Sequence[Path], *, root: Path | None = None) -> list[FoundFile]:
    """List the page files that `paths` name: files as they are, folders searched through, ordered by name.

    Names that begin with `_` or `.` are skipped in a search. `root` is what no link may leave; without it, the
    git checkout around each path, else the working directory. Raises NoPages for a path that is not there.
    """
    found: dict[str, FoundFile] = {}
    for path in paths:
        if not os.path.lexists(path):
            raise NoPages(f"{visible(str(path))}: there is no such file or folder", hint="check the path's spelling")
        own_root = root or _root_of(path)
        for file in _search(path, own_root) if path.is_dir() else [path]:
            absolute = os.path.abspath(file)  # noqa: PTH100 - resolve() would follow the links we have to see
            found.setdefault(absolute, FoundFile(file, shown_name(file), own_root))
    return sorted(found.values(), key=lambda file: file.name)


def read_bytes(file: FoundFile, *, most: int) -> bytes:
    """Give the first `most + 1` bytes of an ordinary file.

    Raises LeavesRepository for a link to elsewhere, a pipe or a device, and OSError as open() does.
    """
    real = os.path.realpath(file.path)
    if not Path(real).is_relative_to(os.path.realpath(file.root)):
        raise LeavesRepository("this leads out of the repository")
    # Not blocking: to open a pipe would wait for somebody to write into it.
    descriptor = os.open(real, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise LeavesRepository("this is not an ordinary file")
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read(most + 1)
    finally:
        os.close(descriptor)


def names_page(entry: str, path: str) -> bool:
    """Tell whether `entry`, a file or a folder to search, names the page file at `path`.

    Both are paths from the same root, with `/`; nothing is looked for on the disk.
    """
    start = "" if entry == "." else f"{entry}/"
    return path == entry or (path.startswith(start) and _is_page_name(path[len(start) :].split("/")))


def _is_page_name(parts: Sequence[str]) -> bool:
    hidden = any(part.startswith(HIDDEN) for part in parts)
    return bool(parts) and not hidden and parts[-1].endswith(PAGE_SUFFIXES) and parts[-1] != CONFIG_NAME


def _root_of(path: Path) -> Path:
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the links we have to see
    here = Path.cwd()
    return repository_root(absolute) or (here if absolute.is_relative_to(here) else absolute.parent)


def _search(start: Path, root: Path) -> Iterator[Path]:
    """Give the page files in and under a folder; of a folder that leads out of `root`, the folder itself.

    Each folder is searched once, and under its own name before that of a link, so that links in a circle end.
    """
    folders, links, searched = [(start, os.path.realpath(start))], list[tuple[Path, str]](), set[str]()
    real_root = os.path.realpath(root)
    while folders or links:
        folder, real = folders.pop() if folders else links.pop(0)
        if not Path(real).is_relative_to(real_root):
            yield folder
            continue
        if real in searched:
            continue
        searched.add(real)
        for entry in _entries(folder):
            path = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                # Not asked of the system again: in folders a thousand deep that takes minutes.
                folders.append((path, f"{real}/{entry.name}"))
            elif _is_page_name([entry.name]):
                yield path
            elif entry.is_symlink() and entry.is_dir() and not Path(real).is_relative_to(os.path.realpath(path)):
                links.append((path, os.path.realpath(path)))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        shown = visible(str(folder))
        raise NoPages(f"{shown}: {error.strerror}", hint="check who may read the folder") from None
    return [entry for entry in entries if not entry.name.startswith(HIDDEN)]


def shown_name(given: Path) -> str:
    """Give the name from the working directory, or as given when it lies elsewhere.

    A name that a CI runner could take for a command (`::add-mask::x.yaml`) begins with `./`.
    """
    relative = os.path.relpath(given)
    name = (str(given) if relative.startswith("..") else relative).replace(os.sep, "/")
    return name if name[:1].isalnum() or name[:1] in "./_-" else f"./{name}"
