"""`bio-sync sandbox --faults FILE` as it is typed."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.conftest import ROOT, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SEED = str(ROOT / "examples" / "live")


@contextmanager
def sandbox_command(*arguments: str) -> Iterator[tuple[httpx.Client, Callable[[], str]]]:
    """Run the command, with a client for it, and what ends it and gives what it printed on stderr."""
    command = [sys.executable, "-m", "bio_sync", "sandbox", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:

        def ended() -> str:
            process.send_signal(signal.SIGINT)
            return process.communicate(timeout=60)[1]

        try:
            assert process.stdout
            url, key = (process.stdout.readline().strip().partition("=")[2] for _ in range(2))
            with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
                yield client, ended
        finally:
            process.kill()


def test_the_faults_of_a_file_meet_requests(folder: Path) -> None:
    faults = [{"wire": "close"}, {"status": 502, "skip": 1}, {"edits": {"bio_abc123": {"title": "By hand"}}}]
    (folder / "faults.json").write_text(json.dumps(faults))
    with sandbox_command("--seed", SEED, "--faults", "faults.json") as (client, ended):
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/bio/pages")
        assert client.get("/bio/pages").json()["data"][0]["title"] == "By hand"
        assert client.get("/bio/pages").status_code == 502
        assert client.get("/bio/pages").status_code == 200
        said = ended()
    assert "3 faults from faults.json wait for their requests." in said.splitlines()


def test_one_fault_waits_too_and_ends_with_the_sandbox(folder: Path) -> None:
    (folder / "faults.json").write_text('{"wire": "hang"}')
    with sandbox_command("--faults", "faults.json") as (client, ended):
        with pytest.raises(httpx.ReadTimeout):
            client.get("/bio/pages", timeout=httpx.Timeout(60, read=0.2))
        said = ended()
    assert said.splitlines()[1:] == ["1 fault from faults.json waits for its request."]


def test_the_seed_of_the_file_decides_who_meets_a_fault(folder: Path) -> None:
    (folder / "faults.json").write_text('{"seed": 11, "faults": [{"probability": 0.2, "times": null}]}')
    dice = random.Random(11)  # noqa: S311 -- a seed is wanted here, and nothing is secret
    with sandbox_command("--faults", "faults.json") as (client, _):
        statuses = [client.get("/bio/pages").status_code for _ in range(9)]
    assert statuses == [503 if dice.random() < 0.2 else 200 for _ in range(9)]
    assert 503 in statuses


def test_without_faults_nothing_is_said_of_them(folder: Path) -> None:
    with sandbox_command() as (client, ended):
        assert client.get("/bio/pages").status_code == 200
        assert "fault" not in ended()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[{}, {"stauts": 500}]', "faults.json: fault 2: a fault has no member 'stauts', did you mean 'status'\\?"),
        ('{"wire": "rest"}', "faults.json: fault 1: wire: there is no kind 'rest', did you mean 'reset'\\?"),
        ("[{]", "faults.json: not JSON in UTF-8: .*"),
        (
            '{"edits": {"bio_abc124": {"title": "x"}}}',
            "edits of a fault: there is no page 'bio_abc124', did you mean .*",
        ),
        (None, "faults.json: No such file or directory"),
        (r'{"\u001b[31m": 1}', r"faults.json: fault 1: a fault has no member '\\x1b\[31m'"),
    ],
)
def test_a_mistake_in_the_file_is_two_lines(folder: Path, run: Run, content: str | None, words: str) -> None:
    if content is not None:
        (folder / "faults.json").write_text(content)
    result = run("sandbox", "--seed", SEED, "--faults", "faults.json")
    assert (result.code, result.out) == (1, "")
    error, hint = result.err.splitlines()
    assert re.fullmatch(f"error: the sandbox can't start: {words}", error)
    assert hint == "hint: see bio-sync sandbox --help"


def test_the_help_names_the_file(run: Run) -> None:
    assert "--faults FILE" in run("sandbox", "--help").out
