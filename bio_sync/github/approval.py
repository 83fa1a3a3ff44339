"""Which plan an apply after a merge may go by: the one that the merged pull request had shown."""

from dataclasses import dataclass

from bio_sync.event import COMMIT
from bio_sync.github.client import GitHub, Post, PullRequest, newest
from bio_sync.github.failures import BY_HAND, NotApproved
from bio_sync.visible import shortened

# Seconds: a merge starts its workflow at once, and GitHub may know only a moment later which pull request it was.
LOOK_AGAIN = (2.0, 4.0)


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
    return _approved_by(newest(comments), pull_request, label)


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
            " agreed to a plan"
        )
    if len(found) > 1:
        numbers = ", ".join(f"#{each.number}" for each in found)
        raise NotApproved(f"commit {commit[:12]} merged more than one pull request: {numbers}")
    return found[0]


def _approved_by(comment: Post | None, pull_request: PullRequest, label: str) -> Approved:
    where = f"pull request #{pull_request.number}"
    marker = comment.marker if comment else None
    if comment is None or marker is None:
        named = f" with the label '{shortened(label)}'" if label else ""
        raise NotApproved(f"no plan{named} was shown on {where}")
    if not comment.told:
        raise NotApproved(
            f"GitHub does not tell whether somebody has edited the plan on {where}: its GraphQL can't be asked"
        )
    if comment.edited:
        raise NotApproved(
            f"the plan on {where} was edited by {shortened(comment.editor or '')}, so it is not what was planned"
        )
    if marker.state == "failed":
        raise NotApproved(f"the last plan on {where} failed, so nobody has agreed to one")
    if marker.state == "offline":
        raise NotApproved(f"the plan on {where} was made offline: nobody has seen what it does to the live pages")
    if marker.head != pull_request.head:
        shown = marker.head[:12] if marker.head else "an unknown commit"
        raise NotApproved(
            f"the plan on {where} is of {shown}, and {pull_request.head[:12]} was merged: it was pushed later",
            hint=f"{BY_HAND}; next time, wait for the plan of the last push",
        )
    if marker.digest is None or marker.run is None:
        raise NotApproved(f"the plan on {where} does not say which run has saved it")
    return Approved(pull_request.number, pull_request.head, marker.digest, marker.run)
