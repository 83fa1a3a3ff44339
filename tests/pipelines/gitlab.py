"""A small GitLab: it reads `.gitlab-ci.yml`, decides which jobs there are and what each may see, and runs them.

    project = GitLab(repository, secrets=[Secret("XQR_API_KEY", "…", environment="bio-sync-plan")])
    jobs = project.merge_request(commit, base=…)      # {"bio-sync-plan": Job(status="success", log=…, reports=…)}
    project.press(jobs, "bio-sync-apply-reviewed")    # start a job that waits for a person

The sources: GitLab's documentation of the CI/CD YAML syntax, of predefined variables and of merge request pipelines.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.pipelines.machine import Job, Unknown, clone, collected, git, put_back, read_yaml, shell, tokens

PROJECT, FORK = "7", "8"
NONE = "0" * 40
_STAGES = (".pre", "build", "test", "deploy", ".post")
_JOB_KEYS = {
    "extends", "image", "stage", "timeout", "interruptible", "variables", "before_script", "script", "rules",
    "environment", "resource_group", "artifacts", "needs",
}  # fmt: skip
_ARTIFACT_KEYS = {"name", "expose_as", "when", "access", "expire_in", "paths", "reports"}
_WORD = r"""\$\w+|"[^"]*"|'[^']*'|null|==|!=|&&|\|\||\(|\)|\s+"""


@dataclass(frozen=True)
class Secret:
    """A variable of the project: for the jobs of one environment, and if protected, of protected branches only."""

    key: str
    value: str
    environment: str = "*"
    protected: bool = False


@dataclass
class Pipeline:
    """The jobs that a pipeline has, in the order of their stages, and all that they are run with."""

    jobs: dict[str, dict[str, Any]]
    variables: dict[str, str]
    commit: str
    secrets: Sequence[Secret]
    protected: bool
    results: dict[str, Job] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Job:
        return self.results[name]


class GitLab:
    """One project whose default branch is `main`, which is protected; each job runs in a clone of its own."""

    def __init__(self, repository: Path, *, secrets: Sequence[Secret], plain: Mapping[str, str]) -> None:
        self._repository, self._secrets, self._plain = repository, secrets, plain
        self._builds = 0

    def merge_request(
        self,
        commit: str,
        *,
        base: str,
        fork: bool = False,
        in_fork: bool = True,
        target: str = "",
        only: Sequence[str] = (),
    ) -> Pipeline:
        """A push to a branch that is to be merged; a fork's runs in the fork, which has none of the secrets.

        It runs in the project when a member starts it there (`in_fork=False`), and then its secrets are there, too.
        `only` names the jobs that a test is about; the others are not run, for they take time.
        """
        variables = {
            "CI_PROJECT_ID": FORK if fork and in_fork else PROJECT,
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": FORK if fork else PROJECT,
            "CI_MERGE_REQUEST_PROJECT_ID": PROJECT,
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
            "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": target,
        }
        secrets = () if fork and in_fork else self._secrets
        return self._pipeline(commit, "merge_request_event", variables, only=only, secrets=secrets)

    def push(self, commit: str, *, before: str, branch: str = "main", only: Sequence[str] = ()) -> Pipeline:
        variables = {"CI_COMMIT_BRANCH": branch, "CI_COMMIT_BEFORE_SHA": before}
        return self._pipeline(commit, "push", variables, only=only)

    def schedule(self, commit: str, **variables: str) -> Pipeline:
        return self._pipeline(commit, "schedule", {"CI_COMMIT_BRANCH": "main", **variables})

    def by_hand(self, commit: str) -> Pipeline:
        return self._pipeline(commit, "web", {"CI_COMMIT_BRANCH": "main"})

    def press(self, pipeline: Pipeline, name: str, **variables: str) -> Job:
        """Start a job that waits for a person, with variables that this person gives."""
        assert pipeline.results[name].status == "manual"
        pipeline.results[name] = self._run(pipeline, name, variables)
        return pipeline.results[name]

    def _pipeline(
        self,
        commit: str,
        source: str,
        more: Mapping[str, str],
        *,
        only: Sequence[str] = (),
        secrets: Sequence[Secret] | None = None,
    ) -> Pipeline:
        variables = {
            "CI": "true", "GITLAB_CI": "true", "CI_PIPELINE_SOURCE": source, "CI_DEFAULT_BRANCH": "main",
            "CI_PROJECT_ID": PROJECT, "CI_COMMIT_SHA": commit, "CI_COMMIT_BEFORE_SHA": NONE, **self._plain, **more,
        }  # fmt: skip
        jobs, whens = {}, {}
        for name, job in configuration(lambda name: git(self._repository, "show", f"{commit}:{name}")).items():
            when = _when(job, variables)
            if when != "never" and (not only or name in only):
                jobs[name], whens[name] = job, when
        pipeline = Pipeline(
            dict(sorted(jobs.items(), key=lambda item: _stage(item[1]))),
            variables,
            commit,
            self._secrets if secrets is None else secrets,
            protected=more.get("CI_COMMIT_BRANCH") == "main",
        )
        for name, job in pipeline.jobs.items():
            if whens[name] == "manual":
                pipeline.results[name] = Job(name, "manual")
            elif _held_up(job, pipeline):
                pipeline.results[name] = Job(name, "skipped")
            else:
                pipeline.results[name] = self._run(pipeline, name, {})
        return pipeline

    def _folder(self) -> Path:
        self._builds += 1
        return self._repository.parent / f"build-{self._builds}" / "project"

    def _run(self, pipeline: Pipeline, name: str, given: Mapping[str, str]) -> Job:
        job = pipeline.jobs[name]
        environment = job.get("environment", {}).get("name")
        variables = {**pipeline.variables, **_yaml_variables(job)}
        for secret in pipeline.secrets:
            if secret.environment in {"*", environment} and (pipeline.protected or not secret.protected):
                variables[secret.key] = secret.value
        folder = clone(self._repository, self._folder(), pipeline.commit, depth=int(variables.get("GIT_DEPTH", "20")))
        for needed in _before(job, pipeline):
            put_back(folder, pipeline.results[needed].artifacts)
        code, log = shell((*job.get("before_script", ()), *job["script"]), folder, {**variables, **given})
        done = Job(name, "failed" if code else "success", log, code, environment)
        artifacts = job.get("artifacts", {})
        if artifacts.get("when", "on_success") == "always" or not code:
            done.artifacts = collected(folder, artifacts.get("paths", ()))
            for kind, path in artifacts.get("reports", {}).items():
                done.reports.update((kind, content) for content in collected(folder, [path]).values())
        return done


