"""A small Bitbucket Pipelines: steps one after the other, each in a clone of its own.

The sources: Atlassian's pages on the configuration of Pipelines, on variables and deployments, and on Code Insights
(inside of a step, a proxy on port 29418 signs requests to the API).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self

from tests.pipelines.machine import Job, Unknown, clone, collected, git, put_back, read_yaml, shell

PROXY = "localhost:29418"
_STEP_KEYS = {"name", "script", "artifacts", "max-time", "trigger", "deployment"}


class Proxy:
    """What a step reaches on port 29418: it takes down every request, as (method, address, body)."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                requests.append((self.command, self.path, body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Run:
    """A pipeline under way: its steps, what has become of each so far, and the files that go from step to step."""

    steps: list[dict[str, Any]]
    commit: str
    variables: Mapping[str, str]
    merged_with: str = ""
    done: list[Job] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)


class Bitbucket:
    """One repository; `deployments` gives the variables of each environment, which hide those of the repository."""

    def __init__(
        self,
        repository: Path,
        configuration: str,
        *,
        variables: Mapping[str, str],
        deployments: Mapping[str, Mapping[str, str]],
        proxy: Proxy,
    ) -> None:
        self._repository, self._variables, self._deployments = repository, variables, deployments
        self._pipelines = read_yaml(configuration.replace(PROXY, proxy.address))["pipelines"]
        self._builds = 0

    def pull_request(self, commit: str, *, destination: str) -> Run:
        """Run for a pull request of the repository's own: what it leads to is merged into it first."""
        steps = self._pipelines["pull-requests"]["**"]
        return self.go_on(Run(_steps(steps), commit, {"BITBUCKET_PR_DESTINATION_COMMIT": destination}, destination))

    def push(self, commit: str, *, branch: str) -> Run:
        return self.go_on(Run(_steps(self._pipelines["branches"].get(branch, [])), commit, {}))

    def custom(self, commit: str, name: str) -> Run:
        return self.go_on(Run(_steps(self._pipelines["custom"][name]), commit, {}))

    def go_on(self, run: Run, *, pressed: bool = False) -> Run:
        """Run what is left, up to a step that waits for a person, unless it is the one that was started by one."""
        if pressed:
            assert run.done.pop().status == "manual"
        for step in run.steps[len(run.done) :]:
            if step.get("trigger") == "manual" and not pressed:
                run.done.append(Job(step["name"], "manual"))
                break
            pressed = False
            run.done.append(self._run(run, step))
            if run.done[-1].status == "failed":
                break
        return run

    def _run(self, run: Run, step: Mapping[str, Any]) -> Job:
        self._builds += 1
        folder = clone(self._repository, self._repository.parent / f"bitbucket-{self._builds}" / "clone", run.commit)
        if run.merged_with:
            git(folder, "merge", "--quiet", "--no-edit", run.merged_with)
        put_back(folder, run.files)
        environment = step.get("deployment")
        variables = {
            "CI": "true", "BITBUCKET_COMMIT": run.commit, "BITBUCKET_REPO_FULL_NAME": "acme/pages",
            **self._variables, **run.variables, **(self._deployments[environment] if environment else {}),
        }  # fmt: skip
        code, log = shell(step["script"], folder, variables)
        job = Job(step["name"], "failed" if code else "success", log, code, environment)
        job.reports = collected(folder, ["test-results"])
        if not code:
            job.artifacts = collected(folder, step.get("artifacts", ()))
            run.files |= job.artifacts
        return job


def _steps(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    steps = [dict(item["step"]) for item in items]
    for step in steps:
        if unknown := step.keys() - _STEP_KEYS:
            raise Unknown(f"{step['name']}: {unknown}")
        assert all(isinstance(line, str) for line in step["script"])
    return steps
