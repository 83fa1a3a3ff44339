"""What can go wrong with GitHub, beyond what can with any service."""

from bio_sync.errors import BioSyncError, ServiceError

# The way out of each of these refusals, which the action shows on GitHub.
BY_HAND = "nothing was written: run this workflow by hand, which plans afresh and writes"


class NoGitHub(BioSyncError):
    """The environment does not say which repository, pull request or token; the token is never part of the words."""

    reason = "invalid"


class NotPermitted(ServiceError):
    """403, 404 or 410: the token of this run may not do that here, which is no fault of the plan."""

    reason = "auth"


class NotApproved(BioSyncError):
    """No plan that was shown on a pull request is what an apply of this commit may go by, or it can't be had."""

    reason = "not-approved"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint or BY_HAND)
