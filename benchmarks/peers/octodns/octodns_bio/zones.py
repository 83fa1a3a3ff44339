"""A page as the records of a zone."""

import json
from typing import Any

# What follows a page's id in the name of its zone: octoDNS wants two dots in the name of a zone's file.
ZONES_END = ".pages."


def records_of(page: dict[str, Any]) -> dict[str, str]:
    """Give the records of a page, live or of a file: name to text; a link is one record, its place in its name."""
    data = page["page_data"]
    fields = {"title": page["title"], "description": page["description"]}
    fields |= {name.replace("_", "-"): value for name, value in data.items() if name != "links"}
    fields |= {f"link-{position}": link for position, link in enumerate(data["links"])}
    return {name: _as_text(value) for name, value in fields.items()}


def _as_text(value: object) -> str:
    # A TXT record holds ASCII, and octoDNS wants its semicolons escaped; JSON's own \u escapes would be read again.
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii").replace(";", "\\;")
