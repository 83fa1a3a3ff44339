"""A plan as a comment on a pull request: what needs a decision first, then a folded block a page.

Foreign text stands in three places only, each of which ends where we say: fenced blocks, code spans, and, since a
summary is HTML, `<code>` with character references there. Nothing in them notifies, links or is laid out.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from bio_sync.errors import BioSyncError
from bio_sync.planning import Change, Plan
from bio_sync.render import words
from bio_sync.render.steps import LONGEST_VALUE, MOST_OF_A_NAME, Step
from bio_sync.render.words import Quoted, Section
from bio_sync.visible import plural, shortened, visible

# GitHub takes 65,536 characters; whoever posts the comment adds a marker and a few lines of its own.
MOST_BYTES = 60_000
# Kept for naming the pages whose blocks do not fit; for each list at the top; for the rest of a block that is cut.
BYTES_FOR_NAMES = 6_000
BYTES_FOR_LISTS = 8_000
BYTES_AROUND = 300
MOST_LISTED = 25
MOST_TRANSITIONS = 10
# Blocks are open when the whole plan can be taken in at a glance.
FEW_STEPS = 10
DIFF_SIGNS = {"add": "+", "remove": "-", "replace": "!", "move": "!"}
Page: TypeAlias = tuple[Section, Change, tuple[Step, ...]]
# A dot is harmless unless it follows a w: GitHub makes a link of what begins with www. What a key is made of stays as
# it is, since a key that stands in a page is cut out of the finished text.
_NOT_HARMLESS = re.compile(r"[^A-Za-z0-9_ /,.()\-=\u0080-\U0010ffff]|(?<=[wW])\.")
_BACKTICKS = re.compile("`+")


def render(plan: Plan, *, label: str = "") -> str:
    """Write a plan as GitHub-flavoured Markdown of at most 60,000 bytes, cut between blocks and steps only.

    `label` tells one of several plans of a repository apart, in the title.
    """
    head, foot = "".join(_head(plan, label)), "".join(_foot(plan))
    return head + _sections(plan, MOST_BYTES - size(head) - size(foot)) + foot


def failure(error: BioSyncError, problems: Sequence[str] = (), *, command: str = "plan", label: str = "") -> str:
    """Write, in the place of a plan, why there is none; `problems` are those of the files, in words."""
    why = "It failed:" if command == "drift" else "There is no plan:"
    said = f"{title(command, label)}\n\n**{why}** {span(shortened(error.message, LONGEST_VALUE))}\n"
    said += f"\n{span(shortened(error.hint, LONGEST_VALUE))}\n" if error.hint else ""
    around = BYTES_AROUND + 2 * len(_fence("".join(problems)))
    told = list(fitting(problems, MOST_BYTES - size(said) - around))
    said += f"\n{fenced(''.join(told), 'text')}" if told else ""
    return said + (f"\nand {len(problems) - len(told):,} more\n" if len(told) < len(problems) else "")


def span(text: str) -> str:
    """Give `text` as a code span (CommonMark 0.31, section 6.1), in which nothing is looked for.

    Character references would not do here: GitHub looks for mail addresses after it has resolved them.
    """
    shown = visible(text) or "(empty)"
    ticks = "`" * (1 + max(map(len, _BACKTICKS.findall(shown)), default=0))
    # One space is taken off both ends where both have one.
    padding = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{padding}{shown}{padding}{ticks}"


def code(text: str) -> str:
    """Give `text` as code inside HTML, where Markdown looks at nothing, and GitHub's filters pass code over."""
    return f"<code>{_NOT_HARMLESS.sub(lambda found: f'&#{ord(found.group())};', visible(text))}</code>"


def fenced(text: str, language: str) -> str:
    """Give `text`, whole lines, in a fence that is longer than any run of backticks in it."""
    fence = _fence(text)
    return f"{fence}{language}\n{text}{fence}\n"


def _fence(text: str) -> str:
    return "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(text)), default=0))


def title(command: str, label: str = "") -> str:
    """Give the heading that a comment or an issue begins with."""
    return f"## bio-sync {command}" + (f": {span(shortened(label))}" if label else "")


def _head(plan: Plan, label: str) -> Iterator[str]:
    count, rest = words.counts(plan)
    yield f"{title('plan', label)}\n\n**{count}** {rest}\n"
    moment, meaning = words.as_of(plan, span)
    if moment:
        yield f"\n**{moment}**{meaning}\n"
    who, what = words.live_pages(plan)
    if who:
        yield f"\n**{who}**{what}\n"
    if compared := words.compared_with(plan, span):
        yield f"\n{compared}\n"
    yield from listed("### ⚠️ Warnings", [span(warning) for warning in words.warnings(plan)])
    found = [f"{span(address)} from {span(files)}" for address, files in words.destinations(plan)]
    yield from listed("### New destinations\n\nThe changed pages do not lead there now.", found)
    yield from _transitions(plan)


def _foot(plan: Plan) -> Iterator[str]:
    now = plan.circumstances
    yield "\n---\n\n"
    if left := words.left_as_live(plan):
        yield f"{left}\n\n"
    if strangers := words.unmanaged(plan, span):
        yield f"{strangers}\n\n"
    commit = f"Commit {span(now.commit)} · " if now.commit else ""
    yield f"{commit}digest {span(plan.digest)} · {words.calls(plan)}\n"


