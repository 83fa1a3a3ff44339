"""A request may take so long and no longer, whatever the service does with the time."""

import threading
from contextlib import suppress
from functools import partial
from socket import SHUT_RDWR
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import httpx

if TYPE_CHECKING:
    from httpcore import NetworkStream

# What httpcore calls a new connection: to the service, or through a proxy, each with or without TLS.
_NEW_STREAMS = ("connect_tcp.complete", "start_tls.complete")


class Deadline(httpx.BaseTransport):
    """Ends a request whose answer has not come whole within `timeout` seconds.

    httpx bounds each single read: a service that sends a byte now and then, or one `103` after the other,
    would hold a request for ever. A watchdog shuts the sockets instead, which ends any read.
    """

    def __init__(self, inner: httpx.BaseTransport, *, timeout: float) -> None:
        self._inner = inner
        self._timeout = timeout
        self._streams: WeakSet[NetworkStream] = WeakSet()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on; raises httpx.ReadTimeout when its time is up."""
        late = threading.Event()
        request.extensions = {**request.extensions, "trace": partial(self._notice, late)}
        watchdog = threading.Timer(self._timeout, self._cut, [late])
        watchdog.daemon = True
        watchdog.start()
        try:
            response = self._inner.handle_request(request)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            if not late.is_set():
                raise
        finally:
            watchdog.cancel()
        # An answer that ends with its connection looks whole when the connection is cut.
        if late.is_set():
            raise httpx.ReadTimeout(f"it took longer than {self._timeout:g} seconds")
        return response

    def close(self) -> None:
        """Close the layers below."""
        self._inner.close()

    def _notice(self, late: threading.Event, event: str, info: dict[str, Any]) -> None:
        """Keep the stream of a new connection, of this request or of a later one that uses it again."""
        if event.endswith(_NEW_STREAMS):
            self._streams.add(info["return_value"])
            if late.is_set():
                self._cut(late)

    def _cut(self, late: threading.Event) -> None:
        late.set()
        for stream in list(self._streams):
            # A socket that is closed already, or that TLS has taken over, has nothing left to shut.
            with suppress(OSError):
                stream.get_extra_info("socket").shutdown(SHUT_RDWR)
