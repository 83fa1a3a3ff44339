"""What a check of page files has found, as every form tells it: with levels, and paths from the repository's root."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bio_sync.errors import BioSyncError, InvalidFiles
from bio_sync.files import CONFIG_NAME, absolute, repository_root
from bio_sync.jsonvalues import digest
from bio_sync.pages import MOST_OF_A_POINTER, PageFiles
from bio_sync.problems import Problem
from bio_sync.reporters.rules import NOT_CHECKED, Level
from bio_sync.visible import shortened, visible

# Where CI systems keep the checkout, for one that has no `.git`.
_WORKSPACES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem; `path` leads to its file from the root of the repository, with `/`, and may hold any character."""

    problem: Problem
    level: Level
    path: str

    @property
    def has_place(self) -> bool:
        """Tell whether it is about a file, not about the check as a whole."""
        return self.problem.rule != NOT_CHECKED

    @property
    def words(self) -> str:
        """Say what is wrong, on one line, without the file and the hint."""
        pointer = f"{shortened(self.problem.pointer, MOST_OF_A_POINTER)}: " if self.problem.pointer else ""
        return f"{pointer}{self.problem.message}"

    @property
    def with_place(self) -> str:
        """Say where and what, and the hint on a line of its own."""
        place = f"{visible(self.path)}:{self.problem.line}:{self.problem.column}: " if self.has_place else ""
        hint = f"\n  hint: {self.problem.hint}" if self.problem.hint else ""
        return f"{place}{self.words}{hint}"


@dataclass(frozen=True, slots=True)
class Findings:
    """All that a check has found; `paths` are those of the page files that it has read.

    `failure` says why they could not all be checked; then there is at least one finding, too.
    """

    findings: tuple[Finding, ...]
    paths: tuple[str, ...] = ()
    failure: str = ""

    def of(self, level: Level) -> list[Finding]:
        """Give the findings of one level."""
        return [finding for finding in self.findings if finding.level == level]


def findings_of(files: PageFiles, environment: Mapping[str, str]) -> Findings:
    """Give what was found in page files; a file's path is that of its real name, not of the one that is shown."""
    paths = {visible(file.name): path_from_root(file.path, environment) for file in files.found}
    errors = tuple(_findings(files.problems, "error", paths, environment))
    warnings = tuple(_findings(files.warnings, "warning", paths, environment))
    return Findings(errors + warnings, tuple(paths.values()))


def findings_of_failure(error: BioSyncError, environment: Mapping[str, str]) -> Findings:
    """Give a failure that kept the files from being checked as findings, so that no report of it is empty."""
    failure = visible(error.message)
    if isinstance(error, InvalidFiles) and error.problems:
        return Findings(tuple(_findings(error.problems, "error", {}, environment)), failure=failure)
    problem = Problem(CONFIG_NAME, 1, 1, "", failure, visible(error.hint), NOT_CHECKED)
    try:
        path = path_from_root(Path(CONFIG_NAME), environment)
    except FileNotFoundError:
        path = CONFIG_NAME  # the working directory was removed
    return Findings((Finding(problem, "error", path),), failure=failure)


def _findings(
    problems: Sequence[Problem], level: Level, paths: dict[str, str], environment: Mapping[str, str]
) -> Iterator[Finding]:
    for problem in problems:
        if problem.file not in paths:
            # bio-sync.yaml, or the file of the house rules.
            paths = paths | {problem.file: path_from_root(Path(problem.file), environment)}
        yield Finding(problem, level, paths[problem.file])


def path_from_root(path: Path, environment: Mapping[str, str]) -> str:
    """Give a path from the root of the repository that it is in, with `/`; outside of any, the whole path.

    Forges know files by that name, wherever in the repository a job runs.
    """
    whole = Path(absolute(path))
    for root in _roots(whole, environment):
        if root is not None and whole.is_relative_to(root):
            return whole.relative_to(root).as_posix()
    return whole.as_posix()


def _roots(whole: Path, environment: Mapping[str, str]) -> Iterator[Path | None]:
    yield repository_root(whole.parent)
    for name in _WORKSPACES:
        yield Path(environment[name]) if environment.get(name) else None
    yield Path.cwd()


# A quotation is kept whole; an apostrophe within a word begins none.
_NUMBER = re.compile(r"((?<!\w)'[^']*'(?!\w))|\d+")


def fingerprints(findings: Sequence[Finding]) -> list[str]:
    """Give for each finding 64 hex digits that stay while it is there, whatever is edited above it in the file.

    No numbers are in them, neither lines nor those of links in pointers and messages, but for those of what a message
    quotes. Findings that differ in such numbers only are counted apart.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    found: list[str] = []
    for finding in findings:
        identity = (finding.path, finding.problem.rule, _NUMBER.sub(r"\1", finding.words))
        found.append(digest([*identity, seen[identity]]).removeprefix("sha256:"))
        seen[identity] += 1
    return found
