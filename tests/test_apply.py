"""What becomes of each page, over real HTTP, and the code that a run exits with."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from bio_sync.applying.outcomes import Outcome, Report
from bio_sync.applying.run import apply_plan
from bio_sync.interruption import Interruption
from bio_sync.model import PageContent
from bio_sync.planning import Circumstances, make_plan
from bio_sync.sandbox import Fault, Sandbox
from tests import strategies as some
from tests.applying.service import Service
from tests.conftest import Result, Run

Start = Callable[..., Sandbox]


def pages_on(sandbox: Sandbox | None, folder: Path, count: int, text: str = "title: New\n") -> None:
    (folder / "pages").mkdir()
    for n in range(count):
        (folder / "pages" / f"p{n}.yaml").write_text(f"id: bio_{n}\n{text}", encoding="utf-8")


def live(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": f"bio_{n}", "title": "Old", **more} for n in range(count)]


def applied(run: Run, *arguments: str) -> tuple[Result, list[tuple[str, str | None]]]:
    result = run("apply", "--yes", "--format", "json", *arguments)
    return result, [(each["outcome"], each["reason"]) for each in json.loads(result.out)["outcomes"]]


def writes(sandbox: Sandbox) -> int:
    return sum(call.method != "GET" for call in sandbox.requests)


def carried_out(sandbox: Sandbox) -> list[list[str]]:
    """List the titles that each page was given over the API."""
    changes = [(each.page_id, each.page["title"]) for each in sandbox.history if each.by == "api" and each.page]
    return [[title for page_id, title in changes if page_id == page["id"]] for page in sandbox.pages]


def test_every_page_gets_one_outcome_in_the_order_of_files(folder: Path, start_sandbox: Start, run: Run) -> None:
    start_sandbox([*live(2), {"id": "bio_2", "title": "New"}])
    pages_on(None, folder, 3)
    result, outcomes = applied(run)
    assert result.code == 0
    assert outcomes == [("applied", None), ("applied", None), ("unchanged", None)]
    assert json.loads(result.out)["summary"] == {"applied": 2, "unchanged": 1, "failed": 0, "unknown": 0, "skipped": 0}


@pytest.mark.parametrize(
    ("normalise", "words"),
    [
        (lambda page: page | {"title": page["title"].strip()}, "/title: the server stores 'New' for ' New '"),
        (lambda page: page | {"title": "Old"}, "/title: the server stores 'Old' for ' New '"),
    ],
)
def test_what_the_server_stores_otherwise_is_named_and_is_not_called_applied(
    folder: Path, start_sandbox: Start, run: Run, normalise: Any, words: str
) -> None:
    sandbox = start_sandbox(live(1), normalise=normalise)
    pages_on(sandbox, folder, 1, 'title: " New "\n')
    result, outcomes = applied(run)
    assert outcomes == [("failed", "not-converged")]
    assert words in json.loads(result.out)["outcomes"][0]["message"]
    assert result.code == 3
    assert writes(sandbox) == 1


def test_a_key_that_a_merging_server_keeps_is_seen_and_reported(folder: Path, start_sandbox: Start, run: Run) -> None:
    start_sandbox(live(1, page_data={"theme": "dark", "badge": "gold"}), patch="merge")
    pages_on(None, folder, 1, "title: Old\npage_data: {theme: light}\n")
    result, outcomes = applied(run)
    assert outcomes == [("failed", "not-converged")]
    assert "/page_data/badge: the server keeps 'gold'" in json.loads(result.out)["outcomes"][0]["message"]


def test_a_value_that_the_server_drops_is_named(folder: Path, start_sandbox: Start, run: Run) -> None:
    start_sandbox(live(1), normalise=lambda page: page | {"page_data": {}})
    pages_on(None, folder, 1, "title: Old\npage_data: {badge: gold}\n")
    result, _ = applied(run)
    assert "/page_data/badge: the server does not store 'gold'" in json.loads(result.out)["outcomes"][0]["message"]


def test_no_description_in_the_answer_is_the_empty_one_that_was_wanted(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    start_sandbox(
        live(1, description="text"), normalise=lambda page: page | {"description": page["description"] or None}
    )
    pages_on(None, folder, 1, 'description: ""\n')
    assert applied(run)[1] == [("applied", None)]


@pytest.mark.parametrize("fault", [Fault(wire="close"), Fault(status=502), Fault(body="<html>"), Fault(status=408)])
@pytest.mark.parametrize("after", [True, False])
def test_a_write_whose_answer_is_lost_is_settled_by_reading_back(
    folder: Path, start_sandbox: Start, run: Run, fault: Fault, after: bool
) -> None:
    sandbox = start_sandbox(live(2))
    pages_on(sandbox, folder, 2)
    sandbox.faults.append(replace(fault, method="PATCH", path="bio_0", after=after))
    result, outcomes = applied(run, "--settle", "0")
    assert outcomes == [("applied", None), ("applied", None)]
    assert result.code == 0
    assert ("its answer was lost; read back, the page is as wanted" in result.out) == after
    assert writes(sandbox) == (2 if after else 3)
    assert [len(changes) for changes in carried_out(sandbox)] == [1, 1]


@pytest.mark.parametrize("fault", [Fault(wire="close"), Fault(status=502), Fault(body="<html>"), Fault(status=408)])
def test_a_write_whose_answer_is_lost_twice_is_unknown_and_not_sent_again(
    folder: Path, start_sandbox: Start, run: Run, fault: Fault
) -> None:
    sandbox = start_sandbox(live(2))
    pages_on(sandbox, folder, 2)
    sandbox.faults.append(replace(fault, method="PATCH", path="bio_0", times=None))
    result, outcomes = applied(run, "--settle", "0")
    assert outcomes == [("unknown", "unreachable"), ("applied", None)]
    assert result.code == 3
    assert writes(sandbox) == 3
    assert [len(changes) for changes in carried_out(sandbox)] == [0, 1]


def test_a_rerun_picks_up_what_is_left_and_writes_nothing_twice(folder: Path, start_sandbox: Start, run: Run) -> None:
    sandbox = start_sandbox(live(3))
    pages_on(sandbox, folder, 3)
    # Written, but nobody could tell: reading it back is refused too.
    sandbox.faults.append(Fault(status=500, method="PATCH", path="bio_1", after=True))
    sandbox.faults.append(Fault(status=404, body="<html>", method="GET", path="bio_1"))
    sandbox.faults.append(Fault(status=400, code="VALIDATION_ERROR", method="PATCH", path="bio_2"))
    result, outcomes = applied(run, "--settle", "0")
    assert (result.code, outcomes) == (3, [("applied", None), ("unknown", "unreachable"), ("failed", "rejected")])
    assert applied(run)[1] == [("unchanged", None), ("unchanged", None), ("applied", None)]
    assert carried_out(sandbox) == [["New"]] * 3
    assert writes(sandbox) == 4


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (401, "REVOKED_API_KEY", "auth"),
        (403, "INSUFFICIENT_SCOPE", "auth"),
        (429, "RATE_LIMIT_EXCEEDED", "quota"),
    ],
)
def test_a_refused_key_and_the_month_s_end_stop_the_run(
    folder: Path, start_sandbox: Start, run: Run, status: int, code: str, reason: str
) -> None:
    sandbox = start_sandbox(live(3))
    pages_on(sandbox, folder, 3)
    sandbox.faults.append(Fault(status=status, code=code, method="PATCH", path="bio_1"))
    result, outcomes = applied(run)
    assert outcomes == [("applied", None), ("failed", reason), ("skipped", reason)]
    assert result.code == 3
    assert writes(sandbox) == 2


def test_nothing_written_and_something_failed_is_exit_one(folder: Path, start_sandbox: Start, run: Run) -> None:
    sandbox = start_sandbox(live(1))
    pages_on(sandbox, folder, 1)
    sandbox.faults.append(Fault(status=409, code="SLUG_TAKEN", method="PATCH"))
    result, outcomes = applied(run)
    assert (result.code, outcomes) == (1, [("failed", "rejected")])


def test_a_page_that_changed_and_could_not_be_published_counts_as_written(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    sandbox = start_sandbox(live(1))
    pages_on(sandbox, folder, 1, "title: New\npublished: true\n")
    sandbox.faults.append(Fault(status=403, code="PLAN_LIMIT_EXCEEDED", method="POST"))
    result, outcomes = applied(run)
    assert (result.code, outcomes) == (3, [("failed", "auth")])


def test_a_page_that_the_server_leaves_hidden_is_not_called_published(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    sandbox = start_sandbox(live(1))
    pages_on(sandbox, folder, 1, "published: true\n")
    hidden = json.dumps({"data": sandbox.page("bio_0"), "meta": {"request_id": "req_1"}})
    sandbox.faults.append(Fault(status=200, body=hidden, method="POST", path="/publish"))
    result, outcomes = applied(run)
    assert (result.code, outcomes) == (3, [("failed", "not-converged")])
    assert "/published: the server stores false for true" in json.loads(result.out)["outcomes"][0]["message"]


def test_a_page_that_is_gone_is_named_and_never_created(folder: Path, start_sandbox: Start, run: Run) -> None:
    sandbox = start_sandbox(live(2))
    pages_on(sandbox, folder, 3)
    planned = run("plan", "--format", "json")
    assert planned.code == 1
    assert json.loads(planned.out)["summary"]["gone"] == 1
    result, outcomes = applied(run)
    assert outcomes == [("applied", None), ("applied", None), ("failed", "gone")]
    assert result.code == 3
    assert applied(run)[0].code == 1
    assert {call.method for call in sandbox.requests} == {"GET", "PATCH"}


def test_when_no_page_is_there_the_key_is_asked_about(folder: Path, start_sandbox: Start, run: Run) -> None:
    sandbox = start_sandbox([{"id": "bio_other", "title": "T"}])
    pages_on(sandbox, folder, 2)
    assert "is this the right workspace's key?" in run("plan").out
    assert applied(run)[0].code == 1
    assert writes(sandbox) == 0


def carried(remote: Service, interruption: Interruption, tell: Callable[[Outcome], None] = lambda _: None) -> Report:
    """Carry out a plan that gives four pages a new title."""
    before, after = (PageContent(title, "", {}, published=False) for title in ("Old", "New"))
    wanted = [some.wanted_page(after, f"bio_{n}") for n in range(4)]
    now = Circumstances("0", "2026-11-22T10:00:00Z", "https://xqr.co/api/v1", 1, None)
    pages = {f"bio_{n}": some.live_page(before, f"bio_{n}") for n in range(4)}
    plan = make_plan(wanted, pages, circumstances=now)
    return apply_plan(plan, wanted, remote, taken_at=time.monotonic(), interruption=interruption, tell=tell)


@pytest.mark.parametrize("code", [130, 143])
def test_an_interrupt_starts_no_further_write_and_every_page_still_gets_its_outcome(code: int) -> None:
    interruption = Interruption()
    told: list[Outcome] = []
    remote = Service(lambda: interruption.ask(code))
    report = carried(remote, interruption, told.append)
    # The one under way comes to its end.
    assert [outcome.outcome for outcome in told] == ["applied", "applied", "skipped", "skipped"]
    assert {outcome.reason for outcome in told[2:]} == {"interrupted"}
    assert (report.exit_code, remote.written, remote.hurried) == (code, ["bio_0", "bio_1"], 1)


def test_a_second_interrupt_leaves_at_once_and_says_what_nobody_knows() -> None:
    interruption = Interruption()
    left = Event()

    def stay() -> None:
        interruption.ask(130)
        left.wait(60)

    def notice() -> None:
        raise KeyboardInterrupt

    interruption.notice = notice
    report = carried(Service(stay), interruption)
    left.set()
    assert [outcome.outcome for outcome in report.outcomes] == ["applied", "unknown", "skipped", "skipped"]
    assert {outcome.reason for outcome in report.outcomes[1:]} == {"interrupted"}
    assert report.exit_code == 130


def test_an_interrupt_while_an_outcome_is_told_still_leaves_a_report() -> None:
    def tell(outcome: Outcome) -> None:
        if outcome.outcome == "applied":
            raise KeyboardInterrupt

    report = carried(Service(lambda: None), Interruption(), tell)
    assert [outcome.outcome for outcome in report.outcomes] == ["applied", "skipped", "skipped", "skipped"]
    assert report.exit_code == 130


def test_what_is_ignored_may_be_stored_otherwise(folder: Path, start_sandbox: Start, run: Run) -> None:
    def numbered(page: dict[str, Any]) -> dict[str, Any]:
        links = page["page_data"].get("links", [])
        return page | {"page_data": page["page_data"] | {"links": [link | {"id": n} for n, link in enumerate(links)]}}

    start_sandbox(live(1), normalise=numbered)
    text = "page_data: {links: [{label: A, url: https://a.example}]}\nignore: [/page_data/links/*/id]\n"
    pages_on(None, folder, 1, text)
    assert applied(run)[1] == [("applied", None)]
    assert applied(run)[1] == [("unchanged", None)]


def test_that_there_are_no_pages_is_told_before_that_nobody_can_be_asked(folder: Path, run: Run) -> None:
    assert run("apply").err.startswith("error: there is no 'pages' here")
    (folder / "pages").mkdir()
    (folder / "pages" / "a.yaml").write_text("id: bio_1\ntitle: A\n", encoding="utf-8")
    assert run("apply").err.startswith("error: nobody can be asked: this is no terminal\n")
