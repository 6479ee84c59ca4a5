"""The load generator counts what was answered, and leaves nothing out."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dev.bench import load, people


class Answers(BaseHTTPRequestHandler):
    """Answers by path, in each of the ways in which an answer can end."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if self.path == "/cut":
            self.close_connection = True
            return
        if self.path == "/slow":
            time.sleep(0.2)
        if self.path == "/last":
            self.close_connection = True
        self.send_response(204 if self.path == "/nothing" else 404 if self.path == "/missing" else 200)
        if self.path == "/chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for chunk in (b"5\r\nhello\r\n", b"0\r\n\r\n"):
                self.wfile.write(chunk)
                self.wfile.flush()
            return
        if self.path == "/last":
            self.send_header("Connection", "close")
        if self.path != "/nothing":
            self.send_header("Content-Length", "5")
        self.end_headers()
        if self.path != "/nothing":
            self.wfile.write(b"hello")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_run_by_count_asks_so_often_and_counts_every_answer(port: int) -> None:
    requests = itertools.cycle([load.get(path) for path in ("/", "/chunks", "/nothing", "/missing")])

    outcome = load.run(port, requests, connections=3, count=40)

    assert outcome.statuses == {200: 20, 204: 10, 404: 10}
    assert len(outcome.latencies) == 40
    assert outcome.per_second == 40 / outcome.seconds


def test_run_ends_with_the_requests(port: int) -> None:
    assert load.run(port, iter([load.get("/")] * 5), connections=2).statuses == {200: 5}


def test_run_counts_a_connection_that_breaks_as_status_0_and_goes_on(port: int) -> None:
    requests = iter([load.get("/cut"), load.get("/")])

    assert load.run(port, requests, connections=1).statuses == {0: 1, 200: 1}


def test_run_opens_a_new_connection_where_the_server_closes_after_an_answer(port: int) -> None:
    assert load.run(port, iter([load.get("/last")] * 6), connections=2).statuses == {200: 6}


def test_post_with_a_cookie_is_a_whole_request() -> None:
    request = load.post("/sent", "a=b", accept="text/html", cookie="visit=7")

    assert request.splitlines() == [
        b"POST /sent HTTP/1.1",
        b"Host: localhost",
        b"Accept: text/html",
        b"Cookie: visit=7",
        b"Content-Type: application/x-www-form-urlencoded",
        b"Content-Length: 3",
        b"",
        b"a=b",
    ]


def test_run_at_a_rate_counts_the_wait_for_a_connection(port: int) -> None:
    outcome = load.run(port, itertools.repeat(load.get("/slow")), connections=1, count=4, rate=1000)

    # All four fall due within 3 ms and are answered one after the other, 0.2 s each.
    assert [latency > 0.19 * turn for turn, latency in enumerate(outcome.latencies, start=1)] == [True] * 4


def test_run_at_a_rate_keeps_it(port: int) -> None:
    outcome = load.run(port, itertools.repeat(load.get("/")), connections=2, seconds=0.5, rate=40)

    assert sum(outcome.statuses.values()) == 21


def test_require_all_when_another_answer_came_shows_it(port: int) -> None:
    outcome = load.run(port, iter([load.get("/"), load.get("/missing")]), connections=1)

    with pytest.raises(RuntimeError, match=r"(?s)Not every answer was 200: .*404.*hello"):
        outcome.require_all()


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Le", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh", None),
        (b"HTTP/1.1 503 Busy\r\nx: y\r\ncontent-length: 2\r\n\r\nhi", 503),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200),
        (b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n", 304),
    ],
)
def test_status_if_whole_waits_for_the_end(answer: bytes, status: int | None) -> None:
    assert load.status_if_whole(answer) == status


def test_new_names_never_repeat_and_codes_follow_from_their_number() -> None:
    names = {people.new_name() for _ in range(1000)}

    assert len(names) == 1000
    assert people.code(7) == people.code(7) != people.code(8)


def test_pages_of_invitations_are_of_one_after_the_other() -> None:
    asked = [request.split()[1].decode() for request in itertools.islice(people.pages("/i/{code}", invitations=2), 3)]

    assert asked == [f"/i/{people.code(number)}" for number in (1, 2, 1)]
    assert next(people.pages("/", invitations=2)) == load.get("/")
