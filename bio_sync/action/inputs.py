"""What the workflow asks for: the inputs of `action.yml`, each in an environment variable of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from bio_sync.commands.comment import MOST_OF_A_LABEL
from bio_sync.errors import BioSyncError
from bio_sync.visible import shortened

Command: TypeAlias = Literal["validate", "plan", "apply", "drift"]
Comment: TypeAlias = Literal["always", "changes", "never"]
COMMANDS: tuple[Command, ...] = ("validate", "plan", "apply", "drift")
COMMENTS: tuple[Comment, ...] = ("always", "changes", "never")
# What `plan` of an apply is when the plan is the one that a merged pull request has shown.
APPROVED = "approved"
# Inputs that mean nothing to the other commands: given there, they are a mistake and not to be passed over.
ONLY_FOR: dict[str, tuple[Command, ...]] = {
    "base": ("plan",),
    "offline": ("plan",),
    "plan": ("apply",),
    "max-changes": ("apply",),
    "reserve": ("apply",),
    "force": ("apply",),
    "fail-on-drift": ("plan", "drift"),
}
_NAMES = ("command", "paths", "config", "working-directory", "label", "comment", "issue", "artifact", *ONLY_FOR)
_NOTHING = {"", "false"}
_Word = TypeVar("_Word", bound=str)


class NotAnInput(BioSyncError):
    """An input of the action that can't be meant."""

    exit_code = 64
    reason = "invalid"


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs, checked; what was left empty is None."""

    command: Command
    paths: tuple[str, ...]
    config: str | None
    working_directory: str
    base: str | None
    offline: bool
    plan: str | None
    label: str
    comment: Comment
    issue: bool
    artifact: bool
    max_changes: str | None
    reserve: str | None
    force: bool
    fail_on_drift: bool

    @property
    def needs_key(self) -> bool:
        """Whether the service is asked."""
        return self.command != "validate" and not self.offline

    @property
    def approved(self) -> bool:
        """Whether an apply writes only what the merged pull request has shown."""
        return self.plan == APPROVED


def read_inputs(environment: Mapping[str, str]) -> Inputs:
    """Read the inputs from `BIO_SYNC_*`; raises NotAnInput for one that can't be meant."""
    told = {name: environment.get(variable(name), "").strip() for name in _NAMES}
    command = _one_of("command", told["command"], COMMANDS)
    for name, commands in ONLY_FOR.items():
        if command not in commands and told[name].lower() not in _NOTHING:
            words = " and ".join(commands)
            raise NotAnInput(f"the input '{name}' is for {words}, and this is {command}", hint="leave it out")
    inputs = Inputs(
        command=command,
        paths=tuple(filter(None, map(str.strip, told["paths"].splitlines()))),
        config=told["config"] or None,
        working_directory=told["working-directory"] or ".",
        base=told["base"] or None,
        offline=_yes("offline", told),
        plan=told["plan"] or None,
        label=told["label"],
        comment=_one_of("comment", told["comment"] or COMMENTS[0], COMMENTS),
        issue=_yes("issue", told),
        artifact=_yes("artifact", told),
        max_changes=told["max-changes"] or None,
        reserve=told["reserve"] or None,
        force=_yes("force", told),
        fail_on_drift=_yes("fail-on-drift", told),
    )
    _check(inputs, environment)
    return inputs


def variable(name: str) -> str:
    """Give the environment variable that an input comes in."""
    return f"BIO_SYNC_{name.replace('-', '_').upper()}"


def _check(inputs: Inputs, environment: Mapping[str, str]) -> None:
    if inputs.command == "plan" and not inputs.base and (inputs.offline or inputs.fail_on_drift):
        name = "offline" if inputs.offline else "fail-on-drift"
        raise NotAnInput(f"the input '{name}' needs 'base'", hint="such as: base: origin/main")
    if len(inputs.label) > MOST_OF_A_LABEL:
        raise NotAnInput(
            f"the input 'label' has {len(inputs.label):,} characters", hint=f"{MOST_OF_A_LABEL} are the most"
        )
    if inputs.force and environment.get("GITHUB_EVENT_NAME") != "workflow_dispatch":
        raise NotAnInput(
            "the input 'force' is for runs that a person starts, and this one was started by"
            f" {shortened(environment.get('GITHUB_EVENT_NAME', '') or 'something else')}",
            hint="start the workflow by hand (workflow_dispatch), and say force: true there",
        )


def _one_of(name: str, value: str, known: tuple[_Word, ...]) -> _Word:
    if value not in known:
        said = f"is '{shortened(value)}'" if value else "is empty"
        raise NotAnInput(f"the input '{name}' {said}", hint=f"it is one of: {', '.join(known)}")
    return value


def _yes(name: str, told: Mapping[str, str]) -> bool:
    value = told[name].lower()
    if value not in {"true", *_NOTHING}:
        raise NotAnInput(f"the input '{name}' is '{shortened(value)}'", hint="it is true or false")
    return value == "true"
