"""`bio-sync create`: page files without an id to new pages."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import click

from bio_sync.commands.group import command, files_argument, seconds_option
from bio_sync.commands.service import configuration, connect
from bio_sync.commands.writing import tell_of_the_end
from bio_sync.errors import INCOMPLETE
from bio_sync.options import Session
from bio_sync.progress import ASKING, CREATING, LOST_ANSWER
from bio_sync.shell import path_word, typed
from bio_sync.visible import visible

if TYPE_CHECKING:
    from bio_sync.api import WritingApi
    from bio_sync.creating import Creator, Made, NewPage
    from bio_sync.interruption import Interruption
    from bio_sync.progress import Watch

_GOOD = ("created", "adopted", "unchanged")


@command("create", example="bio-sync create pages/first-page.yaml")
@files_argument
@click.option("--adopt", "adopted", metavar="ID", help="Make no page: take this live one for the page of FILE.")
@seconds_option("--settle", 15.0, "Seconds after which a page is looked for whose answer was lost.")
def create(session: Session, *, paths: tuple[str, ...], adopted: str | None, settle: float) -> int:
    """Make a page for each FILE without an id, and put the id into it.

    A new page is not public: if its file says `published: true`, the next apply publishes it. A FILE that has an id is
    left alone, so it is safe to run again.
    """
    from bio_sync import creating  # noqa: PLC0415
    from bio_sync.errors import NoPages  # noqa: PLC0415
    from bio_sync.files import find_pages  # noqa: PLC0415
    from bio_sync.pulling import every_page_file  # noqa: PLC0415

    if adopted is not None:
        _check_id(adopted)
    config = configuration(session)
    found = find_pages([Path(path) for path in paths])
    if not found:
        hint = "page files end in .yaml or .yml; names that begin with _ or . are skipped"
        raise NoPages(f"there are no page files in {visible(', '.join(paths))}", hint=hint)
    with session.terminal.watching() as watch:
        read = creating.read_new(found, config, at=session.now(), adopts=adopted is not None, watch=watch)
        claimed = creating.claimed_ids(every_page_file(config, paths), watch=watch)
    if adopted is None:
        return _created(session, read, claimed, settle, reserve=config.reserve)
    if len(read) != 1:
        raise click.UsageError("--adopt ID takes one page for one FILE.")
    return _adopted(session, read[0], adopted, claimed)


def _check_id(page_id: str) -> None:
    from bio_sync.answers import PAGE_ID  # noqa: PLC0415

    if not PAGE_ID.fullmatch(page_id):
        raise click.UsageError(f"--adopt '{visible(page_id)}': the id of a page looks like bio_abc123.")


def _adopted(session: Session, new: "NewPage | Made", page_id: str, claimed: dict[str, str]) -> int:
    from bio_sync import creating  # noqa: PLC0415
    from bio_sync.api import Api  # noqa: PLC0415

    with connect(session, Api) as api, session.terminal.watching() as watch:
        watch.begin(ASKING)
        taken = creating.take(new, page_id, api=api, claimed=claimed, save=session.terminal.save)
    _tell(session, taken)
    if taken.outcome == "adopted":
        look, pull = typed("plan", path_word(taken.file)), typed("pull", path_word(taken.file))
        session.terminal.say(f"what an apply would change: {look}\nto take over what is live instead: {pull}")
    return 0


def _created(
    session: Session, read: Sequence["NewPage | Made"], claimed: dict[str, str], settle: float, *, reserve: int
) -> int:
    from bio_sync.api import WritingApi  # noqa: PLC0415
    from bio_sync.creating import Creator, Made  # noqa: PLC0415
    from bio_sync.interruption import Interruption  # noqa: PLC0415

    made = [each for each in read if isinstance(each, Made)]
    for each in made:
        _tell(session, each)
    new = [each for each in read if not isinstance(each, Made)]
    if not new:
        return 0
    interruption = Interruption()
    with connect(session, WritingApi, interruption) as api, session.terminal.watching() as watch:
        watch.begin(ASKING)
        creator = Creator(
            api,
            api.list_pages(everything=True),
            claimed,
            save=session.terminal.save,
            settle=settle,
            sleep=watch.sleeping(LOST_ANSWER, session.sleep or interruption.sleep),
            ending=interruption.ending.is_set,
            reserve=reserve,
        )
        creator.check_quota(new)
        hurry = _hurry_on_interruption(session, interruption, api, watch)
        with interruption:
            session.writing = True
            made += _one_by_one(session, creator, new, watch)
            _tell_summary(session, made)
            _tell_what_is_next(session, new, made)
            if hurry.ident:
                hurry.join()
    return interruption.exit_code or _exit_code(session, made)


def _one_by_one(session: Session, creator: "Creator", new: Sequence["NewPage"], watch: "Watch") -> Iterator["Made"]:
    """Make the pages, and tell of each."""
    watch.begin(CREATING, len(new))
    for number, page in enumerate(new, 1):
        made = creator.create(page)
        watch.reach(CREATING, number)
        _tell(session, made)
        yield made
    watch.end()


def _hurry_on_interruption(session: Session, interruption: "Interruption", api: "WritingApi", watch: "Watch") -> Thread:
    """Let the first Ctrl-C give what is under way a few seconds more, and say so."""

    def hurry() -> None:
        api.hurry()
        tell_of_the_end(session, watch)

    # In a thread of its own: the signal may have stopped the main one anywhere, with a lock in its hand.
    thread = Thread(target=hurry, daemon=True)
    interruption.wake = thread.start
    return thread


def _exit_code(session: Session, made: Sequence["Made"]) -> int:
    """Give the code of a run; of one that wrote and could not tell, it is not the one that says that nothing was."""
    written = any(each.written for each in made)
    if all(each.outcome in _GOOD for each in made):
        return INCOMPLETE if session.terminal.result_lost and written else 0
    return INCOMPLETE if written else 1


def _tell(session: Session, made: "Made") -> None:
    said = visible(made.message)
    if made.request_id and made.outcome not in _GOOD:
        said += f" (request {visible(made.request_id)})"
    if made.twin:
        # The command is the end of the line, to be copied from there.
        adopt = typed("create", path_word(made.file), "--adopt", made.twin)
        said += f". If it is another page, {made.otherwise}; if it is the page of this file, take it: {adopt}"
    told = [visible(made.file), visible(made.page_id), visible(made.address), said]
    session.terminal.result(f"{made.outcome:<9}  {'  '.join(filter(None, told))}\n")


def _tell_what_is_next(session: Session, new: Sequence["NewPage"], made: Sequence["Made"]) -> None:
    there = {each.file for each in made if each.outcome == "created"}
    public = [path_word(page.file) for page in new if page.wanted.published and page.file in there]
    if public:
        session.terminal.say(f"not public yet; to publish: {typed('apply', *public)}")


def _tell_summary(session: Session, made: Sequence["Made"]) -> None:
    from bio_sync import report  # noqa: PLC0415

    assert session.meter is not None  # noqa: S101 - connected
    calls, left = session.meter.calls, session.meter.quota_remaining
    pages: Counter[str] = Counter(each.outcome for each in made)
    session.terminal.result(report.summary_text(pages, calls=calls, quota_remaining=left))
