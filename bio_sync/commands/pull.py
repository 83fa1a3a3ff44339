"""`bio-sync pull`: live pages to page files, comments kept."""

import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bio_sync.commands.group import command
from bio_sync.commands.output import make_folder
from bio_sync.commands.service import configuration, connect
from bio_sync.errors import NotWritten
from bio_sync.options import Session
from bio_sync.progress import ASKING, COMPARING, SAVING
from bio_sync.visible import calls_used, plural, shortened, tally, visible

if TYPE_CHECKING:
    from bio_sync.config import Config
    from bio_sync.model import LivePage
    from bio_sync.pages import PageFiles
    from bio_sync.pulling import PulledFile


@command("pull", example="bio-sync pull --all --dir pages")
@click.argument("named", metavar="[PAGE_ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every live page, also those without a file.")
@click.option("--dir", "folder", metavar="DIR", help="Folder for new files. [default: that of the page files]")
@click.option("--dry-run", is_flag=True, help="Print the patch, and write nothing.")
@click.option("--force", is_flag=True, help="Write over files that are not committed, too.")
def pull(
    session: Session, *, named: tuple[str, ...], everything: bool, folder: str | None, dry_run: bool, force: bool
) -> int:
    """Take live pages over into page files. A plan right after it is empty.

    PAGE_IDs are ids of live pages, or their files; without any, all pages that have a file. In a file that is there,
    only what differs is edited: comments, quotes and the order of the rest stay as they are.
    """
    from bio_sync import pulling, workflow  # noqa: PLC0415
    from bio_sync.answers import PAGE_ID  # noqa: PLC0415

    if folder == "" or "" in named:
        raise click.UsageError("an argument is empty: is a variable unset?")
    if everything and named:
        raise click.UsageError("--all takes every page: give it, or PAGE_IDs, not both.")
    for each in named:
        if not (pulling.is_path(each) or PAGE_ID.fullmatch(each)):
            raise click.UsageError(f"'{visible(each)}' is no id of a page, such as bio_abc123, and no file.")
    config = configuration(session)
    place = pulling.new_files_folder(config, folder)
    searched = [str(place)] if folder and place.is_dir() else []
    paths = [*filter(pulling.is_path, named), *searched]
    with session.terminal.watching() as watch:
        files = pulling.read_repository(config, paths, at=session.now(), watch=watch)
    workflow.checked(files)
    wanted = pulling.ids_of(named, files) if named else [page.page_id for page in files.desired]
    if not (wanted or everything):
        raise click.UsageError("there are no page files yet: give PAGE_IDs, or --all for every live page.")
    live = live_pages(session, wanted, everything=everything)
    return pull_pages(session, config, files, wanted, place, live, everything=everything, dry_run=dry_run, force=force)


def pull_everything(session: Session, config: "Config", folder: Path, live: "Mapping[str, LivePage]") -> int:
    """Write a file into `folder` for every one of the `live` pages that has none, and give the exit code."""
    from bio_sync import pulling, workflow  # noqa: PLC0415

    searched = [str(folder)] if folder.is_dir() else []
    with session.terminal.watching() as watch:
        files = pulling.read_repository(config, searched, at=session.now(), watch=watch)
    workflow.checked(files)
    return pull_pages(session, config, files, (), folder, live, everything=True)


def live_pages(session: Session, wanted: Sequence[str], *, everything: bool) -> "dict[str, LivePage]":
    """Ask the service for pages, by id."""
    from bio_sync import pulling  # noqa: PLC0415
    from bio_sync.api import Api  # noqa: PLC0415
    from bio_sync.model import PAGES_A_CALL  # noqa: PLC0415

    with session.terminal.watching() as watch:
        watch.begin(ASKING, len(wanted) if len(wanted) > PAGES_A_CALL else None)
        with connect(session, Api) as api:
            return pulling.live_pages(api, wanted, everything=everything)


def pull_pages(
    session: Session,
    config: "Config",
    files: "PageFiles",
    wanted: Sequence[str],
    place: Path,
    live: "Mapping[str, LivePage]",
    *,
    everything: bool,
    dry_run: bool = False,
    force: bool = False,
) -> int:
    """Show or write what becomes of the files of `live` pages, and give the exit code.

    With `everything`, those that are live and have no file come on top of those that are wanted.
    """
    from bio_sync import pulling  # noqa: PLC0415

    strangers = sorted(live.keys() - files.sources.keys(), key=lambda page_id: (live[page_id].slug, page_id))
    with session.terminal.watching() as watch:
        ids = watch.counted(COMPARING, [*wanted, *(strangers if everything else ())])
        pulled = list(pulling.pulled_files(live, ids, files, config, place, secret=session.terminal.redacts))
    if not (dry_run or force):
        pulling.check_committed(pulled)
    if dry_run:
        _show_patches(session, pulled)
    failed = [] if dry_run else _written(session, pulled)
    _tell_what_is_left(session, pulled)
    unread = [file for file in pulled if file.before is None and not pulling.is_read_later(file, config)]
    if unread:
        where = visible(str(place))
        session.terminal.complain(
            f"warning: commands without PATHs pass over {where}: add it to `pages` in bio-sync.yaml"
        )
    say = session.terminal.say if dry_run else session.terminal.result
    say(_summary(pulled, failed, session, dry_run=dry_run))
    return 1 if failed or any(file.after is None for file in pulled) else 0


