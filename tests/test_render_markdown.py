"""A plan as a comment: whole documents as snapshots, what fits, what is said of the rest, and in which order."""

import json
import random
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from bio_sync.diff import Operation
from bio_sync.errors import NoRevision
from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.model import DesiredPage, LivePage, PageContent, as_if_live
from bio_sync.planning import Change, Circumstances, Plan, Revision, make_plan
from bio_sync.render.markdown import failure, fenced, render
from bio_sync.visible import visible
from tests import strategies as some
from tests.readers import MarkdownPage, read_markdown
from tests.strategies import with_origins
from tests.test_render_text import NOW, content, example_plan, link, plan_of

MOST_BYTES = 60_000
COMMIT = "5f0c1e9a7b3d2468ace013579bdf02468ace1357"
BASE = Revision("origin/main", "ba5e" * 10)


class MarkdownFiles(SingleFileSnapshotExtension):
    """Snapshots that a person can read as the documents that they are."""

    _write_mode = WriteMode.TEXT
    file_extension = "md"


@pytest.fixture
def documents(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(MarkdownFiles)


@dataclass(frozen=True, slots=True)
class Accounts:
    """What a comment says of the pages of its plan."""

    blocks: int
    announced: int
    named: int
    more: int

    @property
    def pages(self) -> int:
        return self.blocks + self.named + self.more


def accounts(source: str) -> Accounts:
    """Count the blocks, and read what is said of the pages that have none."""
    page = checked(source)
    shown, heading, rest = source.partition("\n### Not shown here: ")
    rest = rest.partition("\n---\n")[0]
    announced = re.match(r"([\d,]+) pages?\n", rest)
    entries = [line for line in rest.splitlines() if line.startswith("- ")]
    more = re.fullmatch(r"- and ([\d,]+) more", entries[-1]) if entries else None
    assert bool(heading) == bool(announced)
    assert shown.count("<details") == len(page.folds)
    return Accounts(
        blocks=len(page.folds),
        announced=_number(announced) if announced else 0,
        named=len(entries) - bool(more),
        more=_number(more) if more else 0,
    )


def _number(found: re.Match[str]) -> int:
    return int(found[1].replace(",", ""))


def checked(source: str) -> MarkdownPage:
    """Read a comment that has to fit, with all that was opened closed."""
    assert len(source.encode()) <= MOST_BYTES
    page = read_markdown(source)
    assert page.faults == ()
    assert page.html.faults == []
    return page


def sections_of(source: str) -> list[str]:
    """Give the headings of a comment, without signs and numbers."""
    return [re.sub(r"[^A-Za-z ].*", "", heading.removeprefix("⚠️ ")).strip() for heading in checked(source).headings]


def steps_in(fence: str) -> int:
    """Count the steps of a diff: of one that replaces, the name and both values are three lines."""
    lines = fence.splitlines()
    moved = re.compile(r"  (position \d+ → \d+|still \d+, others move past it)$")
    named = [line for line in lines if line.startswith("! ") and not moved.search(line)]
    return len(lines) - 2 * len(named)


def shown_and_left(source: str) -> tuple[int, int]:
    """Give how many steps the diffs of a comment hold, and how many more it says there are."""
    shown = sum(steps_in(fence.content) for fence in checked(source).fences)
    left = sum(
        _number(found)
        for found in re.finditer(r"^([\d,]+) more changes? of this page did not fit", source, re.MULTILINE)
    )
    return shown, left


def all_origins() -> Plan:
    """Give a plan in which three pages drifted, changed, or both, and one was closed here and renamed there."""
    shop, blog, tour = (link(name, f"https://{name.lower()}.example") for name in ("Shop", "Blog", "Tour"))
    base = content("Acme", True, "Official", theme="light", links=[shop, blog])
    mine = content("Acme Inc", True, "Official", theme="light", links=[shop, blog, tour])
    live = content("Acme!", True, "Official", theme="dark", links=[blog, shop])
    published = replace(base, published=False)
    pairs = [(base, mine), (live, base), (live, mine), (live, published), (base, base)]
    plan = plan_of(pairs, warnings=["pages/a.yaml was pages/b.yaml at origin/main"])
    plan = replace(plan, circumstances=replace(plan.circumstances, commit=COMMIT, base=BASE))
    return with_origins(plan, {f"bio_{number}": some.wanted_page(base) for number in range(len(pairs))})


def offline() -> Plan:
    base = content("Acme", True, None, links=[link("Shop", "https://shop.example")])
    mine = content("Acme Inc", False, "New", links=[link("Shop", "https://bücher.example")])
    now = replace(NOW, calls=0, quota_remaining=None, commit=COMMIT, base=BASE, offline=True)
    wanted = [some.wanted_page(mine, "bio_0"), some.wanted_page(mine, "bio_1"), some.wanted_page(base, "bio_2")]
    bases = {"bio_0": some.wanted_page(base, "bio_0"), "bio_2": some.wanted_page(base, "bio_2")}
    before = {page.page_id: as_if_live(page.page_id, bases.get(page.page_id)) for page in wanted}
    plan = make_plan(wanted, before, circumstances=now, warnings=["pages/bio_1.yaml was not there at origin/main"])
    return with_origins(plan, bases)


def gone_and_warnings() -> Plan:
    same = content("Same", True)
    wanted = [some.wanted_page(same, f"bio_{number}") for number in range(4)]
    strangers = {f"bio_old{number}": some.live_page(same, f"bio_old{number}") for number in range(7)}
    live = {"bio_0": some.live_page(same, "bio_0"), **strangers}
    return make_plan(wanted, live, circumstances=NOW, warnings=[f"warning {number}" for number in range(30)])


def test_a_comment_on_a_plan_without_changes(documents: SnapshotAssertion) -> None:
    page = content("Same", True)
    assert render(plan_of([(page, page), (page, page)])) == documents


def test_a_comment_on_the_example(documents: SnapshotAssertion) -> None:
    assert render(example_plan()) == documents


def test_a_comment_on_a_plan_with_all_three_origins(documents: SnapshotAssertion) -> None:
    assert render(all_origins()) == documents


def test_a_comment_on_a_plan_made_offline(documents: SnapshotAssertion) -> None:
    assert render(offline()) == documents


def test_a_comment_on_missing_pages_strangers_and_many_warnings(documents: SnapshotAssertion) -> None:
    assert render(gone_and_warnings()) == documents


EXAMPLES = {
    "example": example_plan,
    "origins": all_origins,
    "offline": offline,
    "gone": gone_and_warnings,
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_comment_does_nothing_but_fold(name: str) -> None:
    assert checked(render(EXAMPLES[name]())).acts == {}


def real_life(count: int) -> list[tuple[PageContent, PageContent]]:
    """Give pages with the changes of an ordinary season: a title, a link more, an address, an order."""
    shop, blog, tour, new = (
        link(name, f"https://{name.lower()}.acme.example/") for name in ("Shop", "Blog", "Tour", "Sale")
    )
    pairs = []
    for number in range(count):
        before = content(
            f"Acme branch {number}", True, "Official links of this branch", theme="light", links=[shop, blog, tour]
        )
        links: list[Json] = [tour, shop | {"url": f"https://acme.example/shop/{number}"}, new, blog]
        after = content(
            f"Acme branch {number} in winter", True, "Official links of this branch", theme="dark", links=links
        )
        pairs.append((before, after))
    return pairs


def small(count: int) -> list[tuple[PageContent, PageContent]]:
    return [(content(f"Page {number}", True), content(f"Page {number}, new", True)) for number in range(count)]


def published(count: int, title: str = "A page") -> list[tuple[PageContent, PageContent]]:
    return [(content(title, False), content(title, True)) for _ in range(count)]


def repeated(plan: Plan, count: int) -> Plan:
    """Give the plan with each of its changes `count` times, as those of so many pages: quicker than to compare them."""
    changes = [
        replace(change, page_id=f"{change.page_id}_{number}", file=f"pages/{change.page_id}_{number:05}.yaml")
        for change in plan.changes
        for number in range(count)
    ]
    return replace(plan, changes=tuple(changes))


def drifted(plan: Plan) -> Plan:
    """Give the plan with all that it changes changed by the live pages alone."""
    bases = {
        change.page_id: some.wanted_page(change.after, change.page_id, description=change.after.description or "")
        for change in plan.changes
    }
    return with_origins(replace(plan, circumstances=replace(plan.circumstances, base=BASE)), bases)


def test_a_plan_that_fits_is_shown_whole() -> None:
    found = accounts(render(plan_of(small(100))))
    assert found == Accounts(blocks=100, announced=0, named=0, more=0)


@pytest.mark.parametrize("more", [0, 80, 200])
def test_the_blocks_are_left_out_only_when_they_do_not_fit(more: int) -> None:
    lead = plan_of([(content("T", True), content("T" * (1 + more), True))])
    plan = repeated(plan_of(small(1)), 500)

    def source(count: int) -> str:
        return render(replace(plan, changes=(*lead.changes, *plan.changes)[:count]))

    most = bisect_left(range(500), 1, key=lambda count: "### Not shown here: " in source(count)) - 1
    assert accounts(source(most + 1)).announced
    assert accounts(source(most)) == Accounts(blocks=most, announced=0, named=0, more=0)
    size = len(source(most).encode())
    assert 2 * size - len(source(most - 1).encode()) > MOST_BYTES


@pytest.mark.parametrize("count", [200, 2_000])
@pytest.mark.parametrize("in_drift", [False, True])
def test_a_large_plan_makes_a_comment_that_accounts_for_every_page(count: int, in_drift: bool) -> None:
    plan = drifted(plan_of(real_life(20))) if in_drift else plan_of(real_life(20))
    source = render(repeated(plan, count // 20))
    found = accounts(source)
    assert found.pages == count
    assert found.announced == found.named + found.more
    assert found.blocks >= 50
    assert found.named >= 10
    assert found.more == 0 or len(source.encode()) > MOST_BYTES - 1_500
    assert f"{count:,} pages to change" in source
    assert ("Drift" in sections_of(source)) == in_drift


@pytest.mark.parametrize(
    "text", ["A page", "x" * 100, "x" * 200, "\U000e0001" * 200], ids=["short", "long", "longer", "tags"]
)
def test_pages_that_are_only_published_leave_room_for_the_names_of_the_rest(text: str) -> None:
    plan = repeated(plan_of(published(1, text)), 400)
    plan = replace(plan, changes=tuple(replace(one, file=text + one.file, html_url=text) for one in plan.changes))
    for more in (0, 100, 190):
        lead = plan_of([(content("T", True), content("T" * more, True))])
        found = accounts(render(replace(plan, changes=(*lead.changes, *plan.changes))))
        assert found.pages == len(lead.changes) + 400


@pytest.mark.parametrize("count", [500, 5_000])
def test_a_page_of_many_links_is_cut_between_two_of_them(count: int) -> None:
    links: list[Json] = [link(f"Link number {number}", f"https://a.example/{number}") for number in range(count)]
    pairs = [(content("T", True, links=[]), content("T", True, links=links)), *small(3)]
    source = render(plan_of(pairs))
    shown, left = shown_and_left(source)
    found = accounts(source)
    assert found.pages == 4
    assert shown + left == count + found.blocks - 1
    if found.blocks > 1:
        assert left == 0
    else:
        assert shown > 500
    assert found.blocks > 1 or len(source.encode()) > MOST_BYTES - 7_000


def test_a_page_of_many_small_values_fits_with_the_pages_after_it() -> None:
    count = 7_000
    steps = tuple(Operation("add", f"/page_data/{number}", after=1) for number in range(count))
    plan = plan_of([*published(1), *small(1)])
    first, second = plan.changes
    rest = repeated(replace(plan, changes=(second,)), 200).changes
    source = render(replace(plan, changes=(replace(first, operations=steps), *rest)))
    shown, left = shown_and_left(source)
    assert (shown + left, accounts(source).pages) == (count, 201)


def test_a_block_that_is_cut_keeps_room_for_a_long_fence() -> None:
    many = content("P" * 150, True, **{f"key{number}": "`" * 1_990 for number in range(60)})
    found = accounts(render(plan_of([(content("P" * 150, True), many), *published(400, "Q" * 150)])))
    assert (found.blocks, found.pages) == (1, 401)


MUCH = 100_000


@pytest.mark.parametrize("text", ["x" * MUCH, "`" * MUCH, "&" * MUCH, "🎨" * MUCH, "\x1b" * MUCH, "\U000e0001" * MUCH])
@pytest.mark.parametrize("place", ["title", "description", "key", "url", "file", "address", "warning", "slug", "base"])
def test_a_text_of_any_length_leaves_the_comment_whole(text: str, place: str) -> None:
    is_in = {place: text}.get
    data: JsonObject = {is_in("key", "a"): 1, "links": [link("L", "https://a.example/" + is_in("url", ""))]}
    before = content("T", True)
    after = PageContent(is_in("title", "T"), is_in("description", "D"), data, True)
    wanted = some.wanted_page(after, file=is_in("file", "pages/a.yaml"))
    live = some.live_page(before, html_url=is_in("address", "https://bio.example/a"))
    stranger = some.live_page(before, "bio_2", slug=is_in("slug", "old"))
    now = replace(NOW, base=Revision(is_in("base", "main"), COMMIT))
    plan = make_plan([wanted], {"bio_1": live, "bio_2": stranger}, circumstances=now, warnings=[is_in("warning", "w")])
    found = accounts(render(with_origins(plan, {"bio_1": some.wanted_page(before, "bio_1")})))
    assert found.pages == 1


def test_a_long_warning_does_not_hide_those_after_it() -> None:
    plan = plan_of(small(1), warnings=["w" * MUCH, "the second warning", "the third warning"])
    assert "the second warning" in render(plan)


@dataclass(frozen=True, slots=True)
class Many:
    """A recipe for pages that change alike: texts are (sign, how often), numbers the place of a text in a list."""

    pages: int
    keys: int
    before: int
    after: int
    publishes: bool


MANY = st.builds(
    Many,
    pages=st.sampled_from([1, 1, 20, 70]),
    keys=st.sampled_from([0, 0, 2, 60]),
    before=st.integers(0, 2),
    after=st.integers(0, 2),
    publishes=st.booleans(),
)
LONG_TEXTS = st.builds(
    lambda sign, length: sign * length,
    st.sampled_from(["x", "`", "&", "🎨", "\x1b", "\U000e0001", "\n", "#", "a b ", "é"]),
    st.sampled_from([0, 1, 40, 190, 200, 999, 2_000, 3_000]),
)


def plan_by(recipes: list[Many], texts: list[str], *, in_drift: bool) -> Plan:
    plans = []
    for recipe in recipes:
        old, new = texts[recipe.before], texts[recipe.after]
        data: JsonObject = {f"{new}{number}": old if number < 5 else 1 for number in range(recipe.keys)}
        before = PageContent(old, None, {}, False)
        after = PageContent(new if recipe.keys else old, None, data, recipe.publishes)
        plan = plan_of([(before, after)], warnings=texts)
        plans.append(repeated(drifted(plan) if in_drift else plan, recipe.pages))
    changes = [change for plan in plans for change in plan.changes]
    numbered = [replace(change, page_id=f"bio_{number}") for number, change in enumerate(changes)]
    return replace(plans[0], changes=tuple(numbered))


@given(st.lists(MANY, min_size=1, max_size=4), st.lists(LONG_TEXTS, min_size=3, max_size=3), st.booleans())
def test_any_plan_makes_a_comment_that_fits_and_accounts_for_its_pages(
    recipes: list[Many], texts: list[str], in_drift: bool
) -> None:
    plan = plan_by(recipes, texts, in_drift=in_drift)
    found = accounts(render(plan))
    assert found.pages == len(plan.changes)
    assert found.announced == found.named + found.more


def leaves(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        is_link = isinstance(value.get("label"), str) and isinstance(value.get("url"), str)
        for key, member in value.items():
            if not (is_link and key in {"label", "url"}):
                yield key
            yield from leaves(member)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)


def check_shown(operation: Operation, fences: str) -> None:
    for value in (operation.before, operation.after):
        for leaf in leaves(value):
            assert visible(leaf) in fences or visible(json.dumps(leaf, ensure_ascii=False)[1:-1]) in fences
    key = operation.path.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
    names = (visible(key), visible(json.dumps(key, ensure_ascii=False)))
    assert re.fullmatch(r"/page_data/links/\d+", operation.path) or any(name in fences for name in names)


@given(st.lists(some.pairs_of_contents(), min_size=1, max_size=3), st.booleans(), st.data())
def test_nothing_of_a_small_plan_is_left_unshown(
    pairs: list[tuple[PageContent, PageContent]], with_base: bool, data: st.DataObject
) -> None:
    plan = plan_of(pairs)
    if with_base:
        bases = {
            change.page_id: some.wanted_page(data.draw(st.sampled_from([change.before, change.after]) | some.contents))
            for change in plan.changes
        }
        plan = with_origins(replace(plan, circumstances=replace(NOW, base=BASE)), bases)
    source = render(plan)
    page = checked(source)
    fences = "".join(fence.content for fence in page.fences)
    steps = [step for change in plan.changes for step in change.operations]
    assert shown_and_left(source) == (len(steps), 0)
    for step in steps:
        if step.path != "/published":
            check_shown(step, fences)
    for change in plan.changes:
        check_audience(change, page)


def check_audience(change: Change, page: MarkdownPage) -> None:
    words = {"publish": "becomes LIVE", "unpublish": "vanishes from the public"}
    told = [fold.summary for fold in page.folds if visible(change.file) in fold.summary]
    assert told
    for action in change.actions:
        assert any(words.get(action, "") in summary for summary in told)


@given(st.lists(some.pairs_of_contents(), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_a_comment_does_not_depend_on_the_order_of_what_comes_in(
    pairs: list[tuple[PageContent, PageContent]], shuffler: random.Random
) -> None:
    pages: list[LivePage] = [some.live_page(before, f"bio_{number}") for number, (before, _) in enumerate(pairs)]
    wanted: list[DesiredPage] = [some.wanted_page(after, f"bio_{number}") for number, (_, after) in enumerate(pairs)]
    managed = wanted[:-1]
    plan = make_plan(managed, {page.page_id: page for page in pages}, circumstances=NOW)
    source = render(plan)
    assert source == render(plan)
    shuffler.shuffle(pages)
    shuffler.shuffle(managed)
    assert source == render(make_plan(managed, {page.page_id: page for page in pages}, circumstances=NOW))


def test_what_needs_a_decision_stands_first() -> None:
    assert sections_of(render(all_origins())) == [
        "bio", "Warnings", "New destinations", "Conflicts", "Drift", "Yours",
    ]  # fmt: skip


def test_conflicts_and_drift_keep_their_room_when_yours_has_too_little() -> None:
    drift, mine = content("Live", True), content("File", True)
    plan = plan_of([*small(400), (drift, mine)])
    bases = {change.page_id: some.wanted_page(change.before, change.page_id) for change in plan.changes}
    bases["bio_400"] = some.wanted_page(mine, "bio_400")
    plan = with_origins(replace(plan, circumstances=replace(plan.circumstances, base=BASE)), bases)
    source = render(plan)
    assert sections_of(source)[1:] == ["Drift", "Yours", "Not shown here"]
    assert "bio_400" in checked(source).folds[0].summary
    assert accounts(source).pages == 401


def test_a_page_that_stands_in_two_sections_is_one_page_of_those_left_out() -> None:
    base = content("T", True, theme="light")
    pairs = [(content("Live", True, theme="light"), content("T", True, theme="dark"))]
    plan = plan_of(pairs)
    plan = with_origins(replace(plan, circumstances=replace(NOW, base=BASE)), {"bio_0": some.wanted_page(base)})
    assert plan.origins == {"conflict": 0, "drift": 1, "yours": 1}
    source = render(repeated(plan, 300))
    assert sections_of(source)[1:] == ["Drift", "Not shown here"]
    assert accounts(source).announced <= 300


def test_a_page_that_is_only_published_counts_that_as_its_change() -> None:
    (fold,) = checked(render(plan_of(published(1)))).folds
    assert "0 changes" not in fold.summary


def test_who_sees_a_page_stands_in_each_of_its_sections_and_whose_change_it_is_in_one() -> None:
    base = content("T", True)
    plan = plan_of([(content("Live", True), content("T", False))])
    plan = with_origins(replace(plan, circumstances=replace(NOW, base=BASE)), {"bio_0": some.wanted_page(base)})
    assert plan.origins == {"conflict": 0, "drift": 1, "yours": 1}
    page = checked(render(plan))
    assert all("vanishes from the public" in fold.summary for fold in page.folds)
    assert ["published" in fence.content for fence in page.fences] == [False, True]


def test_the_head_tells_counts_and_the_foot_what_it_is_of() -> None:
    plan = all_origins()
    source = render(plan)
    head, foot = source.partition("<details")[0], source.rpartition("</details>")[2]
    text = checked(source).html.text
    assert "4 pages to change" in head
    assert "1 to unpublish" in head
    assert "1 unchanged" in head
    assert "4 of them are LIVE" in head
    assert f"Commit {COMMIT}" in text
    assert plan.digest in text
    assert COMMIT in foot
    assert "calls" in foot or "call used" in foot
    assert f"{BASE.name} ({BASE.commit[:12]})" in text


def test_every_origin_is_counted() -> None:
    plan = all_origins()
    text = checked(render(plan)).html.text
    for origin, count in plan.origins.items():
        assert count
        assert f"{count} {origin}" in text


@pytest.mark.parametrize(("count", "is_open"), [(1, True), (9, True), (10, False), (30, False)])
def test_folds_are_open_when_the_plan_can_be_taken_in_at_a_glance(count: int, is_open: bool) -> None:
    folds = checked(render(plan_of(small(count)))).folds
    assert [fold.is_open for fold in folds] == [is_open] * count


def test_a_page_says_its_impact_and_who_sees_it() -> None:
    pairs = [
        (content("Public", True), content("Public!", True)),
        (content("Private", False), content("Private!", False)),
        (content("Opened", False), content("Opened", True)),
        (content("Closed", True), content("Closed", False)),
    ]
    summaries = [fold.summary for fold in checked(render(plan_of(pairs))).folds]
    assert all("7 views · 3 clicks" in summary for summary in summaries)
    assert [summary.split(" · ")[0] for summary in summaries] == [
        "LIVE",
        "not public",
        "not public, becomes LIVE",
        "LIVE, vanishes from the public",
    ]


def test_a_comment_on_a_plan_made_offline_claims_nothing_about_the_live_pages() -> None:
    source = render(offline())
    text = checked(source).html.text
    assert "Made offline" in text
    assert "LIVE" not in text.replace("becomes LIVE", "")
    assert "views" not in text
    assert {"Conflicts", "Drift", "Yours"}.isdisjoint(sections_of(source))


@pytest.mark.parametrize(
    "text", ["a`b", "`" * 200, "`" * 2_000, "</code><b>", "@everyone #1", "a\n```\n</details>", "hello@a.example"]
)
@pytest.mark.parametrize("count", [0, 1, 5_000])
def test_why_there_is_no_plan_is_told_in_a_comment_that_does_nothing(text: str, count: int) -> None:
    problems = [f"{visible(text)}:{number}:1: is wrong\n  hint: {visible(text)}\n" for number in range(count)]
    source = failure(NoRevision(text, hint=text), problems)
    page = checked(source)
    assert page.acts == {}
    shown = "".join(fence.content for fence in page.fences).count("is wrong")
    more = re.search(r"^and ([\d,]+) more$", source, re.MULTILINE)
    assert shown + (_number(more) if more else 0) == count


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 17, 2_000])
@pytest.mark.parametrize("before", ["", "a", "``` "])
def test_a_fence_holds_whatever_backticks_are_in_it(length: int, before: str) -> None:
    text = f"{before}{'`' * length}\n{'`' * length}\nafter\n"
    page = read_markdown(fenced(text, "text") + "\nafter it\n")
    assert [fence.content for fence in page.fences] == [text]
    assert page.html.text_outside_code.strip() == "after it"


def test_circumstances_that_nobody_told_are_left_out() -> None:
    now = Circumstances("0.1.0", "2026-11-22T10:00:00Z", "https://xqr.co/api/v1", 1, None)
    source = render(replace(plan_of(small(1)), circumstances=now))
    assert "Commit" not in source
    assert "this month" not in source
