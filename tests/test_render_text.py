"""A plan for people: whole documents as snapshots, and nothing in them that can act."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from bio_sync.jsonvalues import JsonObject
from bio_sync.model import LivePage, PageContent
from bio_sync.planning import Circumstances, Plan, Revision, make_plan
from bio_sync.positions import positions_of_moves
from bio_sync.render.text import render
from tests import strategies as some
from tests.strategies import with_origins

NOW = Circumstances("0.1.0", "2026-11-22T10:00:00Z", "https://xqr.co/api/v1", 1, 46)


def content(title: str, published: bool, description: str | None = None, **page_data: Any) -> PageContent:
    return PageContent(title, description, page_data, published)


def link(label: str, url: str, **more: Any) -> JsonObject:
    return {"label": label, "url": url, **more}


def plan_of(pairs: list[tuple[PageContent, PageContent]], **more: Any) -> Plan:
    wanted = [some.wanted_page(after, f"bio_{n}") for n, (_, after) in enumerate(pairs)]
    live = {f"bio_{n}": some.live_page(before, f"bio_{n}") for n, (before, _) in enumerate(pairs)}
    return make_plan(wanted, live, circumstances=NOW, **more)


def example_plan() -> Plan:
    shop, blog, tour = (link(name, f"https://{name.lower()}.example") for name in ("Shop", "Blog", "Tour"))
    long = "We open at eight, and there is bread until it is gone, which is most days before noon. "
    pairs = [
        (
            content("Acme Inc", True, "Official links", theme="dark", links=[shop, tour]),
            content("Acme Inc - Updated", True, "Official links", theme="light", links=[shop, blog, tour]),
        ),
        (
            content("Bakery", True, None, links=[shop, blog, tour], layout={"columns": 1, "a.b": True}),
            content("Bakery", True, long, links=[tour, shop | {"label": "Our shop"}], layout={"columns": 2}),
        ),
        (content("Campaign", False), content("Campaign 2026", True)),
        (content("Closed", True, badge=["new", "old"]), content("Closed", False, badge=["old", "new"])),
        (content("Same", True), content("Same", True)),
        (content("Draft", False, text="one\ntwo"), content("Draft", False, text='one\n"two"\\')),
    ]
    plan = plan_of(pairs, warnings=["pages/a.yaml:3: 'http://a.example' is not encrypted; use https://"])
    stranger = some.live_page(content("Old newsletter", False), "bio_old", slug="old-newsletter")
    more: list[LivePage] = [some.live_page(before, f"bio_{n}") for n, (before, _) in enumerate(pairs)]
    wanted = [some.wanted_page(after, f"bio_{n}") for n, (_, after) in enumerate(pairs)]
    gone = some.wanted_page(content("Gone", True), "bio_gone")
    live = {page.page_id: page for page in [*more, stranger]}
    return make_plan([*wanted, gone], live, circumstances=NOW, warnings=plan.warnings)


def test_a_plan_for_people(snapshot: SnapshotAssertion) -> None:
    assert render(example_plan()) == snapshot


def test_a_plan_for_people_in_colour(snapshot: SnapshotAssertion) -> None:
    assert render(example_plan(), colour=True) == snapshot


def plan_with_base(*, offline: bool = False) -> Plan:
    """A page that is drift, the file's and a conflict at once; one that somebody hid; one that its file hides."""
    shop, tour = link("Shop", "https://shop.example"), link("Tour", "https://tour.example")
    base = content("Acme", True, theme="light", links=[shop])
    pairs = [
        (
            content("Acme Inc!", True, theme="dark", links=[shop]),
            content("Acme 2", True, theme="light", links=[shop, tour]),
        ),
        (content("Hidden", False, theme="dark"), content("Hidden", True, theme="light")),
        (content("Closing", True, theme="dark"), content("Closing", False, theme="light")),
    ]
    bases = [base, content("Hidden", True, theme="dark"), content("Closing", True, theme="light")]
    plan = plan_of(pairs)
    now = replace(NOW, base=Revision("origin/main", "ba5e" * 10), commit="c0" * 20, offline=offline)
    wanted = {f"bio_{number}": some.wanted_page(page) for number, page in enumerate(bases)}
    return with_origins(replace(plan, circumstances=now), wanted)