def _written(session: Session, pulled: Sequence["PulledFile"]) -> list["PulledFile"]:
    """Write the files, and give those that can't be written."""
    with session.terminal.watching() as watch:
        return [file for file in watch.counted(SAVING, pulled) if not _write(session, file)]


def _write(session: Session, file: "PulledFile") -> bool:
    """Write a file and tell it; one that can't be written is told, and does not stop the others."""
    if file.after is None:
        return True
    word = "new" if file.before is None else "changed" if file.is_changed else "unchanged"
    if file.is_changed:
        try:
            make_folder(file.path.parent, hint="name another one: --dir DIR")
            session.terminal.save(os.path.relpath(file.path), file.after)
        except NotWritten as error:
            session.terminal.complain(f"error: {error.message}\nhint: {error.hint}")
            return False
    tell = session.terminal.result if file.is_changed else session.terminal.detail
    tell(f"{word:<9}  {visible(file.name)}  {visible(file.page_id)}" + ("\n" if file.is_changed else ""))
    return True


def _show_patches(session: Session, pulled: Sequence["PulledFile"]) -> None:
    for file in pulled:
        session.terminal.result(_patch(file))
    changed = [text for file in pulled if file.is_changed for text in (file.before or "", file.after or "")]
    paths = [_path_in_patch(file) for file in pulled if file.is_changed]
    lines = [line.removeprefix("\ufeff") for text in changed for line in text.split("\n")]
    if any(visible(path) != path for path in paths) or any(_as_shown(line) != line for line in lines):
        words = "characters that do not show are written as escapes, so this patch may be read, and not applied"
        session.terminal.complain(f"warning: {words}")


def _patch(file: "PulledFile") -> str:
    """Give the change of a file as a patch that `git apply` and `patch -p1` take."""
    if file.after is None or not file.is_changed:
        return ""
    before, after = _lines(file.before or ""), _lines(file.after)
    path = _path_in_patch(file)
    # As git does it: `patch` would end a name at a space.
    name = visible(path) + ("\t" if " " in path else "")
    old, new = "/dev/null" if file.before is None else f"a/{name}", f"b/{name}"
    head, lines = f"--- {old}\n+++ {new}\n", list(difflib.unified_diff(before, after, old, new))
    return head + "".join(map(_patch_line, lines[2:]))


def _path_in_patch(file: "PulledFile") -> str:
    """Give the path of a file from here, or from the top of the repository when it lies elsewhere in it."""
    from bio_sync.files import repository_root  # noqa: PLC0415

    root = repository_root(file.path.parent)
    if root and (file.name.startswith("..") or file.path == Path(file.name)):
        return os.path.relpath(file.path, os.path.realpath(root)).replace(os.sep, "/")
    return file.name


def _lines(text: str) -> list[str]:
    # Not splitlines(): a line separator inside a line is none of git's.
    return [f"{line}\n" for line in text.split("\n")[:-1]] + [line for line in text.split("\n")[-1:] if line]


def _patch_line(line: str) -> str:
    text = line.removesuffix("\n")
    end = "\r" if text.endswith("\r") else ""
    # Neither acts on a screen, and without them the patch would not be that of the file.
    mark = "\ufeff" if text[1:2] == "\ufeff" else ""
    shown = _as_shown(text[1 + len(mark) :].removesuffix(end))
    missing = "" if line.endswith("\n") else "\n\\ No newline at end of file"
    return f"{text[:1]}{mark}{shown}{end}{missing}\n"


def _as_shown(line: str) -> str:
    # A tab acts on nothing, and a carriage return at the end is part of the line end.
    end = "\r" if line.endswith("\r") else ""
    return "\t".join(map(visible, line.removesuffix(end).removeprefix("\ufeff").split("\t"))) + end


def _tell_what_is_left(session: Session, pulled: Sequence["PulledFile"]) -> None:
    for file in pulled:
        name = visible(file.name)
        if file.after is None:
            session.terminal.complain(f"error: {name}: page {visible(file.page_id)} is not in this workspace")
            session.terminal.complain("hint: if it was deleted for good, delete its file too")
        for label in file.woken:
            out = "is live outside its time: that time is out of the file now"
            session.terminal.complain(f"warning: {name}: the link '{shortened(label)}' {out}")
        for pointer, why in file.left.items():
            session.terminal.complain(f"warning: {name}: {visible(pointer)} is left as it is live: {visible(why)}")


def _summary(pulled: Sequence["PulledFile"], failed: Sequence["PulledFile"], session: Session, *, dry_run: bool) -> str:
    there = [file for file in pulled if file.after is not None and file not in failed]
    new = sum(file.before is None for file in there)
    changed = sum(file.is_changed for file in there) - new
    counts = {
        "new": new,
        "changed": changed,
        "unchanged": len(there) - new - changed,
        "not written": len(failed),
        "not found": sum(file.after is None for file in pulled),
    }
    assert session.meter is not None  # noqa: S101 - connected
    cost = calls_used(session.meter.calls, session.meter.quota_remaining)
    done = "Would pull" if dry_run else "Pulled"
    return f"{done} {plural(len(there), 'page')}: {tally(counts)}. API: {cost}." + ("" if dry_run else "\n")
