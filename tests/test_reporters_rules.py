"""Every rule that the code can raise is in the one registry, and the documents say what each is about."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from bio_sync.reporters.rules import NOT_CHECKED, RULES
from tests.conftest import ROOT

# Where the rule stands in calls that take it by position, counted without `self`.
POSITIONS = {"Problem": 6, "_complain": 2, "_stop": 2, "_add": 3, "_unreadable": 2}
# Functions of bio_sync.schema that give rule, message and hint.
GIVE_RULES = {"_words", "wrong_type"}
# What only passes a rule on that somebody else has chosen.
PASSED_ON = {"rule", "problem.rule"}


def rules_in(path: Path) -> Iterator[str]:
    """Find the rules that a module names where it makes a problem; fail for one that can not be read off."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    for value in _places(tree, GIVE_RULES if path.name == "complaints.py" else set()):
        if isinstance(value, ast.Constant):
            yield str(value.value)
        elif (name := ast.unparse(value)) in constants:
            yield str(constants[name])
        else:
            assert name in PASSED_ON | (imported & {"RULE", "NOT_CHECKED"}), f"{path}:{value.lineno}"


def _places(tree: ast.Module, give_rules: set[str]) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            named = [keyword.value for keyword in node.keywords if keyword.arg == "rule"]
            position = POSITIONS.get(called)
            if named:
                yield from named
            elif position is not None and len(node.args) > position:
                yield node.args[position]
        elif isinstance(node, ast.FunctionDef) and node.name in give_rules:
            returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
            yield from (value.elts[0] for value in returned if isinstance(value, ast.Tuple))


def test_every_rule_that_the_code_can_raise_is_registered_and_every_registered_one_can_be_raised() -> None:
    paths = sorted((ROOT / "bio_sync").rglob("*.py"))
    raised = {rule for path in paths if "sandbox" not in path.parts for rule in rules_in(path)}
    assert raised | {NOT_CHECKED} == set(RULES)


def test_the_document_lists_the_rules_as_they_are() -> None:
    text = (ROOT / "docs" / "reference" / "rules.md").read_text(encoding="utf-8").replace("`", "")
    listed = re.findall(r"^\| \[([a-z0-9-]+)\]\(#\1\) \| (error|warning) \| (.+) \|$", text, re.MULTILINE)
    assert listed == [(rule_id, rule.level, rule.summary) for rule_id, rule in RULES.items()]
    told = re.findall(r"^## ([a-z0-9-]+)\n\n(.+)$", text, re.MULTILINE)
    assert told == [(rule_id, f"{rule.summary} {rule.help}") for rule_id, rule in RULES.items()]


def test_the_words_about_a_rule_are_sentences_and_its_id_is_one_for_every_form() -> None:
    for rule_id, rule in RULES.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule_id)
        assert re.fullmatch(r"[A-Z][^|]+\.", rule.summary), rule_id
        assert re.fullmatch(r"[A-Z][^|]+\.", rule.help), rule_id
    assert list(RULES) == sorted(RULES)
