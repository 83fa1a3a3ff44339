"""check-jsonschema in this process: half a second to import, once instead of for each command."""

import contextlib
import io

import pytest


def check_jsonschema(*arguments: str) -> tuple[int, str]:
    """Run its command line; gives the exit code and what it said."""
    from check_jsonschema import main  # type: ignore[import-untyped]  # noqa: PLC0415 - as above

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0), said.getvalue()
