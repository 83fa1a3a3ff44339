"""The house: what is imported when, what ships, and how large things may grow."""

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from bio_sync import __version__, planfile
from bio_sync.commands import commands
from bio_sync.commands.lazy import COMMANDS, LazyCommands
from tests.conftest import ROOT
from tests.test_render_text import example_plan

SOURCES = sorted((ROOT / "bio_sync").rglob("*.py"))
HEAVY = {"httpx", "jsonschema", "deepdiff", "rich", "tenacity", "yaml", "starlette", "uvicorn", "idna", "jinja2"}

# Which modules of ours import a library, and no others do: there it can be exchanged, and its quirks are met.
DOORS = {
    "bio_sync.httplibrary": {"api", "github", "transport"},
    "click": {"cli", "commands", "options"},
    "deepdiff": {"diff"},
    "fastjsonschema": {"schema"},
    "httpcore": {"httplibrary", "transport"},
    "httpx": {"httplibrary"},
    "idna": {"destinations", "links"},
    "jinja2": {"render"},
    "jsonschema": {"complaints", "houserules"},
    "referencing": {"complaints", "houserules"},
    "rich": {"render"},
    "ruamel": {"yamlpieces"},
    "starlette": {"sandbox"},
    "tenacity": {"github", "transport"},
    "uvicorn": {"sandbox"},
    "yaml": {"yamlevents", "yamlnodes", "yamlplaces"},
}


def modules_after(*arguments: str) -> set[str]:
    """Run a command in a process of its own and list the top-level modules that it loaded."""
    code = (
        "import sys, json; from bio_sync import cli; code = cli.run(sys.argv[1:]);"
        "print(json.dumps([code, sorted({name.split('.')[0] for name in sys.modules})]), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    code_and_names = json.loads(done.stderr.splitlines()[-1])
    assert code_and_names[0] == 0, done.stderr
    return set(code_and_names[1])


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), ("plan", "--help"), ("show", "-h"), ("apply", "-h")]
)
def test_help_and_version_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert modules_after(*arguments) & HEAVY == set()


def test_validate_loads_nothing_of_the_network_or_the_diff() -> None:
    loaded = modules_after("validate", str(ROOT / "examples" / "pages"))
    assert loaded & {"httpx", "deepdiff", "rich", "tenacity", "starlette", "uvicorn"} == set()


@pytest.mark.parametrize(("form", "may_load"), [("text", set[str]()), ("markdown", set[str]()), ("html", {"jinja2"})])
def test_a_saved_plan_is_shown_without_the_network_and_with_the_parts_of_its_form_only(
    form: str, may_load: set[str], tmp_path: Path
) -> None:
    saved = tmp_path / "plan.json"
    saved.write_text(planfile.dumps(example_plan()), encoding="utf-8")
    loaded = modules_after("show", str(saved), "--format", form)
    # A saved plan is checked against its schema, and against what its pages say: jsonschema, deepdiff.
    assert loaded & {"httpx", "rich", "tenacity", "starlette", "uvicorn", "jinja2"} == may_load


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_over_three_hundred_lines_and_no_function_over_forty(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 40, node.name


def test_the_top_level_is_what_the_architecture_says() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    top = {line.split("/")[0] for line in listed.splitlines() if not line.startswith(".")}
    own = {"bio_sync", "schemas", "examples", "tests", "pyproject.toml", "README.md"}
    joined = {"Makefile", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "docs", "requirements", "action.yml"}
    assert own <= top <= own | joined | {"benchmarks", "Dockerfile", "SECURITY.md"}


def imports_of(path: Path) -> set[str]:
    """Name all that a file imports, wherever it does, in full: `bio_sync.diff.operations`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: no import is relative"
            names |= {f"{node.module}.{each.name}" for each in node.names}
    return names


def test_each_library_stays_behind_its_doors() -> None:
    found: dict[str, set[str]] = {}
    for path in SOURCES:
        door = path.relative_to(ROOT / "bio_sync").parts[0].removesuffix(".py")
        for name in imports_of(path):
            library = "bio_sync.httplibrary" if name.startswith("bio_sync.httplibrary.") else name.partition(".")[0]
            if library not in sys.stdlib_module_names | {"bio_sync"}:
                found.setdefault(library, set()).add(door)
    assert found == DOORS


def test_the_sandbox_shares_nothing_with_the_client_so_that_no_mistake_is_common_to_both() -> None:
    sandbox = [path for path in SOURCES if path.is_relative_to(ROOT / "bio_sync" / "sandbox")]
    names = {name for path in sandbox for name in imports_of(path) if name.startswith("bio_sync")}
    assert len(names) > 20
    assert {name for name in names if not name.startswith("bio_sync.sandbox.")} == set()


def test_no_committed_file_names_a_package_registry_or_a_path_of_one_machine() -> None:
    words = ["py" + "pi.org", "python" + "hosted", "npm" + "js.org", "/ho" + "me/", "/ro" + "ot/"]
    for word in words:
        found = subprocess.run(["git", "grep", "-lF", word], cwd=ROOT, capture_output=True, text=True, check=False)
        # 1: git has looked, and found nothing.
        assert (found.returncode, found.stdout) == (1, ""), word


def test_every_runtime_dependency_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["sandbox"]]:
        (line,) = [line for line in text.splitlines() if f'"{requirement}"' in line]
        assert "# " in line, requirement
    assert project["version"] == __version__


@pytest.mark.parametrize("width", [40, 80, 100])
def test_the_list_of_commands_in_the_help_is_what_click_would_make_of_the_commands_themselves(width: int) -> None:
    every = commands.everything()
    assert {name: command.get_short_help_str(1_000) for name, command in every.items()} == {
        name: sentence for name, (_, sentence) in COMMANDS.items()
    }
    lists = []
    for format_commands in (LazyCommands.format_commands, click.Group.format_commands):
        formatter = click.HelpFormatter(width=width)
        format_commands(commands, click.Context(commands), formatter)
        lists.append(formatter.getvalue())
    assert lists[0] == lists[1]


def test_a_command_is_loaded_when_it_is_asked_for_and_no_other_is() -> None:
    code = (
        "import sys; from bio_sync.commands import commands; import click;"
        "assert commands.get_command(click.Context(commands), 'plan').name == 'plan';"
        "assert commands.get_command(click.Context(commands), 'plam') is None;"
        "print({name for name in sys.modules if name.startswith('bio_sync.commands.')} - {'bio_sync.commands.plan'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'bio_sync.commands.apply'" not in done.stdout
    assert "'bio_sync.commands.local'" not in done.stdout


def test_httpx_is_all_there_but_for_its_command_line() -> None:
    code = (
        "import sys; from bio_sync.httplibrary import httpx; import httpx as again;"
        "print(httpx is again, [name for name in ('httpx._main', 'rich', 'pygments') if name in sys.modules],"
        " callable(httpx.main)); import httpx._main; print('httpx._main' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True [] True\nTrue\n"


def test_the_collector_seldom_looks_and_not_at_all_at_the_end() -> None:
    code = (
        "import atexit, gc, sys; atexit.register(lambda: print(gc.get_freeze_count() > 0, gc.get_threshold()[0]));"
        "sys.argv = ['bio-sync', '--version']; from bio_sync.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["True 100000"]
