"""The command `bio-sync` itself, and what its commands are made with."""

import functools
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from bio_sync.commands.completion import complete_places
from bio_sync.commands.lazy import LazyCommands, show_help
from bio_sync.errors import BioSyncError
from bio_sync.options import Session, everywhere
from bio_sync.version import __version__
from bio_sync.visible import visible

if TYPE_CHECKING:
    from bio_sync.applying.guards import Limit

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        context.ensure_object(Session).terminal.result(f"bio-sync {__version__}\n")
        context.exit()


@click.group(cls=LazyCommands, context_settings=HELP, invoke_without_command=True)
@everywhere
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.pass_context
def commands(context: click.Context) -> None:
    """Pages-as-code for link-in-bio pages: YAML files in git, a plan to review, and an apply that writes only
    what differs.

    \b
    Begin with:
      bio-sync demo                     the whole job on a local service, nothing to set up
      bio-sync init --from-live         a page repository of the pages that are live
      bio-sync plan                     what would change, and for whom; no write
      bio-sync apply                    show it, ask, write it
      bio-sync drift                    what changed live, and the two answers to it

    \b
    Exit codes: 0 done; 1 failed, nothing written; 2 changes pending (plan --detailed-exitcode, drift);
    3 incomplete (apply, undo, create); 64 wrong usage; 130 interrupted; 143 terminated.
    """  # noqa: D205, D301 - click's own marks
    if context.invoked_subcommand is None:
        show_help(context)


complete_places(commands)


def command(name: str, *, example: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command with the common options, its session, and an example at the end of its help."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        epilog = f"\b\nExample:\n  {example}"
        made = commands.command(name, epilog=epilog, context_settings=HELP)(everywhere(click.pass_obj(function)))
        complete_places(made)
        return made

    return decorate


def format_option(*formats: str) -> Callable[[Any], Any]:
    """Make the option `--format`, the first of `formats` being the default; the session remembers it."""

    def remember(context: click.Context, _: click.Parameter, value: str) -> None:
        session: Session = context.ensure_object(Session)
        session.output_format, session.command = value, context.info_name or ""

    # Eager, so that a failure in any later option already knows how to show itself.
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        callback=remember,
        is_eager=True,
        expose_value=False,
        help="Form of the result.",
    )


def seconds_option(name: str, default: float, words: str) -> Callable[[Any], Any]:
    """Make an option that takes a number of seconds, from none to an hour."""

    def number(_: click.Context, __: click.Parameter, value: float) -> float:
        if math.isnan(value):
            raise click.BadParameter("nan is not a number of seconds.")
        return value

    seconds = click.FloatRange(min=0, max=3600)
    words = f"{words} [default: {default:g}]"
    return click.option(name, metavar="S", type=seconds, default=default, callback=number, help=words)


def _limit(_: click.Context, __: click.Parameter, value: str | None) -> "Limit | None":
    from bio_sync.applying.guards import Limit  # noqa: PLC0415 - heavier than `--help` needs

    try:
        return None if value is None else Limit.read(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


limit_option = click.option(
    "--max-changes", metavar="N|N%", callback=_limit, help="Pages that may change without --force."
)


PLAN_FORMATS = ("text", "json", "markdown", "html", "gitlab")
# What the suffix of an `--out` file stands for; a form without one of its own is named: `gitlab:FILE`.
SUFFIXES = {".json": "json", ".md": "markdown", ".html": "html", ".txt": "text"}
NAMED = ("gitlab",)


@dataclass(frozen=True, slots=True)
class Out:
    """A file to save a plan into, and the form that it gets."""

    path: str
    output_format: str


def out_option(*formats: str) -> Callable[[Any], Any]:
    """Make the option `--out`, for files in some of the forms; when the run fails, they tell why instead."""

    def outs(context: click.Context, _: click.Parameter, values: tuple[str, ...]) -> tuple[Out, ...]:
        found = _outs(tuple(_out(value, formats) for value in values))
        session: Session = context.ensure_object(Session)
        session.instead_of_files = functools.partial(_save_failure, session, found)
        return found

    return click.option(
        "--out",
        "outs",
        metavar="FILE",
        multiple=True,
        callback=outs,
        help=f"Save it too: FILE{', '.join(_endings(formats))}; may repeat.",
    )


def _endings(formats: Sequence[str]) -> list[str]:
    suffixes = [suffix for suffix, output_format in SUFFIXES.items() if output_format in formats]
    return [*suffixes, *(f"or {name}:FILE" for name in NAMED if name in formats)]


def _save_failure(session: Session, outs: tuple[Out, ...], error: BioSyncError) -> None:
    from bio_sync.commands.failing import save_failure  # noqa: PLC0415 - rarely needed

    save_failure(session, outs, error)


def _outs(outs: tuple[Out, ...]) -> tuple[Out, ...]:
    from pathlib import Path  # noqa: PLC0415 - 4 ms that `--help` does not need

    places = [Path(out.path).resolve() for out in outs]
    for out, place in zip(outs, places, strict=True):
        # A pipe or /dev/null takes more than one.
        if places.count(place) > 1 and (place.is_file() or not place.exists()):
            raise click.UsageError(f"{visible(out.path)} is named by more than one --out.")
    return outs


def _out(value: str, formats: Sequence[str]) -> Out:
    name, colon, path = value.partition(":")
    if colon and path and name in NAMED and name in formats:
        return Out(path, name)
    output_format = SUFFIXES.get(os.path.splitext(value)[1].lower())  # noqa: PTH122 - pathlib, as above
    if output_format not in formats:
        known = ", ".join(_endings(formats))
        raise click.UsageError(f"--out {visible(value)}: the suffix chooses the form: {known}")
    return Out(value, str(output_format))


def _none_empty(_: click.Context, __: click.Parameter, paths: tuple[str, ...]) -> tuple[str, ...]:
    if "" in paths:
        raise click.BadParameter("it is empty: is a variable unset?")
    return paths


paths_argument = click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(), callback=_none_empty)
files_argument = click.argument(
    "paths", metavar="FILE...", nargs=-1, type=click.Path(), callback=_none_empty, required=True
)