def test_a_plan_with_a_base_for_people(snapshot: SnapshotAssertion) -> None:
    assert render(plan_with_base()) == snapshot


def test_a_plan_made_offline_for_people(snapshot: SnapshotAssertion) -> None:
    assert render(plan_with_base(offline=True)) == snapshot


def test_a_plan_without_changes(snapshot: SnapshotAssertion) -> None:
    page = content("Same", True)
    assert render(plan_of([(page, page), (page, page)])) == snapshot


@given(st.lists(some.pairs_of_contents(), max_size=3), st.booleans())
def test_no_text_of_a_page_reaches_the_terminal_unprintable(
    pairs: list[tuple[PageContent, PageContent]], colour: bool
) -> None:
    text = render(plan_of(pairs), colour=colour)
    if colour:
        text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert all(character.isprintable() or character in "\u200c\u200d" for character in text.replace("\n", ""))


HOSTILE = [
    "\x1b]52;c;aGk=\x07",
    "\x1b[2J",
    "\x9b31m",
    "a\rb",
    "\u202egnp.exe",
    "two\nlines",
    "::error::no",
    "##[add-mask]a",
    "\u2066x",
    "\ud800",
    "\x00",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_in_every_place_of_a_page_stays_text(hostile: str) -> None:
    before = PageContent(hostile, hostile, {hostile: hostile, "links": [link(hostile, hostile)]}, True)
    after = PageContent("T", "D", {"links": [link("a", "https://a.example"), link(hostile, "https://b.example")]}, True)
    page = some.live_page(before, slug=hostile, html_url=hostile)
    wanted = some.wanted_page(after, file=f"pages/{hostile}.yaml")
    plan = make_plan([wanted], {"bio_1": page}, circumstances=NOW, warnings=[hostile])
    text = render(plan)
    assert all(character.isprintable() for character in text.replace("\n", ""))
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    assert "##[" not in text


def test_moves_are_told_by_the_positions_that_people_count() -> None:
    names = [link(name, f"https://{name}.example") for name in "abcde"]
    new = [names[4], link("new", "https://new.example"), names[0], names[2], names[3]]
    plan = plan_of([(content("T", True, links=names), content("T", True, links=new))])
    assert set(positions_of_moves(plan.changes[0]).values()) == {(5, 1)}
    assert "position 5 → 1" in render(plan)


@given(st.permutations("abcdefg"), st.integers(0, 7), st.data())
def test_positions_are_where_the_item_was_and_where_it_will_be(
    order: list[str], kept: int, data: st.DataObject
) -> None:
    before = [link(name, f"https://{name}.example") for name in "abcdefg"]
    after = [link(name, f"https://{name}.example") for name in order[:kept]]
    after.insert(data.draw(st.integers(0, kept)), link("new", "https://new.example"))
    plan = plan_of([(content("T", True, links=before), content("T", True, links=after))])
    steps = plan.changes[0].operations
    moves = positions_of_moves(plan.changes[0])
    assert set(moves) == {index for index, step in enumerate(steps) if step.op == "move"}
    for index, (was, will_be) in moves.items():
        assert before[was - 1] == after[will_be - 1] == steps[index].before


def test_a_very_long_value_is_shortened_and_says_so() -> None:
    plan = plan_of([(content("T", True, text=""), content("T", True, text="x" * 10_000))])
    assert "characters more…" in render(plan)
    assert len(render(plan)) < 3_000


def test_values_that_are_read_from_the_right_stand_on_lines_of_their_own() -> None:
    arabic = plan_of([(content("تواصل معنا", True), content("اتصل بنا", True))])
    assert '    ~ title\n        - "تواصل معنا"\n        + "اتصل بنا"\n' in render(arabic)


def test_a_move_that_keeps_its_number_says_what_happens_instead() -> None:
    names = [link(f"L{number}", f"https://l{number}.example") for number in range(5)]
    new = [names[3], names[4], names[2], names[1], link("N", "https://n.example")]
    text = render(plan_of([(content("T", True, links=names), content("T", True, links=new))]))
    assert "still 3, others move past it" in text
    assert "3 → 3" not in text
