"""Random workspaces and page files, all from one seed."""

from copy import deepcopy
from random import Random
from typing import Any

Page = dict[str, Any]
File = dict[str, Any]

_WORDS = ("Acme", "Blog", "Coffee", "Dance", "Ink & Paper", "Größe", "日本", "  spaced  ", "A <b> & c", "1.0", "no")
_IGNORED = ("/page_data/experiments", "/page_data/links/*/badge", "/description", "/page_data/footer", "/published")


def live_pages(random: Random, count: int) -> list[Page]:
    """Draw the pages of a workspace; those beyond `count` have no file."""
    return [_live_page(random, number) for number in range(count + random.randint(0, 2))]


def files_for(random: Random, pages: list[Page]) -> dict[str, File]:
    """Draw the file of each page: what it manages, and how it wants that to be."""
    return {page["id"]: _file(random, page) for page in pages}


def file_for(random: Random, page: Page) -> File:
    """Draw the file of one page."""
    return _file(random, page)


def words(random: Random) -> str:
    """Draw a title or a text."""
    return f"{random.choice(_WORDS)} {random.randint(0, 999)}"


def dashboard_edit(random: Random, page: Page, *, kinds: str = "title data links published description note") -> Page:
    """Draw members of a page as a person changes them in the dashboard."""
    kind = random.choice(kinds.split())
    data = deepcopy(page["page_data"])
    if kind == "title":
        return {"title": words(random)}
    if kind == "description":
        return {"description": random.choice((None, "", words(random)))}
    if kind == "published":
        return {"is_published": not page["is_published"]}
    if kind == "note":
        data["x-note"] = words(random)
    elif kind == "experiments":
        data["experiments"] = {"variant": random.randint(0, 99), "live": words(random)}
    elif kind == "data":
        _edit_data(random, data)
    else:
        data["links"] = _edited_links(random, data.get("links") or [])
    return {"page_data": data}


def _live_page(random: Random, number: int) -> Page:
    data: dict[str, Any] = {}
    if random.random() < 0.8:
        data["theme"] = random.choice(("light", "dark"))
    if random.random() < 0.8:
        data["links"] = [_link(random, spot) for spot in random.sample(range(30), random.randint(0, 6))]
    if random.random() < 0.4:
        data["experiments"] = {"variant": random.randint(0, 9), "weights": [1, 2.5, True]}
    if random.random() < 0.3:
        data["x-note"] = words(random)
    if random.random() < 0.4:
        data["footer"] = {"text": words(random), "size": random.choice((1, 1.0, 2.5, True)), "gone": None}
    published = random.random() < 0.5
    return {
        "id": f"bio_{number:02d}",
        "title": words(random),
        "description": random.choice((None, "", words(random))),
        "slug": f"slug-{number}",
        "page_data": data,
        "is_published": published,
        "view_count": random.randint(0, 99),
    }


def _link(random: Random, spot: int) -> dict[str, Any]:
    link: dict[str, Any] = {"label": f"Label {spot}", "url": f"https://s{spot}.example/{spot}"}
    if random.random() < 0.4:
        link["badge"] = random.choice(("new", "hot"))
    return link


def _file(random: Random, page: Page) -> File:
    file: File = {"id": page["id"]}
    calm = random.random() < 0.15
    if random.random() < 0.7:
        file["title"] = page["title"] if calm or random.random() < 0.4 else words(random)
    if random.random() < 0.5:
        file["description"] = (page["description"] or "") if calm or random.random() < 0.4 else words(random)
    if random.random() < 0.75:
        file["page_data"] = _wanted_data(random, page["page_data"], calm=calm)
    if random.random() < 0.4:
        file["published"] = page["is_published"] if calm else random.random() < 0.5
    ignored = [pointer for pointer in _IGNORED if random.random() < 0.2]
    if ignored:
        file["ignore"] = ignored
    if random.random() < 0.1:
        file["x-owner"] = "somebody"
    return file


def _wanted_data(random: Random, live: dict[str, Any], *, calm: bool) -> dict[str, Any]:
    data = {key: value for key, value in deepcopy(live).items() if not key.startswith("x-")}
    if isinstance(data.get("footer"), dict):
        data["footer"].pop("gone", None)
    if calm:
        return data
    for _ in range(random.randint(0, 2)):
        _edit_data(random, data)
    if random.random() < 0.6:
        data["links"] = _edited_links(random, data.get("links") or [])
    if random.random() < 0.1:
        data["x-mine"] = "never sent"
    return data


def _edit_data(random: Random, data: dict[str, Any]) -> None:
    match random.randrange(5):
        case 0:
            data["theme"] = random.choice(("light", "dark"))
        case 1:
            data.pop(random.choice(("footer", "experiments", "theme")), None)
        case 2:
            data["footer"] = {"text": words(random), "size": random.choice((1, 2, 2.5))}
        case 3:
            data[f"extra{random.randint(0, 3)}"] = random.choice((True, 1, "1", [1, {"a": "b"}], {"deep": {"er": 1}}))
        case _:
            data["avatar_url"] = f"https://cdn.example/{random.randint(0, 99)}.png"


def _edited_links(random: Random, links: list[dict[str, Any]]) -> list[dict[str, Any]]:
    links = deepcopy(links)
    match random.randrange(5):
        case 0:
            random.shuffle(links)
        case 1 if links:
            links.pop(random.randrange(len(links)))
        case 2 if links:
            links[random.randrange(len(links))]["label"] = f"Label {random.randint(1000, 9999)}"
        case 3:
            links.insert(random.randint(0, len(links)), _link(random, random.randint(100, 999)))
        case _:
            links = [*links, _link(random, random.randint(1000, 9999))][-6:]
    return links
