"""The second half of the judge: whether what the command said of a run is what happened."""

from typing import Any

from tests.faults import comparison
from tests.faults.evidence import Evidence, Verdict
from tests.faults.oracle import judge_writes

WORDS = ("applied", "unchanged", "failed", "unknown", "skipped")
MEMBERS = {"page_id", "file", "outcome", "actions", "reason", "message", "request_id"}
AS_WANTED = ("applied", "unchanged")
# Of one read, with all its further tries.
READS_AT_MOST = 4


def judge(evidence: Evidence) -> Verdict:
    """Judge all of a run: what was written, and what was said of it."""
    verdict = judge_writes(evidence)
    verdict.join(judge_outcomes(evidence))
    return verdict


def judge_outcomes(evidence: Evidence) -> Verdict:
    """Hold the report, the exit code and the number of calls against the history."""
    verdict = Verdict()
    for text in (evidence.out, evidence.err):
        if "Traceback" in text or "bug in bio-sync" in text:
            verdict.add("wrong outcomes", f"a traceback: {text.strip().splitlines()[-3:]}")
    report = evidence.report
    if report is None or not _is_whole(report):
        verdict.add("wrong outcomes", f"the report is not whole: {evidence.out[:200]!r} {evidence.err[:300]!r}")
        return verdict
    outcomes = {each["page_id"]: each for each in report["outcomes"]}
    _judge_report(evidence, report, outcomes, verdict)
    for page_id, outcome in outcomes.items():
        if not (complaint := _untrue(evidence, page_id, outcome)):
            complaint = _not_promised(evidence, page_id, outcome)
        if complaint:
            verdict.add("wrong outcomes", f"{page_id} is {_word(outcome)} ({outcome['message']}), but {complaint}")
    _judge_exit_code(evidence, outcomes, verdict)
    _judge_calls(evidence, verdict)
    return verdict


def _is_whole(report: dict[str, Any]) -> bool:
    known = {"format_version", "outcomes", "summary", "api", "exit_code"} <= report.keys()
    return known and all(each.keys() == MEMBERS and each["outcome"] in WORDS for each in report["outcomes"])


def _judge_report(
    evidence: Evidence, report: dict[str, Any], outcomes: dict[str, dict[str, Any]], verdict: Verdict
) -> None:
    counts = {word: sum(each["outcome"] == word for each in report["outcomes"]) for word in WORDS}
    if report["summary"] != counts or len(outcomes) != len(report["outcomes"]):
        verdict.add("wrong outcomes", f"the summary is {report['summary']}, the outcomes are {counts}")
    refusal = report.get("error")
    if refusal:
        word = f"error/{refusal['reason']}"
        if word not in evidence.promises.may:
            verdict.add("wrong outcomes", f"the run was refused as {word}: {refusal['message']}")
        if evidence.own:
            verdict.add("wrong outcomes", f"the run was refused as {word}, and something was written")
    elif outcomes.keys() != evidence.files.keys():
        verdict.add("wrong outcomes", f"outcomes are told of {sorted(outcomes)} only")
    if evidence.promises.counts_calls and report["api"]["calls"] != len(evidence.numbers):
        verdict.add("wrong outcomes", f"{report['api']['calls']} calls are told, {len(evidence.numbers)} were made")


def _judge_exit_code(evidence: Evidence, outcomes: dict[str, dict[str, Any]], verdict: Verdict) -> None:
    report, promises = evidence.report, evidence.promises
    assert report is not None
    good = all(each["outcome"] in AS_WANTED for each in outcomes.values()) and "error" not in report
    may_be_written = any(_is_ambiguous(evidence, number) for number in evidence.numbers)
    expected = {0} if good else {3} if evidence.own else {1, 3} if may_be_written else {1}
    if promises.signalled:
        # The signal may have come when everything was told already, or nothing begun.
        expected |= {130, 143}
    if promises.exit_codes and not evidence.own:
        expected &= promises.exit_codes
    if evidence.code not in expected or report["exit_code"] != evidence.code:
        verdict.add("wrong outcomes", f"exit {evidence.code}, told {report['exit_code']}, expected {sorted(expected)}")


