"""A team and its month, played with dice: pull requests, merges, edits in the dashboard, and what a schedule runs."""

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache
from math import ceil, floor, log
from operator import itemgetter
from random import Random
from typing import Literal, TypeAlias

from benchmarks.quota import Tier, Verdict, judged, reads, runs, writing
from bio_sync.checkup.calls import LONGEST_MONTH, SCHEDULES

Task: TypeAlias = Literal["drift", "apply"]
# Between two pushes of a pull request lie so many hours, on average.
HOURS_A_PUSH = 4
USUALLY = 0.95


@dataclass(frozen=True, slots=True)
class Habits:
    """What people do in a month, on average. Of each person: `pull_requests`, and `edits` in the dashboard.

    A pull request has `pushes`, each with a `plan`; merged, it costs `plans_a_merge` (one with the action for
    GitHub, two with the jobs of `init --ci`) and writes `pages`. Of the whole team there are `campaigns`: pull
    requests that write a `share` of all pages. `repeated` is the share of calls that are made again.
    """

    pull_requests: float = 8
    pushes: float = 3
    pages: float = 2
    edits: float = 2
    campaigns: float = 1
    share: float = 0.25
    plans_a_merge: int = 2
    repeated: float = 0.005


@dataclass(frozen=True, slots=True)
class Schedule:
    """What runs every so many seconds: `drift` tells, and a person answers it; `apply` writes by itself."""

    every: int
    task: Task = "drift"


# When; pushes of a pull request that is merged then, or 0: an edit in the dashboard; pages and share of pages written.
Event: TypeAlias = tuple[float, int, int, float]


@dataclass(frozen=True, slots=True)
class Play:
    """How many months are played, with which dice, by people with which habits."""

    months: int = 100
    seed: int = 7
    habits: Habits = field(default_factory=Habits)


# What people do. Everybody has dice of their own, so that one person more changes nothing for the others.


def _moments(dice: Random | None, times: float) -> list[float]:
    """Give the moments of a month at which something happens so many times; without dice, evenly."""
    if dice is None:
        return [(number + 0.5) * LONGEST_MONTH / times for number in range(round(times))]
    found: list[float] = []
    at = dice.expovariate(times / LONGEST_MONTH) if times else LONGEST_MONTH
    while at < LONGEST_MONTH:
        found.append(at)
        at += dice.expovariate(times / LONGEST_MONTH)
    return found


def _some(dice: Random | None, mean: float) -> int:
    """Give a number from 1, mostly a small one."""
    if dice is None or mean <= 1:
        return round(mean)
    return 1 + floor(log(1 - dice.random()) / log(1 - 1 / mean))


def _pull_request(dice: Random | None, begun: float, habits: Habits) -> tuple[float, int]:
    """Give when a pull request is merged, and its pushes; what runs into the next month has come from the last."""
    pushes = _some(dice, habits.pushes)
    gaps = [HOURS_A_PUSH if dice is None else dice.expovariate(1 / HOURS_A_PUSH) for _ in range(pushes)]
    return (begun + sum(gaps) * 3_600) % LONGEST_MONTH, pushes


@cache
def _of_a_person(habits: Habits, name: str | None) -> tuple[Event, ...]:
    dice = Random(name) if name else None  # noqa: S311 - dice, not a secret
    found: list[Event] = [(at, 0, 0, 0) for at in _moments(dice, habits.edits)]
    for begun in _moments(dice, habits.pull_requests):
        merged, pushes = _pull_request(dice, begun, habits)
        found.append((merged, pushes, _some(dice, habits.pages), 0))
    return tuple(found)


@cache
def _of_the_team(habits: Habits, name: str | None) -> tuple[Event, ...]:
    dice = Random(name) if name else None  # noqa: S311 - dice, not a secret
    begun = _moments(dice, habits.campaigns)
    return tuple((*_pull_request(dice, at, habits), 0, habits.share) for at in begun)


@cache
def events(habits: Habits, people: int, month: str | None) -> tuple[Event, ...]:
    """Give what happens in a month, in its order; without a `month` there are no dice, and all is as on average."""
    found = list(_of_the_team(habits, month)) if people else []
    for person in range(people):
        found += _of_a_person(habits, month and f"{month}, person {person}")
    return tuple(sorted(found, key=itemgetter(0)))


class _Repeats:
    """Which calls of a month are made again: the same ones, however many there are."""

    def __init__(self, share: float, name: str) -> None:
        self._dice, self._share = Random(name), share  # noqa: S311 - dice, not a secret
        self._positions: list[int] = [0]

    def among(self, calls: int) -> int:
        """Count those among the first so many calls."""
        if not self._share:
            return 0
        while self._positions[-1] <= calls:
            gap = 1 + floor(log(1 - self._dice.random()) / log(1 - self._share))
            self._positions.append(self._positions[-1] + gap)
        return bisect_right(self._positions, calls) - 1


_repeats = cache(_Repeats)


def month_of_calls(
    pages: int, people: int, schedule: Schedule | None, tier: Tier, habits: Habits, month: str | None
) -> int:
    """Count the calls of a month: `month` names its dice, None plays it without any.

    An edit in the dashboard is found by the next scheduled run. After `drift` a person runs `plan` and writes it back;
    `apply` does so by itself. An edit that nobody has answered goes with the next merge.
    """
    plan, rate = reads(pages), tier.rate
    calls = runs(schedule.every) * plan if schedule else 0
    edited, due = 0, float("inf")

    def written(writes: int) -> int:
        return writing(min(writes, pages), pages, rate)

    def answered() -> int:
        return written(edited) + (plan if schedule and schedule.task == "drift" else 0)

    for at, pushes, some, share in events(habits, people, month):
        if at >= due:
            calls += answered()
            edited, due = 0, float("inf")
        if pushes:
            calls += (pushes + habits.plans_a_merge) * plan + written(some + ceil(share * pages) + edited)
            edited, due = 0, float("inf")
        else:
            if schedule and not edited:
                due = (at // schedule.every + 1) * schedule.every
            edited += 1
    if schedule and edited:
        calls += answered()
    return calls + (_repeats(habits.repeated, f"{month}, repeats").among(calls) if month else 0)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What many months need: one of two needs no more than `median`, nineteen of twenty no more than `usual`."""

    median: int
    usual: int
    verdict: Verdict


@cache
def outlook(pages: int, people: int, schedule: Schedule | None, tier: Tier, play: Play) -> Outlook:
    """Play many months, and hold what they need against the quota."""
    played = sorted(
        month_of_calls(pages, people, schedule, tier, play.habits, f"{play.seed}, month {month}")
        for month in range(play.months)
    )
    usual = played[ceil(USUALLY * play.months) - 1]
    return Outlook(played[(play.months - 1) // 2], usual, judged(usual, tier))


def most_often(pages: int, people: int, tier: Tier, play: Play, task: Task = "drift") -> Schedule | None:
    """Give the most frequent schedule that fits beside what people do; None when not even the rarest does."""
    if outlook(pages, people, None, tier, play).verdict != "fits":
        return None
    for every in SCHEDULES:
        schedule = Schedule(every, task)
        # What the runs alone use up needs no dice.
        alone = judged(runs(every) * reads(pages), tier)
        if alone == "fits" and outlook(pages, people, schedule, tier, play).verdict == "fits":
            return schedule
    return None
