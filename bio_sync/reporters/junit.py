"""Findings as a JUnit report, which almost every CI system shows as tests: a page file is a test."""

from xml.etree import ElementTree as ET

from bio_sync.reporters.findings import Finding, Findings
from bio_sync.visible import plural, visible

NAME = "bio-sync validate"


def render(found: Findings) -> str:
    """Write a test a page file, and one for each other file with problems; what only warns passes, and is told.

    What kept the files from being checked is an error of a test of its own.
    """
    paths = (*found.paths, *(finding.path for finding in found.findings))
    cases: dict[str, list[Finding]] = {path: [] for path in paths}
    for finding in found.findings:
        cases[finding.path].append(finding)
    broken = [path for path, findings in cases.items() if any(each.level == "error" for each in findings)]
    unplaced = sum(not finding.has_place for finding in found.findings)
    counts = {"tests": len(cases), "failures": len(broken) - unplaced, "errors": unplaced, "skipped": 0}
    attributes = {"name": NAME, **{name: str(count) for name, count in counts.items()}}
    root = ET.Element("testsuites", attributes)
    suite = ET.SubElement(root, "testsuite", attributes)
    for path, findings in cases.items():
        _add_case(suite, path, findings)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add_case(suite: ET.Element, path: str, findings: list[Finding]) -> None:
    # XML 1.0 has no control characters: of a name that holds one the visible form is shown.
    named = {"name": visible(path), "file": visible(path)}
    if not all(finding.has_place for finding in findings):
        named = {"name": "page files"}
    case = ET.SubElement(suite, "testcase", {"classname": NAME, **named, "time": "0"})
    errors = [finding for finding in findings if finding.level == "error"]
    warnings = [finding for finding in findings if finding.level == "warning"]
    if errors:
        first, more = errors[0], len(errors) - 1
        message = first.words + (f" (and {plural(more, 'more problem')})" if more else "")
        kind = "failure" if first.has_place else "error"
        problem = ET.SubElement(case, kind, {"message": message, "type": first.problem.rule})
        problem.text = "\n".join(finding.with_place for finding in errors)
    if warnings:
        ET.SubElement(case, "system-out").text = "\n".join(f"warning: {each.with_place}" for each in warnings)
