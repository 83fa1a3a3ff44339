"""An apply after a merge goes by the plan that the merged pull request had shown last, and by no other."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from bio_sync.errors import BioSyncError
from bio_sync.github import Approved, GitHub, NotApproved, NotPermitted, approved, read_run
from bio_sync.github.client import _pull_request
from tests.github import service
from tests.github.conftest import FAILURE, HEAD, LATER, MERGED, Step, plan_to
from tests.github.service import BOT, Fault
from tests.test_nothing_acts import plans_that_say

PLAN = plan_to("Acme")


def look(step: Step, commit: str = MERGED, label: str = "") -> Approved:
    """Ask as the apply does: with a token that may only read."""
    token = step.github.add_token(permissions={"pull-requests": "read", "contents": "read"})
    run = read_run(step.github.environment(step.folder, event=step.github.push_event(commit), token=token))
    with GitHub(run, sleep=step.naps.append) as github:
        return approved(github, commit, label=label)


@pytest.fixture
def shown(step: Step) -> Step:
    """A plan that was shown, and then merged."""
    step.pushed(HEAD, run_id=41)
    step.comment(PLAN)
    step.github.merge(step.number, MERGED)
    return step


def test_the_plan_that_was_shown_last_is_found_with_the_run_that_saved_it(shown: Step) -> None:
    assert look(shown) == Approved(shown.number, HEAD, PLAN.digest, 41)
    assert shown.naps == []


def test_a_merge_that_github_knows_a_moment_later_is_waited_for(shown: Step) -> None:
    shown.github.late_merges = 2
    assert look(shown).run == 41
    assert shown.naps == [2.0, 4.0]


def test_each_label_has_a_plan_of_its_own(shown: Step) -> None:
    other = plan_to("Acme Ltd")
    shown.comment(other, "--label", "staging")
    assert [look(shown, label=label).digest for label in ("", "staging")] == [PLAN.digest, other.digest]
    with pytest.raises(NotApproved, match=r"no plan with the label 'prod' was shown on pull request #1"):
        look(shown, label="prod")


def test_a_hidden_comment_counts_since_hiding_the_last_one_must_not_bring_an_older_one_back(shown: Step) -> None:
    shown.comment(FAILURE)
    shown.github.edit(shown.github.comments[0], minimised=True)
    with pytest.raises(NotApproved, match="failed"):
        look(shown)


UNTOLD = {
    "may not be asked": Fault(status=403, path="graphql", times=9),
    "without data": Fault(status=200, path="graphql", times=9, body='{"data": null, "errors": []}'),
    "without the comment": Fault(
        status=200,
        path="graphql",
        times=9,
        body='{"data": {"viewer": {"login": "github-actions[bot]"}, "nodes": [null]}}',
    ),
}


@pytest.mark.parametrize("fault", UNTOLD.values(), ids=UNTOLD)
def test_where_nobody_can_tell_whether_the_plan_was_edited_it_is_not_approved(shown: Step, fault: Fault) -> None:
    shown.github.fail(fault)
    with pytest.raises(NotApproved, match="does not tell whether somebody has edited the plan on pull request #1"):
        look(shown)


def pushed_later(step: Step) -> None:
    step.github.push(step.number, LATER)


def failed(step: Step) -> None:
    step.comment(FAILURE)


def offline(step: Step) -> None:
    step.comment(next(plan for plan in plans_that_say("x") if plan.circumstances.offline))


def no_comment(step: Step) -> None:
    step.github.comments.clear()


def written_by_somebody_else(step: Step) -> None:
    (ours,) = step.github.comments
    step.github.comments.clear()
    step.github.comment(step.number, ours.body)


def edited(step: Step) -> None:
    (ours,) = step.github.comments
    step.github.edit(ours, by="mallory", body=ours.body.replace(PLAN.digest, plan_to("Evil").digest))


def not_merged(step: Step) -> None:
    step.github.pull_requests[step.number] = replace(step.github.pull_requests[step.number], commit=None, trial=MERGED)


def into_another_branch(step: Step) -> None:
    step.github.pull_requests[step.number] = replace(step.github.pull_requests[step.number], base="next")


def into_another_repository(step: Step) -> None:
    """GitHub names the pull requests of a whole network of forks."""
    other = {"full_name": "mallory/pages", "default_branch": "main"}
    found = {"number": 1, "merged_at": "2026-11-22T10:00:00Z", "merge_commit_sha": MERGED, "head": {"sha": HEAD}}
    body = json.dumps([{**found, "base": {"ref": "main", "repo": other}}])
    step.github.fail(service.Fault(status=200, path=f"/commits/{MERGED}/pulls", times=3, body=body))


def merged_twice(step: Step) -> None:
    step.github.merge(step.github.open_pull_request(head=LATER), MERGED)


def without_a_run(step: Step) -> None:
    step.monkeypatch.delenv("GITHUB_RUN_ID")
    step.github.comments.clear()
    step.comment(PLAN)


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (pushed_later, f"is of {HEAD[:12]}, and {LATER[:12]} was merged: it was pushed later"),
        (failed, "the last plan on pull request #1 failed"),
        (offline, "was made offline: nobody has seen what it does to the live pages"),
        (no_comment, "no plan was shown on pull request #1"),
        (written_by_somebody_else, "no plan was shown on pull request #1"),
        (edited, "was edited by mallory"),
        (not_merged, f"commit {MERGED[:12]} was not made by merging a pull request"),
        (into_another_branch, "into the default branch"),
        (into_another_repository, "into the default branch"),
        (merged_twice, "merged more than one pull request: #1, #2"),
        (without_a_run, "does not say which run has saved it"),
    ],
)
def test_anything_else_is_refused_in_words_with_a_way_out(
    shown: Step, happens: Callable[[Step], None], why: str
) -> None:
    happens(shown)
    with pytest.raises(NotApproved) as refused:
        look(shown)
    assert why in refused.value.message
    assert "run this workflow by hand" in refused.value.hint
    assert refused.value.reason == "not-approved"


def test_a_plan_that_was_edited_and_put_back_counts_again_once_its_run_was_repeated(shown: Step) -> None:
    (ours,) = shown.github.comments
    shown.github.edit(ours, by="ada", body=ours.body)
    with pytest.raises(NotApproved, match="was edited by ada"):
        look(shown)
    for outcome in ("updated", "unchanged"):
        shown.pushed(HEAD, run_id=41)
        assert shown.comment(PLAN).out.startswith(f"{outcome} ")
        assert look(shown).digest == PLAN.digest


def test_what_somebody_else_wrote_does_not_take_the_place_of_ours(shown: Step) -> None:
    (ours,) = shown.github.comments
    for author in ("mallory", "github-actions"):
        shown.github.comment(shown.number, ours.body.replace("41", "42"), author=author)
    assert look(shown).run == 41


def test_a_head_that_was_never_merged_is_no_merge(shown: Step) -> None:
    with pytest.raises(NotApproved, match="was not made by merging"):
        look(shown, HEAD)
    with pytest.raises(NotApproved, match="is not the id of a commit"):
        look(shown, "../../user")


def test_a_pull_request_of_which_github_does_not_tell_the_branches_has_no_say(shown: Step) -> None:
    told = shown.github._pull_request(shown.github.pull_requests[shown.number])
    assert _pull_request(told, shown.github.repository) is not None
    # Two names that are both unknown are not the same name.
    there = {**told["base"], "ref": None, "repo": {"full_name": shown.github.repository}}
    for lack in ({"base": there}, {"base": None}, {"head": None}, {"number": True}, {"merge_commit_sha": ""}):
        assert _pull_request({**told, **lack}, shown.github.repository) is None


def test_a_token_that_may_not_read_is_told(shown: Step) -> None:
    token = shown.github.add_token(BOT, permissions={"contents": "read"})
    with GitHub(read_run(shown.github.environment(shown.folder, token=token))) as github, pytest.raises(NotPermitted):
        approved(github, MERGED)


def test_failures_of_github_are_errors_that_the_command_line_explains() -> None:
    assert issubclass(NotPermitted, BioSyncError)
    assert service.MOST_CHARACTERS == 65_536
