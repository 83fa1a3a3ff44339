"""The store: pages, keys and calls in one SQLite database, in memory or in a file."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from bio_sync.sandbox.behaviour import Page

KeyState = Literal["active", "revoked", "expired"]

_VERSION = 1
_TABLES = (
    "CREATE TABLE IF NOT EXISTS pages (position INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE, slug TEXT NOT NULL UNIQUE, page TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, scopes TEXT NOT NULL, state TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS months (month TEXT PRIMARY KEY, calls INTEGER NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key as it is kept: what it may do, and whether it still may."""

    key: str
    scopes: frozenset[str]
    state: KeyState


class Store:
    """Pages, keys and calls. Safe from any thread: one connection behind one lock."""

    def __init__(self, database: Path | None) -> None:
        """Open `database`, or a store in memory.

        Raises:
            OSError: the file can not be opened.
            ValueError: the file is something else than a sandbox database.
        """
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(database or ":memory:", check_same_thread=False, isolation_level=None)
        except sqlite3.OperationalError as error:
            raise OSError(f"{database}: {error}") from error
        try:
            self._prepare()
        except (sqlite3.DatabaseError, ValueError) as error:
            self._connection.close()
            raise ValueError(f"{database}: this is not a sandbox database ({error})") from error

    def close(self) -> None:
        """Close the database; what it holds in a file stays."""
        with self._lock:
            self._connection.close()

    def pages(self, limit: int = -1, offset: int = 0) -> list[Page]:
        """Return pages in creation order; all of them by default."""
        statement = "SELECT page FROM pages ORDER BY position LIMIT ? OFFSET ?"
        with self._lock:
            rows = self._connection.execute(statement, (limit, offset)).fetchall()
        return [json.loads(page) for (page,) in rows]

    def page(self, page_id: str) -> Page | None:
        """Return the page with this id, or None."""
        return self._one("SELECT page FROM pages WHERE id = ?", page_id)

    def page_with_slug(self, slug: str) -> Page | None:
        """Return the page with this slug, or None."""
        return self._one("SELECT page FROM pages WHERE slug = ?", slug)

    def count(self) -> int:
        """Return the number of pages."""
        with self._lock:
            (number,) = self._connection.execute("SELECT count(*) FROM pages").fetchone()
        return int(number)

    def add(self, pages: Iterable[Page]) -> list[Page]:
        """Add pages, all or none; a slug that is taken gets -2, -3 and so on. Return them as stored.

        Raises:
            ValueError: an id is there already.
        """
        added = []
        with self._writing():
            for page in pages:
                stored = page | {"slug": self._free_slug(page["slug"])}
                row = (stored["id"], stored["slug"], json.dumps(stored))
                try:
                    self._connection.execute("INSERT INTO pages (id, slug, page) VALUES (?, ?, ?)", row)
                except sqlite3.IntegrityError as error:
                    raise ValueError(f"two pages have the id {page['id']}") from error
                added.append(stored)
        return added

    def change(self, page_id: str, change: Callable[[Page], Page]) -> Page:
        """Put `change(page)` in the page's place, nothing in between, and return it.

        Raises:
            KeyError: there is no such page.
        """
        with self._writing():
            page = self.page(page_id)
            if page is None:
                raise KeyError(page_id)
            text = json.dumps(change(page))
            self._connection.execute("UPDATE pages SET page = ? WHERE id = ?", (text, page_id))
        return cast("Page", json.loads(text))

    def remove(self, page_id: str) -> None:
        """Remove a page.

        Raises:
            KeyError: there is no such page.
        """
        with self._lock:
            if not self._connection.execute("DELETE FROM pages WHERE id = ?", (page_id,)).rowcount:
                raise KeyError(page_id)

    def add_key(self, record: KeyRecord) -> None:
        """Keep a key."""
        row = (record.key, json.dumps(sorted(record.scopes)), record.state)
        with self._lock:
            self._connection.execute("INSERT INTO keys VALUES (?, ?, ?)", row)

    def key(self, key: str) -> KeyRecord | None:
        """Return what is known of a key, or None."""
        with self._lock:
            row = self._connection.execute("SELECT scopes, state FROM keys WHERE key = ?", (key,)).fetchone()
        return KeyRecord(key, frozenset(json.loads(row[0])), row[1]) if row else None

    def first_key(self) -> str | None:
        """Return the key that was added first, or None in a new store."""
        with self._lock:
            row = self._connection.execute("SELECT key FROM keys ORDER BY rowid LIMIT 1").fetchone()
        return row[0] if row else None

    def calls(self, month: str) -> int:
        """Return the calls charged to a month."""
        with self._lock:
            row = self._connection.execute("SELECT calls FROM months WHERE month = ?", (month,)).fetchone()
        return row[0] if row else 0

    def charge(self, month: str, calls: int) -> None:
        """Charge calls to a month; a negative number gives them back."""
        statement = "INSERT INTO months VALUES (?, ?) ON CONFLICT (month) DO UPDATE SET calls = calls + excluded.calls"
        with self._lock:
            self._connection.execute(statement, (month, calls))

    def _prepare(self) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version != (_VERSION if tables else 0):
            raise ValueError(f"version {version}")
        # Every call is charged, so every call writes: without WAL each would wait for the disk twice.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        with self._writing():
            for statement in _TABLES:
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {_VERSION}")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        # The connection commits at the end of its block, and rolls back when the block fails.
        with self._lock, self._connection:
            # Another sandbox may have the same file open: what is read here must still hold when written.
            self._connection.execute("BEGIN IMMEDIATE")
            yield

    def _one(self, statement: str, value: str) -> Page | None:
        with self._lock:
            row = self._connection.execute(statement, (value,)).fetchone()
        return json.loads(row[0]) if row else None

    def _free_slug(self, slug: str) -> str:
        free, number = slug, 1
        while self.page_with_slug(free) is not None:
            number += 1
            free = f"{slug}-{number}"
        return free
