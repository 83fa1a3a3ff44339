"""The floor: the same calls by `http.client` and `json`, the same files by `yaml.CSafeLoader`, and nothing else.

No comparison, no check, no word to anybody: what no plan in Python that reads these files and asks this service can go
below. For an apply, the bodies are known beforehand and sent one after the other on one connection.

    python floor.py plan HOST:PORT PAGES-FOLDER
    python floor.py apply HOST:PORT PAGES-FOLDER PATCHES.json
"""

import http.client
import json
import os
import sys

import yaml

PATH = "/api/v1/bio/pages"
MOST_LIMIT = 200


def main() -> None:
    """Read the files, ask for the live pages, send the patches."""
    host, folder = sys.argv[2], sys.argv[3]
    headers = {"Authorization": f"Bearer {os.environ['XQR_API_KEY']}"}
    connection = http.client.HTTPConnection(host, timeout=60)
    files = [read(os.path.join(folder, name)) for name in sorted(os.listdir(folder))]  # noqa: PTH118, PTH208 - the floor

    def call(method: str, path: str, body: str | None = None) -> object:
        connection.request(method, path, body, headers)
        with connection.getresponse() as response:
            return json.loads(response.read())

    if len(files) == 1:
        call("GET", f"{PATH}/{files[0]['id']}")
    else:
        for offset in range(0, len(files), MOST_LIMIT):
            call("GET", f"{PATH}?limit={MOST_LIMIT}&offset={offset}")
    if sys.argv[1] == "apply":
        with open(sys.argv[4], encoding="utf-8") as patches:  # noqa: PTH123 - likewise
            for page_id, body in json.load(patches):
                call("PATCH", f"{PATH}/{page_id}", body)
    connection.close()


def read(path: str) -> dict[str, object]:
    """Parse one file."""
    with open(path, "rb") as file:  # noqa: PTH123 - likewise
        # CSafeLoader is safe_load by the C library.
        page: dict[str, object] = yaml.load(file, Loader=yaml.CSafeLoader)
    return page


if __name__ == "__main__":
    main()
