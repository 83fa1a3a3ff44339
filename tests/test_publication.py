"""What becomes public and what vanishes, and where: every form of a plan says it before it happens."""

import html
import re

import pytest

from bio_sync.model import PageContent
from bio_sync.planning import Circumstances, Plan, make_plan
from bio_sync.render import RENDERERS
from tests import strategies as some

NOW = Circumstances("0.1.0", "2026-11-22T10:00:00Z", "https://xqr.co/api/v1", 1, 46)
SHOWN, HIDDEN = (PageContent("Campaign", None, {}, published) for published in (True, False))


def plan_of(before: PageContent, after: PageContent) -> Plan:
    address = {"html_url": "https://bio.xqr.co/campaign"}
    live = {"bio_1": some.live_page(before, "bio_1", **address)}
    return make_plan([some.wanted_page(after, "bio_1")], live, circumstances=NOW)


def as_read(form: str, plan: Plan) -> str:
    """Give what a reader sees of a plan in a form, on one line."""
    shown = RENDERERS[form](plan)
    if form != "text":
        shown = html.unescape(re.sub(r"(?s)<style.*?</style>|<[^>]*>", " ", shown)).replace("`", "")
    return " ".join(shown.split())


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
@pytest.mark.parametrize("more", [{}, {"title": "Campaign 2026"}])
def test_a_plan_says_what_becomes_public_and_where(form: str, more: dict[str, str]) -> None:
    shown = as_read(form, plan_of(HIDDEN, PageContent(more.get("title", "Campaign"), None, {}, published=True)))
    assert "becomes LIVE" in shown
    assert "https://bio.xqr.co/campaign" in shown
    assert "1 to publish" in shown
    assert "vanishes" not in shown


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
@pytest.mark.parametrize("more", [{}, {"title": "Campaign 2026"}])
def test_a_plan_says_what_vanishes_from_the_public_and_where(form: str, more: dict[str, str]) -> None:
    shown = as_read(form, plan_of(SHOWN, PageContent(more.get("title", "Campaign"), None, {}, published=False)))
    assert "vanishes from the public" in shown
    assert "https://bio.xqr.co/campaign" in shown
    assert "7 views" in shown
    assert "1 to unpublish" in shown
    assert "becomes LIVE" not in shown


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
@pytest.mark.parametrize("before", [SHOWN, HIDDEN])
def test_a_page_that_stays_as_public_as_it_is_neither_becomes_so_nor_vanishes(form: str, before: PageContent) -> None:
    shown = as_read(form, plan_of(before, PageContent("New", None, {}, before.published)))
    assert "becomes LIVE" not in shown
    assert "vanishes" not in shown
    assert ("not public" in shown) == (before is HIDDEN)
