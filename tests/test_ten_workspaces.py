"""The agency of examples/workspaces, played: ten clients, ten keys, a branch that touches two, and its merge.

The steps are those of the example's own workflow files, in the order in which the runner takes them; an environment is
a table of secrets that a job gets by naming it, as on GitHub and GitLab. Each workspace is a sandbox of its own.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from bio_sync.sandbox import Behaviour, Sandbox
from tests.conftest import ROOT, Run
from tests.pipelines import warm
from tests.pipelines.gitlab import holds as gitlab_holds
from tests.runner.expressions import as_text, filled, holds
from tests.test_git import Repository, no_settings_of_the_developer

__all__ = ["no_settings_of_the_developer"]

EXAMPLE = ROOT / "examples" / "workspaces"
CLIENTS = ("acme", "bakery", "charity", "dentist", "florist", "gallery", "hotel", "library", "musician", "yoga")
TOUCHED = ("acme", "hotel")


@dataclass(slots=True)
class Agency:
    """The repository, the live workspaces by client, and what each environment holds."""

    repository: Repository
    live: dict[str, Sandbox]
    environments: dict[str, dict[str, str]]
    tools: Path
    asked: dict[str, int] = field(default_factory=dict)

    def calls(self) -> dict[str, int]:
        """Give how often each client's workspace was asked since the last time."""
        since = {
            name: len(sandbox.requests) - self.asked.get(name, 0)
            for name, sandbox in self.live.items()
            if len(sandbox.requests) > self.asked.get(name, 0)
        }
        self.asked = {name: len(sandbox.requests) for name, sandbox in self.live.items()}
        return since

    def shell(self, script: str, environment: Mapping[str, str], *, fails: bool = False) -> None:
        """Run a step as a runner does, with what its job has in its environment and nothing else of ours."""
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
        path = os.pathsep.join((str(self.tools), os.environ["PATH"]))
        environment = {**os.environ, "PATH": path, **environment}
        done = subprocess.run(command, cwd=self.repository.root, env=environment, capture_output=True, check=False)
        assert bool(done.returncode) == fails, done.stderr.decode()


def page_of(file: Path) -> dict[str, Any]:
    page: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return page


@pytest.fixture
def agency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Agency]:
    """The example as a repository with a branch, where every page is live as `main` wants it."""
    shutil.copytree(EXAMPLE, tmp_path / "agency")
    repository = Repository(tmp_path / "agency")
    repository.commit({})
    repository.git("switch", "--quiet", "-c", "spring")
    for client, old, new in (("acme", "title: Acme Inc", "title: Acme"), ("hotel", "theme: light", "theme: dark")):
        file = repository.root / "clients" / client / "pages" / "links.yaml"
        text = file.read_text(encoding="utf-8")
        assert old in text
        repository.commit({str(file.relative_to(repository.root)): text.replace(old, new)})
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "bio-sync").write_text(warm.command(), encoding="utf-8")
    (tools / "bio-sync").chmod(0o755)
    live = {
        client: Sandbox([page_of(file) for file in (EXAMPLE / "clients" / client / "pages").glob("*.yaml")],
            behaviour=Behaviour(burst_limit=10_000)).start()
        for client in CLIENTS
    }  # fmt: skip
    scopes = {"plan": ["bio:read"], "apply": ["bio:read", "bio:write"]}
    environments = {
        f"bio-sync-{client}-{use}": {"XQR_API_KEY": sandbox.add_key(scopes[use]), "XQR_API_URL": sandbox.url}
        for client, sandbox in live.items()
        for use in scopes
    }
    monkeypatch.chdir(repository.root)
    yield Agency(repository, live, environments, tools)
    for sandbox in live.values():
        sandbox.stop()


def jobs(workflow: str) -> dict[str, Any]:
    """Give the jobs of one of the example's workflows."""
    found: dict[str, Any] = yaml.safe_load((EXAMPLE / ".github" / "workflows" / workflow).read_text(encoding="utf-8"))
    parts: dict[str, Any] = found["jobs"]
    return parts


def matrix(
    agency: Agency, workflow: str, name: str, *, inputs: dict[str, Any] | None = None, fails: bool = False, **event: Any
) -> list[dict[str, str]]:
    """Run the step `matrix` of a workflow for an event, and give the jobs that GitHub makes of its outputs."""
    (step,) = [step for step in jobs(workflow)["workspaces"]["steps"] if step.get("id") == "matrix"]
    contexts = {"github": {"event_name": name, "event": event}, "inputs": inputs or {}}
    environment = {key: as_text(value) for key, value in filled(step.get("env", {}), contexts).items()}
    outputs = agency.repository.root.parent / "outputs"
    outputs.unlink(missing_ok=True)
    agency.shell(step["run"], {"GITHUB_OUTPUT": str(outputs), **environment}, fails=fails)
    if fails:
        return []
    told = dict(line.split("=", 1) for line in outputs.read_text(encoding="utf-8").splitlines())
    entries: list[dict[str, str]] = json.loads(told["matrix"])["include"]
    assert told["count"] == str(len(entries))
    return entries


