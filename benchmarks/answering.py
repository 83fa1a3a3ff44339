"""What the service for measuring answers: bytes that are ready, a limit that can be enforced, and an account."""

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, cast

import orjson

PAGES = b"/api/v1/bio/pages"
WRITABLE = ("title", "description", "page_data")
# As xQR does when it is not asked for more; and the most that can be asked for.
USUAL_LIMIT, MOST_LIMIT = 50, 200
META = b',"meta":{"request_id":"req_measured","rate_limit":{"limit":1000000,"remaining":999000}}}'


class Pages:
    """The live pages, each as the bytes of its JSON, and the lists that were asked for."""

    def __init__(self, live: list[dict[str, Any]]) -> None:
        self._numbers = {page["id"].encode(): number for number, page in enumerate(live)}
        self._loaded = tuple(_compact(page) for page in live)
        self.reset()

    def reset(self) -> None:
        """Make all pages as they were loaded, and the lists ready."""
        self._pages = list(self._loaded)
        self._lists: dict[tuple[int, int], bytes] = {}
        for offset in range(0, len(self._pages) + 1, MOST_LIMIT):
            self.list(MOST_LIMIT, offset)

    def list(self, limit: int, offset: int) -> bytes:
        """Give an answer of up to `limit` pages."""
        if (limit, offset) not in self._lists:
            self._lists[limit, offset] = b'{"data":[' + b",".join(self._pages[offset : offset + limit]) + b"]" + META
        return self._lists[limit, offset]

    def all(self) -> bytes:
        """Give an answer of all pages."""
        return b'{"data":[' + b",".join(self._pages) + b"]" + META

    def get(self, page_id: bytes) -> bytes | None:
        """Give an answer of one page; None if it is not there."""
        number = self._numbers.get(page_id)
        return None if number is None else b'{"data":' + self._pages[number] + META

    def change(self, page_id: bytes, fields: dict[str, Any]) -> bytes | None:
        """Replace top-level fields of a page, and give it whole; None if it is not there."""
        number = self._numbers.get(page_id)
        if number is None:
            return None
        page = orjson.loads(self._pages[number]) | fields | {"updated_at": "2026-06-01T12:00:00Z"}
        self._pages[number] = _compact(page)
        self._lists.clear()
        return self.get(page_id)


class Limit:
    """A token bucket of as many tokens as may be asked for in a second; without `enforce` it lets all pass."""

    def __init__(self, rate: int, *, enforce: bool) -> None:
        self.rate, self.enforce = rate, enforce
        self.reset()

    def reset(self) -> None:
        """Fill the bucket."""
        self._tokens, self._seen = float(self.rate), time.monotonic()

    def allows(self) -> bool:
        """Take a token, if there is one."""
        now = time.monotonic()
        self._tokens = min(self.rate, self._tokens + (now - self._seen) * self.rate)
        self._seen = now
        if self.enforce and self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Window:
    """From the first of some events to the last."""

    def __init__(self) -> None:
        self._first = self._last = 0.0

    def hold(self) -> None:
        """Take one in."""
        self._last = time.monotonic()
        self._first = self._first or self._last

    @property
    def seconds(self) -> float:
        """How long that was."""
        return self._last - self._first


