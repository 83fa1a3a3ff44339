"""The example workflows, played against a GitHub and an xQR on loopback."""

import contextlib
import json

import pytest

from bio_sync import journal
from tests.action.conftest import PULL_REQUEST, Play, page
from tests.conftest import Run as CommandLine
from tests.runner import NONE, Run, dispatch, merge, merge_group, pull_request, push, schedule

OBEYED = {"add-mask", "group", "stop-commands", "endgroup"}
HOSTILE = "x\n::add-mask::live ##[set-output name=a]b ```` <!-- --> @octocat </details> ##vso[task.complete]"


def output(run: Run, job: str, name: str) -> str:
    """An output of the last use of our action in a job."""
    return [step.outputs for step in run[job].steps.values() if "exit-code" in step.outputs][-1][name]


def test_a_pull_request_shows_its_plan_and_its_merge_writes_that_and_a_dashboard_edit_becomes_an_issue(
    play: Play,
) -> None:
    play.commit("spring", acme=page("acme", "Acme in spring"))
    number = play.open("spring")
    first = play.pull_request("spring", number)
    assert {name: job.conclusion for name, job in first.jobs.items()} == {"validate": "success", "plan": "success"}
    (comment,) = play.github.comments
    assert '+ "Acme in spring"' in comment.body
    assert output(first, "plan", "comment-url").endswith(f"#issuecomment-{comment.id}")
    assert "Acme in spring" in first["plan"].summary
    assert {"plan.json", "plan.md", "plan.html"} == {
        file.name for file in play.world.artifacts[first.number]["bio-sync-plan"].iterdir()
    }

    play.commit("spring", acme=page("acme", "Acme in June"))
    play.pull_request("spring", number, jobs=("plan",))
    (comment,) = play.github.comments
    assert '+ "Acme in June"' in comment.body
    assert play.sandbox.page("bio_acme")["title"] == "Acme"

    done = play.merged("spring", number)
    assert done["apply"].conclusion == "success"
    assert play.sandbox.page("bio_acme")["title"] == "Acme in June"
    assert output(done, "apply", "applied") == "1"
    assert output(done, "apply", "digest") in comment.body
    assert "applied    pages/acme.yaml  update" in done["apply"].summary
    assert done["apply"].log.text.count("applied    pages/acme.yaml  update") == 1
    assert (play.world.artifacts[done.number]["bio-sync-journal"] / "journal.json").is_file()

    play.sandbox.edit("bio_choir", title=HOSTILE)
    daily = play.daily()
    assert {name: job.conclusion for name, job in daily.jobs.items()} == {"drift": "success", "apply": "skipped"}
    (issue,) = play.github.issues
    assert issue.state == "open"
    assert (output(daily, "drift", "changes"), output(daily, "drift", "exit-code")) == ("true", "2")
    assert output(daily, "drift", "issue-url").endswith(f"/issues/{issue.number}")

    play.by_hand()
    assert play.sandbox.page("bio_choir")["title"] == "Acme"
    play.daily()
    assert [issue.state for issue in play.github.issues] == ["closed"]

    # The pages' own words have ordered nothing, and no log shows a key.
    assert {command.name for job in daily.jobs.values() for command in job.log.obeyed} <= OBEYED
    for key in (environment.secrets["XQR_API_KEY"] for environment in play.world.environments.values()):
        for job in (*first.jobs.values(), *done.jobs.values(), *daily.jobs.values()):
            assert key not in job.log.text + job.summary
            assert key.partition(".")[2] not in job.log.text + job.summary
    assert all(play.sandbox.key not in str(request.headers) + str(request.body) for request in play.github.requests)
    assert not any(token in str(request.headers) for request in play.sandbox.requests for token in play.github.tokens)


