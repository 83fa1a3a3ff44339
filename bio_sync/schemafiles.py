"""Where the JSON Schemas, the examples and the templates lie: in the installed package, or beside it in a checkout."""

import os
import re
from pathlib import Path

SCHEMAS = ("page", "config", "plan")
# Where a page repository keeps those that its editors read: `init` and `schema --write schemas` put them there.
PAGE_SCHEMA, CONFIG_SCHEMA = "schemas/page.schema.json", "schemas/config.schema.json"
# In a line for editors the address ends at the first space, and `%` and `#` mean something in it; a line end would end
# the comment.
_PLAIN = re.compile(r"[\w./@+-]+")


def schema_text(name: str) -> str:
    """Give the text of a schema, one of SCHEMAS."""
    return (shipped("schemas") / f"{name}.schema.json").read_text(encoding="utf-8")


def shipped(folder: str) -> Path:
    """Give the path of a folder that ships with bio-sync, `schemas`, `examples` or `templates`.

    A wheel holds it inside the package; an editable install does not see it there.
    """
    packaged = Path(__file__).parent / folder
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / folder


def schema_beside(folder: Path, repository: Path) -> str:
    """Give the path from `folder` to a repository's own schema of page files, for the line that editors read.

    Empty when the schema is not there, or when its path can't stand in that line.
    """
    schema = Path(os.path.realpath(repository)) / PAGE_SCHEMA
    if not schema.is_file():
        return ""
    path = os.path.relpath(schema, os.path.realpath(folder)).replace(os.sep, "/")
    return path if _PLAIN.fullmatch(path) else ""
