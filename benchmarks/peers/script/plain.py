"""Compares pages/*.yaml with the live pages, and sends what differs: as most such scripts are written.

    plain.py plan|apply ADDRESS SCHEMA          the key is in XQR_API_KEY

Fair: one client for all calls, so that the connection is kept; the schema is read once. Nothing else is tuned, since
the libraries' first examples are what people start from: `yaml.safe_load` is the parser in Python, `validate` looks at
the schema itself each time, and DeepDiff is asked whether anything differs.
"""

import json
import os
import sys
from pathlib import Path

import httpx
import yaml
from deepdiff import DeepDiff
from jsonschema import validate


def main() -> None:
    """Go through the files, one after the other."""
    what, address, schema_path = sys.argv[1:]
    schema = json.loads(Path(schema_path).read_text(encoding="utf-8"))
    headers = {"Authorization": f"Bearer {os.environ['XQR_API_KEY']}"}
    with httpx.Client(base_url=address, headers=headers, timeout=30) as client:
        for path in sorted(Path("pages").glob("*.yaml")):
            page = yaml.safe_load(path.read_text(encoding="utf-8"))
            validate(page, schema)
            live = client.get(f"/bio/pages/{page['id']}").raise_for_status().json()["data"]
            fields = [field for field in ("title", "description", "page_data") if field in page]
            changed = {field: page[field] for field in fields if DeepDiff(live[field], page[field])}
            if changed and what == "apply":
                client.patch(f"/bio/pages/{page['id']}", json=changed).raise_for_status()
            if changed:
                print(f"changed {page['id']}")  # noqa: T201 - a script


if __name__ == "__main__":
    main()
