"""One issue for drift and label: opened, updated, closed, opened again; never a second one, never somebody else's."""

import json

import pytest

from bio_sync import planfile
from bio_sync.github.marker import read_marker, without_marker
from bio_sync.planning import make_plan
from tests import strategies as some
from tests.github.conftest import FAILURE, NOTHING, NOW, Step, drift_of, plan_to
from tests.github.service import Fault
from tests.readers import read_markdown
from tests.test_nothing_acts import MARK, NAUGHTY, check_safe_to_print

DRIFT = plan_to("Acme")
MORE = plan_to("Acme Ltd")


@pytest.fixture(autouse=True)
def scheduled(step: Step) -> None:
    step.run_for(None, run_id=9)


def outcomes(step: Step, *saved: object) -> list[str]:
    return [step.issue(each).out.split()[0] for each in saved]  # type: ignore[arg-type]


def test_drift_opens_an_issue_that_lives_as_long_as_the_drift(step: Step) -> None:
    assert outcomes(step, NOTHING) == ["skipped"]
    assert step.issue(DRIFT).out == f"opened {step.github.address}/acme/pages/issues/2\n"
    assert outcomes(step, DRIFT, MORE, MORE, NOTHING, NOTHING) == [
        "unchanged",
        "updated",
        "unchanged",
        "closed",
        "skipped",
    ]
    (issue,) = step.github.issues
    assert (issue.title, issue.state) == ("bio-sync: live pages differ from their files", "closed")
    assert (issue.state_reason, [comment.body for comment in step.github.comments]) == (
        "completed",
        [
            "No drift any more: the live pages are as their files say."
            f" [Run 9]({step.github.address}/acme/pages/actions/runs/9)"
        ],
    )
    assert outcomes(step, MORE, MORE) == ["reopened", "unchanged"]
    (issue,) = step.github.issues
    assert issue.state == "open"
    assert '- "Acme Ltd"\n+ "Acme Inc"\n' in issue.body
    assert "bio-sync pull x\nbio-sync apply y\n" in issue.body


def test_that_it_is_closed_is_said_once_and_only_when_it_is(step: Step) -> None:
    step.issue(DRIFT)
    step.github.fail(Fault(method="PATCH", path="/issues/", status=422))
    assert step.issue(NOTHING).code == 1
    assert step.github.comments == []
    step.github.fail(Fault(method="POST", path="/comments", status=500))
    assert outcomes(step, NOTHING, NOTHING) == ["closed", "skipped"]
    assert [issue.state for issue in step.github.issues] == ["closed"]


def test_a_page_that_is_gone_is_drift_too(step: Step) -> None:
    gone = make_plan([some.wanted_page(DRIFT.changes[0].after, "bio_gone")], {}, circumstances=NOW)
    assert outcomes(step, gone, NOTHING) == ["opened", "closed"]


def test_a_run_that_failed_changes_an_open_issue_and_opens_none(step: Step) -> None:
    assert outcomes(step, FAILURE) == ["skipped"]
    assert outcomes(step, DRIFT, FAILURE, FAILURE) == ["opened", "updated", "unchanged"]
    (issue,) = step.github.issues
    assert without_marker(issue.body).startswith(
        "## bio-sync drift\n\n**It failed:** `the service does not answer`\n\n`try again later`\n"
    )
    assert "is in the history of this text (edited)" in issue.body
    assert outcomes(step, DRIFT, NOTHING) == ["updated", "closed"]


def test_each_label_has_an_issue_of_its_own(step: Step) -> None:
    for label in ("prod", "staging", "prod"):
        step.issue(DRIFT, "--label", label)
    title = "bio-sync: live pages differ from their files"
    assert [issue.title for issue in step.github.issues] == [f"{title} (prod)", f"{title} (staging)"]


