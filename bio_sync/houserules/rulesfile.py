"""The file of the house rules, as far as it can be judged without trying it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from bio_sync import yamltext
from bio_sync.config import HouseRules
from bio_sync.files import PAGE_SUFFIXES, LeavesRepository, read_bytes
from bio_sync.jsonvalues import Json, JsonObject, parsed
from bio_sync.pointer import ValuePath
from bio_sync.problems import Problem
from bio_sync.visible import cause_of, shortened, visible
from bio_sync.yamlevents import MOST_LEVELS
from bio_sync.yamltext import MOST_BYTES, Document

RULE = "house-rules-file"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
# Values that stand under these are no schemas.
_NO_SCHEMAS = ("const", "enum", "default", "examples")


def read_rules(rules: HouseRules) -> Document:
    """Read the file of the house rules; what is wrong with it stands in the document's problems."""
    name, hint = visible(rules.file.name), "`schema` names a file in this repository, from the folder of bio-sync.yaml"
    try:
        data = read_bytes(rules.file, most=MOST_BYTES)
    except LeavesRepository as error:
        why = str(error)
    except OSError as error:
        why = f"the file can't be read: {cause_of(error)}"
    else:
        # Of one that is too large, YAML's reader says so.
        is_yaml = name.endswith(PAGE_SUFFIXES) or len(data) > MOST_BYTES
        document = yamltext.read(data, file=name) if is_yaml else _json(data, name)
        return document if document.problems else replace(document, problems=tuple(_reasons(document)))
    place = rules.place
    told = Problem(rules.named_in, place.line, place.column, "/schema", f"{name}: {why}", hint, "unreadable")
    return Document(name, "", None, (told,))


def _json(data: bytes, name: str) -> Document:
    line, column = 1, 1
    try:
        text = data.decode("utf-8-sig")
        return Document(name, text, parsed(text), ())
    except json.JSONDecodeError as error:
        why, line, column = error.msg, error.lineno, error.colno
    except UnicodeDecodeError:
        why = "not UTF-8"
    except RecursionError:
        why = "nested too deep"
    except ValueError as error:
        why = str(error)
    hint = "write it as JSON (RFC 8259); or as YAML, in a file whose name ends in .yaml"
    return Document(name, "", None, (Problem(name, line, column, "", f"no JSON: {visible(why)}", hint, RULE),))


def _reasons(document: Document) -> Iterator[Problem]:
    """Say why a document can't be house rules, as far as that shows without trying them."""
    schema = document.value
    if not isinstance(schema, dict):
        yield document.problem((), "house rules are a mapping", rule=RULE, hint="begin with: type: object")
        return
    if validator_class(schema) is None:
        message = f"'{shortened(str(schema['$schema']))}' is no dialect of JSON Schema that is known here"
        yield document.problem(("$schema",), message, rule=RULE, hint=f"leave it out, or write {DIALECT}")
    for path, reference in references(schema):
        if len(path) > MOST_LEVELS:
            yield document.problem(path[:1], f"more than {MOST_LEVELS} levels", rule=RULE)
            return
        if isinstance(reference, str) and not reference.startswith("#"):
            message = f"'{shortened(reference)}' is in another file, and none is ever fetched"
            hint = "put it under $defs in this file, and refer to it by #/$defs/…"
            yield document.problem(path, message, rule=RULE, hint=hint)


def validator_class(schema: JsonObject) -> Any:
    """Give jsonschema's class for the dialect of a schema; None for one that it does not know."""
    dialect, unknown = schema.get("$schema", DIALECT), cast("Any", None)
    if not isinstance(dialect, str):
        return None
    from jsonschema.validators import validator_for  # noqa: PLC0415 - 140 ms that repositories without house rules do not need

    try:
        return validator_for({"$schema": dialect}, default=unknown)
    except ValueError:
        return None


def references(schema: Json) -> Iterator[tuple[ValuePath, Json]]:
    """Give every reference with its path, and, before it is walked into, what lies too deep; never recursing."""
    ahead: list[tuple[ValuePath, Json]] = [((), schema)]
    while ahead:
        path, value = ahead.pop()
        if len(path) > MOST_LEVELS:
            yield path, None
            return
        if isinstance(value, dict):
            yield from (((*path, key), value[key]) for key in _REFERENCES if isinstance(value.get(key), str))
            ahead += [((*path, key), member) for key, member in value.items() if key not in _NO_SCHEMAS]
        elif isinstance(value, list):
            ahead += [((*path, index), item) for index, item in enumerate(value)]


def about_rules(read: Document, message: str, *, hint: str) -> Problem:
    """Make a problem of the house rules as a whole."""
    return read.problem((), f"the house rules in {read.file} {message}", rule=RULE, hint=hint)
