"""From what the session was told to a configuration, a client and a plan."""

import os
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from bio_sync.options import Session
from bio_sync.visible import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bio_sync.api import Api
    from bio_sync.applying.guards import Limit
    from bio_sync.base import BaseFiles
    from bio_sync.config import Config
    from bio_sync.interruption import Interruption
    from bio_sync.key import ApiKey
    from bio_sync.pages import PageFiles
    from bio_sync.planning import Plan

    Client = TypeVar("Client", bound=Api)


def configuration(session: Session) -> "Config":
    """Read the configuration."""
    from bio_sync.config import read_config  # noqa: PLC0415

    return read_config(session.config)


def told_key(session: Session) -> "ApiKey":
    """Read the key that the environment and the flags name, and keep it off all output."""
    from bio_sync.key import read_key  # noqa: PLC0415

    key = read_key(os.environ, file=session.api_key_file)
    session.terminal.hide(key)
    return key


def connect(
    session: Session,
    kind: "type[Client]",
    interruption: "Interruption | None" = None,
    *,
    key: "ApiKey | None" = None,
) -> "Client":
    """Make a client for the service that the environment and the flags name; `key` is one that was read already."""
    from bio_sync.interruption import Interruption  # noqa: PLC0415

    key = key or told_key(session)
    interruption = interruption or Interruption()
    api = kind(
        _told_address(session),
        key,
        timeout=session.timeout,
        clock=session.clock,
        sleep=session.sleep or interruption.sleep,
        ending=interruption.ending,
        watch=session.terminal.watch,
    )
    session.meter = api.meter
    return api


def read_page_files(
    session: Session, paths: "Sequence[str]", config: "Config", *, at: datetime, calls: bool = True
) -> "PageFiles":
    """Read the page files that `paths` name, or else those of the configuration, for the moment `at`.

    `calls` tells whether the command will call the service.
    """
    from bio_sync import workflow  # noqa: PLC0415

    with session.terminal.watching() as watch:
        return workflow.read_files(paths, config, at=at, watch=watch, meanwhile=_load_client if calls else None)


def _load_client() -> None:
    import bio_sync.api  # noqa: F401, PLC0415


def guard_limit(config: "Config") -> "Limit":
    """Give how many pages may change without `--force`."""
    from bio_sync.applying.guards import USUAL_LIMIT, Limit  # noqa: PLC0415

    return USUAL_LIMIT if config.max_changes is None else Limit.read(config.max_changes)


def base_files(files: "PageFiles", config: "Config", revision: str) -> "BaseFiles":
    """Find the page files as they were at `revision`."""
    from bio_sync.base import read_base  # noqa: PLC0415 - and git with it

    return read_base(files, config, revision)


def commit_of(files: "PageFiles") -> str | None:
    """Give the commit that the page files belong to, where git or the CI system knows it."""
    from bio_sync.files import repository_root  # noqa: PLC0415
    from bio_sync.git import head_commit  # noqa: PLC0415

    first = next(iter(files.sources.values()))
    return head_commit(repository_root(first.path.parent), os.environ)


def planned(
    session: Session,
    files: "PageFiles",
    api: "Api",
    *,
    now: datetime | None = None,
    at: str | None = None,
    commit: str | None = None,
    base: "BaseFiles | None" = None,
    limit: "Limit | None" = None,
    strangers: bool = False,
) -> "Plan":
    """Make the plan of the page files against the live pages; with `limit`, it says what needs `--force`.

    `now` is the moment that the files were read for, unless that was another one, `at`, which somebody asked for.
    """
    from bio_sync import workflow  # noqa: PLC0415

    session.terminal.detail(f"{plural(files.files, 'page file')} read; asking {api.address}")
    now = now or files.at
    with session.terminal.watching() as watch:
        return workflow.plan_pages(
            files, api, now=now, at=at, commit=commit, base=base, limit=limit, strangers=strangers, watch=watch
        )


def planned_offline(
    session: Session, files: "PageFiles", base: "BaseFiles", *, now: datetime, at: str | None, commit: str | None
) -> "Plan":
    """Make the plan of the page files against what they were at `base`, without the service."""
    from bio_sync import workflow  # noqa: PLC0415
    from bio_sync.address import service_address  # noqa: PLC0415

    session.terminal.detail(f"{plural(files.files, 'page file')} read; comparing with {base.revision.commit}")
    address = service_address(_told_address(session))
    return workflow.plan_offline(files, base, api_url=address, now=now, at=at, commit=commit)


def _told_address(session: Session) -> str:
    from bio_sync.address import DEFAULT_ADDRESS  # noqa: PLC0415

    # An empty variable is how CI systems say that there is none; an empty flag is a mistake.
    return session.api_url if session.api_url is not None else os.environ.get("XQR_API_URL") or DEFAULT_ADDRESS
