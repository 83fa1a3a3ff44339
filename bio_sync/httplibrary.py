"""httpx without its command line: with rich and pygments installed, as they are here, that is half of its import.

httpx itself does without it where it can't be imported; here it is not found for as long as httpx is imported.
"""

import sys
from contextlib import ExitStack

_COMMAND_LINE = "httpx._main"

with ExitStack() as afterwards:
    if "httpx" not in sys.modules:
        # What makes an import fail (docs.python.org, sys.modules).
        sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]
        afterwards.callback(sys.modules.pop, _COMMAND_LINE)
    # httpx would load httpcore with its first client; while files are read, there is time.
    import httpcore
    import httpx

__all__ = ["httpcore", "httpx"]
