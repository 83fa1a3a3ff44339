"""What somebody edits in the dashboard meanwhile is found before it is overwritten, and named."""

import json
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_sync.sandbox import Fault
from tests.applying.conftest import Bench, Clock, Done, Page

LINKS = [{"label": "A", "url": "https://a.example"}, {"label": "B", "url": "https://b.example"}]
ANOTHER = {"label": "C", "url": "https://c.example"}
DATA = {"theme": "dark", "links": LINKS, "badge": "gold", "x-note": "ours"}
LIVE: Page = {"id": "bio_1", "title": "Old", "description": "Text", "page_data": DATA, "is_published": False}
FILE = """
title: New
description: Text
page_data:
  theme: light
  links: [{label: A, url: "https://a.example"}, {label: B, url: "https://b.example"}]
ignore: [/page_data/badge]
"""
WANTED = DATA | {"theme": "light"}

Edit = dict[str, Any]
OVERWRITES: dict[str, tuple[Edit, str]] = {
    "title": ({"title": "Theirs"}, "/title is 'Theirs' now"),
    "a-managed-field-that-is-not-sent": ({"description": "Theirs"}, "/description is 'Theirs' now"),
    "a-managed-field-that-is-emptied": ({"description": None}, "/description is null now"),
    "part-of-page-data": ({"page_data": DATA | {"theme": "blue"}}, "/page_data/theme is 'blue' now"),
    "a-key-more": ({"page_data": DATA | {"font": "serif"}}, "/page_data/font is 'serif' now"),
    "a-link-more": (
        {"page_data": DATA | {"links": [*LINKS, ANOTHER]}},
        '/page_data/links/2 is {"label":"C","url":"https://c.example"} now',
    ),
    "a-link-less": ({"page_data": DATA | {"links": LINKS[:1]}}, "/page_data/links/1 is not there now"),
    "links-in-another-order": (
        {"page_data": DATA | {"links": LINKS[::-1]}},
        "/page_data/links/1 now",
    ),
    "published": ({"is_published": True}, "/published is true now"),
    "all-at-once": (
        {"title": "T", "description": "D", "page_data": {"theme": "blue"}, "is_published": True},
        "/title is 'T' now; /description is 'D' now; ",
    ),
}
HARMLESS: dict[str, tuple[Edit, Page]] = {
    "an-ignored-part": ({"page_data": DATA | {"badge": "silver"}}, {"page_data": WANTED | {"badge": "silver"}}),
    "an-ignored-part-removed": (
        {"page_data": {key: value for key, value in DATA.items() if key != "badge"}},
        {"page_data": {key: value for key, value in WANTED.items() if key != "badge"}},
    ),
    "an-author-s-own-key": ({"page_data": DATA | {"x-note": "theirs"}}, {"page_data": WANTED | {"x-note": "theirs"}}),
    "counts": ({"view_count": 5_000, "click_count": 12}, {"page_data": WANTED}),
    "half-of-what-is-wanted": ({"title": "New"}, {"page_data": WANTED}),
    "the-other-half": ({"page_data": WANTED}, {"page_data": WANTED}),
}


def while_asked(bench: Bench, act: Callable[[], object]) -> Done:
    """Let somebody act while the plan is looked at for four minutes."""

    def asked() -> None:
        act()
        bench.clock.now += 240

    return bench.apply(asked=asked)


def while_another_page_settles(bench: Bench, act: Callable[[], object]) -> Done:
    bench.fail(method="PATCH", path="bio_0", wire="reset", after=True)
    bench.clock.meanwhile.append(act)
    return bench.apply()


def while_the_service_asks_for_patience(bench: Bench, act: Callable[[], object]) -> Done:
    bench.fail(method="PATCH", path="bio_1", status=429, code="BURST_LIMIT_EXCEEDED", headers={"Retry-After": "30"})
    bench.clock.meanwhile.append(act)
    return bench.apply()


def while_its_own_write_settles(bench: Bench, act: Callable[[], object]) -> Done:
    bench.fail(method="PATCH", path="bio_1", wire="reset")
    bench.clock.meanwhile.append(act)
    return bench.apply()


