"""From what the session was told to a configuration, a client and a plan."""

import os
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from bio_sync.options import Session
from bio_sync.visible import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bio_sync.api import Api
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
    from bio_sync.address import told_address  # noqa: PLC0415
    from bio_sync.interruption import Interruption  # noqa: PLC0415

    key = key or told_key(session)
    interruption = interruption or Interruption()
    api = kind(
        told_address(session.api_url, os.environ),
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


def base_files(files: "PageFiles", config: "Config", revision: str) -> "BaseFiles":
    """Find the page files as they were at `revision`."""
    from bio_sync.base import read_base  # noqa: PLC0415 - and git with it

    return read_base(files, config, revision)


def planned(
    session: Session,
    files: "PageFiles",
    api: "Api",
    *,
    now: datetime | None = None,
    at: str | None = None,
    commit: str | None = None,
    base: "BaseFiles | None" = None,
    held_to: "Config | None" = None,
    strangers: bool = False,
) -> "Plan":
    """Make the plan of the page files against the live pages; with `held_to`, it says what holds back an apply.

    `now` is the moment that the files were read for, unless that was another one, `at`, which somebody asked for.
    """
    from bio_sync import workflow  # noqa: PLC0415

    session.terminal.detail(f"{plural(files.files, 'page file')} read; asking {api.address}")
    now = now or files.at
    with session.terminal.watching() as watch:
        return workflow.plan_pages(
            files,
            api,
            now=now,
            at=at,
            commit=commit,
            base=base,
            limit=workflow.guard_limit(held_to) if held_to else None,
            reserve=held_to.reserve if held_to else 0,
            strangers=strangers,
            watch=watch,
        )


def planned_offline(
    session: Session, files: "PageFiles", base: "BaseFiles", *, now: datetime, at: str | None, commit: str | None
) -> "Plan":
    """Make the plan of the page files against what they were at `base`, without the service."""
    from bio_sync import workflow  # noqa: PLC0415
    from bio_sync.address import service_address, told_address  # noqa: PLC0415

    session.terminal.detail(f"{plural(files.files, 'page file')} read; comparing with {base.revision.commit}")
    address = service_address(told_address(session.api_url, os.environ))
    return workflow.plan_offline(files, base, api_url=address, now=now, at=at, commit=commit)
