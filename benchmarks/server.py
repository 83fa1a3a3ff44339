"""The service to measure against: a process of its own whose answers are ready before they are asked for.

It is not bio-sync's sandbox, which is a database and takes milliseconds a call: here a page and a list are bytes, on
uvloop, httptools and orjson, so that the client is what is measured. Run it with a Python that has them
(requirements/bench.txt); it prints its port, and ends with its standard input.

    GET    /api/v1/bio/pages?limit=200&offset=0     the pages of the list that was loaded
    GET    /api/v1/bio/pages/{id}
    PATCH  /api/v1/bio/pages/{id}                   title, description and page_data are really replaced
    GET    /_measured                               what was asked since the last reset, and what it cost here
    GET    /_pages                                  all pages as they are now, neither limited nor counted
    POST   /_reset                                  the pages as they were loaded, everything counted from 0
"""

import argparse
import asyncio
import gc
import os
import signal
import sys
from pathlib import Path
from typing import cast

import httptools
import orjson
import uvloop

from benchmarks.answering import Answers, Limit, Pages


class Connection(asyncio.Protocol):
    """One connection: httptools reads requests, each is answered whole."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the way back."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Let httptools read it; who does not speak HTTP is let go."""
        self._answers.account.received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_message_begin(self) -> None:
        """Forget the request before."""
        self._url = self._body = b""

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._url += url

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer at once."""
        answer = self._answers.answer(self._parser.get_method(), self._url, self._body)
        self._answers.account.sent += len(answer)
        self._transport.write(answer)


async def serve(answers: Answers) -> None:
    """Serve on a free port of loopback, print it, and go on until standard input ends."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    server = await loop.create_server(lambda: Connection(answers), "127.0.0.1", 0)

    def listen_to_the_end() -> None:
        if not os.read(sys.stdin.fileno(), 1024):
            ended.set()

    loop.add_reader(sys.stdin.fileno(), listen_to_the_end)
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await ended.wait()


def main() -> None:
    """Read the live pages, then serve them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("live", type=Path, help="the live pages, a JSON list")
    parser.add_argument("--burst-limit", type=int, default=1_000_000, help="requests a second, as the headers tell")
    parser.add_argument("--enforce", action="store_true", help="answer 429 above the burst limit")
    told = parser.parse_args()
    pages = Pages(orjson.loads(told.live.read_text(encoding="utf-8")))
    answers = Answers(pages, Limit(told.burst_limit, enforce=told.enforce))
    # What was loaded stays: no collection looks at it while somebody is measured.
    gc.collect()
    gc.freeze()
    uvloop.run(serve(answers))


if __name__ == "__main__":
    main()
