"""What leaves for the program round us does so without the key: failures, outcomes, the journal."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from bio_sync.applying.outcomes import Outcome
from bio_sync.errors import BioSyncError, ServiceError
from bio_sync.key import ApiKey
from bio_sync.wholefile import write_whole

_LOG = logging.getLogger("bio_sync")


# By their headers, so that a program that runs for days keeps each one once.
_USED: dict[str, ApiKey] = {}


def remember(key: ApiKey) -> None:
    """Cut this key out of all plans that are written from now on."""
    _USED[key.header()] = key


def without_keys(text: str) -> str:
    """Give a text without any key that was used in this process."""
    for key in _USED.values():
        text = key.redacted(text)
    return text


@contextmanager
def redacting(key: ApiKey) -> Iterator[None]:
    """Cut the key out of what fails inside the block: a service may echo it."""
    try:
        yield
    except BioSyncError as error:
        for failure in _chain(error):
            _redact(failure, key)
        raise


def _chain(error: BaseException) -> list[BaseException]:
    """List what a traceback of `error` would show; causes and contexts may lead in a circle."""
    found: list[BaseException] = [error]
    for each in found:
        linked = (each.__cause__, each.__context__)
        found.extend(other for other in linked if other is not None and not any(other is one for one in found))
    return found


def _redact(failure: BaseException, key: ApiKey) -> None:
    if isinstance(failure, BioSyncError):
        failure.message, failure.hint = key.redacted(failure.message), key.redacted(failure.hint)
        failure.args = tuple(key.redacted(each) if isinstance(each, str) else each for each in failure.args)
    if isinstance(failure, ServiceError):
        failure.code = key.redacted(failure.code)
        failure.request_id = failure.request_id and key.redacted(failure.request_id)


def safe(outcome: Outcome, key: ApiKey) -> Outcome:
    """Cut the key out of an outcome, whose words may be the service's."""
    request_id = outcome.request_id and key.redacted(outcome.request_id)
    return replace(outcome, message=key.redacted(outcome.message), request_id=request_id)


class Listener:
    """Passes outcomes on to somebody's function; when that fails, no page suffers, and `failure` is kept."""

    def __init__(self, tell: Callable[[Outcome], None], key: ApiKey) -> None:
        self._tell, self._key = tell, key
        self.failure: Exception | SystemExit | None = None

    def hear(self, outcome: Outcome) -> None:
        """Take the outcome of a page."""
        if self.failure is None:
            try:
                self._tell(safe(outcome, self._key))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, it is raised when all is written and known
                self.failure = error


@dataclass(frozen=True, slots=True)
class Files:
    """Saves the journal without the key; what somebody should know goes to the log `bio_sync`."""

    key: ApiKey
    # The program round us may go elsewhere while pages are written.
    here: str = field(default_factory=os.getcwd)

    def save(self, path: str, text: str) -> None:
        """Write a file whole, its path seen from where the run began; raises NotWritten."""
        write_whole(os.path.join(self.here, path), self.key.redacted(text))  # noqa: PTH118 - as text, as it came

    def redacts(self, text: str) -> bool:
        """Tell whether something of the key stands in a text."""
        return self.key.redacted(text) != text

    def complain(self, text: str) -> None:
        """Log a sentence."""
        _LOG.warning("%s", text.removeprefix("warning: "))
