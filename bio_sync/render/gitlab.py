"""A plan for the Terraform report widget of a GitLab merge request: three counts."""

import json

from bio_sync.errors import BioSyncError
from bio_sync.planning import Plan
from bio_sync.visible import visible


def render(plan: Plan) -> str:
    """Count the pages that change as `update`: bio-sync's plans create and delete none.

    The form is that of GitLab's `artifacts:reports:terraform`.
    """
    return json.dumps({"create": 0, "update": len(plan.changes), "delete": 0}) + "\n"


def failure(error: BioSyncError) -> str:
    """Write, in the place of a plan, a report without counts, which the widget tells of as one that failed."""
    return json.dumps({"error": visible(error.message)}) + "\n"
