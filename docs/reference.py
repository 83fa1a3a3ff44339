"""Makes the pages of docs/reference that say what the code, the schemas and the commands say already.

`make reference` writes them; tests/test_reference.py makes them again and compares. python.md, formats.md and
comments.md are written by hand.
"""

from pathlib import Path

from reference_pages import PAGES

REFERENCE = Path(__file__).parent / "reference"


def main() -> None:
    """Write every page anew."""
    for name, made in PAGES.items():
        (REFERENCE / name).write_text(made(), encoding="utf-8")


if __name__ == "__main__":
    main()
