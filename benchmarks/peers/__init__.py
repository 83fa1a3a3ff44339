"""What a user would use instead of bio-sync, each written as somebody who knows that tool well would write it.

Every peer does one job: compare each page file with its live page, and print `changed ID` for those that differ, a line
each, in the order of the files; an apply then sends what differs, field by field. What a peer can't do
(see where a file is wrong, guard, ask, keep its pace, settle a lost write) it is not asked for.
"""

from benchmarks.peers.ansible import ANSIBLE
from benchmarks.peers.octodns import OCTODNS
from benchmarks.peers.peer import Peer, changed_ids
from benchmarks.peers.script import SCRIPT, TUNED_SCRIPT
from benchmarks.peers.shell import SHELL

__all__ = ["ANSIBLE", "OCTODNS", "PEERS", "SCRIPT", "SHELL", "TUNED_SCRIPT", "Peer", "changed_ids"]

PEERS = (SHELL, TUNED_SCRIPT, SCRIPT, OCTODNS, ANSIBLE)
