import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry

from bio_sync.answers import PAGE_ID
from bio_sync.schemafiles import SCHEMAS, schema_text, shipped
from tests.conftest import ROOT, Run

# JSON Schema draft-07 (Core and Validation), and markdownDescription, which editors show.
DRAFT_07 = {
    "$schema", "$id", "$ref", "$comment", "title", "description", "default", "readOnly", "writeOnly", "examples",
    "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "pattern",
    "additionalItems", "items", "maxItems", "minItems", "uniqueItems", "contains", "maxProperties", "minProperties",
    "required", "additionalProperties", "definitions", "properties", "patternProperties", "dependencies",
    "propertyNames", "const", "enum", "type", "format", "contentMediaType", "contentEncoding", "if", "then", "else",
    "allOf", "anyOf", "oneOf", "not", "markdownDescription",
}  # fmt: skip
NAMED = ("properties", "patternProperties", "definitions")
WRITTEN_BY_HAND = ("page", "config")


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(schema_text(name))
    return loaded


def parts(value: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(value, dict):
        return
    yield path, value
    for keyword in NAMED:
        for name, part in value.get(keyword, {}).items():
            yield from parts(part, f"{path}/{keyword}/{name}")
    for keyword in ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"):
        yield from parts(value.get(keyword), f"{path}/{keyword}")
    for keyword in ("allOf", "anyOf", "oneOf"):
        for index, part in enumerate(value.get(keyword, [])):
            yield from parts(part, f"{path}/{keyword}/{index}")


def members(name: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (path, part) for path, part in parts(schema(name)) if path.split("/")[-2:-1] and path.split("/")[-2] in NAMED
    ]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_by_the_rules_of_draft_07(name: str) -> None:
    assert schema(name)["$schema"] == "http://json-schema.org/draft-07/schema#"
    Draft7Validator.check_schema(schema(name))


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_named_by_an_absolute_address_of_its_own(name: str) -> None:
    assert schema(name)["$id"].startswith("https://")
    assert schema(name)["$id"].endswith(f"/schemas/{name}.schema.json")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_says_what_it_describes(name: str) -> None:
    assert schema(name)["title"]
    assert schema(name)["description"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_keyword_is_one_that_editors_know(name: str) -> None:
    assert {path: set(part) - DRAFT_07 for path, part in parts(schema(name)) if set(part) - DRAFT_07} == {}


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_reference_stays_in_its_file(name: str) -> None:
    assert all(
        part.get("$ref", "#/").startswith("#/definitions/") or "$ref" not in part for _, part in parts(schema(name))
    )


@pytest.mark.parametrize("name", WRITTEN_BY_HAND)
@pytest.mark.parametrize("keyword", ["description", "markdownDescription", "examples"])
def test_every_key_that_people_write_is_explained_where_they_write_it(name: str, keyword: str) -> None:
    assert members(name)
    assert [path for path, part in members(name) if not part.get(keyword)] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_example_in_a_schema_keeps_its_rules(name: str) -> None:
    whole = schema(name)
    for path, part in parts(whole):
        for example in part.get("examples", []):
            rules = {**part, "definitions": whole.get("definitions", {})}
            errors = [error.message for error in Draft7Validator(rules, registry=Registry()).iter_errors(example)]
            assert errors == [], path


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_command_prints_the_schema_that_the_tool_obeys(name: str, run: Run) -> None:
    assert json.loads(run("schema", name).out) == schema(name)


def test_an_editor_in_this_checkout_finds_the_schema_that_the_examples_name() -> None:
    for page in sorted((ROOT / "examples" / "pages").glob("*.yaml")):
        first = page.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert (page.parent / first.partition("=")[2]).resolve() == Path(
            ROOT / "schemas" / "page.schema.json"
        ).resolve()


def test_schemas_and_examples_ship() -> None:
    assert sorted(path.name for path in shipped("schemas").glob("*.json")) == sorted(
        f"{name}.schema.json" for name in SCHEMAS
    )
    assert list(shipped("examples").rglob("*.yaml"))


def test_the_schemas_and_the_client_know_one_form_of_an_id() -> None:
    page, plan = (json.loads(schema_text(name)) for name in ("page", "plan"))
    forms = {
        page["properties"]["id"]["pattern"],
        plan["definitions"]["change"]["properties"]["page_id"]["pattern"],
        plan["definitions"]["pageFile"]["properties"]["page_id"]["pattern"],
    }
    assert forms == {f"^{PAGE_ID.pattern}$"}
