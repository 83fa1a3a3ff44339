"""One comment of a pull request for each label, which follows the plan of the last push."""

from bio_sync.errors import UnclearWrite
from bio_sync.github import GitHub, Marker, NoGitHub, NotPermitted, newest
from bio_sync.posting.text import Posted, Text

_PERMISSION = (
    "give the job `permissions: pull-requests: write`; a pull request from a fork or by Dependabot gets no token that"
    " may write"
)


def post_comment(github: GitHub, text: Text, *, only_changes: bool = False) -> Posted:
    """Write a text as the comment of the run's pull request, or over the one that is there.

    With `only_changes` a plan without changes makes no new comment; one that is there is updated all the same. What
    this token may not do is told, not raised: `shown`, with the refusal. Raises NoGitHub without a pull request, and
    ServiceError for everything else that goes wrong.
    """
    number = github.run.pull_request
    if number is None:
        raise NoGitHub(
            "this run is not for a pull request",
            hint="run it `on: pull_request`, or name the pull request: --pull-request N",
        )
    try:
        return _posted(github, number, text, only_changes=only_changes)
    except NotPermitted as refusal:
        refusal.hint = _PERMISSION
        return Posted("shown", refusal=refusal)


def _posted(github: GitHub, number: int, text: Text, *, only_changes: bool) -> Posted:
    # A comment that somebody has hidden is not seen by anybody: what it says next, it says anew.
    ours = github.our_comments(number, "plan", text.marker.label)
    last = newest([comment for comment in ours if not comment.hidden])
    if last is None:
        if only_changes and text.empty:
            return Posted("skipped")
        return Posted("posted", github.comment_address(number, _new(github, number, text)))
    address = github.comment_address(number, last.number)
    if _overtaken(last.marker, text.marker):
        return Posted("overtaken", address)
    # What somebody has edited is no plan to go by, not even when the words are ours again: it is written anew.
    if text.says_the_same(last) and not last.edited:
        return Posted("unchanged", address)
    github.edit_comment(last.number, text.body)
    return Posted("updated", address)


def _new(github: GitHub, number: int, text: Text) -> int:
    """Post a comment; one whose answer was lost is looked for before it is sent again."""
    try:
        return github.post_comment(number, text.body)
    except UnclearWrite:
        comments = github.our_comments(number, "plan", text.marker.label)
        there = newest([comment for comment in comments if comment.marker == text.marker])
        return there.number if there else github.post_comment(number, text.body)


def _overtaken(there: Marker | None, ours: Marker) -> bool:
    """Tell whether a run that began later has told of another commit already: then that is the one that was pushed."""
    if there is None or there.run is None or ours.run is None:
        return False
    return there.run > ours.run and there.head != ours.head
