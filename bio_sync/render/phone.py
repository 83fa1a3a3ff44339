"""A page drawn as its visitors see it: theme, placeholder for the picture, title, description, links."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias

from bio_sync.alignment import aligned
from bio_sync.jsonvalues import Json, canonical, same
from bio_sync.model import PageContent, links_of, same_field
from bio_sync.planning import Change
from bio_sync.pointer import from_pointer
from bio_sync.positions import positions_of_moves
from bio_sync.visible import shortened, visible

Kind: TypeAlias = Literal["", "added", "removed", "changed", "moved"]

TONES = 6
THEMES = ("light", "dark")
LONGEST_TEXT = 300
LONGEST_DESCRIPTION = 2_000
# A list of more links folds where at least LEAST_FOLDED of them lie that far from a changed one, and from the ends.
MOST_UNFOLDED = 12
LEAST_FOLDED = 4
NEIGHBOURS = 2


@dataclass(frozen=True, slots=True)
class Drawn:
    """A piece of a drawn page: its text, what happens to it, and that in words (both empty: nothing).

    A text of ours that stands where the page has none is `missing`. Only a description has line ends.
    """

    text: str
    kind: Kind = ""
    words: str = ""
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Links that follow one another. Folded are those that do not change, and are far from any that does."""

    links: tuple[Drawn, ...]
    folded: bool


@dataclass(frozen=True, slots=True)
class Phone:
    """A page as its visitors see it; `tone` is one of the TONES colours behind the `initial`, for want of a picture.

    `no_links` says why there are none.
    """

    public: bool
    theme: str
    theme_words: str
    tone: int
    initial: str
    picture_words: str
    title: Drawn
    description: Drawn
    runs: tuple[Run, ...]
    no_links: str


def phones_of(change: Change) -> tuple[Phone, Phone]:
    """Draw a changed page as it is and as it would be, each with marks on what differs from the other."""
    before, after = change.before, change.after
    old, new = links_of(before.page_data), links_of(after.page_data)
    pairs = aligned(old, new)
    back = {source: target for target, source in pairs.items()}
    moved = _moved(change)
    moved_from = {target: source for source, target in moved.items()}
    gone_or_kept = _drawn(old, new, back, moved, move="moves to", alone=("removed", "removed"))
    kept_or_new = _drawn(new, old, pairs, moved_from, move="moved from", alone=("added", "new"))
    tone = zlib.crc32(change.page_id.encode()) % TONES
    return (
        _phone(before, after, gone_or_kept, tone, "picture changes"),
        _phone(after, before, kept_or_new, tone, "new picture"),
    )


def _phone(page: PageContent, other: PageContent, links: Sequence[Drawn], tone: int, another: str) -> Phone:
    theme, other_theme = page.page_data.get("theme"), other.page_data.get("theme")
    picture, other_picture = page.page_data.get("avatar_url"), other.page_data.get("avatar_url")
    initial = (page.title or "").strip().upper()[:1]
    return Phone(
        public=page.published is not False,
        theme=theme if isinstance(theme, str) and theme in THEMES else "",
        theme_words="" if same(theme, other_theme) else f"theme: {_text(theme) or 'not set'}",
        tone=tone,
        initial=initial if initial.isprintable() else "",
        picture_words="" if same(picture, other_picture) else another if picture else "no picture",
        title=_title(page.title, other.title),
        description=_description(page.description, other.description),
        runs=tuple(_runs(links)),
        no_links="" if links else _why_no_links(page),
    )


def _title(title: str | None, other: str | None) -> Drawn:
    text = _text(title).strip()
    differs = not same_field("title", title, other)
    return _marked(text or "(no title)", "title", differs=differs, missing=not text)


def _description(description: str | None, other: str | None) -> Drawn:
    text = description or ""
    if len(text) > LONGEST_DESCRIPTION:
        text = f"{text[: LONGEST_DESCRIPTION // 2]}…{text[-LONGEST_DESCRIPTION // 2 :]}"
    text = "\n".join(map(visible, text.replace("\r\n", "\n").split("\n"))).strip()
    differs = not same_field("description", description, other)
    # One that is not there leaves no gap on the page; that it goes or comes has to show.
    return _marked(text or ("(no description)" if differs else ""), "description", differs=differs, missing=not text)


def _marked(text: str, name: str, *, differs: bool, missing: bool) -> Drawn:
    return Drawn(text, "changed", f"{name} changed", missing) if differs else Drawn(text, missing=missing)


def _drawn(
    links: Sequence[Json],
    others: Sequence[Json],
    pairs: Mapping[int, int],
    moves: Mapping[int, int],
    *,
    move: str,
    alone: tuple[Kind, str],
) -> list[Drawn]:
    """Draw the links of one side; `pairs` and `moves` lead to the other, and `alone` marks those that lead nowhere."""
    return [
        _kept(link, others[pairs[index]], _move(move, index, moves)) if index in pairs else Drawn(_label(link), *alone)
        for index, link in enumerate(links)
    ]


def _move(words: str, index: int, moved: Mapping[int, int]) -> str:
    if index not in moved:
        return ""
    return f"{words} {moved[index] + 1}" if moved[index] != index else "others move past it"


def _kept(link: Json, other: Json, move: str) -> Drawn:
    edits = []
    if isinstance(link, dict) and isinstance(other, dict):
        names = {"label": "label", "url": "address"}
        differing = [key for key in ("label", "url", *link, *other) if not same(link.get(key), other.get(key))]
        edits = list(dict.fromkeys(names.get(key, "other details") for key in differing))
    elif not same(link, other):
        edits = ["value"]
    edit = f"{' and '.join(edits)} changed" if edits else ""
    kind: Kind = "changed" if edit else "moved" if move else ""
    return Drawn(_label(link), kind, " · ".join(filter(None, (move, edit))))


def _moved(change: Change) -> dict[int, int]:
    """Give `{index before: index after}` of the links that an operation moves."""
    moves = positions_of_moves(change)
    return {
        was - 1: will_be - 1
        for index, (was, will_be) in moves.items()
        if from_pointer(change.operations[index].path)[:-1] == ("page_data", "links")
    }


def _runs(links: Sequence[Drawn]) -> Iterator[Run]:
    """Cut a long list where nothing changes, so that a change far down needs no search."""
    ends = (0, len(links) - 1)
    kept = {index for index, link in enumerate(links) if link.kind or index in ends or len(links) <= MOST_UNFOLDED}
    near = {index + away for index in kept for away in range(-NEIGHBOURS, NEIGHBOURS + 1)}
    for is_near, group in groupby(range(len(links)), key=near.__contains__):
        run = tuple(links[index] for index in group)
        yield Run(run, folded=not is_near and len(run) >= LEAST_FOLDED)


def _why_no_links(page: PageContent) -> str:
    links = page.page_data.get("links")
    return "(no links)" if links is None or links == [] else "(its links are no list, and can not be drawn)"


def _label(link: Json) -> str:
    if isinstance(link, dict):
        named = link.get("label") or link.get("url")
        link = named if isinstance(named, str) else link
    return _text(link) or "(empty)"


def _text(value: Json) -> str:
    """Give a value as visible text of about LONGEST_TEXT characters."""
    if value is None:
        return ""
    return shortened(value if isinstance(value, str) else canonical(value), LONGEST_TEXT)
