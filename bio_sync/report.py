"""Problems, outcomes and failures in the words of a terminal and as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import cast

from bio_sync.applying.outcomes import Outcome, Report, held_back
from bio_sync.errors import BioSyncError, InvalidFiles, ServiceError
from bio_sync.jsonvalues import Json, JsonObject, json_text
from bio_sync.pages import MOST_OF_A_POINTER, PageFiles
from bio_sync.planning import Plan
from bio_sync.problems import Problem
from bio_sync.visible import calls_used, shortened, tally, visible

FORMAT_VERSION = "1.0"


def problem_text(problem: Problem) -> str:
    """Write a problem as `file:line:column: pointer: message`, and its hint on a line of its own."""
    pointer = f"{shortened(problem.pointer, MOST_OF_A_POINTER)}: " if problem.pointer else ""
    hint = f"  hint: {problem.hint}\n" if problem.hint else ""
    return f"{problem.file}:{problem.line}:{problem.column}: {pointer}{problem.message}\n{hint}"


def problems_json(files: PageFiles) -> str:
    """Write the problems and warnings of page files as JSON."""
    return as_text(
        {
            "problems": _problems(files.problems),
            "warnings": _problems(files.warnings),
            "files": files.files,
        }
    )


def problem_of(value: Json) -> Problem | None:
    """Read a problem from JSON, made visible once more since it comes from a file; None for what is none."""
    if not isinstance(value, dict):
        return None
    file, pointer, message, hint, rule = (
        visible(text) if isinstance(text := value.get(name), str) else ""
        for name in ("file", "pointer", "message", "hint", "rule")
    )
    line, column = value.get("line"), value.get("column")
    if not message or not isinstance(line, int) or not isinstance(column, int):
        return None
    return Problem(file, line, column, pointer, message, hint, rule)


def outcome_text(outcome: Outcome) -> str:
    """Write an outcome on one line: what became of the page, its file, and why."""
    done = ", ".join(outcome.actions) if outcome.outcome == "applied" or not outcome.message else ""
    words = f"  {'; '.join(filter(None, (done, visible(outcome.message))))}"
    request = f" (request {visible(outcome.request_id)})" if outcome.request_id and outcome.message else ""
    return f"{outcome.outcome:<9}  {visible(outcome.file)}{words}{request}\n"


def summary_text(pages: Mapping[str, int], *, calls: int, quota_remaining: int | None) -> str:
    """Say in one sentence what became of all pages, counted by outcome, and what it cost."""
    return f"Pages: {tally(pages)}. API: {calls_used(calls, quota_remaining)}.\n"


def report_json(report: Report, *, calls: int, quota_remaining: int | None, journal: str | None = None) -> JsonObject:
    """Give the report of an apply as JSON: outcomes, counts, calls, its journal, and the code that it exits with."""
    return {
        "outcomes": _outcomes(report),
        "summary": cast("JsonObject", report.summary),
        "api": {"calls": calls, "quota_remaining": quota_remaining},
        "journal": journal,
        "exit_code": report.exit_code,
    }


def failure_json(
    error: BioSyncError, command: str, plan: Plan | None = None, *, calls: int, quota_remaining: int | None
) -> JsonObject:
    """Give a failure as JSON: what went wrong and the way out, with the members that the command's result has.

    `plan` is the one that an apply has refused to carry out; its pages have outcomes all the same.
    """
    result: JsonObject = {
        "error": {
            "message": error.message,
            "hint": error.hint,
            "reason": error.reason,
            "request_id": error.request_id if isinstance(error, ServiceError) else None,
        },
        "exit_code": error.exit_code,
    }
    if command in {"apply", "undo"}:
        held = held_back(plan, error.reason) if plan else Report(())
        result |= {"outcomes": _outcomes(held), "summary": cast("JsonObject", held.summary)}
    if command != "validate":
        result["api"] = {"calls": calls, "quota_remaining": quota_remaining}
    if command == "doctor":
        result["checks"] = []
    if command == "validate":
        result |= {"problems": [], "warnings": [], "files": 0}
    if isinstance(error, InvalidFiles):
        result["problems"] = _problems(error.problems)
        result["files"] = error.files
    return result


def as_text(document: JsonObject) -> str:
    """Write a JSON object with its format version first, indented, ASCII only."""
    return json_text({"format_version": FORMAT_VERSION, **document})


def _outcomes(report: Report) -> list[Json]:
    return [
        {
            "page_id": outcome.page_id,
            "file": outcome.file,
            "outcome": outcome.outcome,
            "actions": list(outcome.actions),
            "reason": outcome.reason,
            "message": outcome.message,
            "request_id": outcome.request_id,
        }
        for outcome in report.outcomes
    ]


def _problems(problems: Iterable[Problem]) -> list[Json]:
    return [asdict(problem) for problem in problems]
