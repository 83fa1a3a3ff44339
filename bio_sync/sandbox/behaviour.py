"""How one xQR differs from another: the vendor's own pages disagree, so every variant can be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Page = dict[str, Any]
Clock = Callable[[], float]
RateLimitShape = Literal["month", "burst", "unix", "none"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The choices that the vendor's documentation leaves open, and the plan's limits.

    Attributes:
        paging: what `limit` and `offset` do to the list: nothing, an answer 400, or what they say
            (limit 1-200, 50 when absent; offset from 0).
        patch: `page_data` is replaced whole, or merged as RFC 7396 says (null removes a member).
        rate_limit: the shape of `meta.rate_limit`: `{remaining, reset_at}`,
            `{limit, remaining, burst_limit, burst_remaining}`, `{limit, remaining, reset}`, or absent.
        burst_limit: calls a second and key (a token bucket of that size).
        monthly_limit: calls a calendar month (UTC) and workspace.
        plan: the plan's name in `/workspace/usage`.
        page_limit: the number of pages beyond which a POST is refused.
        normalise: what the service makes of `{title, description, page_data}` before it stores them.
        stale: seconds for which GET, of one page and of the list, goes on showing a page as it was before
            a write over the API, with whatever came after that write (eventually consistent reads).
            Answers to writes, public pages and the sandbox's own hands show the truth.
    """

    paging: Literal["ignore", "refuse", "honour"] = "honour"
    patch: Literal["replace", "merge"] = "replace"
    rate_limit: RateLimitShape = "burst"
    burst_limit: int = 10
    monthly_limit: int = 1000
    plan: str = "pro"
    page_limit: int = 100
    normalise: Callable[[Page], Page] | None = None
    stale: float = 0.0
