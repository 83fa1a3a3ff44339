"""What a command did, told in the places that GitHub has for it: outputs, annotations and the summary of a job."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bio_sync import report
from bio_sync.applying.outcomes import OUTCOMES, Outcome, Report, Word
from bio_sync.errors import INCOMPLETE
from bio_sync.jsonvalues import Json, JsonObject, member
from bio_sync.problems import Problem
from bio_sync.render import markdown
from bio_sync.reporters.findings import Finding, path_from_root
from bio_sync.reporters.github import annotation_of
from bio_sync.reporters.rules import Level
from bio_sync.visible import plural, visible
from bio_sync.workflowcommands import Annotation

if TYPE_CHECKING:
    from bio_sync.action.carrying import Done

COUNTS = ("pages", "update", "publish", "unpublish", "unchanged", "gone")
MOST_LINES_BYTES = 50_000
# What can be done about a failure on GitHub, besides what its hint says; by reason.
WAYS_OUT = {
    "stale": "the live pages or the files have moved since the plan was reviewed: open a pull request that shows a new"
    " plan, or run this workflow by hand, which plans afresh and writes",
    "unsafe": "if it is meant, run this workflow by hand, with force",
}


def problems_of(document: JsonObject, kind: str = "problems") -> list[Problem]:
    """Give the problems, or the `warnings`, of files that a result or a failure holds."""
    return list(filter(None, map(report.problem_of, _objects(document.get(kind)))))


def problem_lines(document: JsonObject) -> Iterator[str]:
    """Write what `validate` has found, for the log."""
    for problem in (*problems_of(document), *problems_of(document, "warnings")):
        yield report.problem_text(problem)
    if not document.get("problems") and not document.get("error"):
        yield f"{plural(_number(document.get('files')), 'page file')}, no problems\n"


def outcome_lines(document: JsonObject) -> Iterator[str]:
    """Write what `apply` has done, a line a page but for those that were as wanted, and the sentence under them."""
    outcomes = [_outcome(each) for each in _objects(document.get("outcomes"))]
    yield from (report.outcome_text(outcome) for outcome in outcomes if outcome.outcome != "unchanged")
    if "outcomes" in document and "error" not in document:
        calls, left = _number(member(document, "api", "calls")), member(document, "api", "quota_remaining")
        counts = Report(tuple(outcomes)).summary
        yield report.summary_text(counts, calls=calls, quota_remaining=left if isinstance(left, int) else None)


def outputs_of(done: "Done") -> dict[str, str]:
    """Give the outputs of the action that follow from what the command did, by name."""
    document, summary = done.document, member(done.document, "summary")
    outputs: dict[str, Json] = {name: member(summary, name) for name in COUNTS + OUTCOMES}
    outputs |= {
        "changes": _changes(done),
        "pages": document.get("files") if done.command == "validate" else outputs["pages"],
        "problems": len(problems_of(document)),
        "digest": document.get("digest"),
        "drift": _drift(done),
        "failure-reason": reason_of(done),
        "exit-code": done.code,
    }
    outputs |= {name: str(path) for name, path in done.files.items()}
    words = {name: str(value).lower() if isinstance(value, bool) else value for name, value in outputs.items()}
    return {name: str(value) for name, value in words.items() if value is not None}


def reason_of(done: "Done") -> str:
    """Give the word for why it failed, empty when it did not."""
    if not done.failed:
        return ""
    if reason := done.error.get("reason"):
        return str(reason)
    if done.document.get("problems"):
        return "invalid"
    reasons = [outcome.reason for outcome in map(_outcome, _objects(done.document.get("outcomes"))) if outcome.reason]
    gone = _number(member(done.document, "summary", "gone"))
    return next(iter((*reasons, *(["gone"] if gone else []), *(["drifted"] if _drift(done) else []), "failed")))


def annotations_of(done: "Done", folder: str, environment: Mapping[str, str]) -> list[Annotation]:
    """Give what GitHub shows at the files, whose names in a result are those from `folder`, and at the run."""
    document, title = done.document, f"bio-sync {done.command}"

    def from_root(file: str) -> str:
        return path_from_root(Path(folder) / file, environment)

    def at_lines(level: Level, problems: list[Problem]) -> list[Annotation]:
        return [annotation_of(Finding(problem, level, from_root(problem.file))) for problem in problems]

    found = at_lines("error", problems_of(document))
    for outcome in map(_outcome, _objects(document.get("outcomes"))):
        if outcome.outcome in {"failed", "unknown"}:
            words = f"{outcome.outcome}: {outcome.message}"
            found.append(Annotation("error", words, title=title, file=from_root(outcome.file)))
    message, way_out = failure_of(done)
    if message:
        # First, since GitHub shows no more than ten.
        found.insert(0, Annotation("error", with_way_out(message, way_out), title=title))
    found += at_lines("warning", problems_of(document, "warnings"))
    warnings = document.get("warnings")
    told = warnings if isinstance(warnings, list) else []
    return found + [Annotation("warning", each, title=title) for each in told if isinstance(each, str)]


def with_way_out(message: str, way_out: str) -> str:
    """Put a failure and the way out on one line."""
    return f"{message} ({way_out})" if way_out else message


def failure_of(done: "Done") -> tuple[str, str]:
    """Say why it failed, and the way out; both are empty when problems and outcomes say it all."""
    if not done.failed or done.document.get("problems"):
        return "", ""
    message, reason = str(done.error.get("message") or ""), reason_of(done)
    if not message and reason == "drifted":
        message = f"{plural(_drift(done) or 0, 'value')} changed on live pages, and not in git"
    if not message and reason == "gone" and "outcomes" not in done.document:
        message = "page files without a page in this workspace: it was deleted, or the key is another workspace's"
    return message, (WAYS_OUT.get(reason) or str(done.error.get("hint") or "")) if message else ""


def summary_of(done: "Done", *, kept: str = "") -> str:
    """Give Markdown for the summary of the job; `kept` names the artifact that holds the journal of an apply."""
    if done.command in {"plan", "drift"} and done.markdown:
        return done.markdown
    lines = list(problem_lines(done.document) if done.command == "validate" else outcome_lines(done.document))
    text = f"## bio-sync {done.command}\n"
    message, way_out = failure_of(done)
    if message:
        text += f"\n**It failed:** {markdown.span(message)}\n" + (f"\n{markdown.span(way_out)}\n" if way_out else "")
    if problems := done.document.get("problems"):
        text += f"\n**{plural(len(cast('list[Json]', problems)), 'problem')}** in the files.\n"
    told = list(markdown.fitting(lines, MOST_LINES_BYTES))
    text += f"\n{markdown.fenced(''.join(told), 'text')}" if told else ""
    text += f"\nand {len(lines) - len(told):,} more: see the log\n" if len(told) < len(lines) else ""
    if "journal-file" in done.files and kept:
        text += (
            f"\nTo take it back: `bio-sync undo journal.json`, with the file from the artifact {markdown.span(kept)}\n"
        )
    # An apply that was not approved shows what it would have written.
    return f"{text}\n{done.markdown}" if done.markdown else text


def _changes(done: "Done") -> bool | None:
    if done.command == "validate" or (done.error and done.command != "apply"):
        return None
    if done.command == "apply":
        maybe = sum(_number(member(done.document, "summary", word)) for word in ("applied", "unknown"))
        return bool(maybe) or done.code == INCOMPLETE
    return bool(done.document.get("changes")) or bool(_number(member(done.document, "summary", "gone")))


def _drift(done: "Done") -> int | None:
    """Count the values that were changed live and not in git; None where that is not known."""
    steps = [step for change in _objects(done.document.get("changes")) for step in _objects(change.get("operations"))]
    if done.error or done.command not in {"plan", "drift"}:
        return None
    if done.command == "drift":
        return len(steps)
    based = member(done.document, "git", "base") is not None and not done.document.get("offline")
    return sum(step.get("origin") in {"drift", "conflict"} for step in steps) if based else None


def _outcome(document: JsonObject) -> Outcome:
    return Outcome(
        page_id=str(document.get("page_id")),
        file=str(document.get("file")),
        outcome=cast("Word", document.get("outcome")),
        actions=tuple(map(str, cast("list[Json]", document.get("actions") or []))),
        reason=cast("str | None", document.get("reason")),
        message=visible(str(document.get("message") or "")),
        request_id=cast("str | None", document.get("request_id")),
    )


def _objects(value: Json) -> list[JsonObject]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 0
