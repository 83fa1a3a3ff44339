"""What people do meanwhile, in the dashboard and beside: faults 18 to 20, 41 and 45."""

from functools import partial

from tests.faults.stage import Stage
from tests.faults.table import fault, lost
from tests.faults.virtual_time import BEGIN


@fault(18, "live edit between plan and apply on managed field")
def edited_managed(stage: Stage) -> None:
    _edited_meanwhile(stage, "title data links published description")


@fault(19, "live edit on unmanaged field")
def edited_unmanaged(stage: Stage) -> None:
    _edited_meanwhile(stage, "note experiments description title")


@fault(20, "live edit in the GET->PATCH window")
def edited_in_the_gap(stage: Stage) -> None:
    for _ in range(stage.random.choice((1, 1, 3))):
        page_id = stage.struck()
        method = stage.random.choice(stage.writes_to(page_id) or ["PATCH"])
        path = page_id if method == "PATCH" else "publish"
        stage.edit_at(method, path, page_id, kinds=stage.random.choice(("title data links description", "note", None)))
    stage.may |= {"failed/drifted", "failed/not-converged"}


@fault(41, "two or four applies at once")
def several_at_once(stage: Stage) -> None:
    stage.runs_at_once = stage.random.choice((2, 4))
    stage.behaviour["burst_limit"] = stage.random.choice((2, 10, 50))
    stage.anywhere = True
    # What another run has written looks like an edit to one that meant to write something else first.
    stage.may |= {"failed/drifted", "failed/rejected", "skipped/unreachable", "error/rejected"}
    if stage.random.random() < 0.5:
        stage.strike_write(**lost(stage), after=stage.random.random() < 0.5)
        stage.may |= {"unknown/unreachable"}
    if stage.random.random() < 0.5:
        page_id = stage.struck()
        stage.clock.at(BEGIN + stage.random.uniform(0, 10), stage.edit(page_id))


@fault(45, "empty spec dir / spec deleted / all links removed / > 30 % changed")
def too_much(stage: Stage) -> None:
    stage.forces = False
    kind = stage.random.randrange(4)
    if kind == 0:
        stage.files.clear()
        stage.exit_codes = {1}
    elif kind == 1 and stage.count > 1:
        del stage.files[stage.random.choice(sorted(stage.files))]
    elif kind == 2:
        for file in stage.files.values():
            file["page_data"] = {"links": []}
    else:
        stage.arguments += ["--max-changes", stage.random.choice(("1", "30%", "0%"))]
    stage.may |= {"error/unsafe", "error/invalid"}
    stage.anywhere = True


def _edited_meanwhile(stage: Stage, kinds: str) -> None:
    stage.behaviour["burst_limit"] = 1
    stage.max_age = stage.random.choice((3.0, 5.0, 15.0))
    stage.arguments += ["--max-age", f"{stage.max_age:g}"]
    stage.may |= {"failed/drifted", "failed/not-converged"}
    for _ in range(stage.random.choice((1, 2, 5))):
        page_id = stage.struck()
        how = stage.random.randrange(3)
        if how == 0:
            moment = BEGIN + stage.random.uniform(0, stage.count * 2)
            stage.clock.at(moment, stage.edit(page_id, kinds=kinds))
        elif how == 1:
            # While a write whose answer was lost is left alone, and then read back.
            way = stage.random.choice(({}, {"after": True}, {"late": 6.0}))
            if any(page_id == fault.path for fault in stage.faults):
                # Lost twice is as often as it is tried.
                stage.may |= {"unknown/unreachable"}
            stage.strike_write(page_id, **lost(stage), **way)
            begin = partial(_soon, stage, page_id, stage.random.uniform(0, 14), kinds)
            stage.when(stage.random.choice(stage.writes_to(page_id) or ["PATCH"]), begin)
        else:
            stage.edit_at("GET", "", page_id, skip=1, kinds=kinds)


def _soon(stage: Stage, page_id: str, seconds: float, kinds: str) -> None:
    stage.clock.at(stage.clock.now + seconds, stage.edit(page_id, kinds=kinds))