MOMENTS = (
    while_asked,
    while_another_page_settles,
    while_the_service_asks_for_patience,
    while_its_own_write_settles,
)
Moment = Callable[[Bench, Callable[[], object]], Done]


@pytest.fixture
def laid_out(bench: Bench) -> Bench:
    """Two pages: the first one is in the way, the second one is edited."""
    bench.files({"bio_0": "title: New", "bio_1": FILE})
    bench.start([{"id": "bio_0", "title": "Old"}, LIVE])
    return bench


def edited(page: Page, edit: Edit) -> Page:
    return {name: edit.get(name, page[name]) for name in ("title", "description", "page_data", "is_published")}


def now(bench: Bench, page_id: str = "bio_1") -> Page:
    page = bench.sandbox.page(page_id)
    return {name: page[name] for name in ("title", "description", "page_data", "is_published")}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("edit", OVERWRITES)
def test_an_edit_that_would_be_overwritten_is_left_and_named(laid_out: Bench, moment: Moment, edit: str) -> None:
    fields, words = OVERWRITES[edit]
    done = moment(laid_out, lambda: laid_out.sandbox.edit("bio_1", **fields))
    told = done.pages["bio_1"]
    assert told.words == ("failed", "drifted")
    assert words in told.message
    assert "look at a new plan" in told.message
    assert now(laid_out) == edited(LIVE, fields)
    assert laid_out.carried_out("bio_1") == 0
    assert done.pages["bio_0"].words == ("applied", None)
    assert done.code == 3


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("edit", HARMLESS)
def test_an_edit_that_no_write_touches_stays_and_the_page_is_applied(
    laid_out: Bench, moment: Moment, edit: str
) -> None:
    fields, after = HARMLESS[edit]
    done = moment(laid_out, lambda: laid_out.sandbox.edit("bio_1", **fields))
    if moment is while_its_own_write_settles and "half" in edit:
        # Or the write was carried out, and somebody has undone one half of it: nobody knows.
        assert done.pages["bio_1"].words == ("failed", "drifted")
        assert now(laid_out) == edited(LIVE, fields)
        return
    assert done.pages["bio_1"].words == ("applied", None)
    assert now(laid_out) == edited(LIVE, {}) | {"title": "New"} | after
    assert (done.code, laid_out.carried_out("bio_1")) == (0, 1)


def test_a_carried_out_write_of_which_somebody_has_undone_a_part_is_not_repeated(laid_out: Bench) -> None:
    laid_out.fail(method="PATCH", path="bio_1", after=True, wire="reset")
    laid_out.fail(method="GET", path="bio_1", edits={"bio_1": {"title": LIVE["title"]}})
    done = laid_out.apply()
    assert done.pages["bio_1"].words == ("failed", "drifted")
    assert "/title" in done.pages["bio_1"].message
    assert now(laid_out)["title"] == LIVE["title"]
    assert (done.code, laid_out.carried_out("bio_1")) == (3, 1)


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_edit_of_a_field_that_no_file_manages_stays(bench: Bench, moment: Moment) -> None:
    bench.files({"bio_0": "title: New", "bio_1": "title: New"})
    bench.start([{"id": "bio_0", "title": "Old"}, LIVE])
    theirs = {"description": "Theirs", "page_data": {"theme": "blue"}}
    done = moment(bench, lambda: bench.sandbox.edit("bio_1", **theirs))
    assert done.pages["bio_1"].words == ("applied", None)
    assert now(bench) == edited(LIVE, theirs) | {"title": "New"}
    assert {each.body and tuple(each.body) for each in bench.sandbox.requests if each.method == "PATCH"} == {("title",)}


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_edit_that_makes_the_page_as_wanted_leaves_nothing_to_write(laid_out: Bench, moment: Moment) -> None:
    done = moment(laid_out, lambda: laid_out.sandbox.edit("bio_1", title="New", page_data=WANTED))
    # Of a write whose answer was lost nobody can tell that it was somebody else.
    lost = moment is while_its_own_write_settles
    assert done.pages["bio_1"].words == ("applied" if lost else "unchanged", None)
    assert (done.code, laid_out.carried_out("bio_1")) == (0, 0)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_page_that_is_deleted_meanwhile_is_gone_and_not_made_anew(laid_out: Bench, moment: Moment) -> None:
    done = moment(laid_out, lambda: laid_out.sandbox.remove("bio_1"))
    assert done.pages["bio_1"].words == ("failed", "gone")
    assert (done.code, len(laid_out.sandbox.pages)) == (3, 1)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    ("ignored", "public", "word"),
    [
        ("", True, "drifted"),
        ("published: true\nignore: [/published]", True, "drifted"),
        ("published: true", True, None),
    ],
)
def test_consent_to_change_a_hidden_page_is_none_to_change_a_public_one(
    bench: Bench, moment: Moment, ignored: str, public: bool, word: str | None
) -> None:
    bench.files({"bio_0": "title: New", "bio_1": f"title: New\n{ignored}"})
    bench.start([{"id": "bio_0", "title": "Old"}, LIVE])
    done = moment(bench, lambda: bench.sandbox.edit("bio_1", is_published=public))
    assert done.pages["bio_1"].words == (("failed" if word else "applied"), word)
    assert bench.live("bio_1", "title", "is_published") == ("Old" if word else "New", True)


