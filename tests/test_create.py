"""Files without an id become pages: once, with the id in the file and nothing else of it touched."""

import contextlib
import http.client
import io
import json
import os
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bio_sync import cli
from bio_sync.answers import PAGE_ID
from bio_sync.applying.guards import month_has
from bio_sync.config import read_config
from bio_sync.creating import NewPage, read_new
from bio_sync.creating.files import NOT_MADE_YET
from bio_sync.errors import InvalidFiles
from bio_sync.files import FoundFile
from bio_sync.options import Session
from bio_sync.pages import read_document
from bio_sync.sandbox import Fault, Sandbox
from bio_sync.schema import page_problems
from bio_sync.visible import visible
from bio_sync.yamltext import MOST_BYTES
from tests.conftest import HELD, Run
from tests.faults.stage import Hook
from tests.fulldisk import no_room
from tests.signals import Running, asked, sent
from tests.signals.test_full_disk import without_powers

Start = Callable[..., Sandbox]
LIMIT = {"page_limit": 10_000}
NAMES = (
    "plain.yaml",
    "two words.yaml",
    "it's.yaml",
    'say "hi".yaml',
    "-dash.yaml",
    "--adopt.yaml",
    "$(touch owned).yaml",
    "`touch owned`.yaml",
    "a;touch owned;.yaml",
    "line\nbreak.yaml",
    "%s\\n.yaml",
    "100 %s bell\x07.yaml",
    "turned\u202e.yaml",
    "##[error]x.yaml",
    "größe 日本.yaml",
    "~.yaml",
    "!x*?[a].yaml",
)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    return path


def posts(sandbox: Sandbox) -> int:
    return sum(call.method == "POST" for call in sandbox.requests)


def id_of(path: Path) -> str | None:
    """Give the id in a file, by another reader of YAML than ours."""
    found = yaml.safe_load(path.read_text("utf-8-sig"))
    value = found.get("id")
    return value if value is None else str(value)


def copied(line: str) -> str:
    """Give the command that stands at the end of a line of the tool's, as somebody copies it."""
    return line[line.index("bio-sync ") :].strip()


def shell_words(command: str) -> list[str]:
    """Give the words that a POSIX shell makes of a command."""
    script = f"set -- {command}; printf '%s\\0' \"$@\""
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    return os.fsdecode(done.stdout).split("\0")[:-1]


# Any valid file

