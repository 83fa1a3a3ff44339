"""Compares pages/*.yaml with the live pages, and sends what differs: plain.py, after somebody has measured it.

    tuned.py plan|apply ADDRESS SCHEMA          the key is in XQR_API_KEY

Lists of 200 pages instead of a GET a page, the C parser of YAML, one validator for all pages, and DeepDiff only for
what is not equal: the same answers, and what any reader of the libraries' manuals can do in a day.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx
import yaml
from deepdiff import DeepDiff
from jsonschema import Draft7Validator

Page = dict[str, Any]
MOST_LIMIT = 200


def main() -> None:
    """Read all files, list all pages, compare, and write."""
    what, address, schema_path = sys.argv[1:]
    validator = Draft7Validator(json.loads(Path(schema_path).read_text(encoding="utf-8")))
    pages = [read(path, validator) for path in sorted(Path("pages").glob("*.yaml"))]
    headers = {"Authorization": f"Bearer {os.environ['XQR_API_KEY']}"}
    # No TLS settings are loaded for an address without TLS: 0.1 s.
    with httpx.Client(base_url=address, headers=headers, timeout=30, verify=address.startswith("https:")) as client:
        live = list_pages(client)
        for page in pages:
            fields = [field for field in ("title", "description", "page_data") if field in page]
            was = live[page["id"]]
            changed = {field: page[field] for field in fields if was[field] != page[field]}
            if not changed:
                continue
            for field, value in changed.items():
                print(f"  {field}: {DeepDiff(was[field], value).pretty()}")  # noqa: T201 - a script
            if what == "apply":
                client.patch(f"/bio/pages/{page['id']}", json=changed).raise_for_status()
            print(f"changed {page['id']}")  # noqa: T201 - likewise


def read(path: Path, validator: Draft7Validator) -> Page:
    """Parse a file and hold it against the schema."""
    # CSafeLoader is safe_load by the C library.
    page: Page = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    validator.validate(page)
    return page


def list_pages(client: httpx.Client) -> dict[str, Page]:
    """List the live pages, by their ids."""
    live: dict[str, Page] = {}
    for offset in range(0, sys.maxsize, MOST_LIMIT):
        answer = client.get("/bio/pages", params={"limit": MOST_LIMIT, "offset": offset}).raise_for_status()
        listed = answer.json()["data"]
        live |= {page["id"]: page for page in listed}
        if len(listed) < MOST_LIMIT:
            break
    return live


if __name__ == "__main__":
    main()
