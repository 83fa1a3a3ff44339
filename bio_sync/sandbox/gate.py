"""The gate of the API: who calls, whether they may at this pace, and what the call costs."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from bio_sync.sandbox.answers import Call, Refusal, Standing, is_api_call, refused

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bio_sync.sandbox.service import Service
    from bio_sync.sandbox.store import KeyRecord

_UNUSABLE = {"revoked": "REVOKED_API_KEY", "expired": "EXPIRED_API_KEY"}


class Gate:
    """ASGI layer: authenticate, pace and charge each call, then leave it in `scope["sandbox.call"]`.

    A call with a good key is charged before it is carried out, whatever comes of it; one that is
    answered 429 gets its charge back.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        """Wrap `app`."""
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; public pages pass."""
        if not is_api_call(scope):
            await self._app(scope, receive, send)
            return
        request_id = f"req_{secrets.token_hex(8)}"
        standing: Standing | None = None
        try:
            record = self._authenticated(scope)
            paced = self._paced(record.key)
            standing = self._service.standing(record.key)
            _refuse_over_limit(paced, standing)
        except Refusal as refusal:
            await refused(refusal, request_id, standing)(scope, receive, send)
            return
        self._service.charge(1)
        scope["sandbox.charged"] = True
        standing = self._service.standing(record.key)
        scope["sandbox.call"] = Call(request_id, record.scopes, standing, scope["sandbox.number"])

        async def settle(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 429:
                self._service.charge(-1)
                scope["sandbox.charged"] = False
            await send(message)

        await self._app(scope, receive, settle)

    def _authenticated(self, scope: Scope) -> KeyRecord:
        header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        scheme, _, key = header.partition(" ")
        record = self._service.store.key(key.strip()) if scheme.lower() == "bearer" else None
        if record is None:
            raise Refusal(401, "The API key is missing or not known.")
        if record.state != "active":
            raise Refusal(401, f"The API key is {record.state}.", code=_UNUSABLE[record.state])
        return record

    def _paced(self, key: str) -> bool:
        service = self._service
        return service.bursts.take(key, service.behaviour.burst_limit, service.clock())


def _refuse_over_limit(paced: bool, standing: Standing) -> None:
    if not paced:
        message = f"More than {standing.burst_limit} requests a second."
        raise Refusal(429, message, code="BURST_LIMIT_EXCEEDED", headers={"Retry-After": "1"})
    if standing.remaining < 1:
        message = f"All {standing.limit} calls of this month are used up."
        raise Refusal(429, message, code="RATE_LIMIT_EXCEEDED")
