"""The way in for the steps of `action.yml`: `python -m bio_sync.action run`, and `approved` before it."""

import os
import sys
import traceback
from typing import NoReturn

from bio_sync.action import approval, running
from bio_sync.action.inputs import variable
from bio_sync.action.runner import Runner
from bio_sync.cli import take_signals
from bio_sync.errors import INCOMPLETE, BioSyncError, exit_code_of
from bio_sync.key import key_at_hand
from bio_sync.options import Session
from bio_sync.terminal import use_utf8
from bio_sync.workflowcommands import command


def main() -> NoReturn:
    """Run one step and exit with its code."""
    use_utf8()
    take_signals(Session())
    try:
        sys.exit(_step(sys.argv[1:]))
    except KeyboardInterrupt as signal:
        sys.exit(exit_code_of(signal))


def _step(arguments: list[str]) -> int:
    runner = Runner(os.environ, key_at_hand(os.environ))
    try:
        return approval.find(runner) if arguments == ["approved"] else running.run(runner, take_signals)
    except BioSyncError as error:
        runner.log(f"error: {error.message}\nhint: {error.hint}\n")
        return error.exit_code
    except Exception:  # noqa: BLE001 - a bug: its traceback, without the key that may stand in it
        with runner.folded("Where it happened"):
            runner.log(traceback.format_exc())
        runner.log(command("error", "this is a bug in bio-sync: please report it with the lines above"))
        # Of an apply, nobody can say any more that nothing was written.
        return INCOMPLETE if os.environ.get(variable("command")) == "apply" else 1


if __name__ == "__main__":
    main()
