"""The proxy does to a real HTTP exchange what its rules say."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from dev.proxy import ChaosProxy, Cut, Delay, Garbage, Hang, Lose, Mode, Repeat, Status


class Counter(BaseHTTPRequestHandler):
    """Answers each request with how many came so far."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.count += 1  # type: ignore[attr-defined]
        self.send_response(201)
        self.end_headers()
        self.wfile.write(str(self.server.count).encode())  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def origin() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Counter) as server:
        server.count = 0  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def proxy(origin: ThreadingHTTPServer) -> Iterator[ChaosProxy]:
    with ChaosProxy(f"http://127.0.0.1:{origin.server_address[1]}") as running:
        yield running


def post(proxy: ChaosProxy, path: str = "/register", timeout: float = 5) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(proxy.url).port, timeout=timeout)
    try:
        connection.request("POST", path, body=b"{}")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_proxy_without_rules_forwards(proxy: ChaosProxy) -> None:
    assert post(proxy) == (201, b"1")
    assert proxy.count("POST", "^/register$") == 1


@pytest.mark.parametrize(("mode", "reached"), [(Cut(), 0), (Garbage(), 0), (Lose(), 1)])
def test_proxy_that_breaks_the_answer_raises_at_the_client(
    proxy: ChaosProxy, origin: ThreadingHTTPServer, mode: Mode, reached: int
) -> None:
    proxy.add(mode, "POST", "register", times=1)

    with pytest.raises((http.client.HTTPException, ConnectionError)):
        post(proxy)

    assert origin.count == reached  # type: ignore[attr-defined]
    assert post(proxy)[0] == 201


def test_proxy_hang_holds_the_client_until_released(proxy: ChaosProxy) -> None:
    proxy.add(Hang())

    with pytest.raises(TimeoutError):
        post(proxy, timeout=0.2)


def test_proxy_delay_waits_before_forwarding(proxy: ChaosProxy) -> None:
    proxy.add(Delay(0.2))
    begin = time.monotonic()

    assert post(proxy) == (201, b"1")
    assert time.monotonic() - begin >= 0.2


def test_proxy_repeat_asks_twice(proxy: ChaosProxy) -> None:
    proxy.add(Repeat())

    assert post(proxy) == (201, b"2")


def test_proxy_status_answers_in_place_of_the_origin(proxy: ChaosProxy, origin: ThreadingHTTPServer) -> None:
    proxy.add(Status(503, "closed"), path="/register")

    assert post(proxy) == (503, b"closed")
    assert post(proxy, "/other") == (201, b"1")


def test_proxy_refuses_until_it_accepts_again(proxy: ChaosProxy) -> None:
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        post(proxy)

    proxy.accept()

    assert post(proxy) == (201, b"1")
