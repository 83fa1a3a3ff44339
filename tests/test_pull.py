"""Live pages to files: whatever a page holds, the plan right after is empty, and what people wrote stays."""

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_sync import cli
from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.model import PageContent
from bio_sync.pagetext import file_stem
from bio_sync.sandbox import Behaviour, Sandbox
from tests import strategies
from tests.conftest import Run

Start = Callable[..., Sandbox]


def link(name: str, **more: Json) -> JsonObject:
    return {"label": name, "url": f"https://a.example/{name.lower()}", **more}


# What a service may show: more than any file may hold

# fmt: off
NASTY: tuple[Json, ...] = (
    None, True, 0, -0.0, 1.0, 1e308, 1e-320, 5e-324, 2**53, 2**53 + 1, 2**70, 1e22, 0.1, "", " ", "no",
    "NULL", "~", "1", "0x1f",
    "1e3", "12:30", "2026-01-02", ".inf", "- a", "a: b", "a #b", "# a", "it's", 'say "hi"', "'",
    '"', "{a}", "[a]", "*a", "&a",
    "!a", "%a", "@a", "`a", "|", ">", "?", "? a", ":", "a:", "a\nb", "a\n\n b\n", "\n", "a\n\n\n", " a\nb",
    "a \nb", "a\tb", "\ta",
    "a\r\nb", "a\rb", "\x00", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u202e", "\u200b", "\ufeff", "\ufffe",
    "\ud800", "\U0001f950: 7:00",
    "👨‍👩‍👧", "e\u0301", "\u00a0", "word " * 60, "https://a.example/" + "x" * 200, "javascript:alert(1)",
    " JavaScript:x", "data:x",
    "word: " * 40, "<<", "---", "...", "--- a", "##[error]", "::error::", "x" * 3000, {}, [], [[]], [{}],
    [None, 1], [[1, [2]], []],
    {"a": {}}, {"": ""}, {"x-note": 1}, {"no": "no", "1": 1, "<<": {}, "- a": [], "n": None, "? b": "c",
    "a\nb": 1, "k" * 150: 2,
    "k" * 1100: 3, "a: b": 4, "#c": 5, "\u202e": 6, "~1/": 7, "*": 8, "links": [9], "ignore": 1},
)
# fmt: on
keys = st.one_of(
    st.sampled_from(("no", "1", "", "<<", "x-a", "- a", "n", "*", "~", "/", "links", "theme", "url", "\u202e", "a\nb")),
    st.text(max_size=6),
)
# Lone surrogates too: JSON can write them.
texts = st.text(st.characters(), max_size=20)
# By number, since hypothesis prints a strategy whole.
nasty = st.integers(0, len(NASTY) - 1).map(NASTY.__getitem__)
values: st.SearchStrategy[Json] = st.recursive(
    st.one_of(nasty, strategies.numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)
known: st.SearchStrategy[JsonObject] = st.fixed_dictionaries(
    {},
    optional={
        "theme": st.sampled_from(("light", "dark", "neon", "", None, 5)),
        "avatar_url": st.sampled_from(("https://a.example/a.png", "ftp://a", "", None, ["a"])),
        "links": st.one_of(
            st.lists(
                st.builds(
                    lambda link, more: {**link, **more},
                    strategies.links,
                    st.dictionaries(
                        st.sampled_from(("label", "url", "show_from", "x-note", "badge")), values, max_size=2
                    ),
                )
                | values,
                max_size=6,
            ),
            values,
        ),
    },
)
page_data = st.builds(lambda known, more: {**more, **known}, known, st.dictionaries(keys, values, max_size=5))
nasty_texts = texts | nasty.filter(lambda value: isinstance(value, str))
pages: st.SearchStrategy[JsonObject] = st.fixed_dictionaries(
    {
        "title": nasty_texts,
        "description": st.none() | nasty_texts,
        "page_data": page_data,
        "is_published": st.booleans(),
    }
)
IGNORES = (
    "",
    "ignore: [/page_data/theme]\n",
    "ignore: ['/page_data/links/*/badge', /title]\n",
    "ignore: [/page_data]\n",
    "ignore: ['/page_data/links/*', '/page_data/links/0/url']\n",
)
IDS = ("bio_1", "bio_2", "bio_3")


@pytest.fixture(scope="module")
def service() -> Iterator[Sandbox]:
    """One service for all examples of a property; its pages are edited."""
    seed = [{"id": page_id, "title": page_id} for page_id in IDS]
    with Sandbox(seed, behaviour=Behaviour(burst_limit=10_000, monthly_limit=10**9), keep_history=False) as running:
        yield running


@contextlib.contextmanager
def repository(service: Sandbox, config: str = "") -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        (folder / ".git").mkdir()
        (folder / "bio-sync.yaml").write_text(config or "pages: [pages]\n")
        patch.chdir(folder)
        patch.setenv("XQR_API_URL", service.url)
        patch.setenv("XQR_API_KEY", service.key)
        yield folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def check_that_nothing_is_left(folder: Path, capfd: pytest.CaptureFixture[str], pages: int) -> None:
    """Plan, and pull once more: neither has anything to do."""
    written = contents(folder / "pages")
    capfd.readouterr()
    assert cli.run(("plan", "--detailed-exitcode", "--format", "json")) == 0
    summary = json.loads(capfd.readouterr().out)["summary"]
    assert (summary["pages"], summary["unchanged"]) == (pages, pages)
    assert cli.run(("pull", "--all")) == 0
    assert contents(folder / "pages") == written


@settings(max_examples=25)
@given(live=st.lists(pages, min_size=3, max_size=3), config=st.sampled_from(IGNORES))
def test_a_plan_right_after_pull_is_empty_whatever_is_live(
    service: Sandbox, live: list[dict[str, Any]], config: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for page_id, page in zip(IDS, live, strict=True):
        service.edit(page_id, **page)
    with repository(service, config) as folder:
        assert cli.run(("pull", "--all", "--dir", "pages")) == 0, capfd.readouterr()
        check_that_nothing_is_left(folder, capfd, 3)


@pytest.mark.parametrize(
    "page",
    [
        {"title": "all at once", "page_data": {f"k{number}": value for number, value in enumerate(NASTY)}},
        {"title": "items", "page_data": {"links": [link("A", more=value) for value in NASTY]}},
        {"title": "200 links", "page_data": {"links": [link(f"N{number}") for number in range(200)]}},
        {"title": "deep", "page_data": {"a": json.loads("[" * 90 + "]" * 90)}},
        {"title": "x" * 300_000, "description": "y" * 300_000, "page_data": {"a": "z" * 300_000}},
        {"title": "bound to be long", "page_data": {"a": "z" * 256 * 1024}},
    ],
    ids=lambda page: page["title"][:20],
)  # fmt: skip
def test_a_plan_right_after_pull_is_empty_for_a_page_of_an_uncommon_kind(
    start_sandbox: Start, folder: Path, capfd: pytest.CaptureFixture[str], page: dict[str, Any]
) -> None:
    sandbox = start_sandbox([{"id": "bio_1"} | page])
    assert cli.run(("pull", "--all")) == 0, capfd.readouterr()
    check_that_nothing_is_left(folder, capfd, 1)
    sandbox.edit("bio_1", title="Moved", page_data=page["page_data"] | {"new": {"a": ["b"]}})
    assert cli.run(("pull", "--force")) == 0, capfd.readouterr()
    check_that_nothing_is_left(folder, capfd, 1)


# A file that is there


NAMES = tuple("ABCDEFGH")
FILE = """\
# yaml-language-server: $schema=../schemas/page.schema.json
# Owned by marketing.
id: "bio_1"
title: 'Acme'     # as on the door

x-owner: marketing
page_data:
    # The colours of the season.
    theme: light
    links:   # best first
{links}
      # That is all.
# The end.
"""


def page_file(names: str) -> str:
    links = "".join(
        f"      # about {name}\n      - {{label: '{name}', url: https://a.example/{name.lower()}}} # {name}!\n"
        if name in "BE"
        else f"      # about {name}\n      -   label: {name}  # {name}!\n\n          url: https://a.example/{name.lower()}\n"
        for name in names
    )
    return FILE.format(links=links.removesuffix("\n"))


@settings(max_examples=25)
@given(
    before=st.permutations(NAMES),
    after=st.permutations(NAMES),
    counts=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    more=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 9)), max_size=2, unique_by=lambda pair: pair[1]),
    relabelled=st.booleans(),
    data=st.dictionaries(
        st.sampled_from(("theme", "layout", "no", "avatar_url")), st.sampled_from(("dark", "light")), max_size=2
    ),
)
def test_what_people_did_in_the_dashboard_comes_into_the_file_and_comments_go_with_their_links(
    service: Sandbox,
    before: tuple[str, ...],
    after: tuple[str, ...],
    counts: tuple[int, int],
    more: list[tuple[int, int]],
    relabelled: bool,
    data: JsonObject,
    capfd: pytest.CaptureFixture[str],
) -> None:
    names, kept = before[: counts[0]], [name for name in after if name in before[: counts[0]]][: counts[1]]
    live: list[Json] = [link(name) for name in kept]
    for place, number in more:
        live.insert(place, link(f"New{number}"))
    if relabelled:
        live[0] = {**strategies.as_object(live[0]), "label": "Other: name"}
    for page_id in IDS:
        service.edit(
            page_id, title="Acme", description=None, is_published=False, page_data={"theme": "light", "links": []}
        )
    data = {key: value for key, value in data.items() if key != "avatar_url"}
    service.edit("bio_1", page_data={"theme": "light"} | data | {"links": live})
    with repository(service) as folder:
        (folder / "pages").mkdir()
        path = folder / "pages" / "acme.yaml"
        path.write_text(page_file("".join(names)))
        assert cli.run(("pull", "--force")) == 0, capfd.readouterr()
        text = path.read_text()
        assert text.startswith(FILE[: FILE.index("    theme")])
        assert text.endswith("      # That is all.\n# The end.\n")
        places = [text.find(f"# about {name}\n") for name in kept]
        assert places == sorted(places)
        for name in NAMES:
            about = [line for line in text.splitlines() if f"about {name}" in line or f"# {name}!" in line]
            assert len(about) == 2 * (name in kept)
            if name in kept:
                assert (
                    f"https://a.example/{name.lower()}" in text[text.index(f"# about {name}\n") :].split("# about")[1]
                )
        assert cli.run(("pull",)) == 0
        assert path.read_text() == text
        assert cli.run(("plan", "--detailed-exitcode")) == 0