def _stage(job: dict[str, Any]) -> int:
    return _STAGES.index(job.get("stage", "test"))


def _before(job: dict[str, Any], pipeline: Pipeline) -> list[str]:
    """Give the jobs that one waits for: those it names, else those of all stages before its own."""
    earlier = [name for name in pipeline.results if _stage(pipeline.jobs[name]) < _stage(job)]
    return list(job.get("needs", earlier))


def _held_up(job: dict[str, Any], pipeline: Pipeline) -> bool:
    return any(pipeline.results[name].status in {"failed", "skipped"} for name in _before(job, pipeline))


def _yaml_variables(job: dict[str, Any]) -> dict[str, str]:
    variables = job.get("variables", {})
    if not all(isinstance(value, str) for value in variables.values()):
        raise Unknown(f"a variable that is no text: {variables}")
    return dict(variables)


def configuration(read: Callable[[str], str]) -> dict[str, dict[str, Any]]:
    """Read the jobs of a project, with what they include and extend; `read` gives the text of a file.

    Hidden ones are for extending only, and not among them. Raises Unknown for a key that is not known here.
    """
    document = read_yaml(read(".gitlab-ci.yml"))
    jobs: dict[str, dict[str, Any]] = {}
    for include in document.pop("include", ()):
        if set(include) != {"local"}:
            raise Unknown(f"include: {include}")
        jobs |= read_yaml(read(include["local"]))
    jobs |= document
    whole = {name: _extended(job, jobs) for name, job in jobs.items()}
    for name, job in whole.items():
        if unknown := job.keys() - _JOB_KEYS | job.get("artifacts", {}).keys() - _ARTIFACT_KEYS:
            raise Unknown(f"{name}: {unknown}")
    return {name: job for name, job in whole.items() if not name.startswith(".")}


def _extended(job: dict[str, Any], jobs: Mapping[str, Any]) -> dict[str, Any]:
    return _merged(_extended(jobs[job["extends"]], jobs), job) if "extends" in job else job


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Merge as `extends` does: mappings by their keys, all else is replaced."""
    both = {key: _merged(below[key], above[key]) for key in below.keys() & above.keys() if isinstance(above[key], dict)}
    return {**below, **above, **both}


def _when(job: dict[str, Any], variables: Mapping[str, str]) -> str:
    """Say when a job runs by its first rule that holds, as GitLab does: never, when none holds."""
    for rule in job["rules"]:
        if unknown := rule.keys() - {"if", "when"}:
            raise Unknown(f"rules: {unknown}")
        if holds(rule["if"], variables):
            return str(rule.get("when", "on_success"))
    return "never"


def holds(expression: str, variables: Mapping[str, str]) -> bool:
    """Decide an `if` of a rule; `&&` binds stronger than `||`."""
    condition = _Condition(expression, variables)
    result = condition.either()
    if condition.words:
        raise Unknown(expression)
    return result


class _Condition:
    """What is left of an expression, read from its start."""

    def __init__(self, expression: str, variables: Mapping[str, str]) -> None:
        self.words = [word for word in tokens(expression, _WORD) if word.strip()]
        self._variables = variables

    def either(self) -> bool:
        result = self._both()
        while self._next_is("||"):
            result = self._both() or result
        return result

    def _both(self) -> bool:
        result = self._comparison()
        while self._next_is("&&"):
            result = self._comparison() and result
        return result

    def _comparison(self) -> bool:
        if self._next_is("("):
            inside = self.either()
            assert self._next_is(")")
            return inside
        left = self._value()
        if self._next_is("=="):
            return left == self._value()
        return left != self._value() if self._next_is("!=") else bool(left)

    def _value(self) -> str | None:
        word = self.words.pop(0)
        if word.startswith("$"):
            return self._variables.get(word[1:])
        if word != "null" and word[0] not in "\"'":
            raise Unknown(word)
        return None if word == "null" else word[1:-1]

    def _next_is(self, word: str) -> bool:
        if self.words[:1] != [word]:
            return False
        self.words.pop(0)
        return True