class Account:
    """What was asked since the last reset, and what it cost this process."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.calls = dict.fromkeys(("list", "get", "patch", "other"), 0)
        self.refused = self.received = self.sent = 0
        self.written: list[str] = []
        self.asking, self.writing = Window(), Window()
        self._cpu = time.process_time()

    def wrote(self, page_id: bytes) -> None:
        """Remember a write that was carried out."""
        self.writing.hold()
        self.written.append(page_id.decode())

    def told(self) -> bytes:
        """Give it all as JSON: seconds, bytes, calls by kind, the ids of the pages that were written."""
        return _compact(
            {
                "calls": self.calls,
                "too_many": self.refused,
                "bytes_received": self.received,
                "bytes_sent": self.sent,
                "cpu_seconds": time.process_time() - self._cpu,
                "asking_seconds": self.asking.seconds,
                "writing_seconds": self.writing.seconds,
                "written": self.written,
            }
        )


class Answers:
    """Decides what is answered; knows no sockets."""

    def __init__(self, pages: Pages, limit: Limit) -> None:
        self.pages, self.limit, self.account = pages, limit, Account()
        self._refused = _error(429, "BURST_LIMIT_EXCEEDED")
        self._until, self._date = 0.0, b""

    def answer(self, method: bytes, url: bytes, body: bytes) -> bytes:
        """Give the whole answer to a request."""
        path, _, query = url.partition(b"?")
        if path == b"/_reset":
            for part in (self.pages, self.limit, self.account):
                part.reset()
            return self._whole(HTTPStatus.OK, b"{}")
        if path == b"/_pages":
            return self._whole(HTTPStatus.OK, self.pages.all())
        if path == b"/_measured":
            return self._whole(HTTPStatus.OK, self.account.told())
        self.account.asking.hold()
        if not self.limit.allows():
            self.account.refused += 1
            return self._whole(HTTPStatus.TOO_MANY_REQUESTS, self._refused)
        try:
            found = self._found(method, path, query, body)
        except ValueError:
            return self._whole(HTTPStatus.BAD_REQUEST, _error(400, "INVALID_REQUEST"))
        if found is None:
            return self._whole(HTTPStatus.NOT_FOUND, _error(404, "NOT_FOUND"))
        return self._whole(HTTPStatus.OK, found)

    def _found(self, method: bytes, path: bytes, query: bytes, body: bytes) -> bytes | None:
        account, page_id = self.account, path.removeprefix(PAGES).lstrip(b"/")
        if not path.startswith(PAGES):
            account.calls["other"] += 1
            return None
        if method == b"GET" and not page_id:
            account.calls["list"] += 1
            return self.pages.list(*_window(query))
        if method == b"GET":
            account.calls["get"] += 1
            return self.pages.get(page_id)
        if method == b"PATCH" and page_id:
            account.calls["patch"] += 1
            told = orjson.loads(body)
            return self._write(page_id, {name: told[name] for name in WRITABLE if name in told})
        account.calls["other"] += 1
        return None

    def _write(self, page_id: bytes, fields: dict[str, Any]) -> bytes | None:
        changed = self.pages.change(page_id, fields)
        if changed is not None:
            self.account.wrote(page_id)
        return changed

    def _whole(self, status: HTTPStatus, body: bytes) -> bytes:
        wait = b"Retry-After: 1\r\n" if status is HTTPStatus.TOO_MANY_REQUESTS else b""
        head = (
            b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nDate: %s\r\n%s"
            b"X-RateLimit-Limit: 1000000\r\nX-RateLimit-Remaining: 999000\r\nX-RateLimit-Burst-Limit: %d\r\n\r\n"
        )
        return head % (status, status.phrase.encode(), len(body), self._now(), wait, self.limit.rate) + body

    def _now(self) -> bytes:
        if time.monotonic() >= self._until:
            self._until, self._date = time.monotonic() + 1, formatdate(usegmt=True).encode()
        return self._date


def _window(query: bytes) -> tuple[int, int]:
    given = dict(part.split(b"=", 1) for part in query.split(b"&") if part)
    limit, offset = int(given.get(b"limit", USUAL_LIMIT)), int(given.get(b"offset", 0))
    if not 1 <= limit <= MOST_LIMIT or offset < 0:
        raise ValueError(query)
    return limit, offset


def _compact(value: object) -> bytes:
    return cast("bytes", orjson.dumps(value))


def _error(status: int, code: str) -> bytes:
    told = {"code": code, "message": code.replace("_", " ").lower(), "status": status}
    return _compact({"error": told, "meta": {"request_id": "req_measured"}})
