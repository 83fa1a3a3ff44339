"""`bio-sync drift`: how live pages differ from their files, and the two answers to it."""

import os
import sys
from typing import TYPE_CHECKING

from bio_sync.commands.group import Out, command, format_option, out_option, paths_argument
from bio_sync.commands.output import check_folders, save, writing_up
from bio_sync.commands.service import configuration, connect, planned, read_page_files
from bio_sync.options import Session
from bio_sync.shell import id_words, path_word, typed

if TYPE_CHECKING:
    from bio_sync.config import Config
    from bio_sync.pages import PageFiles
    from bio_sync.planning import Plan
    from bio_sync.render.drift import Answers

DRIFTED = 2
FORMATS = ("text", "json", "markdown")


@command("drift", example="bio-sync drift --format markdown")
@paths_argument
@format_option(*FORMATS)
@out_option(*FORMATS)
def drift(session: Session, paths: tuple[str, ...], outs: tuple[Out, ...]) -> int:
    """Show how live pages differ from their files. It only reads, and exits with 2 when any differs.

    It is the plan told from the live side, with the two answers to each difference: pull it, or apply over it.
    """
    check_folders(outs)
    from bio_sync import workflow  # noqa: PLC0415
    from bio_sync.api import Api  # noqa: PLC0415

    config = configuration(session)
    files = read_page_files(session, paths, config, at=session.now())
    workflow.checked(files)
    with connect(session, Api) as api:
        made = planned(session, files, api, strangers=True)
    with writing_up(session, made):
        answers = _answers(session, config, files, made)
        saved = save(session, outs, lambda form: _rendered(made, answers, form))
        text = _rendered(made, answers, session.output_format, colour=session.terminal.colours(sys.stdout))
    session.terminal.result(text)
    if not saved:
        return 1
    return DRIFTED if made.changes or made.gone else 0


def _answers(session: Session, config: "Config", files: "PageFiles", made: "Plan") -> "Answers":
    """Give by page id what ends a drift; a file that a pull of its page's id would not find is pulled by its name."""
    from bio_sync import pulling  # noqa: PLC0415

    if not made.changes:
        return {}
    told = ("--config", session.config) if session.config else ()
    found = {os.path.realpath(file.path) for file in pulling.every_page_file(config, ())}
    answers = {}
    for change in made.changes:
        source = files.sources[change.page_id]
        path = path_word(source.name)
        named = id_words(change.page_id) if os.path.realpath(source.path) in found else (path,)
        answers[change.page_id] = (typed("pull", *told, *named), typed("apply", *told, path))
    return answers


def _rendered(made: "Plan", answers: "Answers", output_format: str, *, colour: bool = False) -> str:
    from bio_sync.render import drift as render  # noqa: PLC0415

    if output_format == "json":
        return render.as_json(made, answers)
    if output_format == "markdown":
        return render.as_markdown(made, answers)
    return render.as_text(made, answers, colour=colour)
