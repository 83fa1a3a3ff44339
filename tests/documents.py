"""Documents that are typed: what stands in their fences, and a shell that says what they show."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from bio_sync.sandbox import Sandbox
from tests.conftest import ROOT
from tests.pipelines import warm

DOCUMENTS = (
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(path for path in ROOT.glob("*.md") if path.name != "README.md"),
)
# What is another one each time, and how the documents show it.
SHOWN_ADDRESS, SHOWN_KEY = "http://127.0.0.1:8787", "xqr_pk_1a2b3c4d"
SHOWN_PAGE, SHOWN_TIME = "bio_n3wpage1", "20261122T100000Z"
_ALWAYS_ANOTHER = (
    (re.compile(r"http://127\.0\.0\.1:\d+"), SHOWN_ADDRESS),
    (re.compile(r"\([0-9a-f]{12}\)"), "(3f2a91c0d5e7)"),
    (re.compile(r"(?<=/)(apply|undo)-\d{8}T\d{6}Z(-\d+)?(?=\.json)"), rf"\1-{SHOWN_TIME}"),
    (re.compile(r"Python 3\.\d+\.\d+\w*"), "Python 3.13.0"),
    (re.compile(r"in \d+(\.\d+)? m?s\b"), "in 0.1 s"),
)
_SAID_ALL = "that was all of it"


@dataclass(frozen=True)
class Fence:
    language: str
    text: str


def fences(document: Path) -> list[Fence]:
    """Give the code of a document in its order; code that is only indented has no language either."""
    tokens = MarkdownIt().parse(document.read_text(encoding="utf-8"))
    return [Fence(token.info.strip(), token.content) for token in tokens if token.type in {"fence", "code_block"}]


def steps(session: str) -> list[tuple[str, str]]:
    """Give (command, what is shown under it) of a console fence; a line that begins with `> ` goes on with it."""
    return [
        (first + re.sub(r"(?m)^> ?", "", rest), shown)
        for first, rest, shown in re.findall(r"^\$ (.*\n)((?:>.*\n)*)((?:(?!\$ ).*\n)*)", session, re.MULTILINE)
    ]


def sessions(document: Path) -> list[tuple[str, str]]:
    """Give the steps of all console fences of a document."""
    return [step for fence in fences(document) if fence.language == "console" for step in steps(fence.text)]


def as_shown(text: str) -> str:
    for another, shown in _ALWAYS_ANOTHER:
        text = another.sub(shown, text)
    return text


def same_lines(shown: list[str], real: list[str]) -> bool:
    """Compare line by line; a line of three dots stands for any number of lines."""
    if not shown:
        return not real
    if shown[0] == "...":
        return any(same_lines(shown[1:], real[skip:]) for skip in range(len(real) + 1))
    return bool(real) and shown[0] == real[0] and same_lines(shown[1:], real[1:])


class Shell:
    """A bash that is told one command after the other, and says what a terminal would show.

    What a command names as the document shows it (the newest journal, a page that was made) is given to it as it is.
    """

    def __init__(self, bash: "subprocess.Popen[str]", folder: Path, sandbox: Sandbox | None) -> None:
        self._bash = bash
        self._folder = folder
        self._sandbox = sandbox
        self._seeded = {page["id"] for page in sandbox.pages} if sandbox else set()

    def says(self, command: str, shown: str = "") -> list[str]:
        """Type a command; one in the background is waited for until it has said as many lines as are shown."""
        assert self._bash.stdin
        assert self._bash.stdout
        expected = len(shown.splitlines()) if command.rstrip().endswith("&") else 0
        # Nothing but the shell itself reads what comes next. What does not end its last line gets an end.
        self._bash.stdin.write(f"{{ {self._as_real(command)}\n}} < /dev/null\nprintf '\\n%s\\n' '{_SAID_ALL}'\n")
        self._bash.stdin.flush()
        said: list[str] = []
        for line in self._bash.stdout:
            said.append(line.rstrip("\n"))
            if _SAID_ALL in said and len(said) - 2 >= expected:
                break
        assert _SAID_ALL in said, f"the shell ended at: {command}"
        end = said.index(_SAID_ALL)
        before = said[: end - 1] if said[end - 1] == "" else said[:end]
        return self._as_shown("\n".join([*before, *said[end + 1 :]])).splitlines()

    def check(self, command: str, shown: str) -> None:
        """Type a command and compare what it says."""
        real = self.says(command, shown)
        assert same_lines(shown.splitlines(), real), "\n".join([command, "really shows:", *real])

    def _made(self) -> list[str]:
        return [page["id"] for page in self._sandbox.pages if page["id"] not in self._seeded] if self._sandbox else []

    def _as_real(self, command: str) -> str:
        for kind in ("apply", "undo"):
            if journals := list(self._folder.glob(f"**/.bio-sync/{kind}-*.json")):
                newest = max(journals, key=lambda journal: journal.stat().st_mtime_ns)
                command = command.replace(f"{kind}-{SHOWN_TIME}.json", newest.name)
        for page_id in self._made():
            command = command.replace(SHOWN_PAGE, page_id)
        return command

    def _as_shown(self, text: str) -> str:
        for page_id in self._made():
            text = text.replace(page_id, SHOWN_PAGE)
        if self._sandbox:
            text = text.replace(self._sandbox.key.partition(".")[0], SHOWN_KEY)
        return as_shown(text)


@contextmanager
def shell(folder: Path, environment: dict[str, str], sandbox: Sandbox | None = None) -> Iterator[Shell]:
    """Run a bash in a folder; what it left in the background ends with it."""
    with subprocess.Popen(
        ["bash", "--noprofile", "--norc"],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as bash:
        try:
            yield Shell(bash, folder, sandbox)
        finally:
            assert bash.stdin
            bash.stdin.write("kill $(jobs -p) 2> /dev/null; wait\n")
            bash.stdin.close()
            assert bash.stdout
            bash.stdout.read()


def tools(folder: Path) -> str:
    """Put `bio-sync`, and what stands in for curl where there is none, into a folder; give the PATH with it."""
    folder.mkdir()
    (folder / "bio-sync").write_text(warm.command(), encoding="utf-8")
    if not shutil.which("curl"):
        shutil.copy(Path(__file__).parent / "curl.py", folder / "curl")
    for tool in folder.iterdir():
        tool.chmod(0o755)
    return os.pathsep.join((str(folder), os.environ["PATH"]))


def typed(script: str) -> list[list[str]]:
    """Give the words of each `bio-sync` of a shell script, without running any of it."""
    script = re.sub(r"<<'?(\w+)'?\n.*?^\1\n", "\n", script.replace("\\\n", " "), flags=re.DOTALL | re.MULTILINE)
    found = []
    for line in script.splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        for command in " ".join(shlex.quote(word) if word not in _BETWEEN else "\n" for word in words).splitlines():
            own = shlex.split(command)
            while own and ("=" in own[0].partition("-")[0] or own[0] in {"do", "then", "if", "{"}):
                own.pop(0)
            if own and own[0] == "bio-sync":
                found.append(own[1:])
    return found


_BETWEEN = {"&&", "||", ";", "|", "&", "<", ">", ">>", "(", ")", "<(", "2>"}
