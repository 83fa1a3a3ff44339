"""What is wrong with a file, and where: the one shape for every complaint about a page or a configuration."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a text file, both numbers counted from 1, the column in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a file.

    `pointer` is the JSON Pointer (RFC 6901) of the value, `rule` a stable name for the kind of problem,
    `hint` the way out (may be empty). Sorted, problems stand in reading order.
    """

    file: str
    line: int
    column: int
    pointer: str
    message: str
    hint: str
    rule: str
