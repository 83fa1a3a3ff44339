"""A pull takes over what is live, and leaves alone the links that wait for their time, or have had it."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bio_sync import yamltext
from bio_sync.jsonvalues import Json, JsonObject, canonical
from bio_sync.model import PageContent, links_of
from bio_sync.pagetext import edited_text
from bio_sync.planning import change_of
from bio_sync.sandbox import Sandbox
from bio_sync.timetable import KEYS, desired_at, shows
from tests import strategies
from tests.conftest import Result, Run

BORDER = datetime(2026, 12, 1, tzinfo=UTC)
moments = st.sampled_from([BORDER - timedelta(seconds=1), BORDER, BORDER + timedelta(seconds=1)])
A: JsonObject = {"label": "A", "url": "https://a.example"}
PAST, BEGINS, TO_COME = "2026-11-24T09:00+01:00", "2026-12-01T00:00Z", "2026-12-24T09:00+01:00"

# Few of each, so that links share an address, a label or both.
labels, urls = st.sampled_from("ABC"), st.sampled_from([f"https://{name}.example" for name in "ab"])
windows = st.sampled_from(
    [{}, {}, {"show_from": TO_COME}, {"show_until": PAST}, {"show_from": PAST}, {"show_from": BEGINS},
     {"show_until": BEGINS}, {"show_from": PAST, "show_until": TO_COME}]
)  # fmt: skip
live_links = st.lists(
    st.builds(
        lambda label, url, more: {"label": label, "url": url, **more},
        labels,
        urls,
        st.sampled_from([{}, {}, {"badge": 1}, {"badge": True}, {"x-live": "a"}]),
    ),
    max_size=4,
)
own_links = st.lists(
    st.builds(
        lambda label, url, window, more: {"label": label, "url": url, **window, **more},
        labels,
        urls,
        windows,
        st.sampled_from([{}, {}, {"badge": 1.0}, {"x-note": "ours"}, {"badge": None}]),
    ),
    max_size=5,
)


def piece(number: int, link: JsonObject) -> str:
    """Write a link as an author might, with comments that tell which one it is."""
    keys = [f"{key}: {'null' if value is None else f'{value}'}" for key, value in link.items()]
    keys[0] = f'label:   "{link["label"]}"  # {number}'
    return f"    # Number {number}.\n    - " + "\n      ".join(keys) + "\n"


def file_of(links: list[Any], ignore: list[str]) -> str:
    body = "  links:\n" + "".join(piece(*numbered) for numbered in enumerate(links)) if links else "  theme: light\n"
    return "# Ours.\nid: a\npage_data:\n" + body + "".join(f"ignore: ['{pointer}']\n" for pointer in ignore)


def sent(link: JsonObject, ignore: list[str]) -> str:
    """Give what a visitor gets of a link, but for what is left to others."""
    left = {"badge"} if ignore else set()
    return canonical({
        key: int(value) if isinstance(value, float) else value
        for key, value in link.items()
        if value is not None and not key.startswith("x-") and key not in {*KEYS, *left}
    })  # fmt: skip


@given(own_links, st.none() | live_links, st.sampled_from([[], ["/page_data/links/*/badge"]]), moments)
@example([A | {"show_from": TO_COME}], None, [], BORDER)
@example([A | {"show_from": TO_COME}], [A | {"label": "B"}], [], BORDER)
@example([A | {"show_from": TO_COME}, A | {"show_until": PAST}, A | {"show_from": TO_COME}], [A, A], [], BORDER)
def test_a_pull_leaves_each_link_that_waits_byte_for_byte_unless_an_equal_one_is_live(
    own: list[Any], live: list[Any] | None, ignore: list[str], at: datetime
) -> None:
    text = file_of(own, ignore)
    page_data: JsonObject = {"theme": "light"} if live is None else {"theme": "light", "links": list[Json](live)}
    page = strategies.live_page(PageContent("T", None, page_data, published=True), "a")
    checked = yamltext.read(text.encode(), file="")
    pulled = edited_text(text, checked, page, ignore=(), at=at, secret=lambda _: False)
    after = yamltext.read(pulled.text.encode(), file="").mapping
    assert change_of(desired_at(after, at, file=""), page) is None
    waiting = [number for number, link in enumerate(own) if not shows(link, at)]
    there = Counter(sent(link, ignore) for link in live or ())
    lost = [number for number in waiting if piece(number, own[number]) not in pulled.text]
    for same_links, count in Counter(sent(own[number], ignore) for number in lost).items():
        assert count <= there[same_links]
    # Told is what has happened, and nothing else. Of two that are equal but for their comments, one stands for both.
    assert sorted(pulled.woken) == sorted(own[number]["label"] for number in lost)
    still = [link for link in links_of(after["page_data"]) if not shows(link, at)]
    assert len(still) == len(waiting) - len(lost)


SALE = """\
id: bio_1
page_data:
  links:
    - label: Website
      url: https://acme.example
    # the campaign, agreed with sales
    - label: 'Christmas sale'   # twice checked
      url: https://shop.acme.example
      show_from: 2090-12-01T00:00+01:00
      show_until: 2090-12-27T00:00+01:00
"""
WEBSITE = {"label": "Website", "url": "https://acme.example"}
SHOP = {"label": "Shop", "url": "https://shop.acme.example"}
SAME_LABEL = {"label": "Christmas sale", "url": "https://other.example"}


def page_with(*links: Any) -> dict[str, Any]:
    return {"id": "bio_1", "title": "Acme", "slug": "acme", "is_published": True, "page_data": {"links": links}}


@pytest.fixture
def sale(folder: Path) -> Path:
    path = folder / "pages/acme.yaml"
    path.parent.mkdir()
    path.write_text(SALE)
    return path


@pytest.mark.parametrize(("live", "label"), [(SHOP, "Shop"), (SAME_LABEL, "Christmas sale")])
def test_a_link_that_somebody_added_live_to_the_same_address_or_by_the_same_name_is_another_one(
    sale: Path, start_sandbox: Callable[..., Sandbox], run: Run, live: dict[str, str], label: str
) -> None:
    start_sandbox([page_with(WEBSITE, live)])
    result: Result = run("pull")
    assert (result.code, result.err) == (0, "")
    assert sale.read_text() == SALE + f"    - label: {label}\n      url: {live['url']}\n"
    assert run("plan", "--detailed-exitcode").code == 0


def test_a_page_that_has_lost_its_list_of_links_keeps_those_that_wait_in_its_file(
    sale: Path, start_sandbox: Callable[..., Sandbox], run: Run
) -> None:
    start_sandbox([page_with() | {"page_data": {}}])
    result: Result = run("pull")
    assert (result.code, result.err) == (0, "")
    head, website, rest = "id: bio_1\npage_data:\n  links:\n", SALE.split("- ")[1], SALE.partition("    # the")
    assert website.startswith("label: Website")
    assert sale.read_text() == head + rest[1] + rest[2]
    assert run("plan", "--detailed-exitcode").code == 0
    # At its time, it is on the page all the same.
    assert "    + links  [{" in run("plan", "--at", "2090-12-05T00:00Z").out
