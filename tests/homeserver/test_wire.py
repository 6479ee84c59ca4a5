from __future__ import annotations

import contextlib
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foyer.homeserver.wire import NoAnswer, Received, receive, request


def received(sent: bytes, *, closes: bool = True) -> Received:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(sent)
        if closes:
            theirs.shutdown(socket.SHUT_WR)
        return receive(ours, time.monotonic() + 0.5)


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("sent", "body", "keeps_open"),
    [
        (OK + b"Content-Length: 2\r\n\r\n{}", b"{}", True),
        (OK + b"content-LENGTH:2\r\nConnection: close\r\n\r\n{}", b"{}", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\n{}", b"{}", True),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", b"{}", True),
        (OK + b"Content-Length: 2\r\n\r\n{}what nobody asked for", b"{}", False),
        (OK + b"Upgrade: h2\r\nConnection: Upgrade, Keep-Alive\r\nContent-Length: 2\r\n\r\n{}", b"{}", True),
        (OK + b"\r\n{}", b"{}", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\n{}", b"{}", True),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1;x=y\r\n{\r\n1\r\n}\r\n0\r\n\r\n", b"{}", True),
        (OK + b"Transfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\nTrailer: 1\r\n\r\n", b"{}", True),
    ],
)
def test_answer_is_read_to_its_end_and_no_further(sent: bytes, body: bytes, keeps_open: bool) -> None:
    answer = received(sent)

    assert (answer.body, answer.keeps_open) == (body, keeps_open)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 0200 OK\r\n\r\n",
        OK + b"Content-Length: 2",
        OK + b"Content-Length: 3\r\n\r\n{}",
        OK + b"Content-Length: -1\r\n\r\n{}",
        OK + b"Content-Length: 2\r\nContent-Length: 1\r\n\r\n{}",
        OK + b"Content-Length: 99999999999\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        OK + b"X: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_whole_answer_is_none(sent: bytes) -> None:
    with pytest.raises(NoAnswer):
        received(sent)


def test_answer_that_does_not_end_is_given_up_in_time() -> None:
    begun = time.monotonic()

    with pytest.raises(TimeoutError):
        received(OK + b"Content-Length: 3\r\n\r\n{}", closes=False)

    assert time.monotonic() - begun < 60


@given(st.binary(max_size=60))
def test_any_bytes_are_an_answer_or_none(sent: bytes) -> None:
    with contextlib.suppress(OSError):
        assert isinstance(received(OK + sent), Received)


def test_request_of_a_deed_without_a_body_says_so() -> None:
    assert (
        request("POST", "/x", {"Host": "here"}, None) == b"POST /x HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("target", "value"), [("/a b", "x"), ("/a\r\nX: 1", "x"), ("/a", "x\r\nContent-Length: 4"), ("/a", "x\ny")]
)
def test_request_that_would_end_early_is_never_sent(target: str, value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        request("GET", target, {"Authorization": value}, None)
