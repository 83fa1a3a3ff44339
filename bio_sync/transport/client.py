"""The client that all of this is for: one service, and what is never done whatever the service is."""

from collections.abc import Callable, Mapping

from bio_sync.httplibrary import httpx
from bio_sync.transport.deadline import Deadline
from bio_sync.transport.fence import Fence
from bio_sync.transport.lanes import Lanes
from bio_sync.transport.meter import Meter
from bio_sync.transport.sockets import opener
from bio_sync.transport.watchdog import Watchdog
from bio_sync.transport.whole import Whole
from bio_sync.version import __version__


def careful_client(
    address: str,
    patient: Callable[[httpx.BaseTransport], httpx.BaseTransport],
    *,
    methods: frozenset[str],
    headers: Mapping[str, str],
    meter: Meter,
    watchdog: Watchdog,
) -> httpx.Client:
    """Prepare a client for the service at `address`, by `methods` only; raises InvalidAddress for what can't work.

    `patient` puts the layers of this service between the fence and the lanes. No redirect is followed, and of the
    environment only proxies and certificates are read: never a password for the host (`.netrc`).
    """
    sockets = opener(address)
    lanes = Lanes(lambda: Deadline(Whole(sockets()), watchdog=watchdog, meter=meter), watchdog=watchdog)
    return httpx.Client(
        transport=Fence(patient(lanes), address=address, methods=methods),
        timeout=watchdog.timeout,
        trust_env=False,
        follow_redirects=False,
        headers={**headers, "Accept-Encoding": "identity", "User-Agent": f"bio-sync/{__version__}"},
    )
