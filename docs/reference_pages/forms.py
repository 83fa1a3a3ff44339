"""json.md: the other JSON forms, each with what a command has really printed."""

import json
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reference_pages.stage import EXAMPLES, empty_folder, example_repository, typed
from reference_pages.writing import MADE, code, fenced, table

ABOUT = """# JSON forms

`--format json` prints one JSON document on standard output, whatever the exit code; talk, warnings and errors are on
standard error. It is ASCII: other characters are escapes such as `\\u2026`.

| command | form |
| --- | --- |
| `plan`, `show` | [the plan](plan.md) |
| `drift` | [the plan, with answers](#drift) |
| `apply`, `undo` | [outcomes](#apply-and-undo) |
| `validate` | [problems](#validate) |
| `doctor` | [checks](#doctor) |
| `matrix` | [a matrix for CI](#matrix) |
| `comment`, `issue` | [`outcome` and `url`](comments.md#what-comes-of-it) |
| any of them, after a failure | [an error](#errors) |

`pull` and `create` have no JSON form: they print a line for each page, whose first word says what became of it, and
the exit code says whether all went well. The forms for other programs, `github`, `gitlab`, `sarif` and `junit`, are
[a page of their own](formats.md).

## format_version

`MAJOR.MINOR`, the first member of every form but the matrix, which CI systems read. Within a major version:

- new members may come, and the words of `rule`, `reason`, `outcome` and `status` may get company: pass over what you
  do not know;
- known members stay, and keep their type and their meaning;
- `message`, `hint` and `warnings` are sentences for people: they may be worded anew at any time. Go by `rule`,
  `reason`, `outcome`, `status` and `exit_code`.

"""
_API = {
    "api": "What the run has cost.",
    "api.calls": "API calls made.",
    "api.quota_remaining": "Calls that the month has left; null when nobody said.",
}
_EXIT_CODE = {"exit_code": "What the command exits with: [exit codes](exit-codes.md)."}
_OUTCOMES = {
    "outcomes": "What became of each page, ordered by file.",
    "outcomes[].page_id": "The id of the page.",
    "outcomes[].file": "The file that names it.",
    "outcomes[].outcome": "What became of it: [outcomes](exit-codes.md#outcomes).",
    "outcomes[].actions": "The calls that were made, or were to be: any of `update`, `publish`, `unpublish`.",
    "outcomes[].reason": "Why it is not as wanted: [reasons](exit-codes.md#reasons). Null when it is.",
    "outcomes[].message": "The same for people; may be empty.",
    "outcomes[].request_id": "The service's name for the request, to ask its people about; may be null.",
    "summary": "Pages, counted by outcome.",
    **{
        f"summary.{word}": f"Pages with the outcome `{word}`." for word in ("applied", "unchanged", "failed", "unknown")
    },
    "summary.skipped": "Pages with the outcome `skipped`.",
}
_ERROR = {
    "error": "What went wrong.",
    "error.message": "In words.",
    "error.hint": "The way out; may be empty.",
    "error.reason": "In a word: [reasons](exit-codes.md#reasons). Null when none fits.",
    "error.request_id": "The service's name for the request, where it was the service that said so; else null.",
}
_PROBLEMS = {
    "problems": "The problems, ordered by place.",
    "problems[].file": "The file, as it is seen from the working directory.",
    "problems[].line": "The line, from 1.",
    "problems[].column": "The column in characters, from 1.",
    "problems[].pointer": "The place in the file's value, as a JSON Pointer (RFC 6901); may be empty.",
    "problems[].message": "What is wrong, for people.",
    "problems[].hint": "The way out; may be empty.",
    "problems[].rule": "What is wrong, in a word: [rules](rules.md).",
    "warnings": "What is allowed and rarely meant, with the same members.",
    "files": "How many page files were read.",
}
_VERSION = {"format_version": "The version of this form."}


@dataclass(frozen=True, slots=True)
class Form:
    """A JSON form: the command whose result is shown, what is said before it, and the meaning of each member.

    `shown` is a member of the only change that stands for the whole, which has another page. `known` are members that
    another form explains.
    """

    title: str
    about: str
    typed: str
    members: Mapping[str, str]
    shown: str = ""
    known: Mapping[str, str] = field(default_factory=dict)


