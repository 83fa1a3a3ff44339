"""Jobs and steps: which run, with what in their environment, and what became of them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bio_sync import yamltext
from tests.conftest import ROOT
from tests.runner import actions
from tests.runner.expressions import NotKnown, as_text, filled, holds
from tests.runner.logs import Log, read_pairs, read_summary

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.runner.events import Event
    from tests.runner.world import World

OURS = "bio-sync/bio-sync"
WORKFLOW_KEYS = {"name", "on", "permissions", "env", "jobs", "concurrency", "run-name"}
JOB_KEYS = {"name", "if", "needs", "runs-on", "timeout-minutes", "environment", "permissions", "concurrency", "steps"}
STEP_KEYS = {"name", "id", "if", "uses", "with", "run", "env", "shell", "continue-on-error", "working-directory"}
# How the workflows that `init` writes install: the tool of these tests is on the PATH already.
INSTALL = "python -m pip install "
SHELLS = {None: ["bash", "-e"], "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}


@dataclass
class StepRun:
    """What became of a step; `conclusion` is success for one that failed and may."""

    outcome: str
    conclusion: str
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class JobRun:
    """What became of a job."""

    conclusion: str
    log: Log = field(default_factory=Log)
    summary: str = ""
    steps: dict[str, StepRun] = field(default_factory=dict)
    permissions: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Run:
    """What became of a run."""

    number: int
    jobs: dict[str, JobRun]

    def __getitem__(self, name: str) -> JobRun:
        return self.jobs[name]


def play(world: World, path: Path, event: Event, only: tuple[str, ...]) -> Run:
    """Play the jobs of a workflow that the event starts, in the order of the file."""
    workflow = read_yaml(path)
    _known(workflow, WORKFLOW_KEYS, path.name)
    if event.name not in workflow["on"]:
        raise NotKnown(f"{path.name} is not started by {event.name}")
    run = Run(next(world.numbers), {})
    for name, job in workflow["jobs"].items():
        _known(job, JOB_KEYS, name)
        if not only or name in only:
            run.jobs[name] = _Job(world, event, workflow, name, job, run).played()
    return run


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a workflow: `on` is a word, as it is for GitHub."""
    document = yamltext.read(path.read_bytes(), file=path.name)
    assert document.problems == ()
    value: Any = document.value
    return dict(value)


def _known(entry: Mapping[str, Any], keys: set[str], where: str) -> None:
    if unknown := set(entry) - keys:
        raise NotKnown(f"{where}: {', '.join(sorted(unknown))}")


