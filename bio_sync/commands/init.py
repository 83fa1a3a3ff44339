"""`bio-sync init`: the files that a page repository begins with."""

import contextlib
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bio_sync.commands.group import command
from bio_sync.commands.output import make_folder
from bio_sync.commands.pull import live_pages, pull_everything
from bio_sync.commands.service import configuration
from bio_sync.errors import NotWritten
from bio_sync.options import Session
from bio_sync.visible import visible

if TYPE_CHECKING:
    from bio_sync.scaffold import Scaffold, System

_CREATE = (
    "once your title and links are in it: makes the page, which visitors don't see yet, and writes its id\n"
    "      into the file; until then `bio-sync validate` misses the id"
)


@command("init", example="bio-sync init --ci github")
@click.option(
    "--ci",
    "systems",
    type=click.Choice(("github", "gitlab")),
    multiple=True,
    help="Write the jobs that check, plan and apply, too.",
)
@click.option("--from-live", is_flag=True, help="A file for each live page, instead of a first page; needs a key.")
@click.option("--dry-run", is_flag=True, help="Only show what would be written.")
def init(session: Session, *, systems: "tuple[System, ...]", from_live: bool, dry_run: bool) -> int:
    """Write the files that a page repository begins with.

    They are shown first. What is there is kept, always; only .gitignore gets the lines that it misses, at its end.
    """
    from bio_sync.scaffold import plan_scaffold  # noqa: PLC0415

    if session.config is not None:
        raise click.UsageError("init makes the bio-sync.yaml of this folder: --config has no meaning here.")
    if len(set(systems)) > 1:
        raise click.UsageError("--ci names two systems: give one, and run init once more for the other.")
    system = next(iter(systems), None)
    scaffold = plan_scaffold(system=system, from_live=from_live)
    # What fails in asking leaves nothing behind.
    live = live_pages(session, (), everything=True) if from_live and not dry_run else None
    _show(session, scaffold)
    if dry_run:
        session.terminal.say("\nNothing was written: this was a dry run.")
        return 0
    _write(session, scaffold)
    # The folder of the pages may not be there before.
    code = 0 if live is None else pull_everything(session, configuration(session), Path(scaffold.pages), live)
    _show_next(session, scaffold, system, from_live=from_live)
    return code


def _show(session: Session, scaffold: "Scaffold") -> None:
    width = max(len(visible(step.name)) for step in scaffold.steps)
    for step in scaffold.steps:
        session.terminal.result(f"{step.verb:<5}  {visible(step.name):<{width}}  {step.words}\n")
    for step in scaffold.steps:
        if step.advice:
            session.terminal.say(f"\nhint: {step.advice}")


def _write(session: Session, scaffold: "Scaffold") -> None:
    """Write all of the files or none: when one can't be, those of this run are taken away again."""
    made: list[Path] = []
    try:
        for step in scaffold.writes:
            path = Path(step.name)
            _make_folders(path.parent, made)
            if step.verb == "write":
                _check_absent(path)
                made.append(path)
            session.terminal.save(step.name, step.text or "")
    except BaseException:
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise


def _check_absent(path: Path) -> None:
    if os.path.lexists(path):
        raise NotWritten(f"{visible(path.as_posix())} has come up meanwhile", hint="run again: it is kept then")


def _make_folders(folder: Path, made: list[Path]) -> None:
    for place in (*reversed(folder.parents), folder):
        if not place.is_dir():
            make_folder(place, hint="check the folder and the disk")
            made.append(place)


def _show_next(session: Session, scaffold: "Scaffold", system: "System | None", *, from_live: bool) -> None:
    if not scaffold.writes and not from_live:
        session.terminal.say("\nNothing to write: all of it is there already.")
        return
    lines = ["\nNext:"]
    for typed, words in _next_steps(scaffold, system, key_known=from_live):
        lines += [f"  {typed}", f"      {words}"]
    session.terminal.say("\n".join(lines))


def _next_steps(scaffold: "Scaffold", system: "System | None", *, key_known: bool) -> Iterator[tuple[str, str]]:
    """Give what is to be typed, and what it does."""
    if not scaffold.in_git:
        yield "git init", "the history of the pages, by which `bio-sync plan --base` tells whose change it was"
    if not key_known:
        yield "export XQR_API_KEY=…", "a key of your workspace, with the scopes bio:read and bio:write"
    if scaffold.first_page:
        page = shlex.quote(visible(scaffold.first_page))
        yield f"bio-sync create {page}", _CREATE
    yield "bio-sync plan", "what differs between the files and the live pages; `bio-sync apply` writes it"
    if system:
        from bio_sync.scaffold import JOBS  # noqa: PLC0415

        commit = "git add --all && git commit -m 'Pages as code' && git push"
        yield commit, f"once the keys are where the first lines of {JOBS[system]} say"
