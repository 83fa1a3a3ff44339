"""Cold start: what somebody waits for who only asks for help, beside what Python and click alone take."""

from functools import partial
from pathlib import Path

from benchmarks.measure import measure
from benchmarks.rounds import Entry, interleaved, workspace

CLICK = 'python -c "import click"'


def cold_starts(programs: Path, rounds: int) -> dict[str, Entry]:
    """Measure starts in the environment that bio-sync is installed in; each has to end well."""
    python, command = str(programs / "python"), str(programs / "bio-sync")
    with workspace(1, 0) as place:
        commands: dict[str, list[str]] = {
            "python -c pass": [python, "-c", "pass"],
            CLICK: [python, "-c", "import click"],
            "bio-sync --version": [command, "--version"],
            "bio-sync --help": [command, "--help"],
            "bio-sync validate, one file": [command, "validate", "pages/page-00000.yaml"],
        }
        todo = {name: partial(measure, line, folder=place.folder) for name, line in commands.items()}
        # The first run finds no file in the kernel's memory: it is good for looking at its own.
        looks = {name: measure(line, folder=place.folder, memory=True) for name, line in commands.items()}
        entries = interleaved(todo, rounds)
    for name, entry in entries.items():
        entry.wrong = next((run.failure for run in (looks[name], *entry.runs) if run.failure), "")
        entry.together = looks[name].together
    return entries
