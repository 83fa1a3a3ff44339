"""A plan as an HTML page: whole documents, the marks in the frames, and nothing in it but what we wrote."""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from bio_sync.jsonvalues import Json
from bio_sync.model import PageContent, as_if_live
from bio_sync.planning import Plan, Revision, make_plan
from bio_sync.render.html import render
from bio_sync.render.phone import LEAST_FOLDED, MOST_UNFOLDED, THEMES, Drawn, Phone, phones_of
from tests import strategies as some
from tests.readers import HtmlPage, read_html
from tests.strategies import with_origins
from tests.test_render_text import NOW, content, example_plan, link, plan_of

BASE = replace(NOW, commit="4f8b004" + "0" * 33, base=Revision("origin/main", "4143f34" + "a" * 33))
SHOP, BLOG, TOUR, MUSIC = (link(name, f"https://{name.lower()}.example") for name in ("Shop", "Blog", "Tour", "Music"))

NAUGHTY = [
    "</style><style>*{display:none}</style>",
    "]]><!--<script>document.title='scripted'</script>",
    '"><img src=/picture onerror=alert(1)>',
    "javascript:alert(1)",
    "tel:+49 30 1234",
    "mailto:a@b.example?subject=x",
    "https://picture.example/a.png",
    "url(https://style.example);} body{display:none",
    "{{ 7 * 7 }}{% include 'x' %}",
    "\N{FAMILY}\N{PARTY POPPER}",
    "\N{WOMAN}\u200d\N{ROCKET}",
    "שלום עליכם",
    "\u202egnp.exe",
    "two\nlines\r\nthree",
    "x" * 5_000,
    "Wide " * 40,
]


class Documents(SingleFileSnapshotExtension):
    file_extension = "html"
    _write_mode = WriteMode.TEXT


@pytest.fixture
def document(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Documents)


def without_style(plan: Plan) -> str:
    """Give the document without its style: a colour that changes is no change of what is said."""
    return re.sub(r"<style>.*?</style>|(?<=sha256-)[A-Za-z0-9+/=]{44}", "…", render(plan), flags=re.DOTALL)


def pairs_with_base() -> list[tuple[PageContent, PageContent, PageContent]]:
    """Give pages live, in their files, and at the base."""
    return [
        (
            content("Acme Inc", True, "Official", theme="dark", links=[SHOP, BLOG, TOUR, MUSIC]),
            content("Acme Ltd", True, "Official", theme="light", links=[MUSIC, SHOP | {"label": "Store"}, TOUR]),
            content("Acme", True, "Official", theme="dark", links=[SHOP, BLOG, TOUR, MUSIC]),
        ),
        (
            content("Bakery", True, "Bread", links=[SHOP]),
            content("Bakery", False, "Bread and more", links=[SHOP, TOUR]),
            content("Bakery", False, "Bread and more", links=[SHOP]),
        ),
        (
            content("מאפייה", False, None, links=[SHOP, TOUR]),
            content("מאפייה", True, "לחם", links=[TOUR | {"url": "https://xn--mnchen-3ya.example"}, SHOP]),
            content("מאפייה", False, "", links=[SHOP, TOUR]),
        ),
    ]


def plan_with_base() -> Plan:
    told = pairs_with_base()
    plan = plan_of([(live, wanted) for live, wanted, _ in told], warnings=["pages/a.yaml:3: not encrypted"])
    bases = {f"bio_{n}": some.wanted_page(base, f"bio_{n}") for n, (_, _, base) in enumerate(told)}
    return with_origins(replace(plan, circumstances=BASE), bases)


def offline_plan() -> Plan:
    told = [(base, wanted) for _, wanted, base in pairs_with_base()]
    bases = {f"bio_{n}": some.wanted_page(base, f"bio_{n}") for n, (base, _) in enumerate(told)}
    wanted = [some.wanted_page(page, f"bio_{n}") for n, (_, page) in enumerate(told)]
    fresh = replace(some.wanted_page(content("x", True, theme="dark", links=[SHOP]), "bio_9"), title=None)
    before = {page_id: as_if_live(page_id, page) for page_id, page in bases.items()}
    before["bio_9"] = as_if_live("bio_9", None)
    now = replace(BASE, offline=True, calls=0, quota_remaining=None)
    return with_origins(make_plan([*wanted, fresh], before, circumstances=now), bases)