def test_a_fork_is_checked_and_sees_what_its_files_change_without_key_or_call(play: Play) -> None:
    play.commit("fork", bakery=page("bakery", "Bread"))
    run = play.pull_request("fork", play.open("fork", fork=True), fork=True)
    assert {name: job.conclusion for name, job in run.jobs.items()} == {"validate": "success", "plan": "skipped"}
    assert '+ "Bread"' in run["validate"].summary
    assert "Made offline" in run["validate"].summary
    assert play.sandbox.requests == []
    assert play.github.requests == []
    assert play.world.artifacts == {}


def test_files_with_problems_are_told_at_their_lines_and_as_the_failure_of_the_plan(play: Play) -> None:
    play.commit("broken", choir="id: bio_choir\ntitel: Choir\n")
    run = play.pull_request("broken", play.open("broken"))
    assert {name: job.conclusion for name, job in run.jobs.items()} == {"validate": "failure", "plan": "failure"}
    for job in run.jobs.values():
        (error,) = job.log.annotations("error")
        assert error.properties["file"] == "pages/choir.yaml"
        assert (error.properties["line"], error.properties["col"]) == ("2", "1")
        assert "did you mean 'title'?" in error.data
    assert output(run, "validate", "failure-reason") == output(run, "plan", "failure-reason") == "invalid"
    assert "There is no plan" in play.github.comments[0].body
    assert play.sandbox.requests == []


def test_what_was_merged_before_its_plan_was_shown_is_not_written_until_somebody_starts_the_run_by_hand(
    play: Play,
) -> None:
    play.commit("spring", acme=page("acme", "Merged at once"))
    run = play.merged("spring", play.open("spring"))
    assert run["apply"].conclusion == "failure"
    assert output(run, "apply", "failure-reason") == "not-approved"
    assert "no plan was shown on pull request #1" in run["apply"].summary
    assert "run this workflow by hand" in run["apply"].summary
    assert '+ "Merged at once"' in run["apply"].summary
    assert play.sandbox.page("bio_acme")["title"] == "Acme"
    assert play.by_hand()["apply"].conclusion == "success"
    assert play.sandbox.page("bio_acme")["title"] == "Merged at once"
    # Nobody has to agree to nothing.
    quiet = play.pushed()
    assert quiet["apply"].conclusion == "success"
    assert output(quiet, "apply", "changes") == "false"


def test_a_page_that_moved_since_the_review_is_not_written(play: Play) -> None:
    play.commit("spring", acme=page("acme", "Acme in spring"))
    number = play.open("spring")
    play.pull_request("spring", number, jobs=("plan",))
    play.sandbox.edit("bio_acme", title="From the dashboard")
    run = play.merged("spring", number)
    assert run["apply"].conclusion == "failure"
    assert output(run, "apply", "failure-reason") == "stale"
    assert play.sandbox.page("bio_acme")["title"] == "From the dashboard"
    (error,) = run["apply"].log.annotations("error")
    assert "pages/acme.yaml (bio_acme) was changed live at /title" in error.data
    assert "run this workflow by hand" in error.data


def test_an_artifact_that_is_gone_or_another_is_no_plan_that_was_approved(play: Play) -> None:
    play.commit("spring", acme=page("acme", "Acme in spring"))
    number = play.open("spring")
    shown = play.pull_request("spring", number, jobs=("plan",))
    artifact = play.world.artifacts[shown.number]["bio-sync-plan"]
    plan = json.loads((artifact / "plan.json").read_text())
    plan["digest"] = f"sha256:{'0' * 64}"
    (artifact / "plan.json").write_text(json.dumps(plan))
    # What somebody puts beside the plan does not take the place of what was found.
    (artifact / "approved.json").write_text(json.dumps({"digest": plan["digest"], "pull_request": number}))
    run = play.merged("spring", number)
    assert output(run, "apply", "failure-reason") == "not-approved"
    assert "is not the one that the comment" in run["apply"].summary
    assert "find out who has changed it, then run this workflow by hand" in run["apply"].summary
    del play.world.artifacts[shown.number]
    again = play.pushed()
    assert output(again, "apply", "failure-reason") == "not-approved"
    assert "can't be fetched" in again["apply"].summary
    assert play.sandbox.page("bio_acme")["title"] == "Acme"


