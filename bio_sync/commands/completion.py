"""What a shell completes after `bio-sync` and Tab; click answers it, before anything of ours is run.

A line in the shell's own settings turns it on: in bash `eval "$(_BIO_SYNC_COMPLETE=bash_source bio-sync)"`, in zsh the
same with `zsh_source`, after `compinit`, in fish `_BIO_SYNC_COMPLETE=fish_source bio-sync | source`.
"""

from typing import TYPE_CHECKING

import click
from click.types import StringParamType

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# The words that stand for a place on the disk in the help, and what a shell offers for them. A click.Path needs none.
PLACES = {"FILE": "file", "FILE|-": "file", "PLAN.json": "file", "DIR": "dir"}


class Place(StringParamType):
    """A path as it was typed, which the shell completes; `kind` is `file` (folders too) or `dir`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's form
        param: click.Parameter,  # noqa: ARG002 - likewise
        incomplete: str,
    ) -> "list[CompletionItem]":
        """Leave it to the shell, which knows its own ways to quote a name."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only when a shell asks

        return [CompletionItem(incomplete, type=self.kind)]


def complete_places(command: click.Command) -> None:
    """Let a shell complete each option and argument whose word in the help stands for a place."""
    for parameter in command.params:
        if parameter.metavar in PLACES and isinstance(parameter.type, StringParamType):
            parameter.type = Place(PLACES[parameter.metavar])