def naughty_page(text: str, more: str = "") -> PageContent:
    links: list[Json] = [link(text, text + more), {"url": text}, {"label": text}, [text], 1, text]
    return content(text + more, True, text + more, theme=text + more, avatar_url=text + more, links=links)


def naughty_plan(texts: Sequence[str] = NAUGHTY) -> Plan:
    """Make a plan of pages that say naughty things in every place."""
    pairs = []
    for text in texts:
        after = naughty_page(text, "!")
        links = after.page_data["links"]
        assert isinstance(links, list)
        changed: list[Json] = [link(f"new {text}", f"https://new.example/{text}"), *links[::-1]]
        pairs.append((naughty_page(text), replace(after, page_data={**after.page_data, "links": changed, text: text})))
    return plan_of(pairs, warnings=texts)


def long_plan(count: int, *, changed: int | None = None) -> Plan:
    """Plan a page of `count` links: the one at `changed` gets another label, or all of them."""
    links = [link(f"Link {number}", f"https://l{number}.example") for number in range(count)]
    after = [
        {**one, "label": f"{one['label']}, new"} if changed in {None, number} else one
        for number, one in enumerate(links)
    ]
    return plan_of([(content("Long", True, links=links), content("Long", True, links=after))])


def drawn(before: PageContent, after: PageContent) -> tuple[Phone, Phone]:
    (change,) = plan_of([(before, after)]).changes
    return phones_of(change)


def links_of(phone: Phone) -> list[Drawn]:
    return [one for run in phone.runs for one in run.links]


def told(phone: Phone) -> list[tuple[str, str]]:
    return [(one.text, one.words) for one in links_of(phone)]


def classed(page: HtmlPage, name: str) -> list[dict[str, str | None]]:
    return [attributes for _, attributes in page.tags if name in (attributes.get("class") or "").split()]


def test_a_plan_as_a_page(document: SnapshotAssertion) -> None:
    assert without_style(example_plan()) == document


def test_a_plan_with_a_base_as_a_page(document: SnapshotAssertion) -> None:
    assert without_style(plan_with_base()) == document


def test_a_plan_made_offline_as_a_page(document: SnapshotAssertion) -> None:
    assert without_style(offline_plan()) == document


def test_a_plan_without_changes_as_a_page(document: SnapshotAssertion) -> None:
    page = content("Same", True)
    assert without_style(plan_of([(page, page)])) == document


def test_the_same_plan_gives_the_same_page() -> None:
    assert render(plan_with_base()) == render(plan_with_base())


