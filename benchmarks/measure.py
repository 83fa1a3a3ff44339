"""Runs a command and says what it took and what it asked of the service."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.service import KEY, Asked, Service
from benchmarks.words import last_line

STOPWATCH = Path(__file__).with_name("stopwatch.py")
# Seconds that a command may take; nothing here needs as long.
PATIENCE = 120.0
# Seconds between two looks at the memory of all processes of a command.
EVERY = 0.01
KILOBYTE = 1024
TIME_IS_UP = 124


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run of a command took: seconds, bytes, its exit code; what it printed; what it asked, if it did.

    `peak` is the largest single process, `together` all of them at once where that was looked at, else 0.
    """

    wall: float
    cpu: float
    peak: int
    code: int
    out: str
    err: str
    asked: Asked | None = None
    together: int = 0

    @property
    def failure(self) -> str:
        """Say in a line why the command failed; nothing if it did not."""
        if self.code == TIME_IS_UP:
            return "given up: it took too long"
        return f"failed with code {self.code}: {last_line(self.err.strip() or self.out)[:80]}" if self.code else ""


def measure(
    command: Sequence[str],
    *,
    folder: Path,
    service: Service | None = None,
    environment: Mapping[str, str] | None = None,
    patience: float = PATIENCE,
    memory: bool = False,
) -> Measurement:
    """Run a command in a folder, its output to pipes, and with nothing of this process's environment but the path.

    A `service` is made as it was before. No `peak` is below a bare Python's. What is still running after `patience`
    seconds is killed and has exit code 124. With `memory`, all processes are looked at together, a hundred times a
    second, on Linux: that takes time of its own, so that the seconds of such a run are nobody's.
    """
    if service:
        service.reset()
    with tempfile.NamedTemporaryFile() as report:
        watch = [sys.executable, "-I", "-S", str(STOPWATCH), report.name, str(patience), str(EVERY if memory else 0)]
        done = subprocess.run(
            [*watch, *command],
            cwd=folder,
            env={**surroundings(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        told = report.read().decode("ascii").split()
    out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    if len(told) != 5:
        raise RuntimeError(f"{command[0]} could not be started: {err.strip()[-500:]}")
    wall, cpu = map(float, told[:2])
    peak, together, code = map(int, told[2:])
    asked = service.asked() if service else None
    return Measurement(wall, cpu, peak * KILOBYTE, code, out, err, asked, together * KILOBYTE)


def surroundings() -> dict[str, str]:
    """Give the environment that every command gets: a path, a home, UTF-8, a key; no proxy, no setting of anybody's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "XQR_API_KEY": KEY}
