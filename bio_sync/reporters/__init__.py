"""Problems of page files in the forms that other programs read: GitHub, GitLab, SARIF, JUnit."""

from collections.abc import Callable, Mapping

from bio_sync.reporters import github, gitlab, junit, sarif
from bio_sync.reporters.findings import Findings, findings_of, findings_of_failure

__all__ = ["REPORTERS", "Findings", "findings_of", "findings_of_failure"]

REPORTERS: Mapping[str, Callable[[Findings], str]] = {
    "github": github.render,
    "gitlab": gitlab.render,
    "sarif": sarif.render,
    "junit": junit.render,
}
