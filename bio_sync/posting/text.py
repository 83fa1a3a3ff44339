"""What is written on GitHub: a marker that nobody sees, the plan or the drift, and what happens next."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Literal, TypeAlias

from bio_sync.github import Marker, NotPermitted, Post, WorkflowRun, without_marker
from bio_sync.key import ApiKey
from bio_sync.planning import Plan
from bio_sync.posting.saved import Drift, Failure
from bio_sync.render import drift, markdown

# What came of it: `skipped` because there was nothing to say, `overtaken` because a newer run has said it already,
# `shown` because this run may not write, so that whoever asked has to show it elsewhere.
Outcome: TypeAlias = Literal[
    "posted", "updated", "unchanged", "skipped", "overtaken", "opened", "reopened", "closed", "shown"
]
# Views, clicks and calls change from minute to minute, and mean nothing by themselves; the digest covers the rest.
_PASSING = re.compile(r"[\d,]+ (?:(?:view|click|call)s?\b|to apply\b|left\b)|\[Run \d+\]\([^)]*\)")
_LINK = re.compile(r"https?://[A-Za-z0-9._:/-]+")


@dataclass(frozen=True, slots=True)
class Text:
    """A text for GitHub: `shown` is what people see, here or in a job summary; `empty` says that nothing differs."""

    marker: Marker
    shown: str
    empty: bool
    link: str = ""

    @property
    def body(self) -> str:
        """Give the body of the comment or issue: at most 65,536 bytes, since GitHub takes as many characters."""
        return self.marker.line() + self.shown

    def says_the_same(self, there: Post) -> bool:
        """Compare with what stands on GitHub: all but the run that it came of, and counts that pass."""
        marker = there.marker
        if marker is None or replace(marker, run=None) != replace(self.marker, run=None):
            return False
        return _lasting(without_marker(there.body)) == _lasting(self.shown)


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of a text, and where it stands; `refusal` says why it had to be shown elsewhere."""

    outcome: Outcome
    url: str | None = None
    refusal: NotPermitted | None = None


def plan_text(saved: Plan | Failure, run: WorkflowRun, *, label: str = "", keys: Sequence[ApiKey] = ()) -> Text:
    """Write a plan, or why there is none, as the comment of a pull request; `keys` are cut out of it."""
    label = _without(keys, label)
    if isinstance(saved, Failure):
        marker = Marker("plan", label, "failed", run.head, None, run.number)
        shown = markdown.failure(saved.error, saved.problems, label=label)
        foot = f"\n---\n{_foot(run, 'Until a plan succeeds, nothing of this pull request is applied.')}"
        return Text(marker, _without(keys, shown) + foot, empty=False)
    offline = saved.circumstances.offline
    # Without an event, the plan knows which commit its files are of.
    head = run.head or saved.circumstances.commit
    marker = Marker("plan", label, "offline" if offline else "whole", head, saved.digest, run.number)
    shown = _without(keys, markdown.render(saved, label=label)) + _foot(run, _next(saved))
    return Text(marker, shown, empty=not saved.changes and not saved.gone)


def drift_text(saved: Drift | Failure, run: WorkflowRun, *, label: str = "", keys: Sequence[ApiKey] = ()) -> Text:
    """Write drift, or why nobody knows, as an issue; `keys` are cut out of it."""
    label = _without(keys, label)
    if isinstance(saved, Failure):
        marker = Marker("drift", label, "failed", None, None, run.number)
        shown = _without(keys, markdown.failure(saved.error, saved.problems, command="drift", label=label))
        known = "What differed before, as far as it was known, is in the history of this text (edited)."
        return Text(marker, f"{shown}\n---\n{_foot(run, known)}", empty=False, link=_link(run))
    marker = Marker("drift", label, "whole", None, saved.plan.digest, run.number)
    shown = _without(keys, drift.as_markdown(saved.plan, saved.answers, label=label))
    foot = _foot(run, "This issue follows the live pages: it is closed when they are as their files say.")
    return Text(marker, shown + foot, empty=not saved.found, link=_link(run))


def _next(plan: Plan) -> str:
    if plan.circumstances.offline:
        return "Made offline: an apply after the merge does not follow this plan."
    if not plan.changes:
        return ""
    moved = "a page or a file has moved since"
    held = ", or what a warning names holds it back" if plan.warnings else ""
    return f"Next: merge. An apply by this plan writes exactly this, or nothing if {moved}{held}."


def _foot(run: WorkflowRun, words: str) -> str:
    foot = " ".join(filter(None, (words, _link(run))))
    return f"\n{foot}\n" if foot else ""


def _link(run: WorkflowRun) -> str:
    return f"[Run {run.number}]({run.address})" if _LINK.fullmatch(run.address) else ""


def _without(keys: Sequence[ApiKey], text: str) -> str:
    return reduce(lambda left, key: key.redacted(left), keys, text)


def _lasting(text: str) -> str:
    # GitHub gives line ends back as a form of a browser would send them.
    return _PASSING.sub("", text.replace("\r\n", "\n")).strip()
