"""The line by which an editor finds the schema of a page file: put at the top of a file that has none."""

import re
from pathlib import Path

from bio_sync.config import Config
from bio_sync.schemafiles import schema_beside
from bio_sync.yamlplaces import line_end
from bio_sync.yamltext import MOST_BYTES

# As yaml-language-server reads it (modelineUtil, 1.25), and the editors of JetBrains: `# $schema: …`.
_IS_THERE = re.compile(r"^#\s*(?:yaml-language-server\s*:|\$schema:)", re.MULTILINE)


def modeline(file: Path, config: Config) -> str:
    """Give the modeline for a page file, without a line end; nothing when the schema is not in the repository.

    The path is from the folder of the file, as editors take it. A file of somebody's own never gets a web address:
    the editor would ask there.
    """
    path = schema_beside(file.parent, config.folder)
    return f"# yaml-language-server: $schema={path}" if path else ""


def with_modeline(text: str, line: str) -> str:
    """Put a modeline above all else in a text; JSON, a text that has one and one that has no room stay as they are."""
    start = text.removeprefix("\ufeff")
    if not line or _IS_THERE.search(start) or start.lstrip().startswith("{"):
        return text
    mark = text[: len(text) - len(start)]
    whole = f"{mark}{line}{line_end(start)}{start}"
    return whole if len(whole.encode("utf-8")) <= MOST_BYTES else text
