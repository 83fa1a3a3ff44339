"""The pipelines of docs/how-to/other-ci.md, played by a small Bitbucket and a small Azure against a local xQR."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bio_sync.sandbox import Sandbox
from tests.conftest import ROOT
from tests.pipelines import story
from tests.pipelines.azure import Azure
from tests.pipelines.azure import holds as azure_holds
from tests.pipelines.bitbucket import Bitbucket, Proxy
from tests.pipelines.machine import INSTALL, Unknown, git
from tests.readers import commands, read_markdown
from tests.schemas import check_jsonschema

PAGE = (ROOT / "docs" / "how-to" / "other-ci.md").read_text(encoding="utf-8")
BITBUCKET, AZURE = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with story.workspace() as running:
        yield running


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    folder = tmp_path / "origin"
    story.repository(folder, {})
    return folder


def titles(sandbox: Sandbox) -> list[str]:
    return [page["title"] for page in sandbox.pages]


def test_bitbucket_shows_the_plan_of_a_pull_request_and_writes_what_a_person_has_seen(
    origin: Path, sandbox: Sandbox
) -> None:
    first = git(origin, "rev-parse", "main")
    with Proxy() as proxy:
        service = Bitbucket(
            origin,
            BITBUCKET,
            variables={"XQR_API_URL": sandbox.url, "XQR_API_KEY": sandbox.add_key(["bio:read"])},
            deployments={"bio-sync-apply": {"XQR_API_KEY": sandbox.key}},
            proxy=proxy,
        )
        branch = story.commit(origin, story.EDIT, branch="edit")
        validate, plan = service.pull_request(branch, destination=first).done
        assert [(job.status, job.environment) for job in (validate, plan)] == [("success", None), ("success", None)]
        assert b"pages/acme.yaml" in validate.reports["test-results/bio-sync.xml"]
        assert b"Acme and Sons" in plan.artifacts["plan.html"]
        ((method, address, body),) = proxy.requests
        assert (method, address) == (
            "PUT",
            f"http://api.bitbucket.org/2.0/repositories/acme/pages/commit/{branch}/reports/bio-sync",
        )
        assert json.loads(body)["data"] == [{"title": "Pages to change", "type": "NUMBER", "value": 1}]

        run = service.push(story.merge(origin, "edit"), branch="main")
        assert [job.status for job in run.done] == ["success", "success", "manual"]
        assert titles(sandbox) == ["Acme", "Nora"]
        applied = service.go_on(run, pressed=True).done[-1]
        assert (applied.status, applied.environment) == ("success", "bio-sync-apply")
        assert titles(sandbox) == ["Acme and Sons", "Nora"]
        assert any(name.startswith(".bio-sync/apply-") for name in applied.artifacts)

        sandbox.edit("bio_nora", title=story.HOSTILE)
        (drift,) = service.custom(run.commit, "bio-sync-drift").done
        assert (drift.status, drift.code) == ("failed", 2)
        assert commands(drift.log) == []


def azure(origin: Path, sandbox: Sandbox) -> Azure:
    groups = {
        "bio-sync-plan": {"XQR_API_KEY": sandbox.add_key(["bio:read"])},
        "bio-sync-apply": {"XQR_API_KEY": sandbox.key},
    }
    return Azure(origin, AZURE, groups=groups, plain={"XQR_API_URL": sandbox.url})


def statuses(jobs: dict[str, object]) -> dict[str, str]:
    return {name: getattr(job, "status", "") for name, job in jobs.items()}


def test_azure_shows_the_plan_of_a_pull_request_and_of_a_fork(origin: Path, sandbox: Sandbox) -> None:
    service = azure(origin, sandbox)
    story.commit(origin, story.EDIT, branch="edit")
    merged = story.merge(origin, "edit")
    run = service.run(merged, "PullRequest", branch="refs/pull/1/merge")
    assert statuses({**run.jobs}) == {
        "check.validate": "success",
        "check.plan": "success",
        "check.plan_of_a_fork": "skipped",
    }
    assert b"pages/acme.yaml" in run["check.validate"].reports["validate.xml"]
    (summary,) = run.summaries
    assert "Acme and Sons" in summary
    assert read_markdown(summary).acts == {}
    assert list(run.artifacts["plan-of-the-pull-request"]) == ["plan.html"]
    assert [request.method for request in sandbox.requests] == ["GET"]

    fork = service.run(merged, "PullRequest", branch="refs/pull/2/merge", fork=True)
    assert statuses({**fork.jobs})["check.plan"] == "skipped"
    assert "Made offline" in fork["check.plan_of_a_fork"].log
    assert len(sandbox.requests) == 1


def test_azure_writes_after_an_approval_and_tells_drift_in_its_summary(origin: Path, sandbox: Sandbox) -> None:
    service = azure(origin, sandbox)
    merged = story.commit(origin, story.EDIT)
    run = service.run(merged, "IndividualCI")
    assert statuses({**run.jobs}) == {"review.plan": "success", "apply.apply": "manual"}
    assert titles(sandbox) == ["Acme", "Nora"]
    assert statuses({**service.approve(run).jobs}) == {"review.plan": "success", "apply.apply": "success"}
    assert titles(sandbox) == ["Acme and Sons", "Nora"]
    assert [name for name in run.artifacts["journal"] if name.startswith("apply-")]
    assert service.run(merged, "IndividualCI", branch="refs/heads/other").jobs == {}

    # Azure obeys what stands anywhere in a line: the stand-in fails at any order but ours.
    sandbox.edit("bio_nora", title=story.HOSTILE)
    drift = service.run(merged, "Schedule")
    assert statuses({**drift.jobs}) == {"drift.drift": "failed"}
    (summary,) = drift.summaries
    assert read_markdown(summary).acts == {}
    assert "Nora" in summary


def test_the_schemas_of_both_services_take_the_pipelines(tmp_path: Path) -> None:
    bitbucket, azure_file = tmp_path / "bitbucket-pipelines.yml", tmp_path / "azure-pipelines.json"
    bitbucket.write_text(BITBUCKET, encoding="utf-8")
    # Azure reads every scalar as text, and so does its schema: `false` is the text "false".
    azure_file.write_text(json.dumps(yaml.load(AZURE, Loader=yaml.BaseLoader)), encoding="utf-8")  # noqa: S506
    schemas = {"bitbucket": bitbucket, "azure": azure_file}
    for name, file in schemas.items():
        options = ["--builtin-schema", f"vendor.{name}-pipelines", "--regex-variant", "nonunicode"]
        code, said = check_jsonschema(*options, str(file))
        assert code == 0, said


def test_every_job_installs_this_version_and_keeps_no_credentials_of_the_checkout() -> None:
    for text in (BITBUCKET, AZURE):
        installs = re.findall(r"python -m pip install .*", text)
        assert set(installs) == {INSTALL}
        assert text.count("PYTHONSAFEPATH") == (text.count("PIP_ONLY_BINARY"))
    assert AZURE.count("checkout: self") == AZURE.count("persistCredentials: false") == 6
    assert "$(" not in AZURE.replace("$(XQR_API_KEY)", "")


@pytest.mark.parametrize(
    ("condition", "before", "held"),
    [
        ("eq(variables['Build.Reason'], 'pullrequest')", [], True),
        ("and(ne(variables['None'], 'x'), succeeded())", ["skipped"], False),
        ("succeededOrFailed()", ["failed"], True),
    ],
)
def test_the_stand_in_decides_conditions_as_azure_does(condition: str, before: list[str], held: bool) -> None:
    assert azure_holds(condition, {"Build.Reason": "PullRequest"}, before) is held
    with pytest.raises(Unknown):
        azure_holds("startsWith('a', 'b')", {}, [])
