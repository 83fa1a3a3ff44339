"""Files that are written whole or not at all: a full disk or a kill never leaves half of one."""

import os
import stat
from pathlib import Path

from bio_sync.errors import NotWritten
from bio_sync.visible import cause_of, visible


def write_whole(path: str, text: str) -> None:
    """Write a text as UTF-8: beside its place first, then renamed; raises NotWritten if it can't be."""
    try:
        _replace(Path(path), text)
    except OSError as error:
        why = cause_of(error)
        raise NotWritten(f"{visible(path)} can't be written: {why}", hint="check the folder and the disk") from None


def _replace(target: Path, text: str) -> None:
    if target.exists() and not target.is_file():
        # A pipe or /dev/stdout has no beside.
        target.write_text(text, encoding="utf-8")
        return
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    # A run that was killed may have left one; in a container every run has the same number.
    beside.unlink(missing_ok=True)
    try:
        # Line ends are written as they are: a file edited on Windows keeps its own.
        with beside.open("x", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            beside.chmod(stat.S_IMODE(target.stat().st_mode))
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
