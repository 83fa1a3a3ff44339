"""Starting, stopping, the database file, and seeds read from files."""

from __future__ import annotations

import ast
import json
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

import bio_sync.sandbox
from bio_sync.sandbox import Behaviour, Fault, Sandbox, load_faults, load_seed

Serve = Callable[..., Sandbox]
Ask = Callable[..., httpx.Response]


def test_it_serves_on_loopback_only_and_is_gone_after_stop(http: httpx.Client) -> None:
    threads = threading.active_count()
    with Sandbox() as sandbox:
        assert sandbox.url == f"{sandbox.address}/api/v1"
        assert sandbox.address.startswith("http://127.0.0.1:")
        assert http.get(sandbox.address).status_code == 200
    assert threading.active_count() == threads
    with pytest.raises(httpx.ConnectError):
        http.get(sandbox.address)
    sandbox.stop()


def test_another_interface_is_not_served(serve: Serve) -> None:
    port = int(serve().address.rpartition(":")[2])
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.2", port))


def test_a_taken_port_is_told_plainly(serve: Serve) -> None:
    port = int(serve().address.rpartition(":")[2])
    with pytest.raises(OSError, match=rf"^can not listen on 127.0.0.1:{port}: another program uses this port$"):
        Sandbox(port=port).start()


@pytest.mark.parametrize("port", [-1, 65536])
def test_an_impossible_port_is_told_plainly(port: int) -> None:
    with pytest.raises(ValueError, match="is not a port"):
        Sandbox(port=port).start()


def test_it_can_start_again_on_the_same_port(http: httpx.Client, tmp_path: Path) -> None:
    sandbox = Sandbox([{"title": "Acme"}], database=tmp_path / "xqr.db")
    sandbox.start()
    port = int(sandbox.address.rpartition(":")[2])
    http.get(sandbox.address)
    sandbox.stop()
    with Sandbox(database=tmp_path / "xqr.db", port=port) as again:
        assert again.address == sandbox.address
        assert http.get(again.address).status_code == 200
    with sandbox:
        assert sandbox.pages[0]["title"] == "Acme"


def test_it_can_not_start_twice_and_tells_when_it_does_not_run(serve: Serve) -> None:
    sandbox = serve()
    with pytest.raises(RuntimeError, match="runs already"):
        sandbox.start()
    sandbox.stop()
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.pages


def test_starting_and_stopping_are_quick() -> None:
    fastest = 1.0
    for _ in range(10):
        begin = time.perf_counter()
        Sandbox().start().stop()
        fastest = min(fastest, time.perf_counter() - begin)
    # uvicorn's own end alone sleeps 100 ms and more, however idle the machine is.
    assert fastest < 0.1


def test_an_answer_does_not_wait_for_a_delayed_acknowledgement(serve: Serve, ask: Ask) -> None:
    sandbox = serve([{"title": "Acme"}], behaviour=Behaviour(burst_limit=1000))
    fastest = 1.0
    for _ in range(30):
        begin = time.perf_counter()
        ask(sandbox, "GET", "/bio/pages")
        fastest = min(fastest, time.perf_counter() - begin)
    # With Nagle's algorithm each takes 40 ms and more, however idle the machine is.
    assert fastest < 0.039


def test_a_database_file_keeps_pages_key_and_usage(ask: Ask, tmp_path: Path) -> None:
    database = tmp_path / "xqr.db"
    with Sandbox([{"title": "Acme"}], database=database) as sandbox:
        key = sandbox.key
        reader = sandbox.add_key(["bio:read"])
        page = ask(sandbox, "POST", "/bio/pages", json={"title": "New"}).json()["data"]
    with Sandbox([{"title": "Not seeded again"}], database=str(database)) as again:
        assert again.key == key
        assert [page["title"] for page in again.pages] == ["Acme", "New"]
        assert again.page(page["id"])["created_at"] == page["created_at"]
        assert ask(again, "GET", "/workspace/usage").json()["data"]["usage"]["api_calls_this_month"] == 2
        assert ask(again, "GET", "/bio/pages", key=reader).status_code == 200
    assert [path.name for path in tmp_path.iterdir()] == ["xqr.db"]


def test_an_emptied_database_is_not_seeded_again(tmp_path: Path) -> None:
    seed = [{"id": "bio_acme"}]
    with Sandbox(seed, database=tmp_path / "xqr.db") as sandbox:
        sandbox.remove("bio_acme")
    with Sandbox(seed, database=tmp_path / "xqr.db") as again:
        assert again.pages == []


def test_a_malformed_seed_leaves_no_half_made_database(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="title"):
        Sandbox([{"title": "Good"}, {"title": 5}], database=tmp_path / "xqr.db").start()
    with Sandbox([{"title": "Mended"}], database=tmp_path / "xqr.db") as sandbox:
        assert [page["title"] for page in sandbox.pages] == ["Mended"]


def test_without_a_file_nothing_is_kept() -> None:
    with Sandbox() as first, Sandbox() as second:
        assert first.key != second.key


@pytest.mark.parametrize("kind", ["text", "another program's"])
def test_a_file_that_is_no_sandbox_database_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "other.db"
    if kind == "text":
        path.write_text("hello, this is a text and no database at all")
    else:
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE pages (x)")
        connection.close()
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"other\.db: this is not a sandbox database"):
        Sandbox(database=path).start()
    assert path.read_bytes() == before


def test_a_database_in_a_missing_folder_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"nowhere"):
        Sandbox(database=tmp_path / "nowhere" / "xqr.db").start()


def test_a_seed_folder_is_read_by_file_name(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text('{"title": "B"}')
    (tmp_path / "a.json").write_text('[{"title": "A1"}, {"title": "A2"}]')
    (tmp_path / "notes.txt").write_text("not a seed")
    assert [page["title"] for page in load_seed(tmp_path)] == ["A1", "A2", "B"]


@pytest.mark.parametrize(
    "content", [b"{", b"5", b'["x"]', b"\xff", b"[" * 100_000, b'{"view_count": NaN}', b'{"a":1,"a":2}']
)
def test_a_broken_seed_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.json"):
        load_seed(tmp_path)


def test_a_missing_seed_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="nowhere"):
        load_seed(tmp_path / "nowhere")


def test_faults_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_text(json.dumps([{"status": 500, "path": "publish"}, {"wire": "close", "delay": 1}]))
    assert load_faults(path).faults == [Fault(500, path="publish"), Fault(wire="close", delay=1)]


@pytest.mark.parametrize("fault", ['{"stauts": 500}', '{"status": "500"}', '{"status": true}', "5", "{"])
def test_a_broken_fault_file_is_named(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "faults.json"
    path.write_text(fault)
    with pytest.raises(ValueError, match=r"faults\.json"):
        load_faults(path)


def test_it_shares_nothing_with_the_client() -> None:
    allowed = {"bio_sync.sandbox", "starlette", "uvicorn"} | set(sys.stdlib_module_names)
    for path in Path(bio_sync.sandbox.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert any(name == good or name.startswith(f"{good}.") for good in allowed), (path.name, name)
