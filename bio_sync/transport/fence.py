"""One choke point: what is sent goes to one service, by the methods that the command needs."""

from bio_sync.errors import InvalidAddress
from bio_sync.httplibrary import httpx
from bio_sync.transport.layer import Layer

# httpx resolves these in an address; written as `%2e%2e` they would be the service's to resolve.
_UPWARDS = frozenset((".", ".."))


class Fence(Layer):
    """Lets requests pass to one service, and by some methods only."""

    def __init__(self, inner: httpx.BaseTransport, *, address: str, methods: frozenset[str]) -> None:
        super().__init__(inner)
        self._address = httpx.URL(address)
        self._methods = methods

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on; raises InvalidAddress for another host, path or method."""
        url, home = request.url, self._address
        same_place = (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port)
        below = url.path.startswith(home.path.rstrip("/") + "/") and not _UPWARDS.intersection(url.path.split("/"))
        # User info would take the place of the key.
        if not (same_place and below) or url.userinfo:
            raise InvalidAddress("a request to another place than the service was stopped")
        if request.method not in self._methods:
            raise InvalidAddress(f"a {request.method} request was stopped: this command only reads")
        return self._inner.handle_request(request)