# Which files, and their names

ACME: dict[str, Any] = {
    "id": "bio_1",
    "title": "Acme",
    "slug": "acme",
    "is_published": True,
    "page_data": {"links": [link("A"), link("B")], "theme": "dark"},
}
OTHER: dict[str, Any] = {"id": "bio_2", "title": "Other", "slug": "other"}


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def git(*arguments: str, given: str = "") -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "core.autocrlf=false")
    done = subprocess.run(["git", *who, *arguments], input=given.encode(), capture_output=True, check=True)
    return done.stdout.decode()


@pytest.fixture
def checkout(folder: Path) -> Path:
    """The working directory as a real checkout, with one page committed."""
    shutil.rmtree(folder / ".git")
    git("init", "-q")
    write(folder / "pages" / "acme.yaml", "# mine\nid: bio_1\ntitle: Old\n")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    return folder


def test_a_new_file_is_written_as_a_person_would(start_sandbox: Start, folder: Path, run: Run) -> None:
    sandbox = start_sandbox([ACME])
    done = run("pull", "--all")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "new        pages/acme.yaml  bio_1\nPulled 1 page: 1 new. API: 1 call used, 999,999 left this month.\n"
    )
    assert (folder / "pages" / "acme.yaml").read_text() == (
        "# yaml-language-server: $schema=https://bio-sync.github.io/bio-sync/schemas/page.schema.json\n"
        "id: bio_1\n"
        "title: Acme\n"
        'description: ""\n'
        "published: true\n"
        "page_data:\n"
        "  theme: dark\n"
        "  links:\n"
        "    - label: A\n"
        "      url: https://a.example/a\n"
        "    - label: B\n"
        "      url: https://a.example/b\n"
    )
    assert [call.path for call in sandbox.calls] == ["/api/v1/bio/pages"]


