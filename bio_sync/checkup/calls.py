"""What a check-up says of the month's calls, and of what a schedule would use of them."""

from datetime import datetime
from math import ceil

from bio_sync.answers import LARGER_PLAN_HINT, SEE_PLAN_HINT, Usage
from bio_sync.checkup.seen import Check, Files, Seen, Status
from bio_sync.errors import PageGone, QuotaUsedUp, ServiceError
from bio_sync.model import PAGES_A_CALL
from bio_sync.visible import plural, shortened

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
LONGEST_MONTH = 31 * _DAY
# Seconds between two runs, as people write them into a crontab.
SCHEDULES = (
    *(minutes * _MINUTE for minutes in (1, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 4, 6, 8, 12)),
    *(days * _DAY for days in (1, 2, 3, 7, 14)),
)
_UNITS = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m"), (1, "s"))


def about_calls(seen: Seen, files: Files, every: int | None) -> Check:
    """Say what the month has left, and what runs every so many seconds would use of it."""
    if isinstance(seen.live, QuotaUsedUp):
        return Check("calls", "fail", seen.live.message, seen.live.hint)
    usage, left = seen.told, seen.left
    if left is None and usage.calls is not None and usage.most_calls is not None:
        left = max(0, usage.most_calls - usage.calls)
    plan = f"{shortened(usage.plan[:1].upper() + usage.plan[1:], 24)}: " if usage.plan else ""
    # Where the two answers contradict each other, what every answer says counts.
    told = usage.most_calls is not None and (left is None or left <= usage.most_calls)
    limit = f" of {usage.most_calls:,}" if told else ""
    how_many = "nobody says how many calls are" if left is None else f"{left:,}{limit}"
    status, words, hint = _schedule(seen, files, left, every) if every else _rest(seen, files, left)
    if left == 0:
        words, hint = ": every command that asks the service will fail until it ends", LARGER_PLAN_HINT
        return Check("calls", "fail", f"{plan}{how_many} left this month{words}", hint)
    message = f"{plan}{how_many} left this month{words}"
    if isinstance(seen.usage, Usage) or status != "ok":
        return Check("calls", status, message, hint)
    why, hint = _unknown(seen.usage)
    return Check("calls", "warn", f"{message}; plan and limit are not known{why}", hint)


def interval(seconds: int) -> str:
    """Write a time between two runs as `--every` takes it."""
    return next(f"{seconds // unit}{name}" for unit, name in _UNITS if seconds % unit == 0)


def month_left(now: datetime) -> int:
    """Give the seconds until the month, which the service counts in UTC, ends."""
    years, months = divmod(now.year * 12 + now.month, 12)
    return ceil((datetime(years, months + 1, 1, tzinfo=now.tzinfo) - now).total_seconds())


def _unknown(usage: ServiceError | Usage | None) -> tuple[str, str]:
    """Say why the usage is not known, and the way out."""
    if not isinstance(usage, ServiceError):
        return ", since the list took both calls", SEE_PLAN_HINT
    if usage.code == "INSUFFICIENT_SCOPE":
        return "", "give the key the scope workspace:read"
    if isinstance(usage, PageGone):
        return f": the service does not tell its usage ({usage.status})", SEE_PLAN_HINT
    return f": {usage.message}", usage.hint or SEE_PLAN_HINT


def _cost(seen: Seen, files: Files) -> tuple[int, str]:
    """Give the calls of a run, and how to say it: of `drift`, which lists all pages even when one file is there."""
    seen_pages = 0 if isinstance(seen.live, ServiceError) else len(seen.live)
    cost = max(1, ceil((seen.told.pages or seen_pages) / PAGES_A_CALL))
    least = "at least " if seen.some and seen.told.pages is None else ""
    single = " of drift, 1 of plan" if files.files == 1 and cost > 1 else ""
    return cost, f"{least}{plural(cost, 'call')} a run{single}"


def _rest(seen: Seen, files: Files, left: int | None) -> tuple[Status, str, str]:
    """Say how many runs a day the rest of the month has calls for."""
    if left is None:
        return "warn", "", SEE_PLAN_HINT
    cost, words = _cost(seen, files)
    runs = left * _DAY // (cost * max(_DAY, month_left(seen.now)))
    if not runs:
        return "warn", f": less than one run a day until it ends ({words})", LARGER_PLAN_HINT
    return "ok", f": {plural(runs, 'run')} a day until it ends ({words})", ""


def _schedule(seen: Seen, files: Files, left: int | None, every: int) -> tuple[Status, str, str]:
    """Say what a schedule uses of a whole month and of what is left of this one."""
    cost, words = _cost(seen, files)
    rest, most = month_left(seen.now), seen.told.most_calls

    def used(seconds: int) -> tuple[int, int]:
        return ceil(LONGEST_MONTH / seconds) * cost, ceil(rest / seconds) * cost

    def fits(seconds: int) -> bool:
        whole, until_end = used(seconds)
        return (most is None or whole <= most) and (left is None or until_end <= left)

    whole, until_end = used(every)
    told = f"; every {interval(every)} uses {whole:,} a month ({words})"
    if fits(every):
        return "ok", told, ""
    told += f", {until_end:,} until this one ends"
    slower = next((seconds for seconds in SCHEDULES if seconds > every and fits(seconds)), None)
    hint = f"plan less often, such as --every {interval(slower)}" if slower else LARGER_PLAN_HINT
    return "warn", told, hint
