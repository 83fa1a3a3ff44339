"""Instructions of a command, by valgrind: the same on a busy machine as on an idle one."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# A start of Python takes 50 times as long under valgrind.
MOST_SECONDS = 300.0
_REFERENCES = re.compile(r"I +refs: +([0-9,]+)")


def can_count() -> bool:
    """Tell whether valgrind is installed."""
    return shutil.which("valgrind") is not None


def instructions(command: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> int:
    """Count the instructions of a command that has to succeed, threads included and other processes not."""
    # Half of what callgrind takes, which follows the calls too. Both counted 171 million for a start of click.
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={os.devnull}"]
    done = subprocess.run(
        [*valgrind, *command],
        cwd=folder,
        # Strings hash the same in each run, and dictionaries take the same steps.
        env={**environment, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )
    found = _REFERENCES.search(done.stderr)
    if done.returncode or not found:
        raise RuntimeError(f"valgrind {' '.join(command)}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return int(found[1].replace(",", ""))
