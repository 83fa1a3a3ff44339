"""The envelope: what every answer under /api/v1 looks like, success and refusal alike."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from starlette.types import Scope

    from bio_sync.sandbox.behaviour import RateLimitShape

API_PREFIX = "/api/v1"

_CODES = {
    400: "VALIDATION_ERROR",
    401: "INVALID_API_KEY",
    403: "INSUFFICIENT_SCOPE",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "SLUG_TAKEN",
    410: "GONE",
    413: "PAYLOAD_TOO_LARGE",
    429: "BURST_LIMIT_EXCEEDED",
    503: "SERVICE_UNAVAILABLE",
}


class Refusal(Exception):
    """A request that the service answers with an error envelope."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Take the HTTP status and the words; the code follows from the status unless it is given."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code or _CODES.get(status, "INTERNAL_ERROR")
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left to a caller: the month of the workspace, and the second of the key."""

    limit: int
    remaining: int
    burst_limit: int
    burst_remaining: int
    resets_at: datetime

    def headers(self) -> dict[str, str]:
        """Return the four X-RateLimit headers of the vendor's overview page."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Burst-Limit": str(self.burst_limit),
            "X-RateLimit-Burst-Remaining": str(self.burst_remaining),
        }

    def meta(self, shape: RateLimitShape) -> dict[str, object] | None:
        """Return `meta.rate_limit` in one of the three documented shapes, or None for "none"."""
        if shape == "month":
            return {"remaining": self.remaining, "reset_at": rfc3339(self.resets_at)}
        if shape == "unix":
            reset = int(self.resets_at.timestamp())
            return {"limit": self.limit, "remaining": self.remaining, "reset": reset}
        if shape == "burst":
            return {
                "limit": self.limit,
                "remaining": self.remaining,
                "burst_limit": self.burst_limit,
                "burst_remaining": self.burst_remaining,
            }
        return None


@dataclass(frozen=True, slots=True)
class Call:
    """An authenticated request on its way to a handler.

    Attributes:
        request_id: as the answer names it.
        scopes: of its key.
        standing: what is left to its key.
        number: its place in the record of requests.
        due: the time at which its write is carried out; None is now.
    """

    request_id: str
    scopes: frozenset[str]
    standing: Standing
    number: int
    due: float | None = None

    def require(self, scope: str) -> None:
        """Raise a 403 refusal unless the key has `scope` or `*`."""
        if not self.scopes & {scope, "*"}:
            raise Refusal(403, f"This API key does not have the scope {scope}.")


def is_api_call(scope: Scope) -> bool:
    """Tell whether a request goes to the API: what needs a key, costs quota and meets faults."""
    path = scope["path"]
    return bool(scope["type"] == "http" and (path == API_PREFIX or path.startswith(f"{API_PREFIX}/")))


def call_of(scope: Scope) -> Call | None:
    """Return the authenticated call that a request belongs to; None for public pages."""
    call = scope.get("sandbox.call")
    return call if isinstance(call, Call) else None


def rfc3339(moment: datetime) -> str:
    """Return a UTC moment to the second, with Z, as the vendor's examples write it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def success(call: Call, data: object, shape: RateLimitShape, *, status: int = 200) -> Response:
    """Return `{"data", "meta"}` with the rate-limit headers."""
    meta: dict[str, object] = {"request_id": call.request_id}
    rate_limit = call.standing.meta(shape)
    if rate_limit is not None:
        meta["rate_limit"] = rate_limit
    return _json({"data": data, "meta": meta}, status, call.request_id, call.standing.headers())


def refused(refusal: Refusal, request_id: str, standing: Standing | None) -> Response:
    """Return `{"error", "meta"}`; rate-limit headers only when the caller is known."""
    error = {"code": refusal.code, "message": refusal.message, "status": refusal.status}
    headers = (standing.headers() if standing else {}) | refusal.headers
    return _json({"error": error, "meta": {"request_id": request_id}}, refusal.status, request_id, headers)


def _json(content: object, status: int, request_id: str, headers: dict[str, str]) -> Response:
    # ASCII escapes keep a lone surrogate that a client sent from breaking the answer that echoes it.
    body = json.dumps(content, separators=(",", ":")).encode("ascii")
    return Response(body, status, {"X-Request-Id": request_id} | headers, "application/json")
