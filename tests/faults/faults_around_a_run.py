"""What can go wrong around a run: signals, kills, disks, plan files, clocks, hostile text: faults 36 to 44."""

import signal
import threading
import time
from random import Random
from typing import Any

from tests.faults.stage import Hook, Stage
from tests.faults.table import fault, lost

HOSTILE = (
    "\x1b[31mred\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "::error::injected",
    "\n::add-mask::a\n",
    "##[add-mask]a",
    "```\n# fence\n```",
    "@everyone fixes #1",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\u202egnp.exe\u2066x\u2069",
    "\x9b31m\r\b\x00\x7f",
    "[link=https://evil.example]x[/link][/oops]",
)


class Killed(BaseException):
    """The process is no more: nothing is done after this, as far as one process can play that."""


@fault(36, "SIGINT / SIGTERM at each of the steps 1-7 x page 1..n")
def interrupted(stage: Stage) -> None:
    number = stage.random.choice((signal.SIGINT, signal.SIGTERM))
    _signalled(stage, [number])
    if stage.random.random() < 0.4:
        stage.strike_write(**lost(stage), **stage.random.choice(({}, {"after": True}, {"late": 8.0})))


@fault(37, "SIGKILL at each step")
def killed(stage: Stage) -> None:
    after = stage.random.randint(0, 2 * stage.count + 2)
    stage.killed_after = after
    if stage.random.random() < 0.4:
        stage.strike_write(**lost(stage), **stage.random.choice(({}, {"after": True}, {"late": 8.0})))


@fault(38, "second SIGINT")
def interrupted_twice(stage: Stage) -> None:
    _signalled(stage, [signal.SIGINT, stage.random.choice((signal.SIGINT, signal.SIGTERM))])
    stage.may |= {"unknown/interrupted", "unknown/unreachable"}


@fault(39, "disk full on plan / report / journal / stdout; read-only dir; closed pipe")
def disk_full(stage: Stage) -> None:
    stage.way = stage.random.choice(("full disk", "full output", "closed pipe"))


@fault(40, "plan file: truncated, each byte flipped, other repo/commit/host/tool version, re-used, newer schema")
def spoiled_plan(stage: Stage) -> None:
    stage.way = stage.random.choice(("flipped plan", "flipped plan", "truncated plan", "other plan", "edited", "plan"))
    stage.forces = False
    stage.arguments += ["--force"]
    stage.may |= {"error/invalid", "error/stale"}
    stage.anywhere = True


@fault(42, "clock +-10 years, backwards step")
def wrong_clock(stage: Stage) -> None:
    years = stage.random.choice((-10, -1, 1, 10)) * 365 * 86_400
    stage.sandbox_clock = lambda: stage.clock.now + years
    if stage.random.random() < 0.5:
        stage.strike_write(**lost(stage), late=stage.random.uniform(1, 14))
    if stage.random.random() < 0.3:
        date = stage.random.choice(("Fri, 01 Jan 2036 00:00:05 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"))
        headers = {"Retry-After": "Fri, 01 Jan 2036 00:00:10 GMT", "Date": date}
        stage.strike_read(status=429, code="BURST_LIMIT_EXCEEDED", headers=headers)


@fault(43, "server echoes the Authorization header in body / error / header")
def echoed_key(stage: Stage) -> None:
    stage.way = "echo"
    stage.may |= {"failed/rejected", "error/rejected", "error/unreachable", "failed/unreachable"}
    stage.may |= {"error/auth", "failed/auth", "skipped/auth", "unknown/unreachable", "failed/gone", "error/gone"}
    stage.anywhere = True


@fault(44, "hostile live text in every string field (ANSI, OSC, ::cmd, ##[, fences, mentions, HTML, bidi, 1 MB string)")
def hostile_text(stage: Stage) -> None:
    stage.way = "text"
    for page in stage.live:
        kinds = stage.random.sample(HOSTILE, 4)
        page["title"] = kinds[0] if stage.random.random() < 0.8 else page["title"]
        page["description"] = kinds[1]
        page["page_data"] = page["page_data"] | {"theme": kinds[2], "footer": {kinds[3]: kinds[0]}}
        if stage.random.random() < 0.05:
            page["page_data"]["big"] = "x" * 1_000_000
    hostile = stage.random.choice(HOSTILE)
    if stage.random.random() < 0.4:
        stage.strike_write(status=400, code="VALIDATION_ERROR", message=hostile)
        stage.may |= {"failed/rejected"}


def echo(random: Random, key: str) -> dict[str, Any]:
    """Draw an answer that tells the key, or a part of it, to everybody."""
    secret = key.partition(".")[2]
    told = random.choice((f"Bearer {key}", secret, secret[5:30], secret.replace("-", "%2D"), key[::-1]))
    status = random.choice((400, 401, 404, 500))
    kind = random.randrange(3)
    if kind == 0:
        return {"status": status, "message": f"no such thing: {told}"}
    if kind == 1:
        return {"status": status, "headers": {"X-Request-Id": told, "Retry-After": told}}
    return {"status": status, "body": f"<html>{told}</html>"}


def _signalled(stage: Stage, numbers: list[signal.Signals]) -> None:
    stage.signals = True
    stage.anywhere = True
    stage.may |= {"skipped/interrupted", "failed/interrupted", "unknown/interrupted", "error/interrupted"}
    main = threading.main_thread().ident
    assert main is not None

    def send() -> None:
        # As the system does: to the main thread, which hears it wherever it waits.
        with stage.signalling:
            for number in numbers:
                signal.pthread_kill(main, number)
                time.sleep(0.003)

    stage.hooks.append(Hook(send, skip=stage.random.randint(0, 2 * stage.count)))
