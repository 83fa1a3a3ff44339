"""What the action decides, in this process: inputs, keys, outputs, comments, exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync.action import __main__ as steps
from bio_sync.action import approval, running
from bio_sync.action.inputs import ONLY_FOR, NotAnInput, read_inputs, variable
from bio_sync.action.runner import Runner, json_object
from bio_sync.github import NotApproved
from bio_sync.key import ApiKey, key_at_hand
from bio_sync.sandbox import Behaviour, Fault, Sandbox
from tests.conftest import HELD, ROOT
from tests.github.service import Fault as GitHubFault
from tests.github.service import GitHub
from tests.runner import Log, read_pairs
from tests.runner.play import read_yaml
from tests.signals import wait_for

HEAD = "a" * 40
HOSTILE = "x\r\n::add-mask::live\u2028##[error]b```` <!-- --> @octocat </details> ##vso[task.complete]\x1b[31m"
OBEYED = {"add-mask", "group", "stop-commands", "endgroup", "error", "warning", "notice"}


@dataclass
class Step:
    """One step run in this process: its exit code, its outputs, its log as the runner reads it, its summary."""

    code: int
    outputs: dict[str, str]
    log: Log
    summary: str


@dataclass
class Stage:
    folder: Path
    github: GitHub
    sandbox: Sandbox
    capture: pytest.CaptureFixture[str]
    number: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, event: str = "pull_request", **inputs: str) -> Step:
        """Run the step with these inputs, and what GitHub sets."""
        temp = self.folder / "temp"
        temp.mkdir(exist_ok=True)
        files = {name: temp / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        payload = self.github.pull_request_event(self.number) if event == "pull_request" else {}
        environment = {
            **self.github.environment(temp, event=payload),
            **{name: str(path) for name, path in files.items()},
            "RUNNER_TEMP": str(temp),
            "GITHUB_EVENT_NAME": event,
            "XQR_API_KEY": self.sandbox.key,
            "BIO_SYNC_ARTIFACT": "true",
            **{variable(name.replace("_", "-")): value for name, value in inputs.items()},
            **self.environment,
        }
        self.capture.readouterr()
        code = running.run(Runner(environment, key_at_hand(environment)), lambda _: None)
        out, err = self.capture.readouterr()
        log, beside = Log(), Log()
        log.read(out)
        beside.read(err)
        # action.yml has 2>&1, so that these lines stand where nothing is obeyed; they order nothing without it, too.
        assert beside.obeyed == []
        return Step(code, read_pairs(files["GITHUB_OUTPUT"]), log, files["GITHUB_STEP_SUMMARY"].read_text())


@pytest.fixture(scope="module")
def github() -> Iterator[GitHub]:
    with GitHub() as running_github:
        yield running_github


@pytest.fixture
def stage(
    folder: Path, start_sandbox: Callable[..., Sandbox], github: GitHub, capfd: pytest.CaptureFixture[str]
) -> Stage:
    """One page that differs from its file, on an open pull request."""
    live = {"id": "bio_1", "title": "Live", "slug": "one", "description": "", "page_data": {}, "is_published": True}
    sandbox = start_sandbox([live])
    (folder / "pages").mkdir()
    (folder / "pages" / "one.yaml").write_text("id: bio_1\ntitle: Wanted\n")
    github.comments.clear()
    github.issues.clear()
    github.requests.clear()
    return Stage(folder, github, sandbox, capfd, github.open_pull_request(head=HEAD))


# Inputs


def test_the_environment_of_the_step_has_every_input_and_no_other() -> None:
    action = read_yaml(ROOT / "action.yml")
    run = next(step for step in action["runs"]["steps"] if step.get("id") == "run")
    wired = {
        name: value.removeprefix("${{ inputs.").removesuffix(" }}")
        for name, value in run["env"].items()
        if name.startswith("BIO_SYNC_") and "inputs." in value
    }
    assert {name: variable(name_of) for name, name_of in wired.items()} == {name: name for name in wired}
    others = {"api-key", "api-url", "github-token"}
    assert set(wired.values()) == set(action["inputs"]) - others
    assert {"XQR_API_KEY", "XQR_API_URL", "GITHUB_TOKEN"} <= set(run["env"])


def test_what_python_says_reaches_the_runner_as_one_stream_and_a_cancellation_reaches_python() -> None:
    lines = [
        step["run"]
        for step in read_yaml(ROOT / "action.yml")["runs"]["steps"]
        if "bio_sync.action" in step.get("run", "")
    ]
    assert len(lines) == 2
    assert all(line.endswith(" 2>&1") and ' exec "$BIO_SYNC_PYTHON" ' in line for line in lines)


def test_every_output_of_the_action_is_one_that_a_step_sets_and_the_other_way_round(stage: Stage) -> None:
    told = set(read_yaml(ROOT / "action.yml")["outputs"])
    made = set(stage.run(command="plan").outputs)
    made |= set(stage.run(command="drift", event="schedule", issue="true").outputs)
    made |= set(stage.run(command="apply", event="workflow_dispatch").outputs)
    assert made == told | {"artifact", "folder"}


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "the input 'command' is empty"),
        ({"command": "undo"}, "the input 'command' is 'undo'"),
        ({"command": "plan", "comment": "no"}, "it is one of: always, changes, never"),
        ({"command": "plan", "offline": "yes"}, "the input 'offline' is 'yes'"),
        ({"command": "plan", "offline": "true"}, "the input 'offline' needs 'base'"),
        ({"command": "plan", "fail-on-drift": "true"}, "the input 'fail-on-drift' needs 'base'"),
        ({"command": "validate", "base": "main"}, "the input 'base' is for plan, and this is validate"),
        ({"command": "plan", "plan": "approved"}, "the input 'plan' is for apply"),
        ({"command": "apply", "force": "true"}, "the input 'force' is for runs that a person starts"),
        ({"command": "plan", "label": "x" * 101}, "the input 'label' has 101 characters"),
        ({"command": "plan", "working-directory": "elsewhere"}, "there is no such folder"),
    ],
)
def test_an_input_that_can_not_be_meant_is_told_and_nothing_is_asked(
    stage: Stage, inputs: dict[str, str], words: str
) -> None:
    done = stage.run(**{name.replace("-", "_"): value for name, value in inputs.items()}, issue="false")
    assert (done.code, done.outputs["failure-reason"]) == (64, "invalid")
    (error,) = done.log.annotations()[:1]
    assert words in error.data
    assert words.replace("'", "") in done.summary.replace("'", "")
    assert stage.sandbox.requests == []


def test_every_input_for_some_commands_is_refused_by_the_others() -> None:
    for name, commands in ONLY_FOR.items():
        for other in {"validate", "plan", "apply", "drift"} - set(commands):
            with pytest.raises(NotAnInput, match=f"the input '{name}' is for"):
                read_inputs({"BIO_SYNC_COMMAND": other, variable(name): "true"})


def test_a_path_is_never_an_option(stage: Stage) -> None:
    done = stage.run(command="plan", paths="--help\n--offline\n")
    assert done.code == 1
    assert "--help: there is no such file or folder" in done.log.text
    assert stage.run(command="validate", paths=" pages/one.yaml \n\n").outputs["pages"] == "1"


def test_a_problem_is_shown_at_its_file_from_the_top_of_the_repository(stage: Stage) -> None:
    (stage.folder / "sites" / "pages").mkdir(parents=True)
    (stage.folder / "sites" / "pages" / "two.yaml").write_text("id: bio_2\ntitel: Two\n")
    done = stage.run(command="validate", working_directory="sites")
    (error,) = done.log.annotations("error")
    assert (error.properties["file"], error.properties["line"]) == ("sites/pages/two.yaml", "2")
    assert (done.code, done.outputs["problems"]) == (1, "1")
    # A checkout by other means, such as a download, has no .git.
    (stage.folder / ".git").rmdir()
    stage.environment["GITHUB_WORKSPACE"] = str(stage.folder)
    (error,) = stage.run(command="validate", working_directory="sites").log.annotations("error")
    assert error.properties["file"] == "sites/pages/two.yaml"


# The key


@pytest.mark.parametrize(
    ("author", "fork", "words"),
    [("ada", False, "the input 'api-key' is empty"), ("ada", True, "forks"), ("dependabot[bot]", False, "Dependabot")],
)
def test_a_run_without_a_key_says_why_it_has_none(stage: Stage, author: str, words: str, *, fork: bool) -> None:
    stage.number = stage.github.open_pull_request(head=HEAD, author=author, fork=fork)
    stage.environment["XQR_API_KEY"] = ""
    done = stage.run(command="plan")
    assert (done.code, done.outputs["failure-reason"]) == (1, "auth")
    assert words in done.log.annotations("error")[0].data
    assert stage.sandbox.requests == []


def test_the_key_is_masked_first_and_shows_nowhere(stage: Stage) -> None:
    stage.sandbox.edit("bio_1", title=stage.sandbox.key)
    done = stage.run(command="plan")
    secret = stage.sandbox.key.partition(".")[2]
    first, _, rest = done.log.raw.partition("\n")
    assert first == f"::add-mask::{stage.sandbox.key}"
    places = [rest, done.summary, *done.outputs.values(), *(comment.body for comment in stage.github.comments)]
    places += [path.read_text() for path in Path(done.outputs["folder"]).iterdir()]
    assert [place for place in places if any(secret[at : at + 8] in place for at in range(len(secret) - 7))] == []


# What is told, and what fails


def test_a_comment_that_fails_fails_the_step_when_all_else_is_told(stage: Stage) -> None:
    stage.github.fail(GitHubFault(status=422, method="POST", path="comments"))
    done = stage.run(command="plan")
    assert done.code == 1
    assert (done.outputs["exit-code"], done.outputs["changes"], done.outputs["artifact"]) == (
        "0",
        "true",
        "bio-sync-plan",
    )
    assert "Wanted" in done.summary
    assert done.log.annotations("error")[-1].properties["title"] == "bio-sync: no comment"


def test_no_comment_is_written_where_none_is_wanted_or_possible(stage: Stage) -> None:
    assert stage.run(command="plan", comment="never").code == 0
    assert stage.run("push", command="plan").code == 0
    (stage.folder / "pages" / "one.yaml").write_text("id: bio_1\ntitle: Live\n")
    assert stage.run(command="plan", comment="changes").code == 0
    assert stage.github.comments == []


def test_drift_is_news_and_a_failure_only_for_who_asks_for_that(stage: Stage) -> None:
    told = stage.run("schedule", command="drift", issue="true")
    assert (told.code, told.outputs["drift"], told.outputs["failure-reason"]) == (0, "1", "")
    failed = stage.run("schedule", command="drift", fail_on_drift="true")
    assert (failed.code, failed.outputs["failure-reason"]) == (2, "drifted")
    assert "1 value changed on live pages" in failed.log.annotations("error")[0].data
    assert len(stage.github.issues) == 1


def test_a_page_that_is_gone_fails_the_plan_and_its_comment_shows_the_rest(stage: Stage) -> None:
    (stage.folder / "pages" / "two.yaml").write_text("id: bio_2\ntitle: Two\n")
    done = stage.run(command="plan")
    assert (done.code, done.outputs["failure-reason"], done.outputs["gone"]) == (1, "gone", "1")
    assert "Wanted" in stage.github.comments[0].body
    assert done.outputs["artifact"] == "bio-sync-plan"


def test_an_apply_that_is_held_back_says_how_it_can_be_let_go(stage: Stage) -> None:
    stage.sandbox.edit("bio_1", page_data={"links": [{"label": "a", "url": "https://a.example"}]})
    (stage.folder / "pages" / "one.yaml").write_text("id: bio_1\npage_data: {links: []}\n")
    held = stage.run("push", command="apply")
    assert (held.code, held.outputs["failure-reason"], held.outputs["skipped"]) == (1, "unsafe", "1")
    assert "run this workflow by hand, with force" in held.log.annotations("error")[0].data
    let_go = stage.run("workflow_dispatch", command="apply", force="true")
    assert (let_go.code, let_go.outputs["applied"]) == (0, "1")
    assert "`bio-sync undo journal.json`" in let_go.summary


@pytest.mark.parametrize("where", ["", "sites/acme"])
def test_an_apply_that_did_a_part_names_what_failed_at_its_file_from_the_top_of_the_repository(
    stage: Stage, where: str
) -> None:
    (stage.folder / where).mkdir(parents=True, exist_ok=True)
    (stage.folder / "pages").rename(stage.folder / where / "pages")
    stage.sandbox.fail(Fault(status=422, method="PATCH"))
    done = stage.run("push", command="apply", working_directory=where)
    assert (done.code, done.outputs["failed"], done.outputs["changes"]) == (1, "1", "false")
    (error,) = done.log.annotations("error")
    assert error.properties["file"] == str(Path(where, "pages", "one.yaml"))
    assert "failed" in done.summary


def test_names_and_texts_that_look_like_orders_stay_text_everywhere(stage: Stage) -> None:
    stage.sandbox.edit("bio_1", title=HOSTILE, description=HOSTILE)
    for number, name in enumerate(("a\n::error::b.yaml", "::add-mask::c.yaml", "%0A##[x]d,e:f.yaml")):
        (stage.folder / "pages" / name).write_text(f"id: bio_{number}\ntitel: '{number}'\n")
    (stage.folder / "pages" / "::add-mask::c.yaml").unlink()
    logs = [stage.run(command="validate").log]
    for path in (stage.folder / "pages").iterdir():
        path.unlink() if path.name != "one.yaml" else None
    logs += [stage.run(command="plan").log, stage.run("schedule", command="drift").log]
    logs += [stage.run("push", command="apply").log]
    for log in logs:
        assert {command.name for command in log.obeyed} <= OBEYED
        assert set(log.masks) == {stage.sandbox.key}
        assert not any(re.search(r"##(vso)?\[", line) for line in log.text.splitlines())


def test_what_is_logged_in_a_fold_is_text_even_if_it_is_raw(capfd: pytest.CaptureFixture[str]) -> None:
    with Runner({}).folded("::error::a\n::error::b"):
        sys.stdout.write("::error::c\n x ##[error]d\n::endgroup::\n")
    log = Log()
    log.read(capfd.readouterr().out)
    assert [command.name for command in log.obeyed] == ["group", "stop-commands", "endgroup"]
    assert log.text.count("error") == 4


def test_an_input_that_is_off_takes_the_place_of_an_older_plan_in_the_comment(stage: Stage) -> None:
    stage.run(command="plan")
    refused = stage.run(command="plan", offline="maybe")
    assert refused.code == 64
    mine = [comment for comment in stage.github.comments if comment.number == stage.number]
    assert len(mine) == 1
    assert "There is no plan" in mine[0].body
    assert "the input 'offline' is 'maybe'" in mine[0].body
    requests = len(stage.github.requests)
    for off in ({"command": "undo"}, {"command": "plan", "comment": "never", "offline": "maybe"}):
        assert stage.run(**off).code == 64
    assert len(stage.github.requests) == requests


@pytest.mark.parametrize("said", ["", "{", "[]", "[" * 100_000, '{"a": NaN}', '{"a": 1, "a": 2}'])
def test_what_a_run_has_said_is_an_empty_object_when_it_is_none(said: str) -> None:
    assert json_object(said) == {}


def test_the_key_is_cut_out_of_outputs_and_of_the_summary(tmp_path: Path) -> None:
    secret = "S3cr3t-Zq9_xW4vKp7LmN2bRt8Y"
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    runner = Runner(files, ApiKey(f"xqr_pk_0a1b2c3d.{secret}"))
    runner.output("digest", f"a{secret}")
    runner.summarise(f"# {secret}")
    told = "".join(Path(file).read_text() for file in files.values())
    assert told.count("***") == 2
    assert not any(secret[start : start + 8] in told for start in range(len(secret) - 7))


def test_a_run_that_was_interrupted_leaves_the_comment_as_it_is(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bio_sync.workflow.read_files", interrupted)
    assert stage.run(command="plan").code == 130
    assert stage.github.requests == []


@given(text=st.text(max_size=60), label=st.text(max_size=60))
def test_what_an_output_and_a_label_are_made_of_is_all_that_they_are(text: str, label: str) -> None:
    name = approval.artifact_name("plan", label)
    assert re.fullmatch(r"bio-sync-plan(-[A-Za-z0-9._-]{1,60})?", name) or not label
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"bio-sync-output-{os.getpid()}"  # noqa: S108 - one file, taken away
    try:
        path.unlink(missing_ok=True)
        Runner({"GITHUB_OUTPUT": str(path)}).output("name", text.replace("\r", ""))
        assert read_pairs(path) == {"name": text.replace("\r", "")}
    finally:
        path.unlink(missing_ok=True)


def test_two_labels_have_two_artifacts() -> None:
    names = [approval.artifact_name("plan", label) for label in ("", "prod", "pr/od", "pr:od", "x" * 300)]
    assert len(set(names)) == len(names)


def test_a_summary_is_whole_or_points_elsewhere(tmp_path: Path) -> None:
    runner = Runner({"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")})
    # The third would fit if nothing had to be said about the fourth.
    for text in ("a" * 400_000, "é" * 300_000, "b" * 48_500, "c" * 48_500):
        runner.summarise(text)
    whole = (tmp_path / "summary").read_bytes()
    # GitHub drops a summary of more than a mebibyte.
    assert len(whole) <= 2**20
    assert whole.decode().count("é\n\n\nThe summary of this step holds no more: see its log, and its artifact.\n") == 1
    assert b"b" not in whole.partition(b"The")[0]


def test_what_was_done_is_not_undone_by_a_file_of_the_runner_that_can_not_be_written(stage: Stage) -> None:
    stage.environment["GITHUB_STEP_SUMMARY"] = str(stage.folder)
    done = stage.run("push", command="apply")
    assert (done.code, done.outputs["applied"]) == (0, "1")
    assert "can't be written" in done.log.annotations("warning")[0].data


def test_a_bug_is_told_without_the_key_and_where_nothing_is_obeyed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> int:
        raise RuntimeError(f"{stage.sandbox.key}\n::error::no")

    monkeypatch.setattr(running, "run", broken)
    monkeypatch.setenv("BIO_SYNC_COMMAND", "apply")
    assert steps._step(["run"]) == 3
    log = Log()
    log.read(capfd.readouterr().out)
    assert [command.data for command in log.annotations()] == [
        "this is a bug in bio-sync: please report it with the lines above"
    ]
    assert stage.sandbox.key.partition(".")[2] not in log.raw


# Which plan was approved


def test_a_push_that_no_pull_request_has_made_has_no_approved_plan(stage: Stage) -> None:
    waited: list[float] = []
    temp = stage.folder / "temp"
    temp.mkdir()
    environment = {
        **stage.github.environment(temp, event=stage.github.push_event(HEAD)),
        "GITHUB_SHA": HEAD,
        "GITHUB_OUTPUT": str(temp / "out"),
        "RUNNER_TEMP": str(temp),
    }
    assert approval.find(Runner(environment), sleep=waited.append) == 0
    found = read_pairs(temp / "out")
    assert set(found) == {"folder", "into"}
    with pytest.raises(NotApproved, match="was not made by merging a pull request"):
        approval.read_approved(found["folder"])
    assert waited
    del environment["GITHUB_TOKEN"]
    assert approval.find(Runner(environment)) == 0
    with pytest.raises(NotApproved, match="there is no GitHub token") as refused:
        approval.read_approved(read_pairs(temp / "out")["folder"])
    assert "env: GITHUB_TOKEN" in refused.value.hint


# The step as a process


def test_a_run_that_is_cancelled_ends_well_and_says_what_it_has_done(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, held: threading.Event
) -> None:
    """GitHub sends SIGINT to the shell, which by then is Python (`exec`)."""
    live = [{"id": f"bio_{n}", "title": "Live", "slug": f"p{n}", "page_data": {}} for n in range(40)]
    with Sandbox(live, behaviour=Behaviour(burst_limit=10_000)) as sandbox:
        (folder / "pages").mkdir()
        for page in live:
            (folder / "pages" / f"{page['slug']}.yaml").write_text(f"id: {page['id']}\ntitle: Wanted\n")
        sandbox.fail(Fault(delay=HELD, times=None, method="PATCH"))
        temp = tmp_path_factory.mktemp("temp")
        run = next(step for step in read_yaml(ROOT / "action.yml")["runs"]["steps"] if step.get("id") == "run")
        (temp / "script.sh").write_text(run["run"])
        environment = {
            "PATH": os.environ["PATH"],
            "GITHUB_ACTION_PATH": str(ROOT),
            "PYTHONSAFEPATH": "1",
            "BIO_SYNC_PYTHON": sys.executable,
            "BIO_SYNC_COMMAND": "apply",
            "BIO_SYNC_ARTIFACT": "true",
            "BIO_SYNC_MAX_CHANGES": "100%",
            "XQR_API_KEY": sandbox.key,
            "XQR_API_URL": sandbox.url,
            "RUNNER_TEMP": str(temp),
            "GITHUB_OUTPUT": str(temp / "out"),
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(temp / "summary"),
        }
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(temp / "script.sh")]
        with subprocess.Popen(shell, env=environment, stdout=subprocess.PIPE, text=True) as step:
            try:
                wait_for(lambda: any(request.method == "PATCH" for request in sandbox.requests), "a page is written")
                step.send_signal(signal.SIGINT)
                held.set()
                out, _ = step.communicate(timeout=60)
            finally:
                step.kill()
        outputs = read_pairs(temp / "out")
        written = sum(page["title"] == "Wanted" for page in sandbox.pages)
    assert (step.returncode, outputs["exit-code"]) == (130, "130")
    assert 0 < int(outputs["applied"]) == written < len(live)
    assert outputs["artifact"] == "bio-sync-journal"
    assert json.loads(Path(outputs["journal-file"]).read_text())
    log = Log()
    log.read(out)
    assert "left stopped" not in log.text
