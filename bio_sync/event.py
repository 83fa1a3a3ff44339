"""What started a run: GitHub's event file (docs.github.com, "Events that trigger workflows"), ids and numbers in it."""

import re
from pathlib import Path

from bio_sync.jsonvalues import Json, JsonObject, member, parsed

# A pull request's event is some 30 KB; GitHub cuts events off at 25 MB.
MOST_EVENT_BYTES = 32 * 1024 * 1024
# The id of a commit, in a repository of SHA-1 or of SHA-256.
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def read_event(path: str) -> JsonObject:
    """Read the file that GITHUB_EVENT_PATH names; raises OSError when it can't be read, ValueError when it is no JSON.

    JSON that is no object tells nothing.
    """
    with Path(path).open("rb") as stream:
        text = stream.read(MOST_EVENT_BYTES).decode("utf-8")
    try:
        event = parsed(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    return event if isinstance(event, dict) else {}


def pushed_commit(event: JsonObject) -> str | None:
    """Give the commit that was pushed to the pull request, which is not the merge that a workflow checks out."""
    commit = member(event, "pull_request", "head", "sha")
    return commit if isinstance(commit, str) and COMMIT.fullmatch(commit) else None


def number_of(value: Json) -> int | None:
    """Give the number by which GitHub knows a thing, such as an issue or a run; None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
