"""What an apply wrote is taken back, exactly, and nothing that somebody else has written since."""

import json
import re
import shlex
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_sync import journal, undoing
from bio_sync.api import WritingApi
from bio_sync.applying.outcomes import Report
from bio_sync.applying.run import apply_plan
from bio_sync.jsonvalues import Json, normalised
from bio_sync.key import ApiKey
from bio_sync.model import DesiredPage, PageContent
from bio_sync.pages import PageFiles
from bio_sync.planning import Plan
from bio_sync.sandbox import Behaviour, Fault, Sandbox
from bio_sync.workflow import plan_pages
from tests import strategies as some
from tests.conftest import Result, Run
from tests.signals import APPLY, Running, is_new, live_pages, write_pages

Start = Callable[..., Sandbox]
Page = dict[str, Any]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
FIELDS = ("title", "description", "page_data", "is_published")
MANAGED = ("title", "description", "page_data", "published")
LIVE = dict(zip(MANAGED, FIELDS, strict=True))
IGNORED = ("/title", "/description", "/published", "/page_data/theme", "/page_data/links/*/badge", "/page_data/links/1")


class Workspace:
    """Live pages behind a real API, and runs against them that keep their journals."""

    def __init__(self, sandbox: Sandbox, api: WritingApi, folder: Path) -> None:
        self.sandbox, self.api, self.folder = sandbox, api, folder
        self.report = Report(())
        self.writes = 0

    def apply(self, desired: Sequence[DesiredPage]) -> Path | None:
        """Write wanted pages; gives the journal, if there was anything to write."""
        files = PageFiles(tuple(desired), (), (), len(desired), whole=False, at=NOW)
        made = plan_pages(files, self.api, now=NOW)
        return self._carried_out(made, desired, "apply")

    def undo(self, path: Path, *, overwrite: bool = False) -> Path | None:
        """Take back what a journal holds; gives the journal of that."""
        undo = undoing.plan_undo(journal.read_journal(str(path)), self.api, now=NOW, overwrite=overwrite)
        self.edited, self.invalid = undo.edited, undo.invalid
        return self._carried_out(undo.plan, undo.desired, "undo")

    def _carried_out(self, plan: Plan, desired: Sequence[DesiredPage], command: str) -> Path | None:
        self.writes = plan.writes
        pages = plan.summary["pages"]
        begun = journal.begun(plan, desired, command=command, page_files=pages)
        self.report = apply_plan(plan, desired, self.api, taken_at=time.monotonic())
        if not plan.changes:
            return None
        path = journal.reserved(self.folder, command, NOW)
        path.write_text(journal.dumps(journal.ended(begun, self.report), begun_at=NOW), encoding="utf-8")
        return path

    @property
    def live(self) -> dict[str, dict[str, Json]]:
        """All that can be written, as the service shows it; no description is an empty one."""
        pages = self.sandbox.pages
        fields = {page["id"]: {name: normalised(page[name]) for name in FIELDS} for page in pages}
        return {page_id: {**page, "description": page["description"] or ""} for page_id, page in fields.items()}


@contextmanager
def workspace(pages: list[Page], **behaviour: Any) -> Iterator[Workspace]:
    """Serve a workspace of one's own, for as long as the block takes."""
    limits = {"burst_limit": 10_000, "monthly_limit": 1_000_000} | behaviour
    with (
        TemporaryDirectory() as folder,
        Sandbox(pages, behaviour=Behaviour(**limits)) as sandbox,
        WritingApi(sandbox.url, ApiKey(sandbox.key), sleep=lambda _: None) as api,
    ):
        yield Workspace(sandbox, api, Path(folder))


def live_page(content: PageContent, page_id: str) -> Page:
    page = content.as_json()
    return {"id": page_id, "is_published": page.pop("published"), **page}


def with_notes(page: Page) -> Page:
    """Give a live page with author keys, at the top and in every link."""
    data = {"x-seen": 3, **page["page_data"]}
    links = data.get("links")
    if isinstance(links, list):
        data["links"] = [{"x-note": "ours", **link} if isinstance(link, dict) else link for link in links]
    return page | {"page_data": data}


@st.composite
def wanted_pages(draw: st.DrawFn, content: PageContent, page_id: str) -> DesiredPage:
    """Draw a file that manages some of the fields, and leaves some of that alone."""
    page = some.wanted_page(content, page_id, ignore=tuple(draw(st.lists(st.sampled_from(IGNORED), max_size=2))))
    kept = draw(st.sets(st.sampled_from(MANAGED), min_size=1))
    left_out: dict[str, Any] = dict.fromkeys(name for name in MANAGED if name not in kept)
    return replace(page, **left_out)


