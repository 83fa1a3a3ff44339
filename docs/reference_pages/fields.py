"""page-file.md and configuration.md: the fields of the two files that people write, from their JSON Schemas."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from bio_sync.schemafiles import schema_text
from bio_sync.yamlpieces import keys_text
from reference_pages.by_hand import ABOUT_CONFIGURATION, about_page_files
from reference_pages.writing import MADE, anchor_of, code, codes, fenced, first_sentence, table

KINDS = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "array": "a list",
    "object": "a mapping",
}
_EXAMPLE = re.compile(r"\n\n```yaml\n(.*?)\n```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a file: the way to it (0 stands for any item of a list), and what its schema says."""

    path: tuple[str | int, ...]
    schema: Any
    required: bool

    @property
    def name(self) -> str:
        """Give the way to it in one word, such as `page_data.links[].url`."""
        return "".join("[]" if token == 0 else f".{token}" for token in self.path).lstrip(".")


def page_file() -> str:
    """Write page-file.md."""
    return _page("page", about_page_files())


def configuration() -> str:
    """Write configuration.md."""
    return _page("config", ABOUT_CONFIGURATION)


def fields_of(name: str) -> list[Field]:
    """Give the fields that a schema, `page` or `config`, knows, in its order."""
    return list(_fields(json.loads(schema_text(name)), ()))


def _page(name: str, about: str) -> str:
    schema, fields = json.loads(schema_text(name)), fields_of(name)
    rows = (
        (
            f"[{code(each.name)}](#{anchor_of(each.name)})",
            _kind(each.schema),
            "yes" if each.required else "",
            _short(each),
        )
        for each in fields
    )
    head = ("field", "value", "required", "meaning")
    sections = "".join(_section(schema, each) for each in fields)
    return f"{MADE}{about}## Fields\n\n{table(head, rows)}{sections}".rstrip() + "\n"


def _fields(schema: Any, path: tuple[str | int, ...]) -> Iterator[Field]:
    beginnings = {f"{pattern[1:]}…": own for pattern, own in schema.get("patternProperties", {}).items()}
    named = {**schema.get("properties", {}), **beginnings}
    for name, own in named.items():
        yield Field((*path, name), own, name in schema.get("required", ()))
        yield from _fields(own, (*path, name))
    items = schema.get("items", {})
    if "properties" in items:
        yield from _fields(items, (*path, 0))


def _kind(schema: Any) -> str:
    if "anyOf" in schema:
        return ", or ".join(_kind(each) for each in schema["anyOf"])
    return KINDS.get(schema.get("type", ""), "anything")


def _short(field: Field) -> str:
    return first_sentence(_EXAMPLE.sub("", field.schema["markdownDescription"]))


def _section(schema: Any, field: Field) -> str:
    facts = [_kind(field.schema).capitalize(), "required" if field.required else "may be left out"]
    rules = "".join(f"- {rule}\n" for rule in _rules(field.schema))
    words = _EXAMPLE.sub("", field.schema["markdownDescription"])
    example, others = _example(field), field.schema.get("examples", [])[1:]
    also = f"Or: {codes(others)}.\n\n" if others else ""
    text = keys_text(_in_context(schema, field.path, example))
    return (
        f"### {code(field.name)}\n\n{'; '.join(facts)}.\n\n{words}\n\n{rules}{chr(10) if rules else ''}"
        f"{fenced(text, 'yaml')}{also}"
    )


def _rules(schema: Any) -> Iterator[str]:
    """Say which values are allowed."""
    for each in schema.get("anyOf", ()):
        yield f"{each['title']}: {'; '.join(_rules(each))}"
    if "minLength" in schema:
        yield "not empty"
    if "minItems" in schema:
        yield "at least one item"
    if "minimum" in schema:
        yield f"{schema['minimum']} or more"
    meanings = schema.get("markdownEnumDescriptions", ())
    yield from (f"{code(value)}: {words}" for value, words in zip(schema.get("enum", ()), meanings, strict=True))
    if schema.get("format") == "uri":
        yield "see [links](#links)"
    elif "pattern" in schema:
        yield f"its form: {code(schema['pattern'])}"
    items = schema.get("items", {})
    if items.get("type") == "string":
        yield f"each item: {'; '.join(_rules(items))}"


def _example(field: Field) -> Any:
    """Give the value that the schema shows to people."""
    shown = _EXAMPLE.search(field.schema["markdownDescription"])
    return yaml.safe_load(shown[1])[field.path[-1]] if shown else field.schema["examples"][0]


def _in_context(schema: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Put a value where it belongs in a file, with what has to stand beside it in a list."""
    if not path:
        return value
    token, *rest = path
    if token == 0:
        item = schema["items"]
        beside = {name: item["properties"][name]["examples"][0] for name in item.get("required", ())}
        return [beside | _in_context(item, tuple(rest), value)]
    name = str(token)
    own = schema.get("properties", {}).get(name, {})
    return {name.replace("…", "owner"): _in_context(own, tuple(rest), value)}