def test_the_policy_allows_the_one_style_and_nothing_else() -> None:
    source = render(example_plan())
    (style,) = re.findall(r"<style>(.*?)</style>", source, re.DOTALL)
    (policy,) = [
        attributes["content"]
        for attributes in read_html(source).named("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert (policy or "").split("; ") == [
        "default-src 'none'",
        "img-src data:",
        f"style-src 'sha256-{hashed}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert "\r" not in style
    assert not re.search(r"url\(|@import|https?:", style)


OUR_TAGS = {
    *("html", "head", "meta", "title", "link", "style", "body"),
    *("header", "main", "section", "nav", "article", "footer"),
    *("h1", "h2", "h3", "p", "ul", "ol", "li", "div", "span", "figure", "figcaption", "details", "summary"),
    *("a", "b", "bdi", "br", "code", "del", "ins", "strong"),
}


def ours(tag: str, attributes: dict[str, str | None]) -> Iterator[str]:
    """Name what a page may have put into a tag."""
    known = {
        "class": r"[a-z0-9 -]+",
        "id": r"pages|warnings|destinations|page-\d+|phone-\d+-\d",
        "aria-labelledby": r"pages|warnings|destinations|page-\d+|phone-\d+-\d",
        "aria-hidden": "true",
        "href": r"#page-\d+|data:,",
        "dir": "auto",
        "lang": "en",
        "role": "group",
        "tabindex": "0",
        "data-theme": "light|dark",
        "rel": "icon",
    }
    for name, value in attributes.items():
        if tag != "meta" and not re.fullmatch(known.get(name, "(?!)"), value or ""):
            yield f"{tag} {name}={value}"


@given(st.lists(some.pairs_of_contents(), max_size=3))
def test_no_page_puts_a_tag_or_an_attribute_of_its_own_into_the_document(
    pairs: list[tuple[PageContent, PageContent]],
) -> None:
    page = read_html(render(plan_of(pairs)))
    assert (page.faults, page.comments) == ([], [])
    assert page.names() <= OUR_TAGS
    assert [fault for tag, attributes in page.tags for fault in ours(tag, attributes)] == []


def test_naughty_texts_put_nothing_of_their_own_into_the_document() -> None:
    page = read_html(render(naughty_plan()))
    assert (page.faults, page.comments, page.declarations) == ([], [], ["doctype html"])
    assert [fault for tag, attributes in page.tags for fault in ours(tag, attributes)] == []
    assert page.text.count("{{ 7 * 7 }}") > 10
    assert "49" not in page.text.replace("+49", "")


@given(st.lists(st.tuples(some.contents, some.contents, some.contents), max_size=3), st.booleans())
def test_every_operation_is_told_once_with_a_base_and_without(
    pages: list[tuple[PageContent, PageContent, PageContent]], with_base: bool
) -> None:
    plan = plan_of([(live, wanted) for live, wanted, _ in pages])
    if with_base:
        bases = {f"bio_{n}": some.wanted_page(base, f"bio_{n}") for n, (_, _, base) in enumerate(pages)}
        plan = with_origins(replace(plan, circumstances=BASE), bases)
    page = read_html(render(plan))
    assert len(classed(page, "verb")) == sum(len(change.operations) for change in plan.changes)
    assert len(page.named("article")) == len(plan.changes)


def test_a_new_link_stands_on_the_proposed_side_and_a_removed_one_on_the_live_side() -> None:
    live, proposed = drawn(content("T", True, links=[SHOP, BLOG]), content("T", True, links=[SHOP, TOUR]))
    assert told(live) == [("Shop", ""), ("Blog", "removed")]
    assert told(proposed) == [("Shop", ""), ("Tour", "new")]
    assert [one.kind for one in (*links_of(live), *links_of(proposed))] == ["", "removed", "", "added"]


def test_a_moved_link_says_on_each_side_where_it_is_on_the_other() -> None:
    live, proposed = drawn(
        content("T", True, links=[SHOP, BLOG, TOUR, MUSIC]), content("T", True, links=[SHOP, MUSIC, BLOG, TOUR])
    )
    assert told(live)[3] == ("Music", "moves to 2")
    assert told(proposed)[1] == ("Music", "moved from 4")
    assert [one.kind for one in links_of(live)] == ["", "", "", "moved"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"label": "Store"}, "label changed"),
        ({"url": "https://other.example"}, "address changed"),
        ({"icon": "x"}, "other details changed"),
        ({"icon": "x", "badge": 1}, "other details changed"),
        ({"badge": 1, "label": "Store"}, "label and other details changed"),
    ],
)
def test_an_edited_link_says_what_of_it_changes(edit: dict[str, Any], words: str) -> None:
    live, proposed = drawn(content("T", True, links=[SHOP, BLOG]), content("T", True, links=[SHOP | edit, BLOG]))
    assert told(live)[0] == ("Shop", words)
    assert told(proposed)[0] == (edit.get("label", "Shop"), words)
    assert links_of(live)[0].kind == links_of(proposed)[0].kind == "changed"