def test_a_link_that_moves_may_be_edited_where_it_is_ignored(bench: Bench) -> None:
    links = [{**link, "clicks": 1} for link in LINKS]
    text = FILE.replace(
        '{label: A, url: "https://a.example"}, {label: B, url: "https://b.example"}',
        '{label: B, url: "https://b.example"}, {label: A, url: "https://a.example"}',
    )
    bench.files({"bio_0": "title: New", "bio_1": text + "  \n".join(["", ""])})
    path = bench.folder / "pages" / "bio_1.yaml"
    path.write_text(path.read_text().replace("[/page_data/badge]", "[/page_data/badge, /page_data/links/*/clicks]"))
    bench.start([{"id": "bio_0", "title": "Old"}, LIVE | {"page_data": DATA | {"links": links}}])
    counted = [{**link, "clicks": 2} for link in LINKS]
    done = while_asked(bench, lambda: bench.sandbox.edit("bio_1", page_data=DATA | {"links": counted}))
    assert done.pages["bio_1"].words == ("applied", None)
    assert now(bench)["page_data"] == WANTED | {"links": counted[::-1]}


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"title": "Theirs"}, "/title is 'Theirs' now"),
        ({"title": "New again", "description": "Theirs"}, "/title is 'New again' now"),
        # Back to what the plan has seen.
        ({"title": "Old"}, "/title is 'Old' now"),
        ({"page_data": WANTED | {"theme": "blue"}}, "/page_data/theme is 'blue' now"),
        ({"description": "Theirs"}, "/description is 'Theirs' now"),
    ],
)
@pytest.mark.parametrize("waited", [True, False])
def test_an_edit_between_two_writes_of_a_page_is_found(bench: Bench, edit: Edit, words: str, waited: bool) -> None:
    bench.files({"bio_1": FILE + "published: true"})
    bench.start([LIVE])
    if waited:
        bench.fail(method="POST", status=429, code="BURST_LIMIT_EXCEEDED", headers={"Retry-After": "25"})
        bench.clock.meanwhile.append(lambda: bench.sandbox.edit("bio_1", **edit))
    else:
        bench.fail(method="POST", edits={"bio_1": edit})
    done = bench.apply()
    told = done.pages["bio_1"]
    assert (done.code, told.words) == (3, ("failed", "drifted"))
    assert words in told.message
    # What is younger than the view that a write may be based on can't be seen before it, but in its answer.
    changed = edited(LIVE, {"title": "New", "page_data": WANTED, "is_published": not waited} | edit)
    assert now(bench) == changed
    assert bench.carried_out("bio_1") == (1 if waited else 2)


@pytest.mark.parametrize("waited", [True, False])
def test_somebody_who_publishes_the_page_first_leaves_nothing_to_publish(bench: Bench, waited: bool) -> None:
    bench.files({"bio_1": FILE + "published: true"})
    bench.start([LIVE])
    if waited:
        bench.fail(method="POST", status=429, code="BURST_LIMIT_EXCEEDED", headers={"Retry-After": "25"})
        bench.clock.meanwhile.append(lambda: bench.sandbox.edit("bio_1", is_published=True))
    else:
        bench.fail(method="PATCH", edits={"bio_1": {"is_published": True}})
    done = bench.apply()
    assert (done.code, done.words) == (0, [("applied", None)])
    assert bench.carried_out("bio_1") == 1