SLUGS = st.text(max_size=80) | st.sampled_from(("con", "LPT1", "aux.", "bio-sync", "x" * 200, "../../etc"))


@given(SLUGS, st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True), st.lists(st.text(max_size=3)))
def test_every_slug_gives_a_name_that_every_file_system_takes(slug: str, page_id: str, others: list[str]) -> None:
    page = strategies.live_page(CONTENT, page_id, slug=slug)
    taken: set[str] = {*others}
    names = []
    for _ in range(3):
        names.append(file_stem(page, taken, lambda _: False))
        taken.add(names[-1])
    assert len({*names, *others}) == len({*others}) + 3
    for name in names:
        assert re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,140}", name)
        assert not re.fullmatch(r"con|prn|aux|nul|(com|lpt)[0-9]|bio-sync", name)


CONTENT = PageContent("T", None, {}, published=True)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 64, "there are no page files yet: give PAGE_IDs, or --all for every live page."),
        (("",), 64, "an argument is empty"),
        (("--dir", ""), 64, "an argument is empty"),
        (("--all", "bio_1"), 64, "--all takes every page: give it, or PAGE_IDs, not both."),
        (("bio_1", "bio_9"), 1, "page bio_9 is not in this workspace"),
        (("bio_9",), 1, "page bio_9 is not in this workspace"),
        (("pages/none.yaml",), 1, "pages/none.yaml: there is no such file or folder"),
        (("none",), 1, "page none is not in this workspace"),
        (("a b\x1b?",), 64, "is no id of a page, such as bio_abc123, and no file."),
        (("--all", "--dir", "out"), 1, "out leads out of the repository"),
        (("--all", "--dir", "file"), 1, "file is no folder"),
        (("--all", "--dir", "file/inner"), 1, "file/inner"),
    ],
)
def test_what_can_not_be_pulled_is_named_and_nothing_is_written(
    start_sandbox: Start, folder: Path, run: Run, tmp_path_factory: pytest.TempPathFactory,
    arguments: tuple[str, ...], code: int, words: str,
) -> None:  # fmt: skip
    start_sandbox([ACME])
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / "out").symlink_to(elsewhere)
    write(folder / "file", "")
    done = run("pull", *arguments)
    assert (done.code, words in done.err, "Traceback" in done.err, "\x1b" in done.err) == (code, True, False, False)
    assert list(elsewhere.iterdir()) == []
    assert not (folder / "pages").exists()


