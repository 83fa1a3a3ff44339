"""The process in which house rules are tried: documents on standard input, their problems on standard output."""

import contextlib
import json
import math
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, cast

from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from bio_sync.complaints import check_pattern
from bio_sync.houserules.process import OUT_OF_MEMORY
from bio_sync.houserules.rulesfile import DIALECT, RULE, about_rules, references, validator_class
from bio_sync.houserules.words import page_problems
from bio_sync.problems import Problem
from bio_sync.visible import shortened, visible
from bio_sync.yamltext import Document

# What Python asks the system for at once (obmalloc.c, ARENA_SIZE).
_ARENA = 2**20


def main() -> None:
    """Try the task on standard input, in the process that was made for it, and write the problems as JSON."""
    task = json.loads(sys.stdin.buffer.read())
    _limit(task["seconds"], task["memory"])
    try:
        found = _tried(_document(task["rules"]), [_document(page) for page in task["pages"]])
        if _ran_short(task["memory"]):
            sys.exit(OUT_OF_MEMORY)
        sys.stdout.write(json.dumps([asdict(problem) for problem in found]))
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)


def _limit(seconds: float, memory: int) -> None:
    """Bound memory and, should nobody be left to end this process, its time; where the system can do so."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not everywhere

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        time = math.ceil(seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (time, time))


def _ran_short(memory: int) -> bool:
    """Tell whether there was a moment without room for one more of Python's arenas, where the system knows.

    Of sixty checks that ran out of memory, Python 3.13 ended five without a MemoryError, and without a problem found.
    """
    with contextlib.suppress(OSError), open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123
        peak = re.search(r"^VmPeak:\s+([0-9]+) kB$", status.read(), re.MULTILINE)
        return peak is not None and int(peak[1]) * 1024 + _ARENA > memory
    return False


def _document(given: dict[str, Any]) -> Document:
    return Document(given["file"], given["text"], given["value"], ())


def _tried(rules: Document, pages: Sequence[Document]) -> list[Problem]:
    """Give every problem of the pages, in reading order, or what keeps the rules from being tried."""
    schema: Any = rules.value
    kind = validator_class(schema)
    try:
        kind.check_schema(schema)
        own = {"pattern": check_pattern, "properties": partial(_check_properties, kind.VALIDATORS["properties"])}
        strict: Any = extend(kind, own)  # type: ignore[no-untyped-call] # theirs
        # An empty registry: a `$ref` to elsewhere is an error, and never a request.
        validator = strict(schema, registry=Registry())
        return [problem for page in pages for problem in page_problems(page, validator)]
    except SchemaError as error:
        message = f"this is no JSON Schema: {shortened(error.message, 120)}"
        return [rules.problem(tuple(error.absolute_path), message, rule=RULE, hint=f"its dialect: {DIALECT}")]
    except Unresolvable as error:
        # Of a name (an anchor), `ref` is what it is sought in.
        sought = str(getattr(error, "anchor", error.ref))
        path = next((path for path, found in references(schema) if str(found).lstrip("#") == sought), ("$ref",))
        message = f"there is no '{shortened(sought)}' in this file"
        return [rules.problem(path, message, rule=RULE, hint=f"check the spelling of the {path[-1]}")]
    except re.error as error:
        return [about_rules(rules, f"hold a pattern that can't be used: {visible(str(error))}", hint="")]
    except RecursionError:
        return [about_rules(rules, "never come to an end", hint="a $ref leads back to itself")]


def _check_properties(usual: Any, validator: Any, rules: dict[str, Any], value: Any, schema: Any) -> Iterator[Any]:
    """Check `properties` as usual, but name the place of a key that is forbidden (`false`): jsonschema loses it."""
    for key, rule in rules.items():
        if rule is False and isinstance(value, dict) and key in value:
            yield ValidationError("", validator=cast("Any", None), path=[key], instance=value[key], schema=schema)
    yield from usual(validator, {key: rule for key, rule in rules.items() if rule is not False}, value, schema)


if __name__ == "__main__":
    main()
