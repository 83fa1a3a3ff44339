"""`bio-sync matrix`: the workspaces of a repository, for a CI system to spread over its runners."""

import click

from bio_sync.commands.group import command, format_option
from bio_sync.options import Session
from bio_sync.visible import and_more, plural, shortened

MOST_NAMED = 20


@command("matrix", example="bio-sync matrix --base origin/main")
@click.argument("folders", metavar="[DIR]...", nargs=-1, type=click.Path())
@format_option("json", "github", "gitlab")
@click.option("--base", metavar="REV", help="Only workspaces whose own files differ from this commit.")
def matrix(session: Session, *, folders: tuple[str, ...], base: str | None) -> int:
    """List the workspaces of a repository for CI: a job and a key each. No network, no key.

    A workspace is a folder with a bio-sync.yaml of its own; DIRs are folders to look for them in. The result is one
    line of JSON for a matrix, for --format github the lines `matrix=…` and `count=…` to append to $GITHUB_OUTPUT, for
    --format gitlab a whole child pipeline.
    """
    # The other forms go into a file that a CI system reads: why there are none is for the log.
    session.reported = session.output_format != "json"
    _check(session, folders, base)
    from bio_sync import workspaces  # noqa: PLC0415

    repository = workspaces.find_workspaces(folders)
    chosen, differ = repository.chosen, ""
    comparison = workspaces.compare(repository, base) if base is not None else None
    if comparison:
        chosen = comparison.workspaces
        differ = f" of {len(repository.chosen):,} differ{'s' if len(chosen) == 1 else ''} from {shortened(base or '')}"
    forms = {
        "json": lambda: workspaces.matrix_line(chosen) + "\n",
        "github": lambda: workspaces.github_outputs(chosen),
        "gitlab": lambda: workspaces.gitlab_pipeline(chosen, base=comparison.commit if comparison else None),
    }
    session.terminal.result(forms[session.output_format]())
    names = ", ".join(workspace.name for workspace in chosen[:MOST_NAMED]) + and_more(len(chosen) - MOST_NAMED)
    count = f"{len(chosen):,}{differ}" if differ else plural(len(chosen), "workspace")
    session.terminal.say(f"{count}{': ' if names else ''}{names}")
    for note in comparison.notes if comparison else ():
        session.terminal.say(f"note: {note}")
    return 0


def _check(session: Session, folders: tuple[str, ...], base: str | None) -> None:
    """Refuse what means nothing; raises click.UsageError."""
    if base == "" or "" in folders:
        raise click.UsageError(f"{'--base' if base == '' else 'a DIR'} is empty: is a variable unset?")
    if session.config is not None:
        raise click.UsageError("--config has no meaning here: every workspace has a bio-sync.yaml of its own.")
