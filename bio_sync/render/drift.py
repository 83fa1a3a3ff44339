"""Drift: the plan told from the live side, each page with the two answers that there are, printed to copy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from bio_sync import planfile
from bio_sync.diff import operations
from bio_sync.jsonvalues import Json, JsonObject, json_text
from bio_sync.planning import UPDATE, Change, Plan
from bio_sync.render import markdown, text, words
from bio_sync.render.steps import MOST_OF_A_NAME, Step, steps_of
from bio_sync.visible import calls_used, plural, shortened, visible

MEANING = "from the file to the live page: + is on the live page only, - in the file only, ~ differs"
MOST_UNMANAGED = 20
# One page alone must not fill an issue.
BYTES_OF_STEPS = 20_000

# By page id, the commands that end its drift: the pull that takes it over, the apply that puts the file's page back.
Answers: TypeAlias = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Drifted:
    """A page that is not live as its file says: how it differs from the file, and what can be done about it."""

    change: Change
    steps: tuple[Step, ...]
    pull: str
    apply: str


def drifted(plan: Plan, answers: Answers) -> tuple[Drifted, ...]:
    """Turn the changes of a plan round: what is live counts as new, and the file as what was there before."""
    return tuple(_turned_round(change, *answers[change.page_id]) for change in plan.changes)


def _turned_round(change: Change, pull: str, apply: str) -> Drifted:
    before, after = change.after, change.before
    turned = replace(change, before=before, after=after, operations=operations(before, after))
    return Drifted(change, steps_of(turned, offline=False), pull, apply)


def as_json(plan: Plan, answers: Answers) -> str:
    """Write the plan by its schema, each change with its `answers`, the commands that end the drift."""
    document = planfile.as_json(plan)
    changes = document["changes"]
    assert isinstance(changes, list)  # noqa: S101 - as_json says so
    answered: list[Json] = [
        {**change, "answers": dict(zip(("pull", "apply"), answers[page.page_id], strict=True))}
        for change, page in zip(changes, plan.changes, strict=True)
        if isinstance(change, dict)
    ]
    whole: JsonObject = {**document, "changes": answered}
    return json_text(whole)


def as_text(plan: Plan, answers: Answers, *, colour: bool = False) -> str:
    """Write drift for a terminal, with ANSI colours if asked."""
    return text.paint(list(_lines(plan, answers)), colour=colour)


def _lines(plan: Plan, answers: Answers) -> Iterator[text.Line]:
    pages = drifted(plan, answers)
    if pages:
        yield (("Drift, ", "title"), (f"{MEANING}.", "plain"))
        yield ()
    for page in pages:
        # As visitors see it now: what an apply would publish or hide is among the steps.
        yield from text.page_lines(replace(page.change, actions=(UPDATE,)), page.steps)
        yield (("  to take it over:  ", "quiet"), (page.pull, "title"))
        yield (("  to put it back:   ", "quiet"), (page.apply, "title"))
        yield ()
    yield from text.warning_lines(plan)
    if plan.unmanaged:
        yield (("Live pages without a file: ", "title"), ("bio-sync pull PAGE_ID gives one a file.", "plain"))
        for page_id, rest in _unmanaged(plan)[:MOST_UNMANAGED]:
            yield ((f"    {page_id}", "plain"), (f"  {rest}" if rest else "", "quiet"))
        if len(plan.unmanaged) > MOST_UNMANAGED:
            yield ((f"    and {len(plan.unmanaged) - MOST_UNMANAGED:,} more", "plain"),)
        yield ()
    title, rest = _counts(plan, pages)
    yield ((f"{title} ", "title"), (rest, "plain"))
    if left := words.left_as_live(plan):
        yield ((f"       {left}", "plain"),)
    yield ((f"API:   {_calls(plan)}", "quiet"),)


def _unmanaged(plan: Plan) -> list[tuple[str, str]]:
    return [
        (visible(page.page_id), "  ".join(shortened(each, MOST_OF_A_NAME) for each in (page.slug, page.title) if each))
        for page in plan.unmanaged
    ]


def _counts(plan: Plan, pages: Sequence[Drifted]) -> tuple[str, str]:
    count = plan.summary
    rest = [f"{count['gone']:,} not found"] if count["gone"] else []
    if pages:
        differences = plural(sum(len(page.steps) for page in pages), "difference")
        rest = [f"{len(pages):,} of {plural(count['pages'], 'page')}, {differences}", *rest]
    return ("Drift:", f"{', '.join(rest)}.") if rest else ("No drift.", words.counts(plan)[1])


def _calls(plan: Plan) -> str:
    return f"{calls_used(plan.circumstances.calls, plan.circumstances.quota_remaining)}."


def as_markdown(plan: Plan, answers: Answers, *, label: str = "") -> str:
    """Write drift as GitHub-flavoured Markdown for an issue, of at most 60,000 bytes, cut between pages and steps."""
    pages = drifted(plan, answers)
    title, rest = _counts(plan, pages)
    head = f"{markdown.title('drift', label)}\n\n**{title}** {rest}\n"
    head += "".join(markdown.listed("### ⚠️ Warnings", list(map(markdown.span, words.warnings(plan)))))
    if pages:
        head += f"\nThe differences are told {MEANING}.\n"
    strangers = [" ".join(map(markdown.span, filter(None, named))) for named in _unmanaged(plan)]
    foot = "".join(markdown.listed("### Live pages without a file", strangers, most=MOST_UNMANAGED))
    foot += f"\n---\n\n{_calls(plan)}\n"
    room = markdown.MOST_BYTES - markdown.size(head + foot) - markdown.BYTES_AROUND
    blocks = list(markdown.fitting(map(_block, pages), room))
    more = len(pages) - len(blocks)
    left_out = f"\nand {plural(more, 'more page')}: `bio-sync drift` shows all of them\n" if more else ""
    return f"{head}{''.join(blocks)}{left_out}{foot}"


def _block(page: Drifted) -> str:
    change = page.change
    parts = [
        "<b>LIVE</b>" if change.is_published else "not public",
        markdown.code(words.title_of(change)),
        markdown.code(shortened(change.file, MOST_OF_A_NAME)),
        plural(len(page.steps), "difference"),
        words.impact_of(change),
    ]
    address = f"{markdown.span(words.address_of(change))}\n\n" if change.html_url else ""
    body = markdown.diffs(page.steps, BYTES_OF_STEPS, "difference")
    answers = markdown.fenced(f"{page.pull}\n{page.apply}\n", "sh")
    return (
        f"\n<details open>\n<summary>{' · '.join(parts)}</summary>\n\n{address}{body}\n"
        f"Take it over into the file, or put the file's page back:\n\n{answers}\n</details>\n"
    )