class _Job:
    def __init__(self, world: World, event: Event, workflow: dict[str, Any], name: str, job: Any, run: Run) -> None:
        self.world, self.event, self.name, self.job, self.run = world, event, name, job, run
        self.done = JobRun("success")
        self.folder = world.folder / f"run-{run.number}" / name
        self.workspace, self.temp = self.folder / "workspace", self.folder / "temp"
        self.permissions = job.get("permissions", workflow.get("permissions", {}))
        self.deployed_to = job.get("environment", "")
        self.env = {**workflow.get("env", {}), **job.get("env", {})}
        self.count = 0

    def played(self) -> JobRun:
        status = {"success": True, "failure": False, "always": True, "cancelled": False}
        needed = self.job.get("needs", [])
        needs = [needed] if isinstance(needed, str) else needed
        status["success"] = all(self.run.jobs[each].conclusion == "success" for each in needs)
        if not holds(self.job.get("if"), self.contexts({}), status):
            return JobRun("skipped")
        environment = self.world.environments.get(self.deployed_to)
        if self.deployed_to and environment is None:
            raise NotKnown(f"there is no environment {self.deployed_to}")
        branch = self.event.ref.removeprefix("refs/heads/")
        if environment and environment.branches is not None and branch not in environment.branches:
            return JobRun("failure", Log(text=f"Branch {branch} is not allowed to deploy to {self.deployed_to}\n"))
        self.workspace.mkdir(parents=True)
        self.temp.mkdir()
        secrets = dict(environment.secrets) if environment and self.event.secrets else {}
        # A fork's run may read, whatever its workflow says.
        can = self.permissions if self.event.secrets else dict.fromkeys(self.permissions, "read")
        self.done.permissions = can
        self.token = self.world.token_of(can)
        self.secrets = {**secrets, "GITHUB_TOKEN": self.token}
        self.done.log.masks += [*self.secrets.values()]
        (self.temp / "event.json").write_text(json.dumps(self.event.payload), encoding="utf-8")
        worked = self.steps(self.job["steps"], self.contexts(self.secrets), self.done.steps, self.env)
        self.done.conclusion = "success" if worked else "failure"
        return self.done

    def contexts(self, secrets: Mapping[str, str]) -> dict[str, Any]:
        event, world = self.event, self.world
        github = {
            "event": event.payload,
            "event_name": event.name,
            "repository": world.repository,
            "ref": event.ref,
            "ref_name": event.ref.removeprefix("refs/heads/").removeprefix("refs/"),
            "sha": event.sha,
            "base_ref": event.base_ref,
            "head_ref": event.head_ref,
            "actor": event.actor,
            "workspace": str(self.workspace),
            "token": secrets.get("GITHUB_TOKEN"),
            "run_id": str(self.run.number),
        }
        return {
            "github": github,
            "vars": world.variables,
            "secrets": dict(secrets),
            "inputs": dict(event.inputs),
            "env": dict(self.env),
            "needs": {name: {"result": job.conclusion} for name, job in self.run.jobs.items()},
            "runner": {"os": "Linux", "temp": str(self.temp)},
        }

    def steps(
        self, steps: list[dict[str, Any]], contexts: dict[str, Any], ran: dict[str, StepRun], env: Mapping[str, Any]
    ) -> bool:
        """Play steps one after the other; gives whether all that had to succeed did."""
        worked = True
        # A step that has not run, or was skipped, has no outputs; one that is nowhere is a mistake.
        known = {step["id"]: {"outputs": {}, "outcome": "", "conclusion": ""} for step in steps if "id" in step}
        contexts["steps"] = known
        for number, step in enumerate(steps):
            _known(step, STEP_KEYS, str(step.get("name") or number))
            status = {"success": worked, "failure": not worked, "always": True, "cancelled": False}
            if not holds(step.get("if"), contexts, status):
                done = StepRun("skipped", "skipped")
            else:
                done = self.step(step, contexts, env)
                if done.outcome == "failure" and step.get("continue-on-error"):
                    done.conclusion = "success"
            worked = worked and done.conclusion != "failure"
            ran[step.get("id") or str(number)] = done
            if "id" in step:
                known[step["id"]] = {"outputs": done.outputs, "outcome": done.outcome, "conclusion": done.conclusion}
        return worked

    def step(self, step: dict[str, Any], contexts: dict[str, Any], env: Mapping[str, Any]) -> StepRun:
        own = {name: as_text(filled(value, contexts)) for name, value in {**env, **step.get("env", {})}.items()}
        if "run" in step:
            return self.shell(step, own, contexts)
        given = filled(step.get("with", {}), contexts)
        name = step["uses"].partition("@")[0]
        if name == OURS:
            return self.composite(ROOT, {**self.world.inputs, **given}, contexts, own)
        try:
            return StepRun("success", "success", actions.run(name, given, self))
        except actions.ActionFailed as failed:
            self.done.log.read(f"::error::{failed}\n")
            return StepRun("failure", "failure")

    def composite(
        self, place: Path, given: dict[str, Any], contexts: dict[str, Any], env: Mapping[str, str]
    ) -> StepRun:
        action = read_yaml(place / "action.yml")
        if unknown := set(given) - set(action["inputs"]):
            raise NotKnown(f"action.yml has no input {', '.join(unknown)}")
        inputs = {}
        for name, about in action["inputs"].items():
            if about.get("required") and name not in given:
                raise NotKnown(f"action.yml needs the input {name}")
            inputs[name] = as_text(given[name] if name in given else filled(about.get("default", ""), contexts))
        # No secret reaches an action but by its inputs.
        inner = {name: contexts[name] for name in ("env", "runner", "vars")}
        inner |= {"inputs": inputs, "github": {**contexts["github"], "action_path": str(place)}}
        steps = action["runs"]["steps"]
        if not self.world.installs:
            steps = [actions.instead_of_installing(step, self.world.python()) for step in steps]
        ran: dict[str, StepRun] = {}
        worked = self.steps(steps, inner, ran, {**env, "GITHUB_ACTION_PATH": str(place)})
        outputs = {name: as_text(filled(about["value"], inner)) for name, about in action["outputs"].items()}
        self.done.steps |= {f"action/{name}": step for name, step in ran.items()}
        word = "success" if worked else "failure"
        return StepRun(word, word, outputs)

    def shell(self, step: dict[str, Any], env: Mapping[str, str], contexts: Mapping[str, Any]) -> StepRun:
        if "${{" in step["run"]:
            raise NotKnown("an expression in a shell line: whoever names a branch could write into it")
        if step["run"].startswith(INSTALL) and not self.world.installs:
            return StepRun("success", "success")
        self.count += 1
        files = {
            name: self.temp / f"{name}_{self.count}"
            for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
        }
        for file in files.values():
            file.touch()
        script = self.temp / f"script_{self.count}.sh"
        script.write_text(step["run"], encoding="utf-8")
        environment = {**self.surroundings(), **env, **{name: str(file) for name, file in files.items()}}
        done = subprocess.run(
            [*SHELLS[step.get("shell")], str(script)],
            cwd=self.workspace / filled(step.get("working-directory", "."), contexts),
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        # Two streams in no order: what the one has stopped, the other has not.
        for output in (done.stdout, done.stderr):
            self.done.log.read(output.decode("utf-8", "replace"))
        self.done.summary += read_summary(files["GITHUB_STEP_SUMMARY"])
        assert not files["GITHUB_ENV"].read_text() + files["GITHUB_PATH"].read_text()
        word = "success" if done.returncode == 0 else "failure"
        return StepRun(word, word, read_pairs(files["GITHUB_OUTPUT"]))

    def surroundings(self) -> dict[str, str]:
        """The variables that GitHub sets for every step."""
        event, world = self.event, self.world
        return {
            **world.machine(),
            **world.around,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": event.actor,
            "GITHUB_API_URL": world.address,
            "GITHUB_GRAPHQL_URL": f"{world.address}/graphql",
            "GITHUB_BASE_REF": event.base_ref,
            "GITHUB_HEAD_REF": event.head_ref,
            "GITHUB_EVENT_NAME": event.name,
            "GITHUB_EVENT_PATH": str(self.temp / "event.json"),
            "GITHUB_REF": event.ref,
            "GITHUB_REF_NAME": event.ref.removeprefix("refs/heads/").removeprefix("refs/"),
            "GITHUB_REPOSITORY": world.repository,
            "GITHUB_RUN_ID": str(self.run.number),
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_SHA": event.sha,
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(self.temp),
        }
