"""What a check-up says of this version, the service, the key, its scopes and the clock."""

import platform
from datetime import timedelta

from bio_sync.answers import Usage
from bio_sync.checkup.seen import Check, Seen, Status
from bio_sync.errors import QuotaUsedUp, ServiceError, TooManyRequests, Unauthorised
from bio_sync.version import __version__
from bio_sync.visible import plural, visible

# A link that comes or goes at a minute is late by no more than that.
MOST_OFF = timedelta(seconds=60)
UNTRIED = "bio:write is not tried, since trying it would write"


def about_version() -> Check:
    """Say what runs."""
    return Check("version", "ok", f"bio-sync {__version__}, Python {platform.python_version()}")


def about_service(seen: Seen) -> Check:
    """Say whether xQR answers."""
    live = seen.live
    if not isinstance(live, ServiceError) or isinstance(live, Unauthorised | QuotaUsedUp):
        return Check("service", "ok", f"{visible(seen.address)} answers, in {max(0.1, seen.seconds):.1f} s")
    status: Status = "warn" if isinstance(live, TooManyRequests) else "fail"
    return Check("service", status, live.message, live.hint or "try again later")


def about_key(shown: str, seen: Seen) -> Check:
    """Say whether the service knows the key; `shown` is what may be seen of it."""
    if seen.key_is_good:
        return Check("key", "ok", shown)
    if isinstance(seen.live, Unauthorised):
        return Check("key", "fail", f"{shown}: {seen.live.message}", seen.live.hint)
    return Check("key", "warn", f"{shown}, not tried", "first the service has to answer")


def about_scopes(seen: Seen) -> Check:
    """Say what the key may do, as far as reading shows it."""
    if isinstance(seen.live, ServiceError):
        missing = seen.live.code == "INSUFFICIENT_SCOPE"
        hint = "give the key the scope bio:read" if missing else seen.live.hint
        return Check("scopes", "fail", f"bio:read is not allowed: {seen.live.message}", hint)
    if isinstance(seen.usage, Usage):
        return Check("scopes", "ok", f"bio:read and workspace:read are allowed; {UNTRIED}")
    refused = isinstance(seen.usage, Unauthorised)
    more = "workspace:read is not" if refused else "whether workspace:read is can't be told"
    return Check("scopes", "ok", f"bio:read is allowed, {more}; {UNTRIED}")


def about_clock(seen: Seen) -> Check:
    """Compare this machine's clock with the service's, which tells whole seconds."""
    if seen.date is None:
        hint = "look at this machine's clock yourself: links with times show by it"
        return Check("clock", "warn", "not compared: the service does not tell the time", hint)
    off = seen.now - seen.date
    if abs(off) <= MOST_OFF:
        return Check("clock", "ok", f"as the service's, to {plural(max(1, round(abs(off).total_seconds())), 'second')}")
    which = "ahead of" if off > timedelta() else "behind"
    hint = "set this machine's clock: links with times show by it"
    return Check("clock", "warn", f"{_long(abs(off))} {which} the service's", hint)


def _long(time: timedelta) -> str:
    minutes = round(time.total_seconds() / 60)
    if minutes < 120:
        return plural(minutes, "minute")
    return plural(minutes // 60, "hour") if minutes < 48 * 60 else plural(time.days, "day")