plain_texts = st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), max_codepoint=0x2FFF), max_size=9)
titles = st.one_of(st.sampled_from(("no", "12:30", "~", "# x", "a: b", "- c", "1", "true")), plain_texts).filter(
    lambda text: text.strip() != ""
)
moments = st.sampled_from(("2020-01-01T00:00Z", "2999-01-01T00:00Z"))
links = st.builds(
    lambda label, url, more, window: {"label": label, "url": url, **more, **window},
    titles,
    st.sampled_from(("https://a.example", "mailto:a@b.example", "tel:+49301234")),
    st.dictionaries(st.sampled_from(("badge", "x-owner", "x-y")), plain_texts | st.none(), max_size=2),
    st.fixed_dictionaries({}, optional={"show_from": moments})
    | st.just({"show_from": "2020-01-01T00:00Z", "show_until": "2999-01-01T00:00Z"}),
)
others = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | plain_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain_texts, inner, max_size=3),
    max_leaves=6,
)
page_data = st.fixed_dictionaries(
    {},
    optional={
        "theme": st.sampled_from(("light", "dark")),
        "links": st.lists(links, max_size=3),
        "x-note": plain_texts,
        "experiments": others,
        "größe": others,
    },
)
POINTERS = (
    "/title",
    "/description",
    "/page_data/links/*/badge",
    "/page_data/experiments",
    "/page_data/links",
    "/page_data/links/0",
    "/page_data",
    "/published",
)
documents = st.fixed_dictionaries(
    {"title": titles},
    optional={
        "description": plain_texts,
        "published": st.just(False),
        "page_data": page_data,
        "ignore": st.lists(st.sampled_from(POINTERS), max_size=3, unique=True),
        "x-owner": plain_texts,
    },
)
EMPTY_IDS = ("id:\n", "id: ~  # to come\n", "id: null\n")


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw a page without an id, written in some style, with all that people put around it."""
    document = draw(documents)
    style = draw(st.sampled_from(("block", "block", "flow", "json", "indented json")))
    match style:
        case "json":
            text = json.dumps(document, ensure_ascii=draw(st.booleans()))
        case "indented json":
            text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        case _:
            text = yaml.safe_dump(
                document, allow_unicode=True, default_flow_style=style == "flow", sort_keys=draw(st.booleans())
            )
    if style == "block":
        lines = re.split(r"(?m)(?<=\n)(?=[a-z])", text)
        lines.insert(draw(st.integers(0, len(lines))), draw(st.sampled_from(("", "# a note\n", "\n", *EMPTY_IDS))))
        text = "".join(lines)
    text = draw(st.sampled_from(("", "# yaml-language-server: $schema=../s.json\n", "# note\n\n---\n", "---\n"))) + text
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    if draw(st.booleans()):
        text = text.rstrip("\r\n")
    return draw(st.sampled_from(("", "\ufeff"))) + text


def check_only_the_id_is_new(before: bytes, after: bytes, page_id: str) -> None:
    start = in_common(before, after)
    end = in_common(before[start:][::-1], after[start:][::-1])
    gone, come = before[start : len(before) - end], after[start : len(after) - end]
    # Where what is put in begins or ends as what is around it, the cuts between them are anywhere in it.
    assert gone == b"~" or b"null".startswith(gone), (before, after)
    assert re.fullmatch(rb"[\"'\s,:{id]*[\w\-]*[\"'\s,:id]*", come), (come, before)
    assert after.count(page_id.encode()) == 1


def in_common(one: bytes, other: bytes) -> int:
    pairs = zip(one, other, strict=False)
    return next((at for at, (this, that) in enumerate(pairs) if this != that), min(len(one), len(other)))


@given(st.lists(texts(), min_size=1, max_size=3))
@settings(max_examples=15)
def test_any_valid_file_becomes_a_page_with_an_empty_plan_and_only_its_id_is_new(
    sandbox: Sandbox, run: Run, folder: Path, written: list[str]
) -> None:
    sandbox.behaviour = sandbox.behaviour.__class__(burst_limit=10_000, monthly_limit=10**6, page_limit=10**6)
    for path in (folder / "pages").glob("*"):
        path.unlink()
    for page in sandbox.pages:
        sandbox.remove(page["id"])
    paths = [write(folder, f"pages/{number}.yaml", text) for number, text in enumerate(written)]
    for path in paths:
        document = read_document(FoundFile(path, path.name, folder))
        whole = document.__class__(document.file, document.text, {**document.mapping, "id": "x"}, document.problems)
        assume(not document.problems and not page_problems(whole))
    before = [path.read_bytes() for path in paths]
    calls = len(sandbox.requests)
    done = run("create", *(f"pages/{path.name}" for path in paths))
    assert (done.code, done.err) == (0, ""), (done, before)
    assert len(sandbox.requests) - calls == 1 + len(paths)
    for path, was in zip(paths, before, strict=True):
        page_id = id_of(path)
        assert page_id is not None
        check_only_the_id_is_new(was, path.read_bytes(), page_id)
        assert sandbox.page(page_id)["is_published"] is False
    assert len({id_of(path) for path in paths}) == len(sandbox.pages) == len(paths)
    assert not (run("plan", "--detailed-exitcode").code)


def test_an_id_of_any_form_is_read_again_as_the_text_that_it_is(start_sandbox: Start, run: Run, folder: Path) -> None:
    ids = ["no", "true", "null", "1", "007", "1e5", "0x1", "0o7", "-", "---", "-1", "_", "__x", "a" * 64, "2026-01-02"]
    start_sandbox([{"id": page_id, "title": "Something"} for page_id in ids])
    for number, page_id in enumerate(ids):
        write(folder, f"pages/{number}.yaml", ("title: Ink\n", '{"title": "Ink"}', "id:\ntitle: Ink\n")[number % 3])
        assert run("create", f"pages/{number}.yaml", "--adopt", page_id).code == 0
    plan = json.loads(run("plan", "--format", "json").out)
    assert sorted(change["page_id"] for change in plan["changes"]) == sorted(ids)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("title: A\n", "id: @\ntitle: A\n"),
        (
            "# yaml-language-server: $schema=s.json\n# who: me\ntitle: A # b\n\n# foot\n",
            "# yaml-language-server: $schema=s.json\n# who: me\nid: @\ntitle: A # b\n\n# foot\n",
        ),
        ("title: A", "id: @\ntitle: A"),
        ("# m\r\ntitle: A\r\n", "# m\r\nid: @\r\ntitle: A\r\n"),
        ("\ufefftitle: A\n", "\ufeffid: @\ntitle: A\n"),
        ("id:\ntitle: A\n", "id: @\ntitle: A\n"),
        ("title: A\nid:   # from create\n", "title: A\nid: @   # from create\n"),
        ("title: A\nid: null # x\nx-y: 1\n", "title: A\nid: @ # x\nx-y: 1\n"),
        ("---\ntitle: A\n", "---\nid: @\ntitle: A\n"),
        ("title: &a A\ndescription: *a\n", "id: @\ntitle: &a A\ndescription: *a\n"),
    ],
)
def test_the_id_is_the_first_line_below_the_comments_or_where_it_was_left_empty(
    sandbox: Sandbox, run: Run, folder: Path, text: str, after: str
) -> None:
    path = write(folder, "a.yaml", text)
    assert run("create", "a.yaml").code == 0
    assert path.read_bytes().decode() == after.replace("@", sandbox.pages[0]["id"])


# The line for editors

LINE = "# yaml-language-server: $schema=../schemas/page.schema.json"
SCHEMA = "schemas/page.schema.json"


@given(texts())
def test_with_the_schema_at_hand_a_file_gets_its_line_above_all_else_and_only_where_it_may(
    folder: Path, text: str
) -> None:
    (folder / SCHEMA).unlink(missing_ok=True)
    found = [FoundFile(write(folder, "pages/a.yaml", text), "pages/a.yaml", folder)]
    try:
        (without,) = read_new(found, read_config(None), at=datetime.now(UTC))
    except InvalidFiles:
        assume(condition=False)
    write(folder, SCHEMA, "{}")
    (with_line,) = read_new(found, read_config(None), at=datetime.now(UTC))
    assert isinstance(without, NewPage)
    assert isinstance(with_line, NewPage)
    before, after = without.with_id("bio_a"), with_line.with_id("bio_a")
    start = before.removeprefix("\ufeff")
    if start.startswith("{") or "yaml-language-server" in start.partition("\n")[0]:
        assert after == before
    else:
        mark, end = before[: len(before) - len(start)], "\r\n" if "\r\n" in start else "\n"
        assert after == f"{mark}{LINE}{end}{start}"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("title: A\n", f"{LINE}\nid: @\ntitle: A\n"),
        ("# who: me\r\ntitle: A\r\n", f"{LINE}\r\n# who: me\r\nid: @\r\ntitle: A\r\n"),
        ("\ufefftitle: A\n", f"\ufeff{LINE}\nid: @\ntitle: A\n"),
        ("%YAML 1.2\n---\ntitle: A\n", f"{LINE}\n%YAML 1.2\n---\nid: @\ntitle: A\n"),
        ("# note\n#  yaml-language-server: $schema=none\ntitle: A\n", None),
        ("# $schema: ../mine.json\ntitle: A\n", None),
        ('{"title": "A"}', '{"id": "@", "title": "A"}'),
    ],
)
@pytest.mark.parametrize("way", ["create", "adopt"])
def test_an_editor_finds_the_schema_of_a_file_that_got_its_id_but_for_json_and_what_has_a_line(
    start_sandbox: Start, run: Run, folder: Path, text: str, after: str | None, way: str
) -> None:
    sandbox = start_sandbox([{"id": "bio_live", "title": "Live"}] if way == "adopt" else [])
    write(folder, SCHEMA, "{}")
    path = write(folder, "pages/a.yaml", text)
    more = ("--adopt", "bio_live") if way == "adopt" else ()
    assert run("create", "pages/a.yaml", *more).code == 0
    expected = after or text.replace("title: A", "id: @\ntitle: A")
    assert path.read_bytes().decode() == expected.replace("@", sandbox.pages[0]["id"])


def test_the_line_leads_from_the_folder_of_the_file_to_where_the_settings_are(
    sandbox: Sandbox, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "bio-sync.yaml", "pages: [all]\n")
    write(folder, SCHEMA, "{}")
    (folder / "all").mkdir()
    path = write(folder, "all/shops/a.yaml", "title: A\n")
    (folder / "link.yml").symlink_to("all/shops/a.yaml")
    monkeypatch.chdir(folder / "all")
    assert run("create", "../link.yml").code == 0
    assert path.read_text().startswith(LINE.replace("../", "../../") + "\nid: ")


@pytest.mark.parametrize("name", ["two words", "line\nid: bio_x", "100%41"])
def test_a_folder_whose_name_would_end_the_line_gets_none(sandbox: Sandbox, run: Run, folder: Path, name: str) -> None:
    (folder / name / "schemas").mkdir(parents=True)
    (folder / name / SCHEMA).write_text("{}")
    (folder / name / "bio-sync.yaml").write_text("pages: [../pages]\n")
    path = write(folder, "pages/a.yaml", "title: A\n")
    assert run("create", "pages/a.yaml", "--config", f"{name}/bio-sync.yaml").code == 0
    assert path.read_text() == f"id: {sandbox.pages[0]['id']}\ntitle: A\n"


def test_a_file_as_large_as_may_be_gets_its_id_and_no_line(sandbox: Sandbox, run: Run, folder: Path) -> None:
    write(folder, SCHEMA, "{}")
    text = "title: A\n".ljust(MOST_BYTES - 72, "#")
    path = write(folder, "pages/a.yaml", text)
    assert run("create", "pages/a.yaml").code == 0
    assert path.read_text() == f"id: {sandbox.pages[0]['id']}\n{text}"


# What is sent


def test_a_new_page_gets_what_the_file_has_at_the_time_and_nothing_of_the_authors_own(
    sandbox: Sandbox, run: Run, folder: Path
) -> None:
    later = {"label": "Later", "url": "https://l.example", "show_from": "2999-01-01T00:00Z"}
    now = {"label": "Now", "url": "https://n.example", "show_until": "2999-01-01T00:00Z", "x-why": "secret"}
    page = {"title": "A", "x-owner": "me", "page_data": {"theme": "dark", "gone": None, "links": [later, now]}}
    write(folder, "a.yaml", json.dumps(page))
    assert run("create", "a.yaml").code == 0
    body = sandbox.requests[-1].body
    shown = [{"label": "Now", "url": "https://n.example"}]
    assert body == {"title": "A", "page_data": {"theme": "dark", "links": shown}}
    assert [(call.method, call.path) for call in sandbox.requests] == [
        ("GET", "/api/v1/bio/pages"),
        ("POST", "/api/v1/bio/pages"),
    ]


def test_what_is_left_to_others_is_not_sent_but_the_title_that_every_page_must_have(
    sandbox: Sandbox, run: Run, folder: Path
) -> None:
    ignore = ["/title", "/description", "/page_data/experiments"]
    page = {"title": "A", "description": "d", "page_data": {"experiments": [1]}, "ignore": ignore}
    write(folder, "a.yaml", json.dumps(page))
    assert run("create", "a.yaml").code == 0
    assert sandbox.requests[-1].body == {"title": "A", "page_data": {}}


def test_a_page_that_is_to_be_public_is_made_hidden_and_the_next_apply_publishes_it(
    sandbox: Sandbox, run: Run, folder: Path
) -> None:
    write(folder, "pages/to come.yaml", "title: A\npublished: true\n")
    write(folder, "pages/b.yaml", "title: B\npublished: false\n")
    done = run("create", "pages")
    assert (done.code, done.err) == (0, "not public yet; to publish: bio-sync apply 'pages/to come.yaml'\n")
    assert not any(page["is_published"] for page in sandbox.pages)
    assert run(*shlex.split(copied(done.err))[1:], "--yes").code == 0
    assert sorted(page["title"] for page in sandbox.pages if page["is_published"]) == ["A"]
    assert posts(sandbox) == 3


# Several files


def test_files_that_have_an_id_are_left_alone_and_cost_no_call(sandbox: Sandbox, run: Run, folder: Path) -> None:
    write(folder, "pages/a.yaml", "title: A\n")
    path = write(folder, "pages/b.yaml", "id: bio_b\ntitle: B\n")
    done = run("create", "pages")
    page_id = sandbox.pages[0]["id"]
    assert done.out.splitlines() == [
        "unchanged  pages/b.yaml  bio_b  has its page already",
        f"created    pages/a.yaml  {page_id}  {sandbox.pages[0]['html_url']}",
        "Pages: 1 unchanged, 1 created. API: 2 calls used, 999,998 left this month.",
    ]
    assert path.read_text() == "id: bio_b\ntitle: B\n"
    again = run("create", "pages")
    assert (again.code, posts(sandbox), len(sandbox.requests)) == (0, 1, 2)
    assert again.out.splitlines()[0] == f"unchanged  pages/a.yaml  {page_id}  has its page already"


def test_two_files_with_one_title_become_two_pages(sandbox: Sandbox, run: Run, folder: Path) -> None:
    paths = [write(folder, f"pages/{name}.yaml", "title: A\n") for name in "ab"]
    assert run("create", *map(str, paths)).code == 0
    assert {id_of(path) for path in paths} == {page["id"] for page in sandbox.pages}
    assert len(sandbox.pages) == 2


def test_a_file_that_is_named_twice_becomes_one_page(sandbox: Sandbox, run: Run, folder: Path) -> None:
    path = write(folder, "pages/a.yaml", "title: A\n")
    # A second name that no plan of the whole repository meets beside the first is nobody's trouble.
    (folder / "b.yaml").symlink_to("pages/a.yaml")
    assert run("create", "pages/a.yaml", "./pages", "pages/a.yaml").code == 0
    assert [page["id"] for page in sandbox.pages] == [id_of(path)]
    path.write_text("title: B\n")
    assert run("create", "b.yaml").code == 0


@pytest.mark.parametrize("paths", [("pages",), ("pages/z.yaml",), ("pages/a.yaml",), ("pages/a.yaml", "pages/z.yaml")])
@pytest.mark.parametrize("more", [(), ("--adopt", "bio_x")])
def test_a_link_that_a_plan_would_take_for_a_second_file_of_the_page_is_told_before_the_first_call(
    sandbox: Sandbox, run: Run, folder: Path, paths: tuple[str, ...], more: tuple[str, ...]
) -> None:
    path = write(folder, "pages/z.yaml", "title: A\n")
    (folder / "pages/a.yaml").symlink_to("z.yaml")
    done = run("create", *paths, *more)
    assert (done.code, len(sandbox.requests), path.read_text()) == (1, 0, "title: A\n")
    assert done.out == (
        "pages/a.yaml:1:1: this is pages/z.yaml once more: with an id in it, a plan would find two files of one page\n"
        "  hint: one page, one file: remove the link, or name the file once\n"
    )
    (folder / "pages/a.yaml").unlink()
    assert (run("create", "pages").code, run("plan", "--detailed-exitcode").code) == (0, 0)


def test_a_link_to_a_file_stays_one(sandbox: Sandbox, run: Run, folder: Path) -> None:
    path = write(folder, "pages/_a.yaml", "title: A\n")
    (folder / "b.yaml").symlink_to("pages/_a.yaml")
    assert run("create", "b.yaml").code == 0
    assert (folder / "b.yaml").is_symlink()
    assert id_of(path) == sandbox.pages[0]["id"]


@pytest.mark.parametrize("page_id", ["new", "not-made-yet", "null", "x"])
def test_a_file_with_any_id_at_all_is_an_ordinary_file_with_an_id(
    start_sandbox: Start, run: Run, folder: Path, page_id: str
) -> None:
    sandbox = start_sandbox([{"id": page_id, "title": "A"}])
    path = write(folder, "pages/a.yaml", f"id: '{page_id}'\ntitle: A\n")
    done = run("create", "pages")
    assert (done.code, len(sandbox.requests)) == (0, 0)
    assert done.out == f"unchanged  pages/a.yaml  {page_id}  has its page already\n"
    assert run("plan", "--detailed-exitcode").code == 0
    path.write_text("title: A\n")
    assert (run("create", "pages/a.yaml", "--adopt", page_id).code, id_of(path)) == (0, page_id)


def test_what_stands_for_the_id_meanwhile_is_one_that_no_service_gives_and_no_file_may_have(
    sandbox: Sandbox, run: Run, folder: Path
) -> None:
    assert not PAGE_ID.fullmatch(NOT_MADE_YET)
    write(folder, "a.yaml", f"id: {NOT_MADE_YET}\n")
    done = run("create", "a.yaml")
    assert (done.code, done.out.splitlines()[0]) == (1, f"a.yaml:1:5: /id: '{NOT_MADE_YET}' is not the id of a page")
    second = write(folder, "b.yaml", "title: B\n")
    during(sandbox, lambda: second.write_text(f"id: {NOT_MADE_YET}\n"))
    write(folder, "a.yaml", "title: A\n")
    assert (run("create", "a.yaml", "b.yaml").code, posts(sandbox)) == (3, 1)


def test_every_problem_of_every_file_is_told_before_the_first_call(sandbox: Sandbox, run: Run, folder: Path) -> None:
    good = write(folder, "pages/a.yaml", "title: A\n")
    write(folder, "pages/b.yaml", "tilte: B\nid:\n")
    write(folder, "pages/c.yaml", "description: no title\n")
    write(folder, "pages/d.yaml", "{}\n")
    write(folder, "pages/e.yaml", "id: 'a/b'\ntitle: E\n")
    write(folder, "pages/f.yaml", "")
    write(folder, "pages/g.yaml", "- title: G\n")
    done = run("create", "pages")
    assert (done.code, len(sandbox.requests), good.read_text()) == (1, 0, "title: A\n")
    assert done.out.splitlines() == [
        "pages/b.yaml:1:1: /tilte: the key 'tilte' is not known here",
        "  hint: did you mean 'title'?",
        "pages/c.yaml:1:1: the page has no 'title'",
        "  hint: add a line `title: …`: the service makes no page without one",
        "pages/d.yaml:1:1: the page has no 'title'",
        "  hint: add a line `title: …`: the service makes no page without one",
        "pages/e.yaml:1:5: /id: 'a/b' is not the id of a page",
        "  hint: copy the id from the service; it looks like bio_abc123",
        "pages/f.yaml:1:1: the file is empty",
        "  hint: add a line `title: …`: the service makes no page without one",
        "pages/g.yaml:1:1: the file has to be a mapping (lines of `key: value`)",
        "  hint: write lines such as `id: bio_abc123`",
    ]


def test_no_page_is_made_that_the_house_rules_forbid(sandbox: Sandbox, run: Run, folder: Path) -> None:
    rules = {
        "required": ["id", "description"],
        "properties": {"id": {"pattern": "^bio_"}, "description": {"minLength": 5}},
    }
    write(folder, "rules.json", json.dumps(rules))
    write(folder, "bio-sync.yaml", "schema: rules.json\n")
    path = write(folder, "pages/a.yaml", "title: A\n")
    done = run("create", "pages/a.yaml")
    assert (done.code, len(sandbox.requests)) == (1, 0)
    assert done.out.startswith("pages/a.yaml:1:1: the page has no 'description'")
    path.write_text("title: A\ndescription: long enough\n")
    assert run("create", "pages/a.yaml").code == 0


def test_a_plan_of_a_file_without_an_id_says_that_create_makes_its_page(
    sandbox: Sandbox, run: Run, folder: Path
) -> None:
    write(folder, "pages/a.yaml", "title: A\n")
    done = run("plan")
    assert (done.code, len(sandbox.requests)) == (1, 0)
    hint = re.search("the page has no 'id'\n  hint: (.*)", done.out)
    assert hint
    assert "bio-sync create pages/a.yaml" in hint[1]


def test_a_folder_without_page_files_is_told(sandbox: Sandbox, run: Run, folder: Path) -> None:
    (folder / "none").mkdir()
    for more in ((), ("--adopt", "bio_a")):
        done = run("create", "none", *more)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("error: there are no page files in none\nhint: ")


# A live page with that title


@pytest.mark.parametrize("title", ["Ink & Größe", "  Ink &\u00a0Größe ", "Ink &amp; Größe", "Ink & Gro\u0308ße"])
def test_a_live_page_with_the_title_that_no_file_names_is_named_and_no_second_one_is_made(
    start_sandbox: Start, run: Run, folder: Path, title: str
) -> None:
    path = write(folder, "pages/a.yaml", "title: Ink & Größe\n")
    write(folder, "pages/b.yaml", "title: Bread\n")
    sandbox = start_sandbox([{"id": "bio_x", "title": title, "slug": "ink"}])
    done = run("create", "pages")
    assert (done.code, posts(sandbox), path.read_text()) == (3, 1, "title: Ink & Größe\n")
    assert done.out.splitlines()[0] == (
        f"failed     pages/a.yaml  page bio_x (ink) is live with the title '{visible(title)}' and has no file. "
        "If it is another page, give one of the two another title; "
        "if it is the page of this file, take it: bio-sync create pages/a.yaml --adopt bio_x"
    )
    assert run("create", "pages/a.yaml").code == 1
    assert run(*shlex.split(copied(done.out.splitlines()[0]))[1:]).code == 0
    assert (id_of(path), posts(sandbox)) == ("bio_x", 1)


def test_a_live_page_with_the_title_that_another_file_names_is_in_nobodys_way(
    start_sandbox: Start, run: Run, folder: Path
) -> None:
    start_sandbox([{"id": "bio_x", "title": "A"}])
    # Whatever else is wrong with that file.
    write(folder, "pages/other.yaml", "id: bio_x\ntitle: A\nnonsense: 1\n")
    write(folder, "elsewhere/a.yaml", "title: A\n")
    assert run("create", "elsewhere/a.yaml").code == 0


@pytest.mark.parametrize(
    ("live", "said"),
    [
        ([{"id": "bio_x", "title": "INK", "page_data": {"n": 1.0}}], "other page_data"),
        ([{"id": "bio_x", "title": "Ink", "page_data": {"n": 1, "o": None}}], "another title and other page_data"),
        # The same title alone says less, and without either a page is another one.
        ([{"id": "bio_a", "title": "Ink"}, {"id": "bio_x", "title": "INK", "page_data": {"n": 1}}], "other page_data"),
        ([{"id": "bio_a", "title": "INK"}, {"id": "bio_x", "title": "Ink", "page_data": {"n": 2}}], "another title"),
    ],
)
def test_a_live_page_with_the_page_data_of_a_file_may_be_its_own_whatever_its_title(
    start_sandbox: Start, run: Run, folder: Path, live: list[dict[str, Any]], said: str
) -> None:
    path = write(folder, "pages/a.yaml", "title: Ink\npage_data: {n: 1, x-mine: 2}\n")
    sandbox = start_sandbox(live)
    done = run("create", "pages")
    assert (done.code, posts(sandbox)) == (1, 0)
    line = done.out.splitlines()[0]
    assert ("and the page_data of this file, and has no file. If" in line) == ("page_data" in said)
    assert f"If it is another page, give one of the two {said}; if it is " in line
    assert (run(*shell_words(copied(line))[1:]).code, id_of(path)) == (0, "bio_x")


def test_an_empty_page_data_makes_no_page_the_files_own(start_sandbox: Start, run: Run, folder: Path) -> None:
    live = [("bio_x", {}), ("bio_y", {"n": 1}), ("bio_z", {"m": 1})]
    start_sandbox([{"id": page_id, "title": page_id, "page_data": data} for page_id, data in live])
    write(folder, "pages/a.yaml", "title: A\npage_data: {}\n")
    write(folder, "pages/b.yaml", "title: B\n")
    write(folder, "pages/c.yaml", "title: C\npage_data: {m: true}\n")
    # Nor does the same one of a page that has a file.
    write(folder, "pages/d.yaml", "title: D\npage_data: {n: 1}\n")
    write(folder, "pages/y.yaml", "id: bio_y\n")
    assert run("create", "pages").code == 0


def test_a_command_to_copy_means_its_file_and_nothing_else_in_a_shell(
    start_sandbox: Start, run: Run, folder: Path
) -> None:
    ids = [f"-{number}" for number in range(len(NAMES))]
    sandbox = start_sandbox([{"id": page_id, "title": page_id} for page_id in ids], **LIMIT)
    for page_id, name in zip(ids, NAMES, strict=True):
        write(folder, name, f"title: '{page_id}'\npublished: true\n")
    refused = run("create", *(f"./{name}" for name in NAMES))
    said = [refused.out]
    for line in refused.out.splitlines()[: len(NAMES)]:
        words = shell_words(copied(line))
        page_id = words[-1]
        name = NAMES[int(page_id[1:])]
        adopted = run(*words[1:])
        assert (adopted.code, id_of(folder / name)) == (0, page_id), words
        look, pull = (shell_words(copied(line)) for line in adopted.err.splitlines())
        assert ([look[1], pull[1]], {Path(look[2]), Path(pull[2])}) == (["plan", "pull"], {Path(name)})
        assert len(look) == len(pull) == 3
        said += [adopted.out, adopted.err]
        (folder / name).write_text(f"title: 'new {page_id}'\npublished: true\n")
    created = run("create", *(f"./{name}" for name in NAMES))
    assert (refused.code, created.code) == (1, 0)
    assert run(*shell_words(copied(created.err))[1:], "--yes", "--force").code == 0
    assert sum(page["is_published"] for page in sandbox.pages) == len(NAMES)
    assert not (folder / "owned").exists()
    for text in (*said, created.out, created.err):
        assert all(character.isprintable() or character == "\n" for character in text)


# --adopt


def test_an_adopted_page_costs_one_call_that_reads_and_a_key_that_may_not_write_is_enough(
    start_sandbox: Start, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the file leaves out is not managed: for a page that is there, not even a title is needed.
    path = write(folder, "pages/a.yaml", "# mine\npage_data: {theme: dark}\n")
    sandbox = start_sandbox([{"id": "bio_x", "title": "Live"}])
    monkeypatch.setenv("XQR_API_KEY", sandbox.add_key(["bio:read"]))
    done = run("create", "pages/a.yaml", "--adopt", "bio_x")
    assert (done.code, path.read_text()) == (0, "# mine\nid: bio_x\npage_data: {theme: dark}\n")
    assert [(call.method, call.path) for call in sandbox.requests] == [("GET", "/api/v1/bio/pages/bio_x")]
    assert done.out == f"adopted    pages/a.yaml  bio_x  {sandbox.page('bio_x')['html_url']}\n"
    assert done.err == (
        "what an apply would change: bio-sync plan pages/a.yaml\n"
        "to take over what is live instead: bio-sync pull pages/a.yaml\n"
    )
    again = run("create", "pages/a.yaml", "--adopt", "bio_x")
    assert (again.code, again.out) == (0, "unchanged  pages/a.yaml  bio_x  has its page already\n")


@pytest.mark.parametrize("page_id", ["", "a/b", "../usage", "bio_x?a=b", "bio x", "bio_x\n", "é", "a" * 65, "."])
def test_what_is_no_id_never_becomes_part_of_an_address(sandbox: Sandbox, run: Run, folder: Path, page_id: str) -> None:
    write(folder, "a.yaml", "title: A\n")
    done = run("create", "a.yaml", "--adopt", page_id)
    assert (done.code, len(sandbox.requests)) == (64, 0)
    assert "the id of a page looks like bio_abc123" in done.err


def test_a_page_is_adopted_once_and_a_file_has_one_page(start_sandbox: Start, run: Run, folder: Path) -> None:
    sandbox = start_sandbox([{"id": "bio_x", "title": "A"}, {"id": "bio_y", "title": "B"}])
    path = write(folder, "pages/a.yaml", "title: A\n")
    write(folder, "pages/x.yaml", "id: bio_x\n")
    claimed = run("create", "pages/a.yaml", "--adopt", "bio_x")
    assert (claimed.code, claimed.err.splitlines()[0]) == (
        1,
        "error: page bio_x has a file already: pages/x.yaml",
    )
    other = run("create", "pages/x.yaml", "--adopt", "bio_y")
    assert (other.code, other.err.splitlines()[0]) == (
        1,
        "error: pages/x.yaml is the file of page bio_x already",
    )
    assert not sandbox.requests
    gone = run("create", "pages/a.yaml", "--adopt", "bio_gone")
    assert gone.code == 1
    assert gone.err.splitlines()[0].startswith("error: page bio_gone is not in this workspace (request req_")
    assert gone.err.splitlines()[1] == "hint: check the id; it was deleted, or the key is another workspace's"
    assert (path.read_text(), posts(sandbox)) == ("title: A\n", 0)
    for paths in (("pages",), ("pages/a.yaml", "pages/x.yaml")):
        assert run("create", *paths, "--adopt", "bio_y").code == 64


# What the service says


def test_a_workspace_that_is_full_is_told_in_plain_words_and_asked_once(
    start_sandbox: Start, run: Run, folder: Path
) -> None:
    paths = [write(folder, f"pages/{name}.yaml", f"title: {name}\n") for name in "abc"]
    sandbox = start_sandbox([{"id": "bio_x", "title": "X"}], page_limit=2)
    done = run("create", "pages")
    assert (done.code, posts(sandbox), list(map(id_of, paths))[1:]) == (3, 2, [None, None])
    lines = done.out.splitlines()
    assert re.sub(r"req_\w+", "req_", lines[1]) == (
        "failed     pages/b.yaml  the workspace's plan allows no more of this (403 PLAN_LIMIT_EXCEEDED): The plan "
        "allows 2 bio pages; in xQR, make room by deleting a page, or take a larger plan; then run this again "
        "(request req_)"
    )
    assert lines[2].startswith("skipped    pages/c.yaml  not tried: the workspace's plan allows no more of this (403 ")
    assert lines[3].startswith("Pages: 1 created, 1 failed, 1 skipped. API: 3 calls used, ")
    assert run("create", "pages").code == 1


def test_a_month_that_ends_on_the_way_is_told_and_nothing_more_is_tried(
    start_sandbox: Start, run: Run, folder: Path
) -> None:
    for name in "abc":
        write(folder, f"pages/{name}.yaml", f"title: {name}\n")
    sandbox = start_sandbox(monthly_limit=4)
    during(sandbox, lambda: less_is_left(sandbox, 2))
    done = run("create", "pages")
    assert (done.code, [line.split()[0] for line in done.out.splitlines()]) == (
        3,
        ["created", "failed", "skipped", "Pages:"],
    )
    assert "the month's API calls are used up" in done.out
    before = len(sandbox.requests)
    refused = run("create", "pages")
    assert (refused.code, len(sandbox.requests) - before) == (1, 1)
    assert refused.err.startswith("error: the month's API calls are used up")


@given(files=st.integers(1, 3), twins=st.integers(0, 1), reserve=st.integers(0, 3), left=st.integers(0, 6))
@settings(max_examples=15)
def test_the_last_call_of_the_month_is_used_and_not_one_of_the_reserve(
    sandbox: Sandbox, run: Run, folder: Path, files: int, twins: int, reserve: int, left: int
) -> None:
    for path in (folder / "pages").glob("*"):
        path.unlink()
    for page in sandbox.pages:
        sandbox.remove(page["id"])
    sandbox.behaviour = sandbox.behaviour.__class__(burst_limit=10_000, monthly_limit=10**6)
    for number in range(twins):
        make_page(sandbox, {"title": f"Twin {number}"})
        write(folder, f"pages/twin{number}.yaml", f"title: Twin {number}\n")
    for number in range(files):
        write(folder, f"pages/{number}.yaml", f"title: Page {number}\n")
    write(folder, "bio-sync.yaml", f"safety: {{reserve: {reserve}}}\n")
    used, made = len(sandbox.requests), posts(sandbox)
    sandbox.behaviour = replace(sandbox.behaviour, monthly_limit=used + 1 + left)
    done = run("create", "pages")
    if files + reserve > left:
        has = month_has(left, reserve, "safety.reserve of bio-sync.yaml")
        smaller = f"a reserve of {left - files} leaves enough; or " if left >= files else ""
        calls = "1 more API call" if files == 1 else f"{files} more API calls"
        assert (done.code, len(sandbox.requests) - used, done.out) == (1, 1, "")
        assert done.err == (
            f"error: nothing was written: this needs {calls}, and {has}\n"
            f"hint: {smaller}wait for the next month, take a larger plan, or make fewer pages: bio-sync create FILE\n"
        )
    else:
        assert (done.code, posts(sandbox) - made) == (3 if twins else 0, files)


def test_what_other_people_use_meanwhile_is_not_taken_from_the_reserve(
    start_sandbox: Start, run: Run, folder: Path
) -> None:
    write(folder, "bio-sync.yaml", "safety: {reserve: 2}\n")
    for name in "abc":
        write(folder, f"pages/{name}.yaml", f"title: {name}\n")
    sandbox = start_sandbox(monthly_limit=6)
    during(sandbox, lambda: less_is_left(sandbox, 1))
    done = run("create", "pages")
    assert (done.code, posts(sandbox)) == (3, 2)
    said = "skipped    pages/c.yaml  not tried: 2 calls are left this month, and 2 are kept for people\n"
    assert said in done.out
    # Nothing to make needs nothing; nor does a page that is there.
    write(folder, "pages/c.yaml", "title: b\n")
    write(folder, "pages/b.yaml", "title: b\n")
    assert "error: " not in run("create", "pages").err


def test_a_key_that_may_not_write_is_told_which_scopes_it_needs(
    sandbox: Sandbox, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XQR_API_KEY", sandbox.add_key(["bio:read"]))
    write(folder, "a.yaml", "title: A\n")
    write(folder, "b.yaml", "title: B\n")
    done = run("create", "a.yaml", "b.yaml")
    assert (done.code, posts(sandbox)) == (1, 1)
    assert done.out.startswith("failed     a.yaml  the API key may not do this (403 INSUFFICIENT_SCOPE): ")
    assert "; give it the scopes bio:read and bio:write in xQR; to look and to " in done.out


def test_a_file_that_is_refused_keeps_nobody_else_from_having_a_page(sandbox: Sandbox, run: Run, folder: Path) -> None:
    sandbox.fail(Fault(status=409, code="SLUG_TAKEN", method="POST"))
    paths = [write(folder, f"{name}.yaml", f"title: {name}\n") for name in "ab"]
    done = run("create", "a.yaml", "b.yaml")
    assert (done.code, [id_of(path) is None for path in paths]) == (3, [True, False])
    assert done.out.startswith("failed     a.yaml  the service refused it (409 SLUG_TAKEN)")


def test_what_the_service_stores_otherwise_is_named_and_the_id_is_in_the_file(
    start_sandbox: Start, run: Run, folder: Path
) -> None:
    path = write(folder, "a.yaml", "title: 'A '\n")
    sandbox = start_sandbox(normalise=lambda page: page | {"title": page["title"].strip()})
    done = run("create", "a.yaml")
    assert (done.code, id_of(path)) == (3, sandbox.pages[0]["id"])
    assert "created, but /title: the server stores 'A' for 'A '. Write in the file what the server stores" in done.out
    assert run("create", "a.yaml").code == 0
    assert posts(sandbox) == 1


def test_a_page_that_was_there_before_is_not_taken_for_the_new_one(
    start_sandbox: Start, run: Run, folder: Path
) -> None:
    path = write(folder, "a.yaml", "title: A\n")
    sandbox = start_sandbox([{"id": "bio_x", "title": "X"}])
    told = {"data": sandbox.page("bio_x") | {"title": "A"}}
    sandbox.fail(Fault(status=201, body=json.dumps(told), method="POST", times=2))
    done = run("create", "a.yaml", "--settle", "0")
    assert (done.code, id_of(path), posts(sandbox)) == (3, None, 2)
    assert done.out.startswith("unknown    a.yaml  the service answered with page bio_x, which is not new; it is not ")
    assert run("create", "a.yaml").code == 0
    assert id_of(path) not in {None, "bio_x"}


def test_a_page_that_a_file_names_is_not_taken_for_the_new_one_of_another(
    start_sandbox: Start, run: Run, folder: Path
) -> None:
    path = write(folder, "pages/a.yaml", "title: A\n")
    write(folder, "pages/b.yaml", "id: bio_gone\ntitle: A\n")
    sandbox = start_sandbox([{"id": "bio_x", "title": "X"}])
    told = {"data": sandbox.page("bio_x") | {"id": "bio_gone", "title": "A"}}
    sandbox.fail(Fault(status=201, body=json.dumps(told), method="POST", times=2))
    done = run("create", "pages/a.yaml", "--settle", "0")
    assert (done.code, id_of(path), posts(sandbox)) == (3, None, 2)
    assert "the service answered with page bio_gone, which is not new; it is not there so far. Run this" in done.out


# A lost answer; tests/test_create_campaign.py has every kind of them


def lose(sandbox: Sandbox, *arguments: str, meanwhile: Callable[[], object] = lambda: None) -> tuple[int, str]:
    """Create with a clock of our own; something may happen while the service is given time to be done."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        meanwhile()

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = cli.run(["create", *arguments], Session(sleep=sleep))
    assert set(slept) == {15.0}
    return code, out.getvalue()


