"""Makes the pictures and the example documents of the README and of docs/, from real plans of the example pages.

`make pictures` writes them. Each is made of a plan that the command itself prints, against the example workspace. The
Markdown is compared with what the code makes now, byte for byte. Pictures depend on fonts and on the browser, so
`images/made-of.json` keeps the digest of what each was made of; a test compares that.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from bio_sync import planfile
from bio_sync.jsonvalues import parsed
from bio_sync.planning import Plan
from bio_sync.render.html import render as html_of
from bio_sync.render.markdown import render as markdown_of
from bio_sync.render.text import render as text_of
from bio_sync.sandbox import Sandbox, load_seed
from bio_sync.schema import as_object

DOCS = Path(__file__).parent
EXAMPLES = DOCS.parent / "examples"
IMAGES = DOCS / "images"
MADE_OF = IMAGES / "made-of.json"
EXAMPLE_DOCUMENT = DOCS / "example-plan.md"
COLUMNS = 112
CHROMIUM = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")

# rich's own frame fetches a font from a network; this one takes what the reader has.
FRAME = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="bio-sync plan">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def example_plan(*, with_base: bool) -> Plan:
    """Plan the example pages as a newcomer does; with a base, a dashboard has changed two of the pages meanwhile."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(pages=load_seed(EXAMPLES / "live")) as sandbox,
    ):
        pages = Path(folder) / "pages"
        shutil.copytree(EXAMPLES / "pages", pages)
        if with_base:
            commit_base(Path(folder))
        shutil.copy(EXAMPLES / "bio-sync.yaml", folder)
        command = [sys.executable, "-P", "-m", "bio_sync", "plan", "--format", "json"]
        environment = os.environ | {"XQR_API_URL": sandbox.url, "XQR_API_KEY": sandbox.key}
        done = subprocess.run(
            [*command, *(["--base", "main"] if with_base else [])],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        # The addresses that readers know, and a day that does not move.
        text = done.stdout.replace(sandbox.url, "https://xqr.co/api/v1").replace(sandbox.address, "https://bio.xqr.co")
    document = as_object(parsed(text))
    return planfile.from_json(document | {"created_at": "2026-11-22T10:00:00Z"})


def commit_base(folder: Path) -> None:
    """Commit the pages as they were applied last, and lay the files of now over them."""
    for path in sorted((folder / "pages").iterdir()):
        now = path.read_text(encoding="utf-8")
        page_id = yaml.safe_load(now)["id"]
        (live,) = (page for page in load_seed(EXAMPLES / "live") if page["id"] == page_id)
        path.write_text(yaml.safe_dump(_as_applied(live), allow_unicode=True), encoding="utf-8")
    who = {f"GIT_{role}_{what}": "example" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    when = {f"GIT_{role}_DATE": "2026-11-20T09:00:00Z" for role in ("AUTHOR", "COMMITTER")}
    for arguments in (["init", "-b", "main"], ["add", "."], ["commit", "-m", "Applied"]):
        subprocess.run(["git", *arguments], cwd=folder, env=os.environ | who | when, capture_output=True, check=True)
    shutil.copytree(EXAMPLES / "pages", folder / "pages", dirs_exist_ok=True)


def _as_applied(live: dict[str, Any]) -> dict[str, Any]:
    page = {"id": live["id"], "title": live["title"], "description": live["description"] or ""}
    page |= {"published": live["is_published"], "page_data": live["page_data"]}
    if live["id"] == "bio_abc123":
        page["page_data"]["theme"] = "light"
    if live["id"] == "bio_p6z1jf":
        page["page_data"]["links"][3]["label"] = "Shirts"
    return page


def terminal_text() -> str:
    """Give the plan as a terminal shows it, in colour."""
    return text_of(example_plan(with_base=False), colour=True)


def markdown() -> str:
    """Give the document that shows the plan as a comment on a pull request."""
    comment = markdown_of(example_plan(with_base=True))
    return (
        "# The example plan, as a comment on a pull request\n\n"
        "What stands below the line is what `bio-sync plan --base main --format markdown` makes of the pages in\n"
        "[examples/](../examples), after somebody has changed two live pages in the dashboard.\n\n"
        f"---\n\n{comment}"
    )


def report() -> str:
    """Give the plan as an HTML page."""
    return html_of(example_plan(with_base=True))


def made_of() -> dict[str, str]:
    """Give the digests of what the pictures are made of: the documents, and this file."""
    own = Path(__file__).read_text(encoding="utf-8")
    sources = {"plan.svg": terminal_text(), "report.png": report()}
    return {name: hashlib.sha256((own + text).encode()).hexdigest() for name, text in sources.items()}


def draw_terminal(path: Path) -> None:
    """Draw the plan as it stands on a terminal."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), color_system="truecolor")
    console.print(Text.from_ansi(terminal_text().rstrip()), soft_wrap=False)
    svg = console.export_svg(title="bio-sync plan", theme=MONOKAI, code_format=FRAME, unique_id="plan")
    path.write_text("".join(f"{line.rstrip()}\n" for line in svg.splitlines()), encoding="utf-8")


def draw_report(path: Path) -> None:
    """Take a picture of one page of the report in Chromium."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        document = Path(folder) / "report.html"
        document.write_text(report(), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM))
        page = browser.new_page(viewport={"width": 860, "height": 1000}, color_scheme="light")
        page.goto(document.as_uri())
        page.get_by_role("article", name="Acme Inc").screenshot(path=path)
        browser.close()


def main() -> None:
    """Write everything anew."""
    IMAGES.mkdir(exist_ok=True)
    EXAMPLE_DOCUMENT.write_text(markdown(), encoding="utf-8")
    draw_terminal(IMAGES / "plan.svg")
    draw_report(IMAGES / "report.png")
    MADE_OF.write_text(json.dumps(made_of(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
