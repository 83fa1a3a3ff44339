"""Patience and caution, as layers around an httpx transport; the clock and the sleep are arguments.

    Origin      one service, and only the methods that the command needs
    Patience    tries again what is safe to try again, as long as the run's budget lasts
    Pace        stays under the service's requests a second
    Lanes       a stack of what is below for each request that is under way, and a Watchdog over all of them
    Deadline    a request takes so long and no longer; its permit is asked, and the call counted, as it leaves
    Whole       the whole answer, of bounded size, and nothing that is packed
    (httpx)     sockets and TLS, as `sockets` opens them

A request goes from top to bottom, its answer back up.
"""

from bio_sync.transport.deadline import PERMIT, Deadline
from bio_sync.transport.lanes import Lanes
from bio_sync.transport.meter import Meter
from bio_sync.transport.origin import Origin
from bio_sync.transport.pace import Pace
from bio_sync.transport.patience import Budget, Patience
from bio_sync.transport.sockets import opener
from bio_sync.transport.watchdog import Watchdog
from bio_sync.transport.whole import NEVER_SENT, Whole

__all__ = [
    "NEVER_SENT",
    "PERMIT",
    "Budget",
    "Deadline",
    "Lanes",
    "Meter",
    "Origin",
    "Pace",
    "Patience",
    "Watchdog",
    "Whole",
    "opener",
]
