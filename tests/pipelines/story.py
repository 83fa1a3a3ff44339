"""What the tests of pipelines tell: two live pages, their files in a git repository, and an edit on a branch."""

from collections.abc import Mapping
from pathlib import Path

from bio_sync.sandbox import Behaviour, Sandbox
from tests.pipelines.machine import commit_all, git

LIVE = [
    {"id": "bio_acme", "title": "Acme", "slug": "acme", "description": "", "page_data": {"links": []}},
    {"id": "bio_nora", "title": "Nora", "slug": "nora", "description": "", "page_data": {"links": []}},
]
FILES = {
    "bio-sync.yaml": "pages: [pages]\n",
    "pages/acme.yaml": "id: bio_acme\ntitle: Acme\n",
    "pages/nora.yaml": "id: bio_nora\ntitle: Nora\n",
}
EDIT = {"pages/acme.yaml": "id: bio_acme\ntitle: Acme and Sons\n"}
# A title that a runner, a terminal, a log's reader or a Markdown reader would act on if it were let through.
HOSTILE = (
    "x ##[set-env name=PATH]y ##vso[task.setvariable variable=a]b ::add-mask::z "
    "\x1b[0Ksection_start:1:a\r\x1b[0K \r\n/close\n::error::x <b> @everyone"
)


def workspace() -> Sandbox:
    """A workspace with the two pages; its limits are no part of the story."""
    return Sandbox(pages=[dict(page) for page in LIVE], behaviour=Behaviour(burst_limit=10_000))


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def repository(folder: Path, files: Mapping[str, str]) -> str:
    """Make a git repository whose `main` is as live, and give its first commit."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    write(folder, {**FILES, **files})
    return commit_all(folder, "As live")


def commit(folder: Path, files: Mapping[str, str], *, branch: str = "main") -> str:
    """Commit files on a branch, made where `main` is if there is none, and give the commit."""
    if git(folder, "rev-parse", "--abbrev-ref", "HEAD") != branch:
        git(folder, "switch", "--quiet", "--force-create", branch, "main")
    write(folder, files)
    return commit_all(folder, "An edit")


def merge(folder: Path, branch: str) -> str:
    """Merge a branch into `main` as the services do, with a commit of its own, and give that."""
    git(folder, "switch", "--quiet", "main")
    git(folder, "merge", "--quiet", "--no-ff", "-m", "Merge", branch)
    return git(folder, "rev-parse", "HEAD")
