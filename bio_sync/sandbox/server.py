"""The sandbox as a whole: a server in a thread, and the hands that a test or a rehearsal needs on it."""

from __future__ import annotations

import contextlib
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bio_sync.sandbox import pages as page_rules
from bio_sync.sandbox.answers import API_PREFIX
from bio_sync.sandbox.behaviour import Behaviour, Clock, Page
from bio_sync.sandbox.fault_rules import did_you_mean
from bio_sync.sandbox.faults import Fault, Faults
from bio_sync.sandbox.history import History, Revision
from bio_sync.sandbox.recording import Record, RecordedRequest
from bio_sync.sandbox.service import Service
from bio_sync.sandbox.serving import LOOPBACK, Server, bound
from bio_sync.sandbox.store import KeyRecord, KeyState, Store

if TYPE_CHECKING:
    from collections.abc import Iterable


class Sandbox:
    """A local xQR on a loopback port, from `start` to `stop` or as a context manager."""

    def __init__(
        self,
        pages: Iterable[Page] = (),
        *,
        behaviour: Behaviour | None = None,
        database: Path | str | None = None,
        port: int = 0,
        clock: Clock = time.time,
        faults: Iterable[Fault] = (),
        fault_seed: int = 0,
        keep_history: bool = True,
    ) -> None:
        """Prepare a sandbox; nothing is opened before `start`.

        Args:
            pages: the pages of an empty database, in the API's shape; missing members are filled in.
            behaviour: the variant of xQR to be.
            database: a file that keeps pages, keys and usage between runs; None is memory.
            port: 0 takes a free one.
            clock: Unix seconds; limits, months and timestamps follow it.
            faults: as if appended to `faults`.
            fault_seed: decides which requests meet a fault that has a probability; the same requests in
                the same order meet the same faults.
            keep_history: whether `history` is written; it grows as long as the sandbox lives.
        """
        self.faults = Faults(faults, fault_seed)
        self._history = History(kept=keep_history)
        self._seed = list(pages)
        self._behaviour = behaviour or Behaviour()
        self._database = None if database is None else Path(database)
        self._port = port
        self._clock = clock
        self._record = Record()
        self._service: Service | None = None
        self._server: Server | None = None
        self._key = self._address = ""

    def start(self) -> Self:
        """Open the store, bind the port and serve from a daemon thread.

        Raises:
            OSError: the port is taken, or the database can not be opened.
            ValueError: a seeded page is malformed, the file is not a sandbox database, or a fault edits
                a page that is not there.
        """
        if self._server is not None:
            raise RuntimeError("the sandbox runs already")
        with contextlib.ExitStack() as undo:
            listener = undo.enter_context(bound(self._port))
            store = Store(self._database)
            undo.callback(store.close)
            self._address = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
            service = Service(store, self._behaviour, self._clock, self._address, self._history)
            if store.first_key() is None:
                store.add([page_rules.new_page(page, self._clock()) for page in self._seed])
                store.add_key(_new_key({"*"}, "active"))
            self._check_edits(store)
            self._key = store.first_key() or ""
            self._service = service
            self._server = Server(service, self.faults, self._record, listener)
            undo.pop_all()
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop serving and close everything; a stopped sandbox stays stopped when stopped again.

        A late write that is not due yet is never carried out.
        """
        if self._server is None:
            return
        self._server.stop()
        self._running.catch_up()
        self._running.store.close()
        self._server = self._service = None

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    @property
    def address(self) -> str:
        """The origin of the public pages, such as http://127.0.0.1:40123; empty before the first start."""
        return self._address

    @property
    def url(self) -> str:
        """The base URL of the API."""
        return self.address + API_PREFIX

    @property
    def key(self) -> str:
        """A key with every scope; with a database file the same in every run."""
        return self._key

    @property
    def behaviour(self) -> Behaviour:
        """The variant that is served; may be replaced at any time."""
        return self._behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        if self._service is not None:
            self._service.behaviour = behaviour

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request so far, in the order of arrival; a copy."""
        return self._record.requests()

    @property
    def calls(self) -> list[RecordedRequest]:
        """The requests that the month paid for."""
        return [request for request in self._record.requests() if request.charged]

    @property
    def pages(self) -> list[Page]:
        """Every page as the API shows it, in creation order."""
        return self._running.pages()

    def page(self, page_id: str) -> Page:
        """Return one page as the API shows it; KeyError when there is none."""
        page = self._running.page(page_id)
        if page is None:
            raise KeyError(page_id)
        return page

    @property
    def history(self) -> list[Revision]:
        """Every write so far, in the order in which they were carried out; a copy."""
        if self._service is not None:
            self._service.catch_up()
        return self._history.revisions()

    def edit(self, page_id: str, **fields: object) -> Page:
        """Change a page as a person in the dashboard does, without a request.

        Args:
            page_id: the page; KeyError when there is none.
            fields: title, description, page_data, is_published (these move `updated_at`), view_count,
                click_count (these do not, as with real visitors); TypeError for another.
        """
        unknown = fields.keys() - set(page_rules.EDITABLE)
        if unknown:
            raise TypeError(f"a page has no {min(unknown)} to edit")
        return self._running.edit(page_id, fields)

    def remove(self, page_id: str) -> None:
        """Delete a page, which the API can not; KeyError when there is none."""
        self._running.remove(page_id)

    def add_key(self, scopes: Iterable[str] = ("*",), state: KeyState = "active") -> str:
        """Make another key and return it."""
        record = _new_key(scopes, state)
        self._running.store.add_key(record)
        return record.key

    def use_up(self, calls: int) -> None:
        """Charge calls to the month without requests."""
        self._running.charge(calls)

    def fail(self, fault: Fault) -> None:
        """Let the next matching request meet a fault."""
        self.faults.append(fault)

    def _check_edits(self, store: Store) -> None:
        for fault in self.faults:
            for page_id in fault.edits:
                if store.page(page_id) is None:
                    guess = did_you_mean(page_id, [page["id"] for page in store.pages()])
                    raise ValueError(f"edits of a fault: there is no page {page_id!r}{guess}")

    @property
    def _running(self) -> Service:
        if self._service is None:
            raise RuntimeError("the sandbox is not running")
        return self._service


def _new_key(scopes: Iterable[str], state: KeyState) -> KeyRecord:
    key = f"xqr_pk_{secrets.token_hex(4)}.{secrets.token_urlsafe(48)}"
    return KeyRecord(key, frozenset(scopes), state)