@pytest.mark.parametrize(
    ("edit", "words", "message"),
    [
        ({"description": "Theirs"}, ("failed", "drifted"), "/description is 'Theirs' now"),
        ({"is_published": True}, ("failed", "drifted"), "/published is true now"),
        ({"title": "Theirs"}, ("applied", None), ""),
        ({"page_data": {}}, ("applied", None), ""),
    ],
)
def test_an_edit_in_the_last_moment_is_seen_in_the_answer_where_the_write_has_not_covered_it(
    bench: Bench, edit: Edit, words: tuple[str, str | None], message: str
) -> None:
    bench.files({"bio_1": FILE})
    bench.start([LIVE])
    bench.fail(method="PATCH", edits={"bio_1": edit})
    done = bench.apply()
    assert done.words == [words]
    assert message in done.pages["bio_1"].message
    assert done.code == (3 if words[1] else 0)


def test_an_edit_in_the_last_moment_of_an_unmanaged_field_is_noted_beside_the_outcome(bench: Bench) -> None:
    bench.files({"bio_1": "title: New"})
    bench.start([LIVE])
    bench.fail(method="PATCH", edits={"bio_1": {"description": "Theirs", "page_data": {"theme": "blue"}}})
    done = bench.apply()
    assert (done.code, done.words) == (0, [("applied", None)])
    assert "/description, /page_data/theme, " in done.pages["bio_1"].message
    assert "changed at the same time, and was left alone" in done.pages["bio_1"].message
    assert now(bench)["description"] == "Theirs"


def test_a_rerun_after_an_edit_is_a_new_plan(laid_out: Bench) -> None:
    while_asked(laid_out, lambda: laid_out.sandbox.edit("bio_1", title="Theirs"))
    assert laid_out.apply().words == [("unchanged", None), ("applied", None)]
    assert now(laid_out)["title"] == "New"


def reads(bench: Bench) -> list[str]:
    return [call for call in bench.calls if call.startswith("GET")]


def oldest_view(bench: Bench) -> float:
    """Give the age of the oldest view that a write was based on, from when it was asked for."""
    seen: dict[str, float] = {}
    ages = []
    for each in bench.sandbox.requests:
        page_id = each.path.removeprefix("/api/v1/bio/pages").strip("/").split("/")[0]
        if each.method == "GET":
            seen[page_id] = each.at
        else:
            ages.append(each.at - max(seen.get("", 0), seen.get(page_id, 0)))
    return max(ages)


@pytest.mark.parametrize(("max_age", "lists"), [("0", 39), ("1", 39), ("15", 3), ("30", 2), ("3600", 1)])
def test_no_write_goes_out_on_an_old_view_and_one_list_call_refreshes_it_for_all(
    bench: Bench, max_age: str, lists: int
) -> None:
    bench.files(dict.fromkeys((f"bio_{n}" for n in range(40)), "title: New"))
    # A call a second: forty writes take forty seconds and more.
    bench.start([{"id": f"bio_{n}", "title": "Old"} for n in range(40)], burst_limit=1)
    done = bench.apply("--max-age", max_age)
    assert done.document["summary"]["applied"] == 40
    assert oldest_view(bench) <= max(float(max_age), 3) + 0.1
    assert reads(bench).count("GET") == lists
    # Of the last page alone, a look at the page costs as much as the list.
    assert len(reads(bench)) - reads(bench).count("GET") <= 1
    assert bench.writes == [f"PATCH bio_{n}" for n in sorted(range(40), key=str)]


def test_an_edit_during_a_long_apply_is_found_on_time(bench: Bench) -> None:
    bench.files(dict.fromkeys((f"bio_{n}" for n in range(10, 50)), "title: New"))
    bench.start([{"id": f"bio_{n}", "title": "Old"} for n in range(10, 50)], burst_limit=1)
    # At the tenth write: the last pages are written half a minute later.
    bench.fail(method="PATCH", skip=9, edits={f"bio_{n}": {"title": "Theirs"} for n in (15, 40, 49)})
    done = bench.apply()
    drifted = {page_id for page_id, told in done.pages.items() if told.words == ("failed", "drifted")}
    # One that was written already stays as somebody made it.
    assert drifted == {"bio_40", "bio_49"}
    assert [bench.live(f"bio_{n}", "title") for n in (15, 40, 49)] == [("Theirs",)] * 3