def test_a_link_that_moves_and_changes_says_both() -> None:
    live, proposed = drawn(
        content("T", True, links=[SHOP, BLOG, TOUR]), content("T", True, links=[TOUR | {"label": "Dates"}, SHOP, BLOG])
    )
    assert told(live)[2] == ("Tour", "moves to 1 · label changed")
    assert told(proposed)[0] == ("Dates", "moved from 3 · label changed")


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        ("words", "words"),
        (12, "12"),
        (True, "true"),
        ([1, "a"], '[1,"a"]'),
        ({}, "{}"),
        ({"icon": "x"}, '{"icon":"x"}'),
        ({"label": "", "url": "https://a.example"}, "https://a.example"),
        ({"label": "", "url": ""}, "(empty)"),
        ({"label": 3, "url": "https://a.example"}, '{"label":3,"url":"https://a.example"}'),
        ("", "(empty)"),
        ("\x1b[2J", r"\x1b[2J"),
    ],
)
def test_what_is_no_link_is_drawn_as_what_it_is(one: Json, shown: str) -> None:
    live, proposed = drawn(content("T", True, links=[one]), content("T", True, links=[SHOP, one]))
    assert told(live) == [(shown, "")]
    assert told(proposed) == [("Shop", "new"), (shown, "")]


def test_a_plain_value_among_the_links_that_changes_says_so() -> None:
    live, proposed = drawn(content("T", True, links=["a"]), content("T", True, links=["b"]))
    assert (told(live), told(proposed)) == ([("a", "value changed")], [("b", "value changed")])


def test_links_that_are_no_list_are_said_to_be_there() -> None:
    live, proposed = drawn(content("T", True, links={"a": SHOP}), content("T", True, links=[]))
    assert live.no_links == "(its links are no list, and can not be drawn)"
    assert proposed.no_links == "(no links)"
    assert drawn(content("T", True), content("U", True, links=[SHOP]))[1].no_links == ""


@pytest.mark.parametrize("theme", THEMES)
def test_a_frame_has_the_theme_of_its_page(theme: str) -> None:
    live, proposed = drawn(content("T", True, theme=theme), content("T", True))
    assert (live.theme, live.theme_words) == (theme, f"theme: {theme}")
    assert (proposed.theme, proposed.theme_words) == ("", "theme: not set")


@pytest.mark.parametrize("theme", ["neon", "dark light", 1, ["dark"], ""])
def test_an_unknown_theme_is_named_and_no_attribute(theme: Json) -> None:
    live, _ = drawn(content("T", True, theme=theme), content("T", True, theme="dark"))
    assert live.theme == ""
    assert live.theme_words == f"theme: {theme or 'not set'}".replace("['dark']", '["dark"]')


def test_a_theme_that_stays_is_not_mentioned() -> None:
    live, proposed = drawn(content("T", True, theme="dark"), content("U", True, theme="dark"))
    assert (live.theme_words, proposed.theme_words) == ("", "")


def test_another_picture_is_told_and_none_is_loaded() -> None:
    one, other = (content("T", True, avatar_url=f"https://cdn.example/{name}.png") for name in "ab")
    none = content("T", True)
    assert [phone.picture_words for phone in drawn(one, other)] == ["picture changes", "new picture"]
    assert [phone.picture_words for phone in drawn(one, none)] == ["picture changes", "no picture"]
    assert [phone.picture_words for phone in drawn(none, one)] == ["no picture", "new picture"]
    assert read_html(render(plan_of([(one, other)]))).named("img") == []


@pytest.mark.parametrize(
    ("title", "initial"),
    [
        ("acme", "A"),
        ("  acme", "A"),
        ("ßeta", "S"),
        ("\N{PARTY POPPER} party", "\N{PARTY POPPER}"),
        ("שלום", "ש"),
        ("\u202egnp", ""),
        ("", ""),
        (" ", ""),
    ],
)
def test_the_placeholder_for_the_picture_is_the_first_letter_of_the_title(title: str, initial: str) -> None:
    live, _ = drawn(content(title, True), content("Other", True))
    assert live.initial == initial


def test_the_placeholder_keeps_its_colour_whatever_the_title() -> None:
    titles = ["Acme", "Bakery", "Campaign", "Zebra"]
    assert len({phone.tone for title in titles for phone in drawn(content(title, True), content("New", True))}) == 1
    assert len({drawn(content("Old", True), content(title, True))[1].tone for title in titles}) == 1


