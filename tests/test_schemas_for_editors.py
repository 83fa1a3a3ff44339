import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from referencing import Registry

from bio_sync.answers import PAGE_ID
from bio_sync.schemafiles import SCHEMAS, schema_text, shipped
from tests.conftest import ROOT, Run
from tests.schemas import check_jsonschema

# JSON Schema draft-07 (Core and Validation).
DRAFT_07 = {
    "$schema", "$id", "$ref", "$comment", "title", "description", "default", "readOnly", "writeOnly", "examples",
    "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "pattern",
    "additionalItems", "items", "maxItems", "minItems", "uniqueItems", "contains", "maxProperties", "minProperties",
    "required", "additionalProperties", "definitions", "properties", "patternProperties", "dependencies",
    "propertyNames", "const", "enum", "type", "format", "contentMediaType", "contentEncoding", "if", "then", "else",
    "allOf", "anyOf", "oneOf", "not",
}  # fmt: skip
# What yaml-language-server reads besides, and every validator passes over: hover texts, what is put in, other words.
FOR_EDITORS = {
    "markdownDescription", "markdownEnumDescriptions", "defaultSnippets", "errorMessage", "patternErrorMessage",
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
    known = DRAFT_07 | FOR_EDITORS
    assert {path: set(part) - known for path, part in parts(schema(name)) if set(part) - known} == {}


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_reference_stays_in_its_file(name: str) -> None:
    assert all(
        part.get("$ref", "#/").startswith("#/definitions/") or "$ref" not in part for _, part in parts(schema(name))
    )


def is_collection(part: dict[str, Any]) -> bool:
    return part.get("type") in {"array", "object"}


@pytest.mark.parametrize("name", WRITTEN_BY_HAND)
@pytest.mark.parametrize("keyword", ["description", "markdownDescription"])
def test_every_key_that_people_write_is_explained_where_they_write_it(name: str, keyword: str) -> None:
    assert members(name)
    assert [path for path, part in members(name) if not part.get(keyword)] == []


@pytest.mark.parametrize("name", WRITTEN_BY_HAND)
def test_every_value_that_people_write_has_an_example(name: str) -> None:
    single = [(path, part) for path, part in members(name) if not is_collection(part)]
    assert single
    assert [path for path, part in single if not part.get("examples")] == []


@pytest.mark.parametrize("name", WRITTEN_BY_HAND)
def test_lists_and_mappings_show_lines_to_copy_and_those_keep_the_rules(name: str) -> None:
    # As `examples` an editor would offer them by the name "[object Object]".
    collections = [(path, part) for path, part in members(name) if is_collection(part)]
    assert collections
    for path, part in collections:
        assert "examples" not in part, path
        shown = re.search(r"```yaml\n(.*)\n```", part["markdownDescription"], re.DOTALL)
        assert shown, path
        key = path.split("/")[-1]
        assert rule_breaks(yaml.safe_load(shown[1])[key], part) == [], path


def rule_breaks(value: Any, rules: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft7Validator(rules, registry=Registry()).iter_errors(value)]


def as_put_in(body: Any) -> Any:
    """Give what a snippet puts in, read as YAML, when nothing of it is typed over."""
    if isinstance(body, dict):
        return {key: as_put_in(value) for key, value in body.items()}
    if isinstance(body, list):
        return [as_put_in(item) for item in body]
    assert isinstance(body, str)
    # ${1:a text}, and ${1|one,of,these|}; a ^ in front keeps true and false from being quoted.
    return yaml.safe_load(re.sub(r"\$\{\d+(?::([^}]*)|\|([^,|]*)[^}]*)\}", r"\1\2", body.removeprefix("^")))


@pytest.mark.parametrize("name", WRITTEN_BY_HAND)
def test_what_a_snippet_puts_in_keeps_the_rules_but_for_the_id_that_create_adds(name: str) -> None:
    snippets = [(part, each) for _, part in parts(schema(name)) for each in part.get("defaultSnippets", [])]
    assert snippets
    for part, snippet in snippets:
        assert snippet["label"]
        assert snippet["markdownDescription"]
        value = as_put_in(snippet["body"])
        whole = {"id": "bio_abc123", **value} if "id" in part.get("properties", {}) else value
        # In a list, the language server puts the dash before.
        assert rule_breaks([whole] if part["type"] == "array" else whole, part) == [], snippet["label"]


@pytest.mark.parametrize("name", WRITTEN_BY_HAND)
def test_no_editor_has_to_show_a_regular_expression_or_the_name_of_a_type(name: str) -> None:
    words = {"pattern": {"patternErrorMessage", "errorMessage"}, "type": {"errorMessage"}}
    for path, part in parts(schema(name)):
        # Where only known keys may stand, the same words would be shown for an unknown one.
        if "additionalProperties" not in part:
            assert [keyword for keyword in words if keyword in part and not words[keyword] & set(part)] == [], path


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


def test_the_schemas_are_written_into_a_new_folder_and_renewed_in_one_that_is_there(run: Run, folder: Path) -> None:
    assert run("schema", "--write", "deep/schemas").code == 0
    old = folder / "deep" / "schemas" / "page.schema.json"
    old.write_text("{}")
    done = run("schema", "--write", "deep/schemas")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [f"deep/schemas/{name}.schema.json" for name in SCHEMAS]
    assert json.loads(old.read_text()) == schema("page")
    assert run("schema", "page", "--write", "one").out == "one/page.schema.json\n"
    assert [path.name for path in (folder / "one").iterdir()] == ["page.schema.json"]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("a file", "the folder a file can't be made: File exists\nhint: name another one: --write DIR"),
        (
            "a file/schemas",
            "the folder a file/schemas can't be made: Not a directory\nhint: name another one: --write DIR",
        ),
        ("taken", "taken/page.schema.json can't be written: Is a directory\nhint: check the folder and the disk"),
        ("a file/\x1b[2J", "the folder a file/\\x1b[2J can't be made: Not a directory\n"),
    ],
)
def test_schemas_that_can_not_be_written_are_told_with_a_way_out(run: Run, folder: Path, where: str, said: str) -> None:
    (folder / "a file").write_text("mine")
    (folder / "taken" / "page.schema.json").mkdir(parents=True)
    done = run("schema", "page", "--write", where)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"error: {said}")
    assert (folder / "a file").read_text() == "mine"


def test_an_editor_in_this_checkout_finds_the_schema_that_the_examples_name() -> None:
    for page in sorted((ROOT / "examples" / "pages").glob("*.yaml")):
        first = page.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert (page.parent / first.partition("=")[2]).resolve() == Path(
            ROOT / "schemas" / "page.schema.json"
        ).resolve()


def test_who_can_not_install_the_tool_checks_pages_with_check_jsonschema() -> None:
    pages = map(str, (ROOT / "examples" / "pages").glob("*.yaml"))
    schema = ("--schemafile", str(ROOT / "schemas" / "page.schema.json"))
    assert check_jsonschema(*schema, *pages) == (0, "ok -- validation done\n")
    code, said = check_jsonschema(*schema, str(ROOT / "examples" / "drafts" / "shop.yaml"))
    assert code == 1
    assert "$.page_data.links[0].url: 'ftp://shop.example.com' does not match" in said
    assert "'titel' does not match" in said


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
