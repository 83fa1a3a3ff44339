"""When GitHub is asked again: what can be asked twice without harm, and whatever it asks to send later."""

import time
from collections.abc import Callable
from functools import partial

import tenacity

from bio_sync.httplibrary import httpx
from bio_sync.transport.layer import Layer
from bio_sync.transport.meter import http_date, told_number
from bio_sync.transport.whole import NEVER_SENT

MOST_TRIES = 4
# GitHub: "If the retry-after response header is not present … wait for at least one minute" (REST, best practices).
USUAL_WAIT = 60.0
# Its secondary limit asks for a minute as a rule, and the hour's limit for up to an hour, which no job should spend.
LONGEST_WAIT = 90.0
_TRY_LATER = frozenset((408, 500, 502, 503, 504))


class _Again(Exception):
    def __init__(self, outcome: httpx.Response | httpx.TransportError, *, wait: float | None = None) -> None:
        super().__init__()
        self.outcome = outcome
        self.wait = wait


class Patience(Layer):
    """Tries again, three times at most: reads, edits, what never left, and all that came too soon.

    To write the same text twice over a comment does no harm. A new one whose answer was lost is not sent again
    here: it may be there.
    """

    def __init__(self, inner: httpx.BaseTransport, *, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__(inner)
        self._retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            stop=tenacity.stop_after_attempt(MOST_TRIES),
            wait=_pause,
            sleep=sleep,
            reraise=True,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on until there is an answer that waiting would not change."""
        try:
            return self._retrying.copy()(partial(self._once, request))
        except _Again as last:
            if isinstance(last.outcome, httpx.Response):
                return last.outcome
            raise last.outcome from None

    def _once(self, request: httpx.Request) -> httpx.Response:
        harmless = request.method != "POST" or request.url.path.endswith("/graphql")
        try:
            response = self._inner.handle_request(request)
        except httpx.TransportError as error:
            if harmless or isinstance(error, NEVER_SENT):
                raise _Again(error) from error
            raise
        wait = asked_to_wait(response)
        if wait is not None and wait <= LONGEST_WAIT:
            raise _Again(response, wait=wait)
        if harmless and response.status_code in _TRY_LATER:
            raise _Again(response)
        return response


def asked_to_wait(response: httpx.Response) -> float | None:
    """Give the seconds for which GitHub wants no request; None when no limit was met.

    Limits come as 403 or 429 (REST, "Rate limits for the REST API"); a plain 403 is a missing permission.
    """
    if response.status_code not in {403, 429}:
        return None
    headers = response.headers
    after = told_number(headers.get("Retry-After"))
    if after is not None:
        return float(after)
    if headers.get("X-RateLimit-Remaining") == "0" and (reset := told_number(headers.get("X-RateLimit-Reset"))):
        try:
            # By GitHub's own clock: this machine's may be wrong.
            return max(1.0, reset - http_date(headers.get("Date", "")).timestamp())
        except (ValueError, OverflowError):
            return USUAL_WAIT
    limited = response.status_code == 429 or b"rate limit" in response.content.lower()
    return USUAL_WAIT if limited else None


def _pause(state: tenacity.RetryCallState) -> float:
    last = state.outcome.exception() if state.outcome else None
    if isinstance(last, _Again) and last.wait is not None:
        return last.wait + tenacity.wait_random(0, 1)(state)
    return tenacity.wait_random_exponential(multiplier=0.5, max=8)(state)
