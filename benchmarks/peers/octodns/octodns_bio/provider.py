"""The live pages as a provider of octoDNS, and its plan as the ids of the pages that differ."""

import json
import logging
import sys
import urllib.request
from typing import Any, TextIO

# octoDNS has no types, and an environment of its own.
from octodns.provider.base import BaseProvider  # type: ignore[import-not-found,unused-ignore]
from octodns.record import Record  # type: ignore[import-not-found,unused-ignore]

from .zones import ZONES_END, records_of

MOST_LIMIT = 200
TTL = 3600


class LivePages(BaseProvider):  # type: ignore[misc,unused-ignore]
    """The live pages, a zone each; listed once, at the first zone, as providers keep what their service tells them."""

    SUPPORTS_GEO = False
    SUPPORTS = frozenset({"TXT"})

    def __init__(self, id: str, address: str, token: str, **options: Any) -> None:  # noqa: A002 - octoDNS's own name
        self.log = logging.getLogger("LivePages")
        super().__init__(id, **options)
        self._address, self._token = address, token
        self._listed: dict[str, dict[str, Any]] | None = None

    def populate(self, zone: Any, target: bool = False, lenient: bool = False) -> bool:  # noqa: ARG002
        """Fill a zone with the records of its page; tells whether there is one."""
        page = self._pages().get(zone.name.removesuffix(ZONES_END))
        if page is None:
            return False
        for name, value in records_of(page).items():
            data = {"type": "TXT", "ttl": TTL, "value": value}
            zone.add_record(Record.new(zone, name, data, source=self, lenient=lenient), lenient=lenient)
        return True

    def _pages(self) -> dict[str, dict[str, Any]]:
        if self._listed is None:
            self._listed = {}
            for offset in range(0, sys.maxsize, MOST_LIMIT):
                listed = self._ask(f"/bio/pages?limit={MOST_LIMIT}&offset={offset}")
                self._listed |= {page["id"].lower(): page for page in listed}
                if len(listed) < MOST_LIMIT:
                    break
        return self._listed

    def _ask(self, path: str) -> list[dict[str, Any]]:
        request = urllib.request.Request(self._address + path, headers={"Authorization": f"Bearer {self._token}"})  # noqa: S310 - the address of whoever runs this
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - likewise
            listed: list[dict[str, Any]] = json.load(answer)["data"]
        return listed


class ChangedPages:
    """A plan as `changed ID`, one a line, in place of octoDNS's own list of records."""

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, plans: list[tuple[Any, Any]], fh: TextIO = sys.stdout, **_options: Any) -> None:
        """Print the pages whose zones have changes."""
        names = sorted(plan.desired.name for _target, plan in plans)
        fh.writelines(f"changed {name.removesuffix(ZONES_END)}\n" for name in names)
