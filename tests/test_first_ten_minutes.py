"""A newcomer with nothing but the README: an empty folder, a fresh home, every line typed in its order."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.documents import SHOWN_TIME, fences, shell, steps
from tests.packages import environment, install, lends_libraries

README = ROOT / "README.md"
# What no newcomer brings along.
OWN = ("XQR_", "BIO_SYNC_", "PYTHON", "GIT_", "GITHUB_", "CI", "NO_COLOR", "FORCE_COLOR", "VIRTUAL_ENV")


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install '.[sandbox]'` leaves: the wheel of this tree, in an environment of its own.

    Only the libraries are those of the environment of the tests, since fetching them takes longer than all else here.
    """
    programs = environment(tmp_path_factory.mktemp("newcomer") / "environment")
    install(wheel, programs)
    lends_libraries(programs)
    return programs


@pytest.fixture
def newcomer(installed: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has git, a shell and the command, and has set up nothing."""
    (tmp_path / "home").mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    path = os.pathsep.join((str(installed), os.environ["PATH"]))
    return kept | {"HOME": str(tmp_path / "home"), "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def test_every_line_of_the_readme_can_be_typed_in_an_empty_folder(newcomer: dict[str, str], tmp_path: Path) -> None:
    begin, session, recipe = (fence.text for fence in fences(README) if fence.language in {"sh", "console"})
    first_words = re.findall(r"^(make \w+|pip install '[^']*')", begin, re.MULTILINE)
    # The fixture stands for the third; the others are what `make demo` and `make test` are.
    assert first_words == ["make demo", "make test", "pip install '.[sandbox]'"]
    (tmp_path / "empty").mkdir()
    with shell(tmp_path / "empty", newcomer) as bash:
        assert bash.says("command -v bio-sync") == [str(Path(newcomer["PATH"].split(os.pathsep)[0], "bio-sync"))]
        for command, shown in steps(session):
            bash.check(command, shown)
        undone = bash.says(f"bio-sync undo .bio-sync/apply-{SHOWN_TIME}.json --yes")
        assert "applied    pages/acme.yaml  update" in undone

        # The recipe: the key in a file, a repository of its own, a new terminal as it says. GitHub is not asked.
        bash.says('printf %s "$XQR_API_KEY" > ~/reads.key')
        between = README.read_text("utf-8").partition(session)[2].partition(recipe)[0]
        assert "in a new terminal" in " ".join(between.split())
        (tmp_path / "repository").mkdir()
        with shell(tmp_path / "repository", newcomer) as new_terminal:
            assert new_terminal.says("env | grep ^XQR_; git init -q") == []
            # The sandbox stands for xQR itself, which no test asks; nothing else of it is known here.
            assert new_terminal.says("source ../empty/sandbox.env; unset XQR_API_KEY") == []
            init, *at_github = recipe.splitlines()
            said = new_terminal.says(init)
            workflows = {path.name: path.read_text("utf-8") for path in tmp_path.glob("repository/.github/*/*")}
            assert sorted(workflows) == ["bio-sync-daily.yml", "bio-sync.yml"], said
            planned = new_terminal.says("bio-sync plan --api-key-file ~/reads.key")
            assert planned[0] == "No changes. The page is as its file wants it."
            named = set(re.findall(r"environment: (\S+)", "".join(workflows.values())))
            assert named == set(re.findall(r"--env (\S+)", "".join(at_github)))
        # As it says itself; no complaint about a run that was cut short.
        assert "kill %1" in session
        assert bash.says("kill %1; wait %1; echo $?")[-1] == "0"


def test_the_shell_can_read_the_rest_of_the_recipe() -> None:
    for fence in fences(README):
        if fence.language == "sh":
            subprocess.run(["bash", "-n"], input=fence.text, text=True, check=True)
