"""The public side: a published page as HTML at /{slug}, and an index of them at /."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from html import escape
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

    from bio_sync.sandbox.behaviour import Page
    from bio_sync.sandbox.service import Service

_TONES = ("#b4413c", "#8a6d1b", "#3f7d3a", "#1f7a86", "#3d63b8", "#8548a8")
_STYLE = """
:root{color-scheme:light dark;--ground:light-dark(#f6f5f3,#17181a);--ink:light-dark(#1d1e20,#f1f0ee);
--quiet:light-dark(#5c5f66,#a9acb3);--card:light-dark(#fff,#232529);--line:light-dark(#dddbd6,#3a3d43)}
:root[data-theme=light]{color-scheme:light}:root[data-theme=dark]{color-scheme:dark}
body{margin:0;background:var(--ground);color:var(--ink);font:17px/1.5 system-ui,sans-serif}
main{max-width:30rem;margin:0 auto;padding:3.5rem 1.25rem;text-align:center}
h1{font-size:1.5rem;line-height:1.25;margin:1rem 0 .25rem;overflow-wrap:anywhere}
p{color:var(--quiet);margin:0 0 1.75rem;white-space:pre-line;overflow-wrap:anywhere}
ul{list-style:none;margin:0;padding:0}li{margin:.75rem 0}
li>*{display:block;padding:.8rem 1.25rem;border:1px solid var(--line);border-radius:1.75rem;
background:var(--card);color:inherit;text-decoration:none;overflow-wrap:anywhere}
a:hover{border-color:var(--ink)}a:focus-visible{outline:3px solid #3d63b8;outline-offset:2px}
li>span{color:var(--quiet);border-style:dashed}
.avatar{width:5.5rem;height:5.5rem;border-radius:50%;margin:0 auto;color:#fff;font-size:2.5rem;
line-height:5.5rem;font-weight:600}
""" + "".join(f".tone-{number}{{background:{tone}}}" for number, tone in enumerate(_TONES))
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# What a browser strips or rewrites inside an address (space, control, backslash) hides a scheme: not a link.
_LINK = re.compile(r"(?:https?://|mailto:|tel:|sms:)[^\x00-\x20\x7f\\]+", re.IGNORECASE)


class PublicPages:
    """What visitors see. No key is needed, and no quota charged."""

    def __init__(self, service: Service) -> None:
        """Serve the pages of `service`."""
        self._service = service

    def routes(self) -> list[Route]:
        """Return the two public routes."""
        return [Route("/", self._index), Route("/{slug}", self._page)]

    async def _index(self, _: Request) -> Response:
        published = [page for page in self._service.pages() if page["is_published"]]
        return _html(index_html(published))

    async def _page(self, request: Request) -> Response:
        page = self._service.visited(request.path_params["slug"], counted=request.method == "GET")
        return not_found(404) if page is None else _html(page_html(page))


def page_html(page: Page) -> str:
    """Return a published page as one self-contained document; nothing of it is markup or script."""
    data = page["page_data"]
    title = page["title"]
    tone = zlib.crc32(title.encode("utf-8", "replace")) % len(_TONES)
    links = data.get("links")
    items = [_item(link) for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    parts = [
        f'<div class="avatar tone-{tone}" aria-hidden="true">{escape(title.strip()[:1].upper())}</div>',
        f'<h1 dir="auto">{escape(title)}</h1>',
        f'<p dir="auto">{escape(page["description"])}</p>' if page["description"] else "",
        f"<ul>{''.join(items)}</ul>" if items else "",
    ]
    theme = data.get("theme")
    return _document(title, "".join(parts), theme if theme in ("light", "dark") else None)


def index_html(pages: list[Page]) -> str:
    """Return a list of pages as a document, each linked by its slug."""
    items = [f'<li><a href="/{escape(page["slug"])}" dir="auto">{escape(page["title"])}</a></li>' for page in pages]
    listed = f"<ul>{''.join(items)}</ul>" if items else "<p>No page is published.</p>"
    return _document("Published pages", f"<h1>Published pages</h1>{listed}", None)


def not_found(status: int) -> Response:
    """Return the answer for an address without a published page."""
    words = "<h1>Nothing here</h1><p>There is no published page at this address.</p>"
    return _html(_document("Nothing here", words, None), status)


def _item(link: Page) -> str:
    url = link.get("url")
    label = link.get("label")
    words = escape(label if isinstance(label, str) and label else str(url))
    if isinstance(url, str) and _LINK.fullmatch(url):
        return f'<li><a rel="noopener noreferrer" dir="auto" href="{escape(url)}">{words}</a></li>'
    return f'<li><span dir="auto">{words}</span></li>'


def _document(title: str, content: str, theme: str | None) -> str:
    chosen = f' data-theme="{theme}"' if theme else ""
    return (
        f'<!doctype html><html lang="en"{chosen}><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>{content}</main></body></html>"
    )


def _html(document: str, status: int = 200) -> Response:
    # A lone surrogate in a page has no UTF-8 form.
    return HTMLResponse(document.encode("utf-8", "replace"), status, _HEADERS)
