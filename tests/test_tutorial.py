"""docs/tutorial.md is a walk that was walked: its commands are typed into a shell, and say what it shows."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bio_sync.sandbox import Behaviour, Sandbox, load_seed
from tests.conftest import ROOT
from tests.pipelines import warm
from tests.test_docs import same_lines

TUTORIAL = ROOT / "docs" / "tutorial.md"
SHOWN_ADDRESS = "http://127.0.0.1:8787"
# What is another one each time, and how the document shows it.
SHOWN_TIME = "20261123T090000Z"
SHOWN_PAGE = "bio_n3wpage1"


def sessions(text: str) -> list[tuple[str, str]]:
    """Give (command, what is shown under it) for each command; a line that begins with `> ` goes on with it."""
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [
        (f"{first}\n" + re.sub(r"(?m)^> ?", "", rest), shown)
        for block in blocks
        for first, rest, shown in re.findall(r"^\$ (.*)\n((?:>.*\n)*)((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]


class Walk:
    """A shell in an empty folder, with a workspace to talk to; what it says is shown as the document does."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self._folder = folder
        self._sandbox = sandbox
        self._seeded = {page["id"] for page in sandbox.pages}

    def environment(self) -> dict[str, str]:
        tools = self._folder / ".tools"
        tools.mkdir(exist_ok=True)
        (tools / "bio-sync").write_text(warm.command(), encoding="utf-8")
        if not shutil.which("curl"):
            shutil.copy(Path(__file__).parent / "curl.py", tools / "curl")
        for tool in tools.iterdir():
            tool.chmod(0o755)
        return os.environ | {
            "PATH": os.pathsep.join((str(tools), os.environ["PATH"])),
            "PYTHONPATH": str(ROOT),
            "XQR_API_URL": self._sandbox.url,
            "XQR_API_KEY": self._sandbox.key,
            "HOME": str(self._folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.com",
        }

    def says(self, command: str) -> str:
        made = [page["id"] for page in self._sandbox.pages if page["id"] not in self._seeded]
        journals = sorted(path.name for path in self._folder.glob("work/.bio-sync/apply-*.json"))
        if journals:
            command = command.replace(f"apply-{SHOWN_TIME}.json", journals[0])
        for page_id in made:
            command = command.replace(SHOWN_PAGE, page_id)
        work = self._folder / "work"
        work.mkdir(exist_ok=True)
        done = subprocess.run(
            ["bash", "-c", command], cwd=work, env=self.environment(), capture_output=True, text=True, check=False
        )
        return self._as_shown(done.stdout + done.stderr)

    def _as_shown(self, text: str) -> str:
        for page in self._sandbox.pages:
            if page["id"] not in self._seeded:
                text = text.replace(page["id"], SHOWN_PAGE)
        text = text.replace(self._sandbox.address, SHOWN_ADDRESS)
        text = re.sub(r"\d{8}T\d{6}Z(-\d+)?(?=\.json)", SHOWN_TIME, text)
        text = re.sub(r"xqr_pk_[0-9a-f]{8}", "xqr_pk_1a2b3c4d", text)
        text = re.sub(r"Python 3\.\d+\.\d+\w*", "Python 3.13.0", text)
        return re.sub(r"in \d+(\.\d+)? m?s\b", "in 0.1 s", text)


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    seed = load_seed(ROOT / "examples" / "live")
    with Sandbox(pages=seed, behaviour=Behaviour(burst_limit=10_000)) as sandbox:
        yield Walk(tmp_path, sandbox)


def test_the_tutorial_shows_what_really_happens(walk: Walk) -> None:
    for command, shown in sessions(TUTORIAL.read_text(encoding="utf-8")):
        real = walk.says(command).splitlines()
        assert same_lines(shown.splitlines(), real), "\n".join([command, "really shows:", *real])


def test_the_tutorial_shows_every_command_of_this_way_of_working() -> None:
    typed = {command.split()[1] for command, _ in sessions(TUTORIAL.read_text("utf-8")) if command[:8] == "bio-sync"}
    assert typed >= {"init", "doctor", "validate", "plan", "apply", "undo", "drift", "pull", "create"}
