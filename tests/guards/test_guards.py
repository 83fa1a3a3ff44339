"""What needs `--force`: a table, properties against a second count, and each refusal from outside."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bio_sync.applying.guards import USUAL_LIMIT, Limit, check_guards, objections
from bio_sync.errors import Unsafe
from bio_sync.jsonvalues import JsonObject, normalised
from bio_sync.model import DesiredPage, LivePage, PageContent
from bio_sync.planning import Circumstances, Plan, make_plan
from bio_sync.sandbox import Sandbox
from tests import strategies as some
from tests.conftest import Run
from tests.guards import check_json, check_outcomes, check_text, nothing_written, safe_to_look_at, write_pages, writes

Start = Callable[..., Sandbox]
NOW = Circumstances("0", "2026-11-22T10:00:00Z", "https://xqr.co/api/v1", 1, None)
HINT = (
    "look at the plan again; if all of it is meant, give --force (--yes is no consent to this)"
    ", or name the files of which it is: bio-sync apply FILE --force"
)
COMMAND = [sys.executable, "-P", "-m", "bio_sync"]
GONE = "{} of {} pages are not in this workspace: is the key the right one?"


# ---------------------------------------------------------------------------------------------------------------------
# The count, as values


@dataclass(frozen=True)
class Case:
    """One page: what is live (None: nothing is), and what its file wants."""

    before: Any = field(default_factory=list)
    after: Any = field(default_factory=list)
    title: str = "Old"
    shown: bool = False
    wanted_shown: bool | None = None
    views: int = 0
    live: bool = True

    def pages(self, number: int) -> tuple[DesiredPage, LivePage | None]:
        page_id = f"bio_{number:03}"
        now = PageContent("Old", "", _data(self.before), published=self.shown)
        wanted = DesiredPage(page_id, f"p{number:03}", self.title, None, _data(self.after), self.wanted_shown)
        return wanted, some.live_page(now, page_id, views=self.views) if self.live else None


def _data(links: Any) -> JsonObject:
    return some.as_object(normalised({} if links is ... else {"links": links}))


def links(count: int) -> list[Any]:
    return [{"label": f"L{n}", "url": f"https://{n}.example"} for n in range(count)]


def plan_of(cases: Sequence[Case]) -> Plan:
    pages = [case.pages(number) for number, case in enumerate(cases)]
    live = {page.page_id: page for _, page in pages if page is not None}
    return make_plan([wanted for wanted, _ in pages], live, circumstances=NOW)


SAME, RENAMED, AWAY = Case(), Case(title="New"), Case(live=False)


@pytest.mark.parametrize(
    ("text", "changes", "pages", "passed"),
    [
        ("0", 1, 1, True),
        ("0%", 1, 1_000_000, True),
        ("0 %", 1, 1, True),
        ("1", 1, 1, False),
        ("1", 2, 2, True),
        ("9", 9, 9, False),
        ("9", 10, 10, True),
        ("30%", 3, 10, False),
        ("30 %", 3, 10, False),
        ("30 %", 4, 10, True),
        ("30%", 1, 3, True),
        ("33%", 1, 3, True),
        ("34%", 1, 3, False),
        ("100%", 7, 7, False),
        ("099%", 99, 100, False),
        ("99%", 100, 100, True),
        ("999999999", 10_000, 10_000, False),
        ("1" + "0" * 5000, 10_000, 10_000, False),
        ("0" * 5000 + "1", 2, 2, True),
        ("0" * 5000 + "1%", 2, 100, True),
    ],
)
def test_a_limit_is_a_number_or_an_exact_share(text: str, changes: int, pages: int, passed: bool) -> None:
    assert Limit.read(text).is_passed(changes, pages) == passed


NO_LIMITS = (
    *("", " ", "%", " %", "30 %%", "%30", "30%%", "30 % ", " 30%", "30  %", "30\t%", "30\n", "30%\n", "10 "),
    *(
        "-1",
        "+1",
        "1.0",
        "1e3",
        "0x10",
        "1_000",
        "1,000",
        "many",
        "٣",
        "³",
        "３",
        "30\u00a0%",
        "30\N{FULLWIDTH PERCENT SIGN}",
    ),
    *("101%", "1000000%", "1" + "0" * 5000 + "%", "\x1b[2J", "nan", "inf"),
)


@pytest.mark.parametrize("text", NO_LIMITS, ids=ascii)
def test_anything_else_is_none_and_is_not_repeated_at_length(text: str) -> None:
    with pytest.raises(ValueError, match="is neither a number of pages nor a share such as 30%") as caught:
        Limit.read(text)
    assert len(str(caught.value)) < 160
    assert safe_to_look_at(str(caught.value))


@given(st.integers(0, 100), st.integers(0, 400), st.integers(1, 400))
def test_a_share_is_passed_as_fractions_say(percent: int, changes: int, pages: int) -> None:
    assert Limit.read(f"{percent}%").is_passed(changes, pages) == (
        changes >= 1 and Fraction(changes, pages) > Fraction(percent, 100)
    )


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_number_is_passed_by_a_larger_one(number: int, changes: int) -> None:
    assert Limit.read(str(number)).is_passed(changes, 500) == (changes > number)


@pytest.mark.parametrize(
    ("changed", "pages", "said"),
    [
        (1, 1, []),
        (4, 4, []),
        (5, 5, ["5 of 5 pages would change, and the limit is 30 %"]),
        (5, 16, ["5 of 16 pages would change, and the limit is 30 %"]),
        (5, 17, []),
        (6, 20, []),
        (7, 20, ["7 of 20 pages would change, and the limit is 30 %"]),
        (300, 1000, []),
        (301, 1000, ["301 of 1,000 pages would change, and the limit is 30 %"]),
    ],
)
def test_by_default_it_is_more_than_thirty_per_cent_and_five_pages_at_least(
    changed: int, pages: int, said: list[str]
) -> None:
    assert objections(plan_of([RENAMED] * changed + [SAME] * (pages - changed))) == said


def test_an_explicit_limit_counts_from_the_first_page() -> None:
    plan = plan_of([RENAMED, SAME, SAME])
    assert objections(plan) == []
    assert objections(plan, Limit.read("30%")) == ["1 of 3 pages would change, and the limit is 30 %"]
    assert objections(plan, Limit.read("0")) == ["1 of 3 pages would change, and the limit is 0"]
    assert objections(plan, Limit.read("34%")) == []


def test_a_plan_without_changes_meets_no_objection() -> None:
    assert objections(plan_of([SAME, *[AWAY] * 30]), Limit.read("0")) == []


ALL_OF_TWO = "would lose all its 2 links"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (links(1), [], "would lose its only link"),
        (links(2), [], ALL_OF_TWO),
        (links(2), ..., ALL_OF_TWO),
        (links(2), None, ALL_OF_TWO),
        (links(2), {}, ALL_OF_TWO),
        (links(2), {"a": 1, "b": 2}, ALL_OF_TWO),
        (links(2), "ab", ALL_OF_TWO),
        (links(2), 2, ALL_OF_TWO),
        (links(2), [None, None], ALL_OF_TWO),
        (links(2), links(1), None),
        (links(3), links(2), None),
        (links(3), links(1), "would lose 2 of its 3 links"),
        (links(4), links(2), None),
        (links(5), links(3), None),
        (links(5), links(2), "would lose 3 of its 5 links"),
        (links(2001), links(1000), "would lose 1,001 of its 2,001 links"),
        (links(3), links(3)[::-1], None),
        (links(3), [{"label": "X", "url": "https://x.example"}] * 3, None),
        (links(1), links(9), None),
        ([], links(9), None),
        ([], ..., None),
        (..., [], None),
        (None, links(1), None),
        ({"a": {}, "b": {}}, [], None),
        ("three words here", [], None),
        (7, [], None),
        ([1, "two", None, [3]], [1, "two"], None),
        ([1, "two", None, [3]], [[3]], "would lose 2 of its 3 links"),
    ],
)
def test_links_are_counted_whatever_they_are(before: Any, after: Any, said: str | None) -> None:
    found = objections(plan_of([Case(before, after, title="New"), SAME]))
    assert found == ([f"p000 {said}"] if said else [])


@pytest.mark.parametrize(
    ("shown", "wanted", "views", "said"),
    [
        (True, False, 1, "p000 would vanish from the public: it has 1 view"),
        (True, False, 1247, "p000 would vanish from the public: it has 1,247 views"),
        (True, False, 0, None),
        (False, False, 1247, None),
        (False, True, 1247, None),
        (True, None, 1247, None),
        (True, True, 1247, None),
    ],
)
def test_a_page_that_people_look_at_does_not_vanish_unnoticed(
    shown: bool, wanted: bool | None, views: int, said: str | None
) -> None:
    case = Case(title="New", shown=shown, wanted_shown=wanted, views=views)
    assert objections(plan_of([case, SAME])) == ([said] if said else [])


@pytest.mark.parametrize(
    ("away", "there", "said"),
    [
        (2, 1, False),
        (3, 1, True),
        (3, 2, True),
        (3, 3, False),
        (4, 1, True),
        (5, 1, True),
        (5, 4, True),
        (5, 5, False),
        (5, 6, False),
        (6, 5, True),
        (6, 6, False),
    ],
)
def test_many_pages_that_are_gone_ask_for_the_key(away: int, there: int, said: bool) -> None:
    plan = plan_of([RENAMED, *[SAME] * (there - 1), *[AWAY] * away])
    assert objections(plan) == ([GONE.format(away, away + there)] if said else [])


@pytest.mark.parametrize("name", ["\x1b]0;pwned\x07", "two\nlines", "##[error]x", "\u202egnp"])
def test_what_stands_in_a_sentence_is_safe_to_look_at_whoever_names_the_file(name: str) -> None:
    before, after = PageContent("", "", _data(links(1)), published=True), PageContent("", "", {}, published=False)
    plan = make_plan([some.wanted_page(after, file=name)], {"bio_1": some.live_page(before)}, circumstances=NOW)
    assert len(objections(plan)) == 2
    assert all(map(safe_to_look_at, objections(plan)))


def test_the_first_five_are_named_and_the_others_counted() -> None:
    losing = Case(links(2), [])
    for count, more in ((5, []), (6, ["and 1 more of that kind"]), (1500, ["and 1,495 more of that kind"])):
        plan = plan_of([losing] * count)
        assert objections(plan, Limit.read("100%")) == [f"p{n:03} {ALL_OF_TWO}" for n in range(5)] + more


def test_a_page_may_be_named_twice_and_the_reasons_stand_in_one_line() -> None:
    vanishing = Case(links(3), links(1), shown=True, wanted_shown=False, views=2)
    with pytest.raises(Unsafe) as caught:
        check_guards(plan_of([vanishing, *[RENAMED] * 4]), USUAL_LIMIT)
    assert caught.value.message == (
        "nothing was written: 5 of 5 pages would change, and the limit is 30 %; p000 would lose 2 of its 3 links;"
        " p000 would vanish from the public: it has 2 views"
    )
    assert (caught.value.hint, caught.value.reason, caught.value.exit_code) == (HINT, "unsafe", 1)


link_lists: st.SearchStrategy[Any] = st.integers(0, 9).map(links) | st.sampled_from((..., None, {}, "ab", 3))
cases = st.builds(
    Case,
    before=link_lists,
    after=link_lists,
    title=st.sampled_from(("Old", "Old", "New")),
    shown=st.booleans(),
    wanted_shown=st.sampled_from((None, True, False)),
    views=st.sampled_from((0, 0, 1, 1247)),
    live=st.booleans(),
)
limits = st.one_of(
    st.none(),
    st.tuples(st.integers(0, 12), st.just(False)),
    st.tuples(st.integers(0, 100), st.just(True)),
)


def counted(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def second_count(drawn: Sequence[Case], limit: tuple[int, bool] | None) -> list[str]:
    """Say what needs `--force`, counted from the drawn pages with fractions and without a plan."""
    there = [(n, case) for n, case in enumerate(drawn) if case.live]
    hiding = {n for n, case in there if case.shown and case.wanted_shown is False}
    showing = {n for n, case in there if not case.shown and case.wanted_shown}
    edited = {n for n, case in there if case.title != "Old" or _data(case.before) != _data(case.after)}
    changes, gone = len(edited | hiding | showing), len(drawn) - len(there)
    if not changes:
        return []
    number, percent = limit or (30, True)
    share = Fraction(changes, len(drawn))
    above = share > Fraction(number, 100) if percent else changes > number
    said = []
    if above and (limit is not None or changes > 4):
        said.append(f"{changes} of {len(drawn)} page{'s' * (len(drawn) > 1)} would change,")
    if gone > 2 and Fraction(gone, len(drawn)) > Fraction(1, 2):
        said.append(GONE.format(gone, len(drawn)))
    named = []
    for n, case in there:
        was, left = counted(case.before), counted(case.after)
        if was and Fraction(left, was) < Fraction(1, 2):
            named.append(f"p{n:03} would lose {was - left if left else 'its only' if was == 1 else 'all its'} ")
        if n in hiding and case.views:
            named.append(f"p{n:03} would vanish")
    return said + named[:5] + ([f"and {len(named) - 5} more"] if len(named) > 5 else [])


@given(st.lists(cases, min_size=1, max_size=14), limits)
@example([Case(title="New")] * 5, None)
@example([*[AWAY] * 5, RENAMED], (100, True))
def test_what_needs_force_is_what_a_second_count_says(drawn: list[Case], limit: tuple[int, bool] | None) -> None:
    chosen = USUAL_LIMIT if limit is None else Limit(*limit)
    found, expected = objections(plan_of(drawn), chosen), second_count(drawn, limit)
    assert len(found) == len(expected)
    for sentence, beginning in zip(found, expected, strict=True):
        assert sentence.startswith(beginning)


@given(st.lists(cases, min_size=1, max_size=14), limits, st.randoms(use_true_random=False))
def test_the_order_of_pages_changes_no_count(drawn: list[Case], limit: tuple[int, bool] | None, dice: Any) -> None:
    chosen = USUAL_LIMIT if limit is None else Limit(*limit)
    shuffled = dice.sample(drawn, len(drawn))
    assert len(objections(plan_of(drawn), chosen)) == len(objections(plan_of(shuffled), chosen))


# ---------------------------------------------------------------------------------------------------------------------
# Each refusal, from outside


@dataclass(frozen=True)
class Held:
    """A workspace, what its files want, and what an apply says to it."""

    live: list[dict[str, Any]]
    files: dict[str, str]
    said: str
    flags: tuple[str, ...] = ()
    settings: str = ""
    unchanged: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def outcomes(self) -> dict[str, tuple[str, str | None]]:
        skipped: dict[str, tuple[str, str | None]] = dict.fromkeys(self.files, ("skipped", "unsafe"))
        return (
            skipped | dict.fromkeys(self.unchanged, ("unchanged", None)) | dict.fromkeys(self.gone, ("failed", "gone"))
        )


def old(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": f"bio_{n}", "title": "Old", **more} for n in range(count)]


def titles(count: int, changed: int) -> dict[str, str]:
    return {f"p{n}": f"id: bio_{n}\ntitle: {'New' if n < changed else 'Old'}\n" for n in range(count)}


TWO_LINKS = {"links": [{"label": "A", "url": "https://a.example"}, {"label": "B", "url": "https://b.example"}]}
HELD = {
    "most pages": Held(old(6), titles(6, 5), "5 of 6 pages would change, and the limit is 30 %", unchanged=("p5",)),
    "--max-changes 0": Held(
        old(2),
        titles(2, 1),
        "1 of 2 pages would change, and the limit is 0",
        flags=("--max-changes", "0"),
        unchanged=("p1",),
    ),
    "--max-changes with a space": Held(
        old(3), titles(3, 3), "3 of 3 pages would change, and the limit is 99 %", flags=("--max-changes", "99 %")
    ),
    "max_changes": Held(
        old(3), titles(3, 3), "3 of 3 pages would change, and the limit is 2", settings="safety: {max_changes: 2.0}\n"
    ),
    "max_changes as a share": Held(
        old(2),
        titles(2, 1),
        "1 of 2 pages would change, and the limit is 49 %",
        settings="safety: {max_changes: 49 %}\n",
        unchanged=("p1",),
    ),
    "all links": Held(
        old(1, page_data=TWO_LINKS),
        {"p0": "id: bio_0\npage_data: {theme: light}\n"},
        "pages/p0.yaml would lose all its 2 links",
    ),
    "the public": Held(
        old(2, is_published=True, view_count=12),
        {"p0": "id: bio_0\npublished: false\n", "p1": "id: bio_1\n"},
        "pages/p0.yaml would vanish from the public: it has 12 views",
        unchanged=("p1",),
    ),
    "most are gone": Held(
        old(1),
        titles(6, 6),
        "5 of 6 pages are not in this workspace: is the key the right one?",
        gone=("p1", "p2", "p3", "p4", "p5"),
    ),
    "several": Held(
        old(2, page_data=TWO_LINKS, is_published=True, view_count=1),
        {"p0": "id: bio_0\npublished: false\npage_data: {links: []}\n", "p1": "id: bio_1\ntitle: New\n"},
        "2 of 2 pages would change, and the limit is 1; pages/p0.yaml would lose all its 2 links;"
        " pages/p0.yaml would vanish from the public: it has 1 view",
        flags=("--max-changes", "1"),
    ),
}


@pytest.fixture(params=list(HELD.values()), ids=list(HELD))
def held(request: pytest.FixtureRequest, folder: Path) -> Held:
    case: Held = request.param
    write_pages(folder, case.files)
    (folder / "bio-sync.yaml").write_text(case.settings)
    return case


def test_a_refusal_is_two_lines_and_nothing_is_written(held: Held, start_sandbox: Start, run: Run) -> None:
    sandbox = start_sandbox(held.live)
    result = run("apply", "--yes", *held.flags)
    check_text(result, error=f"nothing was written: {held.said}", hint=HINT)
    assert "Plan: " in result.out
    assert nothing_written(sandbox)
    assert len(sandbox.requests) == 1


def test_a_refusal_as_json_has_an_outcome_for_every_page(held: Held, start_sandbox: Start, run: Run) -> None:
    sandbox = start_sandbox(held.live)
    result = run("apply", "--yes", "--format", "json", *held.flags)
    document = check_json(sandbox, result, reason="unsafe", pages=held.outcomes)
    assert document["error"]["message"] == f"nothing was written: {held.said}"
    assert document["error"]["hint"] == HINT
    assert nothing_written(sandbox)


def test_a_saved_plan_is_no_consent_to_it_either(held: Held, start_sandbox: Start, run: Run) -> None:
    sandbox = start_sandbox(held.live)
    run("plan", "--out", "plan.json")
    result = run("apply", "--plan", "plan.json", *held.flags)
    check_text(result, error=f"nothing was written: {held.said}", hint=HINT)
    assert nothing_written(sandbox)


def test_force_lets_it_pass_and_is_no_yes(held: Held, start_sandbox: Start, run: Run) -> None:
    sandbox = start_sandbox(held.live)
    unasked = run("apply", "--force", *held.flags)
    assert unasked.code == 1
    assert "give --yes" in unasked.err
    assert not sandbox.requests
    forced = run("apply", "--force", "--yes", "--format", "json", *held.flags)
    skipped = {name: ("applied", None) for name, outcome in held.outcomes.items() if outcome[0] == "skipped"}
    check_outcomes(json.loads(forced.out), held.outcomes | skipped)
    assert forced.code == (3 if held.gone else 0)
    assert not nothing_written(sandbox)


def test_a_plan_warns_of_it_beforehand_in_every_form(held: Held, start_sandbox: Start, run: Run) -> None:
    start_sandbox(held.live)
    made = json.loads(run("plan", "--format", "json").out)
    # A plan does not know the flags that the apply will get.
    objected = [each for each in held.said.split("; ") if not (held.flags and "the limit is" in each)]
    assert made["warnings"] == [f"apply needs --force for this: {each}" for each in objected]
    for form in ("text", "markdown", "html"):
        assert ("apply needs --force for this" in run("plan", "--format", form).out) == bool(objected)


def test_neither_an_apply_nor_an_offline_plan_warns(folder: Path, start_sandbox: Start, run: Run) -> None:
    write_pages(folder, titles(6, 6))
    sandbox = start_sandbox(old(6))
    assert "apply needs --force" not in run("apply", "--yes").out
    assert "apply needs --force" not in run("apply", "--yes", "--force").out
    assert len(writes(sandbox)) == 6
    for words in ("init -q", "add -A", "-c user.name=A -c user.email=a@b.example commit -q -m A"):
        subprocess.run(["git", *words.split()], check=True, capture_output=True)
    write_pages(folder, titles(6, 0))
    assert json.loads(run("plan", "--base", "HEAD", "--offline", "--format", "json").out)["warnings"] == []
    assert len(json.loads(run("plan", "--base", "HEAD", "--format", "json").out)["warnings"]) == 1


@pytest.mark.parametrize(
    ("settings", "flags", "passes"),
    [
        ("", (), False),
        ("max_changes: 6", (), True),
        ("max_changes: 5", (), False),
        ("max_changes: 100%", (), True),
        ("max_changes: 1" + "0" * 12, (), True),
        ("max_changes: 1e300", (), True),
        ("max_changes: 0", ("--max-changes", "6"), True),
        ("max_changes: 0", ("--max-changes", "1" + "0" * 12), True),
        ("max_changes: 6", ("--max-changes", "0"), False),
        ("max_changes: 6", ("--max-changes", "99%"), False),
        ("max_changes: 0", ("--force",), True),
    ],
)
def test_the_flag_is_stronger_than_the_settings_and_they_than_the_default(
    folder: Path, start_sandbox: Start, run: Run, settings: str, flags: tuple[str, ...], passes: bool
) -> None:
    write_pages(folder, titles(6, 6))
    (folder / "bio-sync.yaml").write_text(f"safety: {{{settings}}}\n")
    sandbox = start_sandbox(old(6))
    result = run("apply", "--yes", *flags)
    assert result.code == (0 if passes else 1), result.err
    assert len(writes(sandbox)) == (6 if passes else 0)
    assert result.err.startswith("error: nothing was written: 6 of 6 pages") != passes


@pytest.mark.parametrize("text", NO_LIMITS, ids=ascii)
def test_a_limit_that_is_none_is_wrong_usage(folder: Path, sandbox: Sandbox, run: Run, text: str) -> None:
    write_pages(folder, titles(1, 1))
    result = run("apply", "--yes", "--max-changes", text, "--format", "json")
    assert (result.code, json.loads(result.out)["exit_code"]) == (64, 64)
    assert safe_to_look_at(result.err)
    assert not sandbox.requests


def test_an_empty_plan_option_is_no_plan_and_no_leave_to_go_without(
    folder: Path, start_sandbox: Start, run: Run
) -> None:
    write_pages(folder, titles(1, 1))
    sandbox = start_sandbox(old(1))
    result = run("apply", "--yes", "--plan", "")
    assert (result.code, result.err.split(":")[0]) == (64, "error")
    assert "--plan is empty" in result.err
    assert not sandbox.requests


HOSTILE = (
    "\x1b]0;pwned\x07",
    "two\nlines",
    "\u202egnp",
    "##[error]x",
    "::add-mask::x",
    "a\x9b2Jb",
    "##vso[x]",
    "\u2028sep",
)


@pytest.mark.parametrize("form", ["text", "json"])
def test_names_of_files_do_nothing_in_a_refusal(folder: Path, start_sandbox: Start, run: Run, form: str) -> None:
    files = {name: f"id: bio_{n}\npage_data: {{}}\n" for n, name in enumerate(HOSTILE[:5])}
    write_pages(folder, files)
    sandbox = start_sandbox(old(5, title="\x1b[31m##[error]\u202e", page_data=TWO_LINKS))
    result = run("apply", "--yes", "--format", form)
    assert result.code == 1
    assert safe_to_look_at(result.out)
    assert safe_to_look_at(result.err)
    assert result.err.count("would lose all its 2 links") == 5
    assert len([line for line in result.err.splitlines() if line.startswith("error: ")]) == 1
    if form == "text":
        assert len(result.err.splitlines()) == 2
    else:
        outcomes = json.loads(result.out)["outcomes"]
        assert len({each["file"] for each in outcomes}) == 5
        assert all(safe_to_look_at(each["file"]) for each in outcomes)
    for plan_form in ("text", "json", "markdown", "gitlab"):
        assert safe_to_look_at(run("plan", "--format", plan_form).out)
    assert nothing_written(sandbox)


@pytest.mark.parametrize("name", HOSTILE)
def test_the_name_of_a_page_that_vanishes_does_nothing(folder: Path, start_sandbox: Start, run: Run, name: str) -> None:
    write_pages(folder, {name: "id: bio_0\npublished: false\n"})
    start_sandbox(old(1, is_published=True, view_count=1))
    result = run("apply", "--yes")
    assert (result.code, len(result.err.splitlines())) == (1, 2)
    assert "would vanish from the public" in result.err
    assert safe_to_look_at(result.out + result.err)


def test_without_any_page_file_nothing_is_asked_and_force_changes_nothing(
    folder: Path, sandbox: Sandbox, run: Run
) -> None:
    (folder / "pages").mkdir()
    result = run("apply", "--yes", "--force", "--format", "json")
    document = json.loads(result.out)
    assert (result.code, document["exit_code"], document["error"]["reason"]) == (1, 1, "invalid")
    assert (document["outcomes"], set(document["summary"].values())) == ([], {0})
    assert not sandbox.requests


@pytest.mark.parametrize("count", [1, 2, 6])
@pytest.mark.parametrize("flags", [(), ("--force",), ("--max-changes", "0")])
def test_when_none_of_the_pages_is_there_the_key_is_asked_about_and_nothing_is_created(
    folder: Path, start_sandbox: Start, run: Run, count: int, flags: tuple[str, ...]
) -> None:
    write_pages(folder, titles(count, count))
    sandbox = start_sandbox([{"id": "bio_other", "title": "T"}])
    result = run("apply", "--yes", "--format", "json", *flags)
    assert result.code == 1
    document = json.loads(result.out)
    assert list(document) == ["format_version", "outcomes", "summary", "api", "journal", "exit_code"]
    assert document["exit_code"] == 1
    check_outcomes(document, {f"p{n}": ("failed", "gone") for n in range(count)})
    assert "is this the right workspace's key?" in result.err
    assert nothing_written(sandbox)


def on_a_terminal(answer: bytes, *flags: str) -> subprocess.CompletedProcess[bytes]:
    controller, terminal = pty.openpty()
    os.write(controller, answer)
    try:
        return subprocess.run([*COMMAND, "apply", *flags], stdin=terminal, capture_output=True, timeout=60, check=False)
    finally:
        os.close(controller)
        os.close(terminal)


def test_the_question_comes_only_after_the_guards(folder: Path, start_sandbox: Start) -> None:
    write_pages(folder, titles(6, 6))
    sandbox = start_sandbox(old(6))
    held = on_a_terminal(b"y\n")
    assert held.returncode == 1
    assert b"[y/N]" not in held.stderr
    assert held.stderr.count(b"\n") == 2
    refused = on_a_terminal(b"n\n", "--force")
    assert (refused.returncode, refused.stderr.count(b"[y/N]")) == (1, 1)
    assert nothing_written(sandbox)
    forced = on_a_terminal(b"y\n", "--force", "--format", "json")
    assert (forced.returncode, forced.stderr.count(b"[y/N]")) == (0, 1)
    assert json.loads(forced.stdout)["summary"]["applied"] == len(writes(sandbox)) == 6


def test_a_no_is_told_for_every_page(folder: Path, start_sandbox: Start, run: Run) -> None:
    write_pages(folder, titles(2, 1))
    sandbox = start_sandbox(old(2))
    done = on_a_terminal(b"no\n", "--format", "json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["exit_code"], document["error"]["reason"]) == (1, 1, None)
    check_outcomes(document, {"p0": ("skipped", None), "p1": ("unchanged", None)})
    assert nothing_written(sandbox)


def test_a_stale_plan_is_told_for_every_page(folder: Path, start_sandbox: Start, run: Run) -> None:
    write_pages(folder, titles(3, 2))
    sandbox = start_sandbox(old(3))
    run("plan", "--out", "plan.json")
    sandbox.edit("bio_0", title="Moved")
    stale = {"p0": ("skipped", "stale"), "p1": ("skipped", "stale"), "p2": ("unchanged", None)}
    result = run("apply", "--plan", "plan.json", "--force", "--format", "json")
    document = check_json(sandbox, result, reason="stale", pages=stale)
    assert "pages/p0.yaml (bio_0) was changed live at /title" in document["error"]["message"]
    text = run("apply", "--plan", "plan.json", "--yes")
    check_text(text, error=document["error"]["message"], hint=document["error"]["hint"])
    assert nothing_written(sandbox)