def test_a_missing_secret_and_a_token_that_may_not_write_are_told_as_that(play: Play) -> None:
    play.commit("spring", acme=page("acme", "Acme in spring"))
    number = play.open("spring")
    play.world.token_of = lambda _: play.github.add_token(permissions={"contents": "read"})
    shown = play.pull_request("spring", number, jobs=("plan",))
    assert shown["plan"].conclusion == "success"
    (notice,) = shown["plan"].log.annotations("notice")
    assert "pull-requests: write" in notice.data
    assert play.github.comments == []
    play.world.environments["bio-sync-plan"] = type(play.world.environments["bio-sync-plan"])()
    missing = play.pull_request("spring", number, jobs=("plan",))
    assert missing["plan"].conclusion == "failure"
    assert output(missing, "plan", "failure-reason") == "auth"
    assert "this run has no key: the input 'api-key' is empty" in missing["plan"].log.annotations("error")[0].data


def test_nothing_of_a_checkout_is_taken_for_a_part_of_python_or_of_bio_sync(play: Play) -> None:
    play.world.starts = True
    mark = play.world.folder / "mark"
    code = f"open({str(mark)!r}, 'a').write(__file__)\n"
    names = ("yaml", "httpx", "click", "sitecustomize", "usercustomize", "bio_sync", "encodings", "json")
    for name in names:
        (play.desk / f"{name}.py").write_text(code)
    (play.desk / "bio_sync").mkdir()
    (play.desk / "bio_sync" / "__init__.py").write_text(code)
    (play.desk / ".env").write_text("XQR_API_URL=https://elsewhere.example.com\nXQR_API_KEY=x\n")
    (play.desk / "pip.conf").write_text("[global]\nindex-url = https://elsewhere.example.com\n")
    (play.desk / "setup.cfg").write_text("[easy_install]\nindex-url = https://elsewhere.example.com\n")
    play.commit("hostile", acme=page("acme", "Acme in spring"))
    run = play.pull_request("hostile", play.open("hostile"))
    assert {job.conclusion for job in run.jobs.values()} == {"success"}
    assert not mark.exists()
    assert "1 page to change" in run["plan"].summary


def test_the_workflows_that_init_writes_do_the_same_with_the_installed_tool(play: Play, run: CommandLine) -> None:
    with contextlib.chdir(play.desk):
        assert run("init", "--ci", "github").code == 0
    jobs, daily = (play.desk / ".github" / "workflows" / f"bio-sync{end}.yml" for end in ("", "-daily"))
    play.world.around["XQR_API_URL"] = play.sandbox.url
    play.commit("spring", acme=page("acme", "Acme in spring"))
    number = play.open("spring")
    shown = play.world.play(jobs, pull_request(play.world, branch="spring", number=number))
    assert {name: job.conclusion for name, job in shown.jobs.items()} == {
        "validate": "success",
        "plan": "success",
        "apply": "skipped",
    }
    assert '+ "Acme in spring"' in play.github.comments[0].body
    merge(play.world, "spring")
    assert play.world.play(jobs, push(play.world, before=NONE))["apply"].conclusion == "skipped"
    written = play.world.play(jobs, push(play.world))
    assert {name: job.conclusion for name, job in written.jobs.items()} == {
        "validate": "skipped",
        "plan": "skipped",
        "apply": "success",
    }
    assert '+ "Acme in spring"' in written["apply"].summary
    assert play.sandbox.page("bio_acme")["title"] == "Acme in spring"
    play.sandbox.edit("bio_acme", title="From the dashboard")
    compared = play.world.play(daily, schedule(play.world))
    assert {name: job.conclusion for name, job in compared.jobs.items()} == {"drift": "success", "apply": "skipped"}
    assert "From the dashboard" in play.github.issues[0].body
    play.world.variables["BIO_SYNC_APPLY_DAILY"] = "true"
    put_back = play.world.play(daily, schedule(play.world))
    assert {name: job.conclusion for name, job in put_back.jobs.items()} == {"drift": "skipped", "apply": "success"}
    assert play.sandbox.page("bio_acme")["title"] == "Acme in spring"
    # Each apply that wrote keeps its journal, and a run that wrote nothing keeps none.
    before = [
        journal.read_journal(str(play.world.artifacts[run.number]["bio-sync-journal"] / "journal.json")).pages[0].before
        for run in (written, put_back)
    ]
    assert [page.title for page in before] == ["Acme", "From the dashboard"]
    nothing = play.world.play(daily, schedule(play.world))
    assert (nothing["apply"].conclusion, play.world.artifacts.get(nothing.number, {})) == ("success", {})


