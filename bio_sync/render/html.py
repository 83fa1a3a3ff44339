"""A plan as one self-contained page: each changed page live and proposed, side by side, as its visitors see it.

There is no script in it, no picture, and no address that could be followed or fetched; its policy tells the
browser so, too.
"""

import base64
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from bio_sync.errors import BioSyncError
from bio_sync.planning import PUBLISH, UNPUBLISH, Change, Plan
from bio_sync.render import words
from bio_sync.render.phone import Phone, phones_of
from bio_sync.render.steps import LONGEST_VALUE, MOST_OF_A_NAME, Step
from bio_sync.render.words import Section
from bio_sync.visible import plural, shortened, visible

if TYPE_CHECKING:
    from jinja2 import Environment


# What stands beside the sign of a step: not everybody reads signs.
VERBS = {"add": "added", "remove": "removed", "replace": "changed", "move": "moved"}
MOST_TRANSITIONS = 10
Group: TypeAlias = tuple[Section, tuple[Step, ...]]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the document shows of one changed page; `groups` are its steps by whose change they are.

    `seen` says whether visitors see the change.
    """

    title: str
    file: str
    page_id: str
    audience: str
    seen: bool
    address: str
    impact: str
    phones: tuple[tuple[str, Phone], tuple[str, Phone]]
    groups: Sequence[Group]

    @property
    def extent(self) -> str:
        """Say how much changes."""
        return plural(sum(len(steps) for _, steps in self.groups), "change")


def render(plan: Plan) -> str:
    """Write a plan as an HTML document that asks nothing of any network."""
    groups = _groups(plan)
    # A page that needs a decision comes before the others, as its section does.
    urgency = {page_id: place for place, page_id in enumerate(groups)}
    changes = sorted(plan.changes, key=lambda change: urgency.get(change.page_id, len(urgency)))
    return _document(
        "report.html",
        plan=plan,
        words=words,
        most_transitions=MOST_TRANSITIONS,
        visible=visible,
        verbs=VERBS,
        pages=[_shown(change, plan, groups[change.page_id]) for change in changes],
    )


def failure(error: BioSyncError, problems: Sequence[str] = ()) -> str:
    """Write, in the place of a plan, why there is none; `problems` are those of the files, in words."""
    message, hint = (shortened(text, LONGEST_VALUE) for text in (error.message, error.hint))
    told = [problem.rstrip("\n") for problem in problems]
    return _document("failure.html", message=message, hint=hint, problems=told)


def _document(template: str, **values: Any) -> str:
    environment = _environment()
    assert environment.loader is not None  # noqa: S101 - it was made with one
    # A browser hashes a style after it has made its line ends \n.
    style = "\n".join(environment.loader.get_source(environment, "report.css")[0].splitlines())
    style_hash = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template(template).render(style=style, style_hash=style_hash, **values)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - 60 ms that only HTML needs

    return Environment(
        loader=PackageLoader("bio_sync", "render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _shown(change: Change, plan: Plan, groups: Sequence[Group]) -> Shown:
    offline = plan.circumstances.offline
    live, proposed = phones_of(change)
    before, after = _captions(change, plan)
    return Shown(
        title=words.title_of(change),
        file=shortened(change.file, MOST_OF_A_NAME),
        page_id=shortened(change.page_id, MOST_OF_A_NAME),
        audience=words.audience_of(change, offline=offline),
        seen=change.is_published or PUBLISH in change.actions or UNPUBLISH in change.actions,
        address="" if offline else words.address_of(change),
        impact="" if offline else words.impact_of(change),
        phones=((before, live), (after, proposed)),
        groups=groups,
    )


def _groups(plan: Plan) -> Mapping[str, Sequence[Group]]:
    """Give the steps of each page, by its id, in their sections."""
    groups = defaultdict(list)
    for section in words.sections(plan):
        for change, steps in section.pages:
            groups[change.page_id].append((section, steps))
    return groups


def _captions(change: Change, plan: Plan) -> tuple[str, str]:
    was, will_be = (", not public" if page.published is False else "" for page in (change.before, change.after))
    if plan.circumstances.offline:
        base = plan.circumstances.base
        return f"In the file at {shortened(base.name) if base else 'the base'}{was}", f"In the file now{will_be}"
    return f"{'Now' if was else 'Live now'}{was}", f"After apply{will_be}"
