"""People who register at a Foyer whose homeserver makes them wait, and somebody who opens pages meanwhile.

Each does what a person does: sends the form, reads the sentence, and where it says when to come back, comes back then
with the same form.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field

from dev import processes
from dev.bench import load, people
from dev.bench.figures import milliseconds
from dev.bench.scale import Found
from dev.bench.servers import Foyer

PAGES_PER_SECOND = 100.0
CONNECTIONS = 16
GIVE_UP_SECONDS = 180.0
PAGES = (f"/register?token={people.code(1)}", f"/i/{people.code(2)}", "/")
_FIRST = 101


@dataclass
class Person(threading.Thread):
    """Somebody with an invitation for one."""

    foyer: Foyer
    number: int
    stop_at: float
    said: list[tuple[float, int, str]] = field(default_factory=list)
    """When it was answered, the status, the sentence."""
    unhelped: int = 0
    """How many answers were neither the account nor said when to try again."""

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.body = people.form(people.localpart(self.number), people.code(self.number)).encode()

    __hash__ = threading.Thread.__hash__

    @property
    def is_in(self) -> bool:
        """The last answer was the account."""
        return bool(self.said) and self.said[-1][1] == 200

    def run(self) -> None:
        """Press, read, wait, press again."""
        while not self.is_in and time.monotonic() < self.stop_at:
            wait = self._press()
            if not self.is_in:
                time.sleep(wait)

    def _press(self) -> float:
        request = urllib.request.Request(f"http://127.0.0.1:{self.foyer.port}/register", data=self.body)
        try:
            with processes.open_directly(request, seconds=60) as answer:
                self.said.append((time.monotonic(), answer.status, "(the account)"))
                return 0.0
        except urllib.error.HTTPError as error:
            with error:
                explained = json.loads(error.read()).get("foyer", {})
                self.said.append((time.monotonic(), error.code, explained.get("sentence", "(no sentence)")))
                wait = error.headers.get("Retry-After")
                self.unhelped += wait is None
                return float(wait or 5)
        except OSError as error:
            self.said.append((time.monotonic(), 0, f"(no answer: {error})"))
            self.unhelped += 1
            return 1.0


def invite(foyer: Foyer, number: int) -> None:
    """Make an invitation for one for each of so many people."""
    codes = [(people.code(each),) for each in range(_FIRST, _FIRST + number)]
    with closing(sqlite3.connect(foyer.database.removeprefix("sqlite:///"))) as connection, connection:
        connection.executemany(
            "INSERT INTO invites_invite (code, uses_limit, held, used, label, message, rooms, localpart, email,"
            " inviter, created_at, created_by) VALUES (?, 1, 0, 0, '', '', '[]', '', '', '', '2026-01-01', 'bench')",
            codes,
        )


def begin(foyer: Foyer, number: int) -> list[Person]:
    """Let so many people begin at the same moment."""
    crowd = [Person(foyer, each, time.monotonic() + GIVE_UP_SECONDS) for each in range(_FIRST, _FIRST + number)]
    for person in crowd:
        person.start()
    return crowd


def uses(foyer: Foyer) -> Found:
    """How many uses of all invitations are spent, and how many are still held."""
    with closing(sqlite3.connect(foyer.database.removeprefix("sqlite:///"))) as connection:
        used, held = connection.execute("SELECT SUM(used), SUM(held) FROM invites_invite").fetchone()
    return {"spent": used, "held": held}


def pages(foyer: Foyer, seconds: float) -> load.Outcome:
    """Open pages for so long, as many a second however long they take."""
    requests = itertools.cycle([load.get(path) for path in PAGES])
    return load.run(foyer.port, requests, connections=CONNECTIONS, seconds=seconds, rate=PAGES_PER_SECOND).require_all()


def figures(outcome: load.Outcome) -> Found:
    """Return the latencies as they are kept."""
    return {
        "p50_ms": milliseconds(outcome.p50),
        "p99_ms": milliseconds(outcome.p99),
        "worst_ms": milliseconds(max(outcome.latencies)),
        "pages": len(outcome.latencies),
    }


def answers(crowd: list[Person], since: float = 0.0) -> list[Found]:
    """What they were told, the most frequent first."""
    said = Counter((status, text) for one in crowd for at, status, text in list(one.said) if at >= since)
    return [{"status": status, "sentence": text, "times": times} for (status, text), times in said.most_common()]
