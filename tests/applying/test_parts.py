"""A page of which a part was written says so, whatever became of the rest: visitors see that part."""

import json
from typing import Any

import pytest

from bio_sync.applying.parts import Parts
from bio_sync.planning import PUBLISH, UNPUBLISH, UPDATE
from tests.applying.conftest import Bench, Told
from tests.applying.test_lost_writes import CASES, JSON
from tests.conftest import Run

# What the second write of a page meets, and what the sentence goes on with.
REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "400": ({"status": 400, "code": "VALIDATION_ERROR"}, "the service refused it (400 VALIDATION_ERROR)"),
    "401": ({"status": 401, "code": "REVOKED_API_KEY"}, "the API key was revoked"),
    "403": ({"status": 403, "code": "PLAN_LIMIT_EXCEEDED"}, "the workspace's plan allows no more of this"),
    "404": ({"status": 404, "code": "NOT_FOUND"}, "the page is not in this workspace: it was deleted, or"),
    "409": ({"status": 409, "code": "CONFLICT"}, "the service refused it (409 CONFLICT)"),
    "the-month-s-end": ({"status": 429, "code": "RATE_LIMIT_EXCEEDED"}, "the month's API calls are used up"),
    "too-many": (
        {"status": 429, "code": "BURST_LIMIT_EXCEEDED", "times": None},
        "too many requests a second (429 BURST_LIMIT_EXCEEDED)",
    ),
    "redirect": ({"status": 302, "headers": {"Location": "https://xqr.co/"}}, "the service sends elsewhere"),
}
HALVES = {
    "publish-after-update": "updated, but not published",
    "update-after-unpublish": "unpublished, but not updated",
}
PUBLIC_WORDS = {True: "published", False: "unpublished"}


def lay_out(bench: Bench, case: str, **fault: Any) -> None:
    """Serve one page, and let the write of it that is the case's meet a fault."""
    bench.files({"bio_1": CASES[case].text})
    bench.start([{"id": "bio_1", **CASES[case].live}])
    if fault:
        method, path = CASES[case].writes[CASES[case].lost].format("bio_1").split()
        bench.fail(method=method, path=path, **fault)


def told_of(bench: Bench, *arguments: str) -> Told:
    done = bench.apply(*arguments)
    assert done.code == 3
    return done.pages["bio_1"]


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("case", HALVES)
def test_what_was_written_before_a_refusal_is_said_first(bench: Bench, case: str, refusal: str) -> None:
    fault, why = REFUSALS[refusal]
    lay_out(bench, case, **fault)
    told = told_of(bench, "--max-age", "3600")
    assert told.message.startswith(f"{HALVES[case]}: {why}")
    # It is what happened.
    title, public = bench.live("bio_1", "title", "is_published")
    assert (title, PUBLIC_WORDS[public]) == (("New", "unpublished") if "update" in case[8:] else ("Old", "unpublished"))


@pytest.mark.parametrize("case", [name for name, case in CASES.items() if len(case.writes) == 2])
@pytest.mark.parametrize("after", [True, False])
def test_what_nobody_knows_of_is_called_perhaps_done(bench: Bench, case: str, after: bool) -> None:
    lay_out(bench, case, wire="reset", after=after)
    bench.fail(method="GET", wire="reset", skip=1, times=None)
    told = told_of(bench)
    assert told.words == ("unknown", "unreachable")
    first, second = ("updated", "published") if "publish" in case.split("-") else ("unpublished", "updated")
    said = f"{first}, but perhaps not {second}: " if CASES[case].lost else f"perhaps {first}, and not {second}: "
    assert told.message.startswith(f"{said}the answer was lost on its way")


@pytest.mark.parametrize("case", HALVES)
def test_a_page_that_goes_while_its_second_write_settles_tells_of_the_first(bench: Bench, case: str) -> None:
    lay_out(bench, case, wire="reset")
    bench.clock.meanwhile.append(lambda: bench.sandbox.remove("bio_1"))
    told = told_of(bench)
    said = HALVES[case].replace("but not", "but perhaps not")
    assert told.message.startswith(f"{said}: its answer was lost; read back, the page is not in this workspace: ")


@pytest.mark.parametrize("case", HALVES)
def test_a_look_that_fails_between_two_writes_leaves_a_page_half_written_and_says_so(bench: Bench, case: str) -> None:
    lay_out(bench, case, status=429, code="BURST_LIMIT_EXCEEDED", headers={"Retry-After": "20"})
    bench.fail(method="GET", status=503, skip=1, times=None)
    told = told_of(bench)
    assert told.words == ("failed", "unreachable")
    assert told.message.startswith(f"{HALVES[case]}: the service has a fault of its own (503 ")


