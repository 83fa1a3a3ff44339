"""From live pages to page files: which page goes into which file, and what would be written."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bio_sync.api import Api
from bio_sync.config import Config
from bio_sync.errors import NoRevision, NotCommitted, NotWritten, PageGone
from bio_sync.files import (
    HIDDEN,
    PAGE_SUFFIXES,
    FoundFile,
    absolute,
    find_pages,
    read_bytes,
    repository_root,
    shown_name,
)
from bio_sync.git import Checkout
from bio_sync.model import LivePage
from bio_sync.pages import PageFiles, read_pages
from bio_sync.pagetext import Secret, edited_text, file_stem, new_text
from bio_sync.progress import READING, UNWATCHED, Watch
from bio_sync.schema import NO_ID
from bio_sync.schemafiles import schema_beside, schema_text
from bio_sync.visible import and_more, visible
from bio_sync.yamltext import MOST_BYTES


@dataclass(frozen=True, slots=True)
class PulledFile:
    """What becomes of a page's file: `before` is None when it is new, and `after` when its page is not live.

    `left` tells by JSON Pointer why a value is left as it is live, `woken` are the labels of links that are live
    outside their time, which was taken out of the file.
    """

    page_id: str
    path: Path
    name: str
    before: str | None
    after: str | None
    left: Mapping[str, str]
    woken: tuple[str, ...] = ()

    @property
    def bytes_before(self) -> bytes:
        """Give what is on the disk."""
        return (self.before or "").encode()

    @property
    def is_changed(self) -> bool:
        """Tell whether the file has to be written."""
        return self.after is not None and self.after != self.before


def read_repository(config: Config, paths: Sequence[str], *, at: datetime, watch: Watch = UNWATCHED) -> PageFiles:
    """Read every page file that there is, and those that `paths` name; there may be none.

    A file without an id is of a page that is not made yet: it claims no live page, so it is in the way of no pull but
    its own.
    """
    files = read_pages(watch.counted(READING, every_page_file(config, paths)), at=at, ignore=config.ignore)
    named = {visible(shown_name(Path(path))) for path in paths}
    problems = (each for each in files.problems if each.message != NO_ID or each.file in named)
    return replace(files, problems=tuple(problems))


def every_page_file(config: Config, paths: Sequence[str]) -> list[FoundFile]:
    """List every page file that there is, and those that `paths` name, each once; there may be none."""
    found = {os.path.realpath(file.path): file for file in config.page_files(missing_ok=True)}
    for file in find_pages([Path(path) for path in paths]):
        found.setdefault(os.path.realpath(file.path), file)
    return sorted(found.values(), key=lambda file: file.name)


def is_path(argument: str) -> bool:
    """Tell whether an argument names a file or a folder, and no page."""
    return os.sep in argument or "/" in argument or argument.endswith(PAGE_SUFFIXES) or Path(argument).is_dir()


def ids_of(arguments: Sequence[str], files: PageFiles) -> list[str]:
    """Give the ids of the pages that arguments name: by id, by file, or by a folder with files."""
    by_path = {Path(os.path.realpath(source.path)): page_id for page_id, source in files.sources.items()}
    named: list[str] = []
    for argument in arguments:
        real = os.path.realpath(argument)
        inside = [page_id for path, page_id in by_path.items() if path.is_relative_to(real)]
        named += inside if is_path(argument) else [argument]
    return list(dict.fromkeys(named))


def live_pages(api: Api, wanted: Sequence[str], *, everything: bool) -> dict[str, LivePage]:
    """Read the pages: one GET for a single one, else by list calls; what is not there is left out."""
    if everything or len(wanted) != 1:
        return api.list_pages(wanted, everything=everything)
    try:
        return {wanted[0]: api.get_page(wanted[0])}
    except PageGone:
        return {}


def pulled_files(
    live: Mapping[str, LivePage],
    wanted: Sequence[str],
    files: PageFiles,
    config: Config,
    folder: Path,
    *,
    secret: Secret,
) -> Iterator[PulledFile]:
    """Give what becomes of the file of each wanted page; new files go into `folder`, texts with a `secret` into none.

    Raises PageGone for a page that neither has a file nor is live, CannotPull for one that no file can describe.
    """
    checked = {each.page_id: document for each, document in zip(files.desired, files.documents, strict=True)}
    address = schema_address(folder, config)
    taken = {path.stem.lower() for path in folder.iterdir()} if folder.is_dir() else set()
    for page_id in wanted:
        source, page = files.sources.get(page_id), live.get(page_id)
        if source is not None:
            before = read_bytes(source, most=MOST_BYTES).decode("utf-8")
            # A link inside the repository stays one.
            existing = PulledFile(page_id, Path(os.path.realpath(source.path)), source.name, before, None, {})
            if page is not None:
                document = checked[page_id]
                edit = edited_text(before, document, page, ignore=config.ignore, at=files.at, secret=secret)
                existing = replace(existing, after=edit.text, left=edit.left, woken=edit.woken)
            yield existing
        elif page is None:
            raise PageGone(
                f"page {visible(page_id)} is not in this workspace",
                hint="check the id; `bio-sync pull --all` takes all pages that are there",
            )
        else:
            stem = file_stem(page, taken, secret)
            taken.add(stem)
            path = folder / f"{stem}.yaml"
            text = new_text(page, ignore=config.ignore, at=files.at, schema_address=address, secret=secret)
            yield PulledFile(page_id, path, shown_name(path), None, text.text, text.left)


def new_files_folder(config: Config, told: str | None) -> Path:
    """Choose the folder for new files: as told, or the first one with page files; raises NotWritten for no place."""
    folders = [Path(os.path.relpath(config.folder / entry)) for entry in config.folders_inside]
    if told is None and not folders:
        raise NotWritten("bio-sync.yaml names no folder in here for new page files", hint="name one: --dir DIR")
    folder = Path(told) if told is not None else folders[0]
    parts = Path(os.path.relpath(folder, config.root)).parts
    if any(part.startswith(HIDDEN) and part not in {".", ".."} for part in parts):
        raise NotWritten(
            f"page files in {visible(str(folder))} would be passed over: a name in it begins with _ or .",
            hint="name another folder: --dir DIR",
        )
    root = repository_root(folder) or config.root
    inside = Path(absolute(folder)).is_relative_to(root)
    if inside and not Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(root)):
        raise NotWritten(f"{visible(str(folder))} leads out of the repository", hint="name a folder inside it")
    if folder.exists() and not folder.is_dir():
        raise NotWritten(f"{visible(str(folder))} is no folder", hint="name another one: --dir DIR")
    return folder


def is_read_later(file: PulledFile, config: Config) -> bool:
    """Tell whether a command without PATHs finds a new file: it does only where the configuration looks."""
    places = [os.path.realpath(config.folder / entry) for entry in config.pages]
    return any(Path(os.path.realpath(file.path)).is_relative_to(place) for place in places)


def schema_address(folder: Path, config: Config) -> str:
    """Give where an editor finds the schema of page files, for the first line of a file in `folder`."""
    return schema_beside(folder, config.folder) or str(json.loads(schema_text("page"))["$id"])


def check_committed(pulled: Sequence[PulledFile]) -> None:
    """Let pass only files that git could bring back; outside of a checkout nobody expects that.

    Raises NotCommitted, naming the files.
    """
    changed = [file for file in pulled if file.is_changed and file.before is not None]
    lost: list[str] = []
    by_root: dict[Path | None, list[PulledFile]] = {}
    for file in changed:
        by_root.setdefault(repository_root(file.path.parent), []).append(file)
    for root, inside in by_root.items():
        if root is not None:
            paths = {os.path.relpath(file.path, os.path.realpath(root)).replace(os.sep, "/"): file for file in inside}
            lost += [paths[path].name for path in _uncommitted(root, paths)]
    if lost:
        names = ", ".join(visible(name) for name in sorted(lost)[:5]) + and_more(len(lost) - 5)
        raise NotCommitted(
            f"not committed, and would be written over: {names}",
            hint="commit it first, or put it aside (git stash), so that git can bring it back;"
            " or look with --dry-run, then give --force",
        )


def _uncommitted(root: Path, files: Mapping[str, PulledFile]) -> list[str]:
    """Give the paths of the files that are not as they were committed, but for their line ends."""
    checkout = Checkout(root)
    try:
        then = checkout.committed(files) if checkout.is_repository() else None
    except NoRevision as error:
        raise NotCommitted(
            f"nobody knows whether the files are committed: {error.message}",
            hint="look with --dry-run what would be written over, then give --force",
        ) from None
    if then is None:
        return []
    return [path for path, file in files.items() if path not in then or _lines(then[path]) != _lines(file.bytes_before)]


def _lines(data: bytes) -> bytes:
    # A checkout may write other line ends than what is committed.
    return data.replace(b"\r\n", b"\n")
