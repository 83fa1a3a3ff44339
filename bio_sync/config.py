"""The file `bio-sync.yaml`: what a page repository says about itself, which is never an address or a key."""

import os
from dataclasses import dataclass
from pathlib import Path

from bio_sync import schema
from bio_sync.errors import InvalidFiles, NoFolder, NoPages
from bio_sync.files import CONFIG_NAME, PAGE_SUFFIXES, FoundFile, absolute, find_pages, repository_root, shown_name
from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.pages import read_document
from bio_sync.problems import Place
from bio_sync.visible import visible
from bio_sync.yamltext import Document

DEFAULT_PAGES = "pages"
_NO_PAGES_HINT = "name the files or folders: bio-sync plan PATH; to see it work first: bio-sync demo"


@dataclass(frozen=True, slots=True)
class HouseRules:
    """The file that `schema` names, a JSON Schema; `named_in` and `place` tell where it is named."""

    file: FoundFile
    named_in: str
    place: Place


@dataclass(frozen=True, slots=True)
class Config:
    """What `bio-sync.yaml` says; without a file, what goes without saying. `root` is what no link may leave.

    `max_changes` is a number of pages or a share such as `30%`, `reserve` a number of API calls of the month.
    """

    folder: Path
    root: Path
    pages: tuple[str, ...] = (DEFAULT_PAGES,)
    ignore: tuple[str, ...] = ()
    max_changes: str | None = None
    reserve: int = 0
    house_rules: HouseRules | None = None
    from_file: bool = False
    name: str = CONFIG_NAME

    def page_files(self, *, missing_ok: bool = False) -> list[FoundFile]:
        """List the page files of the repository; raises NoPages for a path of `pages` that is missing."""
        paths: list[Path] = []
        for entry in self.pages:
            if os.path.lexists(self.folder / entry):
                paths.append(Path(os.path.relpath(self.folder / entry)))
            elif not missing_ok:
                who = f"which {CONFIG_NAME} names" if self.from_file else "and no other PATH was given"
                raise NoPages(f"there is no '{visible(entry)}' here, {who}", hint=_NO_PAGES_HINT)
        return find_pages(paths, root=self.root)

    @property
    def folders_inside(self) -> list[str]:
        """List the folders of page files that lie in this repository, from here, with `/`: a new file may go there."""
        paths = [Path(os.path.normpath(entry)) for entry in self.pages]
        return [
            path.as_posix()
            for path in paths
            if not (path.is_absolute() or {"..", ".git"} & set(path.parts) or path.name.endswith(PAGE_SUFFIXES))
        ]


def read_config(explicit: str | None) -> Config:
    """Read `explicit`, or else the `bio-sync.yaml` from here upwards to the git root, or else the defaults.

    Raises InvalidFiles with every problem of the file, NoPages when `explicit` is not there, NoFolder when the working
    directory was removed.
    """
    try:
        here = Path.cwd()
    except FileNotFoundError:
        raise NoFolder from None
    if explicit is not None and not os.path.lexists(explicit):
        raise NoPages(f"{visible(explicit)}: there is no such file", hint="check the path after --config")
    path = Path(explicit) if explicit is not None else _find(here)
    if path is None:
        return Config(here, repository_root(here) or here)
    folder = Path(absolute(path)).parent
    root = repository_root(folder) or folder
    name = os.path.relpath(path).replace(os.sep, "/")
    document = read_document(FoundFile(path, name, root))
    problems = [*document.problems, *(schema.config_problems(document) if document.value is not None else ())]
    if problems:
        raise InvalidFiles(problems, files=1)
    return _config(document, path.name, folder, root)


def _find(here: Path) -> Path | None:
    """Look upwards as far as the git root; without one, only here: a folder above may be anybody's."""
    root = repository_root(here)
    for folder in (here, *here.parents):
        if (folder / CONFIG_NAME).is_file():
            return folder / CONFIG_NAME
        if root is None or folder == root:
            return None
    return None


def _config(document: Document, name: str, folder: Path, root: Path) -> Config:
    values = document.mapping
    pages, ignore = values.get("pages", [DEFAULT_PAGES]), values.get("ignore", [])
    safety = schema.as_object(values.get("safety", {}))
    reserve = safety.get("reserve", 0)
    assert isinstance(pages, list)  # noqa: S101 - the schema has said so
    assert isinstance(ignore, list)  # noqa: S101 - the schema has said so
    assert isinstance(reserve, int | float)  # noqa: S101 - the schema has said so
    return Config(
        folder,
        root,
        pages=tuple(map(str, pages)),
        ignore=tuple(map(str, ignore)),
        max_changes=_limit(safety.get("max_changes")),
        reserve=int(reserve),
        house_rules=_house_rules(document, values, folder, root),
        from_file=True,
        name=name,
    )


def _house_rules(document: Document, values: JsonObject, folder: Path, root: Path) -> HouseRules | None:
    if "schema" not in values:
        return None
    path = folder / str(values["schema"])
    return HouseRules(
        FoundFile(path, shown_name(Path(os.path.relpath(path))), root), document.file, document.place(("schema",))
    )


def _limit(value: Json) -> str | None:
    # 10.0 is the whole number 10, in JSON Schema and in here.
    return None if value is None else str(int(value) if isinstance(value, float) else value)
