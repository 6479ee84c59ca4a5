"""People who register do as they are told, and what they were told is kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dev.bench import crowd
from dev.bench.crowd import Person, Told

BUSY = json.dumps({"foyer": {"sentence": "Wait a moment."}})


class Door(BaseHTTPRequestHandler):
    """Says what it is to say, in this order, whoever asks."""

    answers: list[tuple[int, str | None, str]]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, wait, text = self.answers.pop(0)
        self.send_response(status)
        if wait is not None:
            self.send_header("Retry-After", wait)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_person_who_is_told_to_come_back_does_and_is_in(port: int) -> None:
    Door.answers = [(503, "0", BUSY), (200, None, "{}")]
    person = Person(port, 101, time.monotonic() + 60)

    person.run()

    assert [(status, text) for _, status, text in person.told.said] == [(503, "Wait a moment."), (200, "(the account)")]
    assert (person.told.is_in, person.told.unhelped) == (True, 0)


def test_person_who_is_not_told_when_to_come_back_was_not_helped(port: int) -> None:
    Door.answers = [(500, None, "{}")]
    person = Person(port, 101, time.monotonic() + 0.1)

    person.run()

    assert (person.told.is_in, person.told.unhelped) == (False, 1)


def test_answers_are_counted_within_a_time() -> None:
    told = [Told([(1.0, 503, "Wait."), (2.0, 200, "In.")]), Told([(3.0, 200, "In.")])]

    assert crowd.answers(told) == [
        {"status": 200, "sentence": "In.", "times": 2},
        {"status": 503, "sentence": "Wait.", "times": 1},
    ]
    assert crowd.answers(told, since=2.5) == [{"status": 200, "sentence": "In.", "times": 1}]
    assert crowd.answers(told, until=1.5) == [{"status": 503, "sentence": "Wait.", "times": 1}]
