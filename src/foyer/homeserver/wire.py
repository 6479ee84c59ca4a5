"""One request and its answer in HTTP/1.1, over a socket that stands: what is sent, and what is taken for an answer.

An answer is here as a whole before a moment, or it is none: a time-out of the socket's own begins anew with every byte.
urllib3 and http.client make the same of it with several times the work, most of it in parsing headers as a mail's.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_HEAD_BYTES = 65_536
MAX_ANSWER_BYTES = 1_048_576
CHUNK_BYTES = 65_536
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: .*)?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")
_WITHOUT_BODY = frozenset({204, 304})


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
    arriving = _Arriving(sock, until)
    status, version, headers = 100, b"1", dict[str, str]()
    while 100 <= status < 200 and status != 101:  # "Continue" and such go before the answer
        status, version, headers = _head(arriving.head())
    body, is_bounded = _body(arriving, status, headers)
    wishes = headers.get("connection", "").lower()
    keeps_open = is_bounded and not arriving.left and ("close" not in wishes if version == b"1" else "keep" in wishes)
    return Received(status, headers, body, keeps_open)


def _head(head: bytes) -> tuple[int, bytes, dict[str, str]]:
    first, *lines = head.replace(b"\r\n", b"\n").split(b"\n")
    found = _STATUS.fullmatch(first)
    if found is None:
        raise NoAnswer("This is no answer in HTTP/1.1.")
    headers: dict[str, str] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:  # of no use to us, and it changes nothing in the length of the body
            continue
        name, value = header[1].decode("ascii").lower(), header[2].decode("latin-1")
        if name == "content-length" and headers.get(name, value) != value:
            raise NoAnswer("The answer has two lengths.")
        headers[name] = value
    return int(found[2]), found[1], headers


def _body(arriving: _Arriving, status: int, headers: Mapping[str, str]) -> tuple[bytes, bool]:
    """Return the body, and whether it says itself where it ends."""
    if status in _WITHOUT_BODY:
        return b"", True
    if "transfer-encoding" in headers:
        if headers["transfer-encoding"].lower() != "chunked":
            raise NoAnswer("The body is in a form that was not asked for.")
        return arriving.chunks(), True
    length = headers.get("content-length")
    if length is None:
        return arriving.rest(), False
    if not (length.isascii() and length.isdigit()):
        raise NoAnswer("The length of the answer is no number.")
    return arriving.exactly(int(length)), True


class _Arriving:
    """What arrives at a socket until a moment."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self._until = sock, until
        self.left = b""

    def _more(self) -> bytes:
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("The answer takes too long.")
        self._sock.settimeout(seconds)
        return self._sock.recv(CHUNK_BYTES)

    def head(self) -> bytes:
        """Read to the empty line."""
        return self._until_found(b"\r\n\r\n", b"\n\n", most=MAX_HEAD_BYTES)

    def _until_found(self, *ends: bytes, most: int) -> bytes:
        while True:
            for end in ends:
                place = self.left.find(end)
                if place >= 0:
                    found, self.left = self.left[:place], self.left[place + len(end) :]
                    return found
            if len(self.left) > most:
                raise NoAnswer("A line or the head of the answer is too long.")
            more = self._more()
            if not more:
                raise NoAnswer("The connection was closed before the answer.")
            self.left += more

    def exactly(self, length: int) -> bytes:
        """Read so many bytes."""
        if length > MAX_ANSWER_BYTES:
            raise NoAnswer("The answer is too long.")
        parts, missing = [self.left], length - len(self.left)
        while missing > 0:
            more = self._more()
            if not more:
                raise NoAnswer("The connection was closed within the answer.")
            parts.append(more)
            missing -= len(more)
        whole = b"".join(parts)
        self.left = whole[length:]
        return whole[:length]

    def rest(self) -> bytes:
        """Read to the end of the connection."""
        parts, size = [self.left], len(self.left)
        while more := self._more():
            parts.append(more)
            size += len(more)
            if size > MAX_ANSWER_BYTES:
                raise NoAnswer("The answer is too long.")
        self.left = b""
        return b"".join(parts)

    def chunks(self) -> bytes:
        """Read a body in chunks, and what trails it."""
        whole = b""
        while True:
            size = _SIZE.fullmatch(self._until_found(b"\r\n", most=1024))
            if size is None:
                raise NoAnswer("A chunk of the answer has no size.")
            length = int(size[1], 16)
            if not length:
                break
            whole += self.exactly(length)
            if len(whole) > MAX_ANSWER_BYTES:
                raise NoAnswer("The answer is too long.")
            if self.exactly(2) != b"\r\n":
                raise NoAnswer("A chunk of the answer does not end where it should.")
        while self._until_found(b"\r\n", most=MAX_HEAD_BYTES):
            pass
        return whole
