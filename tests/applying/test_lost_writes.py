"""A write whose answer is lost is settled by reading back, and is never sent again blindly."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.applying.conftest import Bench, Page

HIDDEN = {"title": "Old", "is_published": False}
PUBLIC = {"title": "Old", "is_published": True}


@dataclass(frozen=True)
class Case:
    """A page, what its file wants, and which of its writes meets the fault."""

    live: Page
    text: str
    writes: tuple[str, ...]
    lost: int

    @property
    def wanted(self) -> tuple[str, bool]:
        title = "New" if "title: New" in self.text else "Old"
        return title, "published: true" in self.text or ("published" not in self.text and self.live["is_published"])


CASES = {
    "just-update": Case(HIDDEN, "title: New", ("PATCH {}",), 0),
    "update-of-a-public-page": Case(PUBLIC, "title: New", ("PATCH {}",), 0),
    "just-publish": Case(HIDDEN, "published: true", ("POST {}/publish",), 0),
    "just-unpublish": Case(PUBLIC, "published: false", ("POST {}/unpublish",), 0),
    "update-then-publish": Case(HIDDEN, "title: New\npublished: true", ("PATCH {}", "POST {}/publish"), 0),
    "publish-after-update": Case(HIDDEN, "title: New\npublished: true", ("PATCH {}", "POST {}/publish"), 1),
    "unpublish-then-update": Case(PUBLIC, "title: New\npublished: false", ("POST {}/unpublish", "PATCH {}"), 0),
    "update-after-unpublish": Case(PUBLIC, "title: New\npublished: false", ("POST {}/unpublish", "PATCH {}"), 1),
}
# What the service makes of the write whose answer is lost: nothing, at once, or so many seconds later.
NOT, AT_ONCE = "not", "at-once"
Carried = str | float
FATES: tuple[Carried, ...] = (NOT, AT_ONCE, 14.0)
JSON = {"Content-Type": "application/json"}

ANSWERS_THAT_ARE_NONE: dict[str, dict[str, Any]] = {
    **{wire: {"wire": wire} for wire in ("reset", "close", "truncate", "truncate-chunk", "silent-truncate")},
    **{wire: {"wire": wire} for wire in ("garbage", "packed")},
    **{str(status): {"status": status} for status in (408, 500, 502, 503, 504, 599)},
    "500-in-words": {"status": 500, "code": "INTERNAL_ERROR"},
    "503-of-a-proxy": {"status": 503, "body": "<html>Bad gateway</html>"},
    "503-come-back-later": {"status": 503, "headers": {"Retry-After": "120"}},
    "204": {"status": 204},
    "html": {"status": 200, "body": "<!doctype html><title>Please log in</title>"},
    "empty": {"status": 200, "body": "", "headers": JSON},
    "null": {"status": 200, "body": "null", "headers": JSON},
    "list": {"status": 200, "body": "[]", "headers": JSON},
    "no-data": {"status": 200, "body": '{"meta": {}}', "headers": JSON},
    "null-data": {"status": 200, "body": '{"data": null}', "headers": JSON},
    "list-of-pages": {"status": 200, "body": '{"data": []}', "headers": JSON},
    "nan": {"status": 200, "body": '{"data": {"id": "@", "title": "New", "page_data": {"n": NaN}}}', "headers": JSON},
    "twice-a-key": {"status": 200, "body": '{"data": {"id": "@"}, "data": {"id": "@"}}', "headers": JSON},
    "no-utf-8": {"status": 200, "body": b'{"data": {"id": "@", "title": "\xed\xa0\x80"}}', "headers": JSON},
    "cut-in-two": {"status": 200, "body": '{"data": {"id": "@", "title": "New', "headers": JSON},
    "another-page": {"status": 200, "body": '{"data": {"id": "bio_x", "title": "New"}}', "headers": JSON},
    "no-id": {"status": 200, "body": '{"data": {"title": "New", "page_data": {}}}', "headers": JSON},
    "not-text": {"status": 200, "body": '{"data": {"id": "@", "title": 7, "page_data": {}}}', "headers": JSON},
    "too-deep": {"status": 200, "body": '{"data": ' + "[" * 50_000, "headers": JSON},
    "digits": {"status": 200, "body": '{"data": {"id": "@", "n": ' + "1" * 5_000 + "}}", "headers": JSON},
    "an-error-of-success": {"status": 200, "body": '{"data": {"id": "@"}, "error": {}}', "headers": JSON},
}
SLOW_WIRES = ("hang", "trickle", "hints", "endless")


def fate(carried: Carried) -> dict[str, Any]:
    if isinstance(carried, float):
        return {"late": carried}
    return {"after": carried == AT_ONCE}


def lay_out(bench: Bench, cases: dict[str, Case], fault: dict[str, Any], carried: Carried) -> None:
    """Serve a page for each case, and let one write of each meet the fault."""
    bench.files({f"bio_{name}": case.text for name, case in cases.items()})
    bench.start([{"id": f"bio_{name}", **case.live} for name, case in cases.items()])
    for name, case in cases.items():
        method, path = case.writes[case.lost].format(f"bio_{name}").split()
        members = dict(fault)
        if isinstance(members.get("body"), str):
            members["body"] = members["body"].replace("@", f"bio_{name}")
        bench.fail(method=method, path=path, **fate(carried), **members)


def as_written(bench: Bench, name: str) -> list[str]:
    return [call for call in bench.writes if f"bio_{name}" in f"{call}/".replace(" ", "/").split("/")]


def check_settled(bench: Bench, done: Any, cases: dict[str, Case], carried: Carried) -> None:
    for name, case in cases.items():
        told = done.pages[f"bio_{name}"]
        assert told.words == ("applied", None), (name, told)
        assert bench.live(f"bio_{name}", "title", "is_published") == case.wanted
        expected = [write.format(f"bio_{name}") for write in case.writes]
        if carried == NOT:
            expected.insert(case.lost, expected[case.lost])
        assert as_written(bench, name) == expected
        assert bench.carried_out(f"bio_{name}") == len(case.writes)
        assert ("read back, the page is as wanted" in told.message) == (carried != NOT)
    assert bench.clock.waits == [15] * len(cases)
    assert done.code == 0


@pytest.mark.parametrize("carried", FATES)
@pytest.mark.parametrize("lost", ANSWERS_THAT_ARE_NONE)
def test_a_lost_answer_is_settled_with_one_write_carried_out_and_two_sent_at_most(
    bench: Bench, lost: str, carried: Carried
) -> None:
    lay_out(bench, CASES, ANSWERS_THAT_ARE_NONE[lost], carried)
    done = bench.apply()
    check_settled(bench, done, CASES, carried)
    whole = lost in {"silent-truncate", "packed"} or ANSWERS_THAT_ARE_NONE[lost].get("status") in {200, 204}
    said = "its answer did not show the whole page; read back" if whole else "its answer was lost; read back"
    assert {said in told.message for told in done.pages.values()} == {carried != NOT}


@pytest.mark.parametrize("carried", [1.0, 5.0, 14.9])
@pytest.mark.parametrize("lost", ["reset", "504", "html"])
def test_a_write_that_is_carried_out_later_than_its_answer_was_lost_is_not_sent_again(
    bench: Bench, lost: str, carried: float
) -> None:
    lay_out(bench, CASES, ANSWERS_THAT_ARE_NONE[lost], carried)
    check_settled(bench, bench.apply(), CASES, carried)


@pytest.mark.parametrize("carried", [NOT, AT_ONCE])
@pytest.mark.parametrize("wire", SLOW_WIRES)
def test_an_answer_that_never_ends_is_lost_when_its_time_is_up(bench: Bench, wire: str, carried: Carried) -> None:
    cases = {"just-update": CASES["just-update"]}
    lay_out(bench, cases, {"wire": wire}, carried)
    check_settled(bench, bench.apply("--timeout", "1.5"), cases, carried)


def test_an_answer_that_comes_after_its_time_is_lost(bench: Bench) -> None:
    cases = {"just-update": CASES["just-update"]}
    lay_out(bench, cases, {"status": None, "delay": 3.0}, AT_ONCE)
    check_settled(bench, bench.apply("--timeout", "1.5"), cases, AT_ONCE)


@pytest.mark.parametrize("lost", ["reset", "503", "html"])
def test_the_answer_is_read_back_after_the_time_to_settle_and_not_before(bench: Bench, lost: str) -> None:
    bench.many(1)
    bench.fail(method="PATCH", after=True, **ANSWERS_THAT_ARE_NONE[lost])
    bench.apply()
    patch, back = bench.sandbox.requests[-2:]
    assert 15 <= back.at - patch.at < 15.1
    assert bench.calls == ["GET bio_000", "PATCH bio_000", "GET bio_000"]


@pytest.mark.parametrize(("settle", "waits"), [("0", []), ("3", [3]), ("60", [60])])
def test_the_time_to_settle_is_the_user_s(bench: Bench, settle: str, waits: list[int]) -> None:
    bench.many(1)
    bench.fail(method="PATCH", wire="reset", after=True)
    done = bench.apply("--settle", settle)
    assert (done.words, bench.clock.waits) == ([("applied", None)], waits)
    assert bench.calls == ["GET bio_000", "PATCH bio_000", "GET bio_000"]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("lost", ["reset", "502", "null"])
def test_without_time_to_settle_a_late_write_is_overtaken_by_the_second_one_and_does_no_harm(
    bench: Bench, lost: str, case: str
) -> None:
    cases = {case: CASES[case]}
    lay_out(bench, cases, ANSWERS_THAT_ARE_NONE[lost], 5.0)
    done = bench.apply("--settle", "0")
    assert done.words == [("applied", None)]
    assert len(as_written(bench, case)) == len(CASES[case].writes) + 1
    bench.clock.now += 5
    assert bench.live(f"bio_{case}", "title", "is_published") == CASES[case].wanted


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("lost", ["close", "500", "empty"])
def test_a_write_that_is_lost_twice_is_unknown_and_named(bench: Bench, lost: str, case: str) -> None:
    cases = {case: CASES[case]}
    lay_out(bench, cases, ANSWERS_THAT_ARE_NONE[lost], NOT)
    again = next(iter(bench.sandbox.faults))
    bench.sandbox.fail(again)
    done = bench.apply()
    told = done.pages[f"bio_{case}"]
    assert (done.code, told.words) == (3, ("unknown", "unreachable"))
    assert "look at the page, or run again: what was written is not written twice" in told.message
    sent = [write.format(f"bio_{case}") for write in CASES[case].writes]
    upto = sent[: CASES[case].lost + 1]
    assert as_written(bench, case) == [*upto, upto[-1]]
    assert bench.clock.waits == [15, 15]
    # A rerun picks up what is left, and nothing else.
    assert bench.apply().words == [("applied", None)]
    assert as_written(bench, case) == sent[CASES[case].lost :]


@pytest.mark.parametrize("carried", [AT_ONCE, 14.0])
def test_a_second_loss_is_read_back_as_the_first_one_was(bench: Bench, carried: Carried) -> None:
    bench.many(1)
    bench.fail(method="PATCH", wire="reset")
    bench.fail(method="PATCH", wire="reset", **fate(carried))
    done = bench.apply()
    assert (done.code, done.words) == (0, [("applied", None)])
    assert bench.calls == ["GET bio_000", *["PATCH bio_000", "GET bio_000"] * 2]
    assert bench.carried_out("bio_000") == 1


def test_each_write_of_a_page_may_be_lost_once_and_sent_again(bench: Bench) -> None:
    bench.many(1, "title: New\npublished: true")
    for method in ("PATCH", "POST"):
        bench.fail(method=method, wire="reset")
    done = bench.apply()
    assert done.words == [("applied", None)]
    assert bench.writes == ["PATCH bio_000"] * 2 + ["POST bio_000/publish"] * 2
    assert bench.carried_out("bio_000") == 2


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_second_try_that_is_refused_is_a_refusal(bench: Bench, status: int) -> None:
    bench.many(1)
    bench.fail(method="PATCH", wire="reset")
    bench.fail(method="PATCH", status=status, code="NO", message="Not like this")
    done = bench.apply()
    # The first one may land after all.
    assert (done.code, done.words) == (3, [("failed", "rejected")])
    said = f"its answer was lost; read back, the page was as before; sent again: the service refused it ({status} NO): "
    assert done.pages["bio_000"].message.startswith(f"{said}Not like this")


@pytest.mark.parametrize("wire", ["reset", "truncate", "garbage", "packed"])
@pytest.mark.parametrize("carried", [NOT, AT_ONCE])
def test_what_can_not_be_read_back_is_unknown_and_says_why(bench: Bench, wire: str, carried: Carried) -> None:
    bench.many(1)
    bench.fail(method="PATCH", wire="reset", **fate(carried))
    bench.fail(method="GET", wire=wire, skip=1, times=None)
    done = bench.apply()
    told = done.pages["bio_000"]
    assert (done.code, told.words) == (3, ("unknown", "unreachable"))
    assert "look at the page" in told.message
    assert "reading it back failed: " in told.message
    assert bench.writes == ["PATCH bio_000"]


def test_reading_back_is_tried_again_as_any_reading_is(bench: Bench) -> None:
    bench.many(1)
    bench.fail(method="PATCH", wire="reset", after=True)
    bench.fail(method="GET", status=503, skip=1, times=3)
    assert bench.apply().words == [("applied", None)]
    assert bench.calls == ["GET bio_000", "PATCH bio_000", *["GET bio_000"] * 4]


def test_a_wrong_page_read_back_is_not_believed(bench: Bench) -> None:
    bench.many(1)
    other = json.dumps({"data": {"id": "bio_x", "title": "New", "page_data": {}, "is_published": False}})
    bench.fail(method="PATCH", wire="reset")
    bench.fail(method="GET", status=200, body=other, headers=JSON, skip=1)
    assert bench.apply().words == [("unknown", "unreachable")]
    assert bench.writes == ["PATCH bio_000"]


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (401, "REVOKED_API_KEY", "auth"),
        (403, "INSUFFICIENT_SCOPE", "auth"),
        (429, "RATE_LIMIT_EXCEEDED", "quota"),
    ],
)
def test_a_refused_key_or_the_month_s_end_at_reading_back_ends_the_run_and_says_so(
    bench: Bench, status: int, code: str, reason: str
) -> None:
    bench.many(3)
    bench.fail(method="PATCH", wire="reset", after=True)
    bench.fail(method="GET", path="bio_000", status=status, code=code)
    done = bench.apply()
    assert (done.code, done.words) == (3, [("unknown", "unreachable"), ("skipped", reason), ("skipped", reason)])
    assert code in done.pages["bio_000"].message
    assert bench.calls == ["GET", "PATCH bio_000", "GET bio_000"]


@pytest.mark.parametrize("carried", [NOT, AT_ONCE])
def test_a_page_that_is_gone_when_it_is_read_back_may_have_been_written(bench: Bench, carried: Carried) -> None:
    bench.many(1)
    bench.fail(method="PATCH", wire="reset", **fate(carried))
    bench.clock.meanwhile.append(lambda: bench.sandbox.remove("bio_000"))
    done = bench.apply()
    assert (done.code, done.words) == (3, [("failed", "gone")])
    assert done.pages["bio_000"].message.startswith("its answer was lost; read back, the page is not in this workspace")
    assert bench.calls == ["GET bio_000", "PATCH bio_000", "GET bio_000"]


def test_a_lost_answer_of_one_page_does_not_keep_the_others_waiting_for_an_outcome(bench: Bench) -> None:
    bench.many(4)
    bench.fail(method="PATCH", path="bio_001", wire="reset", times=2)
    done = bench.apply()
    assert done.words == [("applied", None), ("unknown", "unreachable"), ("applied", None), ("applied", None)]
    assert done.code == 3


def test_a_lost_write_that_the_service_stores_otherwise_is_explained_and_not_sent_again(bench: Bench) -> None:
    bench.files({"bio_000": 'title: " New "'})
    bench.start([{"id": "bio_000", "title": "Old"}], normalise=lambda page: page | {"title": page["title"].strip()})
    bench.fail(method="PATCH", wire="reset", after=True)
    done = bench.apply()
    told = done.pages["bio_000"]
    assert (done.code, told.words) == (3, ("failed", "drifted"))
    assert "its answer was lost" in told.message
    assert "/title is 'New' now" in told.message
    assert "the server stores it otherwise" in told.message
    assert bench.writes == ["PATCH bio_000"]


def test_an_edit_while_a_lost_write_settles_is_not_overwritten(bench: Bench) -> None:
    bench.many(1)
    bench.fail(method="PATCH", wire="reset")
    bench.clock.meanwhile.append(lambda: bench.sandbox.edit("bio_000", title="Theirs"))
    done = bench.apply()
    told = done.pages["bio_000"]
    assert (done.code, told.words) == (3, ("failed", "drifted"))
    assert "/title is 'Theirs' now" in told.message
    assert bench.live("bio_000", "title") == ("Theirs",)
    assert bench.writes == ["PATCH bio_000"]


@pytest.mark.parametrize("carried", [NOT, AT_ONCE])
def test_an_edit_beside_a_lost_write_is_left_alone_and_the_write_is_settled(bench: Bench, carried: Carried) -> None:
    bench.many(1)
    bench.fail(method="PATCH", wire="reset", **fate(carried))
    bench.clock.meanwhile.append(lambda: bench.sandbox.edit("bio_000", description="Theirs"))
    done = bench.apply()
    assert (done.code, done.words) == (0, [("applied", None)])
    assert bench.live("bio_000", "title", "description") == ("New", "Theirs")


@pytest.mark.parametrize("times", [1, 2, 3, 4])
def test_a_lost_answer_after_long_waits_for_a_turn_is_settled_all_the_same(bench: Bench, times: int) -> None:
    bench.many(1)
    bench.fail(method="PATCH", status=429, code="BURST_LIMIT_EXCEEDED", headers={"Retry-After": "20"}, times=times)
    bench.fail(method="PATCH", wire="reset", after=True)
    done = bench.apply()
    assert (done.code, done.words) == (0, [("applied", None)])
    assert bench.carried_out("bio_000") == 1


def test_a_lost_write_whose_second_turn_never_comes_is_unknown(bench: Bench) -> None:
    bench.many(1)
    bench.fail(method="PATCH", wire="reset")
    bench.fail(method="PATCH", status=429, code="BURST_LIMIT_EXCEEDED", headers={"Retry-After": "30"}, times=None)
    done = bench.apply()
    assert (done.code, done.words) == (3, [("unknown", "unreachable")])
    assert bench.carried_out("bio_000") == 0
