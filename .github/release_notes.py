"""The notes of a release, from CHANGELOG.md; a tag that is no release of this repository is refused, with the reason.

Reads GITHUB_REF_NAME (the tag) and GITHUB_REPOSITORY as GitHub's runner sets them, and the files of the checkout.
"""

import os
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def notes(tag: str, repository: str) -> str:
    """Give the section of CHANGELOG.md for a tag such as v1.2.0; raises ValueError, saying what is not in order."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version, address = project["version"], project["urls"]["Source"]
    if tag != f"v{version}":
        raise ValueError(f"the tag is {tag}, and the version in pyproject.toml is {version}")
    if f"https://github.com/{repository}" != address:
        raise ValueError(f"the links of the packages lead to {address}, and this is {repository}")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = rf"^## \[?{re.escape(version)}\]? - \d{{4}}-\d\d-\d\d\n"
    section = re.search(rf"{heading}(.*?)(?=^## |\Z)", changes, re.DOTALL | re.MULTILINE)
    if section is None or not section[1].strip():
        raise ValueError(f"CHANGELOG.md has no section `## {version} - YYYY-MM-DD` that says what has changed")
    return section[1].strip()


if __name__ == "__main__":
    try:
        sys.stdout.write(notes(os.environ["GITHUB_REF_NAME"], os.environ["GITHUB_REPOSITORY"]) + "\n")
    except ValueError as error:
        sys.exit(f"error: {error}")
