"""The way in: `bio-sync`, and `python -m bio_sync`."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Load the command line and run it; Ctrl-C ends that quietly too."""
    try:
        from bio_sync.cli import main as run  # noqa: PLC0415 - what is loaded outside would show a traceback
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
