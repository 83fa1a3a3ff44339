"""Nothing that a page, a file name or a server says can act on who looks at a plan, whatever its form."""

import functools
import json
from dataclasses import replace
from pathlib import Path

import fastjsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync import planfile
from bio_sync.jsonvalues import Json, JsonObject, parsed
from bio_sync.model import DesiredPage, LivePage, PageContent, as_if_live
from bio_sync.planning import Circumstances, Plan, Revision, make_plan
from bio_sync.render import RENDERERS
from bio_sync.render.text import render as render_text
from bio_sync.visible import JOINERS, visible
from tests import strategies as some
from tests.readers import commands, read_html, read_markdown
from tests.strategies import with_origins

ROOT = Path(__file__).parent.parent
# It takes a hundredth of jsonschema's time; that both say the same of plans, tests/test_quick_answers.py holds.
check_plan = fastjsonschema.compile(json.loads((ROOT / "schemas/plan.schema.json").read_bytes()))
# A letter that no form writes by itself: where it stands, a page has spoken.
MARK = "\u01b7"
COMMIT = "0123456789abcdef0123456789abcdef01234567"

TERMINAL = [
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x1b]52;c;aGk=\x07",
    "\x1b]8;;https://evil.example\x1b\\text\x1b]8;;\x1b\\",
    "\x07\x08\x7f\x00",
    "\x9b31mred\x9d52;c;aGk=\x9c\x85",
    "over\rwritten",
    "two\r\nlines\vthree\ffour",
    "\u2028line\u2029paragraph",
    "\u202egnp.exe\u202c",
    "\u2066isolated\u2069\u200e\u200f\u061c",
    "zero\u200bwidth\ufeff\u2060\u00ad",
    "tags\U000e0001\U000e0061\U000e007f",
    "\ud800",
    "\udfffx",
    "שלום عليكم",
    "🎨👩\u200d🚀\u200d",
]
RUNNERS = [
    "::error::x",
    "  ::add-mask::x",
    "::set-output name=a,b=c::x",
    "a\n::stop-commands::x",
    "a\r::error::x",
    "a\u2028::error::x",
    "##[add-mask]x",
    "a ##[set-env name=PATH;]/tmp",
    "###[error]x",
    "##\u200d[error]x",
    "##vso[task.setvariable variable=a]b",
    "##teamcity[buildStop]",
    "#\x1b#[error]x",
    "/close",
    "a\n/merge",
    "section_start:1:a\r\x1b[0K",
]
MARKDOWN = [
    "`",
    "a`b``c```d",
    "```\nafter",
    "~~~\nafter",
    "`" * 17,
    "# heading",
    "- list\n- of\n- two",
    "> [!WARNING]",
    "1. one",
    "***bold*** __bold__ ~~struck~~",
    "[text](https://evil.example)",
    "[text]: https://evil.example",
    "![picture](https://evil.example/a.png)",
    "<https://evil.example>",
    "https://evil.example/path?a=b",
    "www.evil.example",
    "Www.evil.example",
    "ftp://evil.example",
    "write to hello@evil.example now",
    "mailto:hello@evil.example xmpp:a@evil.example/b",
    "a|b\n-|-",
    "| a | b |",
    "@everyone @org/team",
    "#1 org/repo#2 GH-3",
    "org/repo@0123456789abcdef0123456789abcdef01234567",
    "0123456789abcdef0123456789abcdef01234567",
    ":tada: :+1:",
    "$x$ $$y$$ $`z`$ \\(a\\)",
    "[^1] [ ] [x]",
    "- [ ] task",
    "&#10;&#96;&#64;everyone",
    "&lt;b&gt; &amp; &colon;",
    "\\",
    "\\`\\<\\@",
    "    indented",
    "trailing  ",
    "---",
    "===",
]
HTML = [
    "</details>",
    "</code></pre></summary></details>",
    "<!-- ",
    "-->",
    "<!--bio-sync:plan {}-->",
    "]]>",
    "<![CDATA[x]]>",
    "<?php ?>",
    "<!doctype html>",
    "<script>alert(1)</script>",
    "</script></style></title></textarea>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "javascript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "\" onmouseover=alert(1) x='",
    '\' style="background:url(//evil.example)"',
    "{{ 7 * 7 }}{% raw %}",
    "<b>bold",
    "<",
    ">",
    "&",
]
NAUGHTY = [*TERMINAL, *RUNNERS, *MARKDOWN, *HTML]
LONG = ["`" * length for length in (1, 2, 3, 60, 1_000, 1_999, 2_000)]


