"""GitHub's workflow commands: lines of a log that its runner obeys, written so that it obeys no other.

The rules are those of the runner's own source (actions/runner: ActionCommand.cs, ActionCommandManager.cs,
FileCommandManager.cs). Randomness comes in as an argument, so that all of this is a matter of text.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bio_sync.visible import plural, visible

# GitHub shows ten errors, ten warnings and ten notices of a step and drops the rest in silence: the tenth is for
# saying how many there are (actions/toolkit, docs/problem-matchers.md, "Limitations").
MOST_OF_A_KIND = 9
# GitHub drops a job summary of more than 1 MiB a step, all of it, and the step stays green (docs.github.com, "Workflow
# commands": "Step isolation and limits").
MOST_SUMMARY_BYTES = 1024 * 1024
# Hexadecimal digits of 128 bits.
LEAST_RANDOM = 32
_NAME = re.compile(r"[A-Za-z0-9_-]+")

Kind = Literal["error", "warning", "notice"]


@dataclass(frozen=True, slots=True)
class Annotation:
    """What GitHub shows at a line of a file, or at the run when there is no `file`.

    `file` is the path from the root of the repository, with `/`; `line` and `column` count from 1.
    """

    kind: Kind
    message: str
    title: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None


def command(name: str, message: str = "", **properties: str | int | None) -> str:
    r"""Write one command, a line with its end; the runner reads exactly `message` and `properties` from it.

    What does not show is written as an escape, but for the line ends of a message, and those of a property. Properties
    that are empty or None are left out; a value that begins with `=` begins with `\x3d`, since the runner would drop
    the sign. Raises ValueError for a name that is none.
    """
    if not all(map(_NAME.fullmatch, (name, *properties))):
        raise ValueError("no name of a command or of a property")
    pairs = [f"{key}={_property(str(value))}" for key, value in properties.items() if value not in {None, ""}]
    return f"::{name}{' ' if pairs else ''}{','.join(pairs)}::{_data(message)}\n"


def annotations(wanted: Sequence[Annotation], *, more: str) -> str:
    """Write annotations, nine of a kind at most; a tenth says how many there are besides, and `more` where."""
    shown, left = divided(wanted)
    lines = [
        command(each.kind, each.message, file=each.file, line=each.line, col=each.column, title=each.title)
        for each in shown
    ]
    for kind, count in Counter(each.kind for each in left).items():
        lines.append(command(kind, f"and {plural(count, f'more {kind}')}: {more}"))
    return "".join(lines)


def divided(wanted: Sequence[Annotation]) -> tuple[list[Annotation], list[Annotation]]:
    """Give the annotations that GitHub would show, and those beyond, both in their order."""
    shown: list[Annotation] = []
    left: list[Annotation] = []
    seen: Counter[Kind] = Counter()
    for each in wanted:
        seen[each.kind] += 1
        (shown if seen[each.kind] <= MOST_OF_A_KIND else left).append(each)
    return shown, left


def output_lines(name: str, value: str, delimiter: str) -> str:
    """Write an output of a step as `$GITHUB_OUTPUT` takes it; `$GITHUB_ENV` and `$GITHUB_STATE` take the same.

    `delimiter` is random, 32 hexadecimal digits or more. Raises ValueError for one that is shorter, or that stands in
    the value, and for a name that is none.
    """
    if not _NAME.fullmatch(name):
        raise ValueError("no name of an output")
    if len(delimiter) < LEAST_RANDOM or not _NAME.fullmatch(delimiter) or delimiter.lower() in value.lower():
        raise ValueError("a delimiter has to be random, and to stand nowhere in the value")
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _data(text: str) -> str:
    lines = "\n".join(map(visible, text.split("\n")))
    return lines.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    shown = re.sub(r"[^\r\n]+", lambda found: visible(found.group()), text)
    # The runner splits `a==b` and drops what is empty, and trims the end of the last value.
    shown = re.sub(r"^=| +\Z", lambda found: "".join(f"\\x{ord(sign):02x}" for sign in found.group()), shown)
    return re.sub(r"[%\r\n:,]", lambda found: f"%{ord(found.group()):02X}", shown)
