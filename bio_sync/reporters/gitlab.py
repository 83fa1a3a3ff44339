"""Findings as a Code Quality report of GitLab: a merge request tells which are new and which are gone."""

import re

from bio_sync.jsonvalues import Json, json_text
from bio_sync.reporters.findings import Finding, Findings, fingerprints
from bio_sync.visible import visible

# docs.gitlab.com, "Code Quality report format": info, minor, major, critical, blocker.
_SEVERITIES = {"error": "major", "warning": "minor"}


def render(found: Findings) -> str:
    """Write findings as a JSON array, empty when there are none; paths are those from the repository's root."""
    entries: list[Json] = [
        {
            "description": _description(finding),
            "check_name": finding.problem.rule,
            "fingerprint": fingerprint,
            "severity": _SEVERITIES[finding.level] if finding.has_place else "blocker",
            "location": {"path": _path(finding.path), "lines": {"begin": finding.problem.line}},
        }
        for finding, fingerprint in zip(found.findings, fingerprints(found.findings), strict=True)
    ]
    return json_text(entries)


def _description(finding: Finding) -> str:
    return f"{finding.words} ({finding.problem.hint})" if finding.problem.hint else finding.words


def _path(path: str) -> str:
    # Bytes that are no UTF-8 have no place in JSON; one such name would make the whole report unreadable.
    return re.sub("[\ud800-\udfff]+", lambda found: visible(found.group()), path)
