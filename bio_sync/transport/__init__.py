"""Patience and caution, as layers around an httpx transport; the clock and the sleep are arguments.

    Fence       one service, and only the methods that the command needs
    Patience    tries again what is safe to try again, as long as the run's budget lasts
    Pace        stays under the service's requests a second
    Lanes       a stack of what is below for each request that is under way, and a Watchdog over all of them
    Deadline    a request takes so long and no longer; its permit is asked, and the call counted, as it leaves;
                its answer tells what the month has left
    Whole       the whole answer, of bounded size, and nothing that is packed
    (httpx)     sockets and TLS, as `sockets` opens them

`careful_client` puts them together. A request goes from top to bottom, its answer back up.
"""

from bio_sync.transport.client import careful_client
from bio_sync.transport.deadline import PERMIT
from bio_sync.transport.meter import Meter
from bio_sync.transport.pace import Pace
from bio_sync.transport.patience import Patience
from bio_sync.transport.sockets import goes_through_proxy
from bio_sync.transport.watchdog import Watchdog
from bio_sync.transport.whole import NEVER_SENT

__all__ = [
    "NEVER_SENT",
    "PERMIT",
    "Meter",
    "Pace",
    "Patience",
    "Watchdog",
    "careful_client",
    "goes_through_proxy",
]
