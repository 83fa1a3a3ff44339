"""Findings as annotations of a GitHub Actions run: they stand at their lines in a pull request's diff."""

from bio_sync.reporters.findings import Finding, Findings
from bio_sync.visible import plural
from bio_sync.workflowcommands import Annotation, annotations, divided


def render(found: Findings) -> str:
    """Write findings as workflow commands; below them, as plain lines, those that GitHub would not show."""
    wanted = [annotation_of(finding) for finding in found.findings]
    _, left = divided(wanted)
    beyond = "".join(f"{each.kind}: {each.message}\n" for each in left)
    return f"{annotations(wanted, more='see the log of this step')}{beyond}{_last_line(found)}"


def annotation_of(finding: Finding) -> Annotation:
    """Give a finding as GitHub shows it."""
    # GitHub's log shows of an annotation its message only, so that the place stands there, too.
    problem, has_place = finding.problem, finding.has_place
    return Annotation(
        finding.level,
        finding.with_place,
        title=problem.rule,
        file=_file(finding.path) if has_place else "",
        line=problem.line if has_place else None,
        column=problem.column if has_place else None,
    )


def _file(path: str) -> str:
    # The runner would drop the sign, and mean another file.
    return f"./{path}" if path.startswith("=") else path


def _last_line(found: Findings) -> str:
    if found.failure:
        return ""
    errors = len(found.of("error"))
    told = plural(errors, "problem") if errors else "no problems"
    return f"{plural(len(found.paths), 'page file')}, {told}\n"
