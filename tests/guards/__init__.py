"""What an apply refuses, and the form of a refusal; the checks that both test files here share."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bio_sync.sandbox import Sandbox
from tests.conftest import Result

WORDS = ("applied", "unchanged", "failed", "unknown", "skipped")
Expected = Mapping[str, tuple[str, str | None]]


def write_pages(folder: Path, files: Mapping[str, str]) -> None:
    (folder / "pages").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / "pages" / f"{name}.yaml").write_text(text, encoding="utf-8")


def writes(sandbox: Sandbox) -> list[str]:
    return [f"{call.method} {call.path.removeprefix('/api/v1/bio/pages/')}" for call in sandbox.requests if call.body]


def nothing_written(sandbox: Sandbox) -> bool:
    return {call.method for call in sandbox.requests} <= {"GET"}


def safe_to_look_at(text: str) -> bool:
    """Tell whether no character acts on a terminal, and no line on a CI runner."""
    lines = text.split("\n")
    return all(line.isprintable() and "##[" not in line and not line.startswith("::") for line in lines)


def check_text(result: Result, *, error: str, hint: str) -> None:
    """Hold a refusal in text form to the contract: two lines on standard error, and no third."""
    assert result.code == 1
    assert result.err == f"error: {error}\nhint: {hint}\n"
    assert safe_to_look_at(result.out)
    assert safe_to_look_at(result.err)


def check_json(sandbox: Sandbox, result: Result, *, reason: str | None, pages: Expected) -> dict[str, Any]:
    """Hold a refusal in JSON form to the contract, member by member; `pages` are outcome and reason by file."""
    assert result.code == 1
    document: dict[str, Any] = json.loads(result.out)
    assert list(document) == ["format_version", "error", "exit_code", "outcomes", "summary", "api"]
    assert (document["format_version"], document["exit_code"]) == ("1.0", 1)
    error = document["error"]
    assert list(error) == ["message", "hint", "reason", "request_id"]
    assert error["message"]
    assert error["hint"]
    assert (error["reason"], error["request_id"]) == (reason, None)
    assert f"error: {error['message']}\n" in result.err
    check_outcomes(document, pages)
    left = sandbox.behaviour.monthly_limit - len(sandbox.calls)
    assert document["api"] == {"calls": document["api"]["calls"], "quota_remaining": left}
    return document


def check_outcomes(document: dict[str, Any], pages: Expected) -> None:
    """Hold the outcomes of an apply to the contract: one for each page, in the order of files, and counted."""
    for outcome in document["outcomes"]:
        assert list(outcome) == ["page_id", "file", "outcome", "actions", "reason", "message", "request_id"]
        assert outcome["page_id"].startswith("bio_")
        assert set(outcome["actions"]) <= {"update", "publish", "unpublish"}
        assert bool(outcome["actions"]) == (outcome["outcome"] in {"applied", "skipped", "unknown"})
        assert bool(outcome["message"]) == (outcome["outcome"] in {"failed", "skipped", "unknown"})
        assert outcome["outcome"] == "applied" or outcome["request_id"] is None
    found = {each["file"]: (each["outcome"], each["reason"]) for each in document["outcomes"]}
    assert found == {f"pages/{name}.yaml": outcome for name, outcome in pages.items()}
    assert [each["file"] for each in document["outcomes"]] == sorted(found)
    words = [each["outcome"] for each in document["outcomes"]]
    assert document["summary"] == {word: words.count(word) for word in WORDS}
