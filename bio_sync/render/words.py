"""What every form of a plan says, in the same words: steps, sections and sentences, all foreign text visible.

The forms differ in how they lay these out and in what they have to escape on top.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bio_sync.destinations import Destination, new_destinations
from bio_sync.origin import ORIGINS, Origin
from bio_sync.planning import PUBLISH, UNPUBLISH, UPDATE, Change, Plan, UnmanagedPage
from bio_sync.render.steps import MOST_OF_A_NAME, Step, steps_of
from bio_sync.visible import and_more, plural, shortened, visible

# How a form shows a foreign name inside a sentence of ours.
Quoted: TypeAlias = Callable[[str], str]

TRANSITIONS = ("Next:", "links that appear or vanish by themselves when a scheduled apply runs.")
MOST_OF_A_WARNING = 500
MOST_UNMANAGED = 5
MOST_FILES = 3
SHORT_COMMIT = 12
SIGNS = {"add": "+", "remove": "-", "replace": "~", "move": "↕", UPDATE: "~", PUBLISH: "↑", UNPUBLISH: "↓"}


@dataclass(frozen=True, slots=True)
class Section:
    """Changes of one origin, the pages that have such with their steps; without a base there is one for all."""

    origin: Origin | None
    title: str
    meaning: str
    pages: tuple[tuple[Change, tuple[Step, ...]], ...]


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A link that appears or vanishes at a moment to come, in words; the label in quotes."""

    moment: str
    appears: bool
    label: str
    file: str


def sections(plan: Plan, quoted: Quoted = visible) -> tuple[Section, ...]:
    """Put what needs a decision first: conflicts, then drift, then what the files change."""
    steps = [(change, steps_of(change, offline=plan.circumstances.offline)) for change in plan.changes]
    if plan.circumstances.base is None or plan.circumstances.offline:
        return (Section(None, "", "", tuple(steps)),) if steps else ()
    name = quoted(shortened(plan.circumstances.base.name))
    words = {
        "conflict": ("Conflicts", f"file and live page both changed since {name}; apply overwrites what is live"),
        "drift": (
            "Drift",
            f"the live page differs, and the file is as it was at {name}; apply overwrites what is live",
        ),
        "yours": ("Yours", f"changed in the file since {name}"),
    }
    found = []
    for origin in ORIGINS:
        pages = tuple(
            (change, mine)
            for change, all_of_it in steps
            if (mine := tuple(step for step in all_of_it if step.origin == origin))
        )
        found.append(Section(origin, *words[origin], pages))
    return tuple(section for section in found if section.pages)


def title_of(change: Change) -> str:
    """Name a page by its title, as it is now."""
    return shortened(change.before.title or change.after.title or "", MOST_OF_A_NAME) or "(no title)"


def signs_of(change: Change) -> str:
    """Give the signs of what is done to a page: `~ ↑` is an update, then it becomes public."""
    return " ".join(SIGNS[action] for action in change.actions)


def address_of(change: Change) -> str:
    """Give the public address of a page."""
    return shortened(change.html_url, MOST_OF_A_NAME) or "(address unknown)"


def impact_of(change: Change) -> str:
    """Say how many people have seen the page and its links."""
    return f"{plural(change.views, 'view')} · {plural(change.clicks, 'click')}"


def audience_of(change: Change, *, offline: bool) -> str:
    """Say who sees the page now and, if that changes, afterwards; offline, only what changes."""
    if UNPUBLISH in change.actions:
        return "vanishes from the public" if offline else "LIVE, vanishes from the public"
    if PUBLISH in change.actions:
        return "becomes LIVE" if offline else "not public, becomes LIVE"
    if offline:
        return ""
    return "LIVE" if change.is_published else "not public"


def counts(plan: Plan) -> tuple[str, str]:
    """Give the title and the rest of the sentence that counts pages."""
    count = plan.summary
    rest = [
        f"{count[key]:,} {words}" for key, words in (("unchanged", "unchanged"), ("gone", "not found")) if count[key]
    ]
    if plan.changes:
        calls = [f"{count[action]:,} to {action}" for action in (UPDATE, PUBLISH, UNPUBLISH) if count[action]]
        only_updates = count[UPDATE] == len(plan.changes) and len(calls) == 1
        detail = "" if only_updates else f" ({', '.join(calls)})"
        return "Plan:", ", ".join([f"{plural(len(plan.changes), 'page')} to change{detail}", *rest]) + "."
    if count["gone"]:
        return "Nothing to change:", ", ".join(rest) + "."
    if plan.circumstances.offline:
        return "No changes.", "The files say what they said then."
    pages = count["pages"]
    one = "The page is as its file wants it."
    return "No changes.", one if pages == 1 else f"All {pages:,} pages are as their files want them."


