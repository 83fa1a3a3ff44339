"""The files that a new page repository begins with."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bio_sync.config import DEFAULT_PAGES, Config, read_config
from bio_sync.errors import NotWritten
from bio_sync.files import CONFIG_NAME, PAGE_SUFFIXES, repository_root
from bio_sync.schemafiles import CONFIG_SCHEMA, PAGE_SCHEMA, schema_text, shipped
from bio_sync.version import __version__
from bio_sync.visible import visible

FIRST_PAGE = "first-page.yaml"
EDITOR_SETTINGS, EDITOR_EXTENSIONS = ".vscode/settings.json", ".vscode/extensions.json"
EXTENSION = "redhat.vscode-yaml"
GITLAB, GITLAB_JOBS = ".gitlab-ci.yml", ".gitlab/bio-sync.yml"
GITHUB, GITHUB_DAILY = ".github/workflows/bio-sync.yml", ".github/workflows/bio-sync-daily.yml"
GIT_IGNORES = ".gitignore"
IGNORED_TITLE = "# bio-sync: keys, journals and saved plans"
IGNORED = (
    ".env", ".bio-sync/", ".*.part",
    "plan.json", "plan.md", "plan.html", "plan.txt", "gl-plan.json",
    "drift.json", "drift.md", "drift.txt",
    "bio-sync.sarif", "gl-code-quality-report.json",
)  # fmt: skip
THERE = "it is there already"

System = Literal["github", "gitlab"]
# Where the jobs of a CI system are, and what has to be set up for them is told.
JOBS: dict[System, str] = {"github": GITHUB, "gitlab": GITLAB_JOBS}


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one file, and why: `text` is all that it is to hold, or None when it is left as it is.

    `name` is its path from the folder, with `/`; `advice` is what its owner may do instead.
    """

    verb: Literal["write", "add", "keep", "pull"]
    name: str
    words: str
    text: str | None = None
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Scaffold:
    """The steps to a page repository in the working directory, in the order to write them.

    `pages` is the folder where its page files go, with `/`; `first_page` is the page that is written to begin with,
    None when there are page files.
    """

    steps: tuple[Step, ...]
    pages: str
    first_page: str | None
    in_git: bool

    @property
    def writes(self) -> tuple[Step, ...]:
        """The steps that write a file."""
        return tuple(step for step in self.steps if step.text is not None)


def plan_scaffold(*, system: System | None = None, from_live: bool = False) -> Scaffold:
    """Decide on every file of the working directory before the first is written; what is there is kept.

    Raises NotWritten when one of them can't be written, InvalidFiles for a `bio-sync.yaml` with problems.
    """
    folder = Path.cwd()
    root, config = repository_root(folder), read_config(None)
    _check_folder(folder, root, config, system)
    pages = next(iter(config.folders_inside), None)
    page = _inside(pages, FIRST_PAGE) if pages and not from_live and not _has_pages(config) else None
    steps = [
        _file(folder, CONFIG_NAME, "settings: where the pages are, and what apply holds back", _template(CONFIG_NAME)),
        *_page_steps(folder, pages, page, from_live=from_live),
        _schema(folder, PAGE_SCHEMA, "for editors: what a page file can hold"),
        _schema(folder, CONFIG_SCHEMA, "for editors: what bio-sync.yaml can hold"),
        *_editor_steps(folder, config),
        *_system_steps(folder, system),
        # Last, since it is the only file that may be there and change.
        _git_ignores(folder),
    ]
    for step in steps:
        if step.text is not None:
            _check_place(folder, step.name)
    return Scaffold(tuple(steps), pages or DEFAULT_PAGES, page, root is not None)


