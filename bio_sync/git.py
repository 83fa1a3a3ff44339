"""What git knows of a checkout, asked by commands that only read; the key is not in their environment."""

import os
import shutil
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bio_sync.errors import NoRevision
from bio_sync.event import COMMIT, pushed_commit, read_event
from bio_sync.key import SECRETS
from bio_sync.visible import cause_of, shortened, visible

# A checkout on a slow disk, and a partial clone that has to fetch what it is asked for.
SECONDS = 120
# Windows takes 32,767 characters, other systems more.
MOST_ARGUMENTS = 24_000
_SETTINGS = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",  # to ask for a password would wait for ever in CI
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
}
# A hook of another repository says by these that it is that one's.
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")
_ORDINARY = (b"100644", b"100755")


@dataclass(frozen=True, slots=True)
class Blob:
    """A file in a commit: the id of its content, and its size in bytes."""

    content_id: str
    size: int


@dataclass(frozen=True, slots=True)
class Checkout:
    """The git checkout whose top folder is `root`."""

    root: Path

    def commit(self, name: str) -> str:
        """Give the id of the commit that `name` stands for; raises NoRevision, saying what is missing."""
        found = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        commit = found.stdout.decode("ascii", "replace").strip()
        # `^main`, all but main, passes --verify and is no commit.
        if found.returncode == 0 and COMMIT.fullmatch(commit):
            return commit
        if self._wanted("rev-parse", "--is-shallow-repository").strip() == b"true":
            raise NoRevision(
                f"'{shortened(name)}' is not in this clone, which is a shallow one",
                hint="fetch its history: `git fetch --unshallow`, or `fetch-depth: 0` in actions/checkout",
            )
        raise NoRevision(
            f"there is no '{shortened(name)}' in this repository",
            hint="name a commit, a tag or a branch, such as origin/main; a branch may have to be fetched first",
        )

    def parents(self, commit: str) -> list[str]:
        """Give the ids of the commits that a commit was made of, which a shallow clone knows too."""
        head, _, _ = self._wanted("cat-file", "commit", commit).partition(b"\n\n")
        return [line[7:].decode("ascii") for line in head.splitlines() if line.startswith(b"parent ")]

    def files(self, commit: str, paths: Iterable[str]) -> dict[str, Blob]:
        """List the ordinary files of a commit at and under `paths`, by their path from the root."""
        inside = [path for path in paths if path != ".." and not path.startswith("../")]
        if not inside:
            return {}
        self._fetch_at_once(commit, inside)
        asked = ("ls-tree", "-r", "-z", "-l", "--full-tree", commit, "--")
        listed = b"".join(self._wanted(*asked, *some) for some in _portions(inside))
        found: dict[str, Blob] = {}
        for entry in filter(None, listed.split(b"\0")):
            about, _, path = entry.partition(b"\t")
            mode, _, content_id, size = about.split()
            if mode not in _ORDINARY:
                continue
            if not size.isdigit():
                raise _not_whole()
            found[os.fsdecode(path)] = Blob(content_id.decode("ascii"), int(size))
        return found

    def _fetch_at_once(self, commit: str, paths: Sequence[str]) -> None:
        """In a clone without contents, fetch those of all files together: what reads them fetches one by one."""
        if self._git("config", "--get-regexp", r"^remote\..*\.promisor$").returncode == 0:
            nothing = self._wanted("hash-object", "-t", "tree", "--stdin").decode("ascii").strip()
            asked = ("diff-tree", "-r", "--numstat", "--no-textconv", "--no-ext-diff", nothing, commit, "--")
            for some in _portions(paths):
                self._git(*asked, *some)

    def is_repository(self) -> bool:
        """Tell whether git takes this for a checkout; a folder named `.git` alone makes none."""
        return self._git("rev-parse", "--git-dir").returncode == 0

    def committed(self, paths: Collection[str]) -> dict[str, bytes]:
        """Give the bytes of files, by path from the root, as they are in the last commit; what is in none is left out.

        Not asked of `git status`: that believes marks such as assume-unchanged, and runs what a configuration names.
        """
        if self._git("rev-parse", "--verify", "--quiet", "HEAD^{commit}").returncode:
            return {}
        blobs = {path: blob for path, blob in self.files(self.commit("HEAD"), paths).items() if path in paths}
        return dict(zip(blobs, self.contents(list(blobs.values())), strict=True))

    def content(self, commit: str, path: str, *, most: int) -> bytes:
        """Give the bytes of one file of a commit; none at all if it is not there, or larger than `most`."""
        found = self._git("cat-file", "blob", f"{commit}:{path}")
        return found.stdout if found.returncode == 0 and len(found.stdout) <= most else b""

    def contents(self, blobs: Sequence[Blob]) -> list[bytes]:
        """Give the bytes of files as they were committed, all by one process; no filter of a checkout runs."""
        if not blobs:
            return []
        asked = "".join(f"{blob.content_id}\n" for blob in blobs).encode("ascii")
        answer = self._wanted("cat-file", "--batch", given=asked)
        found: list[bytes] = []
        start = 0
        for _ in blobs:
            head_end = answer.index(b"\n", start)
            *_, size_or_missing = answer[start:head_end].split()
            if size_or_missing == b"missing":
                raise _not_whole()
            size = int(size_or_missing)
            found.append(answer[head_end + 1 : head_end + 1 + size])
            start = head_end + 1 + size + 1
        return found

    def _wanted(self, *arguments: str, given: bytes = b"") -> bytes:
        done = self._git(*arguments, given=given)
        if done.returncode:
            raise NoRevision(f"git can't read this checkout: {_first_line(done.stderr)}", hint="try: git status")
        return done.stdout

    def _git(self, *arguments: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        program = shutil.which("git")
        if program is None:
            raise NoRevision(
                "git is not installed, and what was committed is asked of it",
                hint="install git, or do without what needs it, such as --base",
            )
        environment = {name: value for name, value in os.environ.items() if name not in SECRETS.union(_OF_A_HOOK)}
        try:
            return subprocess.run(  # noqa: S603 - a fixed program; names follow --end-of-options or --
                [program, *arguments],
                cwd=self.root,
                env=environment | _SETTINGS,
                input=given,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except OSError as error:
            raise NoRevision(f"git can't be run: {cause_of(error)}", hint="try: git status") from None
        except subprocess.TimeoutExpired:
            raise NoRevision(f"git took longer than {SECONDS} seconds", hint="try: git status") from None


def head_commit(root: Path | None, environment: Mapping[str, str]) -> str | None:
    """Give the id of the commit that is checked out; None where there is none, or no git.

    On a pull request GitHub checks out a merge commit of its own that nobody knows: then it is the parent that was
    pushed, which the event file names (docs.github.com, "Events that trigger workflows", pull_request).
    """
    if root is None:
        return None
    try:
        checkout = Checkout(root)
        head = checkout.commit("HEAD")
        pushed = _pushed_commit(environment.get("GITHUB_EVENT_PATH", ""))
        return pushed if pushed and pushed in checkout.parents(head) else head
    except NoRevision:
        return None


def _pushed_commit(event_path: str) -> str | None:
    try:
        return pushed_commit(read_event(event_path))
    except (OSError, ValueError):
        return None


def _not_whole() -> NoRevision:
    return NoRevision("this clone does not hold all files of that commit", hint="try: git fetch --refetch")


def _portions(paths: Sequence[str]) -> Iterator[list[str]]:
    """Split paths so that each part fits on a command line."""
    portion: list[str] = []
    length = 0
    for path in paths:
        if portion and length + len(os.fsencode(path)) > MOST_ARGUMENTS:
            yield portion
            portion, length = [], 0
        portion.append(path)
        length += len(os.fsencode(path)) + 1
    yield portion


def _first_line(text: bytes) -> str:
    lines = text.decode("utf-8", "replace").strip().splitlines()
    return visible(lines[0]) if lines else "it says nothing"
