"""What is wrong with a value by its JSON Schema, in the words of somebody who writes pages, with the places.

Loading jsonschema takes longer than reading a hundred pages: `schema` comes here only when something is wrong.
"""

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from jsonschema import Draft7Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from bio_sync import shell, timetable
from bio_sync.jsonvalues import AUTHOR_PREFIX, Json
from bio_sync.links import LINK_HINT, runs_script, why_not_a_link, why_not_an_image
from bio_sync.pointer import ValuePath
from bio_sync.problems import Problem
from bio_sync.schemafiles import schema_text
from bio_sync.visible import shortened
from bio_sync.yamltext import Document

KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping (lines of `key: value`)",
    "null": "nothing",
}
_PYTHON_TYPES: tuple[tuple[str, Any], ...] = (
    ("boolean", bool),
    ("number", (int, float)),
    ("string", str),
    ("array", list),
    ("object", dict),
)
_ADDRESS_OR_KEY = re.compile("(?i)url|uri|key|token|secret|password|address|endpoint|host|server")
_COPY_HINT = "copy the address from the browser while it shows the site that you mean"
_HINTS_BY_KIND = {
    "boolean": "write true or false, without quotes",
    "array": "begin each item on a line of its own with a dash and a space: `- …`",
    "object": "write lines of `key: value` under it, indented",
}
# What a pattern stands for, by the key that has it: the message's end and the hint.
PATTERNS = {
    "id": ("is not the id of a page", "copy the id from the service; it looks like bio_abc123"),
    "ignore": (
        "is not a JSON Pointer into a page",
        "a pointer begins with a field of the page, such as /page_data/experiments or /title",
    ),
    **dict.fromkeys(timetable.KEYS, ("is not a moment", timetable.MOMENT_HINT)),
}


def page_complaints(document: Document) -> list[Problem]:
    """Give every problem of a page document, in reading order."""
    value = as_checked(document.value)
    problems = list(_problems(document, value, "page"))
    if isinstance(value, dict):
        problems.extend(_script_problems(document, value.get("page_data"), ("page_data",)))
        # After those of the schema: of two about the same moment the more exact one is kept.
        for path, message, hint in timetable.complaints(value):
            problems.append(document.problem(path, message, rule="wrong-form", hint=hint))
    return _one_a_place(problems)


def config_complaints(document: Document) -> list[Problem]:
    """Give every problem of a `bio-sync.yaml`, in reading order."""
    return _one_a_place(list(_problems(document, document.value, "config")))


def plan_complaint(value: Json) -> str | None:
    """Say in a few words why a JSON value is no saved plan; None when it is one."""
    error = next(_validator("plan").iter_errors(value), None)
    if error is None:
        return None
    return f"{error.json_path.removeprefix('$').removeprefix('.') or 'it'}: {shortened(error.message, 120)}"


def as_checked(value: Json) -> Json:
    """Give a page document as a schema has to see it: a null in page data means that the key is left out."""
    if isinstance(value, dict) and "page_data" in value:
        return {**value, "page_data": _without_nulls(value["page_data"])}
    return value


@cache
def _validator(name: str) -> Any:
    checker = FormatChecker(formats=())
    checker.checks("uri", raises=ValueError)(_check_link)
    strict = extend(Draft7Validator, {"pattern": check_pattern})  # type: ignore[no-untyped-call] # theirs
    # An empty registry: a `$ref` to elsewhere is an error, and never a request.
    return strict(json.loads(schema_text(name)), registry=Registry(), format_checker=checker)


def _check_link(value: object) -> bool:
    reason = why_not_a_link(value) if isinstance(value, str) else None
    if reason:
        raise ValueError(reason)
    return True


