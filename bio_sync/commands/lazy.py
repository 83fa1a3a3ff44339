"""The commands by name, each loaded when it is asked for: to load them all takes longer than to load click."""

from importlib import import_module
from typing import TYPE_CHECKING

import click

from bio_sync.options import Session

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# The module of each command, and the first sentence of its help; a test compares them with the commands themselves.
COMMANDS = {
    "apply": ("apply", "Show the plan, ask, and write it."),
    "comment": ("comment", "Show a saved plan as a comment on the pull request."),
    "create": ("create", "Make a page for each FILE without an id, and put the id into it."),
    "demo": ("local", "Show the main job from start to end on a local xQR."),
    "doctor": ("doctor", "Look at service, key, calls, files, pages and clock."),
    "drift": ("drift", "Show how live pages differ from their files."),
    "init": ("init", "Write the files that a page repository begins with."),
    "issue": (
        "comment",
        "Keep one issue about drift: opened when live pages differ from their files, closed when they don't.",
    ),
    "matrix": ("matrix", "List the workspaces of a repository for CI: a job and a key each."),
    "plan": ("plan", "Show what an apply would change, and for whom."),
    "pull": ("pull", "Take live pages over into page files."),
    "sandbox": ("local", "Run a local xQR on this machine, to try things on."),
    "schema": ("local", "Print a JSON Schema."),
    "show": ("plan", "Show a saved plan again, in any form: no network, no key."),
    "undo": ("undo", "Take back what an apply wrote."),
    "validate": ("validate", "Check page files: no network, no key."),
}


def show_help(context: click.Context) -> None:
    """Print the help of a command on the terminal of its session."""
    context.ensure_object(Session).terminal.result(f"{context.get_help()}\n")


class _Helpful(click.Command):
    """A command whose help takes the way of every result: a full disk is told in words, and the key cut out."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Give click's option with a callback of ours."""
        option = super().get_help_option(ctx)
        if option:
            option.callback = _asked_for_help
        return option


def _asked_for_help(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        show_help(context)
        context.exit()


class LazyCommands(_Helpful, click.Group):
    """A group whose commands register themselves as their modules are loaded, one by one."""

    command_class = _Helpful

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's form
        """Name the commands without loading any."""
        return sorted(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for a slip, click looks for a name that is close among those that are loaded."""
        if args[0] not in COMMANDS:
            self.everything()
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the module of one command."""
        if cmd_name in COMMANDS:
            import_module(f"bio_sync.commands.{COMMANDS[cmd_name][0]}")
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of the group's help, as click would, without loading any."""
        names = self.list_commands(ctx)
        limit = formatter.width - 6 - max(map(len, names))
        with formatter.section("Commands"):
            formatter.write_dl([(name, _in_short(name, limit)) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete a command's name, as click would, without loading any."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only when a shell asks

        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=_in_short(name)) for name in names), *options]

    def everything(self) -> dict[str, click.Command]:
        """Load all commands, and give them by name."""
        for module, _ in COMMANDS.values():
            import_module(f"bio_sync.commands.{module}")
        return dict(self.commands)


def _in_short(name: str, limit: int = 45) -> str:
    """Give the sentence of a command in at most `limit` characters, by default click's own."""
    return click.Command(name, help=COMMANDS[name][1]).get_short_help_str(limit)
