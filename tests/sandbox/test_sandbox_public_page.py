"""The public pages: what a visitor sees, and what can never run in a visitor's browser."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bio_sync.sandbox import Sandbox
from bio_sync.sandbox.public_page import page_html

if TYPE_CHECKING:
    from types import SimpleNamespace

    import httpx

Serve = Callable[..., Sandbox]

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onclick='x",
    "</title>",
    "&lt;",
    "\u202e",
    "\ud800",
]
TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "div", "h1", "p", "ul", "li", "a", "span",
}  # fmt: skip


class Seen(HTMLParser):
    """What a browser would make of a document: its tags, links, and text outside the style."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[dict[str, str | None]] = []
        self.text: list[str] = []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "a":
            self.links.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def published(**fields: Any) -> dict[str, Any]:
    return {"id": "bio_acme", "slug": "acme", "title": "Acme", "is_published": True, **fields}


def test_a_published_page_shows_title_description_and_links_in_order(serve: Serve, http: httpx.Client) -> None:
    links = [
        {"label": "Site", "url": "https://acme.com/?a=1&b=2"},
        {"label": "Mail", "url": "MAILTO:a@acme.com"},
    ]
    sandbox = serve([published(description="Official links", page_data={"theme": "dark", "links": links})])
    answer = http.get(sandbox.page("bio_acme")["html_url"])
    seen = Seen(answer.text)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert [link["href"] for link in seen.links] == [link["url"] for link in links]
    assert {link["rel"] for link in seen.links} == {"noopener noreferrer"}
    assert {"Acme", "Official links", "Site", "Mail", "A"} <= set(seen.text)
    assert '<html lang="en" data-theme="dark">' in answer.text


def test_the_policy_allows_the_one_style_and_nothing_else(serve: Serve, http: httpx.Client) -> None:
    answer = http.get(f"{serve([published()]).address}/acme")
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "url(" not in style
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("is_published", [False, None])
def test_an_unpublished_or_unknown_page_is_not_found_as_html(
    serve: Serve, http: httpx.Client, is_published: bool | None
) -> None:
    sandbox = serve([published(is_published=False)] if is_published is False else [])
    answer = http.get(f"{sandbox.address}/acme")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Acme" not in answer.text


def test_each_visit_counts_and_moves_no_time(serve: Serve, http: httpx.Client, clock: SimpleNamespace) -> None:
    sandbox = serve([published(view_count=5)], clock=clock)
    before = sandbox.page("bio_acme")
    clock.now += 60
    for _ in range(3):
        http.get(before["html_url"])
    http.head(before["html_url"])
    assert sandbox.page("bio_acme") == before | {"view_count": 8}
    assert not sandbox.calls


def test_the_index_lists_published_pages_only(serve: Serve, http: httpx.Client) -> None:
    sandbox = serve([published(title="<b>Acme</b>"), {"title": "Secret"}])
    answer = http.get(sandbox.address)
    assert [link["href"] for link in Seen(answer.text).links] == ["/acme"]
    assert "<b>Acme</b>" in Seen(answer.text).text
    assert "Secret" not in answer.text


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)",
        "data:text/html,x", "vbscript:x", "//elsewhere.example", "/path", "https:\\\\x", "https://a b",
        "\x01https://x", "ftp://x", "", "https://", None, 5, ["https://x"],
    ],
)  # fmt: skip
def test_an_address_with_another_scheme_is_text_and_no_link(serve: Serve, http: httpx.Client, url: Any) -> None:
    sandbox = serve([published(page_data={"links": [{"label": "Here", "url": url}]})])
    seen = Seen(http.get(f"{sandbox.address}/acme").text)
    assert seen.links == []
    assert "Here" in seen.text


@pytest.mark.parametrize("url", ["https://x.example/", "http://x", "mailto:a@b", "tel:+123", "sms:+123"])
def test_an_address_with_a_known_scheme_is_a_link(url: Any) -> None:
    document = page_html({"title": "x", "description": None, "page_data": {"links": [{"url": url}]}})
    assert [link["href"] for link in Seen(document).links] == [url]


@pytest.mark.parametrize("links", [None, 5, "x", {"a": 1}, [None, 5, "x", []], [{}]])
def test_page_data_of_any_shape_makes_a_page(serve: Serve, http: httpx.Client, links: Any) -> None:
    sandbox = serve([published(page_data={"links": links, "theme": ["x"]})])
    assert http.get(f"{sandbox.address}/acme").status_code == 200


@pytest.mark.parametrize("text", NASTY)
def test_text_of_a_page_is_never_markup(serve: Serve, http: httpx.Client, text: str) -> None:
    links = [{"label": text, "url": f"https://acme.com/{text}"}, {"label": text, "url": text}]
    sandbox = serve([published(title=text, description=text, page_data={"links": links, "theme": text})])
    for path in ("/acme", "/"):
        answer = http.get(sandbox.address + path)
        assert answer.status_code == 200
        assert Seen(answer.text).tags <= TAGS


texts = st.text() | st.sampled_from(NASTY) | st.text(alphabet="<>\"'&;:/ =ascriptj\t\n")


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(texts, texts, st.lists(st.fixed_dictionaries({"label": texts, "url": texts})))
def test_no_text_adds_a_tag_an_attribute_or_an_unknown_scheme(title: str, description: str, links: Any) -> None:
    document = page_html({"title": title, "description": description, "page_data": {"links": links}})
    seen = Seen(document)
    assert seen.tags <= TAGS
    assert seen.attributes <= {
        "lang", "charset", "name", "content", "class", "aria-hidden", "dir", "rel", "href",
    }  # fmt: skip
    for link in seen.links:
        assert re.match(r"(https?://|mailto:|tel:|sms:)", link["href"] or "", re.IGNORECASE)


def test_visits_and_edits_at_once_lose_no_visit(http: httpx.Client) -> None:
    with Sandbox([published()]) as sandbox:
        for number in range(20):
            http.get(f"{sandbox.address}/acme")
            sandbox.edit("bio_acme", title=f"Title {number}")
        assert sandbox.page("bio_acme")["view_count"] == 20
