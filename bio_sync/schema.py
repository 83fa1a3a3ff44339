"""Whether a value is as its JSON Schema wants it: a quick yes for what is, and `complaints` for what is not."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from bio_sync import timetable
from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.links import runs_script, why_not_a_link
from bio_sync.problems import Problem
from bio_sync.schemafiles import schema_text
from bio_sync.yamltext import Document

# What is wrong with the file of a page that is not made yet.
NO_ID = "the page has no 'id'"
# Words of a schema for people, where they are no names of properties.
_SAID = frozenset(("title", "description", "markdownDescription", "errorMessage", "patternErrorMessage"))


def page_problems(document: Document) -> list[Problem]:
    """Give every problem of a page document, in reading order."""
    if document.value is None:
        return [document.problem((), "the file is empty", rule="wrong-type", hint="a page has at least an `id`")]
    if _is_good_page(document.value):
        return []
    from bio_sync.complaints import page_complaints  # noqa: PLC0415 - jsonschema: 140 ms that good files do not need

    return page_complaints(document)


def config_problems(document: Document) -> list[Problem]:
    """Give every problem of a `bio-sync.yaml`, in reading order."""
    if accepts("config", document.value):
        return []
    from bio_sync.complaints import config_complaints  # noqa: PLC0415 - as above

    return config_complaints(document)


def plan_complaint(value: Json) -> str | None:
    """Say in a few words why a JSON value is no saved plan; None when it is one."""
    if accepts("plan", value):
        return None
    from bio_sync import complaints  # noqa: PLC0415 - as above

    return complaints.plan_complaint(value)


def accepts(schema: str, value: Json) -> bool:
    """Tell whether a value is as a schema (one of `schemafiles.SCHEMAS`) wants it, links included.

    Of a yes jsonschema has no complaint; a no is for jsonschema to judge.
    """
    from fastjsonschema import JsonSchemaValueException  # noqa: PLC0415 - 10 ms that `--help` does not need

    try:
        _acceptor(schema)(value)
    except JsonSchemaValueException:
        return False
    return True


@cache
def _acceptor(schema: str) -> Callable[[Json], object]:
    import fastjsonschema  # noqa: PLC0415 - as above

    compiled: Callable[[Json], object] = fastjsonschema.compile(
        _rules_only(json.loads(schema_text(schema))),
        formats={"uri": lambda text: why_not_a_link(text) is None},
        use_default=False,
        detailed_exceptions=False,
    )
    return compiled


def _rules_only(schema: Any) -> Any:
    """Give a schema without what is said to people, and `const` as an `enum` of one.

    The first saves half of the time to compile it; without the other, fastjsonschema 2.22 can't compile it with
    `detailed_exceptions=False`, which saves two thirds.
    """
    if isinstance(schema, list):
        return [_rules_only(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    rules = {key: _rules_only(value) for key, value in schema.items() if not (key in _SAID and isinstance(value, str))}
    if not isinstance(schema.get("const", {}), dict):
        rules["enum"] = [rules.pop("const")]
    return rules


def _is_good_page(value: Json) -> bool:
    if not isinstance(value, dict) or not _is_ordinary(value.get("page_data")) or not accepts("page", value):
        return False
    return not timetable.has_moments(value) or next(timetable.complaints(value), None) is None


def _is_ordinary(value: Json) -> bool:
    """Tell whether page data holds nothing that a browser would run."""
    if not isinstance(value, dict | list):
        return True
    for member in value.values() if isinstance(value, dict) else value:
        kind = type(member)
        if kind is str:
            if ":" in member and runs_script(member):  # type: ignore[operator, arg-type] # a str
                return False
        elif (kind is dict or kind is list) and not _is_ordinary(member):
            return False
    return True


def as_object(value: Json) -> JsonObject:
    """Give `value`, which a schema has found to be a mapping."""
    if not isinstance(value, dict):
        raise TypeError("the schema has not been asked")
    return value
