"""A small GitHub runner: plays a workflow file and action.yml as GitHub would, with real processes and real git.

    world = World(tmp_path, origin=Path("a repository with a branch main"), address=github.url, token_of=grant)
    world.environments["bio-sync-plan"] = Environment({"XQR_API_KEY": sandbox.key})
    world.variables["BIO_SYNC_APPLY_DAILY"] = "true"
    run = world.play(WORKFLOW, pull_request(world, branch="spring", number=7))

    run.jobs["plan"].conclusion      "success", "failure" or "skipped"
    run.jobs["plan"].log.text        what people read; .obeyed the commands that the runner carried out
    run.jobs["plan"].summary         the job summary, as Markdown
    run.jobs["plan"].steps["x"]      conclusion and outputs of the step with that id
    world.artifacts[run.number]      folders by name

What a workflow uses and this does not know raises NotKnown. `uses: bio-sync/bio-sync@…` is the action.yml of this
repository; actions/checkout, setup-python, upload-artifact and download-artifact have stand-ins (`actions.py`). The
step of action.yml that installs is left out unless `World(…, installs=True)`: the Python of the tests takes its place,
forked from one that is running already (tests/pipelines/warm.py) unless `World(…, starts=True)`.
"""

from tests.runner.events import NONE, Event, dispatch, merge, merge_group, pull_request, push, schedule
from tests.runner.expressions import NotKnown, evaluate
from tests.runner.logs import Log, read_pairs
from tests.runner.play import JobRun, Run
from tests.runner.world import Environment, World

__all__ = [
    "NONE",
    "Environment",
    "Event",
    "JobRun",
    "Log",
    "NotKnown",
    "Run",
    "World",
    "dispatch",
    "evaluate",
    "merge",
    "merge_group",
    "pull_request",
    "push",
    "read_pairs",
    "schedule",
]