def of_matrix(text: str, entry: Mapping[str, str]) -> str:
    """Fill in an expression of a workflow that asks for nothing but the matrix."""
    for name, value in entry.items():
        text = text.replace(f"${{{{ matrix.{name} }}}}", value)
    assert "${{" not in text
    return text


def play(
    agency: Agency, run: Run, monkeypatch: pytest.MonkeyPatch, job: dict[str, Any], entry: Mapping[str, str], *more: str
) -> dict[str, Any]:
    """Do what a job of the matrix does: the secrets of its environment, its folder, the action's command."""
    secrets = agency.environments[of_matrix(job["environment"], entry)]
    (step,) = [step["with"] for step in job["steps"] if step["uses"].startswith("bio-sync/bio-sync@")]
    monkeypatch.chdir(agency.repository.root / of_matrix(step["working-directory"], entry))
    assert of_matrix(step["label"], entry) == entry["workspace"]
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    result = run(step["command"], "--format", "json", *more)
    for name in secrets:
        monkeypatch.delenv(name)
    monkeypatch.chdir(agency.repository.root)
    assert result.code in {0, 2}, result.err
    made: dict[str, Any] = json.loads(result.out)
    return made


def keys_stayed_at_home(agency: Agency) -> bool:
    """Tell whether no workspace was ever asked with a key that is not its own."""
    return all(
        request.headers["authorization"].removeprefix("Bearer ")
        in {agency.environments[f"bio-sync-{client}-{use}"]["XQR_API_KEY"] for use in ("plan", "apply")}
        for client, sandbox in agency.live.items()
        for request in sandbox.requests
    )


