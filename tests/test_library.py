"""`import bio_sync`: what the functions give, refuse and leave alone, over real HTTP."""

import dataclasses
import doctest
import importlib
import inspect
import json
import logging
import os
import pickle
import pkgutil
import re
import shutil
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

import bio_sync
from bio_sync.applying.page import PageWriter
from bio_sync.interruption import Interruption
from bio_sync.sandbox import Behaviour, Fault, Sandbox, load_seed
from tests.conftest import HELD, ROOT, Run
from tests.signals import wait_for

Start = Callable[..., Sandbox]
DOCUMENT = ROOT / "docs" / "reference" / "python.md"


@pytest.fixture
def example(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The example repository with its live workspace behind it."""
    for name in ("pages", "drafts"):
        shutil.copytree(ROOT / "examples" / name, folder / name)
    shutil.copy(ROOT / "examples" / "bio-sync.yaml", folder)
    pages = load_seed(ROOT / "examples" / "live")
    with Sandbox(pages=pages, behaviour=Behaviour(burst_limit=10_000)) as running:
        monkeypatch.setenv("XQR_API_URL", running.url)
        monkeypatch.setenv("XQR_API_KEY", running.key)
        yield running


def live(number: int) -> dict[str, object]:
    return {"id": f"bio_{number}", "title": "Old", "page_data": {"links": []}}


def write(folder: Path, number: int, *lines: str) -> None:
    (folder / "pages").mkdir(exist_ok=True)
    text = "\n".join((f"id: bio_{number}", "title: New", *lines, ""))
    (folder / "pages" / f"{number}.yaml").write_text(text, encoding="utf-8")


def writes(sandbox: Sandbox) -> list[str]:
    return [f"{call.method} {call.path}" for call in sandbox.requests if call.method != "GET"]


def shown(error: BaseException) -> str:
    """What a traceback, and a look at the members of every error in it, would show."""
    text, errors = "".join(traceback.format_exception(error)), [error]
    for each in errors:
        text += str(getattr(each, "__dict__", "")) + str(each.args)
        errors += [other for other in (each.__cause__, each.__context__) if other and other not in errors]
    return text


def test_every_name_of_the_interface_is_there_has_words_of_its_own_and_nothing_else_is_shown() -> None:
    assert sorted(bio_sync.__all__) == dir(bio_sync)
    assert len(set(bio_sync.__all__)) == len(bio_sync.__all__)
    for name in bio_sync.__all__:
        found = getattr(bio_sync, name)
        assert found is not None
        # A dataclass without a docstring is given its signature.
        assert name == "__version__" or not (inspect.getdoc(found) or f"{name}(").startswith(f"{name}("), name
    with pytest.raises(AttributeError, match="'bio_sync' has no attribute 'lode'"):
        bio_sync.lode  # type: ignore[attr-defined] # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'lode'"):
        exec("from bio_sync import lode", {})  # noqa: S102 - what somebody may type


def test_no_module_takes_the_place_of_a_name_of_the_interface() -> None:
    modules = {each.name for each in pkgutil.iter_modules(bio_sync.__path__)}
    assert modules & set(bio_sync.__all__) == set()


def test_what_a_signature_names_is_in_the_interface_too() -> None:
    from_outside = {
        "Callable",
        "Iterator",
        "Literal",
        "None",
        "PathLike",
        "bool",
        "datetime",
        "float",
        "int",
        "str",
        "os",
    }
    named: set[str] = set()
    for name in ("load", "plan", "apply", "format_plan", "read_plan"):
        signature = inspect.signature(getattr(bio_sync, name))
        for annotation in (*(each.annotation for each in signature.parameters.values()), signature.return_annotation):
            shown = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
            shown = re.sub(r"'[^']*'", "", shown)
            named.update(re.findall(r"(?:\w+\.)*(\w+)", shown))
    assert named - from_outside <= set(bio_sync.__all__)


def test_nothing_of_it_is_loaded_by_the_import_alone() -> None:
    code = (
        "import bio_sync, sys; assert bio_sync.__version__;"
        "print(sorted(name for name in sys.modules if name.startswith('bio_sync')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['bio_sync', 'bio_sync.version']\n"


def test_a_type_checker_knows_every_name_as_what_it_is(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import bio_sync\n"
        f"from bio_sync import {', '.join(bio_sync.__all__)}\n"
        "pages: bio_sync.Pages = bio_sync.load('pages')\n"
        "plan_: bio_sync.Plan = bio_sync.plan(pages, base='HEAD')\n"
        "reveal_type(bio_sync.apply(pages, plan_).outcomes[0].reason)\n"
        "bio_sync.apply(pages)\n"
        "bio_sync.format_plan(plan_, 'yaml')\n",
        encoding="utf-8",
    )
    # With the settings and the cache of `make types`.
    mypy = [sys.executable, "-m", "mypy", str(program)]
    done = subprocess.run(mypy, cwd=ROOT, capture_output=True, text=True, check=False)
    told = [line.partition(": ")[2] for line in done.stdout.splitlines() if f"{program.name}:" in line]
    assert told == [
        'note: Revealed type is "str | None"',
        'error: Missing positional argument "consent" in call to "apply"  [call-arg]',
        'error: Argument 2 to "format_plan" has incompatible type "Literal[\'yaml\']"; expected'
        " \"Literal['text', 'json', 'markdown', 'html', 'gitlab']\"  [arg-type]",
    ], done


def test_the_document_shows_what_really_happens(example: Sandbox) -> None:
    blocks = re.findall(r"^```pycon\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 5
    parsed = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "python.md", str(DOCUMENT), 0)
    told: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(parsed, out=told.append)
    assert told == [], "".join(told)
    # The list; a page, the same again and its write; a plan of no change; the bakery, read and written; the list.
    assert [call.method for call in example.calls] == ["GET", "GET", "GET", "PATCH", "GET", "GET", "PATCH", "GET"]


def test_a_plan_costs_one_call_and_an_apply_the_same_and_one_a_write(folder: Path, start_sandbox: Start) -> None:
    for number in range(3):
        write(folder, number)
    sandbox = start_sandbox([live(number) for number in range(3)])
    pages = bio_sync.load()
    agreed = bio_sync.plan(pages)
    assert len(sandbox.calls) == 1 == agreed.circumstances.calls
    told: list[str] = []
    report = bio_sync.apply(pages, agreed, tell=lambda outcome: told.append(outcome.file))
    assert [call.method for call in sandbox.calls] == ["GET", "GET", "PATCH", "PATCH", "PATCH"]
    assert (report.exit_code, report.summary["applied"], sorted(told)) == (
        0,
        3,
        ["pages/0.yaml", "pages/1.yaml", "pages/2.yaml"],
    )


def test_it_plans_and_writes_what_the_command_does(example: Sandbox, run: Run) -> None:
    by_command = json.loads(run("plan", "--format", "json").out)
    made = bio_sync.plan(bio_sync.load())
    by_library = json.loads(bio_sync.format_plan(made, "json"))
    assert by_library.pop("created_at")
    del by_command["created_at"]
    by_library["api"]["quota_remaining"] += 1
    assert by_library == by_command
    texts = [bio_sync.format_plan(made), run("plan").out]
    assert len({re.sub(r"[\d,]+ left this month", "", text) for text in texts}) == 1
    assert [call.method for call in example.calls] == ["GET", "GET", "GET"]


def test_a_plan_that_would_write_something_else_by_now_is_refused_and_nothing_is_written(
    folder: Path, start_sandbox: Start
) -> None:
    write(folder, 1)
    sandbox = start_sandbox([live(1)])
    pages = bio_sync.load("pages")
    agreed = bio_sync.plan(pages)
    sandbox.edit("bio_1", title="Somebody's")
    with pytest.raises(bio_sync.StalePlan, match=r"pages/1\.yaml \(bio_1\) was changed live at /title"):
        bio_sync.apply(pages, agreed)
    assert writes(sandbox) == []


def test_a_function_is_the_consent_and_sees_the_plan_that_is_written(folder: Path, start_sandbox: Start) -> None:
    write(folder, 1)
    sandbox = start_sandbox([live(1)])
    pages = bio_sync.load()
    seen: list[bio_sync.Plan] = []

    def no(plan: bio_sync.Plan) -> bool:
        seen.append(plan)
        return False

    with pytest.raises(bio_sync.NoConsent, match="not agreed to"):
        bio_sync.apply(pages, no)
    assert (writes(sandbox), seen[0].changes[0].patch) == ([], {"title": "New"})
    assert bio_sync.apply(pages, lambda _: True).exit_code == 0
    # Nobody is asked about nothing.
    assert bio_sync.apply(pages, no).summary["unchanged"] == 1
    assert (len(seen), len(sandbox.calls)) == (1, 4)


def test_a_plan_made_offline_or_for_another_moment_is_no_consent(folder: Path, start_sandbox: Start, run: Run) -> None:
    shutil.rmtree(folder / ".git")
    write(folder, 1)
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "a"]):
        subprocess.run(["git", *words], check=True)
    sandbox = start_sandbox([live(1)])
    assert run("plan", "--base", "HEAD", "--offline", "--out", "plan.json").code == 0
    with pytest.raises(bio_sync.StalePlan, match="made offline"):
        bio_sync.apply(bio_sync.load(), bio_sync.read_plan(Path("plan.json")))
    later = bio_sync.load(at=datetime.now(UTC) + timedelta(days=1))
    assert bio_sync.plan(later).circumstances.at == later.at.isoformat()
    with pytest.raises(bio_sync.NoConsent, match="another moment"):
        bio_sync.apply(later, lambda _: True)
    with pytest.raises(ValueError, match="no offset"):
        bio_sync.load(at=datetime(2026, 12, 24))  # noqa: DTZ001 - the mistake that is told
    made = bio_sync.plan(bio_sync.load(), base="HEAD")
    (operation,) = made.changes[0].operations
    assert (operation.origin, writes(sandbox)) == ("drift", [])
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    assert made.circumstances.commit == head
    with pytest.raises(bio_sync.NoConsent):
        bio_sync.apply(bio_sync.load(), lambda plan: plan.circumstances.commit != head)


def test_the_guards_of_the_command_hold_and_force_is_the_word_for_them(folder: Path, start_sandbox: Start) -> None:
    write(folder, 1)
    write(folder, 2)
    (folder / "bio-sync.yaml").write_text("safety: {max_changes: 1}\n", encoding="utf-8")
    sandbox = start_sandbox([live(1), live(2)])
    pages = bio_sync.load()
    agreed = bio_sync.plan(pages)
    assert any("--force" in warning for warning in agreed.warnings)
    with pytest.raises(bio_sync.Unsafe, match="2 of 2 pages would change, and the limit is 1"):
        bio_sync.apply(pages, agreed)
    with pytest.raises(bio_sync.QuotaTooSmall):
        bio_sync.apply(pages, agreed, force=True, reserve=10**9)
    assert writes(sandbox) == []
    assert bio_sync.apply(bio_sync.load("pages/1.yaml"), lambda _: True, max_changes="100%").exit_code == 0
    (folder / "bio-sync.yaml").write_text("safety: {max_changes: 0, reserve: 1000000000}\n", encoding="utf-8")
    pages = bio_sync.load()
    with pytest.raises(bio_sync.QuotaTooSmall):
        bio_sync.apply(pages, lambda _: True, force=True)
    assert bio_sync.apply(pages, lambda _: True, force=True, reserve=0).exit_code == 0


def test_an_apply_leaves_a_journal_that_undo_takes(folder: Path, start_sandbox: Start, run: Run) -> None:
    write(folder, 1)
    sandbox = start_sandbox([live(1)])
    report = bio_sync.apply(bio_sync.load(), lambda _: True)
    (journal,) = (folder / ".bio-sync").glob("apply-*.json")
    assert report.journal == f".bio-sync/{journal.name}"
    assert run("undo", report.journal, "--yes").code == 0
    assert sandbox.page("bio_1")["title"] == "Old"
    bio_sync.apply(bio_sync.load(), lambda _: True, journal=folder / "own.json")
    assert json.loads((folder / "own.json").read_text(encoding="utf-8"))["finished"] is True
    write(folder, 1, "description: more")
    with pytest.raises(bio_sync.NotWritten):
        bio_sync.apply(bio_sync.load(), lambda _: True, journal=folder / "no" / "own.json")
    assert len(writes(sandbox)) == 3


def test_a_journal_that_has_no_place_is_told_to_the_log_and_nothing_is_printed(
    folder: Path, start_sandbox: Start, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    write(folder, 1)
    start_sandbox([live(1)])
    (folder / ".bio-sync").write_text("in the way", encoding="utf-8")
    with caplog.at_level(logging.WARNING, logger="bio_sync"):
        assert bio_sync.apply(bio_sync.load(), lambda _: True).exit_code == 0
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["no journal to undo this by"]
    assert tuple(capfd.readouterr()) == ("", "")


def test_the_key_is_in_no_error_outcome_journal_or_repr(folder: Path, start_sandbox: Start) -> None:
    write(folder, 1)
    write(folder, 2)
    sandbox = start_sandbox([live(1), live(2)])
    sandbox.edit("bio_2", description=f"here it is: {sandbox.key}")
    secret = sandbox.key.partition(".")[2]
    echo = Fault(
        status=422,
        code=sandbox.key,
        message=f"what is {sandbox.key}?",
        headers={"X-Request-Id": sandbox.key},
        method="PATCH",
    )
    sandbox.fail(echo)
    told: list[str] = []
    made = bio_sync.plan(bio_sync.load())
    report = bio_sync.apply(bio_sync.load(), lambda _: True, tell=lambda outcome: told.append(str(outcome)))
    assert report.exit_code == 3
    assert "what is" in "".join(told)
    assert "what is" in str(report)
    said = [bio_sync.format_plan(made, form) for form in ("text", "json", "markdown", "html")]
    assert "here it is: xqr_pk_" in said[1]
    sandbox.fail(replace(echo, method="GET"))
    with pytest.raises(bio_sync.ServiceError, match="what is") as caught:
        bio_sync.plan(bio_sync.load())
    said += [str(report), *told, repr(bio_sync.load()), shown(caught.value)]
    (journal,) = (folder / ".bio-sync").glob("*.json")
    said.append(journal.read_text(encoding="utf-8"))
    assert "here it is: xqr_pk_" in said[-1]
    for start in range(len(secret) - 8):
        assert not any(secret[start : start + 8] in text for text in said)


def test_key_and_address_that_are_given_come_before_those_of_the_environment(
    folder: Path, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, 1)
    sandbox = start_sandbox([live(1)])
    monkeypatch.setenv("XQR_API_KEY", "xqr_pk_00000000.wrong")
    monkeypatch.setenv("XQR_API_URL", "http://127.0.0.1:1")
    service = bio_sync.Service(key=sandbox.key, api_url=sandbox.url)
    assert sandbox.key not in repr(service)
    agreed = bio_sync.plan(bio_sync.load(), service=service)
    assert bio_sync.apply(bio_sync.load(), agreed, service=service).exit_code == 0
    with pytest.raises(bio_sync.InvalidAddress):
        bio_sync.plan(bio_sync.load(), service=bio_sync.Service(sandbox.key, "http://xqr.example"))
    monkeypatch.delenv("XQR_API_KEY")
    with pytest.raises(bio_sync.InvalidKey):
        bio_sync.plan(bio_sync.load(), service=bio_sync.Service(api_url=sandbox.url))


def test_the_first_interrupt_lets_a_write_end_and_comes_with_the_report(
    folder: Path, start_sandbox: Start, held: threading.Event, one_after_the_other: None
) -> None:
    for number in range(4):
        write(folder, number)
    sandbox = start_sandbox([live(number) for number in range(4)])
    sandbox.fail(Fault(method="PATCH", delay=HELD, skip=1))
    before = signal.getsignal(signal.SIGINT)

    def interrupt() -> None:
        wait_for(lambda: len(writes(sandbox)) == 2, "the second page is under way")
        os.kill(os.getpid(), signal.SIGINT)
        held.set()

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    with pytest.raises(bio_sync.RunInterrupted) as caught:
        bio_sync.apply(bio_sync.load(), lambda _: True)
    interrupting.join()
    outcomes = [outcome.outcome for outcome in caught.value.report.outcomes]
    assert outcomes == ["applied", "applied", "skipped", "skipped"]
    assert len(writes(sandbox)) == 2
    assert signal.getsignal(signal.SIGINT) is before
    (journal,) = (folder / ".bio-sync").glob("apply-*.json")
    pages = json.loads(journal.read_text(encoding="utf-8"))["pages"]
    assert sorted(page["outcome"] for page in pages) == sorted(outcomes)


def test_a_bug_comes_out_as_what_it_is_after_the_journal_was_written(
    folder: Path, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, 1)
    start_sandbox([live(1)])

    def broken(_: PageWriter) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(PageWriter, "run", broken)
    with pytest.raises(ZeroDivisionError):
        bio_sync.apply(bio_sync.load(), lambda _: True)
    (journal,) = (folder / ".bio-sync").glob("apply-*.json")
    assert json.loads(journal.read_text(encoding="utf-8"))["pages"][0]["outcome"] == "unknown"


def test_a_lost_write_is_settled_after_as_long_as_was_told(
    folder: Path, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, 1)
    sandbox = start_sandbox([live(1)])
    sandbox.fail(Fault(method="PATCH", wire="reset", after=True))
    slept: list[float] = []
    monkeypatch.setattr(Interruption, "sleep", lambda _, seconds: slept.append(seconds))
    assert bio_sync.apply(bio_sync.load(), lambda _: True, settle=7.5).summary["applied"] == 1
    assert (7.5 in slept, writes(sandbox)) == (True, ["PATCH /api/v1/bio/pages/bio_1"])


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_what_is_no_number_of_seconds_is_refused_before_any_call(
    folder: Path, start_sandbox: Start, seconds: float
) -> None:
    write(folder, 1)
    sandbox = start_sandbox([live(1)])
    for given in ({"settle": seconds}, {"max_age": seconds}, {"service": bio_sync.Service(timeout=seconds)}):
        with pytest.raises(ValueError, match="no number of seconds"):
            bio_sync.apply(bio_sync.load(), lambda _: True, **given)
    with pytest.raises(ValueError, match="no time for an answer"):
        bio_sync.plan(bio_sync.load(), service=bio_sync.Service(timeout=0))
    for calls in (-1, 2.5, True):
        with pytest.raises(ValueError, match="no number of calls"):
            bio_sync.apply(bio_sync.load(), lambda _: True, reserve=calls)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="there is no form 'yaml'"):
        bio_sync.format_plan(None, "yaml")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="neither a number of pages nor a share"):
        bio_sync.apply(bio_sync.load(), lambda _: True, max_changes="many")
    assert sandbox.calls == []


def test_a_service_that_is_not_there_is_told_at_once(folder: Path, start_sandbox: Start) -> None:
    write(folder, 1)
    sandbox = start_sandbox([live(1)])
    nobody = bio_sync.Service(api_url="http://127.0.0.1:1/api/v1", timeout=2)
    for ask in (
        lambda: bio_sync.plan(bio_sync.load(), service=nobody),
        lambda: bio_sync.apply(bio_sync.load(), lambda _: True, service=nobody),
    ):
        with pytest.raises(bio_sync.ServiceError, match="does not answer"):
            ask()
    sandbox.fail(Fault(wire="hang", times=None))
    soon = bio_sync.Service(timeout=0.2)
    with pytest.raises(bio_sync.ServiceError, match=r"0\.2 s"):
        bio_sync.plan(bio_sync.load(), service=soon)


@pytest.mark.parametrize("failure", [ConnectionError("the chat is down"), SystemExit("the chat is down")])
def test_who_is_told_may_fail_and_no_page_suffers(
    folder: Path, start_sandbox: Start, failure: ConnectionError | SystemExit
) -> None:
    write(folder, 1)
    write(folder, 2)
    sandbox = start_sandbox([live(1), live(2)])
    heard: list[str] = []

    def chat(outcome: bio_sync.Outcome) -> None:
        heard.append(outcome.file)
        raise failure

    with pytest.raises(type(failure), match="the chat is down"):
        bio_sync.apply(bio_sync.load(), lambda _: True, tell=chat)
    (journal,) = (folder / ".bio-sync").glob("apply-*.json")
    assert json.loads(journal.read_text(encoding="utf-8"))["finished"] is True
    assert (len(heard), len(writes(sandbox))) == (1, 2)


def test_pages_that_were_loaded_before_the_time_of_a_link_are_not_written_after_it(
    folder: Path, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    link = f"    - {{label: Sale, url: https://a.example, show_until: {soon.isoformat()}}}"
    write(folder, 1, "page_data:", "  links:", link)
    sandbox = start_sandbox([live(1)])
    pages = bio_sync.load()

    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Then":
            return cls.fromtimestamp(soon.timestamp(), tz)

    monkeypatch.setattr("bio_sync.library.datetime", Then)
    with pytest.raises(bio_sync.NoConsent, match=r"it was time for a link: 'Sale' of pages/1\.yaml") as caught:
        bio_sync.apply(pages, lambda _: True)
    assert (caught.value.hint, sandbox.calls) == ("load them again", [])


def test_a_function_is_not_asked_about_what_the_guards_hold_back(folder: Path, start_sandbox: Start) -> None:
    write(folder, 1)
    (folder / "bio-sync.yaml").write_text("safety: {max_changes: 0}\n", encoding="utf-8")
    start_sandbox([live(1)])
    asked: list[bio_sync.Plan] = []
    with pytest.raises(bio_sync.Unsafe):
        bio_sync.apply(bio_sync.load(), lambda plan: bool(asked.append(plan)) or True)  # type: ignore[func-returns-value]
    assert asked == []


@pytest.mark.parametrize("answer", ["no", 1, None, NotImplemented, [False]])
def test_only_true_is_a_yes(folder: Path, start_sandbox: Start, answer: object) -> None:
    write(folder, 1)
    sandbox = start_sandbox([live(1)])

    async def asked(_: bio_sync.Plan) -> bool:
        return False

    with pytest.raises(TypeError, match=f"is a {type(answer).__name__}"):
        bio_sync.apply(bio_sync.load(), lambda _: answer)  # type: ignore[arg-type, return-value]
    with pytest.warns(RuntimeWarning, match="never awaited"), pytest.raises(TypeError, match="is a coroutine"):
        bio_sync.apply(bio_sync.load(), asked)  # type: ignore[arg-type]
    assert writes(sandbox) == []


def test_a_failure_of_many_files_survives_the_way_from_one_process_to_another(folder: Path) -> None:
    write(folder, 1, "titel: New", "page_data: {links: [{label: A, url: ftp://a.example}]}")
    with pytest.raises(bio_sync.InvalidFiles) as caught:
        bio_sync.load()
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert (again.problems, again.files, again.hint) == (caught.value.problems, 1, caught.value.hint)
    assert str(again).splitlines()[:2] == [
        "2 problems in the files:",
        "pages/1.yaml:3: the key 'titel' is not known here",
    ]


def test_a_program_that_goes_elsewhere_meanwhile_finds_its_journal_ended(
    folder: Path, start_sandbox: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    write(folder, 1)
    start_sandbox([live(1)])
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    report = bio_sync.apply(bio_sync.load(), lambda _: True, tell=lambda _: os.chdir(elsewhere))
    assert report.journal is not None
    assert json.loads((folder / report.journal).read_text(encoding="utf-8"))["finished"] is True
    assert list(elsewhere.iterdir()) == []


def test_what_is_no_journal_is_not_written_over(folder: Path, start_sandbox: Start) -> None:
    write(folder, 1)
    sandbox = start_sandbox([live(1)])
    before = (folder / "pages" / "1.yaml").read_bytes()
    with pytest.raises(bio_sync.NotWritten, match=r"pages/1\.yaml is no journal"):
        bio_sync.apply(bio_sync.load(), lambda _: True, journal="pages/1.yaml")
    assert ((folder / "pages" / "1.yaml").read_bytes(), writes(sandbox)) == (before, [])
    (folder / "own.json").touch()
    bio_sync.apply(bio_sync.load(), lambda _: True, journal="own.json")
    write(folder, 1, "description: more")
    assert bio_sync.apply(bio_sync.load(), lambda _: True, journal="own.json").exit_code == 0


def test_a_working_directory_that_was_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "gone"
    here.mkdir()
    monkeypatch.chdir(here)
    here.rmdir()
    with pytest.raises(bio_sync.NoFolder, match="is not there any more"):
        bio_sync.load()
    monkeypatch.chdir(tmp_path)


def test_an_empty_path_is_not_the_folder_that_one_is_in(folder: Path) -> None:
    write(folder, 1)
    with pytest.raises(bio_sync.NoPages, match="a path is empty"):
        bio_sync.load("")


def test_a_key_in_a_file_another_configuration_and_a_folder_below_are_those_of_the_command(
    folder: Path, start_sandbox: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, 1)
    sandbox = start_sandbox([live(1)])
    (folder / "key").write_text(sandbox.key, encoding="utf-8")
    (folder / "other.yaml").write_text("pages: [pages/1.yaml]\nsafety: {max_changes: 0}\n", encoding="utf-8")
    (folder / "bio-sync.yaml").write_text("", encoding="utf-8")
    monkeypatch.delenv("XQR_API_KEY")
    monkeypatch.setenv("XQR_API_KEY_FILE", str(folder / "key"))
    with pytest.raises(bio_sync.Unsafe):
        bio_sync.apply(bio_sync.load(config="other.yaml"), lambda _: True)
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    report = bio_sync.apply(bio_sync.load(), lambda _: True)
    assert report.journal is not None
    assert report.journal.startswith("../.bio-sync/apply-")


def test_it_works_in_a_thread_that_gets_no_signals(folder: Path, start_sandbox: Start) -> None:
    write(folder, 1)
    start_sandbox([live(1)])
    done: list[bio_sync.Report] = []
    thread = threading.Thread(target=lambda: done.append(bio_sync.apply(bio_sync.load(), lambda _: True)))
    thread.start()
    thread.join()
    assert done[0].exit_code == 0


def test_the_document_names_every_function_every_member_of_a_value_and_no_name_that_is_not_there() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    named = set(re.findall(r"bio_sync\.(\w+)", text))
    assert named - {"__all__"} <= set(bio_sync.__all__)
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    found: list[type] = [getattr(bio_sync, name) for name in bio_sync.__all__]
    for value in filter(dataclasses.is_dataclass, found):
        (told,) = [row for row in rows if f"`{value.__name__}`" in row.split("|")[1]]
        members = {name for name, member in vars(value).items() if isinstance(member, property)}
        members |= {field.name for field in dataclasses.fields(value)} - {"files", "config", "asked_for"}
        assert {name for name in members if f"`{name}`" not in told} == set(), value
    functions = {name for name in bio_sync.__all__ if inspect.isfunction(getattr(bio_sync, name))}
    assert {name for name in functions if f"`{name}" not in text} == set()
    importlib.import_module("bio_sync.library")
