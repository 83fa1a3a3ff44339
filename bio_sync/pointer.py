"""JSON Pointers (RFC 6901): how a place inside a page is named."""

from collections.abc import Iterable
from typing import TypeAlias

# The keys and indexes on the way to a value.
ValuePath: TypeAlias = tuple[str | int, ...]


def to_pointer(tokens: Iterable[str | int]) -> str:
    """Write keys and indexes as a JSON Pointer; `~` becomes `~0` and `/` becomes `~1`."""
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def from_pointer(pointer: str) -> tuple[str, ...]:
    """Read a JSON Pointer into its tokens; the empty pointer, the whole document, has none."""
    if not pointer:
        return ()
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])
