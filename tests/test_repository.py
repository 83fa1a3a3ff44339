"""The example repository, played from a pull request to the issue about drift, with kind and with hostile text."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bio_sync import yamltext
from bio_sync.sandbox import Behaviour, Sandbox, load_seed
from tests.action.conftest import WORKFLOWS, Play, stage
from tests.conftest import ROOT, Run
from tests.github.service import GitHub, Post
from tests.readers import read_markdown
from tests.runner import JobRun
from tests.runner import Run as Played
from tests.test_nothing_acts import NAUGHTY

EXAMPLE = ROOT / "examples" / "repository"
LIVE = ("bio_abc123", "bio_k3v9qa", "bio_q9r4tb", "bio_h5m8ce")
NAMES = (
    "a\n::error::x",
    "b ##[add-mask]y",
    "c `@octocat` <!-- <b> #1",
    "d\t##vso[task.complete]; $(id) ${{ 1 }}",
)
# What our own steps order the runner; a page orders nothing.
OURS = {"add-mask", "group", "endgroup", "stop-commands", "error", "warning", "notice"}
RUN_LINK = re.compile(r"\[Run \d+\]\(https://github\.com/acme/pages/actions/runs/\d+\)")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    pages = [page for page in load_seed(EXAMPLE.parent / "live") if page["id"] in LIVE]
    with Sandbox(pages, behaviour=Behaviour(burst_limit=10_000)) as running:
        yield running


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox) -> Iterator[Play]:
    with GitHub() as github:
        yield stage(tmp_path, sandbox, github)


def post(text: str) -> str:
    """Give what people see of a comment or an issue, without the link to the run, which is ours."""
    marker, _, shown = text.partition("\n")
    assert re.fullmatch(r"<!-- bio-sync:(plan|drift) \{[^<>]*\} -->", marker)
    assert "--" not in marker[4:-3]
    return RUN_LINK.sub("the run", shown)


def nothing_acts(play: Play, *runs: Played) -> None:
    """Look at all that GitHub shows, and at all that its runner obeyed."""
    keys = {environment.secrets["XQR_API_KEY"] for environment in play.world.environments.values()}
    for job in (job for run in runs for job in run.jobs.values()):
        assert {command.name for command in job.log.obeyed} <= OURS
        assert {command.data for command in job.log.obeyed if command.name == "add-mask"} <= keys
        assert "the log was left stopped" not in job.log.text
        assert read_markdown(job.summary).acts == {}
        check_outputs(job)
    posts: list[Post] = [*play.github.comments, *play.github.issues]
    for each in posts:
        if each.body.startswith("<!--"):
            assert read_markdown(post(each.body)).acts == {}
    said = "".join(job.log.text + job.summary for run in runs for job in run.jobs.values())
    said += "".join(each.body + each.title for each in posts)
    for key in keys:
        secret = key.partition(".")[2]
        assert not any(secret[start : start + 8] in said for start in range(len(secret) - 7))
    assert all("xqr_pk" not in f"{request.headers} {request.body}" for request in play.github.requests)
    assert not any(token in str(request.headers) for request in play.sandbox.requests for token in play.github.tokens)


def check_outputs(job: JobRun) -> None:
    """Let no step have an output that action.yml does not have, or that is more than a word or a path of ours."""
    for step in job.steps.values():
        if "exit-code" in step.outputs:
            assert not any("\n" in value for value in step.outputs.values())
            assert step.outputs["exit-code"].isdigit()
            assert step.outputs.get("changes", "") in {"true", "false", ""}


def test_the_example_is_whole_and_what_it_shares_with_the_rest_is_the_same(run: Run, monkeypatch: Any) -> None:
    for workflow in WORKFLOWS.iterdir():
        assert (EXAMPLE / ".github" / "workflows" / workflow.name).read_bytes() == workflow.read_bytes()
    for name in ("page", "config"):
        schema = f"{name}.schema.json"
        assert (EXAMPLE / "schemas" / schema).read_bytes() == (ROOT / "schemas" / schema).read_bytes()
    monkeypatch.chdir(EXAMPLE)
    assert run("validate").out == "4 page files, no problems\n"


def test_from_an_opened_pull_request_to_the_issue_about_drift(play: Play, sandbox: Sandbox) -> None:
    shutil.copytree(EXAMPLE, play.desk, dirs_exist_ok=True)
    play.commit("main")
    before = sandbox.page("bio_abc123")
    page = play.desk / "pages" / "acme-inc.yaml"

    # Somebody opens a pull request: it is checked, and a comment shows what visitors would see. One call.
    play.commit("spring", **{page.stem: page.read_text().replace("title: Acme Inc", "title: Acme in spring")})
    number = play.open("spring")
    opened = play.pull_request("spring", number, action="opened")
    assert [job.conclusion for job in opened.jobs.values()] == ["success", "success"]
    assert len(sandbox.calls) == 1
    (comment,) = play.github.comments
    assert '+ "Acme in spring"' in comment.body
    assert "Next: merge." in comment.body

    # Another push: the same comment tells of it. A push that changes nothing here writes nothing there.
    play.commit("spring", **{page.stem: page.read_text().replace("Acme in spring", "Acme in June")})
    play.pull_request("spring", number)
    (updated,) = play.github.comments
    assert (updated.id, '+ "Acme in June"' in updated.body, "in spring" in updated.body) == (comment.id, True, False)
    writes = len(play.github.writes)
    play.pull_request("spring", number)
    assert len(play.github.writes) == writes

    # Merged: exactly that is written, held to the digest that the comment shows.
    assert sandbox.page("bio_abc123") == before
    calls = len(sandbox.calls)
    merged = play.merged("spring", number)
    assert merged["apply"].conclusion == "success"
    assert sandbox.page("bio_abc123")["title"] == "Acme in June"
    assert [call.method for call in sandbox.calls[calls:]] == ["GET", "PATCH"]
    digest = next(step.outputs["digest"] for step in merged["apply"].steps.values() if "digest" in step.outputs)
    assert digest in updated.body
    assert digest in updated.body.partition("\n")[0]

    # In the morning nothing differs, and there is no issue. Then somebody edits a page in the dashboard.
    assert play.daily()["drift"].conclusion == "success"
    assert play.github.issues == []
    sandbox.edit("bio_h5m8ce", title="From the dashboard")
    drifted = play.daily()
    (issue,) = play.github.issues
    assert (issue.state, issue.title) == ("open", "bio-sync: live pages differ from their files")
    assert '"From the dashboard"' in issue.body
    assert "bio-sync pull bio_h5m8ce" in issue.body
    assert "bio-sync apply pages/riverside-food-bank.yaml" in issue.body
    play.daily()
    assert play.github.issues == [issue]

    # Put back, the issue is closed; with the next edit it is opened again, and not another one.
    play.by_hand()
    play.daily()
    assert [each.state for each in play.github.issues] == ["closed"]
    sandbox.edit("bio_h5m8ce", title="Again")
    last = play.daily()
    assert [each.state for each in play.github.issues] == ["open"]
    nothing_acts(play, opened, merged, drifted, last)


def writable(text: str) -> bool:
    """Tell whether a page file may hold a text at all: control characters and the like are refused there."""
    source = json.dumps({"title": text}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return not yamltext.read(source, file="x").problems


def test_no_text_of_a_page_and_no_name_of_a_file_acts_anywhere_on_the_way(play: Play, sandbox: Sandbox) -> None:
    texts = [text for text in NAUGHTY if writable(text)]
    assert len(texts) > 70
    shutil.copytree(EXAMPLE, play.desk, dirs_exist_ok=True)
    shutil.rmtree(play.desk / "pages")
    (play.desk / "bio-sync.yaml").write_text("pages: [pages]\n")
    (play.desk / "pages").mkdir()
    play.commit("main", **{name: wanted(page_id, "Quiet", []) for name, page_id in zip(NAMES, LIVE, strict=True)})

    # A pull request whose files are broken by hostile keys: there is no plan, and the comment says why.
    broken = {
        name: json.dumps({"id": page_id, text: text}) for name, page_id, text in zip(NAMES, LIVE, texts, strict=False)
    }
    play.commit("hostile", **broken)
    number = play.open("hostile")
    refused = play.pull_request("hostile", number)
    assert {job.conclusion for job in refused.jobs.values()} == {"failure"}
    assert "There is no plan" in play.github.comments[0].body
    assert play.sandbox.calls == []
    assert refused["validate"].log.annotations("error")

    # Then files that say all of it, against pages that say all of it, too.
    for number_of_page, page_id in enumerate(LIVE):
        links = [{"label": text, "url": "https://a.example"} for text in NAUGHTY[number_of_page::4]]
        sandbox.edit(
            page_id, title=NAUGHTY[number_of_page], page_data={"theme": NAUGHTY[-number_of_page], "links": links}
        )
    said = {
        name: wanted(page_id, texts[-place - 1], texts[place::4])
        for place, (name, page_id) in enumerate(zip(NAMES, LIVE, strict=True))
    }
    play.commit("hostile", **said)
    shown = play.pull_request("hostile", number)
    assert [job.conclusion for job in shown.jobs.values()] == ["success", "success"]
    assert len(play.github.comments) == 1
    assert "4 pages to change" in play.github.comments[0].body

    merged = play.merged("hostile", number)
    assert merged["apply"].conclusion == "success", merged["apply"].log.text
    assert [sandbox.page(page_id)["title"] for page_id in LIVE] == texts[:-5:-1]

    for text, page_id in zip(NAUGHTY, LIVE, strict=False):
        sandbox.edit(page_id, title=f"{text}!", description=text)
    drifted = play.daily()
    assert [issue.state for issue in play.github.issues] == ["open"]
    play.world.variables["BIO_SYNC_APPLY_DAILY"] = "true"
    applied = play.daily()
    assert applied["apply"].conclusion == "success"
    nothing_acts(play, refused, shown, merged, drifted, applied)


def wanted(page_id: str, title: str, labels: list[str]) -> str:
    """Write a page file, as JSON, which is YAML: it holds whatever a file may hold."""
    links = [{"label": label or "-", "url": "https://a.example"} for label in labels]
    return json.dumps(
        {"id": page_id, "title": title, "page_data": {"theme": "light", "links": links}}, ensure_ascii=False
    )