def _check_place(folder: Path, name: str) -> None:
    """Let pass only what can be written inside of the folder; raises NotWritten, saying what is in the way."""
    *above, _ = Path(name).parts
    place = folder
    for part in above:
        place /= part
        shown = visible(place.relative_to(folder).as_posix())
        if not Path(os.path.realpath(place)).is_relative_to(os.path.realpath(folder)):
            raise NotWritten(f"{shown} is a link that leads out of this folder", hint="put a folder in its place")
        if not os.path.lexists(place):
            place = place.parent
            break
        if not place.is_dir():
            raise NotWritten(f"{shown} is no folder, and {visible(name)} needs one there", hint="move it elsewhere")
    if not os.access(place, os.W_OK | os.X_OK):
        shown = "this folder" if place == folder else visible(place.relative_to(folder).as_posix())
        raise NotWritten(f"{shown} can't be written to", hint="check who may write there, or choose another folder")


def _editor_settings(config: Config) -> str:
    """Give the settings that tell an editor which schema is for which file, as JSON."""
    patterns = [pattern for entry in config.pages for pattern in _patterns(entry)]
    settings = {"yaml.schemas": {f"./{PAGE_SCHEMA}": patterns, f"./{CONFIG_SCHEMA}": [CONFIG_NAME]}}
    return json.dumps(settings, indent=2, ensure_ascii=False) + "\n"


def _check_folder(folder: Path, root: Path | None, config: Config, system: System | None) -> None:
    if config.from_file and config.folder != folder:
        above = visible(Path(os.path.relpath(config.folder, folder)).as_posix())
        raise NotWritten(f"this folder is part of a page repository: see {above}/{CONFIG_NAME}", hint=f"cd {above}")
    if system and root and root != folder:
        above = visible(Path(os.path.relpath(root, folder)).as_posix())
        where = "GitHub" if system == "github" else "GitLab"
        raise NotWritten(
            f"{where} reads its jobs in the top folder of the repository only, which is {above}",
            hint=f"cd {above}, or leave --ci out; with many workspaces in one repository, their jobs come from"
            " `bio-sync matrix`: see docs/how-to/workspaces.md of bio-sync",
        )


def _has_pages(config: Config) -> bool:
    found = [file.path for file in config.page_files(missing_ok=True)]
    # What stands in the way of the usual folder is no page file that anybody has named.
    return any(not path.is_dir() and (config.from_file or path.name.endswith(PAGE_SUFFIXES)) for path in found)


def _page_steps(folder: Path, pages: str | None, page: str | None, *, from_live: bool) -> Iterator[Step]:
    if from_live:
        if pages is None:
            raise NotWritten(f"{CONFIG_NAME} names no folder for page files", hint="name one: `pages: [pages]`")
        _check_place(folder, _inside(pages, FIRST_PAGE))
        yield Step("pull", f"{pages}/", "a file for each live page")
    elif page:
        schemas = Path(os.path.relpath("schemas", Path(page).parent)).as_posix()
        yield _file(folder, page, "a page to begin with, each line explained", _template(FIRST_PAGE, schemas=schemas))
    elif pages and _is_there(folder, _inside(pages, FIRST_PAGE)):
        yield Step("keep", _inside(pages, FIRST_PAGE), THERE)
    elif pages:
        yield Step("keep", f"{pages}/", "there are page files already")


def _schema(folder: Path, name: str, words: str) -> Step:
    kind = name.removeprefix("schemas/").partition(".")[0]
    step = _file(folder, name, words, schema_text(kind))
    if step.text is None and _text_of(folder / name) != schema_text(kind):
        renew = f"{name} is not that of this version of bio-sync; to renew it: bio-sync schema {kind} --write schemas"
        return Step("keep", name, THERE, advice=renew)
    return step


def _editor_steps(folder: Path, config: Config) -> Iterator[Step]:
    settings, extensions = _editor_settings(config), json.dumps({"recommendations": [EXTENSION]}, indent=2) + "\n"
    for name, words, text, mark in (
        (EDITOR_SETTINGS, "for Visual Studio Code: which schema is for which file", settings, PAGE_SCHEMA),
        (EDITOR_EXTENSIONS, "for Visual Studio Code: the extension that uses them", extensions, EXTENSION),
    ):
        step = _file(folder, name, words, text)
        if step.text is None and mark not in (_text_of(folder / name) or ""):
            lines = "\n".join(text.splitlines()[1:-1])
            step = Step("keep", name, THERE, advice=f"{name} is yours; for help while you type, add to it:\n{lines}")
        yield step


