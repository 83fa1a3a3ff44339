"""Nowhere to write to: the older file stays whole, nothing half is left, and the run says so."""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bio_sync.sandbox import Fault, Sandbox
from tests.conftest import Run
from tests.signals import APPLY, COMMAND, Running, is_new, live_pages, sent, write_pages

Start = Callable[..., Sandbox]
PLAN = ("plan", "--format", "json")
FORMS = ("plan.json", "plan.md", "plan.html", "plan.txt", "gitlab:plan.gitlab")
# Less than any form of the plan below takes, in units of 512 or 1,024 bytes, as the shell has it.
SMALL = ("sh", "-c", 'ulimit -f 1; exec "$0" "$@"')


@pytest.fixture
def three(folder: Path, start_sandbox: Start) -> Sandbox:
    write_pages(folder, 3)
    return start_sandbox(live_pages(3))


def parts(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith(".part")]


@pytest.mark.parametrize("out", ["plan.json", "plan.md", "plan.html"])
def test_a_file_that_outgrows_the_disk_leaves_the_older_one_whole(
    three: Sandbox, folder: Path, run: Run, out: str
) -> None:
    assert run(*PLAN, "--out", out).code == 0
    older = (folder / out).read_bytes()
    assert len(older) > 1024
    three.edit("bio_0", title="Moved")
    with Running(three, *PLAN, "--out", out, "--out", "small.txt", before=SMALL) as running:
        done = running.end()
    assert done.code == 1
    assert f"error: {out} can't be written: File too large\nhint: check the folder and the disk\n" in done.err
    assert json.loads(done.out)["summary"]["pages"] == 3
    assert (folder / out).read_bytes() == older
    assert parts(folder) == []