def marked(value: Json) -> Json:
    """Put the mark at the end of every text and key that a page holds, but the keys that the plan knows."""
    if isinstance(value, str):
        return value + MARK
    if isinstance(value, list):
        return [marked(item) for item in value]
    if isinstance(value, dict):
        known = ("links", "label", "url", "theme", "avatar_url")
        return {key if key in known else key + MARK: marked(member) for key, member in value.items()}
    return value


def marked_page(page: PageContent) -> PageContent:
    return PageContent(
        None if page.title is None else page.title + MARK,
        None if page.description is None else page.description + MARK,
        some.as_object(marked(page.page_data)),
        page.published,
    )


def hostile(text: str) -> PageContent:
    """Give a page that says `text` wherever a page can say something."""
    links: list[Json] = [
        {"label": text, "url": text},
        {"label": "a", "url": f"https://{text}/", text: text},
        {"label": f"b {text}", "url": f"mailto:{text}@c.example", "more": {text: [text, {text: 1}]}},
        text,
    ]
    page_data: JsonObject = {
        "theme": text,
        "avatar_url": f"https://a.example/{text}",
        "links": links,
        text: text,
        f"a {text}": {text: text},
        "list": [text, f"a{text}"],
    }
    return PageContent(text, text, page_data, True)


def turned(page: PageContent, text: str) -> PageContent:
    """Give the page with its lists turned round, and with other values under the same names."""
    links = page.page_data["links"]
    assert isinstance(links, list)
    assert isinstance(links[0], dict)
    data = {**page.page_data, "links": [*links[::-1][:3], {**links[0], "url": f"https://new.example/{text}"}]}
    return PageContent(f"{text} {text}", None, {**data, "list": [f"a{text}", text], f"a {text}": {text: 1}}, False)


PLAIN = PageContent("Plain", "plain", {"links": [{"label": "Plain", "url": "https://plain.example"}]}, False)


@functools.lru_cache(maxsize=2)
def plans_that_say(text: str) -> tuple[Plan, Plan, Plan]:
    """Give a plan with `text` in every place that others fill: plain, with all three origins, and offline."""
    text += MARK
    page = hostile(text)
    pairs = [(PLAIN, page), (page, PLAIN), (page, turned(page, text)), (turned(page, text), page), (PLAIN, PLAIN)]
    files = [f"pages/{text}-{number}.yaml" for number in range(len(pairs))]
    files[0] = text
    wanted = [
        some.wanted_page(after, f"bio_{number}", file=file)
        for number, (file, (_, after)) in enumerate(zip(files, pairs, strict=True))
    ]
    address = {"slug": text, "html_url": text, "updated_at": text}
    live = {f"bio_{number}": some.live_page(one, f"bio_{number}", **address) for number, (one, _) in enumerate(pairs)}
    live["bio_old"] = some.live_page(page, "bio_old", **address)
    gone = some.wanted_page(PLAIN, "bio_gone", file=text)
    now = Circumstances(text, text, text, 1, 46, commit=COMMIT)
    plan = make_plan([*wanted, gone], live, circumstances=now, warnings=[text, f"{text}: a warning"])
    base = replace(now, base=Revision(text, COMMIT))
    bases = {"bio_0": wanted[0], "bio_1": replace(wanted[0], page_id="bio_1"), "bio_2": wanted[4], "bio_3": wanted[2]}
    with_base = with_origins(replace(plan, circumstances=base), bases)
    before = {one.page_id: as_if_live(one.page_id, bases.get(one.page_id)) for one in wanted}
    offline = make_plan(
        wanted, before, circumstances=replace(base, offline=True, quota_remaining=None), warnings=[text]
    )
    return plan, with_base, with_origins(offline, bases)


def is_shown(character: str) -> bool:
    return character.isprintable() or character == "\n" or character in JOINERS


def check_safe_to_print(output: str) -> None:
    assert {character for character in set(output) if not is_shown(character)} == set()
    assert commands(output) == []
    output.encode("utf-8")


def check_text(plan: Plan) -> None:
    check_safe_to_print(RENDERERS["text"](plan))
    coloured = render_text(plan, colour=True)
    assert commands(coloured) == []
    assert {character for character in set(coloured) if not is_shown(character)} <= {"\x1b"}


def check_markdown(plan: Plan) -> None:
    source = RENDERERS["markdown"](plan)
    check_safe_to_print(source)
    page = read_markdown(source)
    assert page.acts == {}
    assert MARK not in page.html.text_outside_code
    assert len(source.encode()) <= 60_000


def check_json(plan: Plan) -> None:
    text = RENDERERS["json"](plan)
    assert text.isascii()
    check_safe_to_print(text)
    document = parsed(text)
    assert isinstance(document, dict)
    if plan.circumstances.base:
        # The fullest of them; that every plan is as its schema says, tests/test_plan.py holds.
        check_plan(document)
    read = planfile.from_json(document)
    assert read == plan
    assert [[step.origin for step in change.operations] for change in read.changes] == [
        [step.origin for step in change.operations] for change in plan.changes
    ]