@pytest.mark.parametrize("title", ["", " ", "\t"])
def test_a_page_without_a_title_says_so(title: str) -> None:
    live, proposed = drawn(content(title, True), content("T", True))
    if title.isprintable():
        assert live.title == Drawn("(no title)", "changed", "title changed", missing=True)
    assert proposed.title == Drawn("T", "changed", "title changed")


def test_a_description_keeps_its_lines_and_one_that_is_not_there_takes_no_room() -> None:
    live, proposed = drawn(content("T", True), content("T", True, "one\r\ntwo\n\nthree\x07"))
    assert live.description == Drawn("(no description)", "changed", "description changed", missing=True)
    assert proposed.description == Drawn("one\ntwo\n\nthree\\x07", "changed", "description changed")
    assert drawn(content("T", True), content("U", True, ""))[1].description.text == ""
    assert "one<br>two<br><br>three" in render(plan_of([(content("T", True), content("T", True, "one\ntwo\n\nthree"))]))


def test_a_line_of_a_description_never_begins_a_line_of_the_document() -> None:
    source = render(plan_of([(content("T", True), content("T", True, "one\n::error::two"))]))
    assert not any(line.startswith("::error::") for line in source.splitlines())


def test_very_long_texts_are_cut_in_the_frames() -> None:
    long = content("t" * 5_000, True, "d" * 5_000, links=[link("l" * 5_000, "https://a.example")])
    live, _ = drawn(long, content("T", True))
    assert len(live.title.text) < len(links_of(live)[0].text) + 2 < 310
    assert len(live.description.text) == 2_001


def test_in_a_long_list_what_is_far_from_a_change_is_folded() -> None:
    (change,) = long_plan(40, changed=30).changes
    live, proposed = phones_of(change)
    runs = [(len(run.links), run.folded) for run in live.runs]
    assert runs == [
        (3, False),
        (25, True),
        (5, False),
        (4, True),
        (3, False),
    ]
    assert [run.folded for run in proposed.runs] == [run.folded for run in live.runs]
    assert [one.text for one in live.runs[2].links] == [f"Link {number}" for number in range(28, 33)]
    assert render(long_plan(40, changed=30)).count("25 links, unchanged") == 2


def test_a_list_of_a_dozen_links_is_shown_whole() -> None:
    (change,) = long_plan(MOST_UNFOLDED, changed=0).changes
    assert [run.folded for run in phones_of(change)[0].runs] == [False]
    (change,) = long_plan(MOST_UNFOLDED + 1, changed=0).changes
    assert True in [run.folded for run in phones_of(change)[0].runs]


@given(st.lists(some.links, max_size=40), st.data())
def test_folding_loses_no_link_and_hides_no_change(links: list[Json], data: st.DataObject) -> None:
    after = data.draw(st.permutations(links))[: data.draw(st.integers(0, len(links)))]
    pages = (content("T", True, links=links), content("U", True, links=after))
    for page, phone in zip(pages, drawn(*pages), strict=True):
        shown = page.page_data["links"]
        assert isinstance(shown, list)
        assert [one.text for one in links_of(phone)] == [one["label"] for one in shown if isinstance(one, dict)]
        for run in phone.runs:
            assert run.links
            assert not run.folded or (len(run.links) >= LEAST_FOLDED and not any(one.kind for one in run.links))


def text_of(plan: Plan) -> str:
    return " ".join(read_html(render(plan)).text.split())


def test_captions_and_frames_say_whether_the_page_is_public() -> None:
    page = content("T", True)
    for before, after, captions, hidden in (
        (True, True, ("Live now", "After apply"), 0),
        (True, False, ("Live now", "After apply, not public"), 1),
        (False, True, ("Now, not public", "After apply"), 1),
        (False, False, ("Now, not public", "After apply, not public"), 2),
    ):
        told = plan_of([(replace(page, published=before), replace(page, title="U", published=after))])
        shown = read_html(render(told))
        assert all(caption in shown.text for caption in captions)
        assert len(classed(shown, "hidden")) == hidden


