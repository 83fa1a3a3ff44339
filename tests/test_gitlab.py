"""The GitLab pipeline that `init --ci gitlab` writes, played by a small GitLab against a local xQR."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bio_sync import __version__
from bio_sync.sandbox import Sandbox
from bio_sync.scaffold import plan_scaffold
from tests.conftest import ROOT
from tests.pipelines import story
from tests.pipelines.gitlab import GitLab, Secret, configuration, holds
from tests.pipelines.gitlab_page import code_quality_widget, sections, terraform_widget
from tests.pipelines.machine import INSTALL, Unknown, git
from tests.readers import commands
from tests.schemas import check_jsonschema

EXAMPLE = ROOT / "examples" / "ci" / "gitlab"
JOBS = ".gitlab/bio-sync.yml"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of `init --ci gitlab` that are for GitLab."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("init"))
        steps = {step.name: step.text or "" for step in plan_scaffold(system="gitlab").steps}
    return {name: steps[name] for name in (".gitlab-ci.yml", JOBS)}


class Play:
    """A project on GitLab and the workspace behind it, with a key that reads and a key that writes."""

    def __init__(self, folder: Path, files: dict[str, str], sandbox: Sandbox) -> None:
        self.sandbox, self.repository = sandbox, folder / "origin"
        self.first = story.repository(self.repository, files)
        self.keys = {"bio-sync-plan": sandbox.add_key(["bio:read"]), "bio-sync-apply": sandbox.key}
        secrets = [
            Secret("XQR_API_KEY", key, environment, protected=environment == "bio-sync-apply")
            for environment, key in self.keys.items()
        ]
        self.gitlab = GitLab(self.repository, secrets=secrets, plain={"XQR_API_URL": sandbox.url})

    @property
    def titles(self) -> list[str]:
        return [page["title"] for page in self.sandbox.pages]


@pytest.fixture
def play(tmp_path: Path, written: dict[str, str]) -> Iterator[Play]:
    with story.workspace() as sandbox:
        yield Play(tmp_path, written, sandbox)


def test_a_merge_request_is_checked_and_shows_its_plan_and_merged_it_is_applied(play: Play) -> None:
    branch = story.commit(play.repository, story.EDIT, branch="edit")
    pipeline = play.gitlab.merge_request(branch, base=play.first)
    assert {name: job.status for name, job in pipeline.results.items()} == {
        "bio-sync-validate": "success",
        "bio-sync-plan": "success",
    }
    assert "2 page files, no problems" in pipeline["bio-sync-validate"].log
    assert code_quality_widget(pipeline["bio-sync-validate"].reports["codequality"]) == []
    plan = pipeline["bio-sync-plan"]
    assert terraform_widget(plan.reports["terraform"]) == {"create": 0, "update": 1, "delete": 0}
    assert b"Acme and Sons" in plan.artifacts["plan.html"]
    assert "Yours: changed in the file since" in plan.log
    assert [request.method for request in play.sandbox.requests] == ["GET"]

    merged = play.gitlab.push(story.merge(play.repository, "edit"), before=play.first)
    assert {name: job.status for name, job in merged.results.items()} == {
        "bio-sync-validate": "success",
        "bio-sync-apply": "success",
    }
    assert play.titles == ["Acme and Sons", "Nora"]
    journal = [name for name in merged["bio-sync-apply"].artifacts if name.startswith(".bio-sync/apply-")]
    assert len(journal) == 1
    assert [request.method for request in play.sandbox.requests[1:]] == ["GET", "GET", "PATCH"]
    for job in (*pipeline.results.values(), *merged.results.values()):
        shown = job.log + repr(job.artifacts) + repr(job.reports)
        assert [key for key in play.keys.values() if key.partition(".")[2][:8] in shown] == []


def test_a_file_with_a_problem_is_told_where_gitlab_shows_it_and_the_plan_counts_as_failed(play: Play) -> None:
    broken = {"pages/acme.yaml": "id: bio_acme\ntitel: Acme\n"}
    pipeline = play.gitlab.merge_request(story.commit(play.repository, broken, branch="edit"), base=play.first)
    validate, plan = pipeline["bio-sync-validate"], pipeline["bio-sync-plan"]
    assert (validate.status, plan.status) == ("failed", "failed")
    assert validate.log.count("pages/acme.yaml:2:1: /titel: the key 'titel' is not known here") == 1
    ((file, words),) = code_quality_widget(validate.reports["codequality"])
    assert file == "pages/acme.yaml"
    assert "the key 'titel' is not known here" in words
    # Not "no changes": the widget says that one report failed to generate.
    assert terraform_widget(plan.reports["terraform"]) == "missing_json_keys"
    assert b"titel" in plan.artifacts["plan.html"]
    assert play.sandbox.requests == []


def test_a_fork_gets_a_plan_without_key_and_call_also_when_a_member_starts_it_in_the_project(play: Play) -> None:
    branch = story.commit(play.repository, story.EDIT, branch="edit")
    inside = play.gitlab.merge_request(branch, base=play.first, fork=True, in_fork=False, only=["bio-sync-plan"])
    assert inside.results == {}
    pipeline = play.gitlab.merge_request(branch, base=play.first, fork=True)
    assert {name: (job.status, job.environment) for name, job in pipeline.results.items()} == {
        "bio-sync-validate": ("success", None),
        "bio-sync-plan-of-a-fork": ("success", None),
    }
    plan = pipeline["bio-sync-plan-of-a-fork"]
    assert "Made offline" in plan.log
    assert terraform_widget(plan.reports["terraform"]) == {"create": 0, "update": 1, "delete": 0}
    assert play.sandbox.requests == []


def test_what_others_merged_meanwhile_is_no_change_of_a_branch_that_was_merged_with_it(play: Play) -> None:
    story.commit(play.repository, story.EDIT, branch="edit")
    git(play.repository, "switch", "--quiet", "main")
    target = story.commit(play.repository, {"pages/nora.yaml": "id: bio_nora\ntitle: Nora Vale\n"})
    result = story.merge(play.repository, "edit")
    pipeline = play.gitlab.merge_request(result, base=play.first, target=target, only=["bio-sync-plan"])
    log = pipeline["bio-sync-plan"].log
    assert "1 drift, 1 yours" in log
    assert log.index("Drift:") < log.index("Nora Vale") < log.index("Yours:") < log.index("Acme and Sons")


def test_an_edit_in_the_dashboard_stops_the_merge_before_the_first_write_and_a_person_decides(play: Play) -> None:
    play.sandbox.edit("bio_nora", title="Nora, by hand")
    commit = story.commit(play.repository, story.EDIT)
    merged = play.gitlab.push(commit, before=play.first, only=["bio-sync-apply"])["bio-sync-apply"]
    assert merged.status == "failed"
    assert "Drift: the live page differs" in merged.log
    assert "error: 1 value changed on live pages, and not in git" in merged.log
    assert "\nNothing was written. To write over an edit: Build > Pipelines > New pipeline" in merged.log
    assert play.titles == ["Acme", "Nora, by hand"]

    pipeline = play.gitlab.by_hand(commit)
    assert {name: job.status for name, job in pipeline.results.items()} == {
        "bio-sync-review": "success",
        "bio-sync-apply-reviewed": "manual",
    }
    assert play.titles == ["Acme", "Nora, by hand"]
    # What has moved since the person read the plan is not written either.
    play.sandbox.edit("bio_nora", title="Nora, again")
    refused = play.gitlab.press(pipeline, "bio-sync-apply-reviewed")
    assert refused.status == "failed"
    assert "pages/nora.yaml (bio_nora) was changed live at /title" in refused.log
    assert play.titles == ["Acme", "Nora, again"]

    assert play.gitlab.press(play.gitlab.by_hand(commit), "bio-sync-apply-reviewed").status == "success"
    assert play.titles == ["Acme and Sons", "Nora"]


def test_a_schedule_tells_of_drift_and_writes_only_when_it_has_the_variable(play: Play) -> None:
    assert play.gitlab.schedule(play.first)["bio-sync-drift"].status == "success"
    play.sandbox.edit("bio_nora", title="Nora, by hand")
    told = play.gitlab.schedule(play.first)
    assert {name: (job.status, job.code) for name, job in told.results.items()} == {"bio-sync-drift": ("failed", 2)}
    assert b"Nora, by hand" in told["bio-sync-drift"].artifacts["drift.md"]
    assert play.titles == ["Acme", "Nora, by hand"]
    written = play.gitlab.schedule(play.first, BIO_SYNC_APPLY="true")
    assert {name: job.status for name, job in written.results.items()} == {"bio-sync-apply-scheduled": "success"}
    assert play.titles == ["Acme", "Nora"]


def test_what_a_page_or_a_file_name_says_does_not_act_in_a_log_or_a_report(play: Play) -> None:
    play.sandbox.edit("bio_acme", title=story.HOSTILE)
    named = "pages/a\n##[error]::error::x\x1b[0K.yaml"
    branch = story.commit(play.repository, {named: "id: bio_acme\ntitle: y ##[group]z\nother: 1\n"}, branch="edit")
    git(play.repository, "rm", "--quiet", "pages/acme.yaml")
    git(play.repository, "commit", "--quiet", "--amend", "--no-edit")
    branch = git(play.repository, "rev-parse", "HEAD")
    broken = play.gitlab.merge_request(branch, base=play.first)
    branch = story.commit(play.repository, {named: "id: bio_acme\ntitle: y ##[group]z\n"}, branch="edit")
    whole = play.gitlab.merge_request(branch, base=play.first, only=["bio-sync-plan"])
    drift = play.gitlab.schedule(branch)
    jobs = [*broken.results.values(), *whole.results.values(), *drift.results.values()]
    assert [job.name for job in jobs if job.status == "success"] == ["bio-sync-plan"]
    for job in jobs:
        assert sections(job.log) == []
        assert commands(job.log) == []
        assert "\x1b" not in job.log
        for content in (*job.artifacts.values(), *job.reports.values()):
            assert sections(content.decode()) == []
            assert commands(content.decode()) == []


# What somebody who guards the keys would look for


@pytest.fixture(scope="module")
def jobs(written: dict[str, str]) -> dict[str, dict[str, Any]]:
    return configuration(written.__getitem__)


def test_the_example_is_what_init_writes(written: dict[str, str]) -> None:
    """To make it anew: `bio-sync init --ci gitlab` in an empty repository, and copy the two files."""
    shown = {path.relative_to(EXAMPLE).as_posix(): path.read_text("utf-8") for path in EXAMPLE.rglob("*.yml")}
    assert shown == written


def test_gitlabs_own_schema_takes_the_pipeline() -> None:
    files = [str(EXAMPLE / ".gitlab-ci.yml"), str(EXAMPLE / JOBS)]
    code, said = check_jsonschema("--builtin-schema", "vendor.gitlab-ci", *files)
    assert code == 0, said


def test_the_key_that_writes_is_for_jobs_of_the_default_branch_only(jobs: dict[str, dict[str, Any]]) -> None:
    writing = {name for name, job in jobs.items() if job.get("environment", {}).get("name") == "bio-sync-apply"}
    assert writing == {name for name, job in jobs.items() if "bio-sync apply" in " ".join(job["script"])}
    assert writing == {"bio-sync-apply", "bio-sync-apply-reviewed", "bio-sync-apply-scheduled"}
    for name in writing:
        rules = [rule["if"] for rule in jobs[name]["rules"] if rule.get("when") != "never"]
        assert [rule for rule in rules if "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" not in rule] == []
        assert (jobs[name]["resource_group"], jobs[name]["interruptible"]) == ("bio-sync-apply", False)
    assert "XQR" not in json.dumps(jobs)
    assert [name for name, job in jobs.items() if "environment" not in job] == [
        "bio-sync-validate",
        "bio-sync-plan-of-a-fork",
    ]


def test_every_job_is_careful_and_ends(jobs: dict[str, dict[str, Any]]) -> None:
    for job in jobs.values():
        assert job["before_script"] == [INSTALL]
        assert job["variables"].items() >= {"PYTHONSAFEPATH": "1", "PIP_ONLY_BINARY": ":all:"}.items()
        assert job["timeout"] in {"10 minutes", "30 minutes"}
        # Nothing that the author of a merge request words is a part of a command.
        words = re.findall(r"\$\{?(\w+)", " ".join(job["script"]))
        assert set(words) <= {
            "CI_MERGE_REQUEST_TARGET_BRANCH_SHA",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA",
            "CI_COMMIT_BEFORE_SHA",
            "BIO_SYNC_FORCE",
        }
    shown = {name for name, job in jobs.items() if job["artifacts"].get("access") != "developer"}
    assert shown == {"bio-sync-validate", "bio-sync-plan-of-a-fork"}
    assert __version__ in INSTALL


def test_a_push_of_another_branch_or_of_a_new_one_starts_nothing_that_writes(play: Play) -> None:
    writing = ["bio-sync-apply", "bio-sync-apply-reviewed", "bio-sync-apply-scheduled"]
    assert play.gitlab.push(play.first, before=play.first, branch="other").results == {}
    assert play.gitlab.push(play.first, before="0" * 40, only=writing).results == {}


@pytest.mark.parametrize(
    ("expression", "held"),
    [
        ('$A == "a" && $B == $A', True),
        ('$A != "a" || $NONE', False),
        ("$NONE == null && ($A || $NONE)", True),
        ("$A == 'b' || $A == 'a' && $B", True),
    ],
)
def test_the_stand_in_decides_rules_as_gitlab_does(expression: str, held: bool) -> None:
    assert holds(expression, {"A": "a", "B": "a"}) is held


def test_the_stand_in_stops_at_what_it_does_not_know() -> None:
    with pytest.raises(Unknown):
        holds('$A =~ "a"', {"A": "a"})
    with pytest.raises(Unknown):
        configuration({".gitlab-ci.yml": "a: {script: [x], rules: [], retry: 2}\n"}.__getitem__)
