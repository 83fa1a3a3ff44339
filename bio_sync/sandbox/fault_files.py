"""Fault files: the faults of a sandbox and the seed of their dice, read strictly from JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from bio_sync.sandbox.fault_rules import did_you_mean
from bio_sync.sandbox.faults import Fault
from bio_sync.sandbox.strict_json import read_file

if TYPE_CHECKING:
    from pathlib import Path

_TYPES: dict[str, tuple[type, ...]] = {
    "status": (int, type(None)),
    "code": (str, type(None)),
    "message": (str,),
    "headers": (dict,),
    "method": (str, type(None)),
    "path": (str, type(None)),
    "times": (int, type(None)),
    "after": (bool,),
    "delay": (int, float),
    "body": (str, type(None)),
    "wire": (str, type(None)),
    "skip": (int,),
    "probability": (int, float, type(None)),
    "late": (int, float, type(None)),
    "edits": (dict,),
}
_NAMES = {dict: "an object", str: "a string", bool: "true or false", int: "a whole number", float: "a number"}
_NAMES[type(None)] = "null"
_AROUND = ("faults", "seed")


class FaultFile(NamedTuple):
    """What a file of faults says: `Sandbox(faults=found.faults, fault_seed=found.seed)`."""

    faults: list[Fault]
    seed: int


def load_faults(path: Path) -> FaultFile:
    """Return the faults in a JSON file: one object, a list, or `{"seed": 7, "faults": [...]}`.

    The members of a fault are those of Fault, with the same defaults; the seed is 0 when there is none.

    Raises:
        ValueError: the file is not JSON, or holds something else than faults; the message names the
            file, the place of the fault in the list, and the member.
        OSError: the file can not be read.
    """
    content = read_file(path)
    try:
        return _faults_of(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _faults_of(content: object) -> FaultFile:
    seed = 0
    found = content if isinstance(content, list) else [content]
    if isinstance(content, dict) and content.keys() & set(_AROUND):
        _check_names(content, _AROUND, "the file has")
        seed, found = content.get("seed", 0), content.get("faults", [])
        if type(seed) is not int:
            raise ValueError(f"seed: must be a whole number, not {json.dumps(seed):.60}")
        if not isinstance(found, list):
            raise ValueError("faults: must be a list of faults")
    faults = []
    for number, members in enumerate(found, 1):
        try:
            faults.append(_fault_of(members))
        except ValueError as error:
            raise ValueError(f"fault {number}: {error}") from None
    return FaultFile(faults, seed)


def _fault_of(members: object) -> Fault:
    if not isinstance(members, dict):
        raise ValueError(f"must be an object, not {json.dumps(members):.60}")  # noqa: TRY004 -- the file is wrong, not its type
    _check_names(members, _TYPES, "a fault has")
    for name, value in members.items():
        _check_type(name, value, _TYPES[name])
    for name, value in members.get("headers", {}).items():
        _check_type(f"headers: {name:.60}", value, (str,))
    for page_id, value in members.get("edits", {}).items():
        _check_type(f"edits: {page_id:.60}", value, (dict,))
    return Fault(**members)


def _check_names(members: dict[str, Any], known: Any, whose: str) -> None:
    for name in members:
        if name not in known:
            raise ValueError(f"{whose} no member {name!r:.60}{did_you_mean(name, [*known, *_AROUND])}")


def _check_type(name: str, value: object, types: tuple[type, ...]) -> None:
    # By exact type: bool is an int to isinstance, and `status: true` is a mistake.
    if type(value) not in types:
        wanted = " or ".join(_NAMES[each] for each in types if not (each is int and float in types))
        raise ValueError(f"{name}: must be {wanted}, not {json.dumps(value):.60}")
