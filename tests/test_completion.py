"""Tab completes commands, options, choices and files: in the shells themselves, at a terminal."""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pyte
import pytest

from bio_sync.commands import commands
from tests.test_package import HEAVY

QUIET = ["--help", "-h", "--version"]

PROGRAMS = Path(sys.executable).parent
# As the documents say it, each without what its user has set up.
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(_BIO_SYNC_COMPLETE=bash_source bio-sync)"'),
    "zsh": (
        ["zsh", "--no-rcs", "-i"],
        'autoload -U compinit && compinit -D; eval "$(_BIO_SYNC_COMPLETE=zsh_source bio-sync)"',
    ),
    "fish": (["fish", "--no-config", "-i"], "_BIO_SYNC_COMPLETE=fish_source bio-sync | source"),
}
# What is typed before Tab, and what stands there after it.
TYPED = {
    "bio-sync val": "bio-sync validate",
    "bio-sync plan --detailed": "bio-sync plan --detailed-exitcode",
    "bio-sync validate --format sar": "bio-sync validate --format sarif",
    "bio-sync --color al": "bio-sync --color always",
    "bio-sync --color never dem": "bio-sync --color never demo",
    "bio-sync drift --color nev": "bio-sync drift --color never",
    "bio-sync --config set": "bio-sync --config settings.yaml",
    "bio-sync validate pag": "bio-sync validate pages/",
    "bio-sync show sav": "bio-sync show saved-plan.json",
    "bio-sync apply --plan sav": "bio-sync apply --plan saved-plan.json",
    "bio-sync sandbox --seed pag": "bio-sync sandbox --seed pages/",
}
CLEAR_LINE = "\x15"
SECONDS = 20.0


class Terminal:
    """A terminal with a shell at it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.screen = pyte.Screen(110, 40)
        self.stream = pyte.ByteStream(self.screen)

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def line(self) -> str:
        return self.screen.display[self.screen.cursor.y].rstrip()

    def waits_for(self, shown: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + SECONDS
        while not shown() and time.monotonic() < deadline:
            if select.select([self.descriptor], [], [], 0.05)[0]:
                self.stream.feed(os.read(self.descriptor, 65536))
        return shown()


@contextmanager
def at_a_terminal(command: list[str], folder: Path) -> Iterator[Terminal]:
    environment = {
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    process, descriptor = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execvpe(command[0], command, environment)  # noqa: S606 - a shell is what is tested
    try:
        yield Terminal(descriptor)
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(descriptor)


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes_what_was_begun(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "pages").mkdir()
    for name in ("settings.yaml", "saved-plan.json"):
        (tmp_path / name).touch()
    command, line = SHELLS[shell]
    with at_a_terminal(command, tmp_path) as terminal:
        terminal.type(f"{line}; echo rea''dy\r")
        assert terminal.waits_for(lambda: any(each.rstrip() == "ready" for each in terminal.screen.display))
        for begun, completed in TYPED.items():
            terminal.type(f"{begun}\t")
            assert terminal.waits_for(lambda: terminal.line().endswith(completed)), terminal.screen.display  # noqa: B023
            terminal.type(CLEAR_LINE)


def test_an_option_or_argument_is_completed_or_its_word_stands_for_nothing_on_this_machine() -> None:
    nowhere = {"N", "N|N%", "S", "URL", "TIME", "REV", "ID", "NAME", "[PAGE_ID]..."}
    for command in (commands, *commands.everything().values()):
        context = click.Context(command)
        for parameter in command.params:
            offered = [*parameter.shell_complete(context, "a"), *parameter.shell_complete(context, "")]
            takes_nothing = isinstance(parameter, click.Option) and (parameter.is_flag or parameter.count)
            assert offered or takes_nothing or parameter.metavar in nowhere, (command.name, parameter.name)


def test_a_shell_that_asks_for_a_command_loads_none() -> None:
    code = (
        "import sys; from bio_sync.cli import run\n"
        "try: run([])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    asked = {"COMP_WORDS": "bio-sync p", "COMP_CWORD": "1", "_BIO_SYNC_COMPLETE": "bash_complete"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=os.environ | asked, capture_output=True, text=True, check=True)
    assert done.stdout == "plain,plan\nplain,pull\n"
    loaded = set(done.stderr.split())
    assert loaded & {"bio_sync.commands.plan", "bio_sync.commands.pull"} == set()
    assert {name.split(".")[0] for name in loaded} & HEAVY == set()


@pytest.mark.parametrize("option", QUIET)
def test_an_option_that_only_prints_prints_nothing_while_a_word_is_completed(
    option: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with commands.make_context("bio-sync", [option, "plan"], resilient_parsing=True):
        assert capfd.readouterr().out == ""