@pytest.mark.parametrize(("pages", "asked"), [*product((1, 2), (14.0, 16.0, 600.0)), (200, 14.0), (200, 16.0)])
def test_a_plan_that_was_looked_at_for_long_is_looked_at_again(bench: Bench, pages: int, asked: float) -> None:
    bench.many(pages)

    def wait() -> None:
        bench.clock.now += asked

    done = bench.apply(asked=wait)
    assert done.document["summary"]["applied"] == pages
    first = "GET bio_000" if pages == 1 else "GET"
    assert reads(bench) == [first] * (1 if asked < 15 else 2)
    assert done.document["api"]["calls"] == len(bench.calls) == pages + len(reads(bench))


@pytest.mark.parametrize(("paging", "differing"), [("honour", 230), ("ignore", 6), ("refuse", 6)])
def test_a_large_workspace_is_looked_at_again_in_as_few_calls_as_it_takes(
    bench: Bench, paging: str, differing: int
) -> None:
    names = [f"bio_{n:03}" for n in range(230)]
    old = {*names[: differing // 2], *names[-differing // 2 :]}
    bench.files(dict.fromkeys(names, "title: New"))
    bench.start([{"id": name, "title": "Old" if name in old else "New"} for name in names], paging=paging)

    def wait() -> None:
        bench.clock.now += 60

    done = bench.apply(asked=wait)
    assert done.document["summary"]["applied"] == differing
    once = {"honour": 2, "ignore": 1, "refuse": 1}[paging]
    assert len(reads(bench)) == 2 * once + (paging == "refuse")


def test_a_workspace_that_is_suddenly_empty_ends_the_run(bench: Bench) -> None:
    bench.many(3)
    body = json.dumps({"data": [], "meta": {}})
    bench.fail(method="GET", status=200, body=body, headers={"Content-Type": "application/json"}, skip=1)

    def wait() -> None:
        bench.clock.now += 60

    done = bench.apply(asked=wait)
    assert (done.code, done.words) == (1, [("failed", "gone"), ("skipped", "gone"), ("skipped", "gone")])
    assert "none of the pages that were there a moment ago" in done.pages["bio_000"].message
    assert bench.writes == []


def test_one_page_that_is_gone_from_the_list_stops_nobody(bench: Bench) -> None:
    bench.many(3)

    def remove() -> None:
        bench.sandbox.remove("bio_001")
        bench.clock.now += 60

    done = bench.apply(asked=remove)
    assert done.words == [("applied", None), ("failed", "gone"), ("applied", None)]
    assert bench.writes == ["PATCH bio_000", "PATCH bio_002"]


@pytest.mark.parametrize("retry_after", ["16", "30", "600"])
def test_a_write_that_waited_too_long_for_its_turn_looks_again_first(bench: Bench, retry_after: str) -> None:
    bench.many(2)
    members = {"status": 429, "code": "BURST_LIMIT_EXCEEDED", "headers": {"Retry-After": retry_after}}
    bench.fail(method="PATCH", **members)
    assert bench.apply().words == [("applied", None)] * 2
    assert bench.calls == ["GET", "PATCH bio_000", "GET", "PATCH bio_000", "PATCH bio_001"]


def test_a_write_that_the_service_is_each_time_too_busy_for_is_sent_six_times_on_a_young_view_each(
    bench: Bench,
) -> None:
    bench.many(1)
    members = {"status": 429, "code": "BURST_LIMIT_EXCEEDED", "headers": {"Retry-After": "30"}}
    bench.fail(method="PATCH", times=None, **members)
    done = bench.apply()
    assert (done.code, done.words) == (1, [("failed", "rejected")])
    assert "too many requests a second, each time it was sent" in done.pages["bio_000"].message
    assert bench.calls == ["GET bio_000", "PATCH bio_000"] * 6


# Whatever happens to a run, each outcome is true of its page.
MAX_AGE = 15.0
BADGES = st.sampled_from(("gold", "silver", "bronze"))
TITLES = st.sampled_from(("Old", "New", "Theirs"))
THEMES = st.sampled_from(("dark", "light", "blue"))
page_datas = st.builds(lambda theme, badge: {"theme": theme, "badge": badge}, THEMES, BADGES)
lives = st.fixed_dictionaries(
    {
        "title": TITLES,
        "description": st.sampled_from((None, "Text")),
        "page_data": page_datas,
        "is_published": st.booleans(),
    }
)
texts_of_files = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(("New", "Old")),
        "description": st.sampled_from(("", "Text")),
        "page_data": st.just({"theme": "light"}),
        "published": st.booleans(),
    },
)
edits_of_people = st.fixed_dictionaries(
    {},
    optional={
        "title": TITLES,
        "description": st.just("Theirs"),
        "page_data": page_datas,
        "is_published": st.booleans(),
    },
).filter(bool)
ids = st.integers(0, 5).map(lambda n: f"bio_{n}")
fates = st.one_of(
    st.builds(lambda after: {"after": after}, st.booleans()),
    st.builds(lambda late: {"late": late}, st.sampled_from((1.0, 5.0, 14.0))),
)
lost = st.one_of(
    st.sampled_from(("reset", "close", "truncate", "truncate-chunk", "silent-truncate", "garbage")).map(
        lambda wire: {"wire": wire}
    ),
    st.sampled_from((408, 500, 502, 503, 504)).map(lambda status: {"status": status}),
    st.just({"status": 200, "body": "<html>"}),
)
refused = st.one_of(
    st.integers(1, 30).map(
        lambda after: {"status": 429, "code": "BURST_LIMIT_EXCEEDED", "headers": {"Retry-After": str(after)}}
    ),
    st.just({"status": 400, "code": "VALIDATION_ERROR"}),
    st.just({"status": 401, "code": "REVOKED_API_KEY"}),
    st.just({"status": 429, "code": "RATE_LIMIT_EXCEEDED"}),
)
writing = st.fixed_dictionaries(
    {"method": st.sampled_from(("PATCH", "POST")), "path": ids, "times": st.integers(1, 3)},
    optional={"edits": st.dictionaries(ids, edits_of_people, max_size=1)},
)
reading = st.fixed_dictionaries({"method": st.just("GET"), "skip": st.integers(1, 4), "times": st.integers(1, 5)})
faults = st.lists(
    st.one_of(
        st.builds(lambda one, two, three: one | two | three, writing, lost, fates),
        st.builds(lambda one, two: one | two, writing, refused),
        st.builds(
            lambda page_id, edit, other: {"method": "PATCH", "path": other, "edits": {page_id: edit}},
            ids,
            edits_of_people,
            ids,
        ),
        st.builds(lambda one, two: one | two, reading, lost),
    ),
    max_size=6,
)


