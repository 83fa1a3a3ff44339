"""What can go wrong with GitHub, beyond what can with any service."""

from bio_sync.errors import BioSyncError, ServiceError


class NoGitHub(BioSyncError):
    """The environment does not say which repository, pull request or token; the token is never part of the words."""

    reason = "invalid"


class NotPermitted(ServiceError):
    """403, 404 or 410: the token of this run may not do that here, which is no fault of the plan."""

    reason = "auth"


class NotApproved(BioSyncError):
    """No plan that was shown on a pull request is what an apply of this commit may go by."""

    reason = "stale"
