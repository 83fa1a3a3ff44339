"""A disk without room, for this process: a file that grows beyond 16 bytes is an error."""

import contextlib
import resource
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def no_room() -> Iterator[None]:
    """Let no file grow; the signal that would end the process is ignored, and the write fails with EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
