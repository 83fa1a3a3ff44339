"""The Python environments of the peers, one each: nobody's libraries slow down, or help, anybody else."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.installs import REQUIREMENTS, environment, is_ready
from benchmarks.words import last_line


def prepare(folder: Path, name: str) -> str | None:
    """Install `requirements/bench-NAME.txt`; gives None, or a sentence that says why it could not be."""
    try:
        environment(folder / name, _locked(name))
    except (OSError, RuntimeError) as error:
        return f"{name} could not be installed: {last_line(str(error))}"
    return None


def is_installed(folder: Path, name: str) -> bool:
    """Tell whether `prepare` has nothing to fetch any more."""
    return is_ready(folder / name, _locked(name))


def _locked(name: str) -> Path:
    return REQUIREMENTS / f"bench-{name}.txt"


def program(folder: Path, name: str, wanted: str = "python") -> str:
    """Give the path of a program of that environment."""
    return str(folder / name / "bin" / wanted)


def versions(folder: Path, name: str, packages: Sequence[str]) -> str:
    """Name the packages with the versions that are installed there."""
    code = "import json, sys; from importlib.metadata import version; print(json.dumps([*map(version, sys.argv[1:])]))"
    told = subprocess.run(
        [program(folder, name), "-I", "-c", code, *packages], capture_output=True, text=True, check=True
    ).stdout
    return ", ".join(f"{package} {version}" for package, version in zip(packages, json.loads(told), strict=True))
