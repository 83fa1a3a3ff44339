"""The tables of docs/explanation/scale.md: what calls take, what a month allows, how often a team may look.

`python -m benchmarks.month` prints all of them; with `--pages` it plays a workspace of yours. No service is asked.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import click

from benchmarks.quota import TIERS, Tier, reads, runs, seconds, writing
from benchmarks.team import Habits, Play, Schedule, Task, most_often, outlook
from bio_sync.checkup.calls import SCHEDULES, interval
from bio_sync.visible import plural
from bio_sync.workspaces.spread import MOST_JOBS

DAY, HOUR, MINUTE = 86_400, 3_600, 60
WORKSPACES, TEAMS = (100, 1_000, 10_000), (1, 5, 20)
LOOKED_AT = (DAY, HOUR, 15 * MINUTE)
PLAYED = (None, Schedule(DAY), Schedule(HOUR))
MANY_PAGES = 1_000_000
# GitHub's free tier runs so many jobs of all repositories side by side (docs.github.com, Actions limits).
SIDE_BY_SIDE = 20
# A job checks out, installs and asks; GitHub counts whole minutes of it.
MINUTES_A_JOB = 1
_TIERS = tuple(tier.name for tier in TIERS)
_DEFAULT = Habits()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table; what begins with a digit stands on the right."""
    lines = [list(row) for row in rows]
    right = [all(line[column][:1].isdigit() or line[column] == "no" for line in lines) for column in range(len(head))]
    rule = ["---:" if each else "---" for each in right]
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, rule, *lines))


def times() -> str:
    """Write how long the calls of a run take on each tier, at the least."""

    def row(what: str, calls: Sequence[int]) -> Iterator[str]:
        yield what
        for tier, count in zip(TIERS, calls, strict=True):
            yield took(seconds(count, tier)) if count <= tier.calls else "no"

    plans = [row(f"`plan` of {pages:,} pages", [reads(pages)] * len(TIERS)) for pages in (200, 1_000, 10_000)]
    applies = [
        row(
            f"`apply` of {writes:,} changes among {pages:,}",
            [reads(pages) + writing(writes, pages, tier.rate) for tier in TIERS],
        )
        for writes, pages in ((20, 200), (200, 1_000), (900, 1_000), (10_000, 10_000))
    ]
    return table(["", *_TIERS], [list(cells) for cells in (*plans, *applies)])


def took(time: float) -> str:
    """Write seconds as people say them."""
    if time < MINUTE:
        return f"{time:.1f} s" if time >= 0.05 else "at once"
    return f"{time / MINUTE:.1f} min" if time < HOUR else f"{time / HOUR:.1f} h"


def budgets() -> str:
    """Write what a schedule uses of the longest month, and what that leaves for writes, pull requests and people."""
    return table(
        ["pages", "`plan` every", "calls", *(f"{name} leaves" for name in _TIERS)],
        [
            [f"{pages:,}", interval(every), f"{used:,}", *(left(tier.calls - used) for tier in TIERS)]
            for pages in (200, 1_000, 5_000, 10_000)
            for every in LOOKED_AT
            for used in [runs(every) * reads(pages)]
        ],
    )


def left(calls: int) -> str:
    """Write how many calls are left, if any."""
    return f"{calls:,}" if calls > 0 else "no"


def decisions(play: Play) -> str:
    """Write the most frequent drift that fits, by pages, people and tier."""

    def cell(pages: int, people: int, tier: Tier) -> str:
        if schedule := most_often(pages, people, tier, play):
            return f"every {interval(schedule.every)}"
        return "no" if outlook(pages, people, None, tier, play).verdict == "no" else "no schedule"

    return table(
        ["pages", "people", *_TIERS],
        [
            [f"{pages:,}", str(people), *(cell(pages, people, tier) for tier in TIERS)]
            for pages in WORKSPACES
            for people in TEAMS
        ],
    )


