"""Generated pages: any JSON that a page may hold, and edits of it such as people make."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from bio_sync.adopt import adopt
from bio_sync.diff import operations
from bio_sync.jsonvalues import Json, JsonObject, normalised
from bio_sync.model import DesiredPage, LivePage, PageContent
from bio_sync.planning import Plan

NASTY_KEYS = ("", "/", "~", "~1", "a.b", "[0]", '"', "'", "__proto__", "__x", "0", "-", "url", "label", "links", "é")

keys = st.one_of(st.sampled_from(NASTY_KEYS), st.text(max_size=5)).filter(lambda key: not key.startswith("x-"))
numbers = st.one_of(
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.just(1.0),
    st.just(-0.0),
)
scalars: st.SearchStrategy[Json] = st.one_of(
    st.booleans(), numbers, st.sampled_from((0, 1, "", "0", "true")), st.text(max_size=8)
)


def _containers(children: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.one_of(st.lists(children, max_size=6), st.dictionaries(keys, children, max_size=5))


json_values: st.SearchStrategy[Json] = st.recursive(scalars, _containers, max_leaves=20)
links: st.SearchStrategy[Json] = st.builds(
    lambda label, url, more: {"label": label, "url": url, **more},
    st.sampled_from(("Shop", "Blog", "Music", "Tour")),
    st.sampled_from(("https://a.example", "https://b.example", "https://c.example", "https://d.example")),
    st.dictionaries(st.sampled_from(("badge", "icon")), scalars, max_size=1),
).map(normalised)
page_data: st.SearchStrategy[JsonObject] = st.builds(
    lambda known, more: {**more, **known},
    st.fixed_dictionaries(
        {}, optional={"theme": st.sampled_from(("light", "dark")), "links": st.lists(links, max_size=7)}
    ),
    st.dictionaries(keys, json_values, max_size=4),
).map(lambda value: as_object(normalised(value)))
titles = st.text(min_size=1, max_size=12)
contents = st.builds(
    PageContent,
    title=titles,
    description=st.none() | st.text(max_size=12),
    page_data=page_data,
    published=st.booleans(),
)


def as_object(value: Json) -> JsonObject:
    assert isinstance(value, dict)
    return value


@st.composite
def with_author_keys(draw: st.DrawFn, value: Json) -> Json:
    """Draw a value with author keys in some of its objects, however deep, where it is sure which object is which."""
    if isinstance(value, list):
        return [draw(with_author_keys(item)) for item in value] if len(value) == 1 else value
    if isinstance(value, dict) and not {"label", "url"} & value.keys():
        inside = {key: draw(with_author_keys(member)) for key, member in value.items()}
        return inside | draw(st.dictionaries(st.sampled_from(("x-a", "x-b")), scalars, max_size=1))
    return value


@st.composite
def edited(draw: st.DrawFn, original: JsonObject) -> JsonObject:
    """Draw what a person makes of page data: links shuffled, dropped, added, relabelled; keys changed."""
    result: dict[str, Any] = dict(original)
    chain = list(result.get("links", [])) if isinstance(result.get("links"), list) else []
    chain = draw(st.permutations(chain))[: draw(st.integers(0, len(chain)))] if draw(st.booleans()) else chain
    for link in draw(st.lists(links, max_size=2)):
        chain.insert(draw(st.integers(0, len(chain))), link)
    if chain and isinstance(chain[0], dict) and draw(st.booleans()):
        chain[0] = {**chain[0], "label": draw(st.text(min_size=1, max_size=5))}
    result["links"] = chain
    for key in draw(st.lists(st.sampled_from(sorted(result)), max_size=2)):
        if key != "links":
            result.pop(key, None)
    result.update(draw(st.dictionaries(keys, json_values, max_size=2)))
    return as_object(normalised(result))


@st.composite
def pairs_of_contents(draw: st.DrawFn) -> tuple[PageContent, PageContent]:
    """Draw a live page and what somebody wants it to be: an edit of it, or something else entirely."""
    before = draw(contents)
    after = draw(contents)
    if draw(st.booleans()):
        after = PageContent(
            draw(st.just(before.title) | titles),
            draw(st.just(before.description) | st.text(max_size=5)),
            draw(st.just(before.page_data) | edited(before.page_data)),
            draw(st.booleans()),
        )
    if after.description is None:
        after = PageContent(after.title, before.description, after.page_data, after.published)
    return before, after


def with_origins(plan: Plan, bases: Mapping[str, DesiredPage]) -> Plan:
    """Give a plan as it would be had it been made with these files at the base."""
    changes = []
    for change in plan.changes:
        page = bases.get(change.page_id)
        base = change.before if page is None else adopt(page, change.before)
        changes.append(replace(change, operations=operations(change.before, change.after, base)))
    return replace(plan, changes=tuple(changes))


def live_page(content: PageContent, page_id: str = "bio_1", **more: Any) -> LivePage:
    values: dict[str, Any] = {
        "slug": page_id,
        "html_url": f"https://bio.example/{page_id}",
        "views": 7,
        "clicks": 3,
        "updated_at": "2026-01-01T00:00:00Z",
    }
    return LivePage(page_id=page_id, content=content, **(values | more))


def wanted_page(content: PageContent, page_id: str = "bio_1", **more: Any) -> DesiredPage:
    values: dict[str, Any] = {
        "file": f"pages/{page_id}.yaml",
        "title": content.title,
        "description": content.description,
        "page_data": content.page_data,
        "published": content.published,
    }
    return DesiredPage(page_id=page_id, **(values | more))