def test_a_branch_that_touches_two_of_ten_clients_is_planned_merged_and_applied_for_these_two_alone(
    agency: Agency, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = agency.repository
    before = repository.git("rev-parse", "main")
    # What actions/checkout gives to a pull request: the merge, made by GitHub.
    repository.git("switch", "--quiet", "--detach", "main")
    repository.git("merge", "--quiet", "--no-ff", "-m", "merge", "spring")
    touched = matrix(agency, "pull-request.yml", "pull_request")
    assert [entry["workspace"] for entry in touched] == list(TOUCHED)
    plans = {
        entry["workspace"]: play(
            agency, run, monkeypatch, jobs("pull-request.yml")["plan"], entry,
            "--base", "HEAD^1", "--out", str(repository.root.parent / f"{entry['workspace']}.json"),
        )
        for entry in touched
    }  # fmt: skip
    assert agency.calls() == {"acme": 1, "hotel": 1}
    assert plans["acme"]["changes"][0]["patch"] == {"title": "Acme"}
    assert list(plans["hotel"]["changes"][0]["patch"]) == ["page_data"]

    repository.git("branch", "--force", "main", "HEAD")
    repository.git("switch", "--quiet", "main")
    merged = matrix(agency, "merge.yml", "push", before=before)
    assert merged == touched
    for entry in merged:
        saved = str(repository.root.parent / f"{entry['workspace']}.json")
        report = play(agency, run, monkeypatch, jobs("merge.yml")["apply"], entry, "--yes", "--plan", saved)
        assert report["summary"]["applied"] == 1
    assert agency.calls() == {"acme": 2, "hotel": 2}
    assert agency.live["acme"].page("bio_acme")["title"] == "Acme"
    assert matrix(agency, "merge.yml", "push", before=repository.git("rev-parse", "HEAD")) == []

    agency.live["yoga"].edit("bio_yoga", title="Slower Mornings")
    every_day = matrix(agency, "scheduled.yml", "schedule")
    assert [entry["workspace"] for entry in every_day] == list(CLIENTS)
    drift = {
        entry["workspace"]: play(agency, run, monkeypatch, jobs("scheduled.yml")["drift"], entry)["summary"]["update"]
        for entry in every_day
    }
    assert drift == {**dict.fromkeys(CLIENTS, 0), "yoga": 1}
    assert agency.calls() == dict.fromkeys(CLIENTS, 1)
    assert keys_stayed_at_home(agency)
    assert len({secrets["XQR_API_KEY"] for secrets in agency.environments.values()}) == 20


def test_house_rules_that_change_are_for_the_clients_that_name_them(agency: Agency) -> None:
    rules = "rules/no-plain-http.schema.json"
    text = (agency.repository.root / rules).read_text(encoding="utf-8")
    agency.repository.commit({rules: text.replace("https:// only", "https:// only, please")})
    agency.repository.git("switch", "--quiet", "--detach", "spring~1")
    agency.repository.git("merge", "--quiet", "--no-ff", "-m", "merge", "spring")
    assert [entry["workspace"] for entry in matrix(agency, "pull-request.yml", "pull_request")] == [
        "charity",
        "dentist",
        "hotel",
    ]
    assert not agency.calls()


def test_by_hand_it_is_the_clients_that_somebody_names(agency: Agency) -> None:
    chosen = {
        folder: [entry["workspace"] for entry in matrix(agency, "merge.yml", "workflow_dispatch", inputs=inputs)]
        for folder in ("clients/yoga", "clients")
        for inputs in [{"folder": folder, "force": False}]
    }
    assert chosen == {"clients/yoga": ["yoga"], "clients": list(CLIENTS)}
    # Nothing named is nobody, and what looks like an option is a folder that is not there.
    for nothing in ("", "--base=main"):
        matrix(agency, "merge.yml", "workflow_dispatch", inputs={"folder": nothing}, fails=True)


def test_a_merge_queue_checks_what_all_of_its_commits_touch(agency: Agency) -> None:
    agency.repository.git("switch", "--quiet", "spring")
    group = {"base_sha": agency.repository.git("rev-parse", "main")}
    touched = matrix(agency, "pull-request.yml", "merge_group", merge_group=group)
    assert [entry["workspace"] for entry in touched] == list(TOUCHED)


def test_the_child_pipeline_of_gitlab_gives_each_job_its_folder_and_one_key(agency: Agency) -> None:
    here: dict[str, Any] = yaml.safe_load((EXAMPLE / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    find, each = here["bio-sync-find"], here["bio-sync-each"]
    base = agency.repository.git("rev-parse", "main")
    of_request = {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    agency.shell("\n".join(find["script"]), of_request)
    (name,) = find["artifacts"]["paths"]
    assert each["trigger"]["include"] == [{"artifact": name, "job": "bio-sync-find"}]
    child: dict[str, Any] = yaml.safe_load((agency.repository.root / name).read_text(encoding="utf-8"))
    assert [job for job in child if job.startswith("apply-")] == ["apply-acme", "apply-hotel"]

    assert child[".bio-sync"]["variables"]["BIO_SYNC_BASE"] == base
    for job in ("validate-acme", "plan-acme", "apply-acme"):
        environment = agency.environments[child[job]["environment"]["name"]] if "environment" in child[job] else {}
        agency.shell("\n".join(child[job]["script"]), {**of_request, **child[".bio-sync"]["variables"], **environment})
    widget = agency.repository.root / child["plan-acme"]["artifacts"]["reports"]["terraform"]
    assert json.loads(widget.read_text(encoding="utf-8")) == {"create": 0, "update": 1, "delete": 0}
    assert agency.live["acme"].page("bio_acme")["title"] == "Acme"
    assert set(agency.calls()) == {"acme"}
    # What somebody edited live since the merge is not written over.
    agency.live["hotel"].edit("bio_hotel", page_data={"theme": "sea"})
    environment = agency.environments[child["apply-hotel"]["environment"]["name"]]
    agency.shell("\n".join(child["apply-hotel"]["script"]), environment | child[".bio-sync"]["variables"], fails=True)
    assert agency.live["hotel"].page("bio_hotel")["page_data"] == {"theme": "sea"}
    assert keys_stayed_at_home(agency)

    # By hand: a plan for each client, and the apply of that plan for those that a person chooses.
    agency.shell("\n".join(find["script"]), {"CI_PIPELINE_SOURCE": "web"})
    child = yaml.safe_load((agency.repository.root / name).read_text(encoding="utf-8"))
    review, apply = child["review-hotel"], child["apply-reviewed-hotel"]
    assert (apply["rules"][0]["when"], apply["needs"]) == ("manual", ["review-hotel"])
    settings = agency.repository.root / "clients" / "hotel" / "bio-sync.yaml"
    settings.write_text(f"{settings.read_text(encoding='utf-8')}safety: {{max_changes: 0}}\n", encoding="utf-8")
    (settings.parent / "plan.json").unlink()
    agency.shell("\n".join(review["script"]), agency.environments[review["environment"]["name"]])
    assert all((agency.repository.root / path).is_file() for path in review["artifacts"]["paths"])
    environment = agency.environments[apply["environment"]["name"]]
    # The guard that lets pass no change at all is for who gives the variable.
    agency.shell("\n".join(apply["script"]), {**environment, "BIO_SYNC_FORCE": "yes"})
    assert agency.live["hotel"].page("bio_hotel")["page_data"]["theme"] == "dark"
    assert keys_stayed_at_home(agency)
    # A schedule gets the same pipeline, and other jobs of it.
    for kind in ("review", "drift", "apply-scheduled"):
        assert [job for job in child if job.startswith(f"{kind}-")] == [f"{kind}-{client}" for client in CLIENTS]


HOME = {"full_name": "agency/pages", "default_branch": "main"}
ASKED = {"pull_request": {"head": {"repo": {"full_name": "agency/pages"}}, "user": {"login": "ada"}}}
FORK = {"pull_request": {"head": {"repo": {"full_name": "mallory/pages"}}, "user": {"login": "mallory"}}}
DAILY = {"BIO_SYNC_APPLY_DAILY": "true"}


@pytest.mark.parametrize(
    ("workflow", "name", "ref", "event", "variables", "expected"),
    [
        ("pull-request.yml", "pull_request", "1/merge", ASKED, {}, {"validate", "plan"}),
        ("pull-request.yml", "pull_request", "1/merge", FORK, {}, {"validate"}),
        ("pull-request.yml", "merge_group", "gh-readonly-queue/main/1", {}, {}, {"validate"}),
        ("merge.yml", "push", "main", {}, {}, {"apply"}),
        ("merge.yml", "workflow_dispatch", "main", {}, {}, {"apply"}),
        ("merge.yml", "workflow_dispatch", "spring", {}, {}, set()),
        ("scheduled.yml", "schedule", "main", {}, {}, {"drift"}),
        ("scheduled.yml", "schedule", "main", {}, DAILY, {"apply"}),
        ("scheduled.yml", "workflow_dispatch", "spring", {}, DAILY, set()),
    ],
)
def test_on_github_these_jobs_are_due(
    workflow: str, name: str, ref: str, event: dict[str, Any], variables: dict[str, str], expected: set[str]
) -> None:
    github = {
        "event_name": name,
        "ref_name": ref,
        "repository": HOME["full_name"],
        "event": {**event, "repository": HOME},
    }
    contexts = {"github": github, "vars": variables, "needs": {"workspaces": {"outputs": {"count": "2"}}}}
    spread = {job: about for job, about in jobs(workflow).items() if "strategy" in about}
    assert {job for job, about in spread.items() if holds(about.get("if"), contexts, {"success": True})} == expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"CI_PIPELINE_SOURCE": "merge_request_event"}, ("bio-sync-each", None)),
        ({"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main"}, ("bio-sync-each", None)),
        ({"CI_PIPELINE_SOURCE": "web", "CI_COMMIT_BRANCH": "main"}, ("bio-sync-review", None)),
        ({"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": "main"}, ("bio-sync-drift", "drift")),
        (
            {"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": "main", "BIO_SYNC_APPLY": "true"},
            ("bio-sync-apply-scheduled", "apply"),
        ),
    ],
)
def test_on_gitlab_one_child_pipeline_is_started_with_its_task(
    variables: dict[str, str], expected: tuple[str, str | None]
) -> None:
    pipeline: dict[str, Any] = yaml.safe_load((EXAMPLE / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    told = {"CI_DEFAULT_BRANCH": "main", **variables}
    started = [
        (name, job.get("variables", {}).get("BIO_SYNC_TASK"))
        for name, job in pipeline.items()
        if "trigger" in job and any(gitlab_holds(rule["if"], told) for rule in job["rules"])
    ]
    assert started == [expected]


@pytest.mark.parametrize("workflow", ["pull-request.yml", "merge.yml", "scheduled.yml"])
def test_no_workspace_waits_for_another_nor_stops_it(workflow: str) -> None:
    spread = [job for job in jobs(workflow).values() if "strategy" in job]
    assert spread
    for job in spread:
        assert "${{ matrix.workspace }}" in job["concurrency"]["group"]
        assert job["strategy"]["fail-fast"] is False
        assert job["strategy"]["max-parallel"] == 5
        assert job["strategy"]["matrix"] == "${{ fromJSON(needs.workspaces.outputs.matrix) }}"
        # GitHub refuses an empty matrix, unless the job's condition is looked at first and fails.
        assert workflow == "scheduled.yml" or job["if"].startswith("needs.workspaces.outputs.count != '0'")