@pytest.mark.parametrize("case", HALVES)
def test_an_edit_between_two_writes_is_told_with_the_first_of_them(bench: Bench, case: str) -> None:
    lay_out(bench, case, status=429, code="BURST_LIMIT_EXCEEDED", headers={"Retry-After": "20"})
    bench.clock.meanwhile.append(lambda: bench.sandbox.edit("bio_1", title="Theirs"))
    told = told_of(bench)
    assert told.message == (
        f"{HALVES[case]}: edited since the plan and not overwritten: /title is 'Theirs' now; look at a new plan"
    )


def test_a_page_that_somebody_publishes_in_the_gap_says_that_its_new_title_is_public(bench: Bench) -> None:
    bench.files({"bio_1": "title: New"})
    bench.start([{"id": "bio_1", "title": "Old", "is_published": False}])
    bench.fail(method="PATCH", edits={"bio_1": {"is_published": True}})
    assert told_of(bench).message == (
        "updated, but another place was edited since the plan, and not overwritten: /published is true now;"
        " look at a new plan"
    )
    assert bench.live("bio_1", "title", "is_published") == ("New", True)


def test_an_edit_that_the_answer_to_the_last_write_shows_is_told_with_all_that_was_written(bench: Bench) -> None:
    bench.files({"bio_1": "title: New\ndescription: Text\npublished: true"})
    bench.start([{"id": "bio_1", "title": "Old", "description": "Text"}])
    bench.fail(method="POST", edits={"bio_1": {"description": "Theirs"}})
    assert told_of(bench).message == (
        "updated and published, but another place was edited since the plan, and not overwritten:"
        " /description is 'Theirs' now; look at a new plan"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('title: " New "', "updated, but /title: the server stores 'New' for ' New '. "),
        ('title: " New "\npublished: true', "updated, but not published: /title: the server stores 'New' for "),
        # Nothing of it is there.
        ('title: " Old "\npublished: true', "/title: the server stores 'Old' for ' Old '. "),
    ],
)
def test_what_is_stored_otherwise_is_written_as_far_as_anything_has_changed(bench: Bench, text: str, said: str) -> None:
    bench.files({"bio_1": text})
    bench.start([{"id": "bio_1", "title": "Old"}], normalise=lambda page: page | {"title": page["title"].strip()})
    assert told_of(bench).message.startswith(said)


def test_what_somebody_else_has_done_is_not_called_done_by_the_run(bench: Bench) -> None:
    bench.files({"bio_0": "title: New", "bio_1": "title: New\npublished: false"})
    bench.start([{"id": "bio_0", "title": "Old"}, {"id": "bio_1", "title": "Old", "is_published": True}])
    bench.fail(method="PATCH", path="bio_0", wire="reset", after=True)
    bench.clock.meanwhile.append(lambda: bench.sandbox.edit("bio_1", is_published=False))
    bench.fail(method="PATCH", path="bio_1", status=400, code="VALIDATION_ERROR", message="No")
    assert bench.apply().pages["bio_1"].message == "the service refused it (400 VALIDATION_ERROR): No"
    assert bench.writes == ["PATCH bio_0", "PATCH bio_1"]


def test_the_line_of_a_half_written_page_and_its_journal_say_the_same(bench: Bench, run: Run) -> None:
    lay_out(bench, "update-after-unpublish", status=400, code="VALIDATION_ERROR", message="Not like this")
    result = run("apply", "--yes", "--force", "--api-url", bench.sandbox.url, "--journal", "journal.json")
    said = "unpublished, but not updated: the service refused it (400 VALIDATION_ERROR): Not like this"
    assert f"failed     pages/bio_1.yaml  {said} (request req_" in result.out
    assert json.loads((bench.folder / "journal.json").read_text())["pages"][0]["message"] == said


def test_a_publish_that_answers_with_less_than_the_page_is_not_called_lost(bench: Bench) -> None:
    body = json.dumps({"data": {"id": "bio_1", "is_published": True}, "meta": {}})
    lay_out(bench, "just-publish", status=200, body=body, headers=JSON, after=True)
    done = bench.apply()
    assert done.pages["bio_1"].message == "its answer did not show the whole page; read back, the page is as wanted"


@pytest.mark.parametrize("unclear", [True, False])
def test_as_long_as_nothing_was_done_and_there_is_but_one_thing_to_do_a_sentence_stays_alone(unclear: bool) -> None:
    for action in (UPDATE, PUBLISH, UNPUBLISH):
        assert Parts((action,)).told("why", unclear=unclear) == "why"
