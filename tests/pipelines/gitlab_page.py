"""What GitLab shows of a log and of reports, read as GitLab reads them.

The sources: `lib/gitlab/ci/parsers/terraform/tfplan.rb` of GitLab, and its pages on Code Quality and on job logs.
"""

import json
import re

_SECTION = re.compile(r"section_(?:start|end):\d+:[\w.-]+(?:\[[^\]]*\])?\r\x1b\[0K")


def sections(log: str) -> list[str]:
    """Find what GitLab would take for the beginning or end of a section of a log."""
    return _SECTION.findall(log)


def terraform_widget(report: bytes) -> dict[str, int] | str:
    """Say what a merge request shows of a Terraform report: three counts, or the kind of failure."""
    try:
        plan = json.loads(report)
    except ValueError:
        return "invalid_json_format"
    if not isinstance(plan, dict):
        return "unknown_error"
    if {"create", "update", "delete"} - plan.keys():
        return "missing_json_keys"
    counts = {key: plan[key] for key in ("create", "update", "delete")}
    return counts if all(type(count) is int for count in counts.values()) else "invalid_resource_count"


def code_quality_widget(report: bytes) -> list[tuple[str, str]]:
    """Give (file, words) of each finding, one for each fingerprint, as a merge request lists them."""
    findings = {finding["fingerprint"]: finding for finding in json.loads(report)}
    for finding in findings.values():
        assert finding["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert finding["location"]["lines"]["begin"] >= 1
        assert not finding["location"]["path"].startswith(("/", "./"))
    return [(finding["location"]["path"], finding["description"]) for finding in findings.values()]
