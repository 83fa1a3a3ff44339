"""JSON values as bio-sync compares them: one normal form, one equality, one digest."""

import json
import math
from typing import Final, NoReturn, TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
JsonObject: TypeAlias = dict[str, Json]

AUTHOR_PREFIX = "x-"
# What is nested deeper is no page; recursion over it would end in Python's own limit.
MOST_LIVE_LEVELS = 100
# Whole numbers up to here are the same as a float and as an integer in every JSON reader (RFC 8259, section 6).
LARGEST_EXACT = 2**53
# From here on JSON writers use an exponent (ECMAScript, Number::toString), so the float is the normal form.
LARGEST_WRITTEN_OUT = 10**21
LARGEST_FLOAT = 10**308


class Absent:
    """Stands for a value that is not there; None is JSON's null."""


ABSENT: Final = Absent()


class TooDeep(ValueError):
    """A JSON value has more than MOST_LIVE_LEVELS levels."""


def normalised(value: Json, *, without_author_keys: bool = False) -> Json:
    """Give `value` without nulls, with whole floats as integers, and if asked without `x-` keys.

    A null in page data means the same as leaving the key out, and JSON knows one kind of number: after this,
    equality needs no special case. Raises TooDeep for a value of more than MOST_LIVE_LEVELS levels.
    """
    if _is_normal(value, MOST_LIVE_LEVELS, without_author_keys):
        return value
    return _normalised(value, MOST_LIVE_LEVELS, without_author_keys)


def _is_normal(value: Json, levels: int, without_author_keys: bool) -> bool:
    """Tell whether there is nothing to change in a value, as in most: it costs a third of making it anew."""
    if isinstance(value, dict):
        if without_author_keys and any(key[:2] == AUTHOR_PREFIX for key in value):
            return False
        members = list(value.values())
    elif isinstance(value, list):
        members = value
    else:
        return not (isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_WRITTEN_OUT)
    if not levels:
        raise TooDeep
    for member in members:
        kind = type(member)
        if kind is str or kind is bool or kind is int:
            continue
        if member is None or not _is_normal(member, levels - 1, without_author_keys):
            return False
    return True


def _normalised(value: Json, levels: int, without_author_keys: bool) -> Json:
    if isinstance(value, dict | list) and not levels:
        raise TooDeep
    if isinstance(value, dict):
        return {
            key: _normalised(member, levels - 1, without_author_keys)
            for key, member in value.items()
            if member is not None and not (without_author_keys and key.startswith(AUTHOR_PREFIX))
        }
    if isinstance(value, list):
        return [_normalised(item, levels - 1, without_author_keys) for item in value if item is not None]
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_WRITTEN_OUT:
        return int(value)
    return value


def same(one: Json | Absent, other: Json | Absent) -> bool:
    """Tell whether two normalised values are the same JSON; `1` is not `true`, though Python says so."""
    if one is other:
        return True
    kind = type(one)
    if kind is not type(other):
        return _same_number(one, other)
    if kind is str:
        return one == other
    if isinstance(one, dict) and isinstance(other, dict):
        return len(one) == len(other) and all(key in other and same(member, other[key]) for key, member in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def _same_number(one: Json | Absent, other: Json | Absent) -> bool:
    """Compare a whole number with a float; after normalising, only very large ones come as both."""
    if isinstance(one, float) and isinstance(other, int) and not isinstance(other, bool):
        return abs(other) < LARGEST_FLOAT and one == float(other)
    return isinstance(other, float) and isinstance(one, int) and _same_number(other, one)


def json_text(value: Json) -> str:
    """Write `value` as JSON for people and scripts: indented, ASCII, and no `##` that a CI runner could obey."""
    return json.dumps(value, indent=2, allow_nan=False).replace("##", r"\u0023\u0023") + "\n"


def parsed(text: str) -> Json:
    """Read JSON by RFC 8259, with unique keys and finite numbers only; raises ValueError or RecursionError."""
    value: Json = json.loads(
        text, parse_constant=_no_such_number, parse_float=_finite, object_pairs_hook=_object_with_unique_keys
    )
    return value


def member(value: Json, *names: str) -> Json:
    """Give what is at a path of names in objects; None where there is nothing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


def canonical(value: Json) -> str:
    """Write `value` as the one JSON text that equal values share: sorted keys, ASCII, no spaces."""
    return _canonical(value)


def digest(value: Json) -> str:
    """Give `sha256:` and 64 hex digits over the canonical text of `value`."""
    import hashlib  # noqa: PLC0415 - OpenSSL: 6 ms that a plan without changes does not need

    return "sha256:" + hashlib.sha256(canonical(value).encode("ascii")).hexdigest()


def _no_such_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is too large")
    return number


def _object_with_unique_keys(pairs: list[tuple[str, Json]]) -> JsonObject:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in an object")
    return result
