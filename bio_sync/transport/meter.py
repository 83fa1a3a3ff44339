"""What the service has said of its limits and how quick it is, and what was used; shared by all layers of a run."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil

from bio_sync.answers import sensible_number
from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.transport.remaining import Remaining

# The headers in which the service tells what is left of a month's calls, and how many a second it takes.
QUOTA_REMAINING, BURST_LIMIT = "X-RateLimit-Remaining", "X-RateLimit-Burst-Limit"
# Of the service's own limit: at 100 % a clock that differs a little earns a 429 (measured: 98 % earns none).
SHARE_OF_LIMIT = 0.98
UNKNOWN_BURST_LIMIT = 10
# Somebody else uses the key too: as TCP does, half as fast at once, and faster again little by little.
SLOWER, FASTER, SLOWEST = 0.5, 0.02, 1 / 16
# Requests a second: slower than that, a view of the pages would get too old between a look and its write.
LEAST_RATE = 0.5
# The last few answers: none of them may be quick, since one slow answer is no latency; then the slowest counts.
MEASURED, LEAST_MEASURED = 4, 2
# Seconds; a service this near needs no second lane: one after the other is 50 writes a second and more.
NEAR = 0.02
# Requests under way that a pace needs are pace x latency; half as many again, since no latency is always the same.
ROOM = 1.5
# Threads do about 1,000 requests a second here, whatever their number; more of them only wait for each other.
MOST_LANES = 16


@dataclass(slots=True)
class Meter:
    """Calls used, calls left this month, requests a second, and seconds that an answer takes.

    `share` is the part of the pace that is left to this run, `date` the
    service's own time at its last answer.
    """

    calls: int = 0
    burst_limit: int = UNKNOWN_BURST_LIMIT
    share: float = 1.0
    held_until: float = 0.0
    date: datetime | None = None
    _remaining: Remaining = field(default_factory=Remaining)
    _lately: deque[float] = field(default_factory=lambda: deque(maxlen=MEASURED))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def rate(self) -> float:
        """Requests a second that this run may send now."""
        return self.burst_limit * SHARE_OF_LIMIT * self.share

    @property
    def lanes(self) -> int:
        """How many writes under way at once keep up with the rate."""
        with self._lock:
            lately = list(self._lately)
        if len(lately) < LEAST_MEASURED or min(lately) < NEAR:
            return 1
        return max(1, min(MOST_LANES, ceil(self.rate * max(lately) * ROOM)))

    @property
    def quota_remaining(self) -> int | None:
        """Calls that the month has left after all that were sent; None when the service has not said."""
        return self._remaining.left

    def leaves(self) -> int:
        """Count a call that goes out, and give its number."""
        with self._lock:
            self.calls += 1
        return self._remaining.sent()

    def ended(self, call: int) -> None:
        """Note that a call is not under way any more, whether its answer came or not."""
        self._remaining.ended(call)

    def learn_quota(self, call: int, told: Json) -> None:
        """Take over what the answer to a call tells is left: a number, or the text of a header; nothing else."""
        remaining = told_number(told)
        if remaining is not None:
            self._remaining.told(call, remaining)

    def learn_burst_limit(self, told: Json) -> None:
        """Take over a number of requests a second, likewise."""
        if burst := told_number(told):
            self.burst_limit = burst

    def learn_from_envelope(self, call: int, headers: Mapping[str, str], limits: JsonObject) -> None:
        """Take over from `meta.rate_limit` what no header of the same answer has told, or none that makes sense."""
        if told_number(headers.get(QUOTA_REMAINING)) is None:
            self.learn_quota(call, limits.get("remaining"))
        if not told_number(headers.get(BURST_LIMIT)):
            self.learn_burst_limit(limits.get("burst_limit"))

    def learn_date(self, text: str | None) -> None:
        """Take over the time of an answer's `Date`; what is none says nothing."""
        try:
            self.date = http_date(text or "")
        except (ValueError, OverflowError):
            self.date = None

    def took(self, seconds: float) -> None:
        """Remember how long a request took from leaving to its whole answer."""
        with self._lock:
            self._lately.append(seconds)

    def passed(self) -> None:
        """Go a little faster again: the service took a request."""
        with self._lock:
            self.share = min(1.0, self.share + FASTER)

    def too_many(self, *, now: float, wait: float) -> None:
        """Go slower, and send nothing at all for so many seconds from `now`, which is told by the run's clock."""
        with self._lock:
            # While nothing is sent, a 429 is of a request that left before: of many side by side, one counts.
            if now >= self.held_until:
                slowest = max(SLOWEST, min(1.0, LEAST_RATE / (self.burst_limit * SHARE_OF_LIMIT)))
                self.share = max(slowest, self.share * SLOWER)
            self.held_until = max(self.held_until, now + wait)


def http_date(text: str) -> datetime:
    """Read a date of HTTP's (RFC 9110, section 5.6.7); raises ValueError or OverflowError for what is none."""
    told = parsedate_to_datetime(text)
    # One of the three forms, asctime, names no zone; all of them are UTC.
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def told_number(value: Json) -> int | None:
    """Read a number of calls or seconds, as JSON or as the text of a header; None for what is none."""
    if isinstance(value, str) and value.isascii() and value.strip().isdecimal() and len(value) <= 15:
        value = int(value)
    return sensible_number(value)
