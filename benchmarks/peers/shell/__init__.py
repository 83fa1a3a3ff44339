"""curl, jq and yq: the script that a team without Python would write, by somebody who has measured it.

yq is Debian's: a wrapper of jq round the same C parser of YAML that bio-sync has.
"""

import shutil
import subprocess
from pathlib import Path

from benchmarks.peers.peer import Peer

SCRIPT = Path(__file__).with_name("sync.sh")
PROGRAMS = ("bash", "curl", "jq", "yq", "sed")


def prepare(_folder: Path) -> str | None:
    """Look for the programs; they come with the machine."""
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        return f"not on this machine: {', '.join(missing)} (on Debian: apt-get install curl jq yq)"
    # The other yq (a program in Go with a language of its own) reads neither jq's words nor its options.
    read = _first_line("yq", "--null-input", "--compact-output", "input_line_number")
    return None if read == "0" else "the yq on this machine is not the one that wraps jq, as Debian's does"


def plan(_folder: Path, _workspace: Path, address: str) -> list[str]:
    """Give the command that compares."""
    return ["bash", str(SCRIPT), "plan", address]


def apply(_folder: Path, _workspace: Path, address: str) -> list[str]:
    """Give the command that compares and writes."""
    return ["bash", str(SCRIPT), "apply", address]


def versions(_folder: Path) -> str:
    """Name the programs that do the work; Debian's yq does not know its own version, its package does."""
    curl, jq, yq = (_first_line(program, "--version") for program in ("curl", "jq", "yq"))
    package = _first_line("dpkg-query", "--show", "--showformat", "${Version}", "yq")
    return f"{' '.join(curl.split()[:2])}, {jq.replace('-', ' ')}, {f'yq {package}' if package else yq}"


def _first_line(program: str, *arguments: str) -> str:
    """Give the first line that a program says on stdout, nothing if it is not there or says nothing."""
    path = shutil.which(program)
    command = [path or "false", *arguments]
    told = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return (told.stdout.splitlines() or [""])[0].strip()


SHELL = Peer(
    name="curl + jq + yq",
    why="a shell script: all lists by one curl, all files by one yq, compared by one jq, which runs meanwhile",
    prepare=prepare,
    plan=plan,
    apply=apply,
    versions=versions,
    most_pages=10_000,
    most_writes=1_000,
)
