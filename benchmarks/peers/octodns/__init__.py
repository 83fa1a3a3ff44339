"""octoDNS, which plans zones of DNS records as bio-sync plans pages: the closest relative in Python.

A page becomes a zone: one TXT record for each of title, description, theme, picture, layout and link, so the same text
is read from as many files, and compared with the same live pages from the same service. Comparable: the work of "read
all files, read all that is live, say what differs" for as much data in as many pieces. Not comparable: DNS records are
flat, there is no schema of a page, the plan is a line a record, and nothing is written. octoDNS is used as its manual
says: YamlProvider with its defaults as the source, one worker, a provider class for the target that people write like
this for services of their own. It lists 200 pages a call and keeps them, which is the fastest that such a class can do.
The zone files are written before the clock starts.
"""

import hashlib
from pathlib import Path

import yaml

from benchmarks.peers import environments
from benchmarks.peers.octodns.octodns_bio.zones import ZONES_END, records_of
from benchmarks.peers.peer import Peer

HERE = Path(__file__).parent
NAME = "octodns"
PACKAGES = ("octodns", "PyYAML")


def prepare(folder: Path) -> str | None:
    """Install octoDNS, and beside it the provider, as a development install would."""
    problem = environments.prepare(folder, NAME)
    if problem:
        return problem
    (site,) = (folder / NAME).glob("lib/python*/site-packages")
    (site / "octodns_bio.pth").write_text(f"{HERE}\n", encoding="utf-8")
    return None


def plan(folder: Path, workspace: Path, address: str) -> list[str]:
    """Write the zone files, if they are not there yet, and the configuration; give the command that plans them."""
    zones = write_zones(folder, workspace)
    # A zone is small here: one link that is gone moves the others, and is more than octoDNS's guards let pass.
    no_guards = {"update_pcent_threshold": 1.0, "delete_pcent_threshold": 1.0}
    live = {"class": "octodns_bio.provider.LivePages", "address": address, "token": "env/XQR_API_KEY"}
    providers = {
        "files": {"class": "octodns.provider.yaml.YamlProvider", "directory": str(zones)},
        "live": live | no_guards,
    }
    configuration = {
        "manager": {"plan_outputs": {"changed": {"class": "octodns_bio.provider.ChangedPages"}}},
        "providers": providers,
        "zones": {"*": {"sources": ["files"], "targets": ["live"]}},
    }
    path = zones.with_suffix(".yaml")
    path.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    return [environments.program(folder, NAME, "octodns-sync"), "--quiet", "--config-file", str(path)]


def write_zones(folder: Path, workspace: Path) -> Path:
    """Write a zone file a page file; gives their folder, one for each state of the page files."""
    paths = sorted((workspace / "pages").glob("*.yaml"))
    state = hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in paths)).hexdigest()[:16]
    zones, unfinished = folder / f"zones-{state}", folder / f"zones-{state}.unfinished"
    if zones.is_dir():
        return zones
    unfinished.mkdir(parents=True, exist_ok=True)
    for path in paths:
        # CSafeLoader and CSafeDumper are safe_load and safe_dump by the C library; octoDNS itself uses neither.
        page = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        zone = {record: {"type": "TXT", "value": value} for record, value in sorted(records_of(page).items())}
        text = yaml.dump(zone, Dumper=yaml.CSafeDumper)
        (unfinished / f"{page['id']}{ZONES_END}yaml").write_text(text, encoding="utf-8")
    return unfinished.rename(zones)


def versions(folder: Path) -> str:
    """Name octoDNS and its parser."""
    return environments.versions(folder, NAME, PACKAGES)


OCTODNS = Peer(
    name="octoDNS",
    why="octodns-sync on a zone a page: a record a field and a link, against the same live pages (lists of 200)",
    prepare=prepare,
    plan=plan,
    apply=None,
    versions=versions,
    most_pages=1_000,
    most_writes=0,
    environment=NAME,
)
