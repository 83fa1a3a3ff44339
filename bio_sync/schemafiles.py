"""Where the JSON Schemas and the examples lie: in the installed package, or beside it in a checkout."""

from importlib.resources import files
from pathlib import Path

SCHEMAS = ("page", "config", "plan")


def schema_text(name: str) -> str:
    """Give the text of a schema, one of SCHEMAS."""
    return (shipped("schemas") / f"{name}.schema.json").read_text(encoding="utf-8")


def shipped(folder: str) -> Path:
    """Give the path of a folder that ships with bio-sync, `schemas` or `examples`.

    A wheel holds it inside the package; an editable install does not see it there.
    """
    packaged = Path(str(files("bio_sync"))) / folder
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / folder