def _untrue(evidence: Evidence, page_id: str, outcome: dict[str, Any]) -> str:
    """Say why an outcome can't be true; empty when it can."""
    word, reason = outcome["outcome"], outcome["reason"]
    writes = [place for place, revision in evidence.own if revision.page_id == page_id]
    lost = any(_is_ambiguous(evidence, number) for number in _write_numbers(evidence, page_id))
    if word in AS_WANTED:
        if word == "applied" and not writes and not lost:
            return "nothing was written"
        if not _was_as_wanted(evidence, page_id, writes):
            return "the page is not as wanted"
    if word == "skipped" and writes:
        return "it was written"
    if word == "unknown" and not lost and not evidence.promises.signalled:
        return "every write was answered"
    otherwise = evidence.promises.normalises or (lost and evidence.promises.merges)
    if reason == "drifted" and not (_was_edited(evidence, page_id) or otherwise):
        return "nobody edited it"
    if reason == "not-converged" and _was_as_wanted(evidence, page_id, writes) and evidence.met == {}:
        return "it is as wanted"
    return ""


def _not_promised(evidence: Evidence, page_id: str, outcome: dict[str, Any]) -> str:
    """Say why a page should have fared better; empty when it may fare so."""
    word, promises = _word(outcome), evidence.promises
    if outcome["outcome"] in AS_WANTED:
        return ""
    refusal = (evidence.report or {}).get("error")
    if refusal and word == f"skipped/{refusal['reason']}":
        # Of a run that was refused as a whole, which is judged by itself.
        return ""
    if promises.merges and word in {"failed/not-converged", "failed/drifted"}:
        return ""
    if word not in promises.may:
        return "the table promises better"
    met = any(page_id in evidence.requests[number].path for number in evidence.met)
    removed = evidence.state(page_id, len(evidence.history)) is None
    if not (promises.anywhere or met or removed or _was_edited(evidence, page_id)):
        return "nothing has happened to this page"
    return ""


def _was_as_wanted(evidence: Evidence, page_id: str, writes: list[int]) -> bool:
    begin = writes[-1] + 1 if writes else evidence.first_place
    for place in range(begin, len(evidence.history) + 1):
        now = evidence.state(page_id, place)
        if now is not None and comparison.is_as_wanted(evidence.files[page_id], now):
            return True
    return False


def _was_edited(evidence: Evidence, page_id: str) -> bool:
    own = {place for place, _ in evidence.own}
    later = list(enumerate(evidence.history))[evidence.first_place :]
    return any(each.page_id == page_id for place, each in later if place not in own)


def _write_numbers(evidence: Evidence, page_id: str) -> list[int]:
    numbers = [number for number in evidence.numbers if evidence.requests[number].method != "GET"]
    return [number for number in numbers if page_id in evidence.requests[number].path]


def _is_ambiguous(evidence: Evidence, number: int) -> bool:
    """Tell whether a client can't know what became of a request, or may believe so."""
    request, fault = evidence.requests[number], evidence.met.get(number)
    if request.method == "GET":
        return False
    if fault is None:
        return request.status is None or request.status >= 500
    return fault.wire is not None or fault.status is None or fault.status in {200, 408} or fault.status >= 500


def _judge_calls(evidence: Evidence, verdict: Verdict) -> None:
    """Count calls: no more than the contract allows, none after what stops a run, no write twice but once."""
    numbers, promises = evidence.numbers, evidence.promises
    refused = [number for number in numbers if evidence.requests[number].status == 429]
    ambiguous = [number for number in numbers if _is_ambiguous(evidence, number)]
    met = [number for number in numbers if number in evidence.met]
    writes = [number for number in numbers if evidence.requests[number].method != "GET"]
    seconds = evidence.requests[numbers[-1]].at - evidence.requests[numbers[0]].at if numbers else 0.0
    looks = 1 + seconds // max(promises.max_age - 1, 1)
    reads = len(numbers) - len(writes)
    allowed = 2 + looks * READS_AT_MOST + len(ambiguous) * READS_AT_MOST + len(met) + len(refused)
    if reads > allowed:
        verdict.add("wrong outcomes", f"{reads} reads in {seconds:.0f} seconds, allowed are {allowed:.0f}")
    for kind in {(evidence.requests[number].method, evidence.requests[number].path) for number in writes}:
        same = [n for n in writes if (evidence.requests[n].method, evidence.requests[n].path) == kind]
        told = [n for n in same if n not in refused]
        if len(told) > 2 or (len(told) == 2 and told[0] not in ambiguous):
            verdict.add("wrong outcomes", f"{kind} was sent {len(told)} times")
    if promises.stops_after is not None and met and numbers[-1] != met[0]:
        verdict.add("wrong outcomes", "calls were made after one that stops the run")


def _word(outcome: dict[str, Any]) -> str:
    return f"{outcome['outcome']}/{outcome['reason']}"
