"""What is measured, and the service that it is measured against, each in a Python environment of its own.

bio-sync is installed as its users do: from a wheel, with the locked versions of what it needs, and nothing else. The
environment of its developers has more: files that every start of Python reads (`*.pth`), and libraries that others
take up when they find them. pip and setuptools are left out for the same reason: the latter puts in such a file.
"""

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
REQUIREMENTS = ROOT / "requirements"
# The environments, kept from run to run; not in git.
HOME = ROOT / ".bench"
STAMP = "requirements.sha256"


def environment(folder: Path, requirements: Path) -> Path:
    """Make an environment with hash-locked requirements, if it is not there yet; gives its Python.

    Raises RuntimeError, with pip's own words, when they can't be had.
    """
    python = folder / "bin" / "python"
    if not is_ready(folder, requirements):
        venv.create(folder, with_pip=False, clear=True)
        pip("install", "--require-hashes", "-r", str(requirements), python=python)
        (folder / STAMP).write_text(_digest(requirements), encoding="ascii")
    return python


def is_ready(folder: Path, requirements: Path) -> bool:
    """Tell whether an environment is there, with just these requirements and this Python."""
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_text(encoding="ascii") == _digest(requirements)


def _digest(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()


def pip(*arguments: str, python: Path | None = None) -> None:
    """Run this environment's pip, for another environment if one is given."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    command += ["--python", str(python)] if python else []
    done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pip {arguments[0]} failed: {done.stderr.strip() or done.stdout.strip()}")


def server_python(home: Path = HOME) -> Path:
    """Give a Python that can run the service to measure against."""
    return environment(home / "server", REQUIREMENTS / "bench.txt")


def bio_sync(home: Path = HOME) -> Path:
    """Install bio-sync as it is now, and give its folder of programs."""
    python = environment(home / "bio-sync", REQUIREMENTS / "runtime.txt")
    wheels = home / "wheel"
    shutil.rmtree(wheels, ignore_errors=True)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), ".")
    (wheel,) = wheels.glob("*.whl")
    pip("install", "--no-deps", "--force-reinstall", str(wheel), python=python)
    return python.parent