def test_a_file_with_a_problem_stops_the_pull_before_any_call(start_sandbox: Start, folder: Path, run: Run) -> None:
    sandbox = start_sandbox([ACME])
    write(folder / "pages" / "acme.yaml", "id: bio_1\ntitel: Old\n")
    done = run("pull")
    assert (done.code, sandbox.calls) == (1, [])
    assert "did you mean 'title'?" in done.out


# What stays


def test_what_a_file_leaves_out_and_what_it_notes_stays(start_sandbox: Start, folder: Path, run: Run) -> None:
    start_sandbox([ACME])
    text = "id: bio_1 # hers\nx-owner: Ann\npage_data:\n  x-why: because\n  links: []\nignore: [/page_data/theme]\n"
    write(folder / "pages" / "acme.yaml", text)
    assert run("pull", "--force").code == 0
    new = "  links:\n    - label: A\n      url: https://a.example/a\n    - label: B\n      url: https://a.example/b\n"
    assert (folder / "pages" / "acme.yaml").read_text() == text.replace("  links: []\n", new)


def test_what_no_file_can_hold_is_told_and_left_alone(start_sandbox: Start, folder: Path, run: Run) -> None:
    start_sandbox([{**ACME, "page_data": {"a": "\x1b[31m", "theme": "neon", "links": [link("A", show_from="soon")]}}])
    path = write(folder / "pages" / "acme.yaml", "id: bio_1\npage_data: {}\nignore: # own\n  - /page_data/b\n")
    done = run("pull", "--force")
    assert done.code == 0
    assert done.err == (
        "warning: pages/acme.yaml: /page_data/a is left as it is live: it holds a character that no file may hold\n"
        "warning: pages/acme.yaml: /page_data/links/*/show_from is left as it is live:"
        " in a file, 'show_from' says when a link shows\n"
        "warning: pages/acme.yaml: /page_data/theme is left as it is live:"
        " 'neon' is not a theme that the service knows\n"
    )
    assert path.read_text() == (
        "id: bio_1\npage_data:\n  links:\n    - label: A\n      url: https://a.example/a\nignore: # own\n"
        "  - /page_data/b\n  - /page_data/a\n  - /page_data/links/*/show_from\n  - /page_data/theme\n"
    )


