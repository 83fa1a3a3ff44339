"""The judge sees what is wrong: each counter goes up when a client is broken, or a history is doctored."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bio_sync.applying import page as page_writer
from bio_sync.applying import stored
from bio_sync.applying.view import View
from bio_sync.transport.patience import Patience
from tests.faults.evidence import Evidence, Promises, Verdict
from tests.faults.oracle import disguises, judge_key, judge_writes
from tests.faults.outcomes import judge
from tests.faults.run import Workshop, opened, run_one
from tests.faults.stage import Hook, stage_for

KEY = "xqr_pk_fedcba98.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
FILE = {"id": "bio_00", "title": "Wanted", "page_data": {"theme": "dark"}, "ignore": ["/page_data/experiments"]}
PAGE = {
    "id": "bio_00",
    "title": "Old",
    "description": "Text",
    "slug": "old",
    "page_data": {"theme": "light", "experiments": {"a": 1}},
    "is_published": True,
}


def broken(number: int, folder: Path, *, seeds: int = 12, count: int = 5) -> Verdict:
    """Run a fault over some seeds and add up what is found."""
    verdict = Verdict()
    for seed in range(seeds):
        for file in folder.glob("pages/*"):
            file.unlink()
        verdict.join(run_one(number, "replace", count, seed, folder))
    return verdict


def evidence_of(folder: Path, prepare: Callable[[Workshop], Any] = lambda _: None, *options: str) -> Evidence:
    """Apply one file to one page, and collect what there is to see."""
    stage = stage_for(1, "replace", 1, 0)
    stage.live, stage.files = [dict(PAGE)], {"bio_00": FILE}
    with opened(stage, folder) as workshop:
        prepare(workshop)
        said = workshop.apply(*options)
        return workshop.evidence(said, 0, Promises())


def judged(evidence: Evidence) -> dict[str, int]:
    """Give what both halves of the judge count."""
    return dict(judge(evidence).broken)


def test_an_ordinary_run_keeps_every_promise(folder: Path) -> None:
    assert judged(evidence_of(folder)) == {}


def test_a_client_that_writes_again_blindly_writes_twice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    once = Patience._once

    def blindly(self: Patience, request: Any) -> Any:
        try:
            response = once(self, request)
        except Exception:  # noqa: BLE001 - that is what is wrong with it
            return once(self, request)
        return once(self, request) if response.status_code >= 500 else response

    monkeypatch.setattr(Patience, "_once", blindly)
    assert broken(10, folder).broken["double writes"] > 0


def test_a_client_that_does_not_wait_for_late_writes_writes_twice_or_says_what_is_not_true(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = page_writer.PageWriter._settle

    def at_once(self: page_writer.PageWriter, error: Any) -> None:
        self._means.settle = 0.0
        settle(self, error)

    monkeypatch.setattr(page_writer.PageWriter, "_settle", at_once)
    verdict = broken(12, folder)
    assert verdict.broken["double writes"] + verdict.broken["wrong outcomes"] > 0


def test_a_client_that_does_not_look_again_loses_edits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(View, "is_recent", lambda _self, _page_id: True)
    monkeypatch.setattr(View, "page", lambda self, page_id: self._seen[page_id][0])
    verdict = broken(18, folder, seeds=25)
    assert verdict.broken["lost updates"] > 0
    assert any("seconds old" in words for words in verdict.found)


def test_a_client_that_overwrites_what_it_sees_loses_edits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "moved", lambda *_: [])
    assert broken(18, folder, seeds=25).broken["lost updates"] > 0


def test_an_edit_that_nobody_could_see_is_counted_apart(folder: Path) -> None:
    def prepare(workshop: Workshop) -> None:
        stage = workshop.stage
        stage.hooks.append(Hook(lambda: stage.sandbox.edit("bio_00", title="Somebody's"), "PATCH"))

    evidence = evidence_of(folder, prepare)
    assert judge_writes(evidence).in_the_gap == 1
    assert judged(evidence) == {}


@pytest.mark.parametrize(("stored", "broken"), [({"a": 1, "b": 3}, {}), ({"a": 5, "b": 3}, {"unmanaged touched": 1})])
def test_of_an_edit_that_nobody_could_see_a_service_that_merges_keeps_what_the_write_does_not_hold(
    folder: Path, stored: dict[str, int], broken: dict[str, int]
) -> None:
    def prepare(workshop: Workshop) -> None:
        stage = workshop.stage
        edited = {"theme": "light", "experiments": {"a": 2, "b": 3}}
        stage.hooks.append(Hook(lambda: stage.sandbox.edit("bio_00", page_data=edited), "PATCH"))

    evidence = evidence_of(folder, prepare)
    last = evidence.history[-1]
    assert last.page is not None
    merged = replace(last, page=last.page | {"page_data": {"theme": "dark", "experiments": stored}})
    doctored = replace(evidence, history=[*evidence.history[:-1], merged], promises=Promises(merges=True))
    assert dict(judge_writes(doctored).broken) == broken


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("description", "Something else"),
        ("is_published", False),
        ("page_data", {"theme": "dark", "experiments": {"a": 2}}),
        ("page_data", {"theme": "dark"}),
    ],
)
def test_a_write_that_changes_what_the_file_leaves_alone_is_seen(folder: Path, member: str, value: object) -> None:
    evidence = evidence_of(folder)
    last = evidence.history[-1]
    assert last.page is not None
    doctored = [*evidence.history[:-1], replace(last, page=last.page | {member: value})]
    assert judged(replace(evidence, history=doctored))["unmanaged touched"] == 1


def test_a_second_write_of_the_same_is_seen(folder: Path) -> None:
    evidence = evidence_of(folder)
    number = len(evidence.requests)
    again = replace(
        evidence,
        requests=[*evidence.requests, evidence.requests[-1]],
        history=[*evidence.history, replace(evidence.history[-1], request=number)],
        seen=evidence.seen | {number: len(evidence.history)},
    )
    assert judged(again)["double writes"] == 1


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ('"outcome": "applied"', '"outcome": "unchanged"'),
        ('"outcome": "applied"', '"outcome": "skipped"'),
        ('"outcome": "applied"', '"outcome": "unknown"'),
        ('"exit_code": 0', '"exit_code": 3'),
        ('"calls": 2', '"calls": 1'),
        ('"page_id": "bio_00"', '"page_id": "bio_01"'),
        ('"request_id"', '"request"'),
        ("{", "["),
    ],
)
def test_a_report_that_says_otherwise_is_seen(folder: Path, said: str, instead: str) -> None:
    evidence = evidence_of(folder)
    assert said in evidence.out
    assert judged(replace(evidence, out=evidence.out.replace(said, instead)))["wrong outcomes"] > 0


@pytest.mark.parametrize("code", [1, 2, 3, 130, None])
def test_an_exit_code_that_says_otherwise_is_seen(folder: Path, code: int | None) -> None:
    assert judged(replace(evidence_of(folder), code=code))["wrong outcomes"] > 0


def test_a_page_that_is_not_as_wanted_is_not_called_applied(folder: Path) -> None:
    evidence = evidence_of(folder)
    last = evidence.history[-1]
    assert last.page is not None
    doctored = [replace(last, page=last.page | {"title": "Old"})]
    assert judged(replace(evidence, history=doctored))["wrong outcomes"] == 1


def test_a_traceback_is_seen(folder: Path) -> None:
    assert judged(replace(evidence_of(folder), err="Traceback (most recent call last):\n"))["wrong outcomes"] == 1


def test_every_disguise_of_the_key_is_seen_and_its_prefix_is_none() -> None:
    for window in disguises(KEY):
        assert judge_key(KEY, {"out": f"so {window} it is"}).broken["leaked keys"] == 1
    assert not judge_key(KEY, {"out": "xqr_pk_fedcba98 and abcdefg"}).found