@pytest.mark.parametrize("ignores_creator", [True, False])
def test_what_somebody_else_wrote_is_neither_believed_nor_touched(step: Step, ignores_creator: bool) -> None:
    step.github.ignores_creator = ignores_creator
    step.issue(DRIFT)
    (ours,) = step.github.issues
    forged = step.github.issue("Drift", ours.body)
    pull_request = step.github.open_pull_request(head="d" * 40, author=ours.author, body=ours.body)
    assert outcomes(step, NOTHING, DRIFT) == ["closed", "reopened"]
    assert forged in step.github.issues
    assert len(step.github.issues) == 2
    assert pull_request > forged.number > ours.number
    lists = [request.query for request in step.github.requests if request.method == "GET"]
    assert {query["creator"] for query in lists} == {ours.author}
    # A quotation of our own is no issue of drift, either.
    step.github.edit(step.github.issues[0], body=f"> {ours.body}")
    assert outcomes(step, DRIFT) == ["opened"]


def test_the_issue_is_found_behind_a_hundred_others_of_the_same_bot(step: Step) -> None:
    step.issue(DRIFT)
    for number in range(120):
        step.github.issue(f"Issue {number}", "x", author=step.github.issues[0].author)
    assert outcomes(step, MORE) == ["updated"]


@pytest.mark.parametrize(("status", "may"), [(403, {"issues": "read"}), (410, {"issues": "write"})])
def test_without_permission_or_issues_the_drift_is_in_the_job_summary(
    step: Step, status: int, may: dict[str, str]
) -> None:
    step.may(**may)
    if status == 410:
        step.github.fail(Fault(status=410, path="/issues", body='{"message": "Issues are disabled for this repo"}'))
    done = step.issue(DRIFT)
    assert (done.code, done.out) == (0, "shown in the job summary instead\n")
    assert step.summary.startswith("## bio-sync drift\n")
    assert f"notice: GitHub does not let this run do that ({status}): " in done.err
    assert "permissions: issues: write" in done.err


def test_any_other_failure_is_one_after_the_drift_was_shown(step: Step) -> None:
    step.github.fail(Fault(method="POST", path="/issues", status=422, body='{"message": "Validation Failed"}'))
    done = step.issue(DRIFT, "--format", "json")
    assert (done.code, json.loads(done.out)["error"]["reason"]) == (1, "rejected")
    assert step.summary.startswith("## bio-sync drift\n")


@pytest.mark.parametrize("carried_out", [True, False])
def test_an_issue_whose_answer_was_lost_is_looked_for_before_it_is_opened_again(step: Step, carried_out: bool) -> None:
    step.github.fail(Fault(method="POST", path="/issues", dropped=True, carried_out=carried_out))
    assert outcomes(step, DRIFT) == ["opened"]
    assert len(step.github.issues) == 1


@pytest.mark.parametrize("saved", [planfile.dumps(DRIFT), drift_of(DRIFT).replace("bio-sync apply", "::error::x")])
def test_a_plan_without_answers_of_ours_is_no_drift(step: Step, saved: str) -> None:
    (step.folder / "plan.json").write_text(saved, encoding="utf-8")
    done = step.call("issue", str(step.folder / "plan.json"))
    assert (done.code, step.github.writes) == (1, [])
    assert done.err.endswith(
        "holds a plan, and no drift: its changes have no answers of ours\n"
        "hint: save drift with `bio-sync drift --out drift.json`\n"
    )


@pytest.mark.parametrize("first", range(0, len(NAUGHTY), 30))
def test_nothing_that_a_page_a_label_or_an_answer_says_acts_in_the_issue(step: Step, first: int) -> None:
    for text in NAUGHTY[first : first + 30]:
        step.github.issues.clear()
        document = json.loads(drift_of(plan_to(text + MARK)))
        document["changes"][0]["answers"] = {
            "pull": f"bio-sync pull {text}{MARK}",
            "apply": f"bio-sync apply {text}{MARK}",
        }
        label = "".join(sign for sign in text + MARK if sign.isprintable())[:100]
        assert step.issue(document, "--label", label).code == 0
        (issue,) = step.github.issues
        check_safe_to_print(issue.body)
        check_safe_to_print(issue.title)
        shown, _, link = without_marker(issue.body).rpartition("[Run 9](")
        assert link.endswith("/actions/runs/9)\n")
        page = read_markdown(shown)
        assert page.acts == {}
        assert MARK not in page.html.text_outside_code
        marker = read_marker(issue.body)
        assert marker
        assert marker.label == label
