"""GitHub's expressions, as far as our workflows use them; what is not known here fails loudly.

docs.github.com, "Evaluate expressions in workflows and actions": `==` passes over case, `&&` and `||` give one of their
operands, null is nothing, and an `if` without a status function is `success() && (…)`.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

STATUS = ("success", "failure", "always", "cancelled")
# Contexts in which a member that nobody has set is empty; in the others it is a mistake of the workflow.
OPEN = ("event", "outputs", "vars", "secrets", "env", "inputs")
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>==|!=|&&|\|\||[!().,]))"
)
_PLACE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


class NotKnown(Exception):
    """Something that this runner does not know, or that GitHub would not."""


def filled(value: Any, contexts: Mapping[str, Any]) -> Any:
    """Give a value of a workflow with its expressions evaluated; one that is nothing else keeps its kind."""
    if isinstance(value, dict):
        return {key: filled(each, contexts) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, contexts) for each in value]
    if not isinstance(value, str):
        return value
    whole = _PLACE.fullmatch(value.strip())
    if whole and whole[0].count("${{") == 1:
        return evaluate(whole[1], contexts)
    return _PLACE.sub(lambda found: as_text(evaluate(found[1], contexts)), value)


def holds(condition: Any, contexts: Mapping[str, Any], status: Mapping[str, bool]) -> bool:
    """Tell whether an `if` holds; `status` has a value for each of the status functions."""
    if condition is None:
        return status["success"]
    words = str(condition).strip()
    inner = _PLACE.fullmatch(words)
    words = inner[1] if inner else words
    asked = any(re.search(rf"\b{name}\s*\(", words) for name in STATUS)
    found = truth(evaluate(words, contexts, {name: (lambda name=name: status[name]) for name in STATUS}))
    return found if asked else found and status["success"]


def evaluate(text: str, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] | None = None) -> Any:
    """Give the value of an expression."""
    return _Reader(text, contexts, {**_FUNCTIONS, **(functions or {})}).whole()


def as_text(value: Any) -> str:
    """Write a value as it stands in a string."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def truth(value: Any) -> bool:
    return value not in (None, False, 0, "")


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    if type(one) is type(other):
        return bool(one == other)
    return _number(one) == _number(other)


def _number(value: Any) -> float:
    if value is None or value == "":
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _contains(where: Any, what: Any) -> bool:
    return what in where if isinstance(where, list) else as_text(what).lower() in as_text(where).lower()


def _format(text: str, *values: Any) -> str:
    return text.format(*map(as_text, values))


_FUNCTIONS: dict[str, Callable[..., Any]] = {"format": _format, "contains": _contains}


class _Reader:
    def __init__(self, text: str, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> None:
        self.text, self.contexts, self.functions = text, contexts, functions
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if not found:
                self.fail(f"can't read {text[at:]!r}")
            self.tokens.append((str(found.lastgroup), str(found[str(found.lastgroup)])))
            at = found.end()

    def fail(self, why: str) -> NoReturn:
        raise NotKnown(f"{why} in the expression {self.text.strip()!r}")

    def whole(self) -> Any:
        value = self.either()
        if self.tokens:
            self.fail(f"{self.tokens[0][1]!r} is left over")
        return value

    def took(self, sign: str) -> bool:
        if self.tokens and self.tokens[0] == ("sign", sign):
            self.tokens.pop(0)
            return True
        return False

    def either(self) -> Any:
        value = self.both()
        while self.took("||"):
            other = self.both()
            value = value if truth(value) else other
        return value

    def both(self) -> Any:
        value = self.compared()
        while self.took("&&"):
            other = self.compared()
            value = other if truth(value) else value
        return value

    def compared(self) -> Any:
        value = self.single()
        while True:
            if self.took("=="):
                value = _equal(value, self.single())
            elif self.took("!="):
                value = not _equal(value, self.single())
            else:
                return value

    def single(self) -> Any:
        if self.took("!"):
            return not truth(self.single())
        if self.took("("):
            value = self.either()
            return value if self.took(")") else self.fail("a bracket is open")
        if not self.tokens:
            self.fail("something is missing")
        kind, word = self.tokens.pop(0)
        if kind == "text":
            return word[1:-1].replace("''", "'")
        if kind == "number":
            return float(word) if "." in word else int(word)
        if kind != "name":
            self.fail(f"{word!r} stands where a value belongs")
        if word in {"true", "false", "null"}:
            return {"true": True, "false": False}.get(word)
        return self.called(word) if self.took("(") else self.member(word)

    def called(self, name: str) -> Any:
        if name not in self.functions:
            self.fail(f"the function {name} is not known")
        values: list[Any] = []
        while not self.took(")"):
            values.append(self.either())
            self.took(",")
        return self.functions[name](*values)

    def member(self, context: str) -> Any:
        if context not in self.contexts:
            self.fail(f"the context {context} is not known here")
        value, is_open = self.contexts[context], context in OPEN
        while self.took("."):
            _, name = self.tokens.pop(0)
            if not isinstance(value, dict):
                value = None if is_open else self.fail(f"{name!r} of nothing")
                continue
            if name not in value and not is_open:
                self.fail(f"{context} has no {name!r}")
            value, is_open = value.get(name), is_open or name in OPEN
        return value
