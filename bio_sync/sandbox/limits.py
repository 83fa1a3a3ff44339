"""Limits: the token bucket of a key, and the calendar month of the workspace."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(slots=True)
class _Bucket:
    level: float
    filled_at: float


@dataclass(slots=True)
class Bursts:
    """One token bucket a key: as many tokens as calls a second, filled at that rate.

    Used from the server's thread only, so it needs no lock.
    """

    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def take(self, key: str, limit: int, now: float) -> bool:
        """Take one token, or return False and take none."""
        bucket = self._fill(key, limit, now)
        if bucket.level < 1:
            return False
        bucket.level -= 1
        return True

    def left(self, key: str, limit: int, now: float) -> int:
        """Return how many calls would pass at once."""
        return int(self._fill(key, limit, now).level)

    def _fill(self, key: str, limit: int, now: float) -> _Bucket:
        bucket = self._buckets.setdefault(key, _Bucket(float(limit), now))
        # A clock that is set back must not drain the bucket.
        passed = max(0.0, now - bucket.filled_at)
        bucket.level = min(float(limit), bucket.level + passed * limit)
        bucket.filled_at = now
        return bucket


def month_of(now: float) -> str:
    """Return the calendar month of a Unix time in UTC, such as 2026-11."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m")


def end_of_month(now: float) -> datetime:
    """Return the moment at which the month's calls are counted anew: the first of the next, 00:00 UTC."""
    moment = datetime.fromtimestamp(now, UTC)
    year, month = divmod(moment.year * 12 + moment.month, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)
