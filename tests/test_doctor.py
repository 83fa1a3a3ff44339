"""`bio-sync doctor`: one screen, two calls at most, and no failure that ends it."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bio_sync import answers, cli
from bio_sync.answers import Usage
from bio_sync.checkup import Check, Files, Seen, about_calls, about_pages
from bio_sync.checkup.calls import LONGEST_MONTH, SCHEDULES, interval, month_left
from bio_sync.errors import NotAnAnswer
from bio_sync.model import PageContent
from bio_sync.options import Session
from bio_sync.sandbox import Fault, Sandbox
from tests.conftest import Result, Run
from tests.network.conftest import RawServer, Wire
from tests.strategies import json_values, live_page

Start = Callable[..., Sandbox]
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SECRET = "Zq9xW4vKp7LmN2bRt8Ye" * 3 + "Ab3_"
wire = Wire()


def page_files(folder: Path, *ids: str) -> None:
    (folder / "pages").mkdir(exist_ok=True)
    for page_id in ids:
        (folder / "pages" / f"{page_id}.yaml").write_text(f"id: {page_id}\n")


def examine(capfd: pytest.CaptureFixture[str], *arguments: str, now: datetime = NOW) -> Result:
    """Run the command as on another day, with a clock that stands still."""
    capfd.readouterr()
    session = Session(clock=lambda: 0.0, now=lambda: now)
    code = cli.run(["doctor", *arguments], session)
    return Result(code, *capfd.readouterr())


def checks(result: Result) -> dict[str, tuple[str, str, str]]:
    told = json.loads(result.out)
    assert told["exit_code"] == result.code == int(any(each["status"] == "fail" for each in told["checks"]))
    return {each["name"]: (each["status"], each["message"], each["hint"]) for each in told["checks"]}


@pytest.fixture
def looked(run: Run) -> Callable[..., dict[str, tuple[str, str, str]]]:
    return lambda *arguments: checks(run("doctor", "--format", "json", *arguments))


Looked = Callable[..., dict[str, tuple[str, str, str]]]


@pytest.fixture
def raw(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., RawServer]]:
    """Start a server that answers with scripted bytes, and point the environment at it."""
    running: list[RawServer] = []

    def start(*replies: Any) -> RawServer:
        running.append(RawServer(*replies))
        monkeypatch.setenv("XQR_API_URL", running[-1].url)
        monkeypatch.setenv("XQR_API_KEY", f"xqr_pk_0a1b2c3d.{SECRET}")
        return running[-1]

    yield start
    for server in running:
        server.stop()


def seen(left: int | None, most: int | None, *, pages: int | None = None, now: datetime = NOW) -> Seen:
    return Seen("http://127.0.0.1", {}, Usage("pro", None, most, pages), 0.0, None, now, left)


def files(count: int = 7) -> Files:
    return Files(Check("files", "ok", ""), count, frozenset())


@given(
    st.integers(0, 100_000),
    st.none() | st.integers(0, 100_000),
    st.none() | st.integers(0, 5_000),
    st.integers(30, 31 * 86_400),
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - made aware
)
def test_a_schedule_is_fine_exactly_when_month_and_rest_suffice_and_the_slower_one_that_is_named_is(
    left: int, most: int | None, pages: int | None, every: int, now: datetime
) -> None:
    state = seen(left, most, pages=pages, now=now)
    cost = max(1, -(-(pages or 0) // 200))

    def suffices(seconds: int) -> bool:
        whole, rest = -(-31 * 86_400 // seconds) * cost, -(-month_left(now) // seconds) * cost
        return (most is None or whole <= most) and rest <= left

    told = about_calls(state, files(), every)
    assert (told.status == "ok") == suffices(every)
    if named := re.search(r"--every (\d+)([mhd])$", told.hint):
        seconds = int(named.group(1)) * {"m": 60, "h": 3_600, "d": 86_400}[named.group(2)]
        assert every < seconds
        assert about_calls(state, files(), seconds).status == "ok"
    elif told.status == "warn":
        assert not any(suffices(seconds) for seconds in SCHEDULES if seconds > every)


@given(st.integers(30, LONGEST_MONTH))
def test_an_interval_is_written_as_it_is_read(seconds: int) -> None:
    written = interval(seconds)
    assert int(written[:-1]) * {"s": 1, "m": 60, "h": 3_600, "d": 86_400}[written[-1]] == seconds


@given(st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - made aware
def test_the_month_ends_where_the_next_one_begins(now: datetime) -> None:
    end = now + timedelta(seconds=month_left(now))
    assert end.month == now.month % 12 + 1
    assert (end - timedelta(seconds=1)).month == now.month


@given(json_values)
def test_any_usage_is_read_in_part_or_told_to_be_none(value: Any) -> None:
    try:
        told = answers.usage(value)
    except NotAnAnswer:
        assert not isinstance(value, dict)
        return
    assert isinstance(told.plan, str)
    assert all(number is None or (type(number) is int and number >= 0) for number in (told.calls, told.pages))


@given(st.dictionaries(st.sampled_from(("plan", "usage", "limits")), json_values | st.dictionaries(
    st.sampled_from(("api_calls_this_month", "total_bio_pages", "api_calls_per_month")), json_values | st.just(1e300)
)))  # fmt: skip
def test_whatever_the_usage_says_there_is_one_line_on_it(value: dict[str, Any]) -> None:
    state = Seen("a", {}, answers.usage(value), 0.0, None, NOW, None)
    told = about_calls(state, files(), None)
    assert told.message.isprintable()
    assert len(told.message) < 300
    assert about_calls(state, files(), 3_600).status in {"ok", "warn"}
    assert about_pages(state, files()).status in {"ok", "warn"}


@given(st.sets(st.sampled_from("abcdefg")), st.sets(st.sampled_from("abcdefg"), min_size=1))
def test_pages_are_fine_exactly_when_each_has_a_file_and_each_file_a_page(live: set[str], named: set[str]) -> None:
    pages = {page_id: live_page(PageContent("", None, {}, None), page_id) for page_id in sorted(live)}
    state = Seen("a", pages, Usage("", None, None, len(pages)), 0.0, None, NOW, None)
    told = about_pages(state, Files(Check("files", "ok", ""), len(named), frozenset(named)))
    expected = "ok" if live == named else "warn" if live & named else "fail"
    assert told.status == expected
    assume(expected == "warn")
    assert ("bio-sync pull" in told.hint) == bool(live - named)


def test_a_healthy_workspace_is_one_screen_and_two_calls(
    folder: Path, capfd: pytest.CaptureFixture[str], raw: Callable[..., RawServer]
) -> None:
    page_files(folder, "bio_1", "bio_2")
    usage = {"plan": "pro", "usage": {"total_bio_pages": 3}, "limits": {"api_calls_per_month": 1000}}
    headers = {"Date": format_datetime(NOW, usegmt=True), "X-RateLimit-Remaining": "46"}
    pages = [wire.page(page_id, slug=f"slug-{page_id}") for page_id in ("bio_1", "bio_2", "bio_old")]
    server = raw(wire.data(pages, headers=headers), wire.data(usage, headers=headers))
    result = examine(capfd, "--every", "1h")
    assert result == Result(
        0,
        f"""\
