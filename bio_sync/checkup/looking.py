"""Reads the page files as `validate` does, and spends two calls at most."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from bio_sync.checkup.seen import Check, Files, Seen
from bio_sync.config import read_config
from bio_sync.errors import InvalidFiles, NoPages, ServiceError
from bio_sync.problems import Problem
from bio_sync.visible import plural
from bio_sync.workflow import read_files

if TYPE_CHECKING:
    from bio_sync.api import Api
    from bio_sync.model import LivePage

MOST_CALLS = 2
_BEGIN_HINT = "bio-sync init begins a repository; bio-sync pull --all writes the live pages into files"


def read(configuration: str | None, *, now: datetime) -> Files:
    """Read the page files of the repository; `configuration` is what `--config` named."""
    try:
        config = read_config(configuration)
    except InvalidFiles as error:
        return Files(_problems(error.problems))
    except NoPages as error:
        return Files(Check("files", "fail", error.message, error.hint))
    try:
        found = read_files((), config, at=now)
    except NoPages as error:
        return Files(Check("files", "warn", error.message, _BEGIN_HINT), page_ids=frozenset())
    if found.problems:
        return Files(_problems(found.problems), found.files)
    ids = frozenset(page.page_id for page in found.desired)
    return Files(Check("files", "ok", f"{plural(found.files, 'page file')}, no problems"), found.files, ids)


def ask(api: "Api", *, clock: Callable[[], float], now: Callable[[], datetime]) -> Seen:
    """Ask for the list, then for the usage, if the list has left a call and the key is good for it."""
    begun = clock()
    live: dict[str, LivePage] | ServiceError
    try:
        live = api.first_pages()
    except ServiceError as error:
        live = error
    seen = Seen(api.address, live, None, clock() - begun, api.meter.date, now(), None)
    if seen.may_ask and api.meter.calls < MOST_CALLS:
        try:
            seen = replace(seen, usage=api.usage())
        except ServiceError as error:
            seen = replace(seen, usage=error)
    return replace(seen, left=api.meter.quota_remaining)


def _problems(problems: Sequence[Problem]) -> Check:
    first, files = problems[0], len({problem.file for problem in problems})
    words = f"{plural(len(problems), 'problem')} in {plural(files, 'file')}"
    place = f"{first.file}:{first.line}: {first.message}"
    return Check("files", "fail", f"{words}: {place}", "bio-sync validate tells each with its place and its way out")
