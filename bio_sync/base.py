"""The page files of another commit: what pages were meant to be before files, or somebody live, changed them."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bio_sync import timetable, yamltext
from bio_sync.config import Config
from bio_sync.errors import NoRevision
from bio_sync.files import names_page, repository_root
from bio_sync.git import Blob, Checkout
from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.model import DesiredPage
from bio_sync.pages import PageFiles
from bio_sync.planning import Revision
from bio_sync.visible import visible
from bio_sync.yamltext import MOST_BYTES


@dataclass(frozen=True, slots=True)
class BaseFiles:
    """The page files of one commit, by their paths in the checkout, not read yet.

    `paths` tells by page id where the page files of now lie in it, `ignore` what counted for every page then.
    """

    revision: Revision
    checkout: Checkout
    blobs: Mapping[str, Blob]
    files: PageFiles
    paths: Mapping[str, str]
    ignore: tuple[str, ...]

    def pages(self, wanted: Collection[str]) -> tuple[dict[str, DesiredPage], list[str]]:
        """Give the pages `wanted`, by id, as their files wanted them then, and sentences on what is not so.

        A page is looked for in its own file first, then, since files are renamed, in every other one by its id.
        """
        wanted = set(wanted)
        own = {self.paths[page_id] for page_id in wanted}
        then = self._read(own)
        removed = self.blobs.keys() - self.paths.values() if self.files.whole else set()
        then = self._read(removed if then.keys() >= wanted else self.blobs.keys() - own) | then
        notes = [note for page in self.files.desired if page.page_id in wanted for note in self._about(page, then)]
        strangers = (page for page in then.values() if page.file in removed and page.page_id not in self.paths)
        notes += sorted(map(self._about_stranger, strangers))
        return {page_id: then[page_id] for page_id in wanted if page_id in then}, notes

    def _read(self, paths: Iterable[str]) -> dict[str, DesiredPage]:
        """Read pages by id; a file that is no page, or was none yet, is passed over: nothing of it is ever sent."""
        readable = sorted(path for path in paths if path in self.blobs and self.blobs[path].size <= MOST_BYTES)
        contents = self.checkout.contents([self.blobs[path] for path in readable])
        pages: dict[str, DesiredPage] = {}
        for path, data in zip(readable, contents, strict=True):
            document = _mapping(data)
            if isinstance(document.get("id"), str):
                # At the same moment: what time alone has changed is nobody's change.
                page = timetable.desired_at(document, self.files.at, file=path, ignore=self.ignore)
                if page.page_id not in pages or self.paths.get(page.page_id) == path:
                    pages[page.page_id] = page
        return pages

    def _about(self, page: DesiredPage, then: Mapping[str, DesiredPage]) -> Iterator[str]:
        path, at_base = self.paths[page.page_id], f"at {visible(self.revision.name)}"
        if page.page_id not in then:
            others = (other.page_id for other in then.values() if other.file == path)
            was = "could not be read as a page file" if path in self.blobs else "was not there"
            if other := next(others, None):
                was = f"was the file of page {visible(other)}"
            yield f"{page.file} {was} {at_base}: all its changes count as yours"
        elif then[page.page_id].file != path:
            yield f"{page.file} was {visible(then[page.page_id].file)} {at_base}"

    def _about_stranger(self, page: DesiredPage) -> str:
        return (
            f"page {visible(page.page_id)} has no file any more, and had {visible(page.file)} at"
            f" {visible(self.revision.name)}: it stays as it is live"
        )


def read_base(files: PageFiles, config: Config, name: str) -> BaseFiles:
    """Find the page files of the commit that `name` stands for; raises NoRevision when git can't give them."""
    roots = {repository_root(folder) for folder in {source.path.parent for source in files.sources.values()}}
    root = roots.pop()
    if root is None or roots:
        where = "in different git checkouts" if roots else "in no git checkout"
        raise NoRevision(
            f"the page files lie {where}, and --base reads them as they were from git",
            hint="plan without --base, or name files of one checkout",
        )
    checkout = Checkout(root)
    revision = Revision(name, checkout.commit(name))
    top = os.path.realpath(root)
    paths = {page_id: _path(source.path, top) for page_id, source in files.sources.items()}
    then = _mapping(checkout.content(revision.commit, _path(config.folder / config.name, top), most=MOST_BYTES))
    entries = dict.fromkeys((*config.pages, *_texts(then.get("pages"))))
    folders = [_path(folder, top) for folder in (*files.folders, *(config.folder / entry for entry in entries))]
    named = {path for path in paths.values() if not _in_a_folder(path, folders)}
    blobs = checkout.files(revision.commit, [*folders, *named])
    pages = {path: blob for path, blob in blobs.items() if path in named or _in_a_folder(path, folders)}
    return BaseFiles(revision, checkout, pages, files, paths, tuple(_texts(then.get("ignore"))))


def _path(path: Path, top: str) -> str:
    """Give the path from the top of the checkout, as git names it; what lies outside has a name that git has not."""
    return Path(os.path.relpath(os.path.realpath(path), top)).as_posix()


def _in_a_folder(path: str, folders: Iterable[str]) -> bool:
    """Tell whether a search through one of `folders` would have found the file."""
    return any(names_page(folder, path) for folder in folders)


def _texts(value: Json) -> list[str]:
    return [text for text in value if isinstance(text, str) and "\0" not in text] if isinstance(value, list) else []


def _mapping(data: bytes) -> JsonObject:
    value: Json = yamltext.read(data, file="").value
    return value if isinstance(value, dict) else {}
