"""Every failure that bio-sync can explain. Anything else is a bug and keeps its traceback.

The exit code and the reason that scripts see stand on the classes; docs/reference/exit-codes.md is made of them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bio_sync.problems import Problem


# Exit codes of a run that came to a report of its own, or to none.
INCOMPLETE, INTERRUPTED, TERMINATED = 3, 130, 143


class Terminated(KeyboardInterrupt):
    """SIGTERM, such as a CI system sends before it kills: treated as Ctrl-C, with an exit code of its own."""


def exit_code_of(cause: BaseException | None) -> int:
    """Give the exit code of a run that a signal has ended: 130 as shells do for Ctrl-C, 143 for SIGTERM."""
    return TERMINATED if isinstance(cause, Terminated) else INTERRUPTED


class BioSyncError(Exception):
    """A failure with words for its reader: what and where, and as `hint` the way out."""

    exit_code = 1
    reason: str | None = None

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidFiles(BioSyncError):
    """Problems in page files or in `bio-sync.yaml`, all of them."""

    reason = "invalid"

    def __init__(self, problems: Sequence["Problem"], files: int) -> None:
        super().__init__(
            f"{len(problems)} problem{'s' if len(problems) != 1 else ''} in the files",
            hint="every problem has its place, and most have a way out",
        )
        self.problems = tuple(problems)
        self.files = files
        # What pickle makes it of again, in another process.
        self.args = (self.problems, files)

    def __str__(self) -> str:
        """Tell the problems too: in a traceback nobody else does."""
        return "\n".join((f"{self.message}:", *(f"{each.file}:{each.line}: {each.message}" for each in self.problems)))


class NoFolder(BioSyncError):
    """The working directory was removed."""

    reason = "invalid"

    def __init__(self) -> None:
        super().__init__("the folder that this runs in is not there any more", hint="cd into a folder that is")


class NoPages(BioSyncError):
    """There are no page files, or they can't be read."""

    reason = "invalid"


class InvalidKey(BioSyncError):
    """There is no API key, or it can't be sent; the key itself is never part of the words."""

    reason = "auth"


class InvalidAddress(BioSyncError):
    """The API address is one that the key must not be sent to."""

    reason = "invalid"


class NoRevision(BioSyncError):
    """Git can't give the files of the commit that was named: no git, no checkout, no such commit."""

    reason = "invalid"


class InvalidPlanFile(BioSyncError):
    """A saved plan that can't be read, or was changed since it was made."""

    reason = "invalid"


class InvalidJournal(BioSyncError):
    """A journal that can't be read, was changed since it was written, or is another service's."""

    reason = "invalid"


class StalePlan(BioSyncError):
    """The plan made afresh is not the plan that was agreed to."""

    reason = "stale"


class CannotPull(BioSyncError):
    """A page file can't be made to say what the live page says."""

    reason = "invalid"


class AlreadyClaimed(BioSyncError):
    """A page that is to be adopted has a file, or the file another page."""

    reason = "invalid"


class NotCommitted(BioSyncError):
    """Files that would be written over are not committed: nothing could bring them back."""

    reason = "unsafe"


class NotWritten(BioSyncError):
    """A file on this machine could not be written: the disk is full, or the folder is not there."""


class NoConsent(BioSyncError):
    """Nobody could be asked, or the answer was no."""


class Unsafe(BioSyncError):
    """What would be written is so unusual that somebody has to say that it is meant."""

    reason = "unsafe"


class QuotaTooSmall(BioSyncError):
    """The month has fewer calls left than carrying the plan out needs."""

    reason = "quota"


class ServiceError(BioSyncError):
    """What the service answered, or failed to answer; `request_id` and `code` are its names for call and error."""

    stops_the_run = False

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        request_id: str | None = None,
        status: int | None = None,
        code: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.request_id = request_id
        self.status = status
        self.code = code


class Unreachable(ServiceError):
    """Nobody answered; a write was not sent."""

    reason = "unreachable"


class NotAnAnswer(ServiceError):
    """Something answered that is not xQR."""

    reason = "unreachable"


class Unauthorised(ServiceError):
    """401 or 403: every further call would be refused too."""

    reason = "auth"
    stops_the_run = True


class QuotaUsedUp(ServiceError):
    """429 `RATE_LIMIT_EXCEEDED`, or one that does not say when to come back: no further call would help."""

    reason = "quota"
    stops_the_run = True


class TooManyRequests(ServiceError):
    """429 `BURST_LIMIT_EXCEEDED`, again after all the waiting that is reasonable."""

    reason = "rejected"


class PageGone(ServiceError):
    """404 or 410: the page is not there, or belongs to another workspace."""

    reason = "gone"


class WorkspaceEmptied(ServiceError):
    """A list that holds none of the pages it held before: a mistake of the service's, or somebody's."""

    reason = "gone"
    stops_the_run = True


class Rejected(ServiceError):
    """The service refused the request; asking again would be refused again."""

    reason = "rejected"


class UnclearWrite(ServiceError):
    """A write went out and its answer did not come back whole: it may or may not have been carried out."""

    reason = "unreachable"