def months(play: Play) -> str:
    """Write what a month needs: the median, and what nineteen of twenty months need no more than."""
    return table(
        ["pages", "people", "drift", *_TIERS],
        [
            [
                f"{pages:,}",
                str(people),
                interval(schedule.every) if schedule else "none",
                *needs(pages, people, schedule, play),
            ]
            for pages in WORKSPACES
            for people in TEAMS
            for schedule in PLAYED
        ],
    )


def needs(pages: int, people: int, schedule: Schedule | None, play: Play) -> Iterator[str]:
    """Write what a month needs on each tier, and whether that fits."""
    for tier in TIERS:
        found = outlook(pages, people, schedule, tier, play)
        yield f"{found.median:,} / {found.usual:,} {found.verdict}"


def spread() -> str:
    """Write what one look at a million pages is, by how many of them a workspace has."""
    return table(
        [
            "pages a workspace",
            "workspaces and jobs",
            "API calls",
            "workflows",
            "runner minutes",
            f"with {SIDE_BY_SIDE} runners",
        ],
        [
            [
                f"{pages:,}",
                f"{jobs:,}",
                f"{jobs * reads(pages):,}",
                f"{-(-jobs // MOST_JOBS):,}",
                f"{jobs * MINUTES_A_JOB:,}",
                took(-(-jobs // SIDE_BY_SIDE) * MINUTES_A_JOB * MINUTE),
            ]
            for pages in (25, 200, 1_000, 10_000)
            for jobs in [MANY_PAGES // pages]
        ],
    )


@click.command()
@click.option(
    "--pages", type=click.IntRange(1, 100_000), help="Pages of your workspace; without, all tables are printed."
)
@click.option(
    "--people", type=click.IntRange(0, 500), default=5, show_default=True, help="People who open pull requests."
)
@click.option("--every", type=click.Choice([interval(each) for each in SCHEDULES]), help="How often it runs by itself.")
@click.option(
    "--task", type=click.Choice(["drift", "apply"]), default="drift", show_default=True, help="What runs then."
)
@click.option(
    "--pull-requests",
    type=click.FloatRange(0, 500),
    default=_DEFAULT.pull_requests,
    show_default=True,
    help="A month and person.",
)
@click.option(
    "--pushes", type=click.FloatRange(1, 100), default=_DEFAULT.pushes, show_default=True, help="Of a pull request."
)
@click.option(
    "--writes",
    type=click.FloatRange(1, 10_000),
    default=_DEFAULT.pages,
    show_default=True,
    help="Pages that a merge writes.",
)
@click.option(
    "--edits",
    type=click.FloatRange(0, 500),
    default=_DEFAULT.edits,
    show_default=True,
    help="In the dashboard, a month and person.",
)
@click.option("--months", "count", type=click.IntRange(1, 10_000), default=Play().months, show_default=True)
@click.option("--seed", type=int, default=Play().seed, show_default=True, help="Another one is other dice.")
def main(
    *,
    pages: int | None,
    people: int,
    every: str | None,
    task: Task,
    pull_requests: float,
    pushes: float,
    writes: float,
    edits: float,
    count: int,
    seed: int,
) -> None:
    """Play months of API calls against the quota of each xQR tier. No network."""
    habits = replace(_DEFAULT, pull_requests=pull_requests, pushes=pushes, pages=writes, edits=edits)
    play = Play(count, seed, habits)
    if pages is None:
        for each in (decisions(play), times(), budgets(), spread(), months(play)):
            click.echo(each)
        return
    schedule = next((Schedule(each, task) for each in SCHEDULES if interval(each) == every), None)
    what = f"{plural(pages, 'page')}, {people} at work, {f'{task} every {every}' if every else 'nothing on a schedule'}"
    click.echo(f"{what}: calls a month ({count:,} played: half / 95 % of them need no more)")
    for tier, need in zip(TIERS, needs(pages, people, schedule, play), strict=True):
        fitting = most_often(pages, people, tier, play, task)
        advice = f"{task} every {interval(fitting.every)} fits" if fitting else "no schedule fits"
        click.echo(f"{tier.name:<11} {need:<24} of {tier.calls:>7,}; {advice}")


if __name__ == "__main__":
    main()