def managed(wanted: Page) -> set[str]:
    return {"is_published" if name == "published" else name for name in wanted}


def parts(page: Page) -> dict[str, Any]:
    """Give a page as the parts that somebody may own."""
    data = page["page_data"]
    return {
        "title": page["title"],
        "description": page["description"] or "",
        "page_data": {key: value for key, value in data.items() if key != "badge"},
        "badge": data.get("badge"),
        "is_published": page["is_published"],
    }


def is_as_wanted(page: Page, wanted: Page) -> bool:
    found = parts(page)
    return all(found["is_published" if name == "published" else name] == value for name, value in wanted.items())


def check_page(bench: Bench, page_id: str, first: Page, wanted: Page, told: Any) -> None:
    revisions = [each for each in bench.sandbox.history if each.page_id == page_id]
    states = [first, *[each.page for each in revisions if each.page is not None]]
    by_us = [number for number, each in enumerate(revisions) if each.by == "api"]
    if told.outcome == "applied":
        # At some time since the last write; what somebody did later is theirs.
        assert by_us
        assert any(is_as_wanted(state, wanted) for state in states[by_us[-1] + 1 :])
    if told.outcome in {"unchanged", "skipped"}:
        assert not by_us
    if told.outcome == "unchanged":
        assert any(is_as_wanted(state, wanted) for state in states)
    for number in by_us:
        check_write(bench, number, revisions, states, first, wanted)


