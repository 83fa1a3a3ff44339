"""A small Azure Pipelines: stages, jobs and steps by their conditions, secrets by their variable groups.

The sources: Microsoft's reference of the YAML schema, of expressions and of predefined variables, and the page on
logging commands (`##vso[…]`, which is why the log is part of what is read here).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.pipelines.machine import Job, Unknown, clone, collected, put_back, read_yaml, shell, tokens
from tests.readers import azure as logging_command

_JOB_KEYS = {"job", "deployment", "condition", "timeoutInMinutes", "variables", "steps", "environment", "strategy"}
_STAGE_KEYS = {"stage", "condition", "dependsOn", "jobs", "lockBehavior"}
_STEP_KEYS = {
    "checkout", "persistCredentials", "fetchDepth", "task", "inputs", "bash", "env", "condition", "publish",
    "artifact", "download",
}  # fmt: skip
_WORD = r"'[^']*'|[A-Za-z]\w*|\[|\]|\(|\)|,|\s+"


@dataclass
class Run:
    """A run: its jobs by `stage.job`, the summaries they uploaded, and the artifacts they published."""

    commit: str
    variables: dict[str, str]
    jobs: dict[str, Job] = field(default_factory=dict)
    summaries: list[str] = field(default_factory=list)
    artifacts: dict[str, dict[str, bytes]] = field(default_factory=dict)
    approved: bool = False

    def __getitem__(self, name: str) -> Job:
        return self.jobs[name]


class Azure:
    """One pipeline; `groups` holds the secrets of its variable groups, which a run for a fork does not get."""

    def __init__(
        self, repository: Path, configuration: str, *, groups: Mapping[str, Mapping[str, str]], plain: Mapping[str, str]
    ) -> None:
        self._repository, self._groups, self._plain = repository, groups, plain
        self._pipeline = read_yaml(configuration)
        self._builds = 0

    def run(self, commit: str, reason: str, *, branch: str = "refs/heads/main", fork: bool = False) -> Run:
        """Run for `reason`: PullRequest, IndividualCI or Schedule; a deployment waits for its approval."""
        variables = {"Build.Reason": reason, "Build.SourceBranch": branch}
        if reason == "PullRequest":
            variables["System.PullRequest.IsFork"] = str(fork)
        return self._go_on(Run(commit, variables))

    def approve(self, run: Run) -> Run:
        """Give the approval that a deployment waits for."""
        run.approved = True
        return self._go_on(run)

    def _go_on(self, run: Run) -> Run:
        stages: dict[str, str] = {}
        for stage in self._pipeline["stages"]:
            _known(stage, _STAGE_KEYS)
            needs = stage.get("dependsOn", list(stages)[-1:])
            before = [stages[need] for need in ([needs] if isinstance(needs, str) else needs)]
            if not holds(stage.get("condition", "succeeded()"), run.variables, before):
                stages[stage["stage"]] = "skipped"
                continue
            for job in stage["jobs"]:
                name = f"{stage['stage']}.{job.get('job') or job.get('deployment')}"
                if run.jobs.get(name, Job(name, "manual")).status == "manual":
                    run.jobs[name] = self._job(run, name, job)
            ended = [job.status for name, job in run.jobs.items() if name.startswith(f"{stage['stage']}.")]
            stages[stage["stage"]] = "success" if set(ended) <= {"success", "skipped"} else "failed"
        return run

    def _job(self, run: Run, name: str, job: Mapping[str, Any]) -> Job:
        _known(job, _JOB_KEYS)
        if not holds(job.get("condition", "succeeded()"), run.variables, []):
            return Job(name, "skipped")
        if "deployment" in job and not run.approved:
            return Job(name, "manual")
        steps = job["steps"] if "job" in job else job["strategy"]["runOnce"]["deploy"]["steps"]
        secrets: dict[str, str] = {}
        for group in (item["group"] for item in job.get("variables", ())):
            secrets |= {} if run.variables.get("System.PullRequest.IsFork") == "True" else self._groups[group]
        done = Job(name, "success", environment=job.get("environment"))
        self._builds += 1
        folder = self._repository.parent / f"azure-{self._builds}" / "s"
        for step in steps:
            _known(step, _STEP_KEYS)
            if holds(step.get("condition", "succeeded()"), run.variables, [done.status]):
                self._step(run, done, step, folder, secrets)
        return done

    def _step(self, run: Run, job: Job, step: Mapping[str, Any], folder: Path, secrets: Mapping[str, str]) -> None:
        if "checkout" in step:
            clone(self._repository, folder, run.commit, depth=int(step.get("fetchDepth", 1)))
        elif "bash" in step:
            code, log = shell([step["bash"]], folder, self._environment(step, folder, secrets), strict=False)
            job.log += log
            job.code = code
            job.status = "failed" if code else job.status
            self._obey(run, log)
        elif "publish" in step:
            files = collected(folder, [step["publish"]])
            job.status = job.status if files else "failed"
            run.artifacts[step["artifact"]] = {Path(name).name: content for name, content in files.items()}
        elif "download" in step:
            put_back(folder.parent / step["artifact"], run.artifacts[step["artifact"]])
        elif step["task"] == "PublishTestResults@2":
            job.reports = collected(folder, [step["inputs"]["testResultsFiles"]])
        elif step["task"] != "UsePythonVersion@0":
            raise Unknown(step["task"])

    def _environment(self, step: Mapping[str, Any], folder: Path, secrets: Mapping[str, str]) -> dict[str, str]:
        """Give the variables of a step: secrets only by `env`, where what is not known stays as it is written."""
        given = {
            key: re.sub(r"\$\((\w+)\)", lambda found: secrets.get(found[1], found[0]), value)
            for key, value in step.get("env", {}).items()
        }
        return {**self._plain, **self._pipeline["variables"], "PIPELINE_WORKSPACE": str(folder.parent), **given}

    def _obey(self, run: Run, log: str) -> None:
        """Carry out the logging commands of a log, wherever they come from; there is one that may be there."""
        for line in log.splitlines():
            command = None if line.startswith("$ ") else logging_command(line)
            if command and command.name != "task.uploadsummary":
                raise AssertionError(f"{line!r} is an order to Azure")
            if command and Path(command.data).is_file():
                run.summaries.append(Path(command.data).read_text(encoding="utf-8"))


def _known(mapping: Mapping[str, Any], keys: set[str]) -> None:
    if unknown := mapping.keys() - keys:
        raise Unknown(str(unknown))


def holds(expression: str, variables: Mapping[str, str], before: Sequence[str]) -> bool:
    """Decide a condition; `before` is what became of what comes before: stages, or the steps of the job so far."""
    words = [word for word in tokens(expression, _WORD) if word.strip()]
    result = _value(words, variables, before)
    if words or not isinstance(result, bool):
        raise Unknown(expression)
    return result


def _value(words: list[str], variables: Mapping[str, str], before: Sequence[str]) -> bool | str:
    word = words.pop(0)
    if word.startswith("'"):
        return word[1:-1]
    if word == "variables":
        opening, name, closing = words.pop(0), words.pop(0), words.pop(0)
        assert (opening, closing) == ("[", "]")
        return variables.get(name[1:-1], "")
    assert words.pop(0) == "("
    arguments: list[bool | str] = []
    while words[0] != ")":
        arguments.append(_value(words, variables, before))
        if words[0] == ",":
            words.pop(0)
    words.pop(0)
    return _function(word, arguments, before)


def _function(name: str, arguments: Sequence[bool | str], before: Sequence[str]) -> bool:
    if name in {"succeeded", "succeededOrFailed"} and not arguments:
        return name == "succeededOrFailed" or all(status == "success" for status in before)
    # Texts are compared without regard to case.
    plain = [argument.lower() if isinstance(argument, str) else argument for argument in arguments]
    if name == "and":
        return all(plain)
    if name in {"eq", "ne"} and len(plain) == 2:
        return (plain[0] == plain[1]) is (name == "eq")
    raise Unknown(name)