def _system_steps(folder: Path, system: System | None) -> Iterator[Step]:
    if system == "github":
        yield _file(
            folder, GITHUB, "GitHub: check and plan pull requests, apply what is merged", _template("github.yml")
        )
        yield _file(
            folder, GITHUB_DAILY, "GitHub: compare with the live pages every day", _template("github-daily.yml")
        )
    if system == "gitlab":
        yield _file(folder, GITLAB_JOBS, "GitLab: check and plan merge requests, apply them", _template("gitlab.yml"))
        include = _template("gitlab-ci.yml")
        step = _file(folder, GITLAB, "GitLab: takes the jobs from there", include)
        if step.text is None and GITLAB_JOBS not in (_text_of(folder / GITLAB) or ""):
            lines = "\n".join(f"  {line}" for line in include.splitlines()[1:])
            step = Step("keep", GITLAB, THERE, advice=f"{GITLAB} is yours; for the jobs to run, add to it:\n{lines}")
        yield step


def _git_ignores(folder: Path) -> Step:
    """Add the lines that are missing at the end; a line that says `!plan.json` is a decision of its owner's."""
    path, words = folder / GIT_IGNORES, "what is not for git: keys, journals, saved plans"
    if not _is_there(folder, GIT_IGNORES):
        return Step("write", GIT_IGNORES, words, "\n".join((IGNORED_TITLE, *IGNORED)) + "\n")
    text = None if path.is_symlink() else _text_of(path)
    if text is None:
        advice = f"{GIT_IGNORES} can't be added to; keep these out of git: {' '.join(IGNORED)}"
        return Step("keep", GIT_IGNORES, THERE, advice=advice)
    there = {line.rstrip().removeprefix("!") for line in text.split("\n")}
    missing = [line for line in IGNORED if line not in there]
    if not missing:
        return Step("keep", GIT_IGNORES, "it has all lines already")
    title = [] if IGNORED_TITLE in there else [IGNORED_TITLE]
    ending = "\r\n" if "\r\n" in text else "\n"
    start = text if not text or text.endswith("\n") else text + ending
    blank = [""] if start and title else []
    return Step("add", GIT_IGNORES, words, start + "".join(line + ending for line in (*blank, *title, *missing)))


def _file(folder: Path, name: str, words: str, text: str) -> Step:
    return Step("keep", name, THERE) if _is_there(folder, name) else Step("write", name, words, text)


def _is_there(folder: Path, name: str) -> bool:
    """Tell whether there is anything, be it a link to nowhere; raises NotWritten for a folder."""
    if (folder / name).is_dir():
        raise NotWritten(f"{visible(name)} is a folder, and a file has to be there", hint="move it elsewhere")
    return os.path.lexists(folder / name)


def _text_of(path: Path) -> str | None:
    """Give all that a file holds, line ends and all; None when that is no text, or can't be read."""
    try:
        # A pipe would wait for somebody to write into it.
        return path.read_bytes().decode("utf-8") if path.is_file() else None
    except (OSError, UnicodeError):
        return None


def _inside(folder: str, name: str) -> str:
    return (Path(folder) / name).as_posix()


def _patterns(entry: str) -> list[str]:
    path = Path(os.path.normpath(entry))
    if path.name.endswith(PAGE_SUFFIXES):
        return [path.as_posix()]
    return [(path / "**" / f"*{suffix}").as_posix() for suffix in PAGE_SUFFIXES]


def _template(name: str, *, schemas: str = "schemas") -> str:
    text = (shipped("templates") / name).read_text(encoding="utf-8")
    return text.replace("@@version@@", __version__).replace("@@schemas@@", schemas)
