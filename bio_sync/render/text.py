"""A plan for a terminal: one block a page, one line an operation, what does not change hidden.

Text is made of spans with the name of a style; `paint` alone knows colours.
"""

import json
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from bio_sync.diff import Operation
from bio_sync.jsonvalues import Json
from bio_sync.plan import PUBLISH, UNPUBLISH, UPDATE, Change, Plan
from bio_sync.pointer import from_pointer
from bio_sync.positions import positions_of_moves
from bio_sync.visible import plural, visible

Span: TypeAlias = tuple[str, str]
Line: TypeAlias = Sequence[Span]

WIDTH = 100
MOST_UNMANAGED = 5
LONGEST_VALUE = 2_000
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
SIGNS = {"add": "+", "remove": "-", "replace": "~", "move": "↕", UPDATE: "~", PUBLISH: "↑", UNPUBLISH: "↓"}


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
    for change in plan.changes:
        yield from _page(change)
        yield ()
    for page in plan.gone:
        yield (
            ("! ", "warning"),
            (visible(page.file), "title"),
            (f"  {visible(page.page_id)} is not in this workspace", "warning"),
        )
    yield from ((("! ", "warning"), (visible(warning), "warning")) for warning in plan.warnings)
    if plan.gone or plan.warnings:
        yield ()
    yield from _summary(plan)


def _page(change: Change) -> Iterator[Line]:
    sign = " ".join(SIGNS[action] for action in change.actions)
    title = visible(change.before.title) or "(no title)"
    yield ((f"{sign} ", "replace"), (title, "title"), (f"  {visible(change.file)}", "quiet"))
    yield _visibility(change)
    moves = positions_of_moves(change)
    steps = [(index, step) for index, step in enumerate(change.operations) if step.path != "/published"]
    names = {index: _name(step) for index, step in steps}
    width = min(28, max((len(name) for name in names.values()), default=0))
    for index, step in steps:
        yield from _step(step, names[index].ljust(width), moves.get(index))


def _visibility(change: Change) -> Line:
    """Say who sees the page now and, if that changes, afterwards."""
    url = visible(change.html_url) or "(address unknown)"
    counts = f" · {plural(change.views, 'view')} · {plural(change.clicks, 'click')}"
    if UNPUBLISH in change.actions:
        return (("  LIVE ", "live"), (url, "plain"), (counts, "plain"), (" · vanishes from the public", "live"))
    if PUBLISH in change.actions:
        return (("  not public yet", "plain"), (" · becomes LIVE at ", "live"), (url, "plain"))
    if change.is_published:
        return (("  LIVE ", "live"), (url, "plain"), (counts, "plain"))
    return (("  not public", "plain"),)


def _step(step: Operation, name: str, positions: tuple[int, int] | None) -> Iterator[Line]:
    sign = (f"    {SIGNS[step.op]} ", step.op)
    if step.op == "move":
        source, target = positions or (_index(step.source or "") + 1, _index(step.path) + 1)
        yield (sign, (f"{name}  ", "plain"), (f"{_item(step.after)}  position {source} → {target}", "move"))
    elif step.op == "add":
        yield (sign, (f"{name}  ", "plain"), (_item(step.after), "add"))
    elif step.op == "remove":
        yield (sign, (f"{name}  ", "plain"), (_item(step.before), "remove"))
    else:
        before, after = _value(step.before), _value(step.after)
        if len(name) + len(before) + len(after) + 11 <= WIDTH:
            yield (sign, (f"{name}  ", "plain"), (before, "remove"), (" → ", "plain"), (after, "add"))
        else:
            yield (sign, (name.rstrip(), "plain"))
            yield (("        - ", "remove"), (before, "remove"))
            yield (("        + ", "add"), (after, "add"))


def _name(step: Operation) -> str:
    """Name the place of a step in words: `title`, `link 2 label`, `layout.columns`."""
    tokens = from_pointer(step.path)
    if tokens[:2] == ("page_data", "links") and len(tokens) > 2 and tokens[2].isdecimal():
        if step.op == "move" and len(tokens) == 3:
            return "link"
        return visible(" ".join(("link", str(int(tokens[2]) + 1), *tokens[3:])))
    tokens = tokens[1:] if len(tokens) > 1 else tokens
    return visible(".".join(tokens)) or '""'


def _item(value: Json) -> str:
    """Show a whole value: a link by its label and address, whatever else it has after them."""
    if isinstance(value, dict) and isinstance(value.get("label"), str) and isinstance(value.get("url"), str):
        more = {key: member for key, member in value.items() if key not in {"label", "url"}}
        url = visible(str(value["url"]))
        return f"{_value(value['label'])}  {url}{f'  {_value(more)}' if more else ''}"
    return _value(value)


def _value(value: Json) -> str:
    if value is None or value == "":
        return "(empty)"
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > LONGEST_VALUE:
        half = LONGEST_VALUE // 2
        text = f"{text[:half]} …{len(text) - LONGEST_VALUE:,} characters more… {text[-half:]}"
    return visible(text)


def _index(pointer: str) -> int:
    return int(from_pointer(pointer)[-1])  # a move is always one inside a list


def _summary(plan: Plan) -> Iterator[Line]:
    count = plan.summary
    rest = [
        f"{count[key]:,} {words}" for key, words in (("unchanged", "unchanged"), ("gone", "not found")) if count[key]
    ]
    if plan.changes:
        calls = [f"{count[action]:,} to {action}" for action in (UPDATE, PUBLISH, UNPUBLISH) if count[action]]
        only_updates = count[UPDATE] == len(plan.changes) and len(calls) == 1
        detail = "" if only_updates else f" ({', '.join(calls)})"
        yield (
            ("Plan: ", "title"),
            (", ".join([f"{plural(len(plan.changes), 'page')} to change{detail}", *rest]) + ".", "plain"),
        )
    elif count["gone"]:
        yield (("Nothing to change: ", "title"), (", ".join(rest) + ".", "plain"))
    else:
        yield (("No changes. ", "title"), (_as_wanted(count["pages"]), "plain"))
    if count["live"]:
        who = "1 of them is" if count["live"] == 1 else f"{count['live']} of them are"
        yield (
            ("      ", "plain"),
            (f"{who} LIVE", "live"),
            (": visitors see the change the moment it is applied.", "plain"),
        )
    yield from _unmanaged(plan)
    yield _calls(plan)


def _as_wanted(pages: int) -> str:
    return "The page is as its file wants it." if pages == 1 else f"All {pages:,} pages are as their files want them."


def _unmanaged(plan: Plan) -> Iterator[Line]:
    if not plan.unmanaged:
        return
    named = ", ".join(visible(page.slug or page.page_id) for page in plan.unmanaged[:MOST_UNMANAGED])
    more = len(plan.unmanaged) - MOST_UNMANAGED
    named += f" and {more:,} more" if more > 0 else ""
    yield (("      ", "plain"), (f"{plural(len(plan.unmanaged), 'live page')} without a file: {named}.", "quiet"))


def _calls(plan: Plan) -> Line:
    now = plan.circumstances
    text = f"API:  {plural(now.calls, 'call')} used"
    if plan.changes:
        text += f", {plan.calls_to_apply:,} to apply ({plural(plan.writes, 'write')})"
    if now.quota_remaining is not None:
        text += f", {now.quota_remaining:,} left this month"
    return ((f"{text}.", "quiet"),)
