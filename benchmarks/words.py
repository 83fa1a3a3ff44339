"""What programs say of a failure, as it can stand in a table that everybody may read."""

import re

# A path from the root, not the one of an address: only its last name is kept.
_PATH = re.compile(r"(?<![\w:/.~-])/(?:[^\s/'\"`,;:()<>]+/)+")


def without_paths(text: str) -> str:
    """Leave only the last name of each path: where somebody keeps their files is nobody's business."""
    return _PATH.sub("", text)


def last_line(text: str) -> str:
    """Give the last line that says anything and is no hint, without paths: programs say the cause at the end."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith("hint: ")] or ["no reason was given"]
    return without_paths(said[-1].removeprefix("ERROR: "))
