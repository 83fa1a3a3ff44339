"""Scripts in plain Python: the one that is written in an afternoon, and the same after a day of measuring."""

from pathlib import Path

from benchmarks.installs import ROOT
from benchmarks.peers import environments
from benchmarks.peers.peer import Peer

HERE = Path(__file__).parent
NAME = "script"
PACKAGES = ("httpx", "PyYAML", "jsonschema", "deepdiff")


def prepare(folder: Path) -> str | None:
    """Install the libraries: the versions that bio-sync has."""
    return environments.prepare(folder, NAME)


def versions(folder: Path) -> str:
    """Name the libraries."""
    return environments.versions(folder, NAME, PACKAGES)


def command(folder: Path, program: str, what: str, address: str) -> list[str]:
    """Give the command that runs a script of this folder."""
    schema = ROOT / "schemas" / "page.schema.json"
    return [environments.program(folder, NAME), str(HERE / program), what, address, str(schema)]


SCRIPT = Peer(
    name="Python script",
    why="one GET a page by httpx, yaml.safe_load, jsonschema.validate, DeepDiff: as the libraries' own pages show them",
    prepare=prepare,
    plan=lambda folder, _workspace, address: command(folder, "plain.py", "plan", address),
    apply=lambda folder, _workspace, address: command(folder, "plain.py", "apply", address),
    versions=versions,
    most_pages=1_000,
    most_writes=1_000,
    environment=NAME,
)

TUNED_SCRIPT = Peer(
    name="tuned Python script",
    why="the same libraries in knowing hands: lists of 200, the C parser of YAML, one validator, == before DeepDiff",
    prepare=prepare,
    plan=lambda folder, _workspace, address: command(folder, "tuned.py", "plan", address),
    apply=lambda folder, _workspace, address: command(folder, "tuned.py", "apply", address),
    versions=versions,
    most_pages=10_000,
    most_writes=1_000,
    environment=NAME,
)