def make_page(sandbox: Sandbox, page: dict[str, Any]) -> None:
    """Make a page as a colleague does."""
    connection = http.client.HTTPConnection(sandbox.address.removeprefix("http://"))
    connection.request("POST", "/api/v1/bio/pages", json.dumps(page), {"Authorization": f"Bearer {sandbox.add_key()}"})
    assert connection.getresponse().read()
    connection.close()


def less_is_left(sandbox: Sandbox, calls: int) -> None:
    """Take calls off the month, as somebody does who uses them."""
    sandbox.behaviour = replace(sandbox.behaviour, monthly_limit=sandbox.behaviour.monthly_limit - calls)


def test_a_page_whose_answer_was_lost_is_found_and_not_made_again(sandbox: Sandbox, folder: Path) -> None:
    path = write(folder, "a.yaml", "title: A\npage_data: {theme: dark, x-note: mine}\n")
    sandbox.fail(Fault(wire="reset", method="POST", after=True))
    code, out = lose(sandbox, "a.yaml")
    assert (code, posts(sandbox), id_of(path)) == (0, 1, sandbox.pages[0]["id"])
    assert "Pages: 1 created. API: 3 calls used, " in out


@pytest.mark.parametrize("kept", [60, 3])
def test_a_page_whose_answer_was_lost_is_found_although_the_service_changes_its_title(
    start_sandbox: Start, folder: Path, run: Run, kept: int
) -> None:
    path = write(folder, "a.yaml", f"title: Ink {'and paper ' * 7}\npage_data: {{theme: dark}}\n")
    sandbox = start_sandbox(normalise=lambda page: page | {"title": page["title"][:kept].upper()})
    make_page(sandbox, {"title": "other"})
    sandbox.fail(Fault(wire="reset", method="POST", after=True))

    def meanwhile() -> None:
        make_page(sandbox, {"title": "A stranger's"})
        strangers_first = json.dumps({"data": sandbox.pages[::-1]})
        sandbox.fail(Fault(status=200, body=strangers_first, headers={"Content-Type": "application/json"}))

    code, out = lose(sandbox, "a.yaml", meanwhile=meanwhile)
    page = next(page for page in sandbox.pages if page["page_data"])
    assert (code, posts(sandbox), id_of(path)) == (3, 3, None)
    again = run("create", "a.yaml")
    assert (again.code, posts(sandbox)) == (1, 3)
    for line in (out.splitlines()[0], again.out.splitlines()[0]):
        assert copied(line) == f"bio-sync create a.yaml --adopt {page['id']}"
        assert f"is live with the title '{visible(page['title'])}' and the page_data of this file, and" in line
    assert (run(*shlex.split(copied(again.out.splitlines()[0]))[1:]).code, id_of(path)) == (0, page["id"])