# Control characters but tab and newline, surrogates, and what turns the direction of text (Unicode TR 9).
UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def without_unfit(value: Any) -> Any:
    if isinstance(value, dict):
        return {UNFIT.sub("?", key): without_unfit(member) for key, member in value.items()}
    if isinstance(value, list):
        return list(map(without_unfit, value))
    return UNFIT.sub("?", value) if isinstance(value, str) else value


def fit(content: PageContent) -> PageContent:
    """Give a page without what no page file may hold."""
    page = without_unfit(content.as_json())
    links = page["page_data"].get("links", [])
    if not isinstance(links, list) or not all(isinstance(link, dict) and "url" in link for link in links):
        del page["page_data"]["links"]
    if page["page_data"].get("theme") not in {"light", "dark"}:
        page["page_data"].pop("theme", None)
    return PageContent(**page)


def without_twins(content: PageContent) -> PageContent:
    links: Any = content.page_data.get("links")
    if links is None:
        return content
    return with_data(content, links=list({link["url"]: link for link in links}.values()))


def with_data(content: PageContent, **more: Any) -> PageContent:
    return replace(content, page_data={**content.page_data, **more})


fit_contents = some.contents.map(fit)


@st.composite
def workspaces(draw: st.DrawFn) -> tuple[list[Page], list[DesiredPage]]:
    """Draw live pages, some with author keys, and files for most of them."""
    drawn = draw(st.lists(some.pairs_of_contents(), min_size=1, max_size=4))
    pairs = [(fit(before), fit(after)) for before, after in drawn]
    pages = [live_page(before, f"bio_{n}") for n, (before, _) in enumerate(pairs)]
    if draw(st.booleans()):
        # Which of two twins has a note is not kept.
        pairs = [(without_twins(before), without_twins(after)) for before, after in pairs]
        pages = [with_notes(live_page(before, f"bio_{n}")) for n, (before, _) in enumerate(pairs)]
    files = [draw(wanted_pages(after, f"bio_{n}")) for n, (_, after) in enumerate(pairs)]
    return pages, files[: max(1, len(files) - draw(st.integers(0, 1)))]


