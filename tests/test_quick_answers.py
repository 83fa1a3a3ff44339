"""Every quick answer is the one that the slow way gives: the two are held together here, and nowhere else."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bio_sync import complaints, destinations, diff, jsonvalues, links, planfile, schema, workflow
from bio_sync.adopt import Patterns, _Copying
from bio_sync.api import Api
from bio_sync.config import read_config
from bio_sync.jsonvalues import Json, JsonObject, canonical, normalised
from bio_sync.key import ApiKey
from bio_sync.model import PageContent
from bio_sync.origin import NO_BASE
from bio_sync.planning import Circumstances, Plan, make_plan
from bio_sync.sandbox import Sandbox
from bio_sync.yamlevents import FORBIDDEN, Builder
from bio_sync.yamlnodes import Unusual, composed
from bio_sync.yamltext import Document, _is_harmless, read
from tests import strategies as some

EXAMPLES = [path.read_text() for path in sorted(Path("examples").rglob("*.yaml"))]
# What YAML reads in ways of its own, where one of them is easily met.
PIECES = (
    "a: 1",
    "- ",
    "? ",
    ": ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "&a ",
    "*a",
    "!t ",
    "!!str ",
    "! ",
    "<<: ",
    "|\n",
    ">-\n",
    '"',
    "'",
    "\\x07",
    "\\u202e",
    "#",
    " #",
    "%YAML 1.1",
    "---",
    "...",
    "\n",
    "\n  ",
    "\n    ",
    "~",
    "null",
    "true",
    "no",
    "0o7",
    "0x1F",
    "1e400",
    ".inf",
    "1_000",
    "12:30",
    "9007199254740993",
    "=",
    "é",
    "–",
    "\t",
    "\r\n",
    "a",
    "a: b",
    "'<<'",
    "Hi! ",
    "5*",
)


def plan_of(pairs: list[tuple[PageContent, PageContent]]) -> Plan:
    wanted = [some.wanted_page(after, f"bio_{number}") for number, (_, after) in enumerate(pairs)]
    live = {f"bio_{number}": some.live_page(before, f"bio_{number}") for number, (before, _) in enumerate(pairs)}
    return make_plan(wanted, live, circumstances=Circumstances("0", "2026-01-01T00:00:00Z", "http://a", 1, None))


PLANS = st.lists(some.pairs_of_contents(), max_size=2).map(plan_of)


def by_events(text: str) -> tuple[Json, bool]:
    builder = Builder("", None)
    builder.build(text)
    return builder.result, not builder.problems


def composes_as_by_events(text: str) -> bool:
    """Check the quick reading of a text against the slow one, and tell whether there was a quick one."""
    try:
        value = composed(text)
    except Unusual:
        return False
    assert (json.dumps(value), True) == (json.dumps(by_events(text)[0]), by_events(text)[1])
    return True


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@example("a: &x 1\nb: !!int 2")
@example('"a\\x07": 1')
@example("a: 1\na: 2")
@example("1: a")
@example("? [a]\n: b")
@example("[" * 65 + "]" * 65)
@example("<<: 1")
@example("a: {<<: {b: 1}}")
@example(
    "\n".join(f"{number}: {word}" for number, word in enumerate(("~", "null", "Null", "NULL", "true", "True", "TRUE")))
)
@example("[false, False, FALSE, +1, -1, .5, 0x1, 0o7, 1e3, '', '1', \"true\"]")
@example("a: 1\n---\nb: 2")
@example("&a a: 1")
@example("x: ! 1")
@example("x: !")
@example("{a, b: }")
def test_what_libyaml_composes_is_what_the_events_say(text: str) -> None:
    assume(not FORBIDDEN.search(text))
    composes_as_by_events(text)


@given(st.sampled_from(EXAMPLES), st.lists(st.tuples(st.integers(0, 4000), st.sampled_from(PIECES)), max_size=3))
def test_a_page_file_with_slips_in_it_is_composed_as_its_events_say(text: str, slips: list[tuple[int, str]]) -> None:
    for place, piece in slips:
        text = text[: place % len(text)] + piece + text[place % len(text) :]
    composes_as_by_events(text)


@given(some.json_values, st.sampled_from([None, True, False]), st.integers(2, 4))
def test_what_another_writer_wrote_is_composed_as_its_events_say(value: Json, flow: bool | None, indent: int) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, indent=indent, allow_unicode=True)
    assume(not FORBIDDEN.search(text))
    composes_as_by_events(text)


def test_the_examples_are_all_read_the_quick_way() -> None:
    assert [text for text in EXAMPLES if not composes_as_by_events(text)] == []


def test_what_is_nested_beyond_all_reason_is_not_given_to_a_reader_that_recurses_in_c() -> None:
    for deep in (
        "[" * 100_000,
        "- " * 100_000,
        "? " * 100_000,
        "{" * 100_000,
        "{a: " * 60_000,
        "a:\n".join("  " * n for n in range(700)),
    ):
        with pytest.raises(Unusual):
            composed(deep)


@pytest.mark.parametrize(("lines", "usual"), [(1_000, True), (1_001, False), (10_001, False)])
def test_a_file_is_composed_up_to_a_thousand_marks_of_structure(lines: int, usual: bool) -> None:
    text = "\n".join(f"k{number}: v" for number in range(lines))
    assert composes_as_by_events(text) == usual
    assert (read(text.encode(), file="").problems == ()) == (lines <= 10_000)


@given(st.text())
@example("\x85")
@example("\u2066")
@example("\uffff")
@example("a\rb")
def test_no_forbidden_character_is_made_of_harmless_bytes(text: str) -> None:
    data = text.encode("utf-8", "replace")
    if _is_harmless(data):
        assert not FORBIDDEN.search(data.decode())


def test_of_single_characters_those_are_harmless_that_are_not_forbidden() -> None:
    for character in map(chr, (*range(0xD800), *range(0xE000, 0x10000))):
        assert _is_harmless(character.encode()) != bool(FORBIDDEN.search(character)), ascii(character)


@pytest.mark.parametrize("text", ["a: b\n", "Łódź — “Über uns”… 🥐", "\u2027\u202f\u2065\u206a\ufffd\xa0"])
def test_everyday_text_is_harmless(text: str) -> None:
    assert _is_harmless(text.encode())


# Values near to those of a page, each as often right as wrong.
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "id": st.sampled_from(["bio_abc123", "bio_abc123\n", "", "a" * 65, 7, None]),
    "title": st.sampled_from(["Acme", "", "é\n", 7, True, None]),
    "description": st.sampled_from(["", "all", 1.5, None]),
    "published": st.sampled_from([True, False, "yes", 1, None]),
    "ignore": st.sampled_from([[], ["/title"], ["/page_data/links/*/badge"], ["title"], "/title", [1], None]),
    "x-note": st.sampled_from([1, None, {"a": [None]}, "javascript:1"]),
    "tittle": st.just("x"),
}
MOMENTS = st.sampled_from(["2026-12-24T09:00+01:00", "2026-12-25T09:00Z", "2026-02-30T09:00Z", "tomorrow", 7, None])
ADDRESSES = st.sampled_from(
    [
        "https://acme.com",
        "HTTPS://Acme.com/a?b=c#d",
        "http://a.b",
        "mailto:a@b.c",
        "tel:+1",
        "ftp://x",
        "https://",
        "https://a b",
        "https://user@acme.com",
        "javascript:alert(1)",
        "",
        7,
        None,
    ]
)
LINKS = st.fixed_dictionaries(
    {"label": st.sampled_from(["Shop", "", "data: x", 7]), "url": ADDRESSES},
    optional={
        "show_from": MOMENTS,
        "show_until": MOMENTS,
        "icon": st.sampled_from([" data:x", None, {"u": "vbscript:"}, 1.0]),
    },
)
PAGE_DATA = st.fixed_dictionaries(
    {},
    optional={
        "theme": st.sampled_from(["light", "dark", "Dark", 1, True]),
        "avatar_url": ADDRESSES,
        "links": st.lists(LINKS, max_size=3) | st.sampled_from([{}, "x", [7], [{}]]),
        "more": st.sampled_from([None, [None], {"a": "JaVaScript:x"}, [1, 1.0, 2**60], "java\nscript:x"]),
    },
)
PAGES = st.fixed_dictionaries({}, optional={**FIELDS, "page_data": PAGE_DATA | st.sampled_from([None, [], "x"])})


@given(PAGES | some.json_values)
@example({"id": "bio_abc123"})
@example({"id": "bio_abc123\n"})
@example([])
def test_a_page_is_good_at_a_glance_only_when_jsonschema_has_no_complaint(value: Json) -> None:
    document = Document("page.yaml", "", value, ())
    if schema._is_good_page(value):
        assert complaints.page_complaints(document) == []
    assert schema.page_problems(document) == [] or schema.page_problems(document) == complaints.page_complaints(
        document
    )


GOOD_LINK = st.fixed_dictionaries(
    {"label": st.text(min_size=1), "url": st.sampled_from(["https://acme.com/a", "tel:+1"])}
)
GOOD_PAGE = st.fixed_dictionaries(
    {"id": st.from_regex(re.compile(r"[A-Za-z0-9_-]{1,64}"), fullmatch=True)},
    optional={
        "title": st.text(min_size=1),
        "published": st.booleans(),
        "page_data": st.fixed_dictionaries(
            {"links": st.lists(GOOD_LINK)}, optional={"theme": st.sampled_from(["light", "dark"])}
        ),
    },
)


@given(GOOD_PAGE)
def test_a_good_page_is_good_at_a_glance(value: JsonObject) -> None:
    assert schema._is_good_page(value)


CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "pages": st.sampled_from([["pages"], [], "pages", [1], None]),
        "ignore": st.sampled_from([["/title"], ["x"], [], None]),
        "schema": st.sampled_from(["rules.json", "", 7]),
        "safety": st.sampled_from(
            [{}, {"max_changes": 5}, {"max_changes": "30%"}, {"max_changes": "x"}, {"reserve": -1}, 1]
        ),
        "api_url": st.just("https://x"),
    },
)


@given(CONFIGS | some.json_values)
def test_a_configuration_is_accepted_only_when_jsonschema_has_no_complaint(value: Json) -> None:
    if schema.accepts("config", value):
        assert complaints.config_complaints(Document("bio-sync.yaml", "", value, ())) == []


@given(PLANS, st.data())
def test_a_saved_plan_is_accepted_only_when_jsonschema_has_no_complaint(plan: Plan, data: st.DataObject) -> None:
    value: Any = planfile.as_json(plan)
    assert schema.accepts("plan", value)
    place: Any = value
    while isinstance(place, dict | list) and place:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            place[key] = data.draw(some.scalars | st.none() | st.just([]) | st.just({}))
            break
        place = place[key]
    if schema.accepts("plan", value):
        assert complaints.plan_complaint(value) is None


HOSTS = st.lists(st.from_regex(r"(xn--)?[a-z0-9]{1,3}(-{1,2}[a-z0-9])?", fullmatch=True), min_size=1, max_size=4)
RESTS = st.text(st.characters(max_codepoint=0x7F), max_size=8) | st.sampled_from(["", ":80", "@x", "?a", "\\x"])


@given(
    st.builds(
        "{}://{}{}{}".format, st.sampled_from(["http", "https"]), HOSTS.map(".".join), st.sampled_from(["", "/"]), RESTS
    )
)
@example("https://" + "a" * 64 + ".com")
@example("https://xn--a.com/")
@example("https://1.2.3.0x7f")
@example("https://acme.com/a\\b")
@example("https://acme.com/\x7f")
def test_a_link_that_is_usual_has_nothing_wrong_at_a_closer_look(text: str) -> None:
    assert not links.USUAL.fullmatch(text) or links._closer_look(text) is None


@pytest.mark.parametrize("text", ["https://acme.com", "http://a-b.example.co/x?y=z&a=b#c", "https://acme.com/@me"])
def test_an_everyday_link_is_usual(text: str) -> None:
    assert links.USUAL.fullmatch(text)


@given(some.json_values, st.booleans(), st.sampled_from([{"x-a": 1}, {"a": None}, {"a": 1.0}, {"a": [None, 2.0]}, {}]))
def test_a_value_is_left_as_it_is_only_when_its_normal_form_is_the_same(value: Json, without: bool, more: Any) -> None:
    value = [value, more]
    slowly = jsonvalues._normalised(value, 100, without)
    assert canonical(normalised(value, without_author_keys=without)) == canonical(slowly)


@given(some.pairs_of_contents())
def test_the_steps_are_those_that_deepdiff_finds_in_the_whole_of_both_objects(
    pair: tuple[PageContent, PageContent],
) -> None:
    old, new = pair[0].page_data, pair[1].page_data
    at = ("page_data",)
    whole = sorted(diff._deep_differences(at, old, new, NO_BASE), key=lambda step: diff._reading_order(at, step[0]))
    assert list(diff._object_differences(at, old, new, NO_BASE)) == [step for _, found in whole for step in found]


class Everything(set[int]):
    def __contains__(self, _: object) -> bool:
        return True


POINTERS = st.frozensets(
    st.sampled_from([("theme",), ("links", "*", "badge"), ("links", "1"), ("0", "*", "0"), ("*",)]), max_size=2
)


@given(some.page_data, some.page_data.flatmap(some.with_author_keys), POINTERS)
def test_what_there_is_nothing_to_copy_from_is_left_at_once_and_would_come_out_the_same(
    wanted: JsonObject, live: JsonObject, patterns: Patterns
) -> None:
    quick, thorough = _Copying(live), _Copying(live)
    thorough._with_author_keys = Everything()
    for of_the_file in (wanted, some.as_object(normalised(live, without_author_keys=True))):
        copied = quick.page_data(of_the_file, patterns)
        assert canonical(copied) == canonical(thorough.page_data(of_the_file, patterns))


@given(PLANS)
def test_new_destinations_are_those_of_the_whole_page_after_and_not_before(plan: Plan) -> None:
    def reached(content: PageContent) -> set[str]:
        return destinations._addresses(destinations._texts(content.page_data))

    new = {(change.page_id, each) for change in plan.changes for each in reached(change.after) - reached(change.before)}
    told = {(page, each.address) for each in destinations.new_destinations(plan) for page in each.page_ids}
    assert told == new


def test_a_live_page_that_is_as_its_file_wants_it_shares_its_page_data(
    folder: Path, start_sandbox: Callable[..., Sandbox]
) -> None:
    data = {"links": [{"label": "Shop", "url": "https://acme.com"}], "weight": 1.0}
    kinds = (data, {**data, "gone": None}, {**data, "weight": True})
    running = start_sandbox(
        [{"id": f"bio_{number}", "title": "T", "page_data": kind} for number, kind in enumerate(kinds)]
    )
    (folder / "pages").mkdir()
    for number in range(len(kinds)):
        text = f"id: bio_{number}\npage_data: {{links: [{{label: Shop, url: https://acme.com}}], weight: 1}}\n"
        (folder / "pages" / f"{number}.yaml").write_text(text)
    files = workflow.read_files([], read_config(None), at=datetime.now(UTC))
    wanted = {page.page_id: page.page_data or {} for page in files.desired}
    with Api(running.url, ApiKey(running.key)) as api:
        live = api.list_pages(wanted, known=wanted)
        plan = workflow.plan_pages(files, api, now=datetime.now(UTC))
    assert [live[page_id].content.page_data is wanted[page_id] for page_id in wanted] == [True, False, False]
    assert [change.page_id for change in plan.changes] == ["bio_2"]
    assert [change.before.page_data["weight"] for change in plan.changes] == [True]
