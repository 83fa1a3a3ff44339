"""The whole table, from all the modules that have put their faults into it."""

from tests.faults import faults_around_a_run, faults_of_people, faults_of_reads, faults_of_writes
from tests.faults.table import TABLE, Entry

PARTS = (faults_of_reads, faults_of_writes, faults_of_people, faults_around_a_run)


def whole_table() -> dict[int, Entry]:
    """Give all entries in the order of their numbers."""
    return dict(sorted(TABLE.items()))
