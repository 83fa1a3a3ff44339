"""A local xQR on loopback: the documented bio API over real HTTP, for rehearsals and tests.

It imports nothing else of bio_sync, so that client and service can not share a mistake.
Needs starlette and uvicorn (the extra `sandbox`); without them the import fails with ImportError.
"""

from bio_sync.sandbox.behaviour import Behaviour
from bio_sync.sandbox.fault_files import load_faults
from bio_sync.sandbox.faults import Fault
from bio_sync.sandbox.history import Revision
from bio_sync.sandbox.recording import RecordedRequest
from bio_sync.sandbox.seed import load_seed
from bio_sync.sandbox.server import Sandbox

__all__ = ["Behaviour", "Fault", "RecordedRequest", "Revision", "Sandbox", "load_faults", "load_seed"]