@settings(max_examples=settings().max_examples // 5)
@given(workspaces())
def test_undo_gives_back_every_page_exactly_its_undo_the_applied_ones_and_a_second_one_writes_nothing(
    drawn: tuple[list[Page], list[DesiredPage]],
) -> None:
    pages, files = drawn
    with workspace(pages) as here:
        before = here.live
        applied = here.apply(files)
        after = here.live
        if applied is None:
            assert after == before
            return
        undone = here.undo(applied)
        assert (here.edited, here.live) == ((), before)
        assert here.undo(applied) is None
        assert (here.writes, here.live) == (0, before)
        assert undone
        here.undo(undone)
        assert (here.edited, here.live) == ((), after)


def holds(whole: Json, part: Json) -> bool:
    """Tell whether all of `part` stands in `whole`, as it does on a server that merges."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(key in whole and holds(whole[key], value) for key, value in part.items())
    return whole == part


@settings(max_examples=settings().max_examples // 10)
@given(workspaces())
def test_on_a_server_that_merges_undo_gives_back_all_that_was_there_and_takes_no_leftover_for_an_edit(
    drawn: tuple[list[Page], list[DesiredPage]],
) -> None:
    pages, files = drawn
    with workspace(pages, patch="merge") as here:
        before = here.live
        applied = here.apply([replace(page, ignore=()) for page in files])
        if applied is None:
            return
        here.undo(applied)
        assert here.edited == ()
        whole = {outcome.page_id for outcome in here.report.outcomes if outcome.outcome in {"applied", "unchanged"}}
        assert all(holds(page["page_data"], before[page_id]["page_data"]) for page_id, page in here.live.items())
        assert {page_id: here.live[page_id] for page_id in whole} == {page_id: before[page_id] for page_id in whole}


def is_nobody_s(now: Json, left: Json, before: Json) -> bool:
    """Tell whether all of a value was left by the run, or was there before it: nothing of it is an edit's own."""
    if now in (left, before):
        return True
    if isinstance(now, list):
        known = [*(left if isinstance(left, list) else ()), *(before if isinstance(before, list) else ())]
        return all(any(is_nobody_s(item, other, other) for other in known) for item in now)
    if not isinstance(now, dict):
        return False
    sides = [side if isinstance(side, dict) else {} for side in (left, before)]
    return all(is_nobody_s(value, sides[0].get(key), sides[1].get(key)) for key, value in now.items())


@settings(max_examples=settings().max_examples // 8)
@given(workspaces(), st.data())
def test_no_edit_since_is_lost_unless_somebody_says_that_it_is_meant(
    drawn: tuple[list[Page], list[DesiredPage]], data: st.DataObject
) -> None:
    pages, files = drawn
    files = [replace(page, ignore=()) for page in files]
    with workspace(pages) as here:
        before = here.live
        applied = here.apply(files)
        if applied is None:
            return
        left = here.live["bio_0"]
        edit = live_page(data.draw(some.contents), "bio_0")
        edit["page_data"] = data.draw(some.edited(some.as_object(left["page_data"])) | st.just(edit["page_data"]))
        fields = data.draw(st.sets(st.sampled_from(FIELDS), min_size=1))
        here.sandbox.edit("bio_0", **{name: edit[name] for name in fields})
        edited = here.live["bio_0"]
        here.undo(applied)
        now = here.live
        assert {page_id: now[page_id] for page_id in now if page_id != "bio_0"} == {
            page_id: before[page_id] for page_id in now if page_id != "bio_0"
        }
        if here.edited:
            (outcome,) = here.edited
            assert (outcome.page_id, outcome.outcome, outcome.reason) == ("bio_0", "failed", "drifted")
            assert now["bio_0"] == edited
            here.undo(applied, overwrite=True)
            touched = next(page for page in journal.read_journal(str(applied)).pages if page.page_id == "bio_0").touched
            assert all(here.live["bio_0"][LIVE[name]] == before["bio_0"][LIVE[name]] for name in touched)
        for name, value in now["bio_0"].items():
            assert value == edited[name] or is_nobody_s(edited[name], left[name], before["bio_0"][name])


ACME: Page = {
    "id": "bio_acme",
    "title": "Acme",
    "page_data": {
        "theme": "dark",
        "lab": {"group": "b"},
        "links": [
            {"label": "Website", "url": "https://acme.com", "clicks": 7},
            {"label": "Shop", "url": "https://shop.acme.com", "clicks": 3},
        ],
    },
}
ACME_FILE = {
    "id": "bio_acme",
    "title": "Acme Inc",
    "page_data": {"theme": "light", "links": [{"label": "Website", "url": "https://acme.com"}]},
    "ignore": ["/page_data/links/*/clicks", "/page_data/lab"],
}


def pages_and_files(start: Start, *pairs: tuple[Page, Page]) -> Sandbox:
    """Serve pages, and write a file for each, named after its page."""
    Path("pages").mkdir()
    for page, file in pairs:
        (Path("pages") / f"{page['id'].removeprefix('bio_')}.yaml").write_text(json.dumps(file), encoding="utf-8")
    return start([page for page, _ in pairs])


def old_and_new(count: int, **more: Any) -> list[tuple[Page, Page]]:
    return [({"id": f"bio_{n}", "title": "Old", **more}, {"id": f"bio_{n}", "title": "New"}) for n in range(count)]


def applied(run: Run, *arguments: str) -> str:
    """Apply, and give the name of the journal."""
    result = run("apply", "--yes", "--force", "--format", "json", *arguments)
    name: str = json.loads(result.out)["journal"]
    return name


def undone(run: Run, *arguments: str) -> tuple[Result, dict[str, tuple[str, str | None]]]:
    result = run("undo", "--yes", "--format", "json", *arguments)
    outcomes = json.loads(result.out)["outcomes"]
    return result, {each["page_id"]: (each["outcome"], each["reason"]) for each in outcomes}


def writes(sandbox: Sandbox) -> int:
    return sum(call.method != "GET" for call in sandbox.requests)


def titles(sandbox: Sandbox) -> list[str]:
    return [page["title"] for page in sandbox.pages]


@pytest.fixture
def acme(folder: Path, start_sandbox: Start) -> Sandbox:
    return pages_and_files(start_sandbox, (ACME, ACME_FILE))


def test_undo_shows_an_ordinary_plan_writes_it_and_says_what_is_left_to_do(acme: Sandbox, run: Run) -> None:
    name = applied(run)
    before = len(acme.requests)
    result = run("undo", name, "--yes")
    assert result.code == 0
    assert result.out.startswith("~ Acme Inc  pages/acme.yaml\n")
    assert '    ~ title   "Acme Inc" → "Acme"\n' in result.out
    assert '+ link 2  "Shop"  https://shop.acme.com' in result.out
    assert "applied    pages/acme.yaml  update\nPages: 1 applied. API: 2 calls used" in result.out
    # One GET for one page, and the write.
    assert [call.method for call in acme.requests[before:]] == ["GET", "PATCH"]
    own, files = result.err.splitlines()
    assert own.startswith("to take it back: bio-sync undo .bio-sync/undo-2")
    assert (
        files == "the page files still hold what was undone: revert their commit too, or the next apply writes it again"
    )
    again = run("undo", own.rpartition(" ")[2], "--yes", "--force")
    assert (again.code, titles(acme)) == (0, ["Acme Inc"])
    assert "the page files" not in again.err


def test_a_link_comes_back_with_what_is_ignored_in_it(acme: Sandbox, run: Run) -> None:
    assert undone(run, applied(run))[0].code == 0
    assert acme.page("bio_acme")["page_data"] == ACME["page_data"]


def test_what_is_ignored_is_nobody_s_edit_and_stays_as_it_is_now(acme: Sandbox, run: Run) -> None:
    name = applied(run)
    data = acme.page("bio_acme")["page_data"]
    data["links"][0]["clicks"], data["lab"] = 8, {"group": "a"}
    acme.edit("bio_acme", page_data=data)
    assert undone(run, name)[1] == {"bio_acme": ("applied", None)}
    now = acme.page("bio_acme")["page_data"]
    assert (now["lab"], now["theme"], now["links"][0]["clicks"]) == ({"group": "a"}, "dark", 8)
    assert [link["label"] for link in now["links"]] == ["Website", "Shop"]


EVERY_FIELD: Page = {"title": "Old", "description": "old", "page_data": {"theme": "dark"}, "published": False}
NEW: Page = {"title": "New", "description": "new", "page_data": {"theme": "light"}, "published": True}
THEIRS: Page = {"title": "Theirs", "description": "theirs", "page_data": {"theme": "neon"}, "published": True}


@pytest.mark.parametrize("touched", MANAGED)
def test_fields_that_the_apply_has_not_touched_are_neither_edits_nor_undone(
    folder: Path, start_sandbox: Start, run: Run, touched: str
) -> None:
    page = {"id": "bio_0", **{LIVE[name]: value for name, value in EVERY_FIELD.items()}}
    # What the file wants as it is already was not touched either.
    sandbox = pages_and_files(start_sandbox, (page, {"id": "bio_0", **EVERY_FIELD, touched: NEW[touched]}))
    name = applied(run)
    sandbox.edit("bio_0", **{LIVE[name]: value for name, value in THEIRS.items() if name != touched})
    assert undone(run, name)[1] == {"bio_0": ("applied", None)}
    live = sandbox.page("bio_0")
    assert {name: live[LIVE[name]] for name in MANAGED} == {**THEIRS, touched: EVERY_FIELD[touched]}


def test_an_edited_page_is_named_with_the_place_and_the_others_are_undone(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    sandbox = pages_and_files(start_sandbox, *old_and_new(3))
    name = applied(run)
    sandbox.edit("bio_1", title="Theirs \x1b[31m")
    result = run("undo", name, "--yes")
    assert (result.code, titles(sandbox)) == (3, ["Old", "Theirs \x1b[31m", "Old"])
    edit = "/title is 'Theirs \\x1b[31m' now"
    left = "was edited since the apply, and is left as it is (--overwrite-edits undoes it too)"
    assert f"! pages/1.yaml {left}: {edit}\n" in result.out
    not_undone = f"edited since the apply and not undone: {edit}; --overwrite-edits undoes it too"
    assert f"failed     pages/1.yaml  {not_undone}\n" in result.out
    assert "Pages: 2 applied, 1 failed." in result.out
    assert "\x1b" not in result.out + result.err
    sent = writes(sandbox)
    alone = run("undo", name, "--yes")
    assert (alone.code, writes(sandbox)) == (1, sent)
    assert alone.out.startswith("Nothing to undo: 2 pages as before, 1 page edited since.\nAPI:  1 call used")
    assert "\nPages: 2 unchanged, 1 failed." in alone.out
    assert alone.err == ""
    assert undone(run, name)[1] == {
        "bio_0": ("unchanged", None),
        "bio_1": ("failed", "drifted"),
        "bio_2": ("unchanged", None),
    }
    assert undone(run, name, "--force")[1]["bio_1"] == ("failed", "drifted")
    assert writes(sandbox) == sent
    meant = run("undo", name, "--yes", "--overwrite-edits")
    assert (meant.code, titles(sandbox)) == (0, ["Old"] * 3)
    assert f"! pages/1.yaml was edited since the apply, and --overwrite-edits overwrites that: {edit}\n" in meant.out


def test_consent_to_overwrite_edits_is_none_to_what_the_guards_hold_back(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    page = {"id": "bio_0", "title": "Old", "is_published": False, "view_count": 9}
    sandbox = pages_and_files(start_sandbox, (page, {"id": "bio_0", "title": "New", "published": True}))
    name = applied(run)
    sandbox.edit("bio_0", title="Theirs")
    assert undone(run, name, "--overwrite-edits")[1] == {"bio_0": ("skipped", "unsafe")}
    assert titles(sandbox) == ["Theirs"]
    # It takes no files, and an apply of them would write what is to be taken back.
    held_back = run("undo", name, "--yes", "--overwrite-edits").err
    assert held_back.endswith("; if all of it is meant, give --force (--yes is no consent to this)\n")
    assert undone(run, name, "--overwrite-edits", "--force")[1] == {"bio_0": ("applied", None)}
    assert titles(sandbox) == ["Old"]


def test_a_page_that_is_gone_is_named_and_the_others_are_undone(folder: Path, start_sandbox: Start, run: Run) -> None:
    sandbox = pages_and_files(start_sandbox, *old_and_new(2))
    name = applied(run)
    sandbox.remove("bio_0")
    result, outcomes = undone(run, name)
    assert (result.code, outcomes) == (3, {"bio_0": ("failed", "gone"), "bio_1": ("applied", None)})
    assert run("undo", name, "--yes").out.startswith("Nothing to undo: 1 page as before, 1 page not found.\n")


def test_a_publication_is_taken_back_once_somebody_says_that_its_visitors_are_meant(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    page = {"id": "bio_0", "title": "Old", "is_published": False, "view_count": 9}
    sandbox = pages_and_files(start_sandbox, (page, {"id": "bio_0", "title": "New", "published": True}))
    name = applied(run)
    held, outcomes = undone(run, name)
    assert (held.code, outcomes) == (1, {"bio_0": ("skipped", "unsafe")})
    assert "pages/0.yaml would vanish from the public: it has 9 views" in held.err
    assert run("undo", name, "--yes", "--force").code == 0
    assert [call.path.rpartition("/")[2] for call in sandbox.requests if call.method == "POST"] == [
        "publish",
        "unpublish",
    ]
    assert (titles(sandbox), sandbox.page("bio_0")["is_published"]) == (["Old"], False)


def test_a_share_of_pages_is_one_of_all_that_the_apply_was_about(folder: Path, start_sandbox: Start, run: Run) -> None:
    alike = [({"id": f"bio_same{n:02}", "title": "T"}, {"id": f"bio_same{n:02}", "title": "T"}) for n in range(14)]
    sandbox = pages_and_files(start_sandbox, *old_and_new(6), *alike)
    name = applied(run)
    held = run("undo", name, "--yes", "--max-changes", "29%")
    assert (held.code, titles(sandbox)[:6]) == (1, ["New"] * 6)
    assert held.err.startswith("error: nothing was written: 6 of 6 pages would change, and the limit is 5\n")
    before = len(sandbox.requests)
    assert run("undo", name, "--yes").code == 0
    assert titles(sandbox)[:6] == ["Old"] * 6
    # One list call, whatever the number of pages.
    assert [call.method for call in sandbox.requests[before:]] == ["GET", *["PATCH"] * 6]


def test_a_journal_can_not_say_that_its_pages_are_a_small_share_of_many(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    alike = [({"id": f"bio_same{n}", "title": "T"}, {"id": f"bio_same{n}", "title": "T"}) for n in range(4)]
    sandbox = pages_and_files(start_sandbox, *old_and_new(6), *alike)
    name = applied(run)
    path = Path(name)
    path.write_text(journal.dumps(replace(journal.read_journal(name), page_files=10**9), begun_at=NOW))
    held = run("undo", name, "--yes")
    assert (held.code, titles(sandbox)[:6]) == (1, ["New"] * 6)
    # 30 % of the ten page files, and where there are none, of the journal's own pages.
    assert held.err.startswith("error: nothing was written: 6 of 6 pages would change, and the limit is 3\n")
    Path("pages").rename("elsewhere")
    assert "6 of 6 pages would change, and the limit is 1\n" in run("undo", name, "--yes").err
    Path("elsewhere").rename("pages")
    # As it was then: a run that was about these six alone is not one about ten.
    path.write_text(journal.dumps(replace(journal.read_journal(name), page_files=6), begun_at=NOW))
    assert "6 of 6 pages would change, and the limit is 1\n" in run("undo", name, "--yes").err
    assert run("undo", name, "--yes", "--max-changes", "100%").code == 0
    assert titles(sandbox)[:6] == ["Old"] * 6


def test_a_journal_of_another_service_is_refused_before_a_call(acme: Sandbox, run: Run, start_sandbox: Start) -> None:
    name = applied(run)
    other = start_sandbox([ACME])
    result = run("undo", name, "--yes", "--force", "--format", "json")
    assert (result.code, other.requests) == (1, [])
    error = json.loads(result.out)["error"]
    assert error["message"] == f"the journal was written at {acme.url}, and this is {other.url}"
    assert error["reason"] == "invalid"


def test_without_a_journal_the_newest_one_is_named(acme: Sandbox, run: Run, folder: Path) -> None:
    name = applied(run)
    older = folder / ".bio-sync" / "undo-20200101T000000Z.json"
    older.write_text("{}", encoding="utf-8")
    # Of one second, the one with the highest number.
    stem = name.removesuffix(".json")
    for number in (2, 10):
        (folder / f"{stem}-{number}.json").write_text("{}", encoding="utf-8")
    result = run("undo", "--yes")
    assert (result.code, titles(acme)) == (64, ["Acme Inc"])
    assert result.err.splitlines()[0] == f"error: JOURNAL is missing: the newest is {stem}-10.json."
    for path in (folder / ".bio-sync").glob("*.json"):
        path.unlink()
    assert run("undo").err.splitlines()[0] == "error: JOURNAL is missing: there is none in .bio-sync/."


def test_without_a_terminal_undo_wants_a_yes(acme: Sandbox, run: Run) -> None:
    name = applied(run)
    result = run("undo", name)
    assert (result.code, titles(acme)) == (1, ["Acme Inc"])
    assert result.err == "error: nobody can be asked: this is no terminal\nhint: give --yes\n"
    # What no yes would help comes first.
    assert run("undo", "nope.json").err.startswith("error: nope.json can't be read: No such file")


CODE = ("javascript:alert(1)", "java\tscript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "vbscript:x")
HIDDEN = ("\u202egpj", "\u2066x", "\x1b[2J", "a\rb", "\x00", "\x9b", "\ud800")


def with_link(content: PageContent, **more: Any) -> PageContent:
    links: Any = content.page_data.get("links", [])
    return with_data(content, links=[*links, {"label": "Last", "url": "https://last.example", **more}])


SPOILED: tuple[Callable[[PageContent, str], PageContent], ...] = (
    lambda content, text: with_data(content, avatar_url=text),
    lambda content, text: with_data(content, button={"deep": [{"target": text}]}),
    lambda content, text: with_data(content, **{"x-note": text}),
    lambda content, text: with_link(content, url=text),
    lambda content, text: with_link(content, icon=text),
    lambda content, text: with_link(content, **{"x-note": [text]}),
)
SPOILED_TEXT: tuple[Callable[[PageContent, str], PageContent], ...] = (
    lambda content, text: replace(content, title=text),
    lambda content, text: replace(content, description=text),
    lambda content, text: with_link(content, label=text),
    lambda content, text: with_data(content, **{text: 1}),
    lambda content, text: with_data(content, button={f"x-{text}": "x"}),
)


def a_journal(here: Workspace, after: list[PageContent], before: list[PageContent]) -> Path:
    """Write a journal of one's own; its digest is no secret."""
    pages = tuple(
        journal.JournalPage(f"bio_{n}", f"{n}.yaml", (), (), old, new)
        for n, (old, new) in enumerate(zip(before, after, strict=True))
    )
    path = here.folder / "journal.json"
    written = journal.Journal("apply", here.api.address, len(pages), pages)
    path.write_text(journal.dumps(written, begun_at=NOW), encoding="utf-8")
    return path


@st.composite
def spoiled(draw: st.DrawFn, content: PageContent) -> PageContent:
    """Draw a page with something that no page file may hold."""
    if draw(st.booleans()):
        return draw(st.sampled_from(SPOILED))(content, draw(st.sampled_from(CODE)))
    return draw(st.sampled_from(SPOILED + SPOILED_TEXT))(content, draw(st.sampled_from(HIDDEN)))


def test_no_disguise_of_code_and_no_hidden_character_comes_back_at_any_place_of_a_page() -> None:
    plain = PageContent("T", "d", {"theme": "dark"}, published=False)
    bad = [spoil(plain, text) for spoil in SPOILED for text in CODE + HIDDEN]
    bad += [spoil(plain, text) for spoil in SPOILED_TEXT for text in HIDDEN]
    with workspace([live_page(plain, f"bio_{n}") for n in range(len(bad))]) as here:
        live = here.live
        assert here.undo(a_journal(here, [plain] * len(bad), bad)) is None
        assert [outcome.page_id for outcome in here.invalid] == sorted(live)
        assert here.live == live


@settings(max_examples=settings().max_examples // 6)
@given(st.lists(fit_contents, min_size=2, max_size=4), st.data())
def test_whatever_a_journal_holds_only_pages_come_back_that_a_file_could_hold_and_all_of_those(
    now: list[PageContent], data: st.DataObject
) -> None:
    with workspace([live_page(content, f"bio_{n}") for n, content in enumerate(now)]) as here:
        live = here.live
        before = [data.draw(fit_contents) for _ in now]
        bad = {n: data.draw(spoiled(content)) for n, content in enumerate(before) if n and data.draw(st.booleans())}
        here.undo(a_journal(here, now, [bad.get(n, content) for n, content in enumerate(before)]))
        reasons = {outcome.page_id: (outcome.outcome, outcome.reason) for outcome in here.invalid}
        assert reasons == {f"bio_{n}": ("failed", "invalid") for n in bad}
        after = here.live
        for n, content in enumerate(before):
            wanted = {LIVE[name]: normalised(value) for name, value in content.as_json().items()}
            wanted["description"] = wanted["description"] or ""
            assert after[f"bio_{n}"] == (live[f"bio_{n}"] if n in bad else wanted)


def test_a_link_that_ran_code_before_the_apply_does_not_come_back_and_the_other_pages_do(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    old = {"theme": "neon", "links": [{"label": "Shop", "url": "java\tscript:alert(1)"}]}
    new = {"theme": "dark", "links": [{"label": "Shop", "url": "https://shop.acme.com"}]}
    acme = ({"id": "bio_acme", "title": "Acme", "page_data": old}, {"id": "bio_acme", "page_data": new})
    sandbox = pages_and_files(start_sandbox, acme, *old_and_new(1))
    name = applied(run)
    result = run("undo", name, "--yes", "--force", "--overwrite-edits")
    assert (result.code, titles(sandbox), sandbox.page("bio_acme")["page_data"]) == (3, ["Acme", "Old"], new)
    why = (
        "not undone, since no page file may hold what would come back: /page_data/links/0/url: "
        "'java\\tscript:alert(1)' is what a browser would take for code; /page_data/theme: 'neon' is not a theme that "
        "the service knows; write into the file what is to stand there"
    )
    assert f"! pages/acme.yaml is {why}\n" in result.out
    assert f"failed     pages/acme.yaml  {why}\n" in result.out
    assert "Pages: 1 applied, 1 failed." in result.out
    alone = run("undo", name, "--yes")
    assert (alone.code, alone.err) == (1, "")
    assert alone.out.startswith("Nothing to undo: 1 page as before, 1 page against the rules of page files.\n")
    assert undone(run, name)[1] == {"bio_acme": ("failed", "invalid"), "bio_0": ("unchanged", None)}
    sandbox.edit("bio_acme", page_data=new | {"theme": "light"})
    both = run("undo", name, "--yes")
    assert (both.code, both.out.count("pages/acme.yaml")) == (1, 1)
    assert sandbox.page("bio_acme")["page_data"]["theme"] == "light"


def test_what_is_ignored_in_a_link_that_comes_back_keeps_to_the_rules_too(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    shop = {"label": "Shop", "url": "https://shop.acme.com", "clicks": "data:text/html,x"}
    sandbox = pages_and_files(start_sandbox, (ACME | {"page_data": {"links": [shop]}}, ACME_FILE))
    name, sent = applied(run), writes(sandbox)
    assert undone(run, name, "--force")[1] == {"bio_acme": ("failed", "invalid")}
    assert writes(sandbox) == sent


def test_what_a_page_holds_already_and_keeps_is_no_reason_to_leave_it(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    def links(*names: str) -> list[Json]:
        return [{"label": name, "url": "javascript:1" if name == "odd" else f"https://{name}.com"} for name in names]

    odd = {"theme": "neon", "buttons": "data:x"}
    new = {"id": "bio_0", "title": "New", "description": "\u202e", "page_data": odd | {"links": links("odd", "a", "b")}}
    sandbox = pages_and_files(start_sandbox, (new | {"title": "Old"}, {"id": "bio_0", "title": "New"}))
    name = applied(run)
    assert undone(run, name)[1] == {"bio_0": ("applied", None)}
    # The same with a run that wrote its page data: the odd link has moved, and beside it something comes back.
    read = journal.read_journal(name)
    (page,) = read.pages
    old: dict[str, Json] = {**odd, "links": links("a", "b", "odd", "c"), "button": "x"}
    page = replace(page, before=replace(page.before, page_data=old))
    Path(name).write_text(journal.dumps(replace(read, pages=(page,)), begun_at=NOW))
    sandbox.edit("bio_0", title="New")
    assert undone(run, name, "--force")[1] == {"bio_0": ("applied", None)}
    live = sandbox.page("bio_0")
    assert (live["title"], live["description"], live["page_data"]) == ("Old", "\u202e", old)


def test_of_many_problems_the_first_are_told_and_all_that_is_told_is_safe_to_look_at(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    sandbox = pages_and_files(start_sandbox, *old_and_new(1))
    name = applied(run)
    read = journal.read_journal(name)
    page = read.pages[0]
    data: Page = {f"\x1b]0;{n}": "\u202e" for n in range(4)} | {"x-note": "data:text/html,x"}
    before = replace(page.before, title="\x9b2J", page_data=data)
    hostile = replace(page, before=before, file="\x1b[2J::error::x")
    Path(name).write_text(journal.dumps(replace(read, pages=(hostile,)), begun_at=NOW))
    sent = writes(sandbox)
    result = run("undo", name, "--yes", "--force")
    assert (result.code, writes(sandbox)) == (1, sent)
    assert "'data:text/html,x' is what a browser would take for code" not in result.out
    assert "/title: the control character \\x9b is not allowed; " in result.out
    assert "; and 3 more; write into the file what is to stand there\n" in result.out
    assert all(line.isprintable() and not line.startswith("::") for line in (result.out + result.err).splitlines())


def test_the_way_back_can_be_typed_whatever_the_journal_is_called(acme: Sandbox, run: Run) -> None:
    told = run("apply", "--yes", "--journal", "-x y\u202e.json").err.removeprefix("to take it back: ").strip()
    assert told == "bio-sync undo \"$(printf './-x\\040y\\342\\200\\256.json')\""
    told = run("undo", "./-x y\u202e.json", "--yes", "--journal", "-x y.json").err.splitlines()[0]
    assert told == "to take it back: bio-sync undo './-x y.json'"
    assert run(*shlex.split(told)[5:], "--yes", "--force").code == 0
    assert titles(acme) == ["Acme Inc"]


# What an apply of three pages writes, the second of which is published too.
WRITES = ("PATCH bio_0", "PATCH bio_1", "POST bio_1/publish", "PATCH bio_2")


@pytest.mark.parametrize("count", range(1, len(WRITES)))
def test_the_journal_of_a_run_that_was_killed_after_so_many_writes_takes_them_back(
    folder: Path, start_sandbox: Start, run: Run, count: int
) -> None:
    write_pages(folder, 3, published=[1])
    sandbox = start_sandbox(live_pages(3))
    sandbox.fail(Fault(wire="hang", skip=count, after=True))
    with Running(sandbox, *APPLY) as running:
        running.until(lambda: len(sandbox.history) == count, f"{count} writes").signal(signal.SIGKILL).end()
    sandbox.faults.clear()
    (path,) = (folder / ".bio-sync").glob("*.json")
    assert json.loads(path.read_text("utf-8"))["finished"] is False
    result, outcomes = undone(run, str(path), "--force")
    assert result.code == 0
    begun = {call.split()[1].partition("/")[0] for call in WRITES[:count]}
    words = {page_id: "applied" if page_id in begun else "unchanged" for page_id in ("bio_0", "bio_1", "bio_2")}
    assert outcomes == {page_id: (word, None) for page_id, word in words.items()}
    assert not any(map(is_new, sandbox.pages))
    assert not any(page["is_published"] for page in sandbox.pages)
    assert run("undo", str(path), "--yes").out.startswith("Nothing to undo. All 3 pages are as before.\n")