def live_pages(plan: Plan) -> tuple[str, str]:
    """Say how many changed pages the public sees, and what that means; two empty texts when there are none."""
    live = 0 if plan.circumstances.offline else plan.summary["live"]
    if not live:
        return "", ""
    who = f"{live:,} of them are" if live > 1 else "It is" if len(plan.changes) == 1 else "1 of them is"
    return f"{who} LIVE", ": visitors see the change the moment it is applied."


def compared_with(plan: Plan, quoted: Quoted = visible) -> str:
    """Say what else the files were compared with, and what came of it; empty without a base."""
    base = plan.circumstances.base
    if base is None:
        return ""
    short = base.commit[:SHORT_COMMIT]
    # A CI system names the commit itself.
    named = quoted(short) if base.name == base.commit else f"{quoted(shortened(base.name))} ({short})"
    if plan.circumstances.offline:
        return f"Made offline: compared with the files at {named}, not with the live pages."
    found = [f"{count:,} {origin}" for origin, count in plan.origins.items() if count]
    return f"Since {named}: {', '.join(found)}." if found else ""


def as_of(plan: Plan, quoted: Quoted = visible) -> tuple[str, str]:
    """Say for which moment the plan was asked, and what that means; two empty texts when it is for now."""
    at = plan.circumstances.at
    if at is None:
        return "", ""
    live = "" if plan.circumstances.offline else ", and live pages as they are now"
    return f"As of {quoted(shortened(at))}:", f" links as they show at that moment{live}."


def transitions(plan: Plan, most: int) -> list[Upcoming]:
    """Give the links that appear or vanish next, at most so many."""
    return [
        Upcoming(
            visible(each.moment),
            each.shows,
            shortened(json.dumps(each.label, ensure_ascii=False), MOST_OF_A_NAME),
            shortened(each.file, MOST_OF_A_NAME),
        )
        for each in plan.transitions[:most]
    ]


def left_as_live(plan: Plan) -> str:
    """Say how many values `ignore` leaves alone; empty when there are none."""
    count = plan.left_as_live
    return f"{plural(count, 'value')} left as {'it is' if count == 1 else 'they are'} live (ignore)." if count else ""


def unmanaged(plan: Plan, quoted: Quoted = visible) -> str:
    """Name the live pages that no file names; empty when there are none."""
    if not plan.unmanaged:
        return ""
    named = ", ".join(_stranger(page, quoted) for page in plan.unmanaged[:MOST_UNMANAGED])
    named += and_more(len(plan.unmanaged) - MOST_UNMANAGED)
    return f"{plural(len(plan.unmanaged), 'live page')} without a file: {named}."


def _stranger(page: UnmanagedPage, quoted: Quoted) -> str:
    """Name a page by what people know and by what `pull` takes."""
    page_id = quoted(page.page_id)
    return f"{quoted(shortened(page.slug))} ({page_id})" if page.slug else page_id


def calls(plan: Plan) -> str:
    """Say what the plan cost in API calls and what an apply would cost."""
    now = plan.circumstances
    text = f"{plural(now.calls, 'call')} used"
    if plan.changes and not now.offline:
        text += f", {plan.calls_to_apply:,} to apply ({plural(plan.writes, 'write')})"
    if now.quota_remaining is not None:
        text += f", {now.quota_remaining:,} left this month"
    return f"{text}."


def warnings(plan: Plan) -> Iterator[str]:
    """Give what a reader should know first: files without a page, then the plan's own warnings."""
    for page in plan.gone:
        yield f"{visible(page.file)}: page {visible(page.page_id)} is not in this workspace"
    yield from (_cut(visible(warning)) for warning in plan.warnings)


def _cut(shown: str) -> str:
    """Shorten what is visible already: an escape is longer than what it stands for."""
    half = MOST_OF_A_WARNING // 2
    return shown if len(shown) <= MOST_OF_A_WARNING else f"{shown[:half]}…{shown[-half:]}"


def destinations(plan: Plan) -> list[tuple[str, str]]:
    """Give (address with its Unicode form, the files that name it) for every new destination."""
    return [(_destination(found), _files(found.files)) for found in new_destinations(plan)]


def _destination(found: Destination) -> str:
    shown = f"{found.address} ({found.unicode})" if found.unicode else found.address
    return shortened(shown, MOST_OF_A_NAME)


def _files(files: Sequence[str]) -> str:
    named = ", ".join(shortened(file, MOST_OF_A_NAME) for file in files[:MOST_FILES])
    return named + and_more(len(files) - MOST_FILES)
