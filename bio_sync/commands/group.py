"""The command `bio-sync` itself, and what its commands are made with."""

from collections.abc import Callable
from typing import Any

import click

from bio_sync import __version__
from bio_sync.options import Session, everywhere

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=HELP, invoke_without_command=True)
@everywhere
@click.version_option(__version__, "--version", message="bio-sync %(version)s")
@click.pass_context
def commands(context: click.Context) -> None:
    """Pages-as-code for link-in-bio pages: YAML files in git, a plan to review, and an apply that writes only
    what differs.

    \b
    Begin with:
      bio-sync demo                     the whole job on a local service, nothing to set up
      bio-sync validate pages/          check the files; no network, no key
      bio-sync plan                     what would change, and for whom
      bio-sync apply                    show it, ask, write it

    \b
    Exit codes: 0 done; 1 failed, nothing written; 2 changes pending (plan --detailed-exitcode);
    3 apply incomplete; 64 wrong usage; 130 interrupted; 143 terminated.
    """  # noqa: D205, D301 - click's own marks
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def command(name: str, *, example: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command with the common options, its session, and an example at the end of its help."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        epilog = f"\b\nExample:\n  {example}"
        return commands.command(name, epilog=epilog, context_settings=HELP)(everywhere(click.pass_obj(function)))

    return decorate


def format_option(*formats: str) -> Callable[[Any], Any]:
    """Make the option `--format`, the first of `formats` being the default; the session remembers it."""

    def remember(context: click.Context, _: click.Parameter, value: str) -> str:
        session: Session = context.ensure_object(Session)
        session.output_format, session.command = value, context.info_name or ""
        return value

    # Eager, so that a failure in any later option already knows how to show itself.
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        callback=remember,
        is_eager=True,
        help="Form of the result.",
    )


def _none_empty(_: click.Context, __: click.Parameter, paths: tuple[str, ...]) -> tuple[str, ...]:
    if "" in paths:
        raise click.BadParameter("it is empty: is a variable unset?")
    return paths


paths_argument = click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(), callback=_none_empty)