def test_a_page_that_is_shown_without_its_page_data_is_not_taken_for_the_files_own(
    start_sandbox: Start, folder: Path
) -> None:
    path = write(folder, "a.yaml", "title: A\n")
    sandbox = start_sandbox([{"id": "bio_x", "title": "X"}])
    shown = sandbox.page("bio_x")
    part = {name: value for name, value in shown.items() if name != "page_data"} | {"id": "bio_part", "title": "A"}
    listed = json.dumps({"data": [shown, part]})
    sandbox.fail(Fault(wire="reset", method="POST"))
    sandbox.fail(Fault(status=200, body=listed, headers={"Content-Type": "application/json"}, method="GET", skip=1))
    code, out = lose(sandbox, "a.yaml")
    assert (code, posts(sandbox), id_of(path)) == (3, 1, None)
    assert copied(out.splitlines()[0]) == "bio-sync create a.yaml --adopt bio_part"


def test_a_page_that_was_not_made_is_sent_once_more_and_others_of_this_run_are_not_taken_for_it(
    sandbox: Sandbox, folder: Path
) -> None:
    paths = [write(folder, f"{name}.yaml", f"title: {title}\n") for name, title in (("a", "A"), ("b", "A"), ("c", "C"))]
    sandbox.fail(Fault(wire="reset", method="POST", skip=1))
    code, _ = lose(sandbox, "a.yaml", "b.yaml", "c.yaml")
    assert (code, posts(sandbox), len(sandbox.pages)) == (0, 4, 3)
    assert [sandbox.page(str(id_of(path)))["title"] for path in paths] == ["A", "A", "C"]


