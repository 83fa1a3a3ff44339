"""What a check-up says of live pages that no file manages, and of files whose pages are not live."""

from collections.abc import Collection

from bio_sync.checkup.seen import Check, Files, Seen
from bio_sync.errors import ServiceError
from bio_sync.model import LivePage
from bio_sync.shell import typed
from bio_sync.visible import and_more, plural, shortened

MOST_NAMED = 3


def about_pages(seen: Seen, files: Files) -> Check:
    """Compare the ids that files name with the live pages that were seen."""
    live = {} if isinstance(seen.live, ServiceError) else seen.live
    least = "at least " if seen.some else ""
    if files.page_ids is None:
        words = f"{least}{plural(len(live), 'live page')}; which of them have a file is not known"
        return Check("pages", "warn", words, "first the files have to be right")
    strangers = [page for page in live.values() if page.page_id not in files.page_ids]
    # What is beyond the pages that were seen may be there.
    gone = sorted(files.page_ids - live.keys()) if not seen.some else []
    if gone and len(gone) == len(files.page_ids):
        one = len(gone) == 1
        words = "the page that a file names" if one else f"none of the {len(gone):,} pages that files name"
        words += f" is {'not ' if one else ''}in this workspace"
        return Check("pages", "fail", words, "is this the right workspace's key?")
    messages, hints = [], []
    if strangers:
        has = "live page has" if len(strangers) == 1 else "live pages have"
        messages.append(f"{least}{len(strangers):,} {has} no file: {_named(list(map(_name, strangers)))}")
        hints.append(_pull(strangers))
    if gone:
        names = "page that files name is" if len(gone) == 1 else "pages that files name are"
        messages.append(f"{len(gone):,} {names} not in this workspace: {_named(gone)}")
        hints.append(
            "remove the file of a page that was deleted" if len(gone) == 1 else "remove files of deleted pages"
        )
    if messages:
        return Check("pages", "warn", "; ".join(messages), "; ".join(hints))
    return Check("pages", "ok", f"{least}{plural(len(live), 'live page')}{', none without a file' if live else ''}")


def _name(page: LivePage) -> str:
    return f"{page.page_id} {shortened(page.slug, 40)}".rstrip()


def _named(names: Collection[str]) -> str:
    return ", ".join(list(names)[:MOST_NAMED]) + and_more(len(names) - MOST_NAMED)


def _pull(strangers: Collection[LivePage]) -> str:
    if len(strangers) > MOST_NAMED:
        return "take them over: bio-sync pull --all"
    ids = [page.page_id for page in strangers]
    separated = ("--", *ids) if any(page_id.startswith("-") for page_id in ids) else ids
    return f"take {'it' if len(strangers) == 1 else 'them'} over: {typed('pull', *separated)}"