def _transitions(plan: Plan) -> Iterator[str]:
    name, meaning = words.TRANSITIONS
    entries = [
        f"{span(each.moment)}: {span(each.label)} {'appears' if each.appears else 'vanishes'}, {span(each.file)}"
        for each in words.transitions(plan, len(plan.transitions))
    ]
    heading = f"### {name[:-1]}\n\n{meaning[:1].upper()}{meaning[1:]}"
    yield from listed(heading, entries, most=MOST_TRANSITIONS)


def listed(heading: str, entries: Sequence[str], most: int = MOST_LISTED) -> Iterator[str]:
    """Give a heading and a list under it, as far as there is room for a list; nothing without entries."""
    if not entries:
        return
    yield f"\n{heading}\n\n"
    room = BYTES_FOR_LISTS
    for number, entry in enumerate(entries):
        room -= size(entry)
        if room < 0 or number == most:
            yield f"- and {len(entries) - number:,} more\n"
            return
        yield f"- {entry}\n"


def _sections(plan: Plan, room: int) -> str:
    """Give the blocks in full as long as there is room; then one that is cut, names, and a count."""
    pages = [(section, *page) for section in words.sections(plan, span) for page in section.pages]
    is_open = sum(len(steps) for _, _, steps in pages) < FEW_STEPS
    full = (_block(pages, number, plan, is_open=is_open) for number in range(len(pages)))
    blocks = list(fitting(full, room))
    if len(blocks) == len(pages):
        return "".join(blocks)
    blocks = list(fitting(blocks, room - BYTES_FOR_NAMES))
    left = room - BYTES_FOR_NAMES - sum(map(size, blocks))
    blocks += filter(None, [_block(pages, len(blocks), plan, is_open=is_open, room=left)])
    return "".join((*blocks, *_left_out(pages[len(blocks) :], plan)))


def fitting(blocks: Iterable[str], room: float) -> Iterator[str]:
    """Give the first blocks, whole, as long as they have room, in bytes."""
    for block in blocks:
        room -= size(block)
        if room < 0:
            return
        yield block


def _block(pages: Sequence[Page], number: int, plan: Plan, *, is_open: bool, room: float = math.inf) -> str:
    """Give a page's fold, under the heading of its section if it is the first there; empty when not a step fits."""
    section, change, steps = pages[number]
    heading = "" if number and pages[number - 1][0] is section else _heading(section)
    begin = f"\n<details{' open' if is_open else ''}>\n<summary>{_summary(change, steps, plan)}</summary>\n\n"
    begin += f"{span(words.address_of(change))}\n\n" if change.html_url else ""
    around = BYTES_AROUND + 2 * len(_fence("".join(map(diff, steps))))
    room -= size(heading + begin) + around
    if not any(fitting(map(diff, steps), room)):
        return ""
    return f"{heading}{begin}{diffs(steps, room, 'change')}\n</details>\n"


def diffs(steps: Sequence[Step], room: float, noun: str) -> str:
    """Give steps as one fenced diff, as many as have room in bytes, and say how many there are more of the `noun`."""
    shown = list(fitting(map(diff, steps), room))
    left = len(steps) - len(shown)
    more = f"\n{plural(left, f'more {noun}')} of this page did not fit here.\n" if left else ""
    return (fenced("".join(shown), "diff") if shown else "") + more


def _summary(change: Change, steps: Sequence[Step], plan: Plan, quoted: Quoted = code) -> str:
    offline = plan.circumstances.offline
    audience = words.audience_of(change, offline=offline)
    parts = [
        audience if audience in {"", "not public"} else f"<b>{audience}</b>",
        quoted(words.title_of(change)),
        quoted(shortened(change.file, MOST_OF_A_NAME)),
        plural(len(steps), "change"),
        "" if offline else words.impact_of(change),
    ]
    return " · ".join(filter(None, parts))


def diff(step: Step) -> str:
    """Give a step as lines of a diff, in which GitHub colours `+`, `-` and `!` at the start of a line."""
    sign = DIFF_SIGNS[step.op]
    if step.op == "replace":
        return f"{sign} {step.name}\n- {step.before}\n+ {step.after}\n"
    value = step.before if step.op == "remove" else step.after
    return f"{sign} {step.name}: {value}{'  ' if step.move else ''}{step.move}\n"


def _left_out(pages: Sequence[Page], plan: Plan) -> Iterator[str]:
    """Name the pages that there was no room for, once each, as far as there is room for names."""
    left: dict[str, tuple[Change, tuple[Step, ...]]] = {}
    for _, change, steps in pages:
        left[change.page_id] = (change, (*left.get(change.page_id, (change, ()))[1], *steps))
    if not left:
        return
    yield f"\n### Not shown here: {plural(len(left), 'page')}\n\n"
    yield "A comment holds no more. `bio-sync plan --out plan.json --out plan.html` saves the whole plan.\n\n"
    lines = (f"- {_summary(change, steps, plan, span)}\n" for change, steps in left.values())
    names = list(fitting(lines, BYTES_FOR_NAMES - 500))
    yield from names
    if len(names) < len(left):
        yield f"- and {len(left) - len(names):,} more\n"


def _heading(section: Section) -> str:
    if section.origin is None:
        return ""
    sign = "" if section.origin == "yours" else "⚠️ "
    return f"\n### {sign}{section.title}\n\n{section.meaning[:1].upper()}{section.meaning[1:]}.\n"


def size(text: str) -> int:
    """Count bytes."""
    return len(text.encode())
