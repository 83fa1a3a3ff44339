"""The whole answer, of bounded size, and nothing that is packed."""

from bio_sync.errors import NotAnAnswer
from bio_sync.httplibrary import httpx
from bio_sync.transport.layer import Layer

MOST_BYTES = 32 * 1024 * 1024
# A proxy's refusal comes before the request: it answers to CONNECT.
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NOT_FOR_HTTPX = frozenset((b"location", b"set-cookie"))


class Whole(Layer):
    """Reads the whole answer, at most 32 MiB of it, and nothing that is packed."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on and give its answer with the body read.

        Raises NotAnAnswer for an answer that is packed or too large: it would be so each time it is asked for.
        """
        response = self._inner.handle_request(request)
        try:
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise NotAnAnswer("the answer is packed, though a plain one was asked for")
            return self._read(response, request)
        finally:
            response.close()

    def _read(self, response: httpx.Response, request: httpx.Request) -> httpx.Response:
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > MOST_BYTES:
                raise NotAnAnswer(f"the answer is larger than {MOST_BYTES // 2**20} MiB")
        # httpx would read these two, whatever they hold, though no redirect is followed and no cookie kept.
        headers = [pair for pair in response.headers.raw if pair[0].lower() not in _NOT_FOR_HTTPX]
        whole = httpx.Response(response.status_code, headers=headers, content=bytes(body), request=request)
        if "Content-Length" not in response.headers:
            # httpx adds it. What ended with its connection is not to look as if its length had been told.
            whole.headers.pop("Content-Length", None)
        return whole
