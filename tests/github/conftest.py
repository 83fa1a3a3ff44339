"""What the tests of comments and issues share: a GitHub, a step of a workflow, and saved plans."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bio_sync import cli, planfile
from bio_sync.model import PageContent
from bio_sync.options import Session
from bio_sync.planning import Circumstances, Plan, make_plan
from bio_sync.render import drift
from tests import strategies as some
from tests.conftest import Result
from tests.github.service import GitHub

HEAD, LATER, MERGED = "a1" * 20, "b2" * 20, "c3" * 20
NOW = Circumstances("0.1.0", "2026-11-22T10:00:00Z", "https://xqr.co/api/v1", 1, 46)
ADDRESS = {"slug": "acme-inc", "html_url": "https://bio.xqr.co/acme-inc", "updated_at": "2026-03-20T16:30:00Z"}
VARIABLES = ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_API_URL", "GITHUB_GRAPHQL_URL", "GITHUB_SERVER_URL")
MORE_VARIABLES = ("GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_STEP_SUMMARY", "GITHUB_EVENT_PATH")


def plan_to(title: str, now: Circumstances = NOW) -> Plan:
    """Give the plan that names a page `title`; the page is called Acme Inc now."""
    wanted = some.wanted_page(PageContent(title, None, {}, True), "bio_1", file="pages/acme.yaml")
    live = some.live_page(PageContent("Acme Inc", None, {}, True), "bio_1", **ADDRESS)
    return make_plan([wanted], {"bio_1": live}, circumstances=now)


NOTHING = plan_to("Acme Inc")
FAILURE = {
    "format_version": "1.0",
    "error": {"message": "the service does not answer", "hint": "try again later", "reason": "unreachable"},
    "exit_code": 1,
}


def drift_of(plan: Plan) -> str:
    """Write a plan as `drift --out FILE.json` does."""
    return drift.as_json(plan, {change.page_id: ("bio-sync pull x", "bio-sync apply y") for change in plan.changes})


@dataclass
class Step:
    """A step of a workflow of a pull request: saved plans, commands with the step's variables, the job summary."""

    github: GitHub
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capfd: pytest.CaptureFixture[str]
    number: int
    naps: list[float] = field(default_factory=list)

    def run_for(self, event: dict[str, Any] | None, *, run_id: int = 1, **options: Any) -> None:
        """Set the variables of a run."""
        for name in (*VARIABLES, *MORE_VARIABLES):
            self.monkeypatch.delenv(name, raising=False)
        for name, value in self.github.environment(self.folder, event=event, run_id=run_id, **options).items():
            self.monkeypatch.setenv(name, value)

    def pushed(self, head: str, *, run_id: int = 1, **options: Any) -> None:
        """Push to the pull request, which starts a run."""
        self.github.push(self.number, head)
        self.run_for(self.github.pull_request_event(self.number), run_id=run_id, **options)

    def call(self, *arguments: str) -> Result:
        self.capfd.readouterr()
        code = cli.run(arguments, Session(sleep=self.naps.append))
        out, err = self.capfd.readouterr()
        return Result(code, out, err)

    def comment(self, saved: Plan | dict[str, Any] | str, *options: str) -> Result:
        return self.call("comment", self._saved(saved), *options)

    def issue(self, saved: Plan | dict[str, Any], *options: str) -> Result:
        return self.call("issue", self._saved(drift_of(saved) if isinstance(saved, Plan) else saved), *options)

    def _saved(self, saved: Plan | dict[str, Any] | str) -> str:
        text = planfile.dumps(saved) if isinstance(saved, Plan) else saved
        path = self.folder / "saved.json"
        path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
        return str(path)

    @property
    def summary(self) -> str:
        path = self.folder / "summary.md"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def body(self) -> str:
        """The body of the one comment that is there."""
        (comment,) = self.github.comments
        return comment.body

    def may(self, **permissions: str) -> None:
        """Let the token do no more than this, by names with an underscore."""
        told = {name.replace("_", "-"): level for name, level in permissions.items()}
        self.github.tokens[self.github.token] = replace(self.github.tokens[self.github.token], permissions=told)


StartStep = Callable[..., Step]


@pytest.fixture
def github() -> Iterator[GitHub]:
    with GitHub() as running:
        yield running


@pytest.fixture
def step(github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Step:
    """A step in a run that a push to a pull request of the same repository has started."""
    step = Step(github, tmp_path, monkeypatch, capfd, github.open_pull_request(head=HEAD))
    step.pushed(HEAD)
    return step
