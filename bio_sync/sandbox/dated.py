"""The Date header of every answer (RFC 9110, section 6.6.1), by the sandbox's own clock."""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bio_sync.sandbox.behaviour import Clock


class DateAnswers:
    """ASGI layer: say when an answer was made, unless a fault says so itself."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        """Wrap `app`."""
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                if not any(name.lower() == b"date" for name, _ in headers):
                    date = formatdate(self._clock(), usegmt=True).encode("ascii")
                    message = {**message, "headers": [*headers, (b"date", date)]}
            await send(message)

        await self._app(scope, receive, dated)
