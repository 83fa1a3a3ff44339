"""Debian's Chromium for tests: what a document says, asks for and shows once it is open."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
# The page that most visits share: a new one is a process, a third of a second.
_SHARED: dict[Browser, Page] = {}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the chromium of this machine; without one, the test is skipped."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed: what the report looks like is not tested")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        _SHARED.pop(browser, None)
        browser.close()


@dataclass
class Visit:
    """An open document: `said` are console messages and errors, `asked` the addresses that it wanted to load."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def evaluate(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)


@contextmanager
def visit(
    browser: Browser,
    address: str,
    *,
    width: int = 1280,
    color_scheme: Literal["light", "dark"] = "light",
    forced_colors: Literal["active", "none"] = "none",
    **options: Any,
) -> Iterator[Visit]:
    """Open an address and wait until it and all of its parts are loaded.

    A visit with options of a context, such as `bypass_csp`, has a context of its own. All others share a page: between
    two of them it is empty, and nothing that a visit has changed of it stays.
    """
    if not options and browser not in _SHARED:
        _SHARED[browser] = browser.new_page()
    page = browser.new_context(**options).new_page() if options else _SHARED[browser]
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(media="screen", color_scheme=color_scheme, forced_colors=forced_colors)
    visited = Visit(page)
    heard: dict[str, Callable[[Any], None]] = {
        "console": lambda message: visited.said.append(f"{message.type}: {message.text}"),
        "pageerror": lambda error: visited.said.append(f"error: {error}"),
        "request": lambda request: visited.asked.append(request.url),
    }
    page.mouse.move(0, 0)
    for event, listener in heard.items():
        page.on(event, listener)  # type: ignore[call-overload]
    try:
        page.goto(address)
        yield visited
    finally:
        for event, listener in heard.items():
            page.remove_listener(event, listener)
        if options:
            page.context.close()
        else:
            page.goto("about:blank")


def violations(visited: Visit) -> list[str]:
    """Ask axe-core for all that hinders somebody, its best practices included."""
    found = Axe().run(visited.page).response
    assert "color-contrast" in {rule["id"] for kind in ("passes", "violations") for rule in found[kind]}
    return [f"{rule['id']}: {node['target']}" for rule in found["violations"] for node in rule["nodes"]]


class Site(ThreadingHTTPServer):
    """Serves one document at any address, and remembers every request."""

    daemon_threads = True

    def __init__(self, document: str) -> None:
        self.document = document
        self.requests: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Site)
        self.server.requests.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.server.document.encode())

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name is the library's
        """Say nothing on stderr."""


@contextmanager
def served(document: str) -> Iterator[Site]:
    """Serve a document on loopback."""
    with Site(document) as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield site
        finally:
            site.shutdown()
            thread.join()
