"""What a peer is, and how its result is read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CHANGED = "changed "


@dataclass(frozen=True, slots=True)
class Peer:
    """Something that a user would use instead of bio-sync.

    `prepare(folder)` makes it ready in a folder that is the peers' own, and gives None, or a sentence that says why it
    can't be had on this machine; called again, it is quick. `plan(folder, workspace, address)` and `apply` give the
    command to run with the workspace as the working directory and the key in XQR_API_KEY; what the command needs
    beforehand is made by them, so that it is not measured. `apply` is None where the tool has no way to write.
    `versions(folder)` names the tools. The peer is asked for `most_pages` pages and `most_writes` writes at most.
    `environment` names the Python environment that it has to have installed, if it needs one.
    """

    name: str
    why: str
    prepare: Callable[[Path], str | None]
    plan: Callable[[Path, Path, str], list[str]]
    apply: Callable[[Path, Path, str], list[str]] | None
    versions: Callable[[Path], str]
    most_pages: int
    most_writes: int
    environment: str = ""


def changed_ids(output: str) -> list[str]:
    """Read the ids of the pages that differ from what a peer has printed, in its order."""
    return [line.removeprefix(CHANGED) for line in output.splitlines() if line.startswith(CHANGED)]