@pytest.mark.parametrize(
    ("theirs", "after"),
    [({"title": "A", "page_data": {"theme": "dark"}}, False), ({"title": "A"}, True), ({"title": "B"}, False)],
    ids=["the same title", "the same page", "another title, as a service may have made of it"],
)
def test_a_page_that_somebody_has_made_meanwhile_is_never_taken_unasked(
    sandbox: Sandbox, folder: Path, theirs: dict[str, Any], after: bool
) -> None:
    path = write(folder, "a.yaml", "title: A\n")
    write(folder, "b.yaml", "title: C\n")
    sandbox.fail(Fault(wire="reset", method="POST", after=after))
    code, out = lose(sandbox, "a.yaml", "b.yaml", meanwhile=lambda: make_page(sandbox, theirs))
    assert (code, path.read_text(), len(sandbox.pages)) == (3, "title: A\n", 1 + after)
    unknown, skipped, *_ = out.splitlines()
    assert unknown.startswith("unknown    a.yaml  the answer was lost on its way: ")
    otherwise = "run this again" if theirs["title"] == "B" else "give one of the two another title"
    said = f"is live with the title '{theirs['title']}' and has no file. If it is another page, {otherwise}; if it is "
    assert said in unknown
    assert skipped == "skipped    b.yaml  not tried: of the page before it nobody knows whether it was made"


