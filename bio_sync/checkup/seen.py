"""What a check-up works with: a check, the page files, and what the calls have shown."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from bio_sync.answers import Usage
from bio_sync.errors import QuotaUsedUp, ServiceError
from bio_sync.model import PAGES_A_CALL, LivePage

Status: TypeAlias = Literal["ok", "warn", "fail"]
# 403 with one of these: the key is known, and something else is missing.
_KNOWN_KEY = frozenset(("INSUFFICIENT_SCOPE", "FEATURE_NOT_AVAILABLE", "PLAN_LIMIT_EXCEEDED"))


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, what there is to say of it, and the way out (may be empty)."""

    name: str
    status: Status
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Files:
    """The page files: how many, and the ids that they name; None when that can't be told."""

    check: Check
    files: int = 0
    page_ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What at most two calls have shown; `usage` is None when it was not asked for.

    `seconds` are those of the list call, `date` is the service's time at its answer and `now` this machine's; `left`
    are the month's calls, by the service's own count.
    """

    address: str
    live: dict[str, LivePage] | ServiceError
    usage: Usage | ServiceError | None
    seconds: float
    date: datetime | None
    now: datetime
    left: int | None

    @property
    def told(self) -> Usage:
        """Give the usage as far as it is known."""
        return self.usage if isinstance(self.usage, Usage) else Usage("", None, None, None)

    @property
    def some(self) -> bool:
        """Tell whether there may be more live pages than were seen."""
        if isinstance(self.live, ServiceError):
            return True
        total = self.told.pages
        return len(self.live) == PAGES_A_CALL if total is None else total > len(self.live)

    @property
    def may_ask(self) -> bool:
        """Tell whether the service knows the key, and would answer other questions of its holder."""
        return not isinstance(self.live, ServiceError) or self.live.code in _KNOWN_KEY

    @property
    def key_is_good(self) -> bool:
        """Tell whether the service has accepted the key, whatever it allows."""
        return self.may_ask or isinstance(self.live, QuotaUsedUp)
