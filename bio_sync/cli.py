"""The way in and the way out: one gate that turns every failure into words and an exit code."""

import gc
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from bio_sync.commands import commands
from bio_sync.errors import INCOMPLETE, INTERRUPTED, BioSyncError, NoFolder, ServiceError, Terminated, exit_code_of
from bio_sync.key import key_at_hand
from bio_sync.options import Session
from bio_sync.terminal import use_utf8
from bio_sync.visible import visible

USAGE = 64
# Forms that nobody reads where they are printed.
UNREAD = ("html", "gitlab", "sarif", "junit")
# Commands whose result goes into a variable of a CI system.
FOR_A_VARIABLE = ("matrix",)
# Commands that change live pages, and say so (`Session.writing`) before the first one.
PAGE_WRITERS = ("apply", "undo")
_NEW_OBJECTS = 100_000
# Seconds; long enough to be out of what a finalizer does.
_A_MOMENT = 0.01


class WrongUsage(BioSyncError):
    """The words of the command line are off."""

    exit_code = USAGE
    reason = "invalid"


class Interrupted(BioSyncError):
    """Somebody ended the run before it had anything to report."""

    exit_code = INTERRUPTED
    reason = "interrupted"


class Bug(BioSyncError):
    """A failure that nobody has foreseen."""


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    # A run makes much and throws little away: at every 700th new object (Python 3.11) the collector takes a tenth.
    gc.set_threshold(_NEW_OBJECTS)
    use_utf8()
    session = Session()
    take_signals(session)
    code = run(sys.argv[1:], session)
    # The system takes back all memory at once; to look for circles in it first takes 30 ms.
    gc.freeze()
    sys.exit(code)


def take_signals(session: Session) -> None:
    """Let Ctrl-C and SIGTERM raise wherever the run is, and again where Python would have dropped it."""

    def signalled(number: int, _: FrameType | None) -> NoReturn:
        # Remembered too: in the middle of an import, the exception comes out as another one, or not at all.
        session.signalled = Terminated() if number == signal.SIGTERM else KeyboardInterrupt()
        raise session.signalled

    for number in (signal.SIGINT, signal.SIGTERM):
        # What was ignored from the start stays so: a shell's background job is not for Ctrl-C.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signalled)
    sys.unraisablehook = _sent_again


def _sent_again(dropped: "sys.UnraisableHookArgs") -> None:
    """Send a signal once more, a moment later, that came while a finalizer or a callback of an import ran.

    Python prints what is raised there, and goes on as if nothing had happened.
    """
    if not isinstance(dropped.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(dropped)
        return
    import threading  # noqa: PLC0415 - rarely needed

    number = signal.SIGTERM if isinstance(dropped.exc_value, Terminated) else signal.SIGINT
    again = threading.Timer(_A_MOMENT, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()


def run(arguments: Sequence[str], session: Session | None = None) -> int:
    """Run one command and give its exit code; every failure that can be explained is explained here."""
    session = session or Session()
    # From the first word on, the key is cut out of all that is printed, whichever command it is.
    session.terminal.hide(key_at_hand(os.environ))
    session.expect_format(arguments)
    try:
        _check_folder()
        code = commands.main(list(arguments), prog_name="bio-sync", obj=session, standalone_mode=False)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f"see {context.command_path if context else 'bio-sync'} --help"
        return _explained(WrongUsage(error.format_message(), hint=hint), session)
    except (KeyboardInterrupt, click.Abort) as error:
        # click makes an Abort of every interrupt.
        cause = error.__cause__ if isinstance(error, click.Abort) else error
        return _explained(_ended_by(cause, session), session)
    except BioSyncError as error:
        return _explained(error, session)
    except Exception:  # noqa: BLE001 - a bug: its traceback, without the key that may stand in it
        if session.signalled:
            return _explained(_ended_by(session.signalled, session), session)
        import traceback  # noqa: PLC0415 - rarely needed

        session.terminal.complain(traceback.format_exc().rstrip())
        bug = Bug("this is a bug in bio-sync", hint="please report it with the lines above")
        if session.writing:
            bug.exit_code = INCOMPLETE
        return _explained(bug, session)
    if session.terminal.result_lost and not code:
        return 1
    return code if isinstance(code, int) else 0


def _check_folder() -> None:
    """Raise NoFolder when the working directory was removed: no file could be found from it."""
    try:
        os.getcwd()  # noqa: PTH109 - pathlib: 4 ms that `--help` does not need
    except FileNotFoundError:
        raise NoFolder from None


def _ended_by(cause: BaseException | None, session: Session) -> Interrupted:
    if session.command in PAGE_WRITERS and not session.writing:
        ended = Interrupted("interrupted, and nothing was written", hint="run again")
    else:
        ended = Interrupted("interrupted", hint="run again: what was written is not written twice")
    ended.exit_code = exit_code_of(cause)
    return ended


def _explained(error: BioSyncError, session: Session) -> int:
    """Say what went wrong: on standard error always, on standard output in the form that was asked for."""
    from bio_sync.commands import failing  # noqa: PLC0415 - heavier than `--help` needs

    terminal = session.terminal
    # There is one result: when it is out, the rest is for standard error.
    if isinstance(error, WrongUsage) and session.command == "validate" and session.output_format != "json":
        # A report is about files; a mistake in a job's script is for its log.
        session.output_format = "text"
    if not session.reported:
        terminal.result(failing.printed(session, error))
    unread = session.output_format in UNREAD or session.command in FOR_A_VARIABLE
    if (session.reported or unread) and (problems := failing.problems_of(error)):
        terminal.complain("".join(problems).rstrip())
    if not isinstance(error, WrongUsage):
        session.instead_of_files(error)
    request = f" (request {error.request_id})" if isinstance(error, ServiceError) and error.request_id else ""
    terminal.complain(f"error: {visible(error.message)}{request}")
    if error.hint:
        terminal.complain(f"hint: {visible(error.hint)}")
    return error.exit_code
