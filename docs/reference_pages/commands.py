"""commands.md: what click knows of each command, and what it does not."""

import re
from collections.abc import Iterator

import click

from bio_sync.commands import commands
from bio_sync.options import everywhere
from reference_pages.environment import environment
from reference_pages.facts import DEFAULTS, FACTS, Facts
from reference_pages.writing import MADE, code, codes, fenced, first_sentence, marked_up, table

INTRODUCTION = """# Commands

Every command is `bio-sync COMMAND`, or `python -m bio_sync COMMAND`. What it was asked for is on standard output, and
nothing else; talk, warnings and errors are on standard error. Options may stand before and after arguments; `--` ends
them.

"""
EVERYWHERE = """## Options of every command

They may stand before the command, too; behind it, they are the stronger.

"""
SINGLE = """`-h` and `--help` show the help of a command, and `bio-sync --version` says which bio-sync this is.

Three more exit codes are every command's: 64 for wrong usage, 130 for Ctrl-C, 143 for SIGTERM
([exit codes](exit-codes.md)).

"""
# `[env: NAME; default: VALUE]` at the end of an option's help.
_BRACKET = re.compile(r"\s*\[(?:env: ([^;\]]+)(?:; or [^\]]*?([A-Z_]+))?)?(?:; )?(?:default: (.+))?\]$")
_HEAD = ("option", "meaning", "default", "environment")


def commands_page() -> str:
    """Write commands.md."""
    every = commands.everything()
    rows = [
        (f"[`{name}`](#{name})", marked_up(first_sentence(each.help or ""))) for name, each in sorted(every.items())
    ]
    shared = [parameter for parameter in _bare().params if isinstance(parameter, click.Option)]
    parts = (_section(name, each, {option.name for option in shared}) for name, each in sorted(every.items()))
    return (
        f"{MADE}{INTRODUCTION}{table(('command', 'what it does'), rows)}"
        f"{EVERYWHERE}{_options(shared)}{SINGLE}{''.join(parts)}{environment()}"
    ).rstrip() + "\n"


def _bare() -> click.Command:
    """Give a command that has nothing but the options that all have."""
    return click.command("bare")(everywhere(lambda: None))


def _section(name: str, command: click.Command, shared: set[str | None]) -> str:
    facts = FACTS[name]
    context = click.Context(command, info_name=f"bio-sync {name}")
    usage = " ".join((f"bio-sync {name}", *command.collect_usage_pieces(context)))
    options = [each for each in command.params if isinstance(each, click.Option) and each.name not in shared]
    return (
        f"## {name}\n\n{fenced(usage, 'text')}{_words(command.help or '')}"
        f"{table(('argument', 'meaning'), _arguments(command, facts)) if facts.arguments else ''}"
        f"{_options(options) if options else ''}{_facts(facts)}"
        f"Example:\n\n{fenced(_example(command), 'sh')}"
    )


def _words(text: str) -> str:
    """Give the paragraphs of a help text."""
    return "".join(f"{marked_up(' '.join(part.split()))}\n\n" for part in re.split(r"\n\s*\n", text.strip()))


def _example(command: click.Command) -> str:
    return (command.epilog or "").partition("Example:")[2].strip()


def _arguments(command: click.Command, facts: Facts) -> Iterator[tuple[str, str]]:
    """Give the rows of the arguments; raises KeyError for one that nothing is said of."""
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            name = (parameter.metavar or "").replace("...", "").strip("[]")
            yield code(name), facts.arguments[name]


def _facts(facts: Facts) -> str:
    exits = "".join(f"  - {code(str(number))}: {words}\n" for number, words in facts.codes.items())
    return f"- Asks xQR: {facts.calls}\n- Writes: {facts.writes}\n- Needs: {facts.needs}\n- Exit codes:\n{exits}\n"


def _options(options: list[click.Option]) -> str:
    return table(_HEAD, map(_row, options))


def _row(option: click.Option) -> tuple[str, str, str, str]:
    """Give the row of an option; its help says the default and the variable in brackets at the end."""
    told = option.help or ""
    bracket = _BRACKET.search(told)
    variable, other, default = bracket.groups() if bracket else (None, None, None)
    words = told[: bracket.start()] if bracket else told
    names = ", ".join(code(f"{name}{_value(option)}") for name in option.opts)
    variables = ", ".join(map(code, filter(None, (*(variable or "").split(", "), other))))
    return names, _meaning(option, words), _default(option, default), variables


def _value(option: click.Option) -> str:
    """Give what stands behind the name of an option."""
    if option.is_flag or option.count:
        return ""
    return f" {option.metavar or ('FORM' if option.name == 'output_format' else 'WORD')}"


def _meaning(option: click.Option, words: str) -> str:
    kind, said = option.type, [marked_up(words)] if words else []
    if isinstance(kind, click.Choice):
        said.append(f"One of {codes(kind.choices)}.")
    if isinstance(kind, click.IntRange | click.FloatRange) and not option.count:
        said.append(_range(kind))
    if option.count:
        said.append("May be repeated.")
    return " ".join(said)


def _range(kind: click.IntRange | click.FloatRange) -> str:
    if kind.max is None:
        return f"At least {kind.min}."
    return f"Takes {'more than ' if kind.min_open else ''}{kind.min} to {kind.max:,}."


def _default(option: click.Option, told: str | None) -> str:
    if own := DEFAULTS.get(option.opts[0]):
        return own
    if option.show_default:
        return code(str(option.default))
    # One word is a value, and more are a sentence of ours.
    return code(told) if told and " " not in told else marked_up(told or "")