def check_gitlab(plan: Plan) -> None:
    text = RENDERERS["gitlab"](plan)
    check_safe_to_print(text)
    counts = json.loads(text)
    assert counts == {"create": 0, "update": len(plan.changes), "delete": 0}
    assert {type(count) for count in counts.values()} == {int}


FORBIDDEN_TAGS = {"script", "img", "iframe", "frame", "object", "embed", "base", "form", "svg", "video", "audio"}


def check_html(plan: Plan) -> str:
    source = RENDERERS["html"](plan)
    check_safe_to_print(source)
    page = read_html(source)
    assert page.faults == []
    assert page.comments == []
    assert page.declarations == ["doctype html"]
    assert page.names() & FORBIDDEN_TAGS == set()
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            assert name != "style", (tag, attributes)
            assert not name.startswith("on"), (tag, attributes)
            assert name not in {"src", "srcset", "action", "formaction", "background", "poster", "ping"}
            assert MARK not in (value or ""), (tag, attributes)
        href = attributes.get("href")
        if href is not None:
            assert href in {f"#page-{number + 1}" for number in range(len(plan.changes))} or href == "data:,"
    assert len(page.named("style")) == 1
    return page.text


CHECKS = {"text": check_text, "json": check_json, "markdown": check_markdown, "gitlab": check_gitlab}


def test_every_form_of_a_plan_is_checked() -> None:
    assert {*CHECKS, "html"} == set(RENDERERS)


@pytest.mark.parametrize("form", CHECKS)
@pytest.mark.parametrize("text", [*NAUGHTY, *LONG], ids=lambda text: ascii(text[:24]))
def test_hostile_text_in_every_place_of_a_plan_stays_text(text: str, form: str) -> None:
    for plan in plans_that_say(text):
        CHECKS[form](plan)


@pytest.mark.parametrize("first", range(0, len(NAUGHTY), 20))
def test_the_names_of_pages_that_a_comment_has_no_room_for_stay_text(first: int) -> None:
    texts = [text + MARK for text in NAUGHTY[first : first + 20]]
    full: JsonObject = {f"key {number}": "x" * 400 for number in range(200)}
    befores = [PLAIN, *(PageContent(text, None, {}, True) for text in texts)]
    afters = [PageContent("Full", None, full, True), *(PageContent("T", None, {}, True) for _ in texts)]
    names = ["bio_000", *(f"bio_{number:03}" for number in range(1, len(texts) + 1))]
    files = ["a.yaml", *(f"b{number:03} {text}" for number, text in enumerate(texts))]
    wanted = [some.wanted_page(after, name, file=file) for after, name, file in zip(afters, names, files, strict=True)]
    live = {name: some.live_page(one, name) for one, name in zip(befores, names, strict=True)}
    plan = make_plan(wanted, live, circumstances=Circumstances("0.1.0", "", "", 1, 46))
    check_markdown(plan)
    source = RENDERERS["markdown"](plan)
    assert f"Not shown here: {len(texts)} pages" in source
    assert MARK in read_markdown(source.partition("Not shown here")[2]).html.text


@pytest.mark.parametrize("text", NAUGHTY, ids=lambda text: ascii(text[:24]))
def test_hostile_text_is_text_of_the_html_and_nothing_else(text: str) -> None:
    _, with_base, _ = plans_that_say(text)
    shown = check_html(with_base)
    assert shown.count(visible(text + MARK)) > 20


def test_long_runs_and_plans_without_a_base_are_text_of_the_html_too() -> None:
    for text in ("`" * 2_000, "</details>\x1b[2J::error::x\n##[error]x", "\n::error::x"):
        for plan in plans_that_say(text):
            check_html(plan)


