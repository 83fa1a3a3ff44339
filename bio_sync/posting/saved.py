"""What a run has saved for its readers: a plan, drift, or why there is none."""

from dataclasses import dataclass
from typing import cast

from bio_sync import consent, report
from bio_sync.errors import BioSyncError, InvalidPlanFile
from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.planning import Plan
from bio_sync.render.drift import Answers
from bio_sync.visible import visible


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run made no plan: its error, and the problems of the files in words."""

    error: BioSyncError
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """A plan told from the live side, and by page id the commands that end its drift."""

    plan: Plan
    answers: Answers

    @property
    def found(self) -> bool:
        """Tell whether any live page differs from its file, or is not there."""
        return bool(self.plan.changes or self.plan.gone)


def read_plan(path: str) -> Plan | Failure:
    """Read what `plan --out FILE.json` saved; raises InvalidPlanFile for anything else."""
    document = consent.read_document(path)
    if failure := _failure(document, path):
        return failure
    plan = consent.plan_of(document, path)
    if any("answers" in change for change in cast("list[JsonObject]", cast("JsonObject", document)["changes"])):
        raise InvalidPlanFile(
            f"{visible(path)} holds drift, and no plan", hint="drift has an issue: bio-sync issue drift.json"
        )
    return plan


def read_drift(path: str) -> Drift | Failure:
    """Read what `drift --out FILE.json` saved; raises InvalidPlanFile for anything else, a plan without answers too."""
    document = consent.read_document(path)
    if failure := _failure(document, path):
        return failure
    plan = consent.plan_of(document, path)
    changes = cast("list[JsonObject]", cast("JsonObject", document)["changes"])
    answers = {str(change["page_id"]): told for change in changes if (told := _answers(change.get("answers")))}
    if len(answers) < len(plan.changes):
        raise InvalidPlanFile(
            f"{visible(path)} holds a plan, and no drift: its changes have no answers of ours",
            hint="save drift with `bio-sync drift --out drift.json`",
        )
    return Drift(plan, answers)


def _answers(value: Json) -> tuple[str, str] | None:
    pull, apply = (value.get("pull"), value.get("apply")) if isinstance(value, dict) else (None, None)
    if not isinstance(pull, str) or not isinstance(apply, str):
        return None
    # People copy them, and a line that begins otherwise could be an order to a runner.
    if not pull.startswith("bio-sync pull ") or not apply.startswith("bio-sync apply "):
        return None
    return visible(pull), visible(apply)


def _failure(document: Json, path: str) -> Failure | None:
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(document, dict) or error is None:
        return None
    message, hint = (error.get("message"), error.get("hint")) if isinstance(error, dict) else (None, None)
    listed = document.get("problems", [])
    if not isinstance(message, str) or not isinstance(hint, str | None) or not isinstance(listed, list):
        raise InvalidPlanFile(
            f"{visible(path)} is neither a saved plan nor the failure of one",
            hint="save one with `bio-sync plan --out plan.json`",
        )
    problems = filter(None, map(report.problem_of, listed))
    return Failure(BioSyncError(message, hint=hint or ""), tuple(map(report.problem_text, problems)))
