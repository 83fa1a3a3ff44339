"""What a workspace may ask of xQR, and what a run of bio-sync asks: by the rules that bio-sync itself goes by.

How a list is read is asked of `listing`, what an apply looks at again of `applying.guards`, how a schedule counts of
`checkup`, how fast calls are made of `transport`: nothing of it is written down here a second time.
"""

from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import Literal, TypeAlias, cast

from bio_sync.applying.guards import looks_needed
from bio_sync.applying.run import Terms
from bio_sync.checkup.calls import LONGEST_MONTH
from bio_sync.listing import Listing
from bio_sync.model import PAGES_A_CALL, LivePage, PageContent
from bio_sync.planning import UPDATE, Change, Circumstances, Plan
from bio_sync.transport.meter import Meter

Verdict: TypeAlias = Literal["fits", "tight", "no"]
# A fifth of the month is left for what nobody has thought of.
SHARE_THAT_FITS = 0.8


@dataclass(frozen=True, slots=True)
class Tier:
    """What xQR is paid for: calls a second and key, calls a month and workspace (docs.xqr.co, rate limits)."""

    name: str
    burst_limit: int
    calls: int

    @property
    def rate(self) -> float:
        """Calls a second that bio-sync makes."""
        return Meter(burst_limit=self.burst_limit).rate


PRO, BUSINESS, ENTERPRISE = TIERS = (
    Tier("Pro", 10, 1_000),
    Tier("Business", 50, 25_000),
    Tier("Enterprise", 200, 100_000),
)


@cache
def reads(pages: int) -> int:
    """Count the calls of one `plan` of a workspace whose pages all have files."""
    ids = [str(number) for number in range(pages)]
    # Only their ids are looked at.
    page = cast("LivePage", None)
    listing = Listing(lambda offset: dict.fromkeys(ids[offset : offset + PAGES_A_CALL], page), frozenset(ids))
    listing.read()
    return listing.batches


@cache
def writing(writes: int, pages: int, rate: float, max_age: float = Terms().max_age) -> int:
    """Count the calls of an apply after its plan: the writes, and the looks that keep its view of the pages fresh."""
    nothing = PageContent(None, None, {}, None)
    change = Change("", "", "", "", False, 0, 0, (UPDATE,), None, "", (), {}, nothing, nothing)
    plan = Plan(Circumstances("", "", "", reads(pages), None), (change,) * writes, (), (), (), ())
    return writes + looks_needed(plan, rate=rate, max_age=max_age)


def runs(every: int) -> int:
    """Count the runs of a schedule in the longest month."""
    return ceil(LONGEST_MONTH / every)


def seconds(calls: int, tier: Tier) -> float:
    """Give the least seconds that so many calls take: the first leaves at once, the others at an even pace."""
    return max(0, calls - 1) / tier.rate


def judged(calls: int, tier: Tier) -> Verdict:
    """Say whether so many calls are fine for a month."""
    if calls > tier.calls:
        return "no"
    return "fits" if calls <= SHARE_THAT_FITS * tier.calls else "tight"
