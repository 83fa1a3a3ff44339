"""Which files are page files, and their bytes: links that leave the repository are not followed."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bio_sync.errors import NoPages
from bio_sync.visible import cause_of, visible

PAGE_SUFFIXES = (".yaml", ".yml")
CONFIG_NAME = "bio-sync.yaml"
# Names that begin so are skipped in a search: drafts, and what belongs to other tools.
HIDDEN = ("_", ".")
# Not blocking: to open a pipe would wait for somebody to write into it. Not every system has all of these.
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
# O_PATH, as one may go through a folder that one may not list.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)


class LeavesRepository(Exception):
    """A link in the way to a file leads out of the repository, or the file is no ordinary file."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to read: where it is, the name that people see (from the working directory, with `/`), its root."""

    path: Path
    name: str
    root: Path


def absolute(path: str | Path) -> str:
    """Give the absolute path, with the links in it."""
    return os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links, and where they lead has to be seen


def repository_root(start: Path) -> Path | None:
    """Give the nearest folder from `start` upwards that holds `.git`; None outside of a git checkout."""
    start = Path(absolute(start))
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
        folders: dict[str, str] = {}
        for file in _search(path, own_root) if path.is_dir() else [path]:
            place = absolute(file)
            if place not in found:
                folder, name = os.path.split(file)
                # One relpath() a folder: it takes 10 µs, as long as to open a file.
                if folder not in folders:
                    folders[folder] = os.path.relpath(folder or os.curdir)
                found[place] = FoundFile(file, _shown(folders[folder], name, file), own_root)
    return sorted(found.values(), key=lambda file: file.name)


class Reader:
    """Reads files, and looks up where a folder leads once for all of its files; to be used in a `with`.

    The folder stays open: what its path leads to later is of no interest. A realpath() takes as long as a small file.
    """

    def __init__(self) -> None:
        self._of: tuple[str, Path] | None = None
        self._folder: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def read(self, file: FoundFile, *, most: int) -> bytes:
        """Give the first `most + 1` bytes of an ordinary file.

        Raises LeavesRepository for a link to elsewhere, a pipe or a device, and OSError as open() does.
        """
        descriptor = self._opened(file)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise LeavesRepository("this is not an ordinary file")
            data = os.read(descriptor, min(status.st_size, most) + 1)
            if len(data) != status.st_size:
                # Larger than that, or being written right now.
                with os.fdopen(descriptor, "rb", closefd=False) as stream:
                    data += stream.read(most + 1 - len(data))
            return data
        finally:
            os.close(descriptor)

    def _opened(self, file: FoundFile) -> int:
        folder, name = os.path.split(file.path)
        if self._of != (folder, file.root):
            self._leave()
            self._of, self._folder = (folder, file.root), _opened_folder(folder or os.curdir, file.root)
        if self._folder is not None and name not in {"", os.curdir, os.pardir}:
            try:
                return os.open(name, _OPEN | _NO_FOLLOW, dir_fd=self._folder)
            except OSError as error:
                # What O_NOFOLLOW says of a link: ELOOP, or EMLINK on FreeBSD.
                if error.errno not in {errno.ELOOP, errno.EMLINK}:
                    raise
        real = _inside(file.path, file.root)
        if real is None:
            raise LeavesRepository("this leads out of the repository")
        return os.open(real, _OPEN)

    def _leave(self) -> None:
        if self._folder is not None:
            os.close(self._folder)
        self._of, self._folder = None, None


def _opened_folder(folder: str, root: Path) -> int | None:
    """Open a folder that leads to the inside of `root`; None for any other, and where the system can't do so."""
    real = _inside(folder, root)
    if real is None or not _NO_FOLLOW or os.open not in os.supports_dir_fd:
        return None
    try:
        return os.open(real, _FOLDER | _NO_FOLLOW)
    except OSError:
        return None


def read_bytes(file: FoundFile, *, most: int) -> bytes:
    """Give the first `most + 1` bytes of one file, as a Reader does."""
    with Reader() as reader:
        return reader.read(file, most=most)


def _inside(path: str | Path, root: Path) -> str | None:
    """Give where a path leads when that is inside of `root`, else None."""
    real = os.path.realpath(path)
    return real if Path(real).is_relative_to(os.path.realpath(root)) else None


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
    place, here = Path(absolute(path)), Path.cwd()
    return repository_root(place) or (here if place.is_relative_to(here) else place.parent)


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
        raise NoPages(f"{shown}: {cause_of(error)}", hint="check who may read the folder") from None
    return [entry for entry in entries if not entry.name.startswith(HIDDEN)]


def shown_name(given: Path) -> str:
    """Give the name from the working directory, or as given when it lies elsewhere.

    A name that a CI runner could take for a command (`::add-mask::x.yaml`) begins with `./`.
    """
    folder, name = os.path.split(given)
    return _shown(os.path.relpath(folder or os.curdir), name, given)


def _shown(folder: str, name: str, given: Path) -> str:
    relative = name if folder == os.curdir else f"{folder}/{name}"
    name = (str(given) if relative.startswith("..") else relative).replace(os.sep, "/")
    return name if name[:1].isalnum() or name[:1] in "./_-" else f"./{name}"