def test_a_page_says_who_sees_it_how_many_they_are_and_where() -> None:
    text = text_of(plan_of([(content("T", True), content("U", True))]))
    assert "LIVE 7 views · 3 clicks · https://bio.example/bio_0" in text


def test_a_publication_is_a_change_of_its_own_with_its_origin() -> None:
    text = text_of(plan_with_base())
    drift = "Drift the live page differs, and the file is as it was at origin/main; apply overwrites what is live"
    assert f'{drift} ~ changed description was "Bread"' in text
    assert "~ changed published was true becomes false Yours" in text
    assert "~ changed published was false becomes true" in text.partition("Yours changed in the file")[2]
    assert "Conflicts" in text


def test_offline_nothing_is_said_of_live_pages() -> None:
    text = text_of(offline_plan())
    assert "In the file at origin/main" in text
    assert "In the file now" in text
    assert "published was (not in the file) becomes true" in text
    for words in ("views", "Live now", "After apply", "address unknown"):
        assert words not in text
    assert "In the file at origin/main, not public" in text


def test_several_pages_have_a_list_of_contents_and_one_has_none() -> None:
    page = read_html(render(plan_with_base()))
    assert [attributes["href"] for attributes in page.named("a")] == ["#page-1", "#page-2", "#page-3"]
    assert {attributes.get("id") for attributes in page.named("h2")} >= {"page-1", "page-2", "page-3"}
    contents = text_of(plan_with_base()).partition("Changed pages")[2]
    assert contents.startswith(" Acme Inc LIVE Conflicts 5 changes · 7 views · 3 clicks · pages/bio_0.yaml Bakery")
    assert read_html(render(plan_of([(content("T", True), content("U", True))]))).named("nav") == []


def test_pages_that_need_a_decision_come_first() -> None:
    live, wanted = content("Old", True), content("New", True)
    plan = replace(plan_of([(live, wanted)] * 3), circumstances=BASE)
    then = (live, wanted, content("Older", True))
    bases = {f"bio_{n}": some.wanted_page(page, f"bio_{n}") for n, page in enumerate(then)}
    contents = text_of(with_origins(plan, bases)).partition("Changed pages")[2]
    assert re.findall(r"pages/bio_\d.yaml", contents)[:3] == [f"pages/bio_{number}.yaml" for number in (2, 1, 0)]
    assert re.findall(r"pages/bio_\d.yaml", text_of(replace(plan, circumstances=NOW)))[0] == "pages/bio_0.yaml"


def test_a_page_of_which_nobody_said_whether_it_is_public_is_not_said_to_be_hidden() -> None:
    page = replace(content("T", True), published=None)
    plan = plan_of([(page, replace(page, title="U"))])
    shown = read_html(render(replace(plan, circumstances=replace(BASE, offline=True))))
    assert "not public" not in shown.text
    assert classed(shown, "hidden") == []


def test_a_foreign_name_in_a_saved_plan_stays_text() -> None:
    text = "</code><b>\x1b"
    now = replace(BASE, tool_version=text, created_at=text, commit=text, base=Revision(text, text), offline=True)
    page = read_html(render(replace(offline_plan(), circumstances=now)))
    assert page.faults == []
    assert page.text.count(r"</code><b>\x1b") >= 5


def test_a_long_page_id_is_cut() -> None:
    plan = plan_of([(content("T", True), content("U", True))])
    plan = replace(plan, changes=(replace(plan.changes[0], page_id="b" * 5_000),))
    assert "b" * 300 not in render(plan)


def test_a_link_that_others_move_past_is_not_said_to_move_to_where_it_is() -> None:
    names = [link(f"L{number}", f"https://l{number}.example") for number in range(5)]
    new = [names[3], names[4], names[2], names[1], link("N", "https://n.example")]
    text = text_of(plan_of([(content("T", True, links=names), content("T", True, links=new))]))
    assert "L2 others move past it" in text
    assert "moves to 3" not in text
    assert "moved from 3" not in text
