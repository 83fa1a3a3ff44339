"""GitHub as we need it: comments of a pull request, issues, who we are there, and which plan a merge had shown.

`read_run` tells from the environment where a run stands, `GitHub` is the client of its repository, and `approved`
finds what an apply after a merge may go by. The token goes to the API that the environment names, and nowhere else.
"""

from bio_sync.github.approval import Approved, approved
from bio_sync.github.client import GitHub, Post, newest
from bio_sync.github.failures import NoGitHub, NotApproved, NotPermitted
from bio_sync.github.marker import Marker, without_marker
from bio_sync.github.run import WorkflowRun, read_run, token_at_hand

__all__ = [
    "Approved",
    "GitHub",
    "Marker",
    "NoGitHub",
    "NotApproved",
    "NotPermitted",
    "Post",
    "WorkflowRun",
    "approved",
    "newest",
    "read_run",
    "token_at_hand",
    "without_marker",
]
