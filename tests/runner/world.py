"""What stands around a run: the repository, its environments and secrets, the artifacts, and GitHub's address."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.pipelines import warm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.runner.events import Event
    from tests.runner.play import Run

REPOSITORY = "acme/pages"
BRANCH = "main"
# What of this machine a step sees: enough to find programs, and how to reach the package registry.
PASSED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
)


@dataclass(frozen=True)
class Environment:
    """An environment of a repository: its secrets, and the branches that may deploy to it (None: all)."""

    secrets: Mapping[str, str] = field(default_factory=dict)
    branches: tuple[str, ...] | None = None


@dataclass
class World:
    """A repository on GitHub; `token_of` gives the token of a job by the permissions that the job has.

    `around` is set in every step, such as XQR_API_URL of a sandbox. `installs` plays the installing step for real, and
    `starts` starts a Python for each step of the action, which is forked from a running one otherwise.
    """

    folder: Path
    origin: Path
    address: str = "https://api.github.com"
    token_of: Callable[[Mapping[str, str]], str] = lambda _: "ghs_" + "0" * 36
    around: dict[str, str] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    artifacts: dict[int, dict[str, Path]] = field(default_factory=dict)
    repository: str = REPOSITORY
    installs: bool = False
    starts: bool = False
    # Inputs of our action that every use of it has besides its own: the address of a sandbox is in no example.
    inputs: dict[str, str] = field(default_factory=dict)
    # A rerun of the same pull request has a number of its own.
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1001))

    def play(self, workflow: Path, event: Event, *, jobs: tuple[str, ...] = ()) -> Run:
        """Play a workflow for an event; `jobs` are the only ones to play, when they are named."""
        from tests.runner.play import play  # noqa: PLC0415 - it looks at what stands here

        return play(self, workflow, event, jobs)

    def git(self, *arguments: str) -> str:
        """Run git in the repository that stands for the one on GitHub."""
        return git(self.origin, *arguments)

    def python(self) -> str:
        """The program that runs the action where nothing is installed."""
        return sys.executable if self.starts else str(self.tools() / "bio-sync")

    def tools(self) -> Path:
        """The folder of the tool that is installed already."""
        if self.starts:
            return Path(sys.executable).parent
        program = self.folder / "tools" / "bio-sync"
        if not program.exists():
            program.parent.mkdir()
            program.write_text(warm.command(), encoding="utf-8")
            program.chmod(0o755)
        return program.parent

    def machine(self) -> dict[str, str]:
        """The variables that a fresh machine has."""
        passed = {name: value for name, value in os.environ.items() if name in PASSED or name.startswith("PIP_")}
        path = os.pathsep.join((str(self.tools()), str(Path(sys.executable).parent), passed.get("PATH", "")))
        return {**passed, "PATH": path, "GIT_CONFIG_GLOBAL": os.devnull}


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody, with no settings of this machine's owner."""
    somebody = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com"}
    somebody |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in somebody.items()}
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    environment: dict[str, Any] = {**os.environ, **somebody, **alone}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
