"""A request may take so long and no longer, whatever the service does with the time."""

import socket
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from bio_sync.httplibrary import httpx
from bio_sync.transport.layer import Layer
from bio_sync.transport.meter import QUOTA_REMAINING, Meter
from bio_sync.transport.watchdog import Watchdog

if TYPE_CHECKING:
    from httpcore import NetworkStream

# Extension of a request: called right before its first byte leaves, each time that it does; it may raise.
PERMIT = "bio_sync.permit"
# Extension of a request that was answered: the number of the call, of which its answer tells what the month has left.
CALL = "bio_sync.call"
# What httpcore calls a new connection: to the service, or through a proxy, each with or without TLS.
_NEW_STREAMS = ("connect_tcp.complete", "start_tls.complete")
_LEAVES = "send_request_headers.started"
_PHASES = ("connect", "read", "write", "pool")


class Deadline(Layer):
    """Ends a request whose answer has not come whole in time, and asks once more before it leaves.

    httpx bounds each single read: a service that sends a byte now and then, or one `103` after the other,
    would hold a request for ever. A watchdog shuts the sockets instead, which ends any read. One request at a
    time: the sockets are those of the layers below, which no other request may use meanwhile.
    """

    def __init__(self, inner: httpx.BaseTransport, *, watchdog: Watchdog, meter: Meter) -> None:
        super().__init__(inner)
        self._watchdog = watchdog
        self._meter = meter
        self._streams: WeakSet[NetworkStream] = WeakSet()
        # The watchdog goes through the streams while a request may open one.
        self._lock = threading.Lock()
        self._late = False
        self._call: int | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on; raises httpx.ReadTimeout when its time is up."""
        self._late, self._call = False, None
        permit = request.extensions.get(PERMIT)
        try:
            seconds = self._watchdog.watch(self)
            timeouts = dict.fromkeys(_PHASES, seconds)
            trace = partial(self._notice, permit)
            request.extensions = {**request.extensions, "trace": trace, "timeout": timeouts}
            response = self._inner.handle_request(request)
        except (httpx.ReadTimeout, httpx.WriteTimeout):
            self._late = True
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            if not self._late:
                raise
        finally:
            self._watchdog.leave(self)
            self._end_call()
        # An answer that ends with its connection looks whole when the connection is cut.
        if self._late:
            raise httpx.ReadTimeout(self._why(seconds))
        self._learn(request, response)
        return response

    def cut(self) -> None:
        """End the request that is under way, from another thread: whoever reads or writes now gets an error."""
        with self._lock:
            self._late = True
            for stream in list(self._streams):
                _shut(stream)

    def _end_call(self) -> None:
        if self._call is not None:
            self._meter.ended(self._call)

    def _learn(self, request: httpx.Request, response: httpx.Response) -> None:
        if self._call is not None:
            request.extensions[CALL] = self._call
            self._meter.learn_quota(self._call, response.headers.get(QUOTA_REMAINING))

    def _why(self, seconds: float) -> str:
        hurried = self._watchdog.hurried
        return "the run was ended before it came" if hurried else f"it took longer than {seconds:g} seconds"

    def _notice(self, permit: Any, event: str, info: dict[str, Any]) -> None:
        """Keep the stream of a new connection, of this request or of a later one that uses it again."""
        if event.endswith(_NEW_STREAMS):
            with self._lock:
                self._streams.add(info["return_value"])
                late = self._late
            if late:
                info["return_value"].close()
                raise httpx.ConnectTimeout("it took too long to connect")
        elif event.endswith(_LEAVES) and info["request"].method != b"CONNECT":
            # Only here: all the waiting, be it for a turn, after a 429 or for a connection, is over.
            if permit:
                permit()
            # Before the answer: a call whose answer is lost or interrupted may have been counted all the same.
            self._call = self._meter.leaves()


def _shut(stream: "NetworkStream") -> None:
    # The plain socket's own way, also for TLS, whose objects are not to be changed while another thread reads. A
    # socket that is closed already, or that TLS has taken over, has nothing left to shut.
    with suppress(OSError):
        socket.socket.shutdown(stream.get_extra_info("socket"), socket.SHUT_RDWR)
