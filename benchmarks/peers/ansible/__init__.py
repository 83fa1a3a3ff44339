"""Ansible: a playbook with `uri`, as a team writes it that has Ansible for everything else.

Of the two fair ways this is the faster one. A GET a page in a loop, the first that comes to mind, takes 0.3 to 0.7 s a
page, since Ansible starts a module in a process of its own for every item of a loop: minutes for 1,000 pages. Lists of
200 pages and one template that compares them all take seconds; most of these are Ansible's own reading of YAML, which
notes where each value stands. What is written goes through the loop in any case, since `uri` sends one request: that is
why no more than 25 writes are asked of it.
"""

from pathlib import Path

from benchmarks.peers import environments
from benchmarks.peers.peer import Peer

HERE = Path(__file__).parent
NAME = "ansible"
PACKAGES = ("ansible-core", "Jinja2", "PyYAML")


def prepare(folder: Path) -> str | None:
    """Install ansible-core, which brings the `uri` module."""
    return environments.prepare(folder, NAME)


def command(folder: Path, workspace: Path, address: str, what: str) -> list[str]:
    """Give the command that runs the playbook and reads its words."""
    playbook = environments.program(folder, NAME, "ansible-playbook")
    variables = [f"workspace={workspace.resolve()}", f"address={address}", f"what={what}"]
    return ["bash", str(HERE / "sync.sh"), playbook, str(HERE / "sync.yml"), *variables]


def versions(folder: Path) -> str:
    """Name ansible-core and what it is made of."""
    return environments.versions(folder, NAME, PACKAGES)


ANSIBLE = Peer(
    name="Ansible",
    why="a playbook: lists of 200 by uri, one template that compares all pages, a PATCH by uri for each that differs",
    prepare=prepare,
    plan=lambda folder, workspace, address: command(folder, workspace, address, "plan"),
    apply=lambda folder, workspace, address: command(folder, workspace, address, "apply"),
    versions=versions,
    most_pages=1_000,
    most_writes=25,
    environment=NAME,
)
