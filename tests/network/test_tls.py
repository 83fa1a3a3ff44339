"""The same cautions through TLS, with a certificate made for the test, and through a proxy's tunnel."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from bio_sync.errors import UnclearWrite, Unreachable
from tests.network.test_deadline import has_been_asked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bio_sync.key import ApiKey
    from tests.network.conftest import Asked, Connect, RawServer, StartServer, Wire

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="the certificate is made by the openssl command")


def certificate(folder: Path, name: str) -> Path:
    """Make a certificate and its key, in one file, for a host."""
    made = folder / "pair.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test"]
    files = ["-addext", f"subjectAltName={name}", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([str(OPENSSL), "req", "-x509", *kind, *files], check=True, capture_output=True)
    made.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
    return made


def context(pair: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pair)
    return made


@pytest.fixture
def own_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's TLS with a certificate for this machine that the client has been told to trust."""
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    pair = certificate(tmp_path, "IP:127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    return context(pair)


class Tunnel:
    """A proxy that connects as it is told, and remembers every byte that it sees on the way to the service."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.seen = bytearray()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(20)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def stop(self) -> None:
        self._thread.join(20)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError), self._listener.accept()[0] as client:
            client.settimeout(20)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                if not (byte := client.recv(1)):
                    return
                head += byte
            self.asked.append(head)
            host, _, port = head.split()[1].decode().rpartition(":")
            with socket.create_connection((host, int(port)), timeout=20) as service:
                client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                back = threading.Thread(target=self._pass, args=(service, client))
                back.start()
                self._pass(client, service, self.seen)
                back.join()

    def _pass(self, source: socket.socket, sink: socket.socket, seen: bytearray | None = None) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if seen is not None:
                    seen += data
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def tunnel() -> Iterator[Tunnel]:
    running = Tunnel()
    yield running
    # Wakes one that nobody came to.
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", int(running.address.rpartition(":")[2])), timeout=1).close()
    running.stop()


def test_a_service_with_a_certificate_is_asked_over_one_connection(
    own_context: ssl.SSLContext, serve: StartServer, connect: Connect, wire: Wire, key: ApiKey
) -> None:
    answer = wire.data(wire.page(), headers={"Connection": "keep-alive"})
    server = serve(answer, keeps=True, tls=own_context)
    api = connect(server.url)
    permits: list[int] = []
    for _ in range(3):
        api.get_page("bio_1")
        api.update("bio_1", {"title": "A"}, lambda: permits.append(1))
    assert (server.connections, len(server.asked), len(permits), api.meter.calls) == (1, 6, 3, 6)
    assert server.asked[0].headers["authorization"] == key.header()


@pytest.mark.parametrize("trusted", ["not at all", "for another host"])
def test_a_certificate_that_proves_nothing_ends_it_before_the_key_is_sent(
    trusted: str, tmp_path: Path, serve: StartServer, connect: Connect, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = certificate(tmp_path, "DNS:xqr.co" if trusted == "for another host" else "IP:127.0.0.1")
    if trusted == "for another host":
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    server = serve(wire.data(wire.page()), tls=context(pair))
    api = connect(server.url)
    asked: list[int] = []
    with pytest.raises(Unreachable, match=r"(?i)certificate"):
        api.update("bio_1", {"title": "A"}, lambda: asked.append(1))
    assert (server.asked, api.meter.calls, asked) == ([], 0, [])


@pytest.mark.parametrize("place", ["head", "body"])
@pytest.mark.parametrize("way", ["straight", "tunnel"])
def test_the_deadline_holds_through_tls(
    way: str,
    place: str,
    own_context: ssl.SSLContext,
    tunnel: Tunnel,
    serve: StartServer,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    servers: list[RawServer] = []

    def drip(_: Asked) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n" + (b"X: " if place == "head" else b"\r\n")
        while not servers[0].ending.wait(0.05):
            yield b" "

    servers.append(serve(drip, tls=own_context))
    if way == "tunnel":
        monkeypatch.setenv("HTTPS_PROXY", f"http://{tunnel.address}")
    api = connect(servers[0].url, timeout=1.0)
    started = time.monotonic()
    with pytest.raises(UnclearWrite, match="longer than 1 seconds"):
        api.update("bio_1", {"title": "A"})
    assert time.monotonic() - started < 15
    assert has_been_asked(servers[0], 1)
    assert api.meter.calls == 1


def test_a_handshake_that_never_ends_leaves_the_write_unsent(
    own_context: ssl.SSLContext, serve: StartServer, connect: Connect
) -> None:
    # It speaks no TLS at all, and waits for a line that never comes.
    server = serve(b"")
    api = connect(server.url.replace("http:", "https:"), timeout=0.3)
    started = time.monotonic()
    with pytest.raises(Unreachable):
        api.update("bio_1", {"title": "A"})
    assert time.monotonic() - started < 15
    assert api.meter.calls == 0


def test_a_tunnel_sees_a_name_and_a_port_and_no_word_of_the_rest(
    own_context: ssl.SSLContext,
    tunnel: Tunnel,
    serve: StartServer,
    connect: Connect,
    wire: Wire,
    key: ApiKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{tunnel.address}")
    server = serve(wire.data(wire.page()), tls=own_context)
    permits: list[int] = []
    api = connect(server.url)
    api.update("bio_1", {"title": "A"}, lambda: permits.append(1))
    assert server.asked[0].headers["authorization"] == key.header()
    assert (len(permits), api.meter.calls, len(tunnel.asked)) == (1, 1, 1)
    assert tunnel.asked[0].startswith(f"CONNECT {server.address} HTTP/1.1".encode())
    for word in (key.header().encode(), b"uthorization", b"/bio/pages", b"Bearer"):
        assert word not in bytes(tunnel.seen) + tunnel.asked[0]


@pytest.mark.parametrize("listed", ["127.0.0.1", "127.0.0.1:{port}", "*"])
def test_a_host_that_is_kept_from_the_proxy_may_be_named_with_its_port(
    listed: str,
    own_context: ssl.SSLContext,
    serve: StartServer,
    connect: Connect,
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy, server = serve(b""), serve(wire.data([]), tls=own_context)
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
    monkeypatch.setenv("NO_PROXY", listed.format(port=server.server_address[1]))
    assert connect(server.url).list_pages() == {}
    assert proxy.connections == 0
