"""Small servers that real homeservers are not: one that speaks TLS, one that sends whatever bytes it is told to."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

CERTIFICATES = Path(__file__).with_name("certificates")
"""Made once, valid until 2124 (but for the expired one), of an authority whose key is gone."""

AUTHORITY = CERTIFICATES / "authority.pem"


@contextlib.contextmanager
def tls_in_front_of(port: int, certificate: str) -> Iterator[str]:
    """Take TLS connections and pass them on to this port of loopback; gives the URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / certificate)

    def serve(connection: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            context.wrap_socket(connection, server_side=True) as outside,
            socket.create_connection(("127.0.0.1", port)) as inside,
        ):
            threading.Thread(target=_pump, args=(inside, outside), daemon=True).start()
            _pump(outside, inside)

    with _listening(serve) as own:
        yield f"https://127.0.0.1:{own}"


@contextlib.contextmanager
def sending(*pieces: bytes, pause: float = 0.0) -> Iterator[str]:
    """Answer every request with these pieces, pausing after each, and close; gives the URL."""

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.recv(65536)
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)

    with _listening(serve) as port:
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _peer = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
