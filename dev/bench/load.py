"""A load generator: some connections, kept open, driven by one loop.

Every registration needs a name and a code of its own, which wrk cannot send without a program in another language;
and this way figures of two machines come from the same generator. A request costs it about 30 µs.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from dev.bench.figures import percentile

LONGEST_ANSWER_SECONDS = 60.0
_HEAD_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass
class Outcome:
    """What a run gave. Latencies are seconds; a connection that broke counts as status 0."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list, repr=False)
    statuses: Counter[int] = field(default_factory=Counter)
    odd: bytes = b""
    """The first answer that was not 200, for whoever wonders."""

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    @property
    def p50(self) -> float:
        """The median latency."""
        return percentile(self.latencies, 0.5)

    @property
    def p99(self) -> float:
        """What all but one of a hundred stayed within."""
        return percentile(self.latencies, 0.99)

    def require_all(self, status: int = 200) -> Outcome:
        """Return it, if every answer had this status.

        Raises:
            RuntimeError: another one came; a figure of failures would be none.
        """
        if set(self.statuses) != {status}:
            raise RuntimeError(f"Not every answer was {status}: {dict(self.statuses)}. One of them: {self.odd!r}")
        return self


def get(path: str, *, accept: str = "text/html", cookie: str = "") -> bytes:
    """A GET request as bytes."""
    return f"{_head('GET', path, accept, cookie)}\r\n".encode()


def post(path: str, body: str, *, accept: str = "application/json", cookie: str = "") -> bytes:
    """A form as the bytes of a POST request."""
    content = body.encode()
    kind = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(content)}\r\n"
    return f"{_head('POST', path, accept, cookie)}{kind}\r\n".encode() + content


def _head(method: str, path: str, accept: str, cookie: str) -> str:
    cookies = f"Cookie: {cookie}\r\n" if cookie else ""
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n{cookies}"


def run(
    port: int,
    requests: Iterator[bytes],
    *,
    connections: int,
    seconds: float | None = None,
    count: int | None = None,
    rate: float | None = None,
) -> Outcome:
    """Send requests to 127.0.0.1 until the time is over, so many were sent, or there are no more.

    Without `rate` each connection sends its next request when it has its answer. With it, requests fall due so many
    a second, and each latency counts from when it fell due: one that had to wait for a connection waited.

    Raises:
        TimeoutError: an answer took longer than a minute.
    """
    with _Loop(port, requests, connections, seconds, count, rate) as loop:
        return loop.run()


class _Connection:
    def __init__(self, port: int) -> None:
        self._port = port
        self.began = 0.0
        self.answer = bytearray()
        self.is_over = False
        self.socket = self._open()

    def _open(self) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self._port), timeout=LONGEST_ANSWER_SECONDS)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def close(self) -> None:
        self.socket.close()
        self.is_over = True

    def send(self, request: bytes, began: float) -> None:
        if self.is_over:
            # Only now: a server of few processes gives one of them to whoever has connected, and waits.
            self.socket, self.is_over = self._open(), False
        self.began = began
        self.answer.clear()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """Read what is there: the status once the answer is whole, 0 where the connection ended before, else None."""
        try:
            arrived = self.socket.recv(262_144)
        except ConnectionError:
            return 0
        self.answer += arrived
        return status_if_whole(self.answer) if arrived else 0


def status_if_whole(answer: bytes | bytearray) -> int | None:
    """Return the status of an HTTP/1.1 answer, or None while there is more of it to come."""
    head_end = answer.find(_HEAD_END)
    if head_end < 0:
        return None
    head = bytes(answer[:head_end]).lower()
    status = int(head[9:12])
    begin = head_end + len(_HEAD_END)
    _, found, rest = head.partition(b"\r\ncontent-length:")
    if found:
        return status if len(answer) - begin >= int(rest.partition(b"\r\n")[0]) else None
    if b"\r\ntransfer-encoding: chunked" in head:
        return status if answer.endswith(_LAST_CHUNK) else None
    return status  # such as 204 and 304: there is nothing else


def is_last(answer: bytes | bytearray) -> bool:
    """Say whether the server closes the connection after this answer."""
    return b"\r\nconnection: close" in bytes(answer[: answer.find(_HEAD_END)]).lower()


class _Loop:
    def __init__(
        self,
        port: int,
        requests: Iterator[bytes],
        connections: int,
        seconds: float | None,
        count: int | None,
        rate: float | None,
    ) -> None:
        self._requests, self._rate = requests, rate
        self._left = float("inf") if count is None else count
        self._selector = selectors.DefaultSelector()
        self._free = deque(_Connection(port) for _ in range(connections))
        self._all = list(self._free)
        self._busy = 0
        self._outcome = Outcome()
        self._begin = time.perf_counter()
        self._end = self._begin + (float("inf") if seconds is None else seconds)
        self._sent = 0

    def __enter__(self) -> _Loop:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for connection in self._all:
            connection.socket.close()

    def run(self) -> Outcome:
        self._send_what_is_due()
        while self._busy or self._left > 0:
            ready = self._selector.select(self._patience())
            moment = time.perf_counter()
            if not ready and self._busy and moment > self._end + LONGEST_ANSWER_SECONDS:
                raise TimeoutError(f"{self._busy} answers did not come within a minute.")
            for key, _ in ready:
                self._receive(key.data, moment)
            self._send_what_is_due()
        self._outcome.seconds = time.perf_counter() - self._begin
        return self._outcome

    def _due(self) -> float:
        """When the next request shall be sent."""
        return self._begin + self._sent / self._rate if self._rate else time.perf_counter()

    def _patience(self) -> float:
        if self._rate and self._left > 0 and self._free:
            return max(0.0, self._due() - time.perf_counter())
        return 1.0

    def _send_what_is_due(self) -> None:
        while self._free and self._left > 0 and (due := self._due()) <= time.perf_counter():
            if due > self._end or (not self._rate and time.perf_counter() > self._end):
                self._left = 0
                return
            request = next(self._requests, None)
            if request is None:
                self._left = 0
                return
            self._send(self._free.popleft(), request, due)

    def _send(self, connection: _Connection, request: bytes, due: float) -> None:
        self._sent += 1
        self._left -= 1
        self._busy += 1
        connection.send(request, due)
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def _receive(self, connection: _Connection, moment: float) -> None:
        status = connection.receive()
        if status is None:
            return
        self._outcome.latencies.append(moment - connection.began)
        self._outcome.statuses[status] += 1
        if status != 200 and not self._outcome.odd:
            self._outcome.odd = bytes(connection.answer[-2000:])
        with contextlib.suppress(KeyError):
            self._selector.unregister(connection.socket)
        if status == 0 or is_last(connection.answer):
            connection.close()
        self._busy -= 1
        self._free.append(connection)