@st.composite
def circumstances(draw: st.DrawFn) -> Circumstances:
    base = draw(st.none() | st.builds(Revision, st.text(max_size=12), st.just(COMMIT)))
    return Circumstances(
        tool_version="0.1.0",
        created_at="2026-11-22T10:00:00Z",
        api_url="https://xqr.co/api/v1",
        calls=1,
        quota_remaining=draw(st.none() | st.integers(0, 9_999)),
        commit=draw(st.none() | st.just(COMMIT)),
        base=base,
        offline=base is not None and draw(st.booleans()),
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a whole plan of marked pages: with and without a base, online and offline, with strangers and gone pages."""
    now = draw(circumstances())
    pairs = [
        (marked_page(one), marked_page(other)) for one, other in draw(st.lists(some.pairs_of_contents(), max_size=3))
    ]
    texts = st.sampled_from(NAUGHTY) | st.text(max_size=8)
    wanted: list[DesiredPage] = []
    live: dict[str, LivePage] = {}
    bases: dict[str, DesiredPage] = {}
    for number, (before, after) in enumerate(pairs):
        page_id = f"bio_{number}"
        wanted.append(some.wanted_page(after, page_id, file=f"{draw(texts)}{MARK}"))
        more = {"slug": f"{draw(texts)}{MARK}", "html_url": f"{draw(texts)}{MARK}"}
        live[page_id] = some.live_page(before, page_id, **more)
        then = draw(st.none() | st.just(before) | st.just(after) | some.contents.map(marked_page))
        if then is not None:
            bases[page_id] = some.wanted_page(then, page_id)
    if now.offline:
        live = {page.page_id: as_if_live(page.page_id, bases.get(page.page_id)) for page in wanted}
    elif draw(st.booleans()):
        live["bio_old"] = some.live_page(draw(some.contents.map(marked_page)), "bio_old", slug=draw(texts) + MARK)
        wanted.append(some.wanted_page(PLAIN, "bio_gone", file=draw(texts) + MARK))
    warnings = [text + MARK for text in draw(st.lists(texts, max_size=2))]
    plan = make_plan(wanted, live, circumstances=now, warnings=warnings)
    return with_origins(plan, bases) if now.base else plan


@given(plans())
def test_no_plan_acts_on_who_reads_it_as_text_json_or_counts(plan: Plan) -> None:
    check_text(plan)
    check_json(plan)
    check_gitlab(plan)


@given(plans())
def test_no_plan_acts_on_who_reads_it_as_a_comment(plan: Plan) -> None:
    check_markdown(plan)


@given(plans())
def test_no_plan_acts_on_who_reads_it_as_a_page(plan: Plan) -> None:
    shown = check_html(plan)
    for change in plan.changes:
        assert visible(change.file) in shown
        assert visible(change.before.title or change.after.title or "") in shown


@pytest.mark.parametrize(
    ("line", "dialect", "name"),
    [
        ("::error file=a,line=1::x%0Ay", "runner v2", "error"),
        ("\u00a0 ::any-name::", "runner v2", "any-name"),
        ("text ##[add-mask]x", "runner v1", "add-mask"),
        ("## ##[]##[a b=c;d=e]x", "runner v1", "a"),
        ("text ##vso[task.complete result=Failed]x", "##vso", "task.complete"),
        ("/close", "quick action", "close"),
        ("a\r/label ~x", "quick action", "label"),
    ],
)
def test_the_readers_see_what_a_service_would_obey(line: str, dialect: str, name: str) -> None:
    assert (dialect, name) in {(found.dialect, found.name) for found in commands(line)}


@pytest.mark.parametrize("line", ["a ::error::x", "::error", ":: ::", "##x[", "##[x", "a /close", "//x", "/a/b"])
def test_the_readers_see_nothing_where_a_service_would_not(line: str) -> None:
    assert commands(line) == []


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("see https://a.example", "links"),
        ("<code>a&#64;b.example</code>", "links"),
        ("<code>www.a.example</code>", "links"),
        ("[a](b)", "links"),
        ("![a](b)", "images"),
        ("hello @everyone", "references"),
        ("fixes #1", "references"),
        ("see GH-1", "references"),
        (f"see {COMMIT}", "references"),
        (":tada:", "references"),
        ("costs $1 and $2", "references"),
        ("<code>$1 and $2</code>", "references"),
        ("<i>x</i>", "tags"),
        ("<code>*x*</code>", "tags"),
        ("a|b\n-|-", "tags"),
        ("> quoted", "tags"),
        ('<b id="x">x</b>', "attributes"),
        ("<!-- marker -->", "comments"),
        ("<?php ?>", "declarations"),
        ("```diff\n+ a", "faults"),
        ("<details>\n<summary>a</summary>\n\ntext", "faults"),
        ("<b><code>a</b></code>", "faults"),
        ("</details>", "faults"),
        ("    indented", "faults"),
    ],
)
def test_the_markdown_reader_sees_what_would_act(source: str, kind: str) -> None:
    assert kind in read_markdown(source).acts


@pytest.mark.parametrize(
    "source", ["`@a #1 a@b.example`", "```\n@a <!-- </details>\n```", "<code>&#64;a &#35;1</code>", "a - b", "1:2:3"]
)
def test_the_markdown_reader_sees_nothing_in_code(source: str) -> None:
    assert read_markdown(source).acts == {}


def test_the_html_reader_sees_what_is_not_closed() -> None:
    assert read_html("<p><b>a</p>").faults == ["</p> inside ['p', 'b']"]
    assert read_html("<p>a").faults == ["<p> is not closed"]
