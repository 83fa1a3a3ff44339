"""bio-sync as a command that starts at once: 0.05 s instead of 0.3 s, and a pipeline is some ten of them.

A server has imported the tool before anybody asks. The command sends it its arguments, folder, environment and the
three streams; the server forks, and the child is then a process like any other that runs `bio-sync`, or the Python
that runs `-m bio_sync.action`. But a signal to the command does not reach it, and PYTHONPATH means nothing to it.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

_CLIENT = """\
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(asked).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(asked)
    code = server.recv(1)
sys.exit(code[0] if code else 70)
"""


@cache
def command() -> str:
    """Start the server, for as long as this process lives, and give a shell script that is `bio-sync`."""
    folder = tempfile.TemporaryDirectory(prefix="bio-sync-")
    address, client = f"{folder.name}/socket", Path(folder.name, "client.py")
    client.write_text(_CLIENT.format(address=address), encoding="utf-8")
    # -P, as the console script of an installed tool has it: nothing of the working directory is imported.
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.pipelines.warm", address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert server.stdin
    assert server.stdout
    assert server.stdout.read(1) == b"!"

    @atexit.register
    def stop() -> None:
        server.terminate()
        server.communicate()
        folder.cleanup()

    return f'#!/bin/sh\nexec {sys.executable} -I -S {client} "$@"\n'


def serve(address: str) -> None:
    """Answer until standard input ends."""
    from bio_sync import cli, timetable, workflow  # noqa: F401, PLC0415 - the point: imported once
    from bio_sync.action import running  # noqa: F401, PLC0415
    from bio_sync.api import WritingApi  # noqa: F401, PLC0415
    from bio_sync.transport import meter  # noqa: PLC0415

    # One page after the other, also on a machine that takes 20 ms and more to answer: documents show their order.
    meter.MOST_LANES = 1
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        os.write(1, b"!")
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    os._exit(_run(connection))


def _run(connection: socket.socket) -> int:
    """Be the command that is asked for; what it exits with goes back as one byte."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, streams, _, _ = socket.recv_fds(connection, 8, 3)
    asked = b""
    while len(asked) < int.from_bytes(length, "big"):
        asked += connection.recv(1 << 16)
    arguments, folder, environment = json.loads(asked)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    # New ones: those of the server know it as what it was, a pipe.
    sys.stdin, sys.stdout, sys.stderr = (open(number, mode, closefd=False) for number, mode in enumerate("rww"))  # noqa: SIM115
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code = 70
    try:
        _main(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(bytes([code]))
    return code


def _main(arguments: list[str]) -> None:
    if arguments[:2] == ["-m", "bio_sync.action"]:
        from bio_sync.action.__main__ import main  # noqa: PLC0415

        sys.argv = ["bio_sync.action", *arguments[2:]]
    else:
        from bio_sync.__main__ import main  # noqa: PLC0415

        sys.argv = ["bio-sync", *arguments]
    main()


if __name__ == "__main__":
    serve(sys.argv[1])
