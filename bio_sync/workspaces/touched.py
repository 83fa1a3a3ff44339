"""Which workspaces differ from another commit: by the files that a plan of theirs reads, and no other."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bio_sync.errors import NoPages, NoRevision
from bio_sync.files import CONFIG_NAME, HIDDEN, FoundFile, LeavesRepository, find_pages, names_page, read_bytes
from bio_sync.git import Blob, Checkout
from bio_sync.visible import shortened, visible
from bio_sync.workspaces.found import Repository, Workspace, workspace_name
from bio_sync.yamltext import MOST_BYTES

# As many as Linux follows, for links that lead to links.
_MOST_LINKS = 40


@dataclass(frozen=True, slots=True)
class Comparison:
    """The workspaces of now that differ from a commit, and sentences on those that come and go."""

    commit: str
    workspaces: tuple[Workspace, ...]
    notes: tuple[str, ...]


def compare(repository: Repository, name: str) -> Comparison:
    """Compare the files as they are now with those of the commit that `name` stands for, as `plan --base` does.

    Raises NoRevision when git can't give that commit.
    """
    checkout = Checkout(repository.root)
    if not (repository.root / ".git").exists():
        raise NoRevision("this folder is in no git checkout, and --base asks git", hint="do without --base")
    commit = checkout.commit(name)
    then = _Then(checkout, commit, checkout.files(commit, ["."]), repository.root)
    touched = tuple(workspace for workspace in repository.chosen if _differs(workspace, then))
    return Comparison(commit, touched, tuple(_come_and_gone(repository, then, shortened(name))))


@dataclass(frozen=True, slots=True)
class _Then:
    """The files of a commit, by their paths from the root of the checkout."""

    checkout: Checkout
    commit: str
    blobs: Mapping[str, Blob]
    root: Path

    def had(self, file: FoundFile) -> bool:
        """Tell whether a file was the same then, and was reached by the same links.

        One that can't be read now counts as another one: its workspace's job says why.
        """
        links = list(_links(file.path, self.root))
        if not all(map(self._was_link, links)):
            return False
        blob = self.blobs.get(self.path(file.path))
        try:
            data = read_bytes(file, most=MOST_BYTES)
        except (FileNotFoundError, LeavesRepository):
            # Not there, or refused: with the same links it was so then, unless there was a file.
            return blob is None
        except OSError:
            return False
        # A checkout on Windows has other line ends than the commit, and no reader of these files sees them.
        return blob is not None and blob.content_id in {
            _content_id(each, len(blob.content_id)) for each in (data, data.replace(b"\r\n", b"\n"))
        }

    def path(self, path: Path) -> str:
        """Give the path of a file behind all links from the root, as git names it."""
        return Path(os.path.relpath(os.path.realpath(path), os.path.realpath(self.root))).as_posix()

    def page_files(self, entry: str) -> Iterator[str]:
        """Give the paths of the page files that `entry`, a file or a folder, named then."""
        return (path for path in self.blobs if names_page(entry, path))

    def _was_link(self, link: tuple[str, bytes]) -> bool:
        path, target = link
        return path not in self.blobs and self.checkout.content(self.commit, path, most=MOST_BYTES) == target


def _content_id(data: bytes, digits: int) -> str:
    """Give the id that git gives to a file (gitformat-object, "blob"), by the hash that has so many digits."""
    kind = "sha1" if digits == 40 else "sha256"
    return hashlib.new(kind, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _differs(workspace: Workspace, then: _Then) -> bool:
    pages, entries = _pages(workspace)
    rules = workspace.config.house_rules if workspace.config else None
    settings = FoundFile(workspace.path / CONFIG_NAME, CONFIG_NAME, then.root)
    if not all(map(then.had, [settings, *pages, *([rules.file] if rules else [])])):
        return True
    # The settings are the same: they named the same files and folders then.
    here = {then.path(page.path) for page in pages}
    return any(path not in here for entry in entries for path in then.page_files(then.path(entry)))


def _pages(workspace: Workspace) -> tuple[Sequence[FoundFile], list[Path]]:
    """Give the page files and where they were looked for; without settings to go by, all in the folder."""
    if workspace.config:
        return workspace.pages, [workspace.path / entry for entry in workspace.config.pages]
    try:
        return find_pages([workspace.path]), [workspace.path]
    except NoPages:
        return (), [workspace.path]


def _come_and_gone(repository: Repository, then: _Then, name: str) -> Iterator[str]:
    """Say of each workspace of then whose folder is none now what became of it, and what a new one needs."""
    folders = {
        PurePosixPath(path).parent.as_posix()
        for path in then.blobs
        if PurePosixPath(path).name == CONFIG_NAME and not any(part.startswith(HIDDEN) for part in path.split("/"))
    }
    now = {workspace.folder for workspace in repository.workspaces}
    new = {workspace.name: workspace.folder for workspace in repository.workspaces if workspace.folder not in folders}
    for folder in sorted(folders - now):
        called, was = visible(workspace_name(folder)), f"was in {visible(folder)} at {name}"
        if to := new.get(workspace_name(folder)):
            yield f"workspace {called} {was}, and is in {visible(to)} now"
        elif repository.includes(folder):
            yield f"workspace {called} {was}, and is gone: its pages stay as they are live"
    known = {workspace_name(folder) for folder in folders}
    for workspace in repository.chosen:
        if workspace.name not in known:
            keys = f"{workspace.environment}-plan and {workspace.environment}-apply"
            yield f"workspace {workspace.name} is new since {name}: its keys are those of the environments {keys}"


def _links(path: Path, root: Path) -> Iterator[tuple[str, bytes]]:
    """Give each link on the way to a file in the repository, by its path from the root, with what it says."""
    ahead = [*reversed(Path(os.path.relpath(path, root)).parts)]
    here, links = root, 0
    while ahead and links <= _MOST_LINKS and here.is_relative_to(root):
        part = ahead.pop()
        here = here.parent if part == ".." else here / part
        if here.is_symlink() and here.is_relative_to(root):
            target = os.fsencode(os.readlink(here))  # noqa: PTH115 - a Path would not keep its bytes
            yield here.relative_to(root).as_posix(), target
            links += 1
            ahead += reversed(Path(os.fsdecode(target)).parts)
            here = here.parent
