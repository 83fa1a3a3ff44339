"""The commands, one module each: parse, call the verb, show what it gives.

Heavy imports stand inside the commands: `--help` and `--version` load nothing but click.
"""

from bio_sync.commands import apply, comment, create, doctor, drift, init, local, matrix, plan, pull, undo, validate
from bio_sync.commands.group import commands

__all__ = [
    "apply",
    "commands",
    "comment",
    "create",
    "doctor",
    "drift",
    "init",
    "local",
    "matrix",
    "plan",
    "pull",
    "undo",
    "validate",
]
