"""`bio-sync schema`, `sandbox` and `demo`: what needs no service."""

from pathlib import Path

import click

from bio_sync.commands.group import command
from bio_sync.commands.output import make_folder
from bio_sync.options import Session
from bio_sync.visible import visible


@command("schema", example="bio-sync schema --write schemas/")
@click.argument("name", metavar="[page|config|plan]", type=click.Choice(("page", "config", "plan")), required=False)
@click.option("--write", "folder", metavar="DIR", help="Write the schema, or all three, into a folder instead.")
def schema(session: Session, name: str | None, folder: str | None) -> None:
    """Print a JSON Schema. It is that of page files, of bio-sync.yaml, or of a saved plan."""
    from bio_sync.schemafiles import SCHEMAS, schema_text  # noqa: PLC0415

    if folder is None:
        session.terminal.result(schema_text(name or "page"))
        return
    for each in (name,) if name else SCHEMAS:
        path = Path(folder) / f"{each}.schema.json"
        make_folder(path.parent, hint="name another one: --write DIR")
        session.terminal.save(str(path), schema_text(each))
        session.terminal.result(f"{visible(str(path))}\n")


@command("sandbox", example="bio-sync sandbox --port 8787 --seed examples/live")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Port. [default: any free one]")
@click.option("--db", "database", metavar="FILE", help="Keep the workspace in this file. [default: in memory]")
@click.option("--seed", "folder", metavar="DIR", help="Begin with the pages of this folder, a JSON file each.")
@click.option(
    "--faults", metavar="FILE", help="Let requests fail as this JSON file says; docs/how-to/sandbox.md tells how."
)
def sandbox(session: Session, port: int, database: str | None, folder: str | None, faults: str | None) -> None:
    """Run a local xQR on this machine, to try things on. Ctrl-C ends it."""
    from bio_sync.rehearsal import serve  # noqa: PLC0415

    serve(session.terminal, port=port, database=database, seed=folder, faults=faults)


@command("demo", example="bio-sync demo")
def demo(session: Session) -> int:
    """Show the main job from start to end on a local xQR."""
    from bio_sync.rehearsal import demonstrate  # noqa: PLC0415

    return demonstrate(session.terminal)
