"""`bio-sync doctor`: one screen on whether all is well, and what to do where it is not."""

import os
import re
import sys
from typing import TYPE_CHECKING

import click

from bio_sync.commands.group import command, format_option
from bio_sync.commands.service import connect, told_key
from bio_sync.errors import InvalidAddress, InvalidKey
from bio_sync.options import Session

if TYPE_CHECKING:
    from bio_sync.checkup import Check, Files, Seen
    from bio_sync.jsonvalues import Json, JsonObject
    from bio_sync.key import ApiKey

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
LEAST, MOST = 30, 31 * 86_400
STYLES = {"ok": "add", "warn": "warning", "fail": "remove"}
INDENT = " " * 16


def _interval(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    """Read a time between two runs into seconds."""
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]{1,7})([smhd])", value, re.ASCII)
    seconds = int(found.group(1)) * _SECONDS[found.group(2)] if found else 0
    if not LEAST <= seconds <= MOST:
        raise click.BadParameter("it is a time from 30s to 31d, such as 15m, 1h or 1d.")
    return seconds


@command("doctor", example="bio-sync doctor --every 1h")
@format_option("text", "json")
@click.option("--every", metavar="TIME", callback=_interval, help="Say what a run every 15m, 1h or 1d would use.")
def doctor(session: Session, *, every: int | None) -> int:
    """Look at service, key, calls, files, pages and clock. Two calls at most.

    Nothing is tried again: what is told is how it is now. Exit code 1 when a line says fail.
    """
    from bio_sync import checkup  # noqa: PLC0415

    files = checkup.read(session.config, now=session.now())
    checks = [checkup.about_version(), *_about_service(session, files, every)]
    code = int(any(check.status == "fail" for check in checks))
    _show(session, checks, code)
    return code


def _about_service(session: Session, files: "Files", every: int | None) -> list["Check"]:
    """Give the checks in their order; those that need an answer are left out when there is none."""
    from bio_sync.checkup import Check, about_key, about_service  # noqa: PLC0415

    try:
        key = told_key(session)
    except InvalidKey as error:
        service = Check("service", "warn", "not asked: it takes a key", "first there has to be a key")
        return [service, Check("key", "fail", error.message, error.hint), files.check]
    try:
        seen = _seen(session, key)
    except InvalidAddress as error:
        untried = Check("key", "warn", f"{_shown(session, key)}, not tried", "first the address has to be right")
        return [Check("service", "fail", error.message, error.hint), untried, files.check]
    service, known = about_service(seen), about_key(_shown(session, key), seen)
    return [service, known, *_about_answers(seen, files, every)]


def _seen(session: Session, key: "ApiKey") -> "Seen":
    from bio_sync import checkup  # noqa: PLC0415
    from bio_sync.api import Api  # noqa: PLC0415
    from bio_sync.interruption import Interruption  # noqa: PLC0415

    once = Interruption()
    # A run that is to end tries nothing again: with that, two calls are two requests.
    once.ending.set()
    with connect(session, Api, once, key=key) as api:
        return checkup.ask(api, clock=session.clock, now=session.now)


def _about_answers(seen: "Seen", files: "Files", every: int | None) -> list["Check"]:
    from bio_sync import checkup  # noqa: PLC0415

    checks = [files.check]
    if seen.key_is_good:
        scopes = [checkup.about_scopes(seen)] if seen.may_ask else []
        checks = [*scopes, checkup.about_calls(seen, files, every), *checks]
    if isinstance(seen.live, dict):
        checks.append(checkup.about_pages(seen, files))
    if seen.date or isinstance(seen.live, dict):
        checks.append(checkup.about_clock(seen))
    return checks


def _shown(session: Session, key: "ApiKey") -> str:
    """Say which key it is, by its prefix, and where it comes from."""
    from bio_sync.key import KEY_FILE_VARIABLE, KEY_VARIABLE  # noqa: PLC0415

    source = "--api-key-file" if session.api_key_file is not None else KEY_FILE_VARIABLE
    if session.api_key_file is None and os.environ.get(KEY_VARIABLE, "").strip():
        source = KEY_VARIABLE
    return f"{key.prefix}… (from {source})" if key.prefix else f"from {source}, not of the documented form"


def _show(session: Session, checks: list["Check"], code: int) -> None:
    from bio_sync import report  # noqa: PLC0415
    from bio_sync.render.text import Line, paint  # noqa: PLC0415
    from bio_sync.visible import calls_used, visible  # noqa: PLC0415

    calls, left = (session.meter.calls, session.meter.quota_remaining) if session.meter else (0, None)
    if session.output_format == "json":
        told: list[Json] = [
            {"name": each.name, "status": each.status, "message": each.message, "hint": each.hint} for each in checks
        ]
        api: JsonObject = {"calls": calls, "quota_remaining": left}
        session.terminal.result(report.as_text({"checks": told, "api": api, "exit_code": code}))
        return
    lines: list[Line] = []
    for each in checks:
        status = (f"{each.status:<6}", STYLES[each.status])
        lines.append((status, (f"{each.name:<10}{visible(each.message)}", "plain")))
        lines += [((f"{INDENT}{visible(each.hint)}", "quiet"),)] if each.hint else []
    lines.append(((f"API: {calls_used(calls, left)}.", "quiet"),))
    session.terminal.result(paint(lines, colour=session.terminal.colours(sys.stdout)))
