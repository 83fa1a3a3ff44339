"""yaml-language-server for tests, spoken to as an editor does: JSON-RPC over a pipe (LSP 3.17)."""

import json
import queue
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

from tests.conftest import ROOT

NODE = ROOT / "tests" / "node"
SERVER = NODE / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
# Where somebody's cursor is.
CURSOR = "‸"
# The defaults of the extension of Visual Studio Code, but for the two catalogues on the network.
SETTINGS = {
    "validate": True,
    "hover": True,
    "hoverAnchor": True,
    "hoverSchemaSource": True,
    "completion": True,
    "schemaStore": {"enable": False},
    "kubernetesCRDStore": {"enable": False},
}
CAPABILITIES = {
    "textDocument": {
        "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
        "hover": {"contentFormat": ["markdown"]},
    },
    "workspace": {"configuration": True, "workspaceFolders": True},
}
PATIENCE = 30.0


@contextmanager
def editor(workspace: Path, schemas: dict[str, Any]) -> Iterator["Editor"]:
    """Open a folder in an editor whose `yaml.schemas` are those; without the server, the test is skipped."""
    node = shutil.which("node")
    if node is None or not SERVER.is_file():
        pytest.skip("node and tests/node/node_modules are not there: what editors show is not tested")
    command = [node, "--require", str(NODE / "no_network.cjs"), str(SERVER), "--stdio"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        opened = Editor(process, SETTINGS | {"schemas": schemas})
        try:
            opened.begin(workspace)
            yield opened
        finally:
            process.kill()


@dataclass
class Editor:
    """An open editor; `reached` are the lines that say who was reached for on the network."""

    process: subprocess.Popen[bytes]
    settings: dict[str, Any]
    reached: "queue.Queue[str]" = field(default_factory=queue.Queue)
    _answers: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)
    _found: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _asked: int = 0
    _opened: int = 0

    def begin(self, workspace: Path) -> None:
        for target in (self._listen, self._watch):
            threading.Thread(target=target, daemon=True).start()
        folder = {"uri": workspace.as_uri(), "name": workspace.name}
        root = {"processId": None, "rootUri": folder["uri"], "workspaceFolders": [folder]}
        self._request("initialize", {**root, "capabilities": CAPABILITIES})
        self._send({"method": "initialized", "params": {}})

    def complaints(self, path: Path, text: str | None = None) -> list[tuple[int, str]]:
        """Give (line, message) of what is underlined in a file, or in a text that stands for it."""
        return self.all_complaints({path: path.read_text("utf-8") if text is None else text})[path]

    def all_complaints(self, texts: Mapping[Path, str]) -> dict[Path, list[tuple[int, str]]]:
        """Give what is underlined in many texts: the server waits a fifth of a second, for each or for all."""
        opened = {path: self._open(path, text) for path, text in texts.items()}
        while not self._found.keys() >= set(opened.values()):
            self._take()
        return {
            path: [(each["range"]["start"]["line"] + 1, each["message"]) for each in self._found[uri]]
            for path, uri in opened.items()
        }

    def hover(self, path: Path, marked: str) -> str:
        """Give the Markdown that is shown for the word at the cursor; nothing where there is none."""
        answer = self._at_cursor("hover", path, marked)
        return str(answer["contents"]["value"]) if answer else ""

    def offers(self, path: Path, marked: str) -> dict[str, str]:
        """Give what can be chosen at the cursor, by its label: the text as it is once the choice was made."""
        answer = self._at_cursor("completion", path, marked)
        items = answer["items"] if isinstance(answer, dict) else answer or []
        return {item["label"]: _chosen(marked, item) for item in items}

    def _at_cursor(self, method: str, path: Path, marked: str) -> Any:
        before, _, after = marked.partition(CURSOR)
        uri = self._open(path, before + after)
        position = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
        return self._request(f"textDocument/{method}", {"textDocument": {"uri": uri}, "position": position})

    def _open(self, path: Path, text: str) -> str:
        uri = path.as_uri()
        self._send({"method": "textDocument/didClose", "params": {"textDocument": {"uri": uri}}})
        # Answered, by an error, after what closing takes away from the screen.
        self._request("there/is-no-such-method", {})
        self._found.pop(uri, None)
        # What was read of a version is remembered for ever.
        self._opened += 1
        document = {"uri": uri, "languageId": "yaml", "version": self._opened, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        return uri

    def _request(self, method: str, params: dict[str, Any]) -> Any:
        self._asked += 1
        number = self._asked
        self._send({"id": number, "method": method, "params": params})
        while True:
            answer = self._take()
            if "method" not in answer and answer.get("id") == number:
                return answer.get("result")

    def _take(self) -> dict[str, Any]:
        """Take the next message, and answer it as an editor does when it is a question."""
        message = self._answers.get(timeout=PATIENCE)
        match message.get("method"):
            case "textDocument/publishDiagnostics":
                self._found[message["params"]["uri"]] = message["params"]["diagnostics"]
            case "workspace/configuration":
                asked = [each.get("section") for each in message["params"]["items"]]
                result = [self.settings if section == "yaml" else None for section in asked]
                self._send({"id": message["id"], "result": result})
            case str() if "id" in message:
                self._send({"id": message["id"], "result": None})
        return message

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _listen(self) -> None:
        stream = self.process.stdout
        assert stream
        while header := _header(stream):
            self._answers.put(json.loads(stream.read(int(header["content-length"]))))

    def _watch(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.reached.put(line.decode("utf-8").strip())


def _header(stream: IO[bytes]) -> dict[str, str]:
    fields = {}
    while line := stream.readline().decode("ascii").strip():
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip()
    return fields


def _chosen(marked: str, item: dict[str, Any]) -> str:
    """Give the text after a choice, as editors make it: lines indented as the one with the cursor."""
    before, _, after = marked.partition(CURSOR)
    whole, lines = before + after, (before + after).split("\n")
    indent = re.match(r" *", lines[before.count("\n")])
    assert indent
    edit = item.get("textEdit")
    start, end = (_offset(lines, edit["range"][each]) if edit else len(before) for each in ("start", "end"))
    # ${1:a text}, ${1|one,of,these|}, $1 and ${1}: where the cursor stops, with what stands there.
    new = edit["newText"] if edit else item["insertText"]
    new = re.sub(r"\$\{\d+(?::([^}]*)|\|([^,|]*)[^}]*)?\}|\$\d+", r"\1\2", new)
    return whole[:start] + new.replace("\n", "\n" + indent[0]) + whole[end:]


def _offset(lines: list[str], position: dict[str, int]) -> int:
    return sum(len(line) + 1 for line in lines[: position["line"]]) + int(position["character"])
