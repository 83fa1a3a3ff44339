"""One comment for each pull request and label, which is always that of the last plan; nothing of it acts."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from bio_sync import planfile
from bio_sync.github.marker import read_marker, without_marker
from bio_sync.model import PageContent
from bio_sync.planning import Plan, make_plan
from bio_sync.posting.text import Outcome
from bio_sync.sandbox import Sandbox
from tests import strategies as some
from tests.conftest import ROOT
from tests.github.conftest import FAILURE, HEAD, LATER, NOTHING, NOW, Step, drift_of, plan_to
from tests.github.service import BOT, Fault, GitHub
from tests.readers import read_markdown
from tests.test_nothing_acts import LONG, MARK, NAUGHTY, check_safe_to_print, plans_that_say

PLAN = plan_to("Acme")
FIRST_LINE = "## bio-sync plan\n"


def seen(body: str) -> str:
    assert read_marker(body) is not None
    return without_marker(body)


def without_link(step: Step) -> str:
    """Give what people see but for the link to the run, which is all that is to act."""
    before, link, after = seen(step.body).rpartition("[Run ")
    assert re.fullmatch(rf"\d+\]\({re.escape(step.github.address)}/acme/pages/actions/runs/\d+\)\n", after), link
    return before


# One comment, and what it says


def test_a_plan_becomes_a_comment_that_the_next_push_updates(step: Step) -> None:
    first = step.comment(PLAN)
    (comment,) = step.github.comments
    assert (first.code, first.out) == (0, f"posted {step.github.address}/acme/pages/pull/1#issuecomment-{comment.id}\n")
    assert first.err == ""
    step.pushed(LATER, run_id=2)
    second = step.comment(plan_to("Acme Ltd"))
    assert second.out == first.out.replace("posted", "updated")
    assert [post.id for post in step.github.comments] == [comment.id]
    marker = read_marker(step.body)
    assert marker
    assert (marker.head, marker.run, marker.digest) == (LATER, 2, plan_to("Acme Ltd").digest)
    assert '"Acme Ltd"' in seen(step.body)


def test_the_comment_ends_with_what_is_next_and_with_a_link_to_its_run(step: Step) -> None:
    step.pushed(HEAD, run_id=77)
    step.comment(PLAN)
    address = f"{step.github.address}/acme/pages/actions/runs/77"
    assert seen(step.body).endswith(f"if a page or a file has moved since. [Run 77]({address})\n")
    assert [link["href"] for link in read_markdown(seen(step.body)).html.named("a")] == [address]
    assert read_markdown(without_link(step)).acts == {}


def test_a_server_address_that_markdown_would_read_otherwise_is_no_link(step: Step) -> None:
    step.monkeypatch.setenv("GITHUB_SERVER_URL", "https://a.example/x)[y](z")
    step.comment(PLAN)
    assert read_markdown(seen(step.body)).acts == {}


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (NOTHING, "**No changes.**"),
        (FAILURE, "**There is no plan:** `the service does not answer`"),
    ],
)
def test_a_plan_that_became_empty_or_failed_takes_the_place_of_the_stale_one(
    step: Step, now: Plan | dict[str, object], says: str
) -> None:
    step.comment(PLAN)
    assert step.comment(now).out.startswith("updated ")
    assert says in seen(step.body)
    assert "Next: merge" not in step.body


def test_a_failed_plan_shows_the_problems_of_the_files(step: Step, folder: Path) -> None:
    (folder / "pages").mkdir()
    (folder / "pages" / "a.yaml").write_text("id: bio_1\ntitel: x\n", encoding="utf-8")
    step.monkeypatch.setenv("XQR_API_KEY", "xqr_pk_0a1b2c3d.somethingthatisasecret")
    failed = step.call("plan", "--format", "json")
    assert failed.code == 1
    assert step.comment(failed.out).out.startswith("posted ")
    assert "pages/a.yaml:2:1: /titel: the key 'titel' is not known here\n" in seen(step.body)
    marker = read_marker(step.body)
    assert marker
    assert (marker.state, marker.digest, marker.head) == ("failed", None, HEAD)


def test_each_label_has_a_comment_of_its_own(step: Step) -> None:
    for label in ("prod", "staging", "", "prod"):
        step.comment(PLAN, "--label", label)
    titles = [seen(comment.body).splitlines()[0] for comment in step.github.comments]
    assert titles == ["## bio-sync plan: `prod`", "## bio-sync plan: `staging`", "## bio-sync plan"]


def test_on_changes_an_empty_plan_makes_no_comment_and_updates_one_that_is_there(step: Step) -> None:
    assert step.comment(NOTHING, "--on", "changes").out == "skipped\n"
    assert step.github.comments == []
    step.comment(PLAN, "--on", "changes")
    assert step.comment(NOTHING, "--on", "changes").out.startswith("updated ")


def test_json_tells_outcome_and_address(step: Step) -> None:
    told = json.loads(step.comment(PLAN, "--format", "json").out)
    address = f"{step.github.address}/acme/pages/pull/1#issuecomment-{step.github.comments[0].id}"
    assert told == {"format_version": "1.0", "outcome": "posted", "url": address}


def test_an_offline_plan_is_shown_and_says_that_no_apply_follows_it(step: Step) -> None:
    (plan,) = (plan for plan in plans_that_say("x") if plan.circumstances.offline)
    step.comment(plan)
    assert "an apply after the merge does not follow this plan" in step.body
    assert '"state":"offline"' in step.body


# What is not written


def test_nothing_is_written_when_only_run_views_and_calls_differ(step: Step) -> None:
    step.comment(PLAN)
    writes = len(step.github.writes)
    later = replace(PLAN, circumstances=replace(NOW, calls=3, quota_remaining=7))
    later = replace(later, changes=tuple(replace(change, views=99_999, clicks=1) for change in later.changes))
    step.pushed(HEAD, run_id=2)
    assert step.comment(later).out.startswith("unchanged ")
    assert len(step.github.writes) == writes


def test_another_commit_with_the_same_plan_is_written_since_an_apply_goes_by_it(step: Step) -> None:
    step.comment(PLAN)
    step.pushed(LATER)
    assert step.comment(PLAN).out.startswith("updated ")


def test_a_comment_whose_words_somebody_edited_is_written_again(step: Step) -> None:
    step.comment(PLAN)
    step.github.edit(step.github.comments[0], by="ada", body=step.body.replace("Acme", "Evil"))
    assert step.comment(PLAN).out.startswith("updated ")
    assert "Evil" not in step.body


def test_line_ends_as_a_browser_sends_them_make_no_difference(step: Step) -> None:
    step.comment(PLAN)
    step.github.edit(step.github.comments[0], body=step.body.replace("\n", "\r\n"))
    assert step.comment(PLAN).out.startswith("unchanged ")


def test_an_older_run_does_not_write_over_what_a_newer_one_says_of_a_later_push(step: Step) -> None:
    step.pushed(LATER, run_id=6)
    step.comment(PLAN)
    step.run_for({"pull_request": {"number": step.number, "head": {"sha": HEAD}}}, run_id=5)
    assert step.comment(NOTHING).out.startswith("overtaken ")
    assert "No changes" not in step.body


def test_two_runs_at_once_may_leave_two_comments_and_the_newer_one_is_followed(step: Step) -> None:
    step.comment(PLAN)
    step.github.comment(step.number, step.body, author=BOT)
    step.pushed(LATER, run_id=2)
    step.comment(NOTHING)
    assert ["No changes" in comment.body for comment in step.github.comments] == [False, True]


# Whose comment it is


@pytest.mark.parametrize("first", [True, False], ids=["before ours", "behind ours"])
@pytest.mark.parametrize("author", ["mallory", "github-actions", "GITHUB-ACTIONS[bot]", "dependabot[bot]"])
def test_a_comment_of_somebody_else_with_our_marker_is_neither_believed_nor_touched(
    step: Step, author: str, first: bool
) -> None:
    step.comment(PLAN)
    (ours,) = step.github.comments
    forged = step.github.comment(step.number, ours.body.replace("Acme", "Evil"), author=author)
    if first:
        step.github.comments.reverse()
    step.pushed(LATER, run_id=2)
    step.comment(NOTHING)
    there = {comment.id: comment.body for comment in step.github.comments}
    assert there[forged.id] == forged.body
    assert "No changes" in there[ours.id]
    assert len(there) == 2


@pytest.mark.parametrize("before", ["> ", "see:\n", " ", "\n", "\ufeff"])
def test_a_marker_that_is_not_at_the_very_start_is_a_quotation(step: Step, before: str) -> None:
    step.comment(PLAN)
    step.github.edit(step.github.comments[0], body=before + step.body)
    assert step.comment(PLAN).out.startswith("posted ")


def test_our_comment_is_found_behind_two_hundred_and_fifty_others_that_bear_its_marker(step: Step) -> None:
    step.comment(PLAN)
    for number in range(125):
        step.github.comment(step.number, f"comment {number}")
        step.github.comment(step.number, step.github.comments[0].body)
    step.github.comments.append(step.github.comments.pop(0))
    assert step.comment(NOTHING).out.startswith("updated ")
    pages = [request.query.get("page") for request in step.github.requests[2:] if request.method == "GET"]
    assert pages == [None, "2", "3"]


def test_a_comment_that_somebody_has_hidden_is_followed_by_a_new_one(step: Step) -> None:
    step.comment(PLAN)
    step.github.edit(step.github.comments[0], minimised=True)
    assert step.comment(PLAN).out.startswith("posted ")
    assert step.comment(PLAN).out.startswith("unchanged ")


def test_where_graphql_may_not_be_asked_the_bot_of_workflows_is_who_we_are(step: Step) -> None:
    token = step.github.add_token(permissions={"pull-requests": "write"}, graphql=False)
    step.pushed(HEAD, token=token)
    assert [step.comment(plan).out.split()[0] for plan in (PLAN, NOTHING)] == ["posted", "updated"]


def test_an_app_of_ones_own_follows_its_own_comment(step: Step) -> None:
    token = step.github.add_token("bio-pages[bot]", permissions={"issues": "write"})
    step.comment(PLAN)
    step.pushed(HEAD, token=token)
    assert [step.comment(plan).out.split()[0] for plan in (PLAN, NOTHING)] == ["posted", "updated"]
    assert [comment.author for comment in step.github.comments] == [BOT, "bio-pages[bot]"]


# Where it may not write


@pytest.mark.parametrize("permissions", [{"contents": "read"}, {"pull_requests": "read"}], ids=["none", "read"])
def test_without_permission_the_plan_is_in_the_job_summary_and_nothing_fails(
    step: Step, permissions: dict[str, str]
) -> None:
    step.may(**permissions)
    done = step.comment(PLAN)
    assert (done.code, done.out) == (0, "shown in the job summary instead\n")
    assert step.summary.startswith(FIRST_LINE)
    assert '+ "Acme"' in step.summary
    assert done.err == (
        "notice: GitHub does not let this run do that (403): Resource not accessible by integration\n"
        "hint: give the job `permissions: pull-requests: write`; a pull request from a fork or by Dependabot gets no"
        " token that may write\n"
    )


def test_without_a_job_summary_the_plan_is_printed(step: Step) -> None:
    step.may(contents="read")
    step.monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    done = step.comment(PLAN)
    assert (done.code, done.out.startswith(FIRST_LINE)) == (0, True)
    assert done.err.endswith("shown here instead\n")
    told = step.comment(PLAN, "--format", "json")
    assert json.loads(told.out)["outcome"] == "shown"
    assert told.err.startswith(FIRST_LINE)


def test_the_job_summary_of_earlier_commands_stays_and_a_full_one_is_left_alone(step: Step) -> None:
    step.may(contents="read")
    path = step.folder / "summary.md"
    path.write_text("before\n", encoding="utf-8")
    step.comment(PLAN)
    assert step.summary.startswith(f"before\n{FIRST_LINE}")
    path.write_text("x" * (2**20 - 100), encoding="utf-8")
    done = step.comment(PLAN)
    assert (done.code, done.out.startswith(FIRST_LINE)) == (0, True)
    assert "notice: the job summary is full\n" in done.err
    step.monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step.folder))
    assert "notice: the job summary can't be written: Is a directory\n" in step.comment(PLAN).err


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault(status=401, body='{"message": "Bad credentials"}'), "GitHub does not take the token (401): Bad"),
        (Fault(status=502, body="<html>", times=9), "GitHub has a fault of its own (502)\n"),
        (Fault(status=200, body="<html>hello</html>"), "what answered is not GitHub: it is no JSON\n"),
        (Fault(status=200, body='{"a": 1}'), "what answered is not GitHub: a list was asked for\n"),
        (Fault(status=301, headers={"Location": "https://evil.example/"}, body="{}"), "GitHub sends elsewhere (301)\n"),
        (
            Fault(status=429, headers={"Retry-After": "3600"}, body="{}"),
            "takes no request for 3,600 seconds more, and this run",
        ),
        (Fault(dropped=True, times=9), "GitHub's answer was lost on its way: "),
        (Fault(method="POST", path="comments", status=422, body='{"message": "No"}'), "GitHub refused it (422): No\n"),
        (Fault(method="POST", path="comments", status=500, times=9), "GitHub has a fault of its own (500): Server"),
    ],
    ids=lambda value: f"{value.status}" if isinstance(value, Fault) else "",
)
def test_any_other_failure_is_one_after_the_plan_was_shown(step: Step, fault: Fault, why: str) -> None:
    step.github.fail(fault)
    done = step.comment(PLAN)
    assert (done.code, done.out) == (1, "")
    assert f"error: {why}" in done.err or why in done.err
    assert step.summary.startswith(FIRST_LINE)
    assert step.github.comments == []


def test_nobody_there_is_a_failure_after_the_plan_was_shown(step: Step) -> None:
    step.monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    step.monkeypatch.delenv("GITHUB_GRAPHQL_URL")
    done = step.comment(PLAN, "--format", "json")
    told = json.loads(done.out)
    assert (done.code, told["error"]["reason"], told["exit_code"]) == (1, "unreachable", 1)
    assert step.summary.startswith(FIRST_LINE)


# Trouble that passes


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        (Fault(status=429, headers={"Retry-After": "7"}), 7),
        (Fault(status=403, headers={"Retry-After": "60"}, body='{"message": "secondary rate limit"}'), 60),
        (Fault(status=403, body='{"message": "You have exceeded a secondary rate limit."}'), 60),
    ],
)
def test_a_limit_is_waited_for_as_long_as_github_asks(step: Step, fault: Fault, wait: int) -> None:
    step.github.fail(replace(fault, method="POST", path="comments"))
    assert step.comment(PLAN).out.startswith("posted ")
    (nap,) = step.naps
    assert wait <= nap <= wait + 1


def test_the_hours_limit_is_read_by_githubs_own_clock(step: Step) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000000020", "Date": "Sun, 09 Sep 2001 01:46:40 GMT"}
    step.github.fail(Fault(status=403, headers=headers, body="{}"))
    assert step.comment(PLAN).code == 0
    (nap,) = step.naps
    assert 20 <= nap <= 21


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(dropped=True)], ids=["503", "dropped"])
def test_reads_and_edits_are_tried_again(step: Step, fault: Fault) -> None:
    step.comment(PLAN)
    step.github.fail(replace(fault, method="GET"), replace(fault, method="PATCH", carried_out=True))
    step.github.fail(replace(fault, path="graphql"))
    assert step.comment(NOTHING).out.startswith("updated ")
    assert len(step.naps) == 3


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize("fault", [Fault(status=502, path="comments"), Fault(dropped=True, path="comments")])
def test_a_comment_whose_answer_was_lost_is_looked_for_before_it_is_posted_again(
    step: Step, fault: Fault, carried_out: bool
) -> None:
    step.github.fail(replace(fault, method="POST", carried_out=carried_out))
    assert step.comment(PLAN).out.startswith("posted ")
    assert len(step.github.comments) == 1
    assert len(step.github.writes) == (1 if carried_out else 2)


def test_a_request_ends_when_its_time_is_up(step: Step) -> None:
    step.github.fail(Fault(hangs=True, times=9))
    done = step.comment(PLAN, "--timeout", "0.25")
    assert done.code == 1
    assert "it took longer than 0.25 seconds" in done.err


# What is in it can't act


@pytest.mark.parametrize("first", range(0, len(NAUGHTY), 12))
def test_nothing_that_a_page_or_a_label_says_acts_in_the_comment(step: Step, first: int) -> None:
    for text in [*NAUGHTY, *LONG][first : first + 12]:
        step.github.comments.clear()
        # An argument of a program can't hold a null, nor half a character.
        label = re.sub("[\ud800-\udfff\0]", "", text + MARK)[:100]
        plan = plan_to(text + MARK)
        assert step.comment(plan, "--label", label).code == 0
        assert re.fullmatch(r"<!-- bio-sync:plan \{[^<>#-]*\} -->", step.body.partition("\n")[0])
        check_safe_to_print(step.body)
        page = read_markdown(without_link(step))
        assert page.acts == {}
        assert MARK not in page.html.text_outside_code
        marker = read_marker(step.body)
        assert marker
        assert (marker.label, marker.digest) == (label, plan.digest)


@pytest.mark.parametrize("text", ["@everyone #1", "</details>-->", "```\n::error::x", "a\x1b[2J##[error]x", "`" * 900])
def test_nothing_that_a_failure_says_acts_in_the_comment(step: Step, text: str) -> None:
    problem = dict.fromkeys(("file", "pointer", "message", "hint", "rule"), text + MARK) | {"line": 1, "column": 1}
    error = {"message": text + MARK, "hint": text + MARK, "reason": text, "request_id": text}
    step.comment({"error": error, "problems": [problem, {"file": text}, text]})
    page = read_markdown(without_link(step))
    check_safe_to_print(step.body)
    assert page.acts == {}
    assert MARK not in page.html.text_outside_code


@pytest.mark.parametrize("sign", ["x", "🥐", "`"])
def test_the_largest_plan_fits_whatever_it_is_written_in(step: Step, sign: str) -> None:
    wanted = [
        some.wanted_page(PageContent(sign * 300, None, {f"{sign}{n}": sign * 300 for n in range(9)}, True), f"bio_{n}")
        for n in range(60)
    ]
    live = {page.page_id: some.live_page(PageContent("T", None, {}, True), page.page_id) for page in wanted}
    done = step.comment(make_plan(wanted, live, circumstances=NOW), "--label", "🥐" * 100)
    assert done.out.startswith("posted ")
    assert 40_000 < len(step.body.encode()) <= 65_536


# What it costs and where it goes


def test_the_token_goes_to_github_only_and_the_key_of_the_service_never_there(
    step: Step, start_sandbox: Callable[..., Sandbox]
) -> None:
    (step.folder / "pages").mkdir()
    (step.folder / "pages" / "a.yaml").write_text("id: bio_1\ntitle: New\n", encoding="utf-8")
    step.monkeypatch.chdir(step.folder)
    sandbox = start_sandbox([{"id": "bio_1", "title": "Old"}])
    assert step.call("plan", "--out", "plan.json").code == 0
    assert step.call("comment", "plan.json").out.startswith("posted ")
    assert step.github.seen_tokens == {step.github.token}
    assert sandbox.key not in json.dumps([(asked.headers, asked.body, asked.query) for asked in step.github.requests])
    assert step.github.token not in json.dumps([asked.headers for asked in sandbox.requests])


def test_neither_token_nor_key_is_shown_although_page_server_and_label_say_it(step: Step) -> None:
    key = "xqr_pk_0a1b2c3d.S3cr3t-Zq9_xW4vKp7LmN2bRt8Y"
    step.monkeypatch.setenv("XQR_API_KEY", key)
    token = step.github.token
    both = f"{token} {key}"
    failure = {**FAILURE, "error": {"message": both, "hint": both}}
    problem = dict.fromkeys(("file", "pointer", "message", "hint", "rule"), both) | {"line": 1, "column": 1}
    told = [step.comment(saved, "--label", token) for saved in (plan_to(both), {**failure, "problems": [problem]})]
    told += [step.issue(saved, "--label", token) for saved in (plan_to(both), failure)]
    assert [done.code for done in told] == [0] * 4
    step.github.fail(Fault(status=422, body=json.dumps({"message": both})))
    told.append(step.comment(plan_to(both), "--label", token))
    assert told[-1].code == 1
    seen_by_people = "".join(f"{asked.body}" for asked in step.github.writes)
    seen_by_people += step.summary + "".join(done.out + done.err for done in told)
    assert not any(secret[n : n + 8] in seen_by_people for secret in (token, key[16:]) for n in range(len(secret) - 7))


def test_a_new_comment_takes_two_requests_and_one_that_stays_takes_three(step: Step) -> None:
    counts = []
    for _ in range(2):
        step.comment(PLAN)
        counts.append(len(step.github.requests))
    assert counts == [2, 5]


def test_on_enterprise_server_graphql_stands_beside_the_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with GitHub(api_path="/api/v3") as github:
        step = Step(github, tmp_path, monkeypatch, capfd, github.open_pull_request(head=HEAD))
        step.pushed(HEAD)
        assert [step.comment(plan).out.split()[0] for plan in (PLAN, NOTHING)] == ["posted", "updated"]
        assert {request.path for request in github.requests} == {
            "/api/v3/repos/acme/pages/issues/1/comments",
            f"/api/v3/repos/acme/pages/issues/comments/{github.comments[0].id}",
            "/api/graphql",
        }


# What it is given


def test_a_pull_request_may_be_named_where_the_event_has_none(step: Step) -> None:
    step.run_for(step.github.push_event(LATER))
    done = step.comment(PLAN)
    assert done.code == 1
    assert done.err == (
        "error: this run is not for a pull request\n"
        "hint: run it `on: pull_request`, or name the pull request: --pull-request N\n"
    )
    plan = replace(PLAN, circumstances=replace(NOW, commit=LATER))
    assert step.comment(plan, "--pull-request", "1").out.startswith("posted ")
    # The commit is the plan's, since the event knows none.
    assert f'"head":"{LATER}"' in step.body


def test_another_pull_request_than_the_events_has_another_commit_than_the_events(step: Step) -> None:
    other = step.github.open_pull_request(head=LATER)
    step.comment(PLAN, "--pull-request", str(other))
    assert '"head":null' in step.body


@pytest.mark.parametrize(
    ("saved", "why"),
    [
        ("{", "is no saved plan: it is not JSON"),
        ("[]", "is no saved plan: "),
        ('{"error": 1}', "is neither a saved plan nor the failure of one"),
        ('{"error": {"message": 1}}', "is neither a saved plan nor the failure of one"),
        (planfile.dumps(PLAN).replace("Acme Inc", "Evil Inc"), "the plan was changed after it was made"),
    ],
)
def test_what_is_no_plan_takes_the_place_of_an_older_one_and_is_a_failure(step: Step, saved: str, why: str) -> None:
    step.comment(PLAN)
    done = step.comment(saved)
    assert (done.code, done.out.partition(" ")[0]) == (1, "updated")
    assert why in done.err
    assert why in step.body
    assert "There is no plan" in step.body
    assert read_markdown(without_marker(step.body).rpartition("[Run ")[0]).acts == {}


def test_a_plan_that_is_not_there_is_told_like_one_that_failed(step: Step) -> None:
    step.comment(PLAN)
    done = step.call("comment", "nowhere/plan.json")
    assert (done.code, len(step.github.comments)) == (1, 1)
    assert "nowhere/plan.json can't be read: No such file or directory" in step.body
    assert '"state":"failed"' in step.body


def test_drift_is_no_plan_for_a_comment(step: Step) -> None:
    done = step.comment(drift_of(PLAN))
    assert done.code == 1
    assert done.err.endswith("holds drift, and no plan\nhint: drift has an issue: bio-sync issue drift.json\n")


@pytest.mark.parametrize(("warnings", "held"), [((), False), (("apply needs --force for this: x",), True)])
def test_what_comes_next_does_not_promise_what_a_guard_holds_back(
    step: Step, warnings: tuple[str, ...], held: bool
) -> None:
    step.comment(replace(PLAN, warnings=warnings))
    assert "Next: merge." in step.body
    assert ("what a warning names holds it back" in step.body) == held


def test_a_label_has_an_end(step: Step) -> None:
    assert step.comment(PLAN, "--label", "x" * 101).code == 64


def test_the_document_tells_every_outcome() -> None:
    table = (
        (ROOT / "docs" / "reference" / "comments.md")
        .read_text(encoding="utf-8")
        .partition("| outcome |")[2]
        .partition("\n\n")[0]
    )
    told = re.findall(r"`(\w+)`(?=[^|\n]* \|[^|\n]*\|$)", table, re.MULTILINE)
    assert sorted(told) == sorted(get_args(Outcome))
