"""plan.md: the members of a plan's JSON, from its schema, and a whole one."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bio_sync.schemafiles import schema_text
from reference_pages.stage import example_repository, typed
from reference_pages.writing import MADE, anchor_of, code, codes, fenced, marked_up, table

ABOUT = """# The plan as JSON

`bio-sync plan --format json` prints it, `--out plan.json` saves it; `show` and `apply --plan` read it, and
[`drift --format json`](json.md#drift) has the same form. Its JSON Schema is printed by `bio-sync schema plan`.

- `format_version` is `MAJOR.MINOR`: [what may change without a new one](json.md#format_version).
- `digest` is what `apply --plan` goes by: the plan made afresh has to have the same. It is made of the pages, whether
  the public sees them, and what would be written over what; not of times, counts, file names and warnings.
- `operations` are for readers, `patch` is what is sent. One follows from the other; a file where it does not is
  refused.
- A plan that could not be made is [an error](json.md#errors) in its place, with `error` and `exit_code`.

"""
_JSON_KINDS = {"string": "string", "integer": "number", "boolean": "boolean", "object": "object", "array": "list"}


def plan_page() -> str:
    """Write plan.md."""
    schema = json.loads(schema_text("plan"))
    objects = list(_objects(schema))
    anchors = {id(part): anchor_of(title) for title, part in objects}
    sections = "".join(f"## {title}\n\n{_members(schema, part, anchors)}" for title, part in objects)
    with example_repository():
        example = typed("plan", "pages/acme.yaml", "--format", "json").out
    shown = f"## An example\n\nThat of `bio-sync plan pages/acme.yaml --format json`:\n\n{fenced(example, 'json')}"
    return f"{MADE}{ABOUT}{sections}{shown}".rstrip() + "\n"


def _objects(schema: Any) -> Iterator[tuple[str, Any]]:
    """Give each kind of object that a plan is made of once, with the places where it stands."""
    places: dict[int, tuple[list[str], Any]] = {}
    for place, part in _places(schema, schema, ""):
        places.setdefault(id(part), ([], part))[0].append(place)
    for names, part in places.values():
        yield ", ".join(map(code, names)) if names[0] else "The plan", part


def _places(schema: Any, part: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Give the objects in their order, those of a plan first, then those in them."""
    yield place, part
    for name, member in part["properties"].items():
        inner, where = _followed(schema, member), f"{place}.{name}".lstrip(".")
        if inner.get("type") == "array":
            inner, where = _followed(schema, inner["items"]), f"{where}[]"
        if "properties" in inner:
            yield from _places(schema, inner, where)


def _followed(schema: Any, part: Any) -> Any:
    reference = part.get("$ref", "").rpartition("/")[2]
    return schema["definitions"][reference] if reference else part


def _members(schema: Any, part: Any, anchors: Mapping[int, str]) -> str:
    required = part.get("required", ())
    rows = (
        (code(name), _linked(schema, member, anchors), "" if name in required else "yes", _meaning(schema, member))
        for name, member in part["properties"].items()
    )
    # What stands in one place only has its words in the row that leads there.
    shared = part in schema["definitions"].values() and "description" in part
    words = f"{part['description']}\n\n" if shared else ""
    return words + table(("member", "value", "may be missing", "meaning"), rows)


def _linked(schema: Any, member: Any, anchors: Mapping[int, str]) -> str:
    """Give the kind of a member, with a link to where its own members are."""
    part = _followed(schema, member)
    anchor = anchors.get(id(_followed(schema, part.get("items", part))))
    return f"[{_kind(schema, member)}](#{anchor})" if anchor else _kind(schema, member)


def _kind(schema: Any, member: Any) -> str:
    part = _followed(schema, member)
    if "oneOf" in part:
        return " or ".join(_kind(schema, each) for each in part["oneOf"])
    if "enum" in part:
        return codes(part["enum"])
    kinds = part.get("type", "any value")
    if kinds == "array":
        inner = _followed(schema, part["items"])
        of = codes(inner["enum"]) if "enum" in inner else f"{_JSON_KINDS[inner['type']]}s"
        return f"list of {of}"
    return " or ".join(_JSON_KINDS.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _meaning(schema: Any, member: Any) -> str:
    """Give the words of the place, else of what it leads to; raises KeyError where there are none."""
    words = marked_up(member.get("description") or _followed(schema, member)["description"])
    examples = member.get("examples", ())
    return f"{words} Such as {codes(examples)}." if examples else words