ok    version   {result.out.splitlines()[0][16:]}
ok    service   {server.url} answers, in 0.1 s
ok    key       xqr_pk_0a1b2c3d… (from XQR_API_KEY)
ok    scopes    bio:read and workspace:read are allowed; bio:write is not tried, since trying it would write
warn  calls     Pro: 46 of 1,000 left this month; every 1h uses 744 a month (1 call a run), 206 until this one ends
                plan less often, such as --every 6h
ok    files     2 page files, no problems
warn  pages     1 live page has no file: bio_old slug-bio_old
                take it over: bio-sync pull bio_old
ok    clock     as the service's, to 1 second
API: 2 calls used, 46 left this month.
""",
        "",
    )
    assert [(each.method, each.target) for each in server.asked] == [
        ("GET", "/api/v1/bio/pages?limit=200&offset=0"),
        ("GET", "/api/v1/workspace/usage"),
    ]


def test_in_colour_the_words_are_the_same(
    folder: Path, capfd: pytest.CaptureFixture[str], raw: Callable[..., RawServer]
) -> None:
    raw(wire.error(401, "INVALID_API_KEY"))
    plain, coloured = examine(capfd), examine(capfd, "--color", "always")
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", coloured.out)
    assert "\x1b[31mfail" in coloured.out
    assert stripped == plain.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "runs a day until it ends (1 call a run)"),
        (("--every", "15m"), "every 15m uses 2,976 a month (1 call a run)"),
        (("--every", "90m"), "every 90m uses 496 a month (1 call a run)"),
    ],
)
def test_calls_are_told_with_a_schedule_or_without(
    folder: Path, start_sandbox: Start, looked: Looked, arguments: tuple[str, ...], words: str
) -> None:
    start_sandbox([{"id": "bio_1", "title": "A"}], monthly_limit=25_000, plan="business")
    # Of a single file, a plan would cost no less than drift: nobody has to choose.
    page_files(folder, "bio_1")
    status, message, _ = looked(*arguments)["calls"]
    assert status == "ok"
    assert message.startswith("Business: 24,998 of 25,000 left this month")
    assert words in message


def test_a_run_costs_a_call_for_each_two_hundred_pages_and_a_plan_of_a_single_file_one(
    folder: Path, start_sandbox: Start, looked: Looked
) -> None:
    sandbox = start_sandbox([{"id": f"bio_{n}", "title": "A"} for n in range(201)])
    page_files(folder, "bio_1", "bio_2")
    told = looked()
    assert "(2 calls a run)" in told["calls"][1]
    assert told["pages"][1].startswith("at least 198 live pages have no file: bio_")
    assert told["pages"][2] == "take them over: bio-sync pull --all"
    assert len(sandbox.requests) == 2
    # What is beyond the first two hundred may be there.
    page_files(folder, "bio_200", "bio_nothere")
    assert "not in this workspace" not in looked()["pages"][1]
    for name in ("bio_2", "bio_200", "bio_nothere"):
        (folder / "pages" / f"{name}.yaml").unlink()
    assert "(2 calls a run of drift, 1 of plan)" in looked()["calls"][1]
    assert "every 1h uses 1,488 a month" in looked("--every", "1h")["calls"][1]


@pytest.mark.parametrize(
    "value", ["29s", "0s", "32d", "745h", "1", "h", "1.5h", "-1h", "1w", "١h", "1h ", "", "9" * 8 + "s"]
)
def test_a_time_between_runs_that_is_none_is_wrong_usage(folder: Path, run: Run, sandbox: Sandbox, value: str) -> None:
    result = run("doctor", "--every", value)
    assert (result.code, result.out) == (64, "")
    assert "from 30s to 31d" in result.err
    assert sandbox.requests == []


@pytest.mark.parametrize("value", ["30s", "31d", "744h"])
def test_a_time_between_runs_may_be_from_half_a_minute_to_a_month(
    folder: Path, looked: Looked, sandbox: Sandbox, value: str
) -> None:
    assert "every" in looked("--every", value)["calls"][1]


def test_without_a_key_all_that_needs_none_is_still_told(folder: Path, looked: Looked) -> None:
    page_files(folder, "bio_1")
    told = looked()
    assert {name: status for name, (status, _, _) in told.items()} == {
        "version": "ok",
        "service": "warn",
        "key": "fail",
        "files": "ok",
    }
    assert told["key"][1:] == (
        "there is no API key",
        "set XQR_API_KEY (xQR: Settings, API keys), or give --api-key-file FILE",
    )


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://127.0.0.1:1", "the service does not answer"),
        ("http://example.com", "would send the key in the clear"),
        ("nonsense", "is not a web address"),
    ],
)
def test_without_a_service_the_rest_is_still_told(
    folder: Path, looked: Looked, monkeypatch: pytest.MonkeyPatch, address: str, why: str
) -> None:
    monkeypatch.setenv("XQR_API_URL", address)
    monkeypatch.setenv("XQR_API_KEY", f"xqr_pk_0a1b2c3d.{SECRET}")
    told = looked()
    assert {name: status for name, (status, _, _) in told.items()} == {
        "version": "ok",
        "service": "fail",
        "key": "warn",
        "files": "warn",
    }
    assert why in told["service"][1]
    assert told["service"][2]


@pytest.mark.parametrize(
    "reply",
    [
        None,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        wire.raw(b"<html>", headers={"Content-Type": "text/html"}),
        wire.raw(b"busy", status=503),
        wire.error(500, "INTERNAL"),
        wire.data({"not": "a list"}),
        wire.data([{"id": "bio_1"}]),
        wire.error(404, "NOT_FOUND"),
    ],
)
def test_what_is_no_xqr_is_asked_once_and_told(
    folder: Path, looked: Looked, raw: Callable[..., RawServer], reply: Any
) -> None:
    server = raw(reply)
    told = looked()
    assert told["service"][0] == "fail"
    assert "pages" not in told
    assert len(server.asked) == 1


@pytest.mark.parametrize("state", ["revoked", "expired", "unknown"])
def test_a_key_that_is_refused_is_a_failure_of_the_key_and_one_call(
    folder: Path, looked: Looked, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, state: Any
) -> None:
    refused = "xqr_pk_00000000.x" if state == "unknown" else sandbox.add_key(state=state)
    monkeypatch.setenv("XQR_API_KEY", refused)
    told = looked()
    assert told["service"][0] == "ok"
    assert told["key"][0] == "fail"
    assert told["key"][1].startswith(refused.split(".")[0] + "…")
    assert told["key"][2]
    assert len(sandbox.requests) == 1


def test_a_key_that_may_not_read_pages_is_told_the_scope_it_lacks(
    folder: Path, looked: Looked, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XQR_API_KEY", sandbox.add_key(["workspace:read"]))
    told = looked()
    assert told["key"][0] == "ok"
    assert (told["scopes"][0], told["scopes"][2]) == ("fail", "give the key the scope bio:read")
    assert told["calls"][1].startswith("Pro: 999,998 of 1,000,000 left")
    assert len(sandbox.requests) == 2


def test_a_key_that_may_not_read_the_usage_is_a_warning_and_the_header_tells_what_is_left(
    folder: Path, looked: Looked, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XQR_API_KEY", sandbox.add_key(["bio:read"]))
    told = looked()
    assert told["scopes"][:2] == (
        "ok",
        "bio:read is allowed, workspace:read is not; bio:write is not tried, since trying it would write",
    )
    assert (told["calls"][0], told["calls"][2]) == ("warn", "give the key the scope workspace:read")
    assert told["calls"][1].startswith("999,998 left this month")
    assert "fail" not in {status for status, _, _ in told.values()}


@pytest.mark.parametrize(
    "reply",
    [
        None,
        wire.raw(b"{", status=200),
        wire.data([1]),
        wire.data("x"),
        wire.error(500, "INTERNAL"),
        wire.error(404, "NO"),
    ],
)
def test_nonsense_for_the_usage_is_a_warning_and_not_asked_again(
    folder: Path, looked: Looked, raw: Callable[..., RawServer], reply: Any
) -> None:
    server = raw(wire.data([wire.page()], headers={"X-RateLimit-Remaining": "5000"}), reply)
    told = looked()
    assert told["calls"][0] == "warn"
    # The answer that tells nothing is to a call all the same.
    assert told["calls"][1].startswith("4,999 left this month")
    assert "fail" not in {status for status, _, _ in told.values()}
    assert len(server.asked) == 2


@pytest.mark.parametrize(("headers", "left"), [({"X-RateLimit-Remaining": "46"}, "45"), ({}, "900")])
def test_what_is_left_is_told_by_the_header_or_else_by_the_usage(
    folder: Path, looked: Looked, raw: Callable[..., RawServer], headers: dict[str, str], left: str
) -> None:
    usage = {"usage": {"api_calls_this_month": 100}, "limits": {"api_calls_per_month": 1000}}
    raw(wire.data([wire.page()], headers=headers), wire.data(usage))
    assert looked()["calls"][1].startswith(f"{left} of 1,000 left this month")


def test_what_the_usage_calls_the_plan_is_only_shown(folder: Path, run: Run, raw: Callable[..., RawServer]) -> None:
    raw(wire.data([wire.page()]), wire.data({"plan": "\x1b[2J::error::##[group]" + "x" * 999, "limits": []}))
    shown = run("doctor").out
    assert "\x1b" not in shown
    assert "##[" not in shown
    assert "x" * 30 not in shown


def test_a_service_that_takes_no_parameters_costs_both_calls_and_no_third(
    folder: Path, start_sandbox: Start, looked: Looked
) -> None:
    sandbox = start_sandbox([{"id": "bio_1", "title": "A"}], paging="refuse")
    told = looked()
    assert told["calls"][0] == "warn"
    assert "since the list took both calls" in told["calls"][1]
    assert told["pages"][1].startswith("1 live page has no file: bio_1")
    assert len(sandbox.requests) == 2


def test_a_month_that_is_used_up_is_told_by_one_call(folder: Path, start_sandbox: Start, looked: Looked) -> None:
    sandbox = start_sandbox(monthly_limit=0)
    told = looked()
    assert [told[name][0] for name in ("service", "key", "calls")] == ["ok", "ok", "fail"]
    assert told["calls"][2] == "wait for the next month, or take a larger plan"
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("arguments", [(), ("--every", "1h")])
def test_the_last_calls_of_the_month_are_a_failure_since_no_run_can_succeed(
    folder: Path, start_sandbox: Start, looked: Looked, run: Run, arguments: tuple[str, ...]
) -> None:
    start_sandbox(monthly_limit=2, plan="pro")
    page_files(folder, "bio_1")
    message = "Pro: 0 of 2 left this month: every command that asks the service will fail until it ends"
    assert looked(*arguments)["calls"] == ("fail", message, "wait for the next month, or take a larger plan")


def test_too_many_requests_a_second_is_a_warning_and_not_waited_for(
    folder: Path, sandbox: Sandbox, looked: Looked
) -> None:
    sandbox.fail(Fault(429, code="BURST_LIMIT_EXCEEDED", headers={"Retry-After": "30"}))
    told = looked()
    assert told["service"][0] == "warn"
    assert told["key"][0] == "warn"
    assert len(sandbox.requests) == 1


def test_files_with_problems_are_a_failure_with_the_first_of_them_and_strangers_are_not_guessed(
    folder: Path, start_sandbox: Start, looked: Looked
) -> None:
    start_sandbox([{"id": "bio_1", "title": "A"}])
    page_files(folder, "bio_1")
    (folder / "pages" / "b.yaml").write_text("titel: B\n")
    told = looked()
    assert told["files"][:2] == ("fail", "2 problems in 1 file: pages/b.yaml:1: the page has no 'id'")
    assert "bio-sync validate" in told["files"][2]
    assert told["pages"][1] == "1 live page; which of them have a file is not known"


def test_house_rules_count_as_in_validate(folder: Path, looked: Looked) -> None:
    page_files(folder, "bio_1")
    (folder / "house.json").write_text('{"required": ["x-owner"]}')
    (folder / "bio-sync.yaml").write_text("schema: house.json\n")
    assert looked()["files"][:2] == ("fail", "1 problem in 1 file: pages/bio_1.yaml:1: the page has no 'x-owner'")


def test_without_files_there_is_a_way_to_begin(folder: Path, start_sandbox: Start, looked: Looked) -> None:
    start_sandbox([{"id": "bio_1", "title": "A", "slug": "acme"}])
    told = looked()
    assert told["files"][0] == "warn"
    assert told["files"][2].startswith("bio-sync init")
    assert told["pages"][1:] == ("1 live page has no file: bio_1 acme", "take it over: bio-sync pull bio_1")


@pytest.mark.parametrize("arguments", [("--config", "nowhere.yaml"), ("--config", "bad.yaml")])
def test_a_configuration_that_can_not_be_read_is_a_failure_of_the_files(
    folder: Path, looked: Looked, sandbox: Sandbox, arguments: tuple[str, ...]
) -> None:
    (folder / "bad.yaml").write_text("page: [a]\n")
    assert looked(*arguments)["files"][0] == "fail"
    assert len(sandbox.requests) == 2


def test_the_key_of_another_workspace_is_told(folder: Path, start_sandbox: Start, looked: Looked) -> None:
    start_sandbox([{"id": "bio_9", "title": "A"}])
    page_files(folder, "bio_1", "bio_2")
    assert looked()["pages"] == (
        "fail",
        "none of the 2 pages that files name is in this workspace",
        "is this the right workspace's key?",
    )


@pytest.mark.parametrize(
    ("off", "status", "message"),
    [
        (timedelta(), "ok", "as the service's, to 1 second"),
        (timedelta(seconds=60), "ok", "as the service's, to 60 seconds"),
        (timedelta(seconds=-60), "ok", "as the service's, to 60 seconds"),
        (timedelta(seconds=61), "warn", "1 minute ahead of the service's"),
        (timedelta(minutes=-7), "warn", "7 minutes behind the service's"),
        (timedelta(hours=2), "warn", "2 hours ahead of the service's"),
        (timedelta(days=-400), "warn", "400 days behind the service's"),
    ],
)
def test_the_clock_is_compared_with_the_service_s(
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    raw: Callable[..., RawServer],
    off: timedelta,
    status: str,
    message: str,
) -> None:
    headers = {"Date": format_datetime(NOW, usegmt=True)}
    raw(wire.data([wire.page()], headers=headers), wire.data({}))
    told = checks(examine(capfd, "--format", "json", now=NOW + off))
    assert told["clock"][:2] == (status, message)
    assert bool(told["clock"][2]) == (status == "warn")


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Nov 2026 10:00:00 GMT", "Sun, 06 Nov 9999999 00:00:00 GMT"])
def test_a_service_without_a_time_is_no_reason_to_trust_the_clock(
    folder: Path, looked: Looked, raw: Callable[..., RawServer], date: str
) -> None:
    raw(wire.data([wire.page()], headers={"Date": date}), wire.data({}))
    assert looked()["clock"][:2] == ("warn", "not compared: the service does not tell the time")


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (f"xqr_pk_0a1b2c3d.{SECRET}", "xqr_pk_0a1b2c3d… (from {})"),
        (f"xqr_pk_0A1B2C3D.{SECRET}", "from {}, not of the documented form"),
        (SECRET, "from {}, not of the documented form"),
    ],
)
@pytest.mark.parametrize("source", ["XQR_API_KEY", "XQR_API_KEY_FILE", "--api-key-file"])
def test_of_the_key_nothing_but_its_prefix_is_shown_and_where_it_comes_from(
    folder: Path, run: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, key: str, shown: str, source: str
) -> None:
    (folder / "keyfile").write_text(key + "\n")
    monkeypatch.delenv("XQR_API_KEY")
    if source != "--api-key-file":
        monkeypatch.setenv(source, key if source == "XQR_API_KEY" else "keyfile")
    result = run("doctor", *(("--api-key-file", "keyfile") if source == "--api-key-file" else ()))
    assert result.code == 1
    assert shown.format(source) in result.out
    assert not any(SECRET[start : start + 8] in result.out + result.err for start in range(len(SECRET) - 7))
