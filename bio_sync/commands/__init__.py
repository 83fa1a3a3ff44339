"""The commands, one module each: parse, call the verb, show what it gives.

Heavy imports stand inside the commands, and the commands themselves are loaded when they are asked for: `--help` and
`--version` load nothing but click.
"""

from bio_sync.commands.group import commands

__all__ = ["commands"]
