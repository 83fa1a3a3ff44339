"""Wire faults: the bytes of an answer that never arrives whole, and when each of them leaves."""

from __future__ import annotations

import functools
import math
import zlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Wire = Literal[
    "reset",
    "close",
    "truncate",
    "truncate-chunk",
    "silent-truncate",
    "garbage",
    "trickle",
    "hints",
    "endless",
    "packed",
    "hang",
]
Part = tuple[bytes, float]

WIRES: tuple[str, ...] = get_args(Wire)
# The kinds that spoil the answer which the fault's other members decide; the others bring their own, or none.
WIRES_OF_AN_ANSWER = ("truncate", "truncate-chunk", "silent-truncate", "trickle")
SPOIL = "sandbox.spoil"

_PACE = {"trickle": 1.0, "hints": 0.2}
_FRAMING = (b"content-length", b"transfer-encoding", b"connection")
_JSON = b"Content-Type: application/json"
_CHUNKED = b"Transfer-Encoding: chunked"
_CLOSE = b"Connection: close"
_MEBIBYTE = 1024 * 1024
_UNPACKED_MEBIBYTES = 64
# 8 MiB a second: soon more than a careful client takes, and little for the machine.
_ENDLESS_CHUNK, _ENDLESS_PAUSE = 256 * 1024, 1 / 32


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer before it is spoiled."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def head(self, *framing: bytes) -> bytes:
        """Return the status line and the headers, with other framing than the answer's own."""
        kept = [name + b": " + value for name, value in self.headers if name.lower() not in _FRAMING]
        return _head(self.status, *kept, *framing)


def told_status(wire: Wire, answer: Answer) -> int | None:
    """Return the status that a client can read from the wire; None when it gets none."""
    if wire in WIRES_OF_AN_ANSWER:
        return answer.status
    return 200 if wire in ("endless", "packed") else None


def parts(wire: Wire, answer: Answer, delay: float) -> Iterator[Part]:
    """Yield what to write and how many seconds to wait then; the connection ends after the last part.

    Args:
        wire: the kind of fault.
        answer: what would have been sent.
        delay: seconds before the first byte; for `trickle` and `hints` those after each part, 0 being
            one second and a fifth.
    """
    if wire in _PACE:
        yield from _PARTS[wire](answer, delay or _PACE[wire])
        return
    if delay:
        yield b"", delay
    yield from _PARTS[wire](answer, 0.0)


def _nothing(_: Answer, __: float) -> Iterator[Part]:
    yield from ()


def _truncated(answer: Answer, _: float) -> Iterator[Part]:
    head = answer.head(b"Content-Length: %d" % len(answer.body))
    yield head + _half(answer.body), 0.0


def _truncated_chunk(answer: Answer, _: float) -> Iterator[Part]:
    yield answer.head(_CHUNKED) + b"%x\r\n" % len(answer.body) + _half(answer.body), 0.0


def _silently_truncated(answer: Answer, _: float) -> Iterator[Part]:
    yield answer.head(_CLOSE) + _half(answer.body), 0.0


def _garbage(_: Answer, __: float) -> Iterator[Part]:
    yield b"\x15\x03\x01\x00\x02\x02\x46 This is no HTTP at all.\r\n\r\n", 0.0


def _trickle(answer: Answer, pause: float) -> Iterator[Part]:
    whole = answer.head(b"Content-Length: %d" % len(answer.body), _CLOSE) + answer.body
    for position in range(len(whole)):
        yield whole[position : position + 1], pause


def _hints(_: Answer, pause: float) -> Iterator[Part]:
    while True:
        yield _head(103, b"Link: </style.css>; rel=preload; as=style"), pause


def _endless(_: Answer, __: float) -> Iterator[Part]:
    yield _head(200, _JSON, _CHUNKED) + _chunk(b'{"data":['), 0.0
    blank = _chunk(b" " * _ENDLESS_CHUNK)
    while True:
        yield blank, _ENDLESS_PAUSE


def _packed(_: Answer, __: float) -> Iterator[Part]:
    body = _bomb()
    yield _head(200, _JSON, b"Content-Encoding: gzip", b"Content-Length: %d" % len(body), _CLOSE) + body, 0.0


def _hang(_: Answer, __: float) -> Iterator[Part]:
    yield b"", math.inf


_PARTS: dict[str, Callable[[Answer, float], Iterator[Part]]] = {
    "reset": _nothing,
    "close": _nothing,
    "truncate": _truncated,
    "truncate-chunk": _truncated_chunk,
    "silent-truncate": _silently_truncated,
    "garbage": _garbage,
    "trickle": _trickle,
    "hints": _hints,
    "endless": _endless,
    "packed": _packed,
    "hang": _hang,
}


def _head(status: int, *headers: bytes) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return b"\r\n".join([b"HTTP/1.1 %d %s" % (status, phrase.encode("ascii")), *headers, b"", b""])


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


@functools.cache
def _bomb() -> bytes:
    """Return a valid envelope of more than 64 MiB in some 64 KiB of gzip."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    packed = [packer.compress(b'{"data":[],"meta":{"request_id":"req_packed"}')]
    blank = b" " * _MEBIBYTE
    packed += [packer.compress(blank) for _ in range(_UNPACKED_MEBIBYTES)]
    packed += [packer.compress(b"}"), packer.flush()]
    return b"".join(packed)
