"""A proxy in front of the homeserver that misbehaves on command: what a network does on a bad day, by rule.

with ChaosProxy(synapse.url) as proxy:
    proxy.add(Lose(), "POST", "/_synapse/admin/v1/register")
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

from dev import processes

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "upgrade"}


@dataclass(frozen=True)
class Pass:
    """Forward, and give the answer back."""


@dataclass(frozen=True)
class Cut:
    """Close the connection; the homeserver hears nothing."""


@dataclass(frozen=True)
class Lose:
    """Forward, let the homeserver do it, and close the connection instead of answering."""


@dataclass(frozen=True)
class Delay:
    """Wait, then forward (or, with after=True, forward first and wait with the answer)."""

    seconds: float
    after: bool = False


@dataclass(frozen=True)
class Hang:
    """Hold the connection open and never answer, until release() or stop(). forward=True: the homeserver does it."""

    forward: bool = False


@dataclass(frozen=True)
class Garbage:
    """Answer with something that is not HTTP, or (as_http=True) with a page that is not JSON; nothing is forwarded."""

    as_http: bool = False


@dataclass(frozen=True)
class Status:
    """Answer with this status and body; nothing is forwarded."""

    code: int
    body: str = "{}"
    headers: dict[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Repeat:
    """Forward the same request twice and give the second answer back, as a retrying middlebox does."""


Mode = Pass | Cut | Lose | Delay | Hang | Garbage | Status | Repeat


@dataclass(frozen=True)
class Seen:
    """A request that reached the proxy, and what was done to it."""

    method: str
    path: str
    body: bytes = field(repr=False)
    mode: Mode


@dataclass
class _Rule:
    mode: Mode
    method: str
    path: re.Pattern[str]
    left: int | None

    def takes(self, method: str, path: str) -> bool:
        if self.left == 0 or not (re.fullmatch(self.method, method) and self.path.search(path)):
            return False
        if self.left is not None:
            self.left -= 1
        return True


@dataclass
class _Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class ChaosProxy:
    """Listens on loopback from the start. Rules may be changed at any time; without rules it only forwards."""

    def __init__(self, target: str) -> None:
        """Stand in front of this address (`http://host:port`)."""
        parts = urlsplit(target)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._under_way = 0
        self._server: _Server | None = None
        self.seen: list[Seen] = []
        self.port = processes.free_port()
        self.accept()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address to give to Foyer in place of the homeserver's."""
        return f"http://127.0.0.1:{self.port}"

    def add(self, mode: Mode, method: str = ".*", path: str = "", *, times: int | None = None) -> None:
        """Treat matching requests this way: method as a whole, path by search, both regular expressions.

        The newest rule that matches wins; with `times`, only the next so many requests.
        """
        with self._lock:
            self._rules.insert(0, _Rule(mode, method, re.compile(path), times))

    def clear(self) -> None:
        """Forget all rules and the requests seen; connections that hang are let go; refused ones are taken again."""
        with self._lock:
            self._rules.clear()
            self.seen.clear()
        self.release()
        self.accept()

    def release(self) -> None:
        """Close every connection that hangs."""
        self._released.set()
        self._released = threading.Event()

    def refuse(self) -> None:
        """Take no connection from now on, as a server that is down. accept() ends it."""
        if self._server is not None:
            self._server.shutdown()
            self._server.close_all()
            self._server = None

    def accept(self) -> None:
        """Listen (again), at the same port."""
        if self._server is None:
            self._server = _Server(self.port, self)
            threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Let go of everything."""
        self.release()
        self.refuse()

    def count(self, method: str = ".*", path: str = "") -> int:
        """How many requests of this kind were seen, whatever was done to them."""
        with self._lock:
            return sum(1 for seen in self.seen if re.fullmatch(method, seen.method) and re.search(path, seen.path))

    def wait_for(self, number: int, method: str = ".*", path: str = "", *, seconds: float = 60) -> None:
        """Wait until so many requests of this kind were seen.

        Raises:
            TimeoutError: they did not come.
        """
        end = time.monotonic() + seconds
        while self.count(method, path) < number:
            if time.monotonic() > end:
                raise TimeoutError(f"{self.count(method, path)} of {number} requests {method} {path} came.")
            time.sleep(0.01)

    def note(self, method: str, path: str, body: bytes) -> Mode:
        """Remember a request and say how to treat it."""
        with self._lock:
            mode = next((rule.mode for rule in self._rules if rule.takes(method, path)), Pass())
            self.seen.append(Seen(method, path, body, mode))
            return mode

    def wait_until_still(self, *, seconds: float = 60) -> None:
        """Wait until nothing is on its way any more, those apart that hang: what was delayed has arrived.

        Raises:
            TimeoutError: something still is.
        """
        end = time.monotonic() + seconds
        while self._under_way:
            if time.monotonic() > end:
                raise TimeoutError(f"{self._under_way} requests are still on their way.")
            time.sleep(0.01)

    @contextlib.contextmanager
    def carry(self) -> Iterator[None]:
        """Count a request as on its way."""
        with self._lock:
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def hang(self) -> None:
        """Return when the hanging connections are released."""
        with self._lock:
            self._under_way -= 1
        self._released.wait()
        with self._lock:
            self._under_way += 1

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> _Answer:
        """Ask the homeserver.

        Raises:
            OSError, HTTPException: it does not answer.
        """
        with contextlib.closing(http.client.HTTPConnection(*self._target, timeout=60)) as connection:
            connection.request(method, path, body=body or None, headers=headers)
            answer = connection.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP]
            return _Answer(answer.status, kept, answer.read())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, proxy: ChaosProxy) -> None:
        self.proxy = proxy
        self.open_sockets: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        self.open_sockets.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self.open_sockets.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        """An asker that was killed resets its connection, and that is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def close_all(self) -> None:
        self.server_close()
        for connection in list(self.open_sockets):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *_: object) -> None:
        """Say nothing: tests read `seen`."""

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._treat
        raise AttributeError(name)

    def _treat(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.server.proxy.carry():
            self._go_by_the_rules(body)

    def _go_by_the_rules(self, body: bytes) -> None:
        mode = self.server.proxy.note(self.command, self.path, body)
        match mode:
            case Cut():
                self._close()
            case Status(code, text, headers):
                self._answer(_Answer(code, [("Content-Type", "application/json"), *headers.items()], text.encode()))
            case Garbage(as_http=True):
                self._answer(_Answer(200, [("Content-Type", "text/html")], b"<html>It works!</html>"))
            case Garbage():
                self.wfile.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
                self._close()
            case Hang(forward=False):
                self.server.proxy.hang()
                self._close()
            case _:
                self._forward(mode, body)

    def _forward(self, mode: Mode, body: bytes) -> None:
        if isinstance(mode, Delay) and not mode.after:
            time.sleep(mode.seconds)
        try:
            answer = self._ask(body)
            if isinstance(mode, Repeat):
                answer = self._ask(body)
        except (OSError, http.client.HTTPException):
            return self._close()  # A homeserver that is down looks from here as it would without us.
        if isinstance(mode, Lose):
            return self._close()
        if isinstance(mode, Hang):
            self.server.proxy.hang()
            return self._close()
        if isinstance(mode, Delay) and mode.after:
            time.sleep(mode.seconds)
        self._answer(answer)

    def _ask(self, body: bytes) -> _Answer:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        return self.server.proxy.forward(self.command, self.path, headers, body)

    def _answer(self, answer: _Answer) -> None:
        with contextlib.suppress(OSError):  # The asker may have gone.
            self.send_response_only(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else answer.body)

    def _close(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
