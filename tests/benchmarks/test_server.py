"""The service for measuring answers as xQR does, counts what it is asked, and can be believed."""

import dataclasses
import json
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import floor, installs, load, workspaces
from benchmarks.__main__ import main
from benchmarks.contestants import FLOOR, Contestant, bio_sync, the_floor, wrong_apply, wrong_plan
from benchmarks.measure import Measurement, measure
from benchmarks.pace import paced
from benchmarks.rounds import row
from benchmarks.service import Service
from benchmarks.startup import cold_starts
from benchmarks.workspaces import Workspace

PROGRAMS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def server() -> Path:
    if not installs.is_ready(installs.HOME / "server", installs.REQUIREMENTS / "bench.txt"):
        pytest.skip("requirements/bench.txt is not installed; `make test` does that")
    return installs.server_python()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspaces.make(tmp_path_factory.mktemp("benchmark") / "w", pages=205, percent=2)


@pytest.fixture(scope="module")
def service(server: Path, place: Workspace) -> Iterator[Service]:
    with Service(server, place) as running:
        yield running


def ask(service: Service, method: str, path: str, body: object = None) -> tuple[int, Any, dict[str, str]]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{service.address}{path}", data, method=method)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, json.load(answer), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), dict(error.headers)


def test_lists_are_cut_as_asked_and_a_page_that_is_written_stays_written_until_the_reset(
    service: Service, place: Workspace
) -> None:
    service.reset()
    page_id = place.changed[0]
    assert [len(ask(service, "GET", f"/bio/pages{query}")[1]["data"]) for query in ("", "?limit=200&offset=200")] == [
        50,
        5,
    ]
    before = ask(service, "GET", f"/bio/pages/{page_id}")[1]["data"]
    status, answer, _ = ask(service, "PATCH", f"/bio/pages/{page_id}", {"title": "Löwe", "slug": "not-mine"})
    assert (status, answer["data"]["title"], answer["data"]["slug"]) == (200, "Löwe", before["slug"])
    listed = ask(service, "GET", "/bio/pages?limit=200&offset=0")[1]["data"]
    for pages in (listed, service.pages()):
        assert [page["title"] for page in pages if page["id"] == page_id] == ["Löwe"]
    assert [
        ask(service, method, path)[0] for method, path in (("GET", "/bio/pages/no"), ("GET", "/bio/pages?limit=0"))
    ] == [
        404,
        400,
    ]
    asked = service.asked()
    assert (asked.calls["get"], asked.calls["patch"], asked.written, asked.too_many) == (2, 1, (page_id,), 0)
    service.reset()
    assert ask(service, "GET", f"/bio/pages/{page_id}")[1]["data"] == before
    assert service.asked().all_calls == 1


def test_above_its_limit_it_answers_429_and_counts_that_and_carries_nothing_out(server: Path, place: Workspace) -> None:
    with Service(server, place, burst_limit=1, enforce=True) as service:
        told = [ask(service, "PATCH", f"/bio/pages/{place.changed[0]}", {"title": "x"}) for _ in range(2)]
        assert [status for status, _, _ in told] == [200, 429]
        assert told[-1][1]["error"]["code"] == "BURST_LIMIT_EXCEEDED"
        assert (told[0][2]["X-RateLimit-Burst-Limit"], told[-1][2]["Retry-After"]) == ("1", "1")
        asked = service.asked()
        assert (asked.too_many, len(asked.written), asked.all_calls) == (1, 1, 2)