def check_write(bench: Bench, number: int, revisions: Any, states: list[Page], first: Page, wanted: Page) -> None:
    """Hold one write against what it was allowed to change."""
    was, then = parts(states[number]), parts(states[number + 1])
    sent_at = bench.sandbox.requests[revisions[number].request].at
    owned = managed(wanted)
    for part in was:
        if was[part] == then[part]:
            continue
        edited_at = [
            each.at
            for before, each, after in zip(states, revisions[:number], states[1:], strict=False)
            if each.by == "dashboard" and parts(before)[part] != parts(after)[part]
        ]
        lately = bool(edited_at) and edited_at[-1] >= sent_at - MAX_AGE - 0.1
        assert part in owned or (part == "badge" and lately), f"{part} is not the file's"
        assert was[part] == parts(first)[part] or lately or part == "is_published", f"an edit of {part} was lost"


def check_all(bench: Bench, done: Done, firsts: dict[str, Page], texts: dict[str, Page]) -> None:
    ok = all(told.outcome in {"applied", "unchanged"} for told in done.pages.values())
    written = any(each.by == "api" for each in bench.sandbox.history)
    assert done.code == 0 if ok else done.code in ({3} if written else {1, 3})
    for page_id, told in done.pages.items():
        check_page(bench, page_id, firsts[page_id], texts[page_id], told)
        sent = [
            (each.method, each.path)
            for each in bench.sandbox.requests
            if each.method != "GET" and page_id in each.path and each.status != 429
        ]
        assert all(sent.count(each) <= 2 for each in sent)


def lay_out(bench: Bench, workspace: list[tuple[Page, Page]]) -> tuple[dict[str, Page], dict[str, Page]]:
    firsts = {f"bio_{n}": live for n, (live, _) in enumerate(workspace)}
    texts = {f"bio_{n}": wanted for n, (_, wanted) in enumerate(workspace)}
    written = {
        page_id: "\n".join(f"{name}: {json.dumps(value)}" for name, value in wanted.items())
        + "\nignore: [/page_data/badge]"
        for page_id, wanted in texts.items()
    }
    bench.files(written)
    bench.start([{"id": page_id, **live} for page_id, live in firsts.items()])
    return firsts, texts


@given(
    st.lists(st.tuples(lives, texts_of_files), min_size=1, max_size=6),
    faults,
    st.lists(st.tuples(ids, edits_of_people), max_size=3),
)
@settings(print_blob=True)
def test_outcomes_are_true_no_edit_is_lost_without_need_and_a_rerun_ends_well(
    bench: Bench, workspace: list[tuple[Page, Page]], planned: list[dict[str, Any]], acts: list[tuple[str, Page]]
) -> None:
    bench.clock.meanwhile.clear()
    firsts, texts = lay_out(bench, workspace)
    for each in planned:
        members = each | {"edits": {page: edit for page, edit in each.get("edits", {}).items() if page in firsts}}
        if members["edits"] or members.keys() & {"status", "wire"}:
            bench.sandbox.faults.append(Fault(**members))
    for page_id, edit in acts:
        if page_id in firsts:
            bench.clock.meanwhile.append(partial(bench.sandbox.edit, page_id, **edit))
    check_all(bench, bench.apply(), firsts, texts)
    bench.sandbox.faults.clear()
    bench.clock.meanwhile.clear()
    bench.clock.now += 60
    again = bench.apply()
    assert again.code == 0
    for page_id, wanted in texts.items():
        assert is_as_wanted(bench.sandbox.page(page_id), wanted)
    assert bench.apply().words == [("unchanged", None)] * len(texts)
    assert bench.writes == []


def test_the_clock_of_a_bench_moves_by_sleeping_only() -> None:
    clock = Clock(now=5)
    acted: list[float] = []
    clock.meanwhile.append(lambda: acted.append(clock()))
    clock.sleep(0.5)
    clock.sleep(10)
    assert (clock(), acted, clock.waits) == (15.5, [10.5], [10])
