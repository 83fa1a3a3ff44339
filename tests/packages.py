"""What a release consists of, built and installed as strangers do, with no help of this environment."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAMS = Path(sys.executable).parent
# What sdist and wheel are built from.
SOURCE = (".gitignore", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "bio_sync", "schemas", "examples")
NO_REGISTRY = ("Could not connect", "error sending request", "dns error", "Failed to fetch")


def of_git(*paths: str) -> list[str]:
    """Name the files that git knows or would take, and that are there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    return [name for name in filter(None, listed) if (ROOT / name).is_file()]


def copied(folder: Path, paths: tuple[str, ...], *, mode: int = 0o644) -> Path:
    """Lay a tree of what git knows of `paths`."""
    for name in of_git(*paths):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
        target.chmod(mode)
    return folder


def build(tree: Path, into: Path, *words: str) -> dict[str, Path]:
    """Build as `make dist` does, and give what came of it by its suffix."""
    fixed = os.environ | {"SOURCE_DATE_EPOCH": "1800000000"}
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(into), *words]
    done = subprocess.run(command, cwd=tree, env=fixed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {path.suffix: path for path in into.iterdir()}


def run(*command: str | Path, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command that gets nothing of ours: no module, no key, no setting of Python's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "XQR_", "VIRTUAL_"))}
    return subprocess.run(
        command, cwd=cwd, env=clean | environment, capture_output=True, text=True, check=False, timeout=100
    )


def uv(*words: str | Path) -> None:
    """Run uv, or skip where the machine can't reach what is to be installed."""
    # pip's own certificates are a setting that uv does not read.
    known = {"SSL_CERT_FILE": os.environ["PIP_CERT"]} if "PIP_CERT" in os.environ else {}
    done = run(PROGRAMS / "uv", *words, cwd=ROOT, **known)
    if done.returncode and any(sign in done.stderr for sign in NO_REGISTRY):
        pytest.skip(f"the package registry can't be reached: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr


def environment(folder: Path, python: str | Path = sys.executable, *, locked: str | None = None) -> Path:
    """Make an environment with what is locked in a file of requirements/, and give its programs."""
    uv("venv", "--quiet", "--python", python, folder)
    programs = folder / "bin"
    if locked is not None:
        into = ("--quiet", "--python", programs / "python")
        uv("pip", "install", *into, "--require-hashes", "--requirement", ROOT / "requirements" / locked)
    return programs


def install(wheel: Path, programs: Path) -> None:
    """Install the wheel, and nothing that it needs."""
    uv("pip", "install", "--quiet", "--python", programs / "python", "--no-deps", "--offline", wheel)


def libraries_of(programs: Path) -> Path:
    (site,) = programs.parent.glob("lib/python*/site-packages")
    return site


def lends_libraries(programs: Path, lender: Path = PROGRAMS) -> None:
    """Let an environment find, behind its own, the libraries of another one of the same Python."""
    (libraries_of(programs) / "zz-libraries.pth").write_text(f"{libraries_of(lender)}\n")
