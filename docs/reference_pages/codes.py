"""exit-codes.md: the exit codes of the help, the words of results, and the tree of errors."""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping

import bio_sync
from bio_sync.applying.outcomes import OUTCOMES
from bio_sync.commands import commands
from bio_sync.errors import BioSyncError
from reference_pages.facts import FACTS
from reference_pages.writing import MADE, code, codes, first_sentence, table

ABOUT = """# Exit codes, outcomes and reasons

"""
AFTER_CODES = """In a script:

```sh
bio-sync plan --detailed-exitcode --out plan.json
case $? in
  0) echo "nothing to do" ;;
  2) echo "there are changes, see plan.json" ;;
  *) exit 1 ;;
esac
```

"""
# What a script does about it.
ADVICE: Mapping[int, str] = {
    0: "go on",
    1: "read the error; run again when its cause is gone",
    2: "it is no failure: show or save the plan",
    3: "look at the outcomes, and run again: what was written is not written twice",
    64: "correct the command line; a run again says the same",
    130: "run again: what was written is not written twice",
    143: "the same",
}
OF_A_PAGE: Mapping[str, tuple[str, str]] = {
    "applied": ("Written, and the service stores what was wanted.", ""),
    "unchanged": ("As its file wants it; nothing was sent.", ""),
    "failed": (
        "Not as wanted, for the reason beside it. Some of it may be written: the message begins with that.",
        "See the reason.",
    ),
    "unknown": (
        "A write went out, its answer was lost or did not show the page, and reading back did not settle it.",
        "Look at the page, or run again: what was written is not written twice.",
    ),
    "skipped": ("The run ended before its turn, or was held back as a whole.", "Run again, when the reason is gone."),
}
REASONS: Mapping[str, tuple[str, str]] = {
    "auth": (
        "The key is missing or wrong, or may not do this.",
        "`bio-sync doctor` says which; give the key that scope.",
    ),
    "drifted": (
        "Somebody has edited the page since it was planned. The edit was not overwritten.",
        "Look at a new plan; `bio-sync drift` shows both ways out.",
    ),
    "gone": (
        "The page is not in this workspace.",
        "If it was deleted, remove its file; else the key is another workspace's.",
    ),
    "interrupted": ("Ctrl-C or SIGTERM ended the run before it had a report.", "Run again."),
    "invalid": ("Files, options or settings are wrong.", "The message names the place, the hint the way out."),
    "not-approved": (
        "The action has found no plan, shown on a pull request, that this merge may go by.",
        "Run the workflow by hand: it plans afresh, and writes.",
    ),
    "not-converged": (
        "The service stores something else than was sent, and said yes.",
        "Write into the file what the service stores; the message names it.",
    ),
    "quota": ("The month has too few calls left.", "Wait for the next month, lower `--reserve`, or plan less often."),
    "rejected": (
        "The service refused the request, or was asked too fast in spite of all waiting.",
        "The message has its words; correct what it names.",
    ),
    "stale": ("The plan made afresh is not the one that was agreed to.", "Look at the new plan, and agree to that."),
    "unreachable": (
        "No answer, one that is not xQR's, or one that was lost.",
        "Run again later; `bio-sync doctor` tells what is in the way.",
    ),
    "unsafe": (
        "A guard held it back, or a file that is not committed would be written over.",
        "If it is meant, `--force`; else correct the files, or commit them.",
    ),
}
# These stand on pages only; all other reasons are an error's, too.
OF_PAGES_ONLY = frozenset(("drifted", "not-converged"))


def exit_codes() -> str:
    """Write exit-codes.md; raises ValueError for a reason that is not explained, or is none any more."""
    told = [error for error in _tree() if error.reason]
    if found := {error.reason for error in told} ^ (set(REASONS) - OF_PAGES_ONLY):
        raise ValueError(f"reasons that are raised or explained only: {found}")
    rows = ((code(str(number)), words, _commands(number), ADVICE[number]) for number, words in _of_the_help())
    outcomes = ((code(word), *OF_A_PAGE[word]) for word in OUTCOMES)
    reasons = ((code(word), *words) for word, words in sorted(REASONS.items()))
    return (
        f"{MADE}{ABOUT}{table(('code', 'meaning', 'commands', 'what to do'), rows)}{AFTER_CODES}"
        "## Outcomes\n\nWhat became of a page, as `apply`, `undo` and [their JSON](json.md#apply-and-undo) tell it.\n\n"
        f"{table(('outcome', 'meaning', 'what to do'), outcomes)}"
        "## Reasons\n\nWhy a page is not as wanted, or why a command failed: `reason` in [JSON](json.md).\n\n"
        f"{table(('reason', 'meaning', 'what to do'), reasons)}{_errors()}"
    ).rstrip() + "\n"


def _of_the_help() -> Iterator[tuple[int, str]]:
    """Give the exit codes as `bio-sync --help` tells them."""
    text = " ".join((commands.help or "").partition("Exit codes:")[2].split()).rstrip(".")
    for part in text.split("; "):
        number, _, words = part.partition(" ")
        yield int(number), re.sub(r" \(.*\)$", "", words)


def _commands(number: int) -> str:
    """Name the commands that have an exit code of their own meaning."""
    having = [name for name, facts in sorted(FACTS.items()) if number in facts.codes]
    return codes(having) if len(having) < len(FACTS) and having else "all"


def _tree() -> list[type[BioSyncError]]:
    """Give every error that a command can end with, each behind the one that it is a kind of."""
    for module in pkgutil.walk_packages(bio_sync.__path__, "bio_sync."):
        if not module.name.startswith("bio_sync.action") and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return list(_below(BioSyncError))


def _below(error: type[BioSyncError]) -> Iterator[type[BioSyncError]]:
    yield error
    kinds = (each for each in error.__subclasses__() if re.match(r"bio_sync\.(?!action)", each.__module__))
    for kind in sorted(kinds, key=lambda each: (each.__module__ != "bio_sync.errors", each.__name__)):
        yield from _below(kind)


def _errors() -> str:
    rows = (
        (
            code(error.__name__),
            code(error.__base__.__name__) if error.__base__ not in {None, Exception, BioSyncError} else "",
            code(str(error.exit_code)),
            code(error.reason) if error.reason else "",
            _words(error),
        )
        for error in _tree()
    )
    about = (
        "## Errors\n\nThe errors behind them, for those who [call bio-sync from Python](python.md). Each is a `BioSyncError`, with "
        "`message`, `hint`, `reason` and `exit_code`; a `ServiceError` has a `request_id`, too, which may be null. What "
        "is no such error is a bug, and keeps its traceback.\n\n"
    )
    return about + table(("error", "a kind of", "exit code", "reason", "meaning"), rows)


def _words(error: type[BioSyncError]) -> str:
    return first_sentence((error.__doc__ or "").partition("\n\n")[0])
