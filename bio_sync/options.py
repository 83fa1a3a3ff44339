"""The options that stand before or after any command; after it, they are the stronger."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from bio_sync.errors import BioSyncError
from bio_sync.terminal import Terminal

if TYPE_CHECKING:
    from bio_sync.planning import Plan
    from bio_sync.transport import Meter

# The commands that have `--format json`.
WITH_JSON = frozenset(("validate", "plan", "show", "apply", "undo", "drift", "doctor", "comment", "issue", "matrix"))
# The forms of `validate` that other programs read; a failure has a place in each.
REPORTS = ("github", "gitlab", "sarif", "junit")

Command = TypeVar("Command", bound=Callable[..., Any])


def _time_of_day() -> datetime:
    return datetime.now(UTC)


# No value to compare or to print: without the two, the class is made in half of the time.
@dataclass(slots=True, eq=False, repr=False)
class Session:
    """What one run was told, and what it has cost; `command` and `output_format` say how a failure is shown.

    `plan` is the one that an apply was about to carry out, `writing` tells that it has begun to, and `reported` that
    its report is on its way; `instead_of_files` puts a failure where the run was to save its plan; `clock` gives
    seconds, and `sleep`, when it is given, takes the place of waiting. `now` gives the time of day, which links show
    by: a run asks it once.
    """

    terminal: Terminal = field(default_factory=Terminal)
    timeout: float = 30.0
    api_url: str | None = None
    api_key_file: str | None = None
    config: str | None = None
    meter: "Meter | None" = None
    plan: "Plan | None" = None
    writing: bool = False
    reported: bool = False
    signalled: KeyboardInterrupt | None = None
    instead_of_files: Callable[[BioSyncError], object] = lambda _: None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] | None = None
    now: Callable[[], datetime] = _time_of_day
    command: str = ""
    output_format: str = "text"

    def expect_format(self, arguments: Sequence[str]) -> None:
        """Look for the command and its form before anything is parsed: wrong usage is told as JSON too."""
        words = [word for word in arguments if not word.startswith("-")]
        self.command = next((word for word in words if word in WITH_JSON), "")
        for form in ("json", *REPORTS) if self.command == "validate" else ("json",):
            asked = f"--format={form}" in arguments or ("--format", form) in pairwise(arguments)
            if self.command and asked:
                self.output_format = form


def _told(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if isinstance(value, float) and math.isnan(value):
        raise click.BadParameter("nan is not a number of seconds.")
    if value is not None:
        setattr(context.ensure_object(Session), str(parameter.name), value)


def _colour(context: click.Context, _: click.Parameter, value: Literal["auto", "always", "never"] | None) -> None:
    if value is not None:
        context.ensure_object(Session).terminal.colour_choice = value


def _louder(context: click.Context, _: click.Parameter, count: int) -> None:
    context.ensure_object(Session).terminal.quietness -= count


def _quieter(context: click.Context, _: click.Parameter, count: int) -> None:
    context.ensure_object(Session).terminal.quietness += count


_OPTIONS = (
    click.option(
        "--timeout",
        metavar="S",
        type=click.FloatRange(min=0, min_open=True, max=3600),
        callback=_told,
        expose_value=False,
        help="Seconds that a request may take. [default: 30]",
    ),
    click.option(
        "--api-url",
        metavar="URL",
        callback=_told,
        expose_value=False,
        help="Address of the service. [env: XQR_API_URL; default: https://xqr.co/api/v1]",
    ),
    click.option(
        "--api-key-file",
        metavar="FILE|-",
        callback=_told,
        expose_value=False,
        help="File that holds the API key. [env: XQR_API_KEY_FILE; or the key itself in XQR_API_KEY]",
    ),
    click.option(
        "--config",
        metavar="FILE",
        callback=_told,
        expose_value=False,
        help="Configuration. [default: bio-sync.yaml, here or above]",
    ),
    click.option(
        "--color",
        type=click.Choice(("auto", "always", "never")),
        callback=_colour,
        expose_value=False,
        help="Colours. [env: NO_COLOR, FORCE_COLOR; default: auto]",
    ),
    click.option("-v", "--verbose", count=True, callback=_louder, expose_value=False, help="More talk on stderr."),
    click.option("-q", "--quiet", count=True, callback=_quieter, expose_value=False, help="Less talk on stderr."),
)


def everywhere(command: Command) -> Command:
    """Give a command the options that all commands have."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
