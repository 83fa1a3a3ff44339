"""What the house rules find, in the words of somebody who writes pages."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from jsonschema.exceptions import ValidationError, best_match

from bio_sync.complaints import KINDS, as_checked, did_you_mean, missing_keys, wrong_type
from bio_sync.jsonvalues import Json
from bio_sync.pointer import ValuePath
from bio_sync.problems import Problem
from bio_sync.visible import plural, shortened
from bio_sync.yamltext import Document

RULE = "house-rule"
# What is counted, and how a bound on it is said.
_SIZES = {
    "minLength": ("character", "at least"),
    "maxLength": ("character", "at most"),
    "minItems": ("item", "at least"),
    "maxItems": ("item", "at most"),
    "minProperties": ("key", "at least"),
    "maxProperties": ("key", "at most"),
}
_LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
}


def page_problems(page: Document, validator: Any) -> list[Problem]:
    """Give every problem that a validator of jsonschema's finds in a page, in reading order."""
    return sorted(set(_told(page, validator)))


def _told(page: Document, validator: Any) -> Iterator[Problem]:
    for error in validator.iter_errors(as_checked(page.value)):
        for problem, said in _worded(page, error):
            # The words of the whole schema are a headline, and no reason for any rule of it.
            reasons = [_description(each) for each in (said, error.schema) if each is not validator.schema]
            reason = next(filter(None, reasons), "")
            hint = f"house rule: {reason}" if reason else problem.hint
            yield replace(problem, rule=RULE, message=shortened(problem.message, 300), hint=shortened(hint, 300))


def _description(schema: Any) -> str:
    said = (schema.get("description"), schema.get("title")) if isinstance(schema, dict) else ()
    return next((text for text in said if isinstance(text, str) and text.strip()), "")


def _worded(page: Document, error: ValidationError) -> Iterator[tuple[Problem, Any]]:
    """Give the problems that an error stands for, each with the part of the schema that may say why."""
    path: ValuePath = tuple(error.absolute_path)
    value: Any = error.instance
    limit: Any = error.validator_value
    schema: Any = error.schema
    keyword: Any = error.validator
    match keyword:
        case _ if "propertyNames" in error.absolute_schema_path:
            message = f"the key {_shown(value)} is not allowed here"
            yield page.problem((*path, str(value)), message, rule=RULE, of_key=True), schema
        case "required" if isinstance(limit, list):
            missing = [key for key in limit if key not in value]
            for key, problem in zip(missing, missing_keys(page, path, error), strict=True):
                yield problem, schema.get("properties", {}).get(key)
        case "additionalProperties" if limit is False:
            known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
            for key in value:
                if key not in known and not any(re.search(pattern, key) for pattern in patterns):
                    message = f"the key '{shortened(key)}' is not allowed here"
                    hint = _meant(key, list(known))
                    yield page.problem((*path, key), message, rule=RULE, hint=hint, of_key=True), schema
        case None:
            yield page.problem(path, f"{_name(path)} is not allowed", rule=RULE, of_key=True), schema
        case _:
            message, hint = _words(page, path, error)
            yield page.problem(path, message, rule=RULE, hint=hint), schema


def _words(page: Document, path: ValuePath, error: ValidationError) -> tuple[str, str]:
    """Give the message and the hint of one error."""
    value: Any = error.instance
    limit: Any = error.validator_value
    name, keyword = _name(path), str(error.validator)
    match keyword:
        case "type" if isinstance(limit, str):
            _, message, hint = wrong_type(page, path, value, limit)
            return message, hint
        case "type":
            return f"{name} has to be {' or '.join(KINDS.get(str(kind), str(kind)) for kind in limit)}", ""
        case "enum":
            return f"{name} can't be {_shown(value)}", _meant(value, limit)
        case "const":
            return f"{name} has to be {_shown(limit)}, and is {_shown(value)}", ""
        case "pattern":
            return f"{_shown(value)} is not of the form that the house rules want", f"it has to match {limit}"
        case "uniqueItems":
            return f"{name} holds the same item twice", ""
        case "anyOf" | "oneOf" if error.context:
            closest = best_match(error.context)
            return f"{name} is nothing that the house rules allow", f"closest: {closest.message}" if closest else ""
        case _:
            return _bound(keyword, name, value, limit) or f"{name}: {error.message}", ""


def _bound(keyword: str, name: str, value: Any, limit: Any) -> str:
    """Say which bound a value is over; empty when that is not what is wrong."""
    if keyword in _SIZES:
        noun, bound = _SIZES[keyword]
        return f"{name} has {plural(len(value), noun)}, and has to have {bound} {limit:,}"
    return f"{name} is {value}, and has to be {_LIMITS[keyword]} {limit}" if keyword in _LIMITS else ""


def _name(path: ValuePath) -> str:
    if not path:
        return "the page"
    if isinstance(path[-1], int):
        return f"item {path[-1] + 1} of '{path[-2]}'" if path[:-1] else f"item {path[-1] + 1}"
    return f"'{path[-1]}'"


def _shown(value: Json) -> str:
    return f"'{shortened(value)}'" if isinstance(value, str) else shortened(json.dumps(value))


def _meant(value: Json, known: Sequence[Json]) -> str:
    """Say which of the known values somebody may have meant, or else all of them."""
    return did_you_mean(value, known) or (f"allowed: {', '.join(map(str, known))}" if known else "")