def test_by_what_init_writes_a_dashboard_edit_stops_a_merge_until_somebody_starts_the_run_by_hand(
    play: Play, run: CommandLine
) -> None:
    with contextlib.chdir(play.desk):
        assert run("init", "--ci", "github").code == 0
    jobs = play.desk / ".github" / "workflows" / "bio-sync.yml"
    play.world.around["XQR_API_URL"] = play.sandbox.url
    play.sandbox.edit("bio_choir", title="From the dashboard")
    (play.desk / "bio-sync.yaml").write_text("safety: {max_changes: 1}\n")
    play.commit("spring", acme=page("acme", "Acme in spring"))
    merge(play.world, "spring")
    refused = play.world.play(jobs, push(play.world))["apply"]
    assert refused.conclusion == "failure"
    (error,) = refused.log.annotations("error")
    assert error.data.startswith("Nothing was written: the summary says why.")
    assert "error: 1 value changed on live pages, and not in git" in refused.log.text
    assert "From the dashboard" in refused.summary
    assert [page["title"] for page in play.sandbox.pages] == ["Acme", "Acme", "From the dashboard"]
    assert {request.method for request in play.sandbox.requests} == {"GET"}
    # Two pages are one more than the guard lets pass without force.
    by_hand = play.world.play(jobs, dispatch(play.world, force=True))
    assert [name for name, job in by_hand.jobs.items() if job.conclusion != "skipped"] == ["apply"]
    assert '- "From the dashboard"' in by_hand["apply"].summary
    assert [page["title"] for page in play.sandbox.pages] == ["Acme in spring", "Acme", "Acme"]


def test_a_merge_queue_gets_the_check_that_needs_no_key(play: Play, run: CommandLine) -> None:
    with contextlib.chdir(play.desk):
        assert run("init", "--ci", "github").code == 0
    play.commit("spring", acme=page("acme", "Acme in spring"))
    for workflow in (PULL_REQUEST, play.desk / ".github" / "workflows" / "bio-sync.yml"):
        queued = play.world.play(workflow, merge_group(play.world, "spring"))
        assert {name: job.conclusion for name, job in queued.jobs.items() if job.conclusion != "skipped"} == {
            "validate": "success"
        }
        assert "3 page files, no problems" in queued["validate"].log.text
    assert play.sandbox.requests == []


def test_the_action_installs_hash_locked_wheels_and_nothing_that_a_checkout_names(play: Play) -> None:
    """The one test of the action that asks a package registry: pip itself, in a fresh environment."""
    (play.desk / "pip.conf").write_text(
        "[global]\nrequire-virtualenv = true\nindex-url = https://elsewhere.example.com\n"
    )
    (play.desk / "sitecustomize.py").write_text(f"open({str(play.world.folder / 'mark')!r}, 'w')\n")
    play.commit("real")
    play.world.installs = True
    done = play.pull_request("real", play.open("real"), jobs=("validate",))["validate"]
    installed = done.steps["action/install"]
    if installed.outcome == "failure" and "No matching distribution found" in done.log.text:
        pytest.skip("pip reaches no package registry from here")
    assert done.conclusion == "success", done.log.text
    assert installed.outputs["python"].startswith(str(play.world.folder))
    assert not (play.world.folder / "mark").exists()