def check_pattern(_: Any, pattern: str, value: object, __: Any) -> Iterator[ValidationError]:
    """Check a `pattern` as JSON Schema means it; takes the place of jsonschema's own."""
    if isinstance(value, str) and not _compiled(pattern).search(value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # Python's $ lets a line end follow, that of JSON Schema (ECMA 262) does not: "bio_abc123\n" is no id.
    return re.compile(re.sub(r"(\\.|\[(?:\\.|[^\]\\])*\])|\$", lambda found: found.group(1) or r"\Z", pattern))


def _problems(document: Document, value: Json, schema: str) -> Iterator[Problem]:
    for error in _validator(schema).iter_errors(value):
        path: ValuePath = tuple(error.absolute_path)
        match error.validator:
            case "required":
                yield from missing_keys(document, path, error)
            case "additionalProperties":
                yield from _unknown_keys(document, path, error, schema)
            case _:
                rule, message, hint = _words(document, path, error)
                hint = "write lines such as `pages: [pages]`" if schema == "config" and not path else hint
                yield document.problem(path, message, rule=rule, hint=hint)


def missing_keys(document: Document, path: ValuePath, error: ValidationError) -> Iterator[Problem]:
    """Give a problem for each key that an error of `required` is about."""
    keys: Any = error.validator_value
    present: Any = error.instance
    schema: Any = error.schema
    rules = schema.get("properties", {})
    for key in keys:
        if key not in present:
            owner = "the page" if not path else "the link" if path[-2:-1] == ("links",) else f"'{path[-1]}'"
            typed = difflib.get_close_matches(key, [name for name in present if name not in rules], n=1)
            hint = f"did you mean '{key}' where it says '{shortened(typed[0])}'?" if typed else f"add a line `{key}: …`"
            if not path and key == "id":
                made = shell.typed("create", shell.path_word(document.file))
                hint = f"add `id: …` with the live page's id; or, for a new page: {made}"
            yield document.problem(path, f"{owner} has no '{key}'", rule="missing-key", hint=hint)


def _unknown_keys(document: Document, path: ValuePath, error: ValidationError, schema: str) -> Iterator[Problem]:
    rules: Any = error.schema
    patterns = [_compiled(pattern) for pattern in rules.get("patternProperties", {})]
    present: Any = error.instance
    for key in present:
        if key in rules["properties"] or any(pattern.search(key) for pattern in patterns):
            continue
        hint = _hint_for_unknown(key, rules, schema)
        message = f"the key '{shortened(key)}' is not known here"
        yield document.problem((*path, key), message, rule="unknown-key", hint=hint, of_key=True)


def _hint_for_unknown(key: str, rules: Any, schema: str) -> str:
    known = sorted(rules["properties"])
    if meant := did_you_mean(key, known):
        return meant
    if owner := next((name for name in known if key in rules["properties"][name].get("properties", {})), None):
        return f"it belongs under '{owner}', indented"
    if schema == "config" and _ADDRESS_OR_KEY.search(key):
        return "the service's address and key come from the environment only: XQR_API_URL and XQR_API_KEY"
    own = f"; a note of your own begins with {AUTHOR_PREFIX}" if "patternProperties" in rules else ""
    return f"known here: {', '.join(known)}{own}"


def did_you_mean(value: Json, known: Sequence[Json]) -> str:
    """Ask whether the known value was meant that is closest to another one; empty when none is close."""
    close = difflib.get_close_matches(str(value).lower(), list(map(str, known)), n=1)
    return f"did you mean '{close[0]}'?" if close else ""


def _words(document: Document, path: ValuePath, error: ValidationError) -> tuple[str, str, str]:
    """Give the rule, the message and the hint of one error."""
    value: Any = error.instance
    limit: Any = error.validator_value
    shown = f"'{shortened(value)}'" if isinstance(value, str) else f"'{_name(path)}'"
    match error.validator:
        case "type":
            return wrong_type(document, path, value, limit)
        case "enum":
            hint = did_you_mean(value, limit) or f"one of: {', '.join(map(str, limit))}"
            return "unknown-value", f"{shown} is not a {_name(path)} that the service knows", hint
        case "pattern" | "format" if _name(path) in {"url", "avatar_url"}:
            reason = why_not_an_image(value) if _name(path) == "avatar_url" else why_not_a_link(value)
            hint = LINK_HINT if _name(path) == "url" else "a picture's address begins with https://"
            hint = _COPY_HINT if value[:4].lower() == "http" else hint
            # A host as people say it: www.acme.com, acme.com/shop.
            if (
                _name(path) == "url"
                and re.match(r"[\w-]+(\.[\w-]+)+(/|$)", value)
                and why_not_a_link(f"https://{value}") is None
            ):
                hint = f"write https://{shortened(value)}"
            return "not-a-link", f"{shown} {reason}", hint
        case "pattern" if _name(path) in PATTERNS:
            message, hint = PATTERNS[_name(path)]
            return "wrong-form", f"{shown} {message}", hint
        case "minLength" | "minItems":
            return "empty", f"'{_name(path)}' is empty", "write something, or leave the line out"
        case "anyOf" if _name(path) == "max_changes":
            hint = "write a number such as 10, or a share such as 30%"
            return "wrong-form", f"{shown} is no number of pages", hint
        case "minimum":
            return "wrong-form", f"'{_name(path)}' is less than {limit}", f"write {limit} or more"
        case _:
            return "wrong-form", f"'{_name(path)}': {shortened(error.message, 120)}", ""


def wrong_type(document: Document, path: ValuePath, value: Json, wanted: Any) -> tuple[str, str, str]:
    """Give the rule, the message and the hint of a value that is not of the type `wanted`."""
    kind = KINDS.get(wanted, str(wanted))
    if not path:
        return "wrong-type", f"the file has to be {kind}", "write lines such as `id: bio_abc123`"
    name = f"item {path[-1] + 1} of '{_name(path)}'" if isinstance(path[-1], int) else f"'{path[-1]}'"
    if value is None:
        return "wrong-type", f"{name} has no value", f"write {kind}, or leave the line out"
    found = next(KINDS[name] for name, types in _PYTHON_TYPES if isinstance(value, types))
    shown = f": '{shortened(value, 24)}'" if isinstance(value, str) else ""
    hint = _HINTS_BY_KIND.get(wanted, "")
    if wanted == "string" and isinstance(value, bool | int | float):
        key = f"{path[-1]}: " if isinstance(path[-1], str) else ""
        hint = f'put it in quotes: {key}"{_as_written(document, path)}"'
    return "wrong-type", f"{name} has to be {kind}, and is {found}{shown}", hint


def _as_written(document: Document, path: ValuePath) -> str:
    """Give a plain value as it stands in the file: `1.10` and `007` would read back as other numbers."""
    place = document.place(path)
    rest = document.text.split("\n")[place.line - 1][place.column - 1 :]
    return shortened(re.split(r"\s#|[,\]}]+(?:\s|$)", rest)[0].strip(), 24)


def _script_problems(document: Document, value: Json, path: ValuePath) -> Iterator[Problem]:
    """Find text anywhere in page data that a browser would run if it were used as an address."""
    if isinstance(value, dict):
        for key, member in value.items():
            shown_only = key == "label" and path[:-1] == ("page_data", "links")
            if not key.startswith(AUTHOR_PREFIX) and not shown_only:
                yield from _script_problems(document, member, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _script_problems(document, item, (*path, index))
    elif isinstance(value, str) and ":" in value and runs_script(value):
        message = f"'{shortened(value)}' is what a browser would take for code"
        hint = LINK_HINT if path[-1] == "url" else "if it is meant as text, put a word before it"
        yield document.problem(path, message, rule="not-a-link", hint=hint)


def _name(path: ValuePath) -> str:
    return next((token for token in reversed(path) if isinstance(token, str)), "the file")


def _without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _one_a_place(problems: list[Problem]) -> list[Problem]:
    """Keep one problem a value and rule, in reading order: a wrong address fails its pattern and its form."""
    kept = {
        (problem.pointer, problem.rule, problem.message if problem.rule == "missing-key" else ""): problem
        for problem in problems
    }
    return sorted(kept.values())