# The patch


@pytest.mark.parametrize(
    "text", ["\ufeffid: bio_1\ntitle: Old\t# tab\n", page_file("CAB"), "id: bio_1\ntitle: Old # é 🥐"]
)
def test_the_patch_of_a_dry_run_is_what_a_pull_writes(
    start_sandbox: Start, checkout: Path, run: Run, text: str
) -> None:
    start_sandbox([ACME, OTHER])
    write(checkout / "pages" / "my own acme.yaml", text)
    (checkout / "pages" / "acme.yaml").unlink()
    git("add", ".")
    git("commit", "-q", "-m", "two")
    before = contents(checkout / "pages")
    done = run("pull", "--all", "--dry-run")
    assert (done.code, done.err) == (
        0,
        "Would pull 2 pages: 1 new, 1 changed. API: 1 call used, 999,999 left this month.\n",
    )
    assert contents(checkout / "pages") == before
    assert run("pull", "--all").code == 0
    after = contents(checkout / "pages")
    git("clean", "-qfd")
    git("checkout", "-q", ".")
    git("apply", "--whitespace=nowarn", given=done.out)
    assert contents(checkout / "pages") == after


def test_a_dry_run_of_what_is_the_same_prints_nothing(start_sandbox: Start, folder: Path, run: Run) -> None:
    start_sandbox([ACME])
    write(folder / "pages" / "acme.yaml", "id: bio_1\ntitle: Acme\n")
    done = run("pull", "--dry-run")
    assert (done.code, done.out) == (0, "")
    assert done.err == "Would pull 1 page: 1 unchanged. API: 1 call used, 999,999 left this month.\n"


def test_a_name_that_is_escaped_in_a_patch_is_a_reason_to_warn(start_sandbox: Start, folder: Path, run: Run) -> None:
    start_sandbox([ACME])
    path = write(folder / "pages" / "a\tb.yaml", "id: bio_1\ntitle: Old\n")
    done = run("pull", "--dry-run")
    assert done.out.startswith("--- a/pages/a\\tb.yaml\n+++ b/pages/a\\tb.yaml\n")
    assert "are written as escapes, so this patch may be read, and not applied\n" in done.err
    # Of a file that stays as it is, no name is in the patch.
    path.write_text("id: bio_1\ntitle: Acme\n")
    assert "escapes" not in run("pull", "--dry-run").err


def test_what_acts_on_a_screen_is_shown_in_a_patch(start_sandbox: Start, folder: Path, run: Run) -> None:
    start_sandbox([{**ACME, "title": "##[error]\u200b"}])
    write(folder / "pages" / "acme.yaml", "id: bio_1\ntitle: Old\n# ##[group]\u200b\n")
    done = run("pull", "--dry-run")
    assert (done.code, "##[" in done.out, "\u200b" in done.out) == (0, False, False)