REPOSITORY = (
    Form(
        "validate",
        "The exit code is 1 when there are problems; warnings never make it so.",
        "bio-sync validate drafts/shop.yaml --format json",
        _VERSION | _PROBLEMS,
    ),
    Form(
        "drift",
        "A [plan](plan.md) in which every change has `answers` besides: the two commands that end the drift of that "
        "page, as they are typed into a POSIX shell. The plan tells what an apply would do, from the live page to the "
        "file.",
        "bio-sync drift pages/acme.yaml --format json",
        {"pull": "Takes what is live over into the file.", "apply": "Puts back what the file says."},
        shown="answers",
    ),
    Form(
        "errors",
        "When a command could not do what it is for, the document has `error` in the place of the result. It has the "
        "other members of the result, too, as far as they are known: [`problems` and `files`](#validate) of "
        "`validate`, and of any command that files kept from working; [`checks`](#doctor) of `doctor`; "
        "[`outcomes`, `summary` and `api`](#apply-and-undo) of `apply` and `undo`.\n\n"
        "Here a guard has held an apply back, and every page that would have changed is `skipped`.",
        "bio-sync apply pages/acme.yaml pages/bakery.yaml --yes --max-changes 1 --format json",
        _VERSION | _ERROR | _EXIT_CODE,
        known=_OUTCOMES | _API,
    ),
    Form(
        "apply and undo",
        "The plan is on standard error, before the first write. `journal` is what `undo` takes.",
        "bio-sync apply pages/acme.yaml --yes --format json",
        _VERSION
        | _OUTCOMES
        | _API
        | {"journal": "The file to undo this by; null when nothing was to be written, or it could not be saved."}
        | _EXIT_CODE,
    ),
    Form(
        "doctor",
        "The checks that need an answer of the service are left out when there is none.",
        "bio-sync doctor --every 1h --format json",
        _VERSION
        | {
            "checks": "What was looked at, in the order of the text form.",
            "checks[].name": "`version`, `service`, `key`, `scopes`, `calls`, `files`, `pages` or `clock`.",
            "checks[].status": "`ok`, `warn` or `fail`.",
            "checks[].message": "What there is to say, for people.",
            "checks[].hint": "The way out; may be empty.",
        }
        | _API
        | _EXIT_CODE,
    ),
)
MATRIX = Form(
    "matrix",
    "One line, for the `matrix` of a job on GitHub. It has no `format_version`, since GitHub reads it; an "
    "[error](#errors) takes its place when the workspaces can't be listed. "
    "[Many workspaces](../how-to/workspaces.md) shows it at work.",
    "bio-sync matrix clients",
    {
        "include": "The workspaces, ordered by folder.",
        "include[].workspace": "The name of the workspace, for the names of jobs.",
        "include[].folder": "Its folder, from the root of the repository.",
        "include[].environment": "What the names of its GitHub environments begin with, where its keys are.",
    },
)
WORKSPACES = ("acme", "bakery")


def json_forms() -> str:
    """Write json.md."""
    with example_repository():
        shown = {form.title: _result(form) for form in REPOSITORY}
    with empty_folder() as folder:
        for name in WORKSPACES:
            shutil.copytree(EXAMPLES / "workspaces" / "clients" / name, folder / "clients" / name)
        shown[MATRIX.title] = _result(MATRIX)
    order = ("apply and undo", "validate", "drift", "doctor", "matrix", "errors")
    forms = {form.title: form for form in (*REPOSITORY, MATRIX)}
    return f"{MADE}{ABOUT}{''.join(_section(forms[title], shown[title]) for title in order)}".rstrip() + "\n"


def _result(form: Form) -> str:
    _, *words = shlex.split(form.typed)
    return typed(*words).out


def _section(form: Form, result: str) -> str:
    document = json.loads(result)
    if form.shown:
        (change,) = document["changes"]
        document = change[form.shown]
        result = json.dumps({form.shown: document}, indent=2)
    _check(form, set(_members(document)))
    rows = ((code(name), words) for name, words in form.members.items())
    return (
        f"## {form.title}\n\n{form.about}\n\n{table(('member', 'meaning'), rows)}"
        f"{fenced(form.typed, 'sh')}{fenced(result, 'json')}"
    )


def _check(form: Form, found: set[str]) -> None:
    """Raise ValueError unless what was printed has the members that are explained, and no others."""
    explained = {*form.members, *form.known}
    if found != explained:
        raise ValueError(f"{form.title}: printed or explained only: {sorted(found ^ explained)}")


def _members(value: Any, path: str = "") -> Iterator[str]:
    """Give the way to every member of a JSON value."""
    for name, member in value.items():
        yield f"{path}{name}"
        inner, where = (member[:1], f"{path}{name}[].") if isinstance(member, list) else ([member], f"{path}{name}.")
        for each in inner:
            if isinstance(each, dict):
                yield from _members(each, where)
