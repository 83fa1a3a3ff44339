"""Rehearsals on a local xQR: the sandbox as a command, and the demo that shows the whole job on it."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bio_sync.errors import BioSyncError
from bio_sync.schemafiles import shipped
from bio_sync.terminal import Terminal
from bio_sync.visible import visible

if TYPE_CHECKING:
    from bio_sync.sandbox import Sandbox


class NoSandbox(BioSyncError):
    """The sandbox can't run here: a part is missing, its seed can't be read, or its port is taken."""


def serve(terminal: Terminal, *, port: int, database: str | None, seed: str | None, faults: str | None) -> None:
    """Run a sandbox until Ctrl-C or SIGTERM; prints the two lines that point bio-sync at it."""
    with _started(port=port, database=database, seed=seed, faults=faults) as sandbox:
        # With --db the key of this sandbox may be in the environment already; it opens nothing but the sandbox.
        terminal.keys[:] = [key for key in terminal.keys if key.header() != f"Bearer {sandbox.key}"]
        terminal.result(f"export XQR_API_URL={sandbox.url}\nexport XQR_API_KEY={sandbox.key}\n")
        ways = "Ctrl-C ends it; in the background, `kill %1`."
        terminal.say(f"A local xQR listens at {sandbox.address}, with a key of its own. {ways}")
        if faults:
            terminal.say(_waiting(len(sandbox.faults), faults))
        # Ctrl-C and SIGTERM are how it is meant to end.
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


def demonstrate(terminal: Terminal) -> int:
    """Show validate, plan, apply and plan on a fresh sandbox, each command as it is typed; 0 when all went well."""
    with (
        tempfile.TemporaryDirectory(prefix="bio-sync-demo-") as folder,
        _started(seed=str(shipped("examples") / "live")) as sandbox,
    ):
        shutil.copytree(shipped("examples") / "pages", Path(folder) / "pages")
        shutil.copy(shipped("examples") / "bio-sync.yaml", folder)
        demo = _Demo(terminal, sandbox, folder)
        return demo.run()


class _Demo:
    def __init__(self, terminal: Terminal, sandbox: "Sandbox", folder: str) -> None:
        self._terminal = terminal
        self._folder = folder
        self._sandbox = sandbox

    def run(self) -> int:
        say = self._terminal.result
        say(f"A local xQR with eight live pages runs at {self._sandbox.address}; seven page files lie in pages/.\n")
        steps = (
            ("Are the files right? No network and no key is needed for this.", ("validate",), 0),
            ("What would change? This only reads.", ("plan",), 0),
            ("Write it. Each PATCH holds only the fields that differ.", ("apply", "--yes"), 0),
            ("And again: nothing is left to do.", ("plan", "--detailed-exitcode"), 0),
        )
        for words, arguments, expected in steps:
            if self._show(words, arguments) != expected:
                say("\nThe demo did not go as it should; please report it with the lines above.\n")
                return 1
        self._farewell()
        return 0

    def _show(self, words: str, arguments: tuple[str, ...]) -> int:
        self._terminal.result(f"\n# {words}\n$ bio-sync {' '.join(arguments)}\n")
        colour = "always" if self._terminal.colours(sys.stdout) else "never"
        # -P: a file of the working directory is never taken for a module of Python's or ours.
        command = [sys.executable, "-P", "-m", "bio_sync", "--color", colour, *arguments]
        done = subprocess.run(  # noqa: S603 - our own command, arguments written above
            command,
            cwd=self._folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        self._terminal.result(done.stdout + done.stderr)
        return done.returncode

    def _environment(self) -> dict[str, str]:
        package = str(Path(__file__).parent.parent)
        return os.environ | {
            "XQR_API_URL": self._sandbox.url,
            "XQR_API_KEY": self._sandbox.key,
            "PYTHONPATH": os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH", "")))),
        }

    def _farewell(self) -> None:
        page = next(page for page in self._sandbox.pages if page["id"] == "bio_abc123")
        self._terminal.result(
            f"\nAs long as the demo runs, the page of Acme is public, with its new title: {page['html_url']}\n"
            "\nTry next:\n"
            f"  {_command()} sandbox --seed {_live_folder()}\n"
            "      a local xQR of your own, to play with\n"
            "  export XQR_API_KEY=…\n"
            "      your workspace's key; the scope bio:read is enough to plan\n"
            f"  {_command()} plan pages/\n"
            "      what your files would change\n"
        )
        if self._terminal.can_ask() and sys.stdout.isatty():
            self._terminal.say("\nLook at the page in a browser. Enter ends the demo and takes everything away again.")
            sys.stdin.readline()


def _command() -> str:
    """Name the command as it can be typed from here."""
    if shutil.which("bio-sync"):
        return "bio-sync"
    typed = Path(sys.argv[0]).resolve()
    return str(typed.relative_to(Path.cwd())) if typed.is_relative_to(Path.cwd()) else "bio-sync"


def _live_folder() -> str:
    """Name the folder of the live example pages, as short as it can be from here."""
    live = shipped("examples") / "live"
    return str(live.relative_to(Path.cwd()) if live.is_relative_to(Path.cwd()) else live)


def _waiting(number: int, path: str) -> str:
    """Say how many faults a sandbox begins with."""
    if number == 1:
        return f"1 fault from {visible(path)} waits for its request."
    return f"{number or 'No'} faults from {visible(path)} wait for their requests."


@contextlib.contextmanager
def _started(
    *, port: int = 0, database: str | None = None, seed: str | None = None, faults: str | None = None
) -> Iterator["Sandbox"]:
    """Run a sandbox as long as the block takes; raises NoSandbox, with words, when there can be none."""
    try:
        from bio_sync.sandbox import Sandbox, load_faults, load_seed  # noqa: PLC0415 - starlette and uvicorn
    except ImportError as error:
        raise NoSandbox(
            f"the sandbox needs {visible(error.name or 'a package')}, which is not installed",
            hint="pip install 'bio-sync[sandbox]'",
        ) from None
    try:
        pages: list[dict[str, Any]] = load_seed(Path(seed)) if seed else []
        chosen = load_faults(Path(faults)) if faults else None
        sandbox = Sandbox(
            pages=pages,
            database=database,
            port=port,
            faults=chosen.faults if chosen else (),
            fault_seed=chosen.seed if chosen else 0,
            keep_history=False,
        ).start()
    except (OSError, ValueError) as error:
        raise NoSandbox(f"the sandbox can't start: {visible(str(error))}", hint="see bio-sync sandbox --help") from None
    try:
        yield sandbox
    finally:
        sandbox.stop()
