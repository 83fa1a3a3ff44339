"""What the explanations name is there: tests, modules, sources; and no two of them tell the same."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bio_sync.sandbox import Sandbox, load_seed
from tests.conftest import ROOT, Run

Start = Callable[..., Sandbox]

EXPLANATIONS = sorted((ROOT / "docs" / "explanation").glob("*.md"))
SECURITY = ROOT / "docs" / "explanation" / "security.md"
COMPARISON = ROOT / "docs" / "explanation" / "comparison.md"
PLAN = ROOT / "docs" / "explanation" / "plan.md"


def text(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def tables(markdown: str) -> list[list[list[str]]]:
    """Give the tables of a document: rows of cells, without the line under the heading."""
    found = re.findall(r"^(?:\|.*\|\n)+", markdown, re.MULTILINE)
    return [
        [[cell.strip() for cell in line.strip("|").split(" |")] for line in table.splitlines() if "---" not in line]
        for table in found
    ]


def sentences(markdown: str) -> list[str]:
    plain = re.sub(r"^```.*?^```", "", markdown, flags=re.DOTALL | re.MULTILINE)
    return [" ".join(part.split()) for part in re.split(r"(?<=[.:!?])\s|\n\n|\|", plain)]


def is_there(module: str) -> bool:
    """Tell whether a module or a package of ours, or something at the top of the repository, has this name."""
    places = [ROOT / "bio_sync" / f"{module}.py", ROOT / "bio_sync" / module / "__init__.py", ROOT / module]
    return any(place.exists() for place in places)


def test_every_threat_has_a_module_and_a_test_that_hold_it() -> None:
    threats = [row for table in tables(text(SECURITY)) if len(table[0]) == 4 for row in table[1:]]
    assert len(threats) > 20
    for threat, done, modules, tests in threats:
        assert done, threat
        named = re.findall(r"`([^`]+)`", modules)
        assert [module for module in named if is_there(module)] == named != [], threat
        leads = re.findall(r"\[(\w+)\]\((\S+?)\)", tests)
        assert leads, threat
        for name, target in leads:
            assert Path(target).stem == name
            assert "def test_" in text((SECURITY.parent / target).resolve())


@pytest.mark.parametrize("document", EXPLANATIONS, ids=lambda path: path.name)
def test_every_module_that_an_explanation_names_is_there(document: Path) -> None:
    for name in re.findall(r"`([a-z_]+/[a-z_/]+)\.py`", text(document)):
        assert is_there(name.removeprefix("bio_sync/")), name
    for module, function in re.findall(r"`([a-z]+)\.([a-z]+_[a-z_]+)`", text(document)):
        assert f"def {function}(" in text(ROOT / "bio_sync" / f"{module}.py"), f"{module}.{function}"


def test_no_sentence_stands_in_two_explanations() -> None:
    told = Counter(
        sentence for document in EXPLANATIONS for sentence in {*sentences(text(document))} if len(sentence) > 60
    )
    assert [sentence for sentence, times in told.items() if times > 1] == []


def test_every_cell_of_the_comparison_has_its_source_and_every_source_is_used() -> None:
    comparison, sources = tables(text(COMPARISON))
    assert comparison[0] == ["", "bio-sync", "Terraform", "octoDNS", "DNSControl", "decK"]
    assert len(comparison) > 15
    for row in comparison[1:]:
        assert len(row) == len(comparison[0]), row[0]
        assert "](" in row[1] or row[0] == "what it manages", f"{row[0]}: what shows it?"
        for tool, cell in zip("TODK", row[2:], strict=True):
            cited = re.findall(r"\[([TODKA]\d+)\]", cell)
            assert cited or cell == "—", cell
            assert {source[0] for source in cited} <= {tool, "A"}, cell
    named = {source for source, *_ in sources[1:]}
    assert len(named) == len(sources) - 1
    assert all("](https://" in address for _, address, *_ in sources[1:])
    before = text(COMPARISON).partition("## Sources")[0]
    assert set(re.findall(r"\[([TODKA]\d+)\]", before)) == named


def test_the_comparison_says_when_its_sources_were_read() -> None:
    assert re.search(r"read on \d+ \w+ 20\d\d", text(COMPARISON))


def test_the_steps_that_are_explained_are_those_of_the_plan(folder: Path, start_sandbox: Start, run: Run) -> None:
    shutil.copytree(ROOT / "examples" / "pages", folder / "pages")
    start_sandbox(load_seed(ROOT / "examples" / "live"))
    (change,) = json.loads(run("plan", "pages/campaign.yaml", "--format", "json").out)["changes"]
    (shown,) = re.findall(r"^```json\n(.*?)^```", text(PLAN), re.DOTALL | re.MULTILINE)
    assert json.loads(shown) == {name: change[name] for name in ("actions", "operations", "patch")}


def test_the_security_policy_names_a_private_way_and_no_address_of_a_person() -> None:
    policy = text(ROOT / "SECURITY.md")
    assert "Report a vulnerability" in policy
    assert "@" not in policy
