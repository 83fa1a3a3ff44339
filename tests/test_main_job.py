"""The main job over real HTTP: the documentation's example, calls counted, bodies looked at."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_sync.api import WritingApi
from bio_sync.applying.run import apply_plan
from bio_sync.key import ApiKey
from bio_sync.model import DesiredPage, PageContent
from bio_sync.planning import Circumstances, Plan, make_plan
from bio_sync.sandbox import Behaviour, Fault, Sandbox
from tests import strategies as some
from tests.conftest import Run

ACME_LIVE: dict[str, Any] = {
    "id": "bio_abc123",
    "title": "Acme Inc",
    "description": "Official links",
    "slug": "acme-inc",
    "is_published": True,
    "view_count": 1247,
    "click_count": 892,
    "page_data": {
        "theme": "dark",
        "avatar_url": "https://cdn.xqr.co/avatars/acme.png",
        "links": [
            {"label": "Website", "url": "https://acme.com"},
            {"label": "Twitter", "url": "https://twitter.com/acme"},
        ],
    },
}
ACME_FILE = """\
id: bio_abc123
title: Acme Inc - Updated
page_data:
  theme: light
  avatar_url: https://cdn.xqr.co/avatars/acme-v2.png
  links:
    - {label: Website, url: https://acme.com}
    - {label: Blog, url: https://blog.acme.com}
    - {label: Twitter, url: https://twitter.com/acme}
"""


def write_page(folder: Path, name: str, text: str) -> None:
    (folder / "pages").mkdir(exist_ok=True)
    (folder / "pages" / f"{name}.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def acme(folder: Path, start_sandbox: Callable[..., Sandbox]) -> Sandbox:
    write_page(folder, "acme", ACME_FILE)
    return start_sandbox([ACME_LIVE])


def writes(sandbox: Sandbox) -> list[tuple[str, str, Any]]:
    return [(call.method, call.path, call.body) for call in sandbox.requests if call.method != "GET"]


def test_the_plan_of_the_documentation_s_example_shows_its_four_changes(acme: Sandbox, run: Run) -> None:
    plan = json.loads(run("plan", "--format", "json").out)
    assert [(step["op"], step["path"]) for step in plan["changes"][0]["operations"]] == [
        ("replace", "/title"),
        ("replace", "/page_data/theme"),
        ("replace", "/page_data/avatar_url"),
        ("add", "/page_data/links/1"),
    ]
    assert plan["api"] == {"calls": 1, "calls_to_apply": 2, "quota_remaining": 999_999}
    assert [call.method for call in acme.requests] == ["GET"]


def test_apply_sends_one_patch_with_the_fields_that_differ_and_a_second_apply_sends_none(
    acme: Sandbox, run: Run
) -> None:
    assert run("apply", "--yes").code == 0
    ((method, path, body),) = writes(acme)
    assert (method, path) == ("PATCH", "/api/v1/bio/pages/bio_abc123")
    assert sorted(body) == ["page_data", "title"]
    assert run("apply", "--yes").code == 0
    assert len(writes(acme)) == 1
    assert run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("paging", ["ignore", "honour"])
def test_a_plan_of_twenty_five_pages_costs_one_call(
    folder: Path, start_sandbox: Callable[..., Sandbox], run: Run, paging: str
) -> None:
    sandbox = start_sandbox([{"id": f"bio_{n}", "title": f"Page {n}"} for n in range(25)], paging=paging)
    for n in range(25):
        write_page(folder, f"page{n}", f"id: bio_{n}\ntitle: Page {n}!\n")
    plan = json.loads(run("plan", "--format", "json").out)
    assert len(sandbox.calls) == 1
    assert plan["summary"]["update"] == 25
    assert plan["api"]["calls_to_apply"] == 26


def test_one_page_is_read_by_its_id(acme: Sandbox, run: Run) -> None:
    run("plan")
    assert [call.path for call in acme.requests] == ["/api/v1/bio/pages/bio_abc123"]


def test_publishing_follows_the_patch_and_hiding_goes_before_it(
    folder: Path, start_sandbox: Callable[..., Sandbox], run: Run
) -> None:
    sandbox = start_sandbox(
        [
            {"id": "bio_new", "title": "New", "is_published": False},
            {"id": "bio_old", "title": "Old", "is_published": True},
        ]
    )
    write_page(folder, "a-new", "id: bio_new\ntitle: Newer\npublished: true\n")
    write_page(folder, "b-old", "id: bio_old\ntitle: Older\npublished: false\n")
    assert run("apply", "--yes").code == 0
    assert [(method, path.rsplit("/", 1)[-1]) for method, path, _ in writes(sandbox)] == [
        ("PATCH", "bio_new"),
        ("POST", "publish"),
        ("POST", "unpublish"),
        ("PATCH", "bio_old"),
    ]
    assert run("plan", "--detailed-exitcode").code == 0


def test_author_keys_and_nulls_are_never_sent(folder: Path, start_sandbox: Callable[..., Sandbox], run: Run) -> None:
    sandbox = start_sandbox([{"id": "bio_1", "title": "T", "page_data": {"theme": "dark", "lab": {"a": 1}}}])
    write_page(
        folder,
        "a",
        "id: bio_1\nx-owner: me\npage_data:\n  x-note: hi\n  theme:\n  layout: {x-why: me, columns: 2, rows: null}\n"
        "ignore: [/page_data/lab]\n",
    )
    assert run("apply", "--yes").code == 0
    assert writes(sandbox)[0][2] == {"page_data": {"layout": {"columns": 2}, "lab": {"a": 1}}}


def _plan(desired: list[DesiredPage], api: WritingApi) -> Plan:
    now = Circumstances("0", "2026-11-22T10:00:00Z", api.address, 0, None)
    return make_plan(desired, api.list_pages(), circumstances=now)


@settings(max_examples=25)
@given(st.lists(some.pairs_of_contents(), min_size=1, max_size=4), st.sampled_from(["replace", "merge"]))
def test_after_an_apply_the_plan_is_empty(pairs: list[tuple[PageContent, PageContent]], patch: Any) -> None:
    pages = [
        {
            "id": f"bio_{index}",
            "title": before.title,
            "description": before.description,
            "page_data": before.page_data,
            "is_published": before.published,
        }
        for index, (before, _) in enumerate(pairs)
    ]
    desired = [some.wanted_page(after, f"bio_{index}") for index, (_, after) in enumerate(pairs)]
    behaviour = Behaviour(burst_limit=10_000, monthly_limit=10_000, patch=patch)
    with Sandbox(pages=pages, behaviour=behaviour) as sandbox:
        with WritingApi(sandbox.url, ApiKey(sandbox.key), sleep=lambda _: None) as api:
            plan = _plan(desired, api)
            report = apply_plan(plan, desired, api, taken_at=time.monotonic())
            left = _plan(desired, api)
        converged = {outcome.page_id for outcome in report.outcomes if outcome.outcome in {"applied", "unchanged"}}
        assert converged.isdisjoint(change.page_id for change in left.changes)
        if patch == "replace":
            assert report.exit_code == 0
            assert not left.changes
        assert len([call for call in sandbox.requests if call.method != "GET"]) <= plan.writes


def test_the_two_interpreters_of_the_command_line_are_one(folder: Path) -> None:
    command = [sys.executable, "-P", "-m", "bio_sync", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    assert done.stdout.startswith("bio-sync ")


def test_a_failing_page_does_not_stop_the_others(folder: Path, start_sandbox: Callable[..., Sandbox], run: Run) -> None:
    sandbox = start_sandbox([{"id": f"bio_{n}", "title": "T"} for n in range(3)])
    for n in range(3):
        write_page(folder, f"p{n}", f"id: bio_{n}\ntitle: New\n")
    sandbox.faults.append(Fault(status=400, code="VALIDATION_ERROR", message="no", method="PATCH", path="bio_1"))
    done = run("apply", "--yes", "--format", "json")
    report = json.loads(done.out)
    assert done.code == report["exit_code"] == 3
    assert [(o["outcome"], o["reason"]) for o in report["outcomes"]] == [
        ("applied", None),
        ("failed", "rejected"),
        ("applied", None),
    ]
    assert report["outcomes"][1]["request_id"].startswith("req_")
    assert run("apply", "--yes").code == 0
    assert len(writes(sandbox)) == 4
