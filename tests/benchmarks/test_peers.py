"""The peers of the benchmark find what differs and put it right: nobody is fast by being wrong."""

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks import workspaces
from benchmarks.contestants import peers
from benchmarks.installs import REQUIREMENTS
from benchmarks.peers import PEERS, SCRIPT, SHELL, TUNED_SCRIPT, Peer, changed_ids, environments
from benchmarks.peers.octodns.octodns_bio.zones import records_of
from bio_sync.sandbox import Sandbox

Start = Callable[..., Sandbox]
FIELDS = ("title", "description", "page_data")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> workspaces.Workspace:
    """Five pages, of which two differ."""
    return workspaces.make(tmp_path_factory.mktemp("peers") / "workspace", pages=5, percent=40)


def run(peer: Peer, what: str, folder: Path, sandbox: Sandbox) -> subprocess.CompletedProcess[str]:
    make = {"plan": peer.plan, "apply": peer.apply}[what]
    assert make
    command = make(folder, folder, sandbox.url)
    if peer is not SHELL:
        return run_script(command, folder, sandbox.key)
    if missing := SHELL.prepare(folder):
        pytest.skip(missing)
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "XQR_API_KEY": sandbox.key}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def run_script(command: list[str], folder: Path, key: str) -> subprocess.CompletedProcess[str]:
    """Run a script here: an environment of its own would have to be fetched, and this one has the same libraries."""
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(StringIO()) as out:
        patched.setattr(sys, "argv", command[1:])
        patched.chdir(folder)
        patched.setenv("XQR_API_KEY", key)
        runpy.run_path(command[1], run_name="__main__")
    return subprocess.CompletedProcess(command, 0, out.getvalue(), "")


@pytest.mark.parametrize("peer", [SHELL, SCRIPT, TUNED_SCRIPT], ids=lambda peer: peer.name)
def test_a_peer_names_the_pages_that_differ_and_sends_what_differs(
    peer: Peer, workspace: workspaces.Workspace, start_sandbox: Start
) -> None:
    sandbox = start_sandbox(yaml.safe_load(workspace.live.read_text(encoding="utf-8")))
    planned = run(peer, "plan", workspace.folder, sandbox)
    assert (planned.returncode, changed_ids(planned.stdout)) == (0, list(workspace.changed)), planned.stderr
    assert {request.method for request in sandbox.requests} == {"GET"}

    applied = run(peer, "apply", workspace.folder, sandbox)
    assert (applied.returncode, changed_ids(applied.stdout)) == (0, list(workspace.changed)), applied.stderr
    written = [request for request in sandbox.requests if request.method != "GET"]
    assert [(each.method, each.path.rsplit("/")[-1], list(each.body)) for each in written] == [
        ("PATCH", workspace.changed[0], ["title"]),
        ("PATCH", workspace.changed[1], ["page_data"]),
    ]
    for number, live in enumerate(sandbox.pages):
        assert {field: live[field] for field in FIELDS}.items() <= workspaces.desired(number).items()


def test_the_script_of_the_shell_sends_any_text_as_it_is_and_leaves_alone_what_a_file_does_not_have(
    folder: Path, start_sandbox: Start
) -> None:
    nasty = "@file \"quoted\" 'too' \\n %s $HOME `id`\t\n— ü {1,2} [3-4]\n---\nend"
    pages: list[dict[str, Any]] = [{"id": "bio_a", "page_data": {"theme": nasty}}, {"id": "bio_b", "title": "Same"}]
    live = [{"id": "bio_a", "title": "Not in the file", "page_data": {}}, {"id": "bio_b", "title": "Same"}]
    (folder / "pages").mkdir()
    for page in pages:
        (folder / "pages" / f"{page['id']}.yaml").write_text(yaml.safe_dump(page, allow_unicode=True), encoding="utf-8")
    sandbox = start_sandbox(live)
    applied = run(SHELL, "apply", folder, sandbox)
    assert (applied.returncode, applied.stdout) == (0, "changed bio_a\n"), applied.stderr
    assert [request.body for request in sandbox.requests if request.method == "PATCH"] == [
        {"page_data": {"theme": nasty}}
    ]


def test_the_script_of_the_shell_fails_on_a_page_that_is_not_live_and_writes_nothing(
    workspace: workspaces.Workspace, start_sandbox: Start
) -> None:
    *live, gone = yaml.safe_load(workspace.live.read_text(encoding="utf-8"))
    sandbox = start_sandbox(live)
    applied = run(SHELL, "apply", workspace.folder, sandbox)
    assert applied.returncode != 0
    assert f"no live page has the id {gone['id']}" in applied.stderr
    assert {request.method for request in sandbox.requests} == {"GET"}


def test_the_zones_of_octodns_differ_where_the_pages_do_and_hold_all_their_text(
    workspace: workspaces.Workspace,
) -> None:
    live = yaml.safe_load(workspace.live.read_text(encoding="utf-8"))
    wanted = [workspaces.desired(number) for number in range(workspace.pages)]
    differ = [page["id"] for page, seen in zip(wanted, live, strict=True) if records_of(page) != records_of(seen)]
    assert differ == list(workspace.changed)
    for value in records_of(wanted[0]).values():
        assert value.isascii()
        assert not re.search(r"(?<!\\);", value)


def test_a_peer_that_can_not_be_installed_says_so_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_index(_folder: Path, _requirements: Path) -> Path:
        raise RuntimeError("pip install failed: WARNING: none\nERROR: No matching distribution found for octodns==1\n")

    monkeypatch.setattr(environments, "environment", no_index)
    problem = environments.prepare(tmp_path, "octodns")
    assert problem == "octodns could not be installed: No matching distribution found for octodns==1"


def test_without_installing_the_peers_that_are_not_there_are_left_alone_and_say_so(tmp_path: Path) -> None:
    names = [each.name for each in PEERS if each.environment]
    found = {each.name: each.missing for each in peers(names, home=tmp_path, install=False)}
    assert found == dict.fromkeys(
        ("tuned Python script", "Python script", "octoDNS", "Ansible"), "not installed yet: `make bench` does that"
    )
    assert list((tmp_path / "peers").iterdir()) == []


@pytest.mark.parametrize("name", ["ansible", "octodns", "script"])
def test_what_the_peers_are_installed_from_is_locked_with_hashes(name: str) -> None:
    asked = (REQUIREMENTS / f"bench-{name}.in").read_text(encoding="utf-8").split()
    locked = (REQUIREMENTS / f"bench-{name}.txt").read_text(encoding="utf-8")
    for package in asked:
        assert re.search(rf"^{re.escape(package)}==\S+.*\\\n    --hash=sha256:", locked, re.MULTILINE), package


def test_the_script_has_the_versions_of_its_libraries_that_bio_sync_has() -> None:
    def versions(name: str) -> dict[str, str]:
        text = (REQUIREMENTS / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^(\S+)==(\S+)", text, re.MULTILINE))

    assert versions("bench-script.txt").items() <= versions("runtime.txt").items()
