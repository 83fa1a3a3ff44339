"""Folders of page files with the live pages that they are compared with; the same every time.

A page is one of a company's many: 8 links, 1.4 KB of YAML in an author's own hand (a comment, quotes where they are
needed and where they are not, letters beyond ASCII, numbers, booleans), 1.2 KB of page_data as JSON, 1.7 KB as the
service gives it. That is what pages in the wild look like, and no parser's best case.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Page = dict[str, Any]

PLACES = ("Zürich", "Málaga", "Kraków", "Łódź", "São Paulo", "Aarhus", "Århus", "Nîmes", "Tromsø", "Gdańsk")
TRADES = ("Bakery", "Bike repair", "Yoga studio", "Record shop", "Flower shop", "Film club", "Coffee", "Bookshop")
LINKS = 8


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder with `pages/*.yaml`, `live.json` and `patches.json`, and what a right plan of it finds.

    `changed` holds the ids of the pages whose file and live page differ, in the order of the files.
    """

    folder: Path
    pages: int
    changed: tuple[str, ...]

    @property
    def live(self) -> Path:
        """The live pages as the service gives them: a JSON list."""
        return self.folder / "live.json"

    @property
    def patches(self) -> Path:
        """What an apply has to send, as a JSON list of `[id, body]`; the body is the text of a request."""
        return self.folder / "patches.json"


def page_id(number: int) -> str:
    """Give the id of a page: as long as the service's own."""
    return f"bio_{number * 7919 + 1_000_003:08x}"


def make(folder: Path, *, pages: int, percent: int) -> Workspace:
    """Write a workspace of so many pages, of which so many percent differ, one at least unless it is 0 %."""
    changes = min(pages, -(-pages * percent // 100))
    # Spread evenly, as edits are: no client is helped by all of them standing at the beginning.
    differ = {number * pages // changes: number for number in range(changes)}
    (folder / "pages").mkdir(parents=True)
    # A checkout, as it would be: whoever looks for its root upwards finds it here.
    (folder / ".git").mkdir()
    live, patches = [], []
    for number in range(pages):
        wanted = desired(number)
        (folder / "pages" / f"page-{number:05d}.yaml").write_text(as_yaml(number), encoding="utf-8")
        seen = live_page(number, wanted)
        if number in differ:
            patches.append([page_id(number), json.dumps(_change(seen, wanted, differ[number]))])
        live.append(seen)
    workspace = Workspace(folder, pages, tuple(each for each, _ in patches))
    workspace.live.write_text(json.dumps(live, ensure_ascii=False), encoding="utf-8")
    workspace.patches.write_text(json.dumps(patches, ensure_ascii=False), encoding="utf-8")
    return workspace


def desired(number: int) -> Page:
    """Give the page that a file describes, as plain data."""
    place, trade = PLACES[number % len(PLACES)], TRADES[number % len(TRADES)]
    return {
        "id": page_id(number),
        "title": f"{trade} {place} {number}",
        "description": f"All of {trade.lower()} {place} at a glance: hours, prices & news — since {1950 + number % 70}",
        "page_data": {
            "theme": "dark" if number % 3 else "light",
            "avatar_url": f"https://cdn.xqr.co/avatars/workspace-{number % 40:02d}/page-{number:05d}@2x.png?v=3",
            "layout": {"columns": 1 + number % 2, "rounded": number % 2 == 0, "spacing": 1.5, "show_icons": True},
            "links": [_link(number, position) for position in range(LINKS)],
        },
    }


def _link(number: int, position: int) -> Page:
    label = ("Our website", "Shop: new in", "Menu & prices", "Book a table", "Über uns", "Newsletter", "Jobs", "Map")
    path = ("", "shop", "menu", "book", "about", "news", "jobs", "map")[position]
    url = f"https://www.example-{number:05d}.com/{path}?utm_source=bio&utm_medium=link&n={position}"
    return {"label": label[position], "url": url, "icon": f"icon-{position}", "highlight": position == 1}


def as_yaml(number: int) -> str:
    """Write the page as its author would: the same data as `desired`, laid out by hand."""
    page = desired(number)
    data, layout = page["page_data"], page["page_data"]["layout"]
    lines = [
        f"# {page['title']}: the team of {PLACES[number % len(PLACES)]} looks after this page.",
        f"id: {page['id']}",
        f"title: {page['title']}",
        f'description: "{page["description"]}"',
        "page_data:",
        f"  theme: {data['theme']}",
        f"  avatar_url: {data['avatar_url']}",
        f"  layout: {{columns: {layout['columns']}, rounded: {json.dumps(layout['rounded'])}, "
        f"spacing: {layout['spacing']}, show_icons: true}}",
        "  links:",
    ]
    for link in data["links"]:
        # A colon and a space end a plain scalar.
        label = f"'{link['label']}'" if ": " in link["label"] else link["label"]
        lines += [f"    - label: {label}", f"      url: {link['url']}", f"      icon: {link['icon']}"]
        lines += [f"      highlight: {json.dumps(link['highlight'])}"]
    return "\n".join(lines) + "\n"


def live_page(number: int, wanted: Page) -> Page:
    """Give the page as the service holds it while it is what its file wants."""
    slug = f"page-{number:05d}"
    return {
        **json.loads(json.dumps(wanted)),
        "slug": slug,
        "is_published": number % 10 != 9,
        "published_at": "2026-01-15T09:00:00Z",
        "view_count": number * 37 % 5_000,
        "click_count": number * 11 % 900,
        "html_url": f"https://bio.xqr.co/{slug}",
        "created_at": "2026-01-10T12:00:00Z",
        "updated_at": "2026-03-20T16:30:00Z",
    }


def _change(live: Page, wanted: Page, turn: int) -> Page:
    """Change the live page, by turns its title, one address or one link, and give what puts it right."""
    links = live["page_data"]["links"]
    if turn % 3 == 0:
        live["title"] = f"{live['title']} (old)"
        return {"title": wanted["title"]}
    if turn % 3 == 1:
        links[turn % LINKS]["url"] += "&campaign=last-year"
    else:
        del links[turn % LINKS]
    return {"page_data": wanted["page_data"]}