def test_what_stays_unknown_is_said_to_be_so_and_ends_the_run(sandbox: Sandbox, run: Run, folder: Path) -> None:
    path = write(folder, "a.yaml", "title: A\n")
    write(folder, "b.yaml", "title: B\n")
    sandbox.fail(Fault(status=503, method="POST", times=None))
    code, out = lose(sandbox, "a.yaml", "b.yaml")
    assert (code, posts(sandbox), id_of(path)) == (3, 2, None)
    assert re.sub(r"req_\w+", "req_", out.splitlines()[0]) == (
        "unknown    a.yaml  the service has a fault of its own (503 SERVICE_UNAVAILABLE): The service is not "
        "available; it is not there so far. Run this again later: it looks for the page before it makes one "
        "(request req_)"
    )
    assert "skipped    b.yaml  not tried: of the page before it " in out
    sandbox.faults.clear()
    assert run("create", "a.yaml", "b.yaml").code == 0


def test_a_service_that_is_gone_on_the_way_is_not_asked_for_every_file(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        write(folder, f"{name}.yaml", f"title: {name}\n")
    sandbox.fail(Fault(status=429, code="BURST_LIMIT_EXCEEDED", headers={"Retry-After": "1"}, method="POST"))
    code = cli.run(["create", "a.yaml", "b.yaml"], Session(sleep=lambda _: sandbox.stop()))
    failed, skipped, _ = capsys.readouterr().out.splitlines()
    assert (code, failed[:44]) == (1, "failed     a.yaml  the service does not answ")
    assert skipped.startswith("skipped    b.yaml  not tried: the service does not answer: ")


# The file


@pytest.mark.parametrize("closed", ["the file", "the folder"])
def test_no_page_is_made_for_a_file_that_can_not_be_written(sandbox: Sandbox, folder: Path, closed: str) -> None:
    path = write(folder, "closed/a.yaml", "title: A\n")
    shut = path if closed == "the file" else path.parent
    shut.chmod(0o500 if shut.is_dir() else 0o400)
    with Running(sandbox, "create", "closed/a.yaml", before=without_powers()) as running:
        done = running.end()
    shut.chmod(0o700)
    assert (done.code, done.out, len(asked(sandbox))) == (1, "", 0)
    assert done.err == "error: closed/a.yaml can't be written\nhint: check who may write the file and its folder\n"


@pytest.mark.parametrize("how", ["edited", "edited in Windows", "deleted", "another id", "broken", "grown"])
def test_what_becomes_of_a_file_while_its_page_is_made_is_kept(
    sandbox: Sandbox, run: Run, folder: Path, how: str
) -> None:
    path = write(folder, "a.yaml", "title: A\n")
    write(folder, "b.yaml", "title: B\n")
    texts = {
        "edited": "title: A2 # new\n",
        "edited in Windows": "title: A2\r\n",
        "another id": "id: bio_y\n",
        "broken": "title: [\n",
        "grown": f"title: A\nx-note: {'a' * 2**18}\n",
    }
    during(sandbox, lambda: path.write_bytes(texts[how].encode()) if how in texts else path.unlink())
    done = run("create", "a.yaml", "b.yaml")
    page_id = next(page["id"] for page in sandbox.pages if page["title"] == "A")
    if how.startswith("edited"):
        assert done.code == 0
        end = "\r\n" if "\r" in texts[how] else "\n"
        assert path.read_bytes().decode() == f"id: {page_id}{end}{texts[how]}"
        return
    assert (done.code, posts(sandbox)) == (3, 1)
    assert path.exists() == (how in texts)
    assert how not in texts or path.read_bytes().decode() == texts[how]
    if how == "another id":
        said = "the page is there, and one too many: while it was made, this became the file of page bio_y;"
        way_out = f"look at both in xQR and delete one; if that is bio_y, write `id: {page_id}` in its place (request "
        assert f"failed     a.yaml  {page_id}  {sandbox.page(page_id)['html_url']}  {said} {way_out}" in done.out
        return
    assert (
        f"failed     a.yaml  {page_id}  {sandbox.page(page_id)['html_url']}  the page is there, but its id is not in "
        f"the file: add a line `id: {page_id}`; no id can be written into a.yaml: "
    ) in done.out
    assert "\nskipped    b.yaml  not tried: no id can be written into a.yaml" in done.out
    assert how != "broken" or "into a.yaml: it can't be read any more: line 2: " in done.out


def during(sandbox: Sandbox, action: Callable[[], object]) -> None:
    """Let something happen while a POST is on its way."""
    hook, take = Hook(action, "POST"), sandbox.faults.take

    class Watched(type(sandbox.faults)):  # type: ignore[misc] # that of the running one
        def take(self, method: str, path: str) -> Fault | None:
            hook.meet(method, path)
            return take(method, path)

    sandbox.faults.__class__ = Watched


@pytest.mark.parametrize("page_id", ["bio_b", "new"])
def test_a_file_that_has_got_its_id_before_its_turn_is_not_made_twice(
    sandbox: Sandbox, run: Run, folder: Path, page_id: str
) -> None:
    write(folder, "a.yaml", "title: A\n")
    second = write(folder, "b.yaml", "title: B\n")
    during(sandbox, lambda: second.write_text(f"id: {page_id}\ntitle: B\n"))
    done = run("create", "a.yaml", "b.yaml")
    assert (done.code, posts(sandbox), second.read_text()) == (3, 1, f"id: {page_id}\ntitle: B\n")
    assert f"failed     b.yaml  no id can be written into b.yaml: by now it is the file of page {page_id}\n" in done.out


def test_on_a_full_disk_the_page_is_named_the_file_stays_whole_and_no_more_are_made(
    sandbox: Sandbox, run: Run, folder: Path
) -> None:
    path = write(folder, "a.yaml", "title: A\n# a long comment\n")
    write(folder, "b.yaml", "title: B\n")
    out, err = io.StringIO(), io.StringIO()
    with no_room(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run(["create", "a.yaml", "b.yaml"])
    page = sandbox.pages[0]
    assert (code, posts(sandbox), path.read_text()) == (3, 1, "title: A\n# a long comment\n")
    assert f"its id is not in the file: add a line `id: {page['id']}`; " in out.getvalue()
    assert "skipped    b.yaml  not tried: " in out.getvalue()
    assert sorted(each.name for each in folder.iterdir()) == [".git", "a.yaml", "b.yaml"]
    again = run("create", "a.yaml")
    assert (again.code, posts(sandbox)) == (1, 1)
    assert f"--adopt {page['id']}" in again.out


class Full(io.StringIO):
    def write(self, _: str, /) -> int:
        raise OSError(28, "No space left on device")


def test_a_run_that_made_a_page_and_could_not_tell_does_not_say_that_nothing_was_written(
    sandbox: Sandbox, folder: Path
) -> None:
    path = write(folder, "a.yaml", "title: A\n")
    with contextlib.redirect_stdout(Full()):
        assert cli.run(["create", "a.yaml"]) == 3
    assert id_of(path) == sandbox.pages[0]["id"]


# Runs that somebody ends: real processes


def test_the_first_ctrl_c_lets_the_post_end_and_its_id_be_written(
    sandbox: Sandbox, held: threading.Event, folder: Path
) -> None:
    paths = [write(folder, f"{name}.yaml", f"title: {name}\n") for name in "ab"]
    sandbox.fail(Fault(status=None, delay=HELD, method="POST"))
    with Running(sandbox, "create", "a.yaml", "b.yaml") as running:
        running.until_sent(2).signal(signal.SIGINT).until_it_ends()
        held.set()
        done = running.end()
    assert (done.code, [id_of(path) for path in paths]) == (130, [sandbox.pages[0]["id"], None])
    assert "ending: what is under way is brought to its end first" in done.err
    assert "skipped    b.yaml  not tried: the run was ended before it" in done.out
    assert len(sent(sandbox)) == 1


def test_a_kill_after_the_post_leaves_a_page_that_the_next_run_names(sandbox: Sandbox, run: Run, folder: Path) -> None:
    path = write(folder, "a.yaml", "title: A\n")
    sandbox.fail(Fault(wire="hang", method="POST", after=True))
    with Running(sandbox, "create", "a.yaml") as running:
        running.until(lambda: sandbox.history, "the page is there").signal(signal.SIGKILL)
        running.end()
    assert path.read_text() == "title: A\n"
    done = run("create", "a.yaml")
    assert (done.code, len(sandbox.pages)) == (1, 1)
    assert run(*shlex.split(copied(done.out.splitlines()[0]))[1:]).code == 0
    assert id_of(path) == sandbox.pages[0]["id"]


def test_a_ctrl_c_while_the_pages_are_listed_makes_none(sandbox: Sandbox, folder: Path) -> None:
    write(folder, "a.yaml", "title: A\n")
    sandbox.fail(Fault(wire="hang", method="GET"))
    with Running(sandbox, "create", "a.yaml") as running:
        done = running.until_sent(1).signal(signal.SIGINT).end()
    assert (done.code, done.out, sent(sandbox)) == (130, "", [])
    assert done.err.lstrip().startswith("error: interrupted\n")
