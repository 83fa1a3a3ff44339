"""Streams, exit codes and flags: what scripts rely on."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bio_sync.sandbox import Fault, Sandbox
from tests.conftest import Run
from tests.signals import Running

Start = Callable[..., Sandbox]
COMMAND = [sys.executable, "-P", "-m", "bio_sync"]


@pytest.fixture
def one_change(folder: Path, start_sandbox: Start) -> Sandbox:
    (folder / "pages").mkdir()
    for n, title in enumerate(("New", "Same")):
        (folder / "pages" / f"p{n}.yaml").write_text(f"id: bio_{n}\ntitle: {title}\n")
    return start_sandbox([{"id": "bio_0", "title": "Old"}, {"id": "bio_1", "title": "Same"}])


def writes(sandbox: Sandbox) -> int:
    return sum(call.method != "GET" for call in sandbox.requests)


@pytest.mark.parametrize(("flags", "code"), [((), 0), (("--detailed-exitcode",), 2)])
def test_a_plan_with_changes_exits_with_nought_or_by_request_with_two(
    one_change: Sandbox, run: Run, flags: tuple[str, ...], code: int
) -> None:
    assert run("plan", *flags).code == code


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("plan", "--nonsense"),
        ("plan", "--format", "xml"),
        ("plan", "--out", "plan.docx"),
        ("--timeout", "0", "validate"),
        ("apply", "--plan"),
        ("schema", "nothing"),
    ],
)
def test_wrong_usage_exits_with_sixty_four_and_says_nothing_on_standard_output(
    folder: Path, run: Run, arguments: tuple[str, ...]
) -> None:
    result = run(*arguments)
    assert (result.code, result.out) == (64, "")
    assert result.err


def test_the_bare_command_shows_its_help(run: Run) -> None:
    result = run()
    assert result.code == 0
    assert "Usage: bio-sync" in result.out


def test_a_failure_is_an_error_line_and_a_hint_line_on_standard_error(folder: Path, run: Run) -> None:
    result = run("validate")
    assert (result.code, result.out) == (1, "")
    assert [line.split(":")[0] for line in result.err.splitlines()] == ["error", "hint"]


@pytest.mark.parametrize("command", ["validate", "plan", "apply"])
def test_json_is_printed_whatever_the_code(folder: Path, run: Run, command: str) -> None:
    (folder / "pages").mkdir()
    (folder / "pages" / "a.yaml").write_text("titel: x\n")
    more = ("--yes",) if command == "apply" else ()
    result = run(command, "--format", "json", *more)
    document = json.loads(result.out)
    assert result.code == 1
    assert document["format_version"] == "1.0"
    assert [problem["rule"] for problem in document["problems"]] == ["missing-key", "unknown-key"]
    assert document["files"] == 1


@pytest.mark.parametrize("arguments", [("plan",), ("apply", "--yes")])
def test_a_failure_of_the_service_is_json_too_with_its_reason(
    one_change: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("XQR_API_KEY", "xqr_pk_00000000." + "A" * 64)
    result = run(*arguments, "--format", "json")
    document = json.loads(result.out)
    assert (result.code, document["exit_code"], document["error"]["reason"]) == (1, 1, "auth")
    assert document["error"]["request_id"].startswith("req_")
    assert ("outcomes" in document) == (arguments[0] == "apply")


def test_without_a_terminal_apply_wants_yes_and_asks_the_service_nothing(
    one_change: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        result = run("apply")
    assert result.code == 1
    assert "--yes" in result.err
    assert not one_change.requests


def apply_on_a_terminal(answer: bytes) -> subprocess.CompletedProcess[bytes]:
    controller, terminal = pty.openpty()
    os.write(controller, answer)
    try:
        return subprocess.run([*COMMAND, "apply"], stdin=terminal, capture_output=True, timeout=60, check=False)
    finally:
        os.close(controller)
        os.close(terminal)


@pytest.mark.parametrize(("answer", "code", "written"), [(b"y\n", 0, 1), (b"n\n", 1, 0), (b"\n", 1, 0)])
def test_on_a_terminal_apply_shows_the_plan_and_asks(
    one_change: Sandbox, answer: bytes, code: int, written: int
) -> None:
    done = apply_on_a_terminal(answer)
    assert done.returncode == code
    assert b'"Old" \xe2\x86\x92 "New"' in done.stdout
    assert b"[y/N]" in done.stderr
    assert b"[y/N]" not in done.stdout
    assert writes(one_change) == written


def test_nothing_to_do_is_not_asked_about(one_change: Sandbox, run: Run, folder: Path) -> None:
    (folder / "pages" / "p0.yaml").unlink()
    done = apply_on_a_terminal(b"")
    assert done.returncode == 0
    assert b"[y/N]" not in done.stderr


@pytest.mark.parametrize("before", [True, False])
def test_common_options_stand_before_or_after_the_command(one_change: Sandbox, run: Run, before: bool) -> None:
    options = ("--timeout", "5", "--api-url", one_change.url, "--color", "never", "-v")
    result = run(*options, "plan") if before else run("plan", *options)
    assert result.code == 0
    assert one_change.url in result.err


def test_after_the_command_an_option_is_the_stronger(one_change: Sandbox, run: Run) -> None:
    assert run("--api-url", "http://127.0.0.1:1", "plan", "--api-url", one_change.url).code == 0


@pytest.mark.parametrize(
    ("flags", "environment", "coloured"),
    [
        ((), {}, False),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
        (("--color", "auto"), {"FORCE_COLOR": "1"}, True),
    ],
)
def test_the_flag_is_stronger_than_no_color_and_no_color_than_force_color(
    one_change: Sandbox,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    flags: tuple[str, ...],
    environment: dict[str, str],
    coloured: bool,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[" in run("plan", *flags).out) == coloured


def test_colours_change_nothing_but_the_colour(one_change: Sandbox, run: Run) -> None:
    plain, coloured = run("plan").out, run("plan", "--color", "always").out
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in stripped.splitlines()][:-1] == plain.splitlines()[:-1]


def test_out_writes_any_number_of_files_from_one_read(one_change: Sandbox, run: Run, folder: Path) -> None:
    result = run("plan", "--format", "json", "--out", "a.json", "--out", "b.txt", "--out", "c.JSON")
    assert len(one_change.requests) == 1
    assert (folder / "a.json").read_text() == (folder / "c.JSON").read_text() == result.out
    assert "Plan: 1 page to change" in (folder / "b.txt").read_text()


def test_a_file_that_can_not_be_written_is_told(one_change: Sandbox, run: Run) -> None:
    result = run("plan", "--out", "nowhere/plan.json")
    assert result.code == 1
    assert "error: nowhere/plan.json can't be written" in result.err


def test_quiet_silences_talk_and_not_the_result(one_change: Sandbox, run: Run) -> None:
    result = run("plan", "-q", "--out", "plan.json")
    assert result.err == ""
    assert result.out


def test_single_files_do_not_make_the_other_pages_strangers(one_change: Sandbox, run: Run, folder: Path) -> None:
    (folder / "pages" / "p2.yaml").write_text("id: bio_2\n")
    both = run("plan", "pages/p0.yaml", "pages/p2.yaml", "--format", "json")
    assert json.loads(both.out)["unmanaged"] == []
    assert json.loads(run("plan", "pages/p0.yaml", "--format", "json").out)["summary"]["pages"] == 1


def test_a_folder_tells_the_live_pages_without_a_file(one_change: Sandbox, run: Run, folder: Path) -> None:
    one_change.edit("bio_1", title="Same")
    (folder / "pages" / "p2.yaml").write_text("id: bio_0x\n")
    (folder / "pages" / "p1.yaml").unlink()
    told = json.loads(run("plan", "pages", "--format", "json").out)["unmanaged"]
    assert [page["page_id"] for page in told] == ["bio_1"]


def test_a_closed_pipe_ends_the_run_without_a_traceback(one_change: Sandbox) -> None:
    command = [*COMMAND, "schema", "plan"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(60) == 0


@pytest.mark.parametrize("name", ["page", "config", "plan"])
def test_the_schemas_are_printed_as_they_lie_in_the_repository(run: Run, folder: Path, name: str) -> None:
    text = run("schema", name).out
    assert json.loads(text)["$id"].endswith(f"/{name}.schema.json")
    assert run("schema", "--write", "here").code == 0
    assert (folder / "here" / f"{name}.schema.json").read_text() == text


def test_a_bug_keeps_its_traceback_without_the_key(
    one_change: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"Bearer {one_change.key}")

    monkeypatch.setattr("bio_sync.workflow.plan_pages", broken)
    result = run("plan")
    assert result.code == 1
    assert "Traceback" in result.err
    assert "this is a bug in bio-sync" in result.err
    secret = one_change.key.split(".")[1]
    assert not any(secret[start : start + 8] in result.err for start in range(len(secret) - 7))


KEY = "xqr_pk_0a1b2c3d." + "Zq9xW4vKp7LmN2bRt8Ye" * 3 + "Ab3_"


@pytest.mark.parametrize(
    "arguments",
    [
        (KEY,),
        ("plan", KEY),
        ("--config", KEY, "plan"),
        ("plan", "--out", KEY),
        ("apply", "--plan", KEY),
        ("plan", "--format", KEY),
        ("--color", KEY, "plan"),
        ("plan", "--timeout", KEY),
        ("validate", "page.yaml"),
        ("validate", "page.yaml", "--format", "json"),
        ("plan", "page.yaml"),
        ("plan", "--api-url", f"https://{KEY}.example", "page.yaml"),
        ("plan", "--api-key-file", KEY, "page.yaml"),
    ],
)
def test_a_key_in_the_wrong_place_is_not_shown(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("XQR_API_KEY", KEY)
    (folder / "page.yaml").write_text(f"id: {KEY}\n{KEY}: 1\n")
    result = run(*arguments)
    assert result.code in {1, 64}
    secret = KEY.split(".")[1]
    shown = result.out + result.err
    assert not any(secret[start : start + 8] in shown for start in range(len(secret) - 7))


@pytest.mark.parametrize("arguments", [("--bogus",), ("--out", "x.pdf")])
def test_wrong_usage_is_told_as_json_too_when_json_was_asked_for(
    folder: Path, run: Run, arguments: tuple[str, ...]
) -> None:
    result = run("plan", "--format", "json", *arguments)
    assert (result.code, json.loads(result.out)["exit_code"]) == (64, 64)


def test_a_failing_out_leaves_one_json_document(one_change: Sandbox, run: Run) -> None:
    result = run("plan", "--format", "json", "--out", "nowhere/p.json")
    assert json.loads(result.out)["error"]["message"].startswith("nowhere/p.json can't be written")


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", ">&- 2>&- <&-"])
@pytest.mark.parametrize("command", ["validate", "plan", "apply --yes"])
def test_closed_streams_are_no_bug(one_change: Sandbox, command: str, redirection: str) -> None:
    line = f'"$0" -P -m bio_sync {command} {redirection}'
    done = subprocess.run(["sh", "-c", line, sys.executable], capture_output=True, check=False, timeout=60)
    assert b"Traceback" not in done.stderr
    assert done.returncode == 0


def test_a_result_that_can_not_be_written_is_a_failure(one_change: Sandbox) -> None:
    line = '"$0" -P -m bio_sync plan > /dev/full'
    done = subprocess.run(["sh", "-c", line, sys.executable], capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert b"error: the result can't be written" in done.stderr
    assert b"Traceback" not in done.stderr


def test_an_apply_goes_on_when_nobody_reads_its_words_any_more(one_change: Sandbox, folder: Path) -> None:
    (folder / "pages" / "p1.yaml").write_text("id: bio_1\ntitle: New too\n")
    with subprocess.Popen([*COMMAND, "apply", "--yes"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        running.stdout.close()
        assert running.wait(60) == 0
    assert writes(one_change) == 2


def test_timeout_has_to_be_a_number_of_seconds(folder: Path, run: Run) -> None:
    assert run("--timeout", "nan", "validate").code == 64


def test_a_guard_of_the_configuration_is_told_in_the_plan(one_change: Sandbox, run: Run, folder: Path) -> None:
    (folder / "bio-sync.yaml").write_text("safety: {max_changes: 0, reserve: 1}\n")
    result = run("plan")
    assert result.err == ""
    assert "apply needs --force for this: 1 of 2 pages would change, and the limit is 0" in result.out
    assert run("apply", "--yes").code == 1
    assert not writes(one_change)


def test_a_terminated_plan_exits_with_its_code_in_json_too(one_change: Sandbox) -> None:
    one_change.faults.append(Fault(status=None, delay=20, method="GET"))
    with Running(one_change, "plan", "--format", "json") as running:
        done = running.until_sent(1).signal(signal.SIGTERM).end()
    assert done.code == done.document["exit_code"] == 143


def test_a_key_file_may_be_a_pipe(one_change: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XQR_API_KEY")
    line = 'XQR_API_KEY_FILE=<(echo "$1") exec "$0" -P -m bio_sync plan'
    done = subprocess.run(
        ["bash", "-c", line, sys.executable, one_change.key], capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_key_from_closed_standard_input_is_told_and_no_bug(one_change: Sandbox) -> None:
    line = '"$0" -P -m bio_sync plan --api-key-file - <&-'
    done = subprocess.run(["sh", "-c", line, sys.executable], capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: there is no API key: standard input is closed")


def test_the_key_of_the_environment_stays_hidden_when_a_file_names_another(
    one_change: Sandbox, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "key").write_text(one_change.key + "\n")
    monkeypatch.setenv("XQR_API_KEY", KEY)
    one_change.edit("bio_0", title=f"Old {KEY[20:50]}")
    assert KEY[20:50] not in run("plan", "--api-key-file", "key").out


def test_an_empty_path_is_wrong_usage(one_change: Sandbox, run: Run) -> None:
    assert run("apply", "--yes", "").code == 64
    assert run("plan", "--api-url", "").code == 1
    assert not one_change.requests


def test_one_folder_of_two_does_not_make_the_pages_of_the_other_strangers(
    one_change: Sandbox, run: Run, folder: Path
) -> None:
    (folder / "pages" / "sub").mkdir()
    (folder / "pages" / "sub" / "p2.yaml").write_text("id: bio_2\n")
    (folder / "pages" / "sub" / "p3.yaml").write_text("id: bio_3\n")
    assert json.loads(run("plan", "pages/sub", "--format", "json").out)["unmanaged"] == []


def test_a_failure_counts_the_calls_that_it_took(one_change: Sandbox, run: Run) -> None:
    one_change.faults.append(Fault(status=400, code="VALIDATION_ERROR", times=2))
    document = json.loads(run("apply", "--yes", "--format", "json").out)
    assert document["api"] == {"calls": 2, "quota_remaining": 999_998}


def test_whoever_is_asked_sees_the_plan_even_when_quiet(one_change: Sandbox) -> None:
    controller, terminal = pty.openpty()
    os.write(controller, b"y\n")
    command = [*COMMAND, "apply", "--quiet", "--format", "json"]
    done = subprocess.run(command, stdin=terminal, capture_output=True, timeout=60, check=False)
    os.close(controller)
    os.close(terminal)
    assert done.returncode == 0
    assert b'"Old" \xe2\x86\x92 "New"' in done.stderr
    assert json.loads(done.stdout)["summary"]["applied"] == 1


def shows(secret: str, *texts: str) -> bool:
    secret = secret.rpartition(".")[2]
    return any(secret[start : start + 8] in text for start in range(len(secret) - 7) for text in texts)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize(
    "echo",
    [
        lambda key: Fault(status=400, code="VALIDATION_ERROR", message=f"Authorization: Bearer {key}"),
        lambda key: Fault(status=400, code=key),
        lambda key: Fault(status=401, message=key, headers={"X-Request-Id": key, "WWW-Authenticate": f"Bearer {key}"}),
        lambda key: Fault(status=500, body=f"<pre>Authorization: Bearer {key}</pre>"),
        lambda key: Fault(status=200, body=json.dumps({"data": {"id": key}, "meta": {"request_id": f"req {key}"}})),
        lambda key: Fault(status=302, headers={"Location": f"https://{key[-40:]}.example"}),
    ],
    ids=["message", "code", "headers", "body", "data", "redirect"],
)
def test_a_key_that_the_service_repeats_is_shown_nowhere(
    one_change: Sandbox, run: Run, folder: Path, echo: Callable[[str], Fault], method: str, form: str
) -> None:
    # The tries again of a GET meet it too.
    one_change.fail(replace(echo(one_change.key), method=method, times=None))
    result = run("apply", "--yes", "-v", "-v", "--format", form, "--timeout", "5", "--settle", "0")
    assert result.code in {1, 3}
    files = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    assert not shows(one_change.key, result.out, result.err, *files)


def test_a_key_in_a_live_page_is_cut_out_of_every_form_and_file(one_change: Sandbox, run: Run, folder: Path) -> None:
    one_change.edit("bio_0", title=f"Bearer {one_change.key}", description=one_change.key[20:40])
    one_change.edit("bio_1", title=one_change.key[-30:])
    outs = ("p.json", "p.md", "p.html", "p.txt", "gitlab:p.gl")
    texts = [run("plan", "--format", form).out for form in ("text", "json", "markdown", "html", "gitlab")]
    result = run("plan", *(word for out in outs for word in ("--out", out)))
    texts += [result.out, result.err, *((folder / out.rpartition(":")[2]).read_text() for out in outs)]
    applied = run("apply", "--yes", "--format", "json", "--force")
    assert not shows(one_change.key, *texts, applied.out, applied.err)
    assert applied.code == 0


def test_a_bug_in_the_thread_of_a_page_keeps_its_traceback_without_the_key(
    one_change: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"Bearer {one_change.key}")

    monkeypatch.setattr("bio_sync.applying.page.PageWriter.run", broken)
    result = run("apply", "--yes", "--format", "json")
    outcome = next(each for each in json.loads(result.out)["outcomes"] if each["outcome"] != "unchanged")
    # The page may have been written.
    assert (result.code, outcome["outcome"]) == (3, "unknown")
    assert "a bug in bio-sync broke off its writing: look at the page" in outcome["message"]
    assert "Traceback" in result.err
    assert "RuntimeError: Bearer xqr_pk_" in result.err
    assert not shows(one_change.key, result.out, result.err)


@pytest.mark.parametrize("source", ["variable", "file", "standard input"])
@pytest.mark.parametrize(("before", "after"), [("", ""), ("  ", "\n"), ("\t\r\n", " \r\n\n"), ("\u00a0", "\u2003")])
def test_white_space_around_a_key_does_not_matter_wherever_it_comes_from(
    one_change: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch, run: Run, source: str, before: str, after: str
) -> None:
    text = before + one_change.key + after
    (folder / "key").write_bytes(text.encode())
    monkeypatch.setenv("XQR_API_KEY", text if source == "variable" else "")
    monkeypatch.setenv("XQR_API_KEY_FILE", "key" if source == "file" else "")
    flags = ("--api-key-file", "-") if source == "standard input" else ()
    with (folder / "key").open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert run("plan", *flags).code == 0
    assert one_change.requests[0].headers["authorization"] == f"Bearer {one_change.key}"


@pytest.mark.parametrize("name", ["plan", "validate", "doctor", "init", "pull"])
def test_a_folder_that_was_removed_under_the_run_is_told_and_is_no_bug(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    here = tmp_path / "gone"
    here.mkdir()
    monkeypatch.chdir(here)
    here.rmdir()
    result = run(name)
    assert (result.code, result.err.splitlines()[0]) == (1, "error: the folder that this runs in is not there any more")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "bad", ["\n", "\r\n", " ", "\0", "\x1b", "é", "\u200b", '"', "\\", "<", "&", "#", "`", "|", "'"]
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_key_with_a_character_that_no_key_has_is_refused_before_anything_is_asked(
    one_change: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch, run: Run, bad: str, form: str
) -> None:
    key = one_change.key
    (folder / "key").write_bytes(f"{key[:50]}{bad}{key[50:]}\n".encode())
    result = run("apply", "--yes", "-v", "--format", form, "--api-key-file", "key")
    assert result.code == 1
    assert "error: the API key holds a character that no key has" in result.err
    assert form == "text" or json.loads(result.out)["error"]["reason"] == "auth"
    assert not shows(key, result.out, result.err)
    assert not one_change.requests


def test_a_signal_that_python_would_drop_in_a_finalizer_ends_the_run_all_the_same() -> None:
    lines = (
        "import os, signal, sys, time",
        "from bio_sync import cli",
        "class Last:",
        "    def __del__(self): os.kill(os.getpid(), int(sys.argv[1]))",
        "cli.take_signals(cli.Session())",
        "Last()",
        "time.sleep(60)",
    )
    for number, kind in ((signal.SIGTERM, "bio_sync.errors.Terminated"), (signal.SIGINT, "KeyboardInterrupt")):
        command = [sys.executable, "-P", "-c", "\n".join(lines), str(int(number))]
        done = subprocess.run(command, capture_output=True, timeout=30, check=False, text=True)
        assert done.returncode in {1, -signal.SIGINT}
        assert done.stderr.splitlines()[-1].rstrip(": ") == kind
        assert "ignored" not in done.stderr


@pytest.mark.usefixtures("one_change")
def test_whoever_asks_for_more_talk_hears_of_each_page_beside_an_apply_s_json(run: Run) -> None:
    result = run("apply", "--yes", "--force", "--format", "json", "-v")
    assert result.err.splitlines().count("applied    pages/p0.yaml  update") == 1
    assert json.loads(result.out)["summary"]["applied"] == 1
    assert "pages/p0.yaml  update" not in run("apply", "--yes", "--format", "json").err


def test_a_slip_in_the_name_of_a_command_is_guessed(run: Run) -> None:
    assert "Did you mean 'plan'?" in run("plann").err
