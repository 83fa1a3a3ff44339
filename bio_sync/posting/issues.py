"""One issue for each label, which follows the drift: opened, updated, closed, and opened again."""

from contextlib import suppress

from bio_sync.errors import UnclearWrite
from bio_sync.github import GitHub, NotPermitted, Post
from bio_sync.posting.text import Posted, Text
from bio_sync.visible import shortened

TITLE = "bio-sync: live pages differ from their files"
_PERMISSION = "give the job `permissions: issues: write`, and see that the repository has issues switched on"
_NO_MORE = "No drift any more: the live pages are as their files say."


def post_issue(github: GitHub, text: Text) -> Posted:
    """Bring the issue of drift up to date: one for each label, of our own, found by the marker it begins with.

    A run that failed changes an open issue, and opens none: that the network was away for a minute is no drift. What
    this token may not do is told, not raised: `shown`, with the refusal. Raises ServiceError for everything else.
    """
    try:
        return _posted(github, text)
    except NotPermitted as refusal:
        refusal.hint = _PERMISSION
        return Posted("shown", refusal=refusal)


def _posted(github: GitHub, text: Text) -> Posted:
    there = next(github.our_issues("open", "drift", text.marker.label), None)
    if there is not None:
        return _followed(github, there, text)
    if text.empty or text.marker.state == "failed":
        return Posted("skipped")
    closed = next(github.our_issues("closed", "drift", text.marker.label), None)
    if closed is None:
        return Posted("opened", github.issue_address(_new(github, text)))
    github.edit_issue(closed.number, body=text.body, state="open")
    return Posted("reopened", github.issue_address(closed.number))


def _followed(github: GitHub, there: Post, text: Text) -> Posted:
    address = github.issue_address(there.number)
    if text.empty:
        # Closed first: should the words fail, the next run does not say them again.
        github.edit_issue(there.number, state="closed", state_reason="completed")
        with suppress(UnclearWrite):
            github.post_comment(there.number, f"{_NO_MORE} {text.link}".rstrip())
        return Posted("closed", address)
    if text.says_the_same(there):
        return Posted("unchanged", address)
    github.edit_issue(there.number, body=text.body)
    return Posted("updated", address)


def _new(github: GitHub, text: Text) -> int:
    """Open an issue; one whose answer was lost is looked for before it is sent again."""
    named = f" ({shortened(text.marker.label)})" if text.marker.label else ""
    title = f"{TITLE}{named}"
    try:
        return github.open_issue(title, text.body)
    except UnclearWrite:
        there = next(github.our_issues("open", "drift", text.marker.label), None)
        return there.number if there else github.open_issue(title, text.body)
