"""Which plan an apply after a merge may go by: the one that the merged pull request had shown."""

from dataclasses import dataclass

from bio_sync.event import COMMIT
from bio_sync.github.client import GitHub, Post, PullRequest, newest
from bio_sync.github.failures import NotApproved
from bio_sync.visible import shortened

# Seconds: a merge starts its workflow at once, and GitHub may know only a moment later which pull request it was.
LOOK_AGAIN = (2.0, 4.0)
_BY_HAND = "look at a plan and apply it by hand: bio-sync plan --out plan.json, then bio-sync apply --plan plan.json"


@dataclass(frozen=True, slots=True)
class Approved:
    """The plan that was shown on the pull request whose merge made a commit, and the run that saved it."""

    pull_request: int
    head: str
    digest: str
    run: int


def approved(github: GitHub, commit: str, *, label: str = "") -> Approved:
    """Find the plan that the merge which made `commit` has agreed to.

    Raises NotApproved when there is none that an apply may go by: no pull request, no plan of ours on it, one of an
    older push, one that somebody edited, one that failed or was made offline. Raises ServiceError for GitHub's trouble.
    """
    if not COMMIT.fullmatch(commit):
        raise NotApproved(f"'{shortened(commit)}' is not the id of a commit", hint="GITHUB_SHA holds one")
    pull_request = _merged(github, commit)
    comments = github.our_comments(pull_request.number, "plan", label)
    return _agreed(newest(comments), pull_request, label)


def _merged(github: GitHub, commit: str) -> PullRequest:
    found = github.merged_by(commit)
    for seconds in LOOK_AGAIN:
        if found:
            break
        github.sleep(seconds)
        found = github.merged_by(commit)
    found = [each for each in found if each.base == each.default_branch]
    if not found:
        raise NotApproved(
            f"commit {commit[:12]} was not made by merging a pull request into the default branch, so nobody has"
            " agreed to a plan",
            hint=_BY_HAND,
        )
    if len(found) > 1:
        numbers = ", ".join(f"#{each.number}" for each in found)
        raise NotApproved(f"commit {commit[:12]} merged more than one pull request: {numbers}", hint=_BY_HAND)
    return found[0]


def _agreed(comment: Post | None, pull_request: PullRequest, label: str) -> Approved:
    where = f"pull request #{pull_request.number}"
    marker = comment.marker if comment else None
    if comment is None or marker is None:
        named = f" with the label '{shortened(label)}'" if label else ""
        raise NotApproved(f"no plan{named} was shown on {where}", hint=_BY_HAND)
    if not comment.told:
        raise NotApproved(
            f"GitHub does not tell whether somebody has edited the plan on {where}: its GraphQL can't be asked",
            hint=_BY_HAND,
        )
    if comment.edited:
        raise NotApproved(
            f"the plan on {where} was edited by {shortened(comment.editor or '')}, so it is not what was planned",
            hint=_BY_HAND,
        )
    if marker.state == "failed":
        raise NotApproved(f"the last plan on {where} failed, so nobody has agreed to one", hint=_BY_HAND)
    if marker.state == "offline":
        raise NotApproved(
            f"the plan on {where} was made offline: nobody has seen what it does to the live pages", hint=_BY_HAND
        )
    if marker.head != pull_request.head:
        shown = marker.head[:12] if marker.head else "an unknown commit"
        raise NotApproved(
            f"the plan on {where} is of {shown}, and {pull_request.head[:12]} was merged: it was pushed later",
            hint=f"next time wait for the plan of the last push; now, {_BY_HAND}",
        )
    if marker.digest is None or marker.run is None:
        raise NotApproved(f"the plan on {where} does not say which run has saved it", hint=_BY_HAND)
    return Approved(pull_request.number, pull_request.head, marker.digest, marker.run)
