"""The quick set of the campaign: every fault, on servers that replace and that merge, one page and five."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.campaign import name_of
from tests.faults.run import run_one
from tests.faults.whole_table import whole_table

if TYPE_CHECKING:
    from tests.faults.stage import Patch

SEEDS = (1001,)


def test_the_table_has_all_45_faults_and_says_of_each_left_out_one_why() -> None:
    table = whole_table()
    assert list(table) == list(range(1, 46))
    assert all(bool(entry.arrange) != bool(entry.left_out) for entry in table.values())


@pytest.mark.parametrize("number", [number for number, entry in whole_table().items() if entry.arrange])
def test_no_fault_loses_an_edit_writes_twice_touches_what_is_unmanaged_lies_or_leaks(folder: Path, number: int) -> None:
    broken: list[str] = []
    patches: tuple[Patch, ...] = ("replace", "merge")
    for seed in SEEDS:
        for patch in patches:
            for count in (1, 5):
                for file in folder.glob("pages/*"):
                    file.unlink()
                found = run_one(number, patch, count, seed, folder).found
                name = name_of((number, patch, count, seed))
                broken += [f"make faults RUN={name}: {words}" for words in found]
    assert not broken, "\n".join(broken)
