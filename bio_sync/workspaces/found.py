"""Which folders of a repository are workspaces, what they are called, and whose each page file is."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bio_sync.config import Config, read_config
from bio_sync.errors import InvalidFiles, NoPages
from bio_sync.files import CONFIG_NAME, HIDDEN, FoundFile, absolute, find_pages, repository_root, shown_name
from bio_sync.problems import Problem
from bio_sync.visible import cause_of, shortened, visible

# A folder that holds one of these is another checkout, or a Python environment with what is installed in it.
_NOT_OF_THIS_REPOSITORY = (".git", "pyvenv.cfg")
# Names of folders end up in names of environments and jobs and in workflow expressions: none of these can act there.
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Environments have 255 characters at most, on GitHub and on GitLab, and ours have a prefix and a suffix.
MOST_OF_A_NAME = 200
_NAME_OF_THE_TOP = "root"


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder with its own `bio-sync.yaml`.

    `folder` is its path from the root with `/`, `name` its last part. `pages` are the page files that its settings
    name. `config` is None when the settings can't be read: what is wrong is for the workspace's own job to say.
    """

    name: str
    folder: str
    path: Path
    config: Config | None
    pages: tuple[FoundFile, ...] = ()

    @property
    def environment(self) -> str:
        """What the names of its environments begin with; one holds a key."""
        return f"bio-sync-{self.name}"


@dataclass(frozen=True, slots=True)
class Repository:
    """The workspaces of a repository, by folder; `chosen` are those in the folders that were asked for."""

    root: Path
    workspaces: tuple[Workspace, ...]
    folders: tuple[str, ...]

    @property
    def chosen(self) -> tuple[Workspace, ...]:
        """The workspaces in and under the folders that were asked for."""
        return tuple(workspace for workspace in self.workspaces if self.includes(workspace.folder))

    def includes(self, folder: str) -> bool:
        """Tell whether a folder is one of those that were asked for, or lies under one."""
        return any(Path(folder).is_relative_to(asked) for asked in self.folders)


def find_workspaces(folders: Sequence[str]) -> Repository:
    """Find the workspaces of the repository around the working directory.

    All are looked at whatever `folders` are asked for, since no two may have one name or one page file.
    Raises InvalidFiles where that is so or a name is not fit for CI, NoPages without any workspace.
    """
    here = Path.cwd()
    root = repository_root(here) or here
    asked = tuple(_inside(folder, root) for folder in folders) or (".",)
    found = [_workspace(folder, root) for folder in sorted(_search(root))]
    problems = [*_unfit_names(found), *_names_twice(found), *_pages_twice(found)]
    if problems:
        raise InvalidFiles(problems, files=len(found))
    repository = Repository(root, tuple(found), asked)
    if not repository.chosen:
        where = ", ".join(map(visible, folders)) or "this repository"
        raise NoPages(
            f"there is no workspace in {where}: no folder has a {CONFIG_NAME} of its own",
            hint=f"a workspace is a folder with its own {CONFIG_NAME} and page files; names that begin with _ or . are "
            "skipped",
        )
    return repository


def workspace_name(folder: str) -> str:
    """Give the name of the workspace in a folder: its last part."""
    return _NAME_OF_THE_TOP if folder == "." else folder.rpartition("/")[2]


def _inside(folder: str, root: Path) -> str:
    """Give the path of a folder from the root; raises NoPages when it is none, or not in this repository."""
    path = Path(absolute(folder))
    if not path.is_dir():
        raise NoPages(f"{visible(folder)}: there is no such folder", hint="check the path's spelling")
    if not path.is_relative_to(root):
        raise NoPages(f"{visible(folder)} is not in this repository", hint="run it in the repository of the folder")
    return path.relative_to(root).as_posix()


def _search(root: Path) -> Iterator[str]:
    """Give the folders with a settings file, from the root; no link is followed, and no other checkout entered."""
    ahead = [root]
    while ahead:
        folder = ahead.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            raise NoPages(f"{visible(str(folder))}: {cause_of(error)}", hint="check who may read the folder") from None
        names = {entry.name for entry in entries}
        if folder != root and names.intersection(_NOT_OF_THIS_REPOSITORY):
            continue
        for entry in entries:
            if entry.name == CONFIG_NAME and not entry.is_dir():
                yield folder.relative_to(root).as_posix()
            elif not entry.name.startswith(HIDDEN) and entry.is_dir(follow_symlinks=False):
                ahead.append(folder / entry.name)


def _workspace(folder: str, root: Path) -> Workspace:
    path, name = root / folder, workspace_name(folder)
    try:
        config = read_config(os.path.relpath(path / CONFIG_NAME))
        named = [Path(os.path.relpath(path / entry)) for entry in config.pages if os.path.lexists(path / entry)]
        return Workspace(name, folder, path, config, tuple(find_pages(named, root=root)))
    except (InvalidFiles, NoPages):
        return Workspace(name, folder, path, None)


def _unfit_names(found: Sequence[Workspace]) -> Iterator[Problem]:
    for workspace in found:
        parts = [] if workspace.folder == "." else workspace.folder.split("/")
        unfit = [part for part in parts if not _SAFE.fullmatch(part) or len(part) > MOST_OF_A_NAME]
        if unfit:
            message = f"'{shortened(unfit[0])}' can't be a part of the name of jobs and environments"
            hint = f"rename the folder: letters a to z, digits, . _ - are fit, {MOST_OF_A_NAME} of them at most"
            yield _problem(workspace, message, hint, "workspace-name")


def _names_twice(found: Sequence[Workspace]) -> Iterator[Problem]:
    first: dict[str, Workspace] = {}
    for workspace in found:
        # GitHub makes no difference between capital and small letters in the name of an environment.
        other = first.setdefault(workspace.name.lower(), workspace)
        if other is not workspace:
            message = f"the workspace {visible(workspace.name)} is in {visible(other.folder)} too"
            hint = "rename one of the two folders: the name of a workspace says which key it gets"
            yield _problem(workspace, message, hint, "workspace-twice")


def _pages_twice(found: Sequence[Workspace]) -> Iterator[Problem]:
    first: dict[str, Workspace] = {}
    for workspace in found:
        for page in workspace.pages:
            other = first.setdefault(os.path.realpath(page.path), workspace)
            if other is not workspace:
                message = f"{visible(page.name)} belongs to the workspace in {visible(other.folder)} too"
                hint = "one page file, one workspace: change `pages` of one of the two"
                yield _problem(workspace, message, hint, "page-of-two-workspaces", pointer="/pages")


def _problem(workspace: Workspace, message: str, hint: str, rule: str, *, pointer: str = "") -> Problem:
    file = visible(shown_name(workspace.path / CONFIG_NAME))
    return Problem(file, 1, 1, pointer, message, hint, rule)
