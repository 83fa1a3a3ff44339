"""What the environment tells of a run: the token goes to one address, which is https or this machine's."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync.errors import BioSyncError, NotAnAnswer, Rejected
from bio_sync.github import GitHub, Marker, NoGitHub, read_run, token_at_hand
from bio_sync.github.marker import read_marker, without_marker
from tests.github import service
from tests.github.conftest import HEAD, Step, plan_to

TOKEN = "ghs_0123456789abcdef0123456789abcdef0123"
LEAST = {"GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "acme/pages"}
MARKERS = st.builds(
    Marker,
    st.sampled_from(["plan", "drift"]),
    st.text(),
    st.sampled_from(["whole", "offline", "failed"]),
    st.none() | st.just(HEAD),
    st.none() | st.just("sha256:" + "0" * 64),
    st.none() | st.integers(1, 10**15),
)


@given(MARKERS, st.text())
def test_a_marker_comes_back_from_the_start_of_any_body_and_nothing_in_it_ends_it(marker: Marker, rest: str) -> None:
    line = marker.line()
    assert line.isascii()
    assert line.count("\n") == 1
    inner = line.removeprefix("<!-- ").removesuffix(" -->\n")
    assert not {"--", "<", ">", "##"} & {inner[n : n + size] for size in (1, 2) for n in range(len(inner))}
    assert read_marker(line + rest) == marker
    assert without_marker(line + rest) == rest
    assert read_marker(f" {line}") is None


@pytest.mark.parametrize(
    "told",
    [
        "{}",
        '{"v":2,"label":"","state":"whole"}',
        '{"v":true,"label":"","state":"whole"}',
        '{"v":1,"label":1,"state":"whole"}',
        '{"v":1,"label":"","state":"approved"}',
        '{"v":1,"v":1,"label":"","state":"whole"}',
        '{"v":1,"label":"","state":"whole"',
    ],
)
def test_a_marker_that_we_do_not_write_is_none(told: str) -> None:
    assert read_marker(f"<!-- bio-sync:plan {told} -->\n") is None
    assert read_marker('<!-- bio-sync:apply {"v":1,"label":"","state":"whole"} -->\n') is None


def test_members_of_a_marker_that_make_no_sense_are_not_believed() -> None:
    told = {"v": 1, "label": "", "state": "whole", "head": "main", "digest": "x", "run": -1}
    assert read_marker(f"<!-- bio-sync:plan {json.dumps(told)} -->") == Marker("plan", "", "whole", None, None, None)


def test_outside_a_pull_request_the_least_is_a_token_and_a_repository() -> None:
    run = read_run(LEAST)
    assert (run.api_url, run.graphql_url) == ("https://api.github.com", "https://api.github.com/graphql")
    assert (run.pull_request, run.head, run.number, run.address) == (None, None, None, "")
    assert TOKEN not in repr(run)
    assert read_run({"GH_TOKEN": TOKEN, "GITHUB_REPOSITORY": "acme/pages"}).token.header() == f"Bearer {TOKEN}"


def test_the_pull_request_is_that_of_the_event_or_the_issues(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    told = {**LEAST, "GITHUB_EVENT_PATH": str(path), "GITHUB_RUN_ID": "7"}
    path.write_text(json.dumps({"pull_request": {"number": 5, "head": {"sha": HEAD}}}), encoding="utf-8")
    run = read_run(told)
    assert (run.pull_request, run.head) == (5, HEAD)
    assert run.address == "https://github.com/acme/pages/actions/runs/7"
    other = read_run(told, pull_request=6)
    assert (other.pull_request, other.head) == (6, None)
    # A comment on a pull request is an event of an issue that names it; a plain issue has no plan.
    for issue, number in (({"number": 8, "pull_request": {"url": "x"}}, 8), ({"number": 8}, None)):
        path.write_text(json.dumps({"issue": issue, "pull_request": [1]}), encoding="utf-8")
        assert read_run(told).pull_request == number


@pytest.mark.parametrize("event", ["[]", "null", '{"pull_request": {"number": "1; rm", "head": {"sha": "-x"}}}'])
def test_an_event_that_makes_no_sense_names_no_pull_request(tmp_path: Path, event: str) -> None:
    path = tmp_path / "event.json"
    path.write_text(event, encoding="utf-8")
    run = read_run({**LEAST, "GITHUB_EVENT_PATH": str(path)})
    assert (run.pull_request, run.head) == (None, None)


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"GITHUB_TOKEN": " "}, "there is no GitHub token"),
        ({"GITHUB_TOKEN": "ghs_ x"}, "the GitHub token holds a character that no token has"),
        ({"GITHUB_REPOSITORY": ""}, "this is no run of a GitHub workflow"),
        ({"GITHUB_REPOSITORY": "../user"}, "GITHUB_REPOSITORY is '../user'"),
        ({"GITHUB_REPOSITORY": "acme/.."}, "GITHUB_REPOSITORY is 'acme/..'"),
        ({"GITHUB_REPOSITORY": "acme/pages?x="}, "GITHUB_REPOSITORY is 'acme/pages?x='"),
        ({"GITHUB_API_URL": "http://api.github.com"}, "GITHUB_API_URL is not an address that a token may be sent to"),
        ({"GITHUB_API_URL": f"https://{TOKEN}@api.github.com"}, "GITHUB_API_URL is not an address"),
        ({"GITHUB_GRAPHQL_URL": "https://evil.example/graphql"}, "GITHUB_GRAPHQL_URL is on another host than"),
        ({"GITHUB_SERVER_URL": "javascript:alert(1)"}, "GITHUB_SERVER_URL is not an address"),
        ({"GITHUB_EVENT_PATH": "/nowhere/event.json"}, "the event file that GITHUB_EVENT_PATH names can't be read"),
    ],
)
def test_what_is_missing_or_can_not_be_is_told_without_the_token(variables: dict[str, str], why: str) -> None:
    with pytest.raises(NoGitHub) as refused:
        read_run({**LEAST, **variables})
    assert why in refused.value.message
    assert refused.value.hint
    assert TOKEN not in refused.value.message + refused.value.hint
    assert token_at_hand({}) is None


def test_the_next_page_of_a_list_is_asked_of_github_only(step: Step, tmp_path: Path) -> None:
    with service.GitHub() as elsewhere:
        for following in (
            f"{elsewhere.address}/repos/acme/pages/issues/1/comments?page=2",
            "https://evil.example/comments",
            f"{step.github.address.replace('http://', 'http://evil@')}/repos",
            "http://[",
        ):
            step.github.fail(service.Fault(status=200, body="[]", headers={"Link": f'<{following}>; rel="next"'}))
            done = step.comment(plan_to("Acme"))
            assert (done.code, elsewhere.requests) == (1, [])
            assert "the next part of a list is said to be elsewhere" in done.err


def test_on_enterprise_server_the_next_page_is_asked_of_its_api_only(tmp_path: Path) -> None:
    with service.GitHub(api_path="/api/v3") as there, GitHub(read_run(there.environment(tmp_path))) as github:
        following = f"{there.address}/login?next=/api/v3/"
        there.fail(service.Fault(status=200, body="[]", headers={"Link": f'<{following}>; rel="next"'}))
        with pytest.raises(NotAnAnswer, match="is said to be elsewhere"):
            github.our_comments(1, "plan", "")
        assert len(there.requests) == 1


def test_a_list_without_end_has_one(step: Step) -> None:
    address = f"{step.github.address}/repos/acme/pages/issues/1/comments"
    more = service.Fault(status=200, body="[]", headers={"Link": f'<{address}>; rel="next"'}, times=101)
    step.github.fail(more)
    assert "GitHub's list has more than 100 pages" in step.comment(plan_to("Acme")).err
    assert len(step.github.requests) == 100


@pytest.mark.parametrize("body", ["[1]", '[{"id": "1"}]', '[{"id": 1}, {"id": -1}]', "null", "[" * 5_000])
def test_an_answer_that_is_not_githubs_is_not_believed(step: Step, body: str) -> None:
    step.github.fail(service.Fault(status=200, body=body))
    with GitHub(read_run(step.github.environment(step.folder))) as github, pytest.raises(NotAnAnswer):
        github.our_comments(1, "plan", "")


def test_a_comment_of_somebody_whose_account_is_gone_is_passed_over(step: Step) -> None:
    step.github.fail(service.Fault(status=200, body='[{"id": 1, "user": null, "body": null}]'))
    with GitHub(read_run(step.github.environment(step.folder))) as github:
        assert github.our_comments(1, "plan", "") == []


def test_a_redirect_is_not_followed(step: Step) -> None:
    with service.GitHub() as elsewhere, GitHub(read_run(step.github.environment(step.folder))) as github:
        step.github.fail(service.Fault(status=307, headers={"Location": elsewhere.address}))
        with pytest.raises(Rejected, match="GitHub sends elsewhere"):
            github.post_comment(1, "x")
        assert elsewhere.requests == []


def test_outside_github_the_command_says_what_is_missing(step: Step) -> None:
    for name in ("GITHUB_TOKEN", "GITHUB_REPOSITORY"):
        step.monkeypatch.delenv(name)
    done = step.comment(plan_to("Acme"))
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "error: there is no GitHub token\n"
        "hint: give the step `env: GITHUB_TOKEN: ${{ github.token }}`; elsewhere, set GITHUB_TOKEN\n"
    )
    assert issubclass(NoGitHub, BioSyncError)
