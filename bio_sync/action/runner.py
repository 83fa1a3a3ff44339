"""What GitHub's runner gives a step: a log that it obeys, and files that it reads when the step has ended."""

import contextlib
import json
import secrets
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bio_sync.errors import BioSyncError
from bio_sync.event import read_event
from bio_sync.jsonvalues import JsonObject, parsed
from bio_sync.key import ApiKey
from bio_sync.visible import cause_of
from bio_sync.workflowcommands import MOST_SUMMARY_BYTES, command, output_lines

_TOO_LONG = "\nThe summary of this step holds no more: see its log, and its artifact.\n"


class NotOnGitHub(BioSyncError):
    """What a runner sets is not set."""

    exit_code = 64
    reason = "invalid"


@dataclass(frozen=True, slots=True)
class Runner:
    """The files and the log of one step; `key` is cut out of all that goes there."""

    environment: Mapping[str, str]
    key: ApiKey | None = None

    def check(self) -> None:
        """Miss what a step can't do without before anything is done; raises NotOnGitHub."""
        for name in ("GITHUB_OUTPUT", "RUNNER_TEMP"):
            self._file(name)

    def log(self, text: str) -> None:
        """Write to the log, where a line that is a command is obeyed."""
        sys.stdout.write(self._without_key(text))
        sys.stdout.flush()

    def hide_key(self) -> None:
        """Have the key cut out of the log by the runner, too: one that is no secret of GitHub's is not known to it."""
        if self.key and self.environment.get("GITHUB_ACTIONS") == "true":
            sys.stdout.write(command("add-mask", self.key.header().removeprefix("Bearer ")))
            sys.stdout.flush()

    @contextlib.contextmanager
    def folded(self, title: str) -> Iterator[None]:
        """Fold what is logged meanwhile under a title, and have nothing of it obeyed."""
        token = secrets.token_hex(16)
        self.log(command("group", title) + command("stop-commands", token))
        try:
            yield
        finally:
            self.log(command(token) + command("endgroup"))

    def output(self, name: str, value: str) -> None:
        """Set an output of the step."""
        lines = output_lines(name, self._without_key(value), secrets.token_hex(16))
        self._append(self._file("GITHUB_OUTPUT"), lines)

    def summarise(self, markdown: str) -> None:
        """Append Markdown to the summary of the job, whole or not at all."""
        if not self.environment.get("GITHUB_STEP_SUMMARY"):
            return
        path, text = self._file("GITHUB_STEP_SUMMARY"), self._without_key(markdown)
        written = path.stat().st_size if path.exists() else 0
        # With room for the sentence that takes the place of what comes next.
        size = written + len(f"{text}\n\n{_TOO_LONG}".encode("utf-8", "backslashreplace"))
        self._append(path, f"{text.rstrip()}\n\n" if size <= MOST_SUMMARY_BYTES else _TOO_LONG)

    def new_folder(self) -> Path:
        """Make a folder that no other step uses, and no file of the checkout reaches."""
        return Path(tempfile.mkdtemp(prefix="bio-sync-", dir=self._file("RUNNER_TEMP")))

    def event(self) -> JsonObject:
        """Give what started the run; empty where that can't be read."""
        try:
            return read_event(self.environment.get("GITHUB_EVENT_PATH", ""))
        except (OSError, ValueError):
            return {}

    def _file(self, name: str) -> Path:
        path = self.environment.get(name, "")
        if not path:
            raise NotOnGitHub(f"{name} is not set", hint="this is a part of the GitHub Action; elsewhere: bio-sync")
        return Path(path)

    def _append(self, path: Path, text: str) -> None:
        try:
            with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
                stream.write(text)
        except OSError as error:
            # What was done is done, and its exit code stays.
            self.log(command("warning", f"{path.name} can't be written: {cause_of(error)}"))

    def _without_key(self, text: str) -> str:
        return self.key.redacted(text) if self.key else text


def write_json(path: Path, document: JsonObject) -> None:
    """Write a JSON file."""
    path.write_text(json.dumps(document), encoding="utf-8")


def read_json(path: Path) -> JsonObject:
    """Read a file with a JSON object; an empty one where there is none."""
    try:
        return json_object(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def json_object(text: str) -> JsonObject:
    """Read a JSON object; an empty one where there is none: a run may end before it says anything."""
    try:
        document = parsed(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
