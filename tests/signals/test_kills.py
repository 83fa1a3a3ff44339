"""A run that is killed: each page is entirely old or entirely new, and the next run does what is left, once."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from bio_sync.sandbox import Fault, Sandbox
from tests.conftest import Run
from tests.signals import APPLY, Running, holds_no_key, is_new, live_pages, patched, sent, write_pages

Start = Callable[..., Sandbox]
# What an apply of three pages asks, the second of which is published too.
CALLS = ("GET", "PATCH bio_0", "PATCH bio_1", "POST bio_1/publish", "PATCH bio_2")


@pytest.fixture
def three(folder: Path, start_sandbox: Start) -> Sandbox:
    write_pages(folder, 3, published=[1])
    return start_sandbox(live_pages(3))


@pytest.mark.parametrize("after", [False, True], ids=["before it is carried out", "after it was carried out"])
@pytest.mark.parametrize("index", range(len(CALLS)), ids=CALLS)
def test_a_kill_at_any_request(three: Sandbox, run: Run, index: int, after: bool) -> None:
    three.fail(Fault(wire="hang", skip=index, after=after))
    carried_out = max(0, index - 1) + (after and index > 0)
    with Running(three, *APPLY) as running:
        running.until_sent(index + 1).until(lambda: len(three.history) == carried_out, "what is carried out")
        running.signal(signal.SIGKILL)
        done = running.end()
    assert (done.code, done.out) == (-signal.SIGKILL, "")
    new = [CALLS[1 + n].split()[1] for n in range(carried_out)]
    assert [is_new(page) for page in three.pages] == [page["id"] in new for page in three.pages]
    assert three.page("bio_1")["is_published"] == ("bio_1/publish" in new)
    three.faults.clear()
    again = run(*APPLY)
    assert again.code == 0
    assert all(map(is_new, three.pages))
    assert [page["is_published"] for page in three.pages] == [False, True, False]
    assert max(patched(three).values()) <= 2
    # What was carried out is not asked for again; what was on its way and got lost is, once.
    writes = CALLS[1:]
    assert sent(three) == [*writes[:index], *writes[carried_out:]]
    assert run(*APPLY).code == 0
    assert len(three.history) == len(writes)


def test_a_killed_run_leaves_a_saved_plan_that_knows_what_moved(three: Sandbox, run: Run) -> None:
    assert run("plan", "--out", "plan.json").code == 0
    three.fail(Fault(wire="hang", skip=2))
    with Running(three, "apply", "--plan", "plan.json", "--force") as running:
        running.until_sent(4).signal(signal.SIGKILL).end()
    three.faults.clear()
    refused = run("apply", "--plan", "plan.json", "--force")
    assert refused.code == 1
    assert "pages/p0.yaml (bio_0) has nothing left to change" in refused.err
    assert run(*APPLY).code == 0
    assert all(map(is_new, three.pages))
    assert patched(three) == {"bio_0": 1, "bio_1": 2, "bio_2": 1}


def test_two_runs_at_once_end_where_one_would(three: Sandbox, run: Run) -> None:
    three.fail(Fault(status=None, delay=0.3, method="PATCH", times=4))
    with Running(three, *APPLY) as one, Running(three, *APPLY) as other:
        ended = [one.end(), other.end()]
    assert {each.code for each in ended} <= {0, 3}
    assert run(*APPLY).code == 0
    assert all(map(is_new, three.pages))
    assert max(patched(three).values()) <= 2
    holds_no_key(three.key, *(each.out + each.err for each in ended))
