"""What GitHub's runner makes of a step's output and of the files that it has written: after its source, not ours.

actions/runner: ActionCommand.cs (TryParseV2, TryParse), ActionCommandManager.cs (stop-commands), FileCommandManager.cs.
"""

from dataclasses import dataclass, field
from pathlib import Path

from tests.readers import Command, lines_of, runner_v1, runner_v2

COMMANDS = frozenset(
    [
        *("add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice"),
        *("remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning"),
    ]
)
MOST_SUMMARY_BYTES = 1024 * 1024


@dataclass
class Log:
    """The log of a job: `text` as people see it, `obeyed` the commands that were carried out, in order."""

    masks: list[str] = field(default_factory=list)
    text: str = ""
    obeyed: list[Command] = field(default_factory=list)
    raw: str = ""

    def read(self, output: str) -> None:
        """Read one stream of a step; commands that were stopped in it begin again with the next one."""
        self.raw += output
        token = ""
        for line in lines_of(output):
            known = {token} if token else COMMANDS
            # What the one form does not know is read in the other.
            read = (runner_v2(line), runner_v1(line))
            command = next((each for each in read if each and each.name.lower() in known), None)
            if command is None:
                self.text += f"{self.masked(line)}\n"
            else:
                token = "" if token else self._obey(command)
        self.text += f"(the log was left stopped: {token})\n" if token else ""

    def _obey(self, command: Command) -> str:
        self.obeyed.append(command)
        if command.name == "add-mask":
            self.masks.append(command.data)
        elif command.name != "stop-commands":
            self.text += f"{command.name}: {self.masked(command.data)}\n"
        return command.data.lower() if command.name == "stop-commands" else ""

    def masked(self, text: str) -> str:
        for mask in filter(None, self.masks):
            text = text.replace(mask, "***")
        return text

    def annotations(self, *levels: str) -> list[Command]:
        """The commands that GitHub shows beside the files; all of them, though it would show ten of a kind a step."""
        return [command for command in self.obeyed if command.name in (levels or ("error", "warning", "notice"))]


def obeyed(output: str) -> list[Command]:
    """Give what the runner does for an output, in order; what it only shows is not in it."""
    log = Log()
    log.read(output)
    return log.obeyed


def outputs(text: str) -> dict[str, str]:
    """Read the text of `$GITHUB_OUTPUT`; raises ValueError where the runner fails the step."""
    lines = text.split("\n")
    found: dict[str, str] = {}
    while lines:
        line = lines.pop(0)
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            found[line[:equals]] = line[equals + 1 :]
            continue
        name, sign, delimiter = line.partition("<<")
        if not (name and sign and delimiter) or delimiter not in lines:
            raise ValueError(line)
        end = lines.index(delimiter)
        found[name] = "\n".join(lines[:end])
        lines = lines[end + 1 :]
    return found


def read_pairs(path: Path) -> dict[str, str]:
    """Read $GITHUB_OUTPUT as the runner does; raises ValueError where that fails the step."""
    return outputs(path.read_text(encoding="utf-8"))


def read_summary(path: Path) -> str:
    """Read $GITHUB_STEP_SUMMARY: what is over a mebibyte is dropped whole."""
    text = path.read_bytes()
    return text.decode("utf-8") if len(text) <= MOST_SUMMARY_BYTES else ""
