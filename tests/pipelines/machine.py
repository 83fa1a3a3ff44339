"""A machine that runs the script of a CI job: bash, the tool as it is installed here, a clone of a real repository."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bio_sync import __version__
from tests.pipelines import warm

# What every job does first; here the tool is that of this checkout, under the same name.
INSTALL = f'python -m pip install "bio-sync=={__version__}"'
_GIT = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main")


class Unknown(Exception):
    """A pipeline uses what this stand-in does not know: better to stop than to pass over it."""


@dataclass
class Job:
    """What became of a job: `status` is success, failed, skipped or manual; files by their path in the checkout."""

    name: str
    status: str
    log: str = ""
    code: int | None = None
    environment: str | None = None
    artifacts: dict[str, bytes] = field(default_factory=dict)
    reports: dict[str, bytes] = field(default_factory=dict)


def read_yaml(text: str) -> Any:
    return yaml.safe_load(text)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run([*_GIT, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit_all(folder: Path, message: str) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def clone(origin: Path, folder: Path, commit: str, *, depth: int = 0) -> Path:
    """Check out one commit of a repository, with all of its history or `depth` commits of it, as a runner does."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    shallow = (f"--depth={depth}",) if depth else ()
    git(folder, "fetch", "--quiet", *shallow, origin.as_uri(), commit)
    git(folder, "checkout", "--quiet", "--detach", commit)
    return folder


def shell(lines: Sequence[str], folder: Path, variables: Mapping[str, str], *, strict: bool = True) -> tuple[int, str]:
    """Run lines as one script, each told before it runs, and give its exit code and the log.

    Nothing of this process's environment is there but where programs are. `strict` ends the script at the first line
    that fails, as the runners of GitLab and Bitbucket do.
    """
    tools = folder.parent / "tools"
    tools.mkdir(exist_ok=True)
    tool = tools / "bio-sync"
    if not tool.exists():
        tool.write_text(warm.command(), encoding="utf-8")
        tool.chmod(0o755)
        (tools / "python").symlink_to(sys.executable)
    environment = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(folder.parent), "LANG": "C.UTF-8", **variables}
    told = [part for line in lines if line != INSTALL for part in (f"echo {shlex.quote('$ ' + line)}", line)]
    script = "\n".join((*(("set -eo pipefail",) if strict else ()), *told))
    command = ["bash", "--noprofile", "--norc", "-c", script]
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return done.returncode, done.stdout.decode()


def collected(folder: Path, paths: Sequence[str]) -> dict[str, bytes]:
    """Give the files that lie at or under `paths`; `*` stands for any name."""
    found = [place for path in paths for place in folder.glob(path.removesuffix("/**").removesuffix("/"))]
    files = [file for place in found for file in (place.rglob("*") if place.is_dir() else [place]) if file.is_file()]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def put_back(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def tokens(expression: str, pattern: str) -> list[str]:
    """Split an expression into its words; raises Unknown for what is none."""
    found = re.findall(pattern, expression)
    if "".join(found).replace(" ", "") != re.sub(r"\s", "", expression):
        raise Unknown(expression)
    return found
