"""Who is measured: the floor, bio-sync and the peers, each as a command line and a way to read what it has found."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.installs import HOME, ROOT
from benchmarks.measure import Measurement
from benchmarks.peers import PEERS, Peer, changed_ids
from benchmarks.peers.environments import is_installed
from benchmarks.service import Service
from benchmarks.workspaces import Workspace, desired, page_id

FLOOR, BIO_SYNC = "floor", "bio-sync"
MANAGED = ("title", "description", "page_data")

Command = Callable[[Workspace, Service], Sequence[str]]
# The ids of pages that differ, out of what was printed; None for what does not say.
Found = Callable[[str], set[str] | None]


@dataclass(frozen=True, slots=True)
class Contestant:
    """A tool under measurement. `missing` says why it can't be had here; then it is not run."""

    name: str
    why: str
    plan: Command
    apply: Command | None
    found: Found
    most_pages: int = 1_000_000
    most_writes: int = 1_000_000
    missing: str = ""
    versions: str = ""

    @property
    def is_peer(self) -> bool:
        """Tell those that are compared with bio-sync from bio-sync and the floor."""
        return self.name not in {FLOOR, BIO_SYNC}


def the_floor(programs: Path) -> Contestant:
    """Give the floor, run by the Python that bio-sync is installed in."""
    script = [str(programs / "python"), str(ROOT / "benchmarks" / "floor.py")]
    return Contestant(
        FLOOR,
        "`http.client` + `json` for the same calls, `yaml.CSafeLoader` for the same files, and nothing else",
        plan=lambda _, service: [*script, "plan", service.host, "pages"],
        apply=lambda workspace, service: [*script, "apply", service.host, "pages", str(workspace.patches)],
        found=lambda _: None,
    )


def bio_sync(programs: Path) -> Contestant:
    """Give bio-sync as its users type it; `--force` since all pages at once are more than its guards let pass."""
    command = str(programs / "bio-sync")
    return Contestant(
        BIO_SYNC,
        "`bio-sync plan`, the plan as text into a pipe; `bio-sync apply --yes --force`",
        plan=lambda _, service: [command, "plan", "--api-url", service.address],
        apply=lambda _, service: [command, "apply", "--yes", "--force", "--api-url", service.address],
        found=_pages_of_a_text_plan,
    )


def peers(names: Sequence[str] | None = None, *, home: Path = HOME, install: bool = True) -> list[Contestant]:
    """Make the peers ready, or those that are named; one that can't be had, or must not be installed, says why."""
    folder = home / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    return [_peer(each, folder, install=install) for each in PEERS if names is None or each.name in names]


def _peer(peer: Peer, folder: Path, *, install: bool) -> Contestant:
    apply = peer.apply
    if install or not peer.environment or is_installed(folder, peer.environment):
        missing = peer.prepare(folder) or ""
    else:
        missing = "not installed yet: `make bench` does that"
    return Contestant(
        peer.name,
        peer.why,
        plan=lambda workspace, service: peer.plan(folder, workspace.folder, service.address),
        apply=apply and (lambda workspace, service: apply(folder, workspace.folder, service.address)),
        found=lambda out: set(changed_ids(out)),
        most_pages=peer.most_pages,
        most_writes=peer.most_writes,
        missing=missing,
        versions="" if missing else peer.versions(folder),
    )


def _pages_of_a_text_plan(out: str) -> set[str]:
    # A block of a page begins with its sign, its title and its file.
    return {page_id(int(number)) for number in re.findall(r"^~.*page-(\d{5})\.yaml$", out, re.MULTILINE)}


def wrong_plan(contestant: Contestant, run: Measurement, workspace: Workspace) -> str:
    """Say what is wrong with the result of a plan; nothing if it has found what differs, and written nothing."""
    if failure := run.failure:
        return failure
    found = contestant.found(run.out)
    if found is not None and found != set(workspace.changed):
        return f"wrong: it found {len(found)} of {len(workspace.changed)} pages"
    return "wrong: it wrote" if run.asked and run.asked.written else ""


def wrong_apply(run: Measurement, workspace: Workspace, service: Service) -> str:
    """Say what is wrong with the result of an apply; nothing if each page that differed was written once, rightly."""
    if failure := run.failure:
        return failure
    written = run.asked.written if run.asked else ()
    if sorted(written) != sorted(workspace.changed):
        return f"wrong: {len(written)} writes for {len(workspace.changed)} pages"
    for number, page in enumerate(service.pages()):
        if any(page[name] != desired(number)[name] for name in MANAGED):
            return f"wrong: page {number} is not as its file wants it"
    return ""
