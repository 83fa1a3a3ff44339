"""House rules: a JSON Schema of the repository's own, tried in a process that a clock and a limit of memory end."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bio_sync.config import HouseRules, read_config
from bio_sync.files import FoundFile
from bio_sync.houserules import house_problems, process
from bio_sync.houserules.__main__ import _tried
from bio_sync.houserules.rulesfile import read_rules
from bio_sync.problems import Place, Problem
from bio_sync.sandbox import Sandbox
from bio_sync.yamltext import Document, read
from tests.conftest import Result, Run
from tests.strategies import json_values, page_data

NESTED = r"^(a+)+$"
ENDLESS = {"properties": {"title": {"pattern": NESTED}}}
PAGE = "id: bio_1\ntitle: " + "a" * 60 + "!\n"


def repository(folder: Path, rules: object, *pages: str, name: str = "house.json") -> None:
    (folder / "bio-sync.yaml").write_text(f"pages: [pages]\nschema: {name}\n")
    (folder / name).write_text(rules if isinstance(rules, str) else json.dumps(rules))
    (folder / "pages").mkdir(exist_ok=True)
    for number, text in enumerate(pages):
        (folder / "pages" / f"{number}.yaml").write_text(text)


def tried(schema: object, *texts: str) -> list[Problem]:
    """Try rules in this process: for what is quick and harmless."""
    rules = Document("house.json", json.dumps(schema), schema, ())  # type: ignore[arg-type] # JSON
    return _tried(rules, [read(text.encode(), file=f"{number}.yaml") for number, text in enumerate(texts)])


def told(result: Result) -> list[dict[str, Any]]:
    problems: list[dict[str, Any]] = json.loads(result.out)["problems"]
    return problems


subschemas = st.recursive(
    st.sampled_from(
        [
            {},
            {"type": "string"},
            {"type": ["object", "null"]},
            {"enum": ["light", 1]},
            {"const": True},
            {"pattern": "^[a-f]*$"},
            {"minLength": 2},
            {"maxItems": 1},
            {"uniqueItems": True},
            {"exclusiveMinimum": 0},
            {"minProperties": 1},
            {"required": ["url", "##[group]\x1b"]},
            {"propertyNames": {"maxLength": 3}},
        ]
    ),
    lambda inner: (
        st.builds(lambda one: {"items": one}, inner)
        | st.builds(lambda one, two: {"anyOf": [one, two]}, inner, inner)
        | st.builds(lambda one: {"not": one}, inner)
        | st.builds(lambda one: {"properties": {"links": one, "a": False}, "additionalProperties": False}, inner)
        | st.builds(lambda one: {"additionalProperties": one, "title": "why\x1b[2J"}, inner)
    ),
    max_leaves=5,
)


@given(subschemas, page_data)
def test_a_page_has_problems_exactly_when_the_schema_says_no_and_all_of_them_can_be_shown(
    rule: dict[str, Any], data: dict[str, Any]
) -> None:
    schema = {"properties": {"page_data": rule}}
    document = Document("a.yaml", json.dumps({"id": "a", "page_data": data}), {"id": "a", "page_data": data}, ())
    problems = _tried(Document("house.json", "", schema, ()), [document])  # type: ignore[arg-type] # JSON
    assert bool(problems) == (not Draft202012Validator(schema).is_valid(document.value))
    assert problems == sorted(problems)
    for problem in problems:
        assert (problem.file, problem.rule) == ("a.yaml", "house-rule")
        assert problem.message.isprintable()
        assert problem.hint.isprintable()
        assert max(len(problem.message), len(problem.hint)) < 1_300
        assert "##[" not in problem.message + problem.hint


@given(
    st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(("json", "yaml")),
)
def test_any_file_is_read_as_a_mapping_or_told_to_be_none(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = folder / f"any.{suffix}"
    path.write_bytes(data)
    found = read_rules(HouseRules(FoundFile(path, path.name, folder), "bio-sync.yaml", Place(1, 9)))
    assert found.problems or isinstance(found.value, dict)


def test_a_page_that_breaks_house_rules_is_told_where_and_why(folder: Path, run: Run) -> None:
    rules = {
        "title": "The rules of Acme",
        "required": ["x-owner"],
        "properties": {
            "title": {"maxLength": 10, "description": "a title fits on a phone"},
            "x-owner": {"description": "every page has somebody to ask"},
            "page_data": {"properties": {"theme": {"enum": ["light"]}}},
        },
    }
    repository(folder, rules, "id: bio_1\ntitle: A title too long\npage_data: {theme: dark}\n")
    result = run("validate")
    assert result.code == 1
    assert result.out.rstrip() == (
        "pages/0.yaml:1:1: the page has no 'x-owner'\n"
        "  hint: house rule: every page has somebody to ask\n"
        "pages/0.yaml:2:8: /title: 'title' has 16 characters, and has to have at most 10\n"
        "  hint: house rule: a title fits on a phone\n"
        "pages/0.yaml:3:20: /page_data/theme: 'theme' can't be 'dark'\n"
        "  hint: allowed: light"
    )


def test_plan_and_apply_refuse_what_house_rules_refuse_and_ask_the_service_nothing(
    folder: Path, run: Run, sandbox: Sandbox
) -> None:
    repository(folder, {"properties": {"title": {"const": "B"}}}, "id: bio_1\ntitle: A\n")
    for command in (("plan",), ("apply", "--yes")):
        result = run(*command, "--format", "json")
        assert result.code == 1
        assert [problem["rule"] for problem in told(result)] == ["house-rule"]
    assert sandbox.requests == []


def test_what_only_looks_like_a_reference_is_a_value(folder: Path, run: Run) -> None:
    for keyword, value in (("const", {"$ref": "https://evil.example/"}), ("enum", [{"$ref": "x.json"}])):
        rules = {"properties": {"x-note": {keyword: value}}}
        repository(folder, rules, "id: a\nx-note: {$ref: 'https://evil.example/'}\n")
        found = told(run("validate", "--format", "json"))
        assert {problem["rule"] for problem in found} <= {"house-rule"}
        assert bool(found) == (keyword == "enum")


def test_problems_of_several_files_come_in_reading_order_and_a_bad_file_is_not_tried(folder: Path, run: Run) -> None:
    repository(folder, {"maxProperties": 1}, "id: a\ntitle: A\n", "id: b\ntitel: B\n", "id: c\ntitle: C\n", "id: d\n")
    found = [(problem["file"], problem["rule"]) for problem in told(run("validate", "--format", "json"))]
    assert found == [("pages/0.yaml", "house-rule"), ("pages/1.yaml", "unknown-key"), ("pages/2.yaml", "house-rule")]


def test_pages_that_keep_the_rules_are_right_and_rules_may_be_yaml(folder: Path, run: Run) -> None:
    rules = "$schema: http://json-schema.org/draft-07/schema#\nrequired: [title]\n"
    repository(folder, rules, "id: a\ntitle: A\n", name="house.yml")
    assert run("validate").out == "1 page file, no problems\n"


@pytest.mark.parametrize(
    ("rule", "page", "message", "hint"),
    [
        ({"properties": {"title": False}}, "title: A", "'title' is not allowed", ""),
        ({"properties": {"title": {"type": "null"}}}, "title: A", "'title' has to be nothing, and is text: 'A'", ""),
        (
            {"properties": {"title": {"type": ["null", "boolean"]}}},
            "title: A",
            "'title' has to be nothing or true or false",
            "",
        ),
        (
            {"properties": {"title": {"pattern": "^B$"}}},
            "title: A",
            "'A' is not of the form that the house rules want",
            "it has to match ^B$",
        ),
        ({"properties": {"title": {"const": "B"}}}, "title: A", "'title' has to be 'B', and is 'A'", ""),
        ({"properties": {"n": {"minimum": 3}}}, "n: 2", "'n' is 2, and has to be at least 3", ""),
        ({"properties": {"n": {"uniqueItems": True}}}, "n: [1, 1]", "'n' holds the same item twice", ""),
        (
            {"properties": {"n": {"items": {"maxLength": 0}}}},
            "n: [a]",
            "item 1 of 'n' has 1 character, and has to have at most 0",
            "",
        ),
        (
            {"additionalProperties": False, "properties": {"colour": {}, "id": {}}},
            "id: a\ncolor: 1",
            "the key 'color' is not allowed here",
            "did you mean 'colour'?",
        ),
        ({"title": "Ours", "required": ["n"]}, "title: A", "the page has no 'n'", "add a line `n: …`"),
        ({"propertyNames": {"maxLength": 1}}, "colour: 1", "the key 'colour' is not allowed here", ""),
        (
            {"properties": {"n": {"anyOf": [{"const": 1}, {"type": "string", "maxLength": 1}]}}},
            "n: 2",
            "'n' is nothing that the house rules allow",
            "closest: ",
        ),
    ],
)
def test_each_kind_of_rule_has_words_of_its_own(rule: dict[str, Any], page: str, message: str, hint: str) -> None:
    (problem,) = tried(rule, page + "\n")
    assert (problem.message, problem.rule) == (message, "house-rule")
    assert problem.hint.startswith(hint)


def test_a_null_in_page_data_is_left_out_and_keys_of_the_author_are_seen() -> None:
    rules = {"properties": {"page_data": {"properties": {"theme": False}}, "x-owner": {"const": "me"}}}
    assert tried(rules, "page_data: {theme: null}\nx-owner: me\n") == []
    assert [problem.pointer for problem in tried(rules, "page_data: {theme: null}\nx-owner: you\n")] == ["/x-owner"]


def test_a_pattern_ends_where_json_schema_says() -> None:
    assert tried({"properties": {"title": {"pattern": "^a$"}}}, 'title: "a\\n"\n')


@pytest.mark.parametrize(
    ("name", "text", "place", "message"),
    [
        ("house.json", '{"a": 1,\n "b" 2}', ("house.json", 2, 6), "no JSON: Expecting ':' delimiter"),
        ("house.json", '{"a": 1, "a": 2}', ("house.json", 1, 1), "no JSON: a key stands twice in an object"),
        ("house.json", "[" * 100_000, ("house.json", 1, 1), "no JSON: nested too deep"),
        ("house.json", '{"not":' * 100 + "{}" + "}" * 100, ("house.json", 1, 8), "more than 64 levels"),
        ("house.json", " " * 262_145, ("house.json", 1, 1), "the file is larger than 256 KiB"),
        ("house.json", "[]", ("house.json", 1, 1), "house rules are a mapping"),
        ("house.yaml", "a: [", ("house.yaml", 2, 1), ""),
        (
            "house.json",
            '{"$schema":\n"https://acme.com/own"}',
            ("house.json", 2, 1),
            "'https://acme.com/own' is no dialect of JSON Schema that is known here",
        ),
        (
            "house.json",
            '{"not":\n{"$ref": "https://acme.com/a.json"}}',
            ("house.json", 2, 10),
            "'https://acme.com/a.json' is in another file, and none is ever fetched",
        ),
        (
            "house.yaml",
            "not:\n  $ref: other.json#/a\n",
            ("house.yaml", 2, 9),
            "'other.json#/a' is in another file, and none is ever fetched",
        ),
        (
            "house.json",
            '{"type":\n"text"}',
            ("house.json", 2, 1),
            "this is no JSON Schema: 'text' is not valid under any of the given schemas",
        ),
        ("house.json", '{"pattern":\n"("}', ("house.json", 2, 1), "this is no JSON Schema: '(' is not a 'regex'"),
        ("house.json", '{"not":\n{"$ref": "#/$defs/a"}}', ("house.json", 2, 10), "there is no '/$defs/a' in this file"),
        ("house.json", '{"not":\n{"$ref": "#a"}}', ("house.json", 2, 10), "there is no 'a' in this file"),
        ("house.json", '{"not":\n{"$dynamicRef": "#a"}}', ("house.json", 2, 17), "there is no 'a' in this file"),
        ("house.json", '{"$ref": "#"}', ("house.json", 1, 1), "the house rules in house.json never come to an end"),
    ],
)
def test_what_is_wrong_with_the_rules_themselves_is_told_at_its_place(
    folder: Path, name: str, text: str, place: tuple[str, int, int], message: str
) -> None:
    repository(folder, text, name=name)
    rules = read_config(None).house_rules
    assert rules
    found = read_rules(rules)
    (problem,) = found.problems or _tried(found, [read(b"id: a\n", file="a.yaml")])
    assert (problem.file, problem.line, problem.column) == place
    assert problem.message.startswith(message)
    assert problem.rule == "house-rules-file" or name.endswith("yaml") or "larger" in message


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("nowhere.json", "nowhere.json: the file can't be read: No such file or directory"),
        ("pages", "pages: this is not an ordinary file"),
        ("../outside.json", "../outside.json: this leads out of the repository"),
        ("link.json", "link.json: this leads out of the repository"),
        ("'::error::x.json'", "./::error::x.json: the file can't be read: No such file or directory"),
    ],
)
def test_rules_that_are_not_a_file_of_the_repository_are_told_where_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, named: str, why: str
) -> None:
    repository(tmp_path, {}, name="outside.json")
    here = tmp_path / "repo"
    (here / ".git").mkdir(parents=True)
    monkeypatch.chdir(here)
    repository(here, {}, "id: a\n")
    (here / "link.json").symlink_to("../outside.json")
    (here / "bio-sync.yaml").write_text(f"pages: [pages]\nschema: {named}\n")
    result = run("validate", "--format", "json")
    (problem,) = told(result)
    assert (result.code, problem["file"], problem["line"], problem["column"]) == (1, "bio-sync.yaml", 2, 9)
    assert (problem["pointer"], problem["message"]) == ("/schema", why)


def test_rules_are_found_from_the_folder_of_the_configuration(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(folder, {"maxProperties": 1}, "id: a\ntitle: A\n")
    (folder / "pages" / "house.json").write_text("{}")
    monkeypatch.chdir(folder / "pages")
    assert [problem["file"] for problem in told(run("validate", "--format", "json"))] == ["0.yaml"]


def test_rules_with_a_problem_and_bad_pages_are_told_together_the_rules_first(folder: Path, run: Run) -> None:
    repository(folder, "{", "titel: a\n")
    files = [problem["file"] for problem in told(run("validate", "--format", "json"))]
    assert files == ["house.json", "pages/0.yaml", "pages/0.yaml"]


def test_a_pattern_that_backtracks_for_ever_is_ended_and_told(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house_problems, "__kwdefaults__", {"seconds": 0.5})
    repository(folder, ENDLESS, PAGE)
    result = run("validate")
    assert result.code == 1
    assert result.out.startswith(
        "house.json:1:1: the house rules in house.json took longer than 0.52 seconds\n  hint: "
    )


def test_rules_that_grow_without_bounds_are_ended_by_the_limit_of_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "MOST_MEMORY", 2**26)
    # Each level holds the one below twenty times over, and every refusal is kept with its reasons.
    levels = {f"l{n}": {"anyOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 20} for n in range(6)}
    repository(folder, {"$ref": "#/$defs/l0", "$defs": levels | {"l6": False}})
    rules = read_config(None).house_rules
    assert rules
    (problem,) = house_problems([read(PAGE.encode(), file="a.yaml")], rules, seconds=60)
    # What runs out of memory is not always Python's own part.
    ends = {"need more than 0.0625 GiB of memory", "ended the process that tried them"}
    assert problem.message.split("house.json ")[1] in ends


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how much memory a process had at its peak")
@pytest.mark.parametrize(("memory", "code", "told"), [(2**40, 0, "[]"), (2**20, process.OUT_OF_MEMORY, "")])
def test_a_check_that_came_to_the_limit_of_memory_is_not_believed_to_have_found_nothing(
    memory: int, code: int, told: str
) -> None:
    rules = {"file": "house.json", "text": "{}", "value": {}}
    task = {"seconds": 60, "memory": memory, "rules": rules, "pages": [{"file": "a.yaml", "text": PAGE, "value": {}}]}
    # Without the limit itself, nothing fails: what is left is the look at how much there was.
    unbound = "from bio_sync.houserules import __main__ as tried; tried._limit = lambda *_: None; tried.main()"
    done = subprocess.run(
        [sys.executable, "-c", unbound], input=json.dumps(task), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (code, told), done.stderr


def test_the_process_has_no_key_and_an_end_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nenv > {folder}/seen\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setenv("XQR_API_KEY", "xqr_pk_0a1b2c3d." + "k" * 64)
    monkeypatch.setenv("XQR_API_KEY_FILE", "keyfile")
    monkeypatch.setenv("GH_TOKEN", "ghs_secret")
    (folder / "jsonschema.py").write_text("raise SystemExit('a file of the working directory was run')\n")
    repository(folder, {"maxProperties": 0})
    rules = read_config(None).house_rules
    assert rules
    assert [problem.rule for problem in house_problems([read(b"id: a\n", file="a.yaml")], rules)] == ["house-rule"]
    seen = (folder / "seen").read_text()
    assert "XQR_API_KEY" not in seen
    assert "GH_TOKEN" not in seen
    (path,) = re.findall(r"^PYTHONPATH=([^:\n]*)", seen, re.MULTILINE)
    assert (Path(path) / "bio_sync" / "houserules" / "process.py").samefile(process.__file__)


def test_a_process_that_breaks_down_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(folder, {})
    rules = read_config(None).house_rules
    assert rules
    for program, why in (
        ("/bin/false", "ended the process that tried them"),
        ("/nowhere", "can't be tried: No such file"),
    ):
        monkeypatch.setattr(sys, "executable", program)
        (problem,) = house_problems([], rules)
        assert problem.message.startswith(f"the house rules in house.json {why}")


def test_without_schema_there_is_no_process(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere")
    repository(folder, {}, "id: a\n")
    (folder / "bio-sync.yaml").write_text("pages: [pages]\n")
    assert run("validate").code == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_rules_are_tried_ends_both_processes(folder: Path, number: int, code: int) -> None:
    repository(folder, ENDLESS, PAGE)
    command = [sys.executable, "-P", "-m", "bio_sync", "validate"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        child = _awaited(lambda: _child_of(running.pid))
        running.send_signal(number)
        out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (code, b"")
    assert err.strip().startswith(b"error: interrupted")
    _awaited(lambda: not _is_alive(child))


def _child_of(number: int) -> int:
    """Give the number of the process that tries rules, once it is not a copy of its parent any more; 0 before."""
    children = Path(f"/proc/{number}/task/{number}/children").read_text().split()
    found = [child for child in children if b"bio_sync.houserules" in Path(f"/proc/{child}/cmdline").read_bytes()]
    return int(found[0]) if found else 0


def _is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def _awaited(look: Callable[[], Any]) -> Any:
    for _ in range(3_000):
        if found := look():
            return found
        time.sleep(0.01)
    pytest.fail("it never came")