def test_a_file_that_outgrows_the_disk_is_not_there_at_all_when_it_is_new(three: Sandbox, folder: Path) -> None:
    with Running(three, *PLAN, "--out", "plan.json", before=SMALL) as running:
        assert running.end().code == 1
    assert not (folder / "plan.json").exists()
    assert parts(folder) == []


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_result_that_outgrows_the_disk_is_a_failure(
    three: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch, unbuffered: str
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with (folder / "result").open("w") as result, Running(three, *PLAN, before=SMALL, stdout=result) as running:
        done = running.end()
    assert done.code == 1
    assert "error: the result can't be written: File too large" in done.err
    assert 0 < (folder / "result").stat().st_size <= 1024


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("out", FORMS)
def test_what_fails_at_the_last_moment_leaves_no_trace(
    three: Sandbox, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch, failure: BaseException, out: str
) -> None:
    name = out.rpartition(":")[2]
    (folder / name).write_text("older")

    def full(_: int) -> None:
        raise failure

    monkeypatch.setattr(os, "fsync", full)
    assert run("plan", "--out", out).code == (130 if isinstance(failure, KeyboardInterrupt) else 1)
    assert (folder / name).read_text() == "older"
    assert parts(folder) == []


def test_what_a_killed_run_of_the_same_number_left_is_in_nobody_s_way(three: Sandbox, folder: Path, run: Run) -> None:
    (folder / f".plan.json.{os.getpid()}.part").write_text("half")
    assert run("plan", "--out", "plan.json").code == 0
    assert json.loads((folder / "plan.json").read_text())["summary"]["pages"] == 3
    assert parts(folder) == []


@pytest.mark.parametrize("name", ["full.json", "full.md", "full.html", "full.txt"])
def test_out_on_a_full_device_is_told_and_the_others_are_written(three: Sandbox, folder: Path, name: str) -> None:
    (folder / name).symlink_to("/dev/full")
    with Running(three, *PLAN, "--out", name, "--out", "plan.json", "--out", "gitlab:/dev/full") as running:
        done = running.end()
    assert done.code == 1
    for path in (name, "/dev/full"):
        assert f"error: {path} can't be written: No space left on device" in done.err
    assert done.out == (folder / "plan.json").read_text()
    assert Path("/dev/full").is_char_device()
    assert (folder / name).is_symlink()


@pytest.mark.parametrize("command", [("--help",), ("plan", "-h"), ("--version",), ()])
def test_help_on_a_full_device_is_told_in_a_line(three: Sandbox, command: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full, Running(three, *command, stdout=full) as running:
        done = running.end()
    assert (done.code, done.err) == (1, "error: the result can't be written: No space left on device\n")


@pytest.mark.parametrize(("command", "code"), [(PLAN, 1), (("plan",), 1), (APPLY, 3), (("apply", "--yes"), 3)])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_result_on_a_full_device_is_a_failure_and_no_page_is_left_half(
    three: Sandbox, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], code: int, unbuffered: str
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with Path("/dev/full").open("w") as full, Running(three, *command, stdout=full) as running:
        done = running.end()
    # Not 1 for what has written: it says that nothing was.
    assert done.code == code
    assert "error: the result can't be written: No space left on device\n" in done.err
    assert [is_new(page) for page in three.pages] == [command[0] == "apply"] * 3


def test_a_full_device_does_not_hide_a_worse_end(three: Sandbox) -> None:
    three.fail(Fault(status=400, code="VALIDATION_ERROR", method="PATCH", times=None))
    with Path("/dev/full").open("w") as full, Running(three, *APPLY, stdout=full) as running:
        assert running.end().code == 1
    three.faults.clear()
    three.fail(Fault(status=400, code="VALIDATION_ERROR", method="PATCH"))
    with Path("/dev/full").open("w") as full, Running(three, *APPLY, stdout=full) as running:
        assert running.end().code == 3


@pytest.mark.parametrize("command", [("plan",), APPLY, ("apply", "--yes"), ("validate",)])
def test_a_pipe_that_nobody_reads_ends_no_run(three: Sandbox, command: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with Running(three, *command, stdout=writer) as running:
        os.close(writer)
        done = running.end()
    assert (done.code, len(sent(three))) == (0, 3 if command[0] == "apply" else 0)


def test_standard_error_that_is_full_ends_no_run_either(three: Sandbox) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, *APPLY, "-v"], stdout=subprocess.PIPE, stderr=full, timeout=60, check=False, text=True
        )
    assert (done.returncode, json.loads(done.stdout)["summary"]["applied"]) == (0, 3)


def without_powers() -> tuple[str, ...]:
    """Give what takes from root the power to write where nobody may; others do not have it."""
    if os.geteuid():
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("root may write everywhere, and setpriv is not here")
    return ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_that_may_not_be_written_to_is_told_and_left_as_it_is(
    three: Sandbox, folder: Path, there: bool
) -> None:
    closed = folder / "closed"
    closed.mkdir()
    if there:
        (closed / "plan.json").write_text("older")
    closed.chmod(0o500)
    with Running(three, *PLAN, "--out", "closed/plan.json", "--out", "p.md", before=without_powers()) as running:
        done = running.end()
    closed.chmod(0o700)
    assert done.code == 1
    assert "error: closed/plan.json can't be written: Permission denied\nhint: check the folder" in done.err
    assert [path.read_text() for path in closed.iterdir()] == (["older"] if there else [])
    assert (folder / "p.md").exists()


def test_a_schema_that_can_not_be_written_is_told(folder: Path, sandbox: Sandbox) -> None:
    (folder / "page.schema.json").write_text("older")
    with Running(sandbox, "schema", "page", "--write", ".", before=SMALL) as running:
        done = running.end()
    assert done.code == 1
    assert "error: page.schema.json can't be written: File too large" in done.err
    assert (folder / "page.schema.json").read_text() == "older"
    assert parts(folder) == []


def test_the_standard_streams_take_every_text_whole(folder: Path, sandbox: Sandbox) -> None:
    script = (
        "import sys; from bio_sync.terminal import use_utf8; use_utf8();"
        "print('\\xe9\\udcff'); print(sys.stdout.encoding)"
    )
    for flags in ([], ["-u"]):
        done = subprocess.run(
            [sys.executable, "-P", *flags, "-c", script],
            capture_output=True,
            timeout=60,
            check=False,
            env=os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"},
        )
        assert (done.stdout, done.stderr) == ("é\\udcff\nutf-8\n".encode(), b"")
