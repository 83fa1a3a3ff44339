"""What a run was measured with: versions, kernel, cores. No name of the machine, and no path on it."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.installs import ROOT

LIST = (
    "import importlib.metadata as m, json;"
    "print(json.dumps(sorted(f'{d.name} {d.version}' for d in m.distributions() if d.name != 'bio-sync')))"
)


def surroundings(programs: Path, server: Path) -> Sequence[tuple[str, str]]:
    """Give names and values for a table."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        ("bio-sync", _told([str(programs / "bio-sync"), "--version"]).removeprefix("bio-sync ") + f", {_commit()}"),
        ("its libraries", ", ".join(json.loads(_told([str(programs / "python"), "-c", LIST])))),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("the service runs on", ", ".join(json.loads(_told([str(server), "-c", LIST])))),
        ("kernel", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("processor", f"{_processor()}, {os.cpu_count()} cores"),
        ("load when it began", f"{load} (1, 5 and 15 minutes)"),
    )


def _told(command: Sequence[str]) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def _commit() -> str:
    """Name the commit, and whether the files are as it has them; an unpacked archive has none."""
    try:
        commit = _told(["git", "rev-parse", "--short", "HEAD"])
        changed = _told(["git", "status", "--porcelain", "--", "bio_sync", "schemas", "pyproject.toml", "requirements"])
    except (OSError, subprocess.CalledProcessError):
        return "no commit"
    return f"commit {commit}" + (" and changes since" if changed else "")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"
