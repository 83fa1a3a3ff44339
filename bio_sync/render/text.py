"""A plan for a terminal: one block a page, one line an operation, what does not change hidden.

Text is made of spans with the name of a style; `paint` alone knows colours.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from bio_sync.planning import PUBLISH, UNPUBLISH, Change, Plan
from bio_sync.render import words
from bio_sync.render.steps import Step
from bio_sync.render.words import SIGNS, Section
from bio_sync.visible import visible

Span: TypeAlias = tuple[str, str]
Line: TypeAlias = Sequence[Span]

WIDTH = 100
MOST_DESTINATIONS = 20
MOST_TRANSITIONS = 5
STYLES = {
    "add": "green",
    "remove": "red",
    "replace": "yellow",
    "move": "cyan",
    "live": "bold red",
    "title": "bold",
    "quiet": "dim",
    "warning": "yellow",
    "plain": "",
}


def render(plan: Plan, *, colour: bool = False) -> str:
    """Write a plan for people, with ANSI colours if asked; every foreign character that could act is escaped."""
    return paint(list(_lines(plan)), colour=colour)


def paint(lines: Sequence[Line], *, colour: bool) -> str:
    """Join lines of styled spans, with ANSI colours if asked."""
    if not colour:
        return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)
    from rich.style import Style  # noqa: PLC0415 - 80 ms that a run without colours does not need

    styles = {name: Style.parse(style) for name, style in STYLES.items()}
    return "".join("".join(styles[style].render(text) for text, style in line) + "\n" for line in lines)


def _lines(plan: Plan) -> Iterator[Line]:
    offline = plan.circumstances.offline
    for section in words.sections(plan):
        yield from _heading(section)
        for change, steps in section.pages:
            yield from _page(change, steps, offline=offline)
            yield ()
    yield from _destinations(plan)
    yield from warning_lines(plan)
    yield from _transitions(plan)
    yield from _summary(plan)


def _heading(section: Section) -> Iterator[Line]:
    if section.origin:
        style = "title" if section.origin == "yours" else "warning"
        yield ((f"{section.title}: ", style), (f"{section.meaning}.", "plain"))
        yield ()


def _page(change: Change, steps: Sequence[Step], *, offline: bool) -> Iterator[Line]:
    # Without origins, the line about who sees the page says all of a publication.
    told = [step for step in steps if step.origin or not step.publication]
    yield from page_lines(change, told, offline=offline)


def page_lines(change: Change, told: Sequence[Step], *, offline: bool = False) -> Iterator[Line]:
    """Give the lines of a page: its title and file, who sees it, and the steps that are told."""
    yield (
        (f"{words.signs_of(change)} ", "replace"),
        (words.title_of(change), "title"),
        (f"  {visible(change.file)}", "quiet"),
    )
    if visibility := _visibility(change, offline=offline):
        yield visibility
    width = min(28, max((len(step.name) for step in told), default=0))
    for step in told:
        yield from _step(step, step.name.ljust(width))


def _visibility(change: Change, *, offline: bool) -> Line:
    """Say who sees the page now and, if that changes, afterwards."""
    url, counts = words.address_of(change), f" · {words.impact_of(change)}"
    if offline:
        told = words.audience_of(change, offline=True)
        return ((f"  {told}", "live"),) if told else ()
    if UNPUBLISH in change.actions:
        return (("  LIVE ", "live"), (url, "plain"), (counts, "plain"), (" · vanishes from the public", "live"))
    if PUBLISH in change.actions:
        return (("  not public", "plain"), (" · becomes LIVE at ", "live"), (url, "plain"), (counts, "plain"))
    if change.is_published:
        return (("  LIVE ", "live"), (url, "plain"), (counts, "plain"))
    return (("  not public", "plain"), (counts, "plain"))


def _step(step: Step, name: str) -> Iterator[Line]:
    sign = (f"    {SIGNS[step.op]} ", step.op)
    if step.op == "move":
        yield (sign, (f"{name}  ", "plain"), (f"{step.after}  {step.move}", "move"))
    elif step.op == "add":
        yield (sign, (f"{name}  ", "plain"), (step.after, "add"))
    elif step.op == "remove":
        yield (sign, (f"{name}  ", "plain"), (step.before, "remove"))
    elif len(name) + len(step.before) + len(step.after) + 11 <= WIDTH and not _right_to_left(step):
        yield (sign, (f"{name}  ", "plain"), (step.before, "remove"), (" → ", "plain"), (step.after, "add"))
    else:
        yield (sign, (name.rstrip(), "plain"))
        yield (("        - ", "remove"), (step.before, "remove"))
        yield (("        + ", "add"), (step.after, "add"))


def _right_to_left(step: Step) -> bool:
    """Tell whether a terminal may show two values on one line in the other order (UAX 9)."""
    return any(unicodedata.bidirectional(character) in {"R", "AL"} for character in step.before + step.after)


def _destinations(plan: Plan) -> Iterator[Line]:
    found = words.destinations(plan)
    if not found:
        return
    yield (("New destinations: ", "title"), ("these pages do not lead there now.", "plain"))
    width = min(40, max(len(address) for address, _ in found[:MOST_DESTINATIONS]))
    for address, files in found[:MOST_DESTINATIONS]:
        yield (("    → ", "add"), (address.ljust(width), "plain"), (f"  {files}", "quiet"))
    if len(found) > MOST_DESTINATIONS:
        yield ((f"      and {len(found) - MOST_DESTINATIONS:,} more", "plain"),)
    yield ()


def warning_lines(plan: Plan) -> Iterator[Line]:
    """Give a line for each warning, and an empty one behind them."""
    warnings = list(words.warnings(plan))
    yield from ((("! ", "warning"), (warning, "warning")) for warning in warnings)
    if warnings:
        yield ()


def _transitions(plan: Plan) -> Iterator[Line]:
    found = words.transitions(plan, MOST_TRANSITIONS)
    if not found:
        return
    title, meaning = words.TRANSITIONS
    yield ((f"{title} ", "title"), (meaning, "plain"))
    moments, labels = max(len(each.moment) for each in found), min(40, max(len(each.label) for each in found))
    for each in found:
        op = "add" if each.appears else "remove"
        yield (
            (f"    {each.moment.ljust(moments)}  ", "plain"),
            (f"{SIGNS[op]} {each.label.ljust(labels)}", op),
            (f"  {each.file}", "quiet"),
        )
    if len(plan.transitions) > len(found):
        yield ((f"      and {len(plan.transitions) - len(found):,} more", "plain"),)
    yield ()


def _summary(plan: Plan) -> Iterator[Line]:
    moment, meaning = words.as_of(plan)
    if moment:
        yield ((moment, "warning"), (meaning, "plain"))
    title, rest = words.counts(plan)
    yield ((f"{title} ", "title"), (rest, "plain"))
    who, what = words.live_pages(plan)
    if who:
        yield (("      ", "plain"), (who, "live"), (what, "plain"))
    if compared := words.compared_with(plan):
        yield ((f"      {compared}", "plain"),)
    if left := words.left_as_live(plan):
        yield ((f"      {left}", "quiet"),)
    if strangers := words.unmanaged(plan):
        yield ((f"      {strangers}", "quiet"),)
    yield ((f"API:  {words.calls(plan)}", "quiet"),)
