"""One request and its answer in HTTP/1.1, over a socket that stands: what is sent, and what is taken for an answer.

An answer is here as a whole before a moment, or it is none: a time-out of the socket's own begins anew with every byte.
llhttp (Node's parser, by httptools) reads it, for a third of the work that http.client makes of it.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MAX_HEAD_BYTES = 65_536
MAX_ANSWER_BYTES = 1_048_576
READ_BYTES = 65_536
_LENGTHS = frozenset({"content-length", "transfer-encoding"})


class NoAnswer(OSError):
    """What arrived is no answer, not all of one, or too much."""


@dataclass(frozen=True, slots=True)
class Received:
    """An answer. Names of headers are in small letters; of several alike the last counts."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    keeps_open: bool
    """The connection can carry another request."""


def request(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """Return a request as bytes.

    Raises:
        ValueError: a line of it would end early, and what follows be taken for something else.
    """
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    elif method != "GET":
        lines.append("Content-Length: 0")
    head = "\r\n".join(lines)
    if head.count("\n") >= len(lines) or head.count("\r") >= len(lines) or " " in target or "\0" in head:
        raise ValueError("A part of the request has a line break or a blank in it.")
    return f"{head}\r\n\r\n".encode("latin-1") + (body or b"")


def receive(sock: socket.socket, until: float) -> Received:
    """Read one answer, until this moment of time.monotonic().

    Raises:
        NoAnswer
        OSError: the connection broke, or the time was over.
    """
    arriving = _Arriving()
    while not arriving.is_whole:
        seconds = until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("The answer takes too long.")
        sock.settimeout(seconds)
        arriving.take(sock.recv(READ_BYTES))
    return arriving.received()


class _Arriving:
    """An answer of which more and more is here. The parser calls what is named on_…"""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []
        self._size = 0
        self._status = 0
        self._has_head = self._keeps_open = False
        self.is_whole = False

    def take(self, data: bytes) -> None:
        """Read what has arrived; nothing: the other side has closed."""
        self._size += len(data)
        if self._size > MAX_ANSWER_BYTES or not (self._has_head or self._size <= MAX_HEAD_BYTES):
            raise NoAnswer("The answer is too long.")
        if not data:
            return self._end()
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:  # an upgrade was not asked for
            if not self.is_whole:  # else something that nobody asked for follows
                raise NoAnswer("This is no answer in HTTP/1.1.") from error
        return None

    def _end(self) -> None:
        if not self._has_head or _LENGTHS & self._headers.keys():
            raise NoAnswer("The connection was closed before the end of the answer.")
        self.is_whole = True

    def received(self) -> Received:
        """Return the whole."""
        if self._headers.get("transfer-encoding", "chunked").lower() != "chunked":
            raise NoAnswer("The body is in a form that was not asked for.")
        return Received(self._status, self._headers, b"".join(self._parts), self._keeps_open)

    def on_message_begin(self) -> None:
        """Begin anew after "Continue"; a connection on which more comes than was asked for carries nothing else."""
        self._keeps_open = False
        if not self.is_whole:
            self._headers.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        if not self.is_whole:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Know the status; "Continue" and such go before the answer."""
        if not self.is_whole:
            self._status = self._parser.get_status_code()
            self._has_head = self._status >= 200

    def on_body(self, part: bytes) -> None:
        """Keep a part of the body."""
        if not self.is_whole:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        """Note that nothing is missing."""
        if self._has_head and not self.is_whole:
            self.is_whole, self._keeps_open = True, self._parser.should_keep_alive()