def test_the_floor_makes_the_calls_of_the_work_and_leaves_every_page_as_wanted(
    service: Service, place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("XQR_API_KEY", "any")
    service.reset()
    monkeypatch.setattr("sys.argv", ["floor.py", "apply", service.host, "pages", str(place.patches)])
    floor.main()
    asked = service.asked()
    assert (asked.calls["list"], asked.calls["patch"], asked.written) == (2, 5, place.changed)
    run = measure(["true"], folder=place.folder)
    assert "0 writes for 5 pages" in wrong_apply(run, place, service)
    put_right = {page["id"]: page for page in service.pages()}
    assert all(put_right[workspaces.page_id(n)]["title"] == workspaces.desired(n)["title"] for n in range(205))


def test_nobody_is_right_who_finds_other_pages_fails_or_takes_for_ever(service: Service, place: Workspace) -> None:
    contestant = bio_sync(Path("/nowhere"))

    def verdict(numbers: list[int]) -> str:
        lines = [f"~ Title  pages/page-{number:05d}.yaml" for number in numbers]
        run = measure(["printf", "%s\\n", *lines], folder=place.folder, service=service)
        return wrong_plan(contestant, run, place)

    differing = [number for number in range(205) if workspaces.page_id(number) in place.changed]
    assert verdict(differing) == ""
    assert verdict(list(range(205))) == "wrong: it found 205 of 5 pages"
    assert verdict(differing[1:]) == "wrong: it found 4 of 5 pages"
    assert "code 1" in wrong_plan(contestant, measure(["false"], folder=place.folder), place)
    lines = [f"~ Title  pages/page-{number:05d}.yaml" for number in differing]
    wrote = measure(["printf", "%s\\n", *lines], folder=place.folder, service=service)
    assert wrote.asked is not None
    told = dataclasses.replace(wrote, asked=dataclasses.replace(wrote.asked, written=(place.changed[0],)))
    assert wrong_plan(contestant, told, place) == "wrong: it wrote"
    begun = time.monotonic()
    late = measure(["sh", "-c", "sleep 30 & sleep 30"], folder=place.folder, patience=0.2)
    assert (late.code, wrong_plan(contestant, late, place)) == (124, "given up: it took too long")
    # What it had started is gone too: it would hold the pipes.
    assert time.monotonic() - begun < 15


def test_nobody_is_right_who_writes_each_page_once_but_not_as_its_file_wants_it(
    service: Service, place: Workspace
) -> None:
    service.reset()
    patches = json.loads(place.patches.read_text(encoding="utf-8"))
    for page_id, body in patches[:-1]:
        ask(service, "PATCH", f"/bio/pages/{page_id}", json.loads(body))
    ask(service, "PATCH", f"/bio/pages/{patches[-1][0]}", {"description": "Löwe"})
    run = Measurement(1.0, 1.0, 1, 0, "", "", service.asked())
    number = [workspaces.page_id(each) for each in range(205)].index(patches[-1][0])
    assert wrong_apply(run, place, service) == f"wrong: page {number} is not as its file wants it"
    ask(service, "PATCH", f"/bio/pages/{patches[-1][0]}", workspaces.desired(number))
    assert wrong_apply(run, place, service) == ""


def test_a_command_is_measured_with_all_that_it_starts_and_not_with_what_measures_it(tmp_path: Path) -> None:
    ballast = bytearray(200_000_000)
    line = f"{sys.executable} -c 'sum(range(3_000_000)); bytearray(90_000_000)'; exit 3"
    small = measure(["true"], folder=tmp_path)
    large = measure(["sh", "-c", line], folder=tmp_path)
    assert small.peak < 40_000_000
    assert 90_000_000 < large.peak < len(ballast)
    assert (small.code, large.code) == (0, 3)
    assert large.cpu > 0.02
    assert small.together == large.together == 0
    with pytest.raises(RuntimeError, match="no-such-command could not be started"):
        measure(["no-such-command"], folder=tmp_path)


# Waits until whoever looks at the memory, the process above, has slept after some more looks, however slow it is.
LOOKED_AT = """
import os, time
watch = os.getppid()
def looks():
    with open(f"/proc/{watch}/status") as status:
        return int(status.read().partition("\\nvoluntary_ctxt_switches:")[2].split()[0])
def be_looked_at():
    enough = looks() + 5
    while looks() < enough:
        time.sleep(0.01)
"""
TWO = f"""{LOOKED_AT}
common = bytearray(b"1") * 30_000_000
ready, told = os.pipe()
child = os.fork()
if not child:
    os.setsid()
own = bytearray(b"2") * 20_000_000
if child:
    os.write(told, b"x")
    os.waitpid(child, 0)
else:
    os.read(ready, 1)
    be_looked_at()
"""


def test_memory_is_of_all_processes_at_once_and_what_they_share_counts_once(tmp_path: Path) -> None:
    both = measure([sys.executable, "-S", "-c", TWO], folder=tmp_path, memory=True)
    assert both.code == 0
    # 30 that both have, and 20 each; Python itself is some 10, a part of which other processes may share.
    assert 50_000_000 < both.peak < 70_000_000
    assert 70_000_000 < both.together < 95_000_000


def test_of_one_process_all_together_is_that_process(tmp_path: Path) -> None:
    code = LOOKED_AT + "ballast = bytearray(b'1') * 30_000_000; be_looked_at()"
    alone = measure([sys.executable, "-S", "-c", code], folder=tmp_path, memory=True)
    assert 0.9 * alone.peak < alone.together < 1.1 * alone.peak


def test_the_service_can_be_loaded(service: Service) -> None:
    found = load.loads(service, 0.01)
    assert {each.kind: each.per_second > 0 for each in found} == dict.fromkeys(("list", "get", "patch"), True)


def test_an_answer_is_as_long_as_it_is_however_it_arrives() -> None:
    answer = b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nhello"
    for cut in (10, len(answer) - 7, len(answer) - 2, len(answer)):
        here, there = socket.socketpair()
        with here, there:
            there.sendall(answer[:cut])
            late = threading.Timer(0.01, there.sendall, [answer[cut:]])
            late.start()
            assert load.answer_length(here) == len(answer)
            late.join()


def test_everybody_runs_once_a_round_and_who_is_wrong_or_can_not_runs_no_more(
    service: Service, place: Workspace
) -> None:
    def runs(name: str, **told: Any) -> Contestant:
        # What asks for nothing and says nothing finds nothing to be wrong with.
        return dataclasses.replace(the_floor(PROGRAMS), **{"name": name, "plan": lambda *_: ["true"], **told})

    def prints_nothing(_: str) -> set[str]:
        return set()

    who = [
        runs(FLOOR),
        runs("blind", found=prints_nothing),
        runs("small", most_pages=200),
        runs("plans", apply=None),
        runs("absent", missing="not here"),
    ]
    planned = row("plan", place, service, 2, who, 2)
    assert {name: (len(each.runs), each.wrong) for name, each in planned.entries.items()} == {
        FLOOR: (2, ""),
        "blind": (1, "wrong: it found 0 of 5 pages"),
        "small": (0, "not asked for more than 200 pages"),
        "plans": (2, ""),
        "absent": (0, "not here"),
    }
    applied = row("apply", place, service, 2, [who[0], who[3]], 1)
    assert {name: (each.wrong, each.runs and each.calls) for name, each in applied.entries.items()} == {
        FLOOR: ("", applied.least_calls),
        "plans": ("only plans", []),
    }
    assert applied.entries[FLOOR].together > 0


def test_writes_are_timed_from_the_first_to_the_last_and_refusals_counted(server: Path) -> None:
    # One list and six writes: seven calls empty the bucket, and the pages can be looked at all the same.
    kept, refused = (paced(the_floor(PROGRAMS), server, [(6, rate)])[0] for rate in (7, 2))
    assert kept.asked is not None
    assert (kept.entry.wrong, kept.asked.too_many, len(kept.asked.written)) == ("", 0, 6)
    assert 0 < kept.writing < kept.whole
    assert refused.asked is not None
    assert refused.asked.too_many > 0
    assert refused.entry.wrong.endswith("writes for 6 pages")


def test_cold_starts_are_of_commands_that_end_well() -> None:
    # Not timed, only looked at.
    starts = cold_starts(PROGRAMS, 0)
    assert {name: (len(each.runs), each.wrong) for name, each in starts.items()} == dict.fromkeys(starts, (0, ""))
    assert starts["python -c pass"].together < starts["bio-sync validate, one file"].together


def test_a_peer_that_nobody_knows_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--peers", "Ansible,Puppet"])
    assert "no such peer: Puppet. There are: curl + jq + yq," in capsys.readouterr().err
