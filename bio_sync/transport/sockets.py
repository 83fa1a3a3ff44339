"""The sockets of a lane: with TLS and a proxy as the environment says, in the clear to this machine only."""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.request import getproxies, proxy_bypass

from bio_sync.address import DEFAULT_ADDRESS
from bio_sync.errors import InvalidAddress
from bio_sync.httplibrary import httpx
from bio_sync.visible import cause_of


class Sockets(httpx.HTTPTransport):
    """httpx's own sockets; a connection serves another request only when nothing unasked stands on it.

    What came before a request is no answer to it, and says that nobody knows any more where an answer begins: such a
    connection is closed (RFC 9112, section 9.2). httpcore closes one whose socket has something to read, and does not
    look at what it has read already, beyond the end of an answer.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request on a connection that is clean, and give its answer; raises httpx.TransportError."""
        for connection in self._pool.connections:
            if not _is_clean(connection):
                connection.close()
        return super().handle_request(request)


def _is_clean(connection: Any) -> bool:
    """Tell whether all that was read of a connection belonged to an answer. httpcore has no public way to ask."""
    try:
        # Within its wrappers: one finds out the protocol, one more is the way through a proxy.
        while hasattr(connection, "_connection"):
            connection = connection._connection  # noqa: SLF001
        unread, _ = connection._h11_state.trailing_data  # noqa: SLF001
        stream = connection._network_stream  # noqa: SLF001
    except AttributeError:
        # An httpcore that is built in another way: a new connection for each request is slow, and safe.
        return False
    # TLS within a proxy's TLS keeps beside the socket what it has not decrypted yet.
    encrypted = getattr(stream, "_incoming", None)
    return not unread and not (encrypted and encrypted.pending)


def opener(address: str) -> Callable[[], httpx.HTTPTransport]:
    """Give what opens the sockets of one lane; raises InvalidAddress for settings that can't work."""
    url = parsed_address(address)
    # By the parsed scheme: `HTTP://` is as clear as `http://`, and no proxy may see what is sent in the clear.
    if url.scheme == "http":
        return partial(Sockets, verify=False, trust_env=False)
    try:
        # trust_env of the context alone: SSL_CERT_FILE and SSL_CERT_DIR for company networks, never .netrc.
        context = httpx.create_ssl_context(trust_env=True)
    except OSError as error:
        why = cause_of(error)
        raise InvalidAddress(
            f"the certificates that SSL_CERT_FILE names can't be read: {why}", hint="it is a file of PEM certificates"
        ) from None
    secure = partial(Sockets, verify=context, trust_env=False, proxy=_proxy(url))
    try:
        secure().close()
    except (ValueError, ImportError, httpx.InvalidURL):
        # Not the proxy's address: it may hold a password.
        raise InvalidAddress(
            "the proxy that HTTPS_PROXY names can't be used", hint="it looks like http://proxy.example:3128"
        ) from None
    return secure


def parsed_address(address: str) -> httpx.URL:
    """Read a service's address as httpx does, which is stricter than Python; raises InvalidAddress."""
    try:
        url = httpx.URL(address)
        # The resolver's own form; httpx decodes the host when it is looked at, and either may fail.
        url.host.encode("idna")
    except (httpx.InvalidURL, ValueError):
        raise InvalidAddress("the API address can't be read", hint=f"it looks like {DEFAULT_ADDRESS}") from None
    return url


def goes_through_proxy(address: str) -> bool:
    """Tell whether requests to a service's address leave through a proxy."""
    url = parsed_address(address)
    return url.scheme == "https" and _proxy(url) is not None


def _proxy(url: httpx.URL) -> str | None:
    # With the port: NO_PROXY may name it, too.
    proxy = None if proxy_bypass(f"{url.host}:{url.port or 443}") else getproxies().get("https")
    # `proxy:3128` is usual, and means http (as in curl).
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy
