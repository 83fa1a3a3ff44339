"""Findings as SARIF 2.1.0 (OASIS), which code scanning and editors read."""

import os
from urllib.parse import quote

from bio_sync.jsonvalues import Json, JsonObject, json_text
from bio_sync.reporters.findings import Finding, Findings, fingerprints
from bio_sync.reporters.rules import NOT_CHECKED, RULES, Rule
from bio_sync.version import __version__

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# The name for "where the repository is checked out" that GitHub and Microsoft's tools know.
ROOT = "%SRCROOT%"
# GitHub computes `primaryLocationLineHash` itself and warns of any other value under that name.
FINGERPRINT = "findingHash/v1"
_ORDER = {rule_id: number for number, rule_id in enumerate(RULES)}


def render(found: Findings) -> str:
    """Write findings as a SARIF log of one run, in which every rule is described."""
    results: list[Json] = [
        _result(finding, fingerprint)
        for finding, fingerprint in zip(found.findings, fingerprints(found.findings), strict=True)
    ]
    rules: list[Json] = [_rule(rule_id, rule) for rule_id, rule in RULES.items()]
    run: JsonObject = {
        "tool": {"driver": {"name": "bio-sync", "semanticVersion": __version__, "rules": rules}},
        "invocations": [_invocation(found.failure)],
        "originalUriBaseIds": {ROOT: {"description": _text("The root of the repository.")}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _invocation(failure: str) -> JsonObject:
    """Tell whether the check came to its end: a run that did not says nothing about what it has not found."""
    if not failure:
        return {"executionSuccessful": True}
    notification: JsonObject = {
        "associatedRule": {"id": NOT_CHECKED, "index": _ORDER[NOT_CHECKED]},
        "level": "error",
        "message": _text(_without_links(failure)),
    }
    return {"executionSuccessful": False, "toolExecutionNotifications": [notification]}


def _rule(rule_id: str, rule: Rule) -> JsonObject:
    return {
        "id": rule_id,
        "shortDescription": _text(rule.summary),
        "fullDescription": _text(rule.summary),
        "help": _text(rule.help),
        "defaultConfiguration": {"level": rule.level},
    }


def _result(finding: Finding, fingerprint: str) -> JsonObject:
    problem = finding.problem
    hint = f"\n{problem.hint}" if problem.hint else ""
    location: JsonObject = {
        "physicalLocation": {
            "artifactLocation": _artifact(finding.path),
            "region": {"startLine": problem.line, "startColumn": problem.column},
        }
    }
    return {
        "ruleId": problem.rule,
        "ruleIndex": _ORDER[problem.rule],
        "level": finding.level,
        "message": _text(_without_links(finding.words + hint)),
        "locations": [location],
        "partialFingerprints": {FINGERPRINT: fingerprint},
    }


def _artifact(path: str) -> JsonObject:
    # RFC 3986, 4.2: quoted are the bytes of the name, and a colon in it, which would read as the end of a scheme.
    uri = quote(os.fsencode(path), safe="/")
    return {"uri": f"file://{uri}"} if path.startswith("/") else {"uri": uri, "uriBaseId": ROOT}


def _without_links(text: str) -> str:
    # SARIF 2.1.0, 3.11.6: `[words](address)` in a message is a link.
    return text.replace("](", "] (")


def _text(text: str) -> JsonObject:
    return {"text": text}
