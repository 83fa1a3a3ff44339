"""A plan as one comment of a pull request, and drift as one issue.

`read_plan` and `read_drift` read what was saved, `plan_text` and `drift_text` write it for GitHub, `post_comment` and
`post_issue` put it there. Whatever may not be written is given back, to be shown elsewhere.
"""

from bio_sync.posting.comments import post_comment
from bio_sync.posting.issues import post_issue
from bio_sync.posting.saved import Drift, Failure, read_drift, read_plan
from bio_sync.posting.text import Posted, Text, drift_text, plan_text

__all__ = [
    "Drift",
    "Failure",
    "Posted",
    "Text",
    "drift_text",
    "plan_text",
    "post_comment",
    "post_issue",
    "read_drift",
    "read_plan",
]
