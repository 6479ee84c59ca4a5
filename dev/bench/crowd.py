"""People who register at a Foyer whose homeserver makes them wait, and somebody who opens pages meanwhile.

Each does what a person does: sends the form, reads the sentence, and where it says when to come back, comes back then
with the same form. They are a process of their own (`python -m dev.bench.crowd PORT NUMBER`), so that the clock of
whoever opens pages does not stand still while two hundred threads begin.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from dev import processes
from dev.bench import load, people
from dev.bench.figures import milliseconds
from dev.bench.scale import Found
from dev.bench.servers import Foyer
from dev.environments import ROOT

PAGES_PER_SECOND = 100.0
CONNECTIONS = 16
GIVE_UP_SECONDS = 180.0
PAGES = (f"/register?token={people.code(1)}", f"/i/{people.code(2)}", "/")
_FIRST = 101


@dataclass
class Told:
    """What somebody was told, and whether they are in."""

    said: list[tuple[float, int, str]] = field(default_factory=list)
    """When it was answered (monotonic, which all processes share), the status, the sentence."""
    unhelped: int = 0
    """How many answers were neither the account nor said when to try again."""

    @property
    def is_in(self) -> bool:
        """The last answer was the account."""
        return bool(self.said) and self.said[-1][1] == 200


class Person(threading.Thread):
    """Somebody with an invitation for one."""

    def __init__(self, port: int, number: int, stop_at: float) -> None:
        super().__init__(daemon=True)
        self.told = Told()
        self._address, self._stop_at = f"http://127.0.0.1:{port}/register", stop_at
        self._body = people.form(people.localpart(number), people.code(number)).encode()

    def run(self) -> None:
        """Press, read, wait, press again."""
        while not self.told.is_in and time.monotonic() < self._stop_at:
            wait = self._press()
            if not self.told.is_in:
                time.sleep(max(0.0, min(wait, self._stop_at - time.monotonic())))

    def _press(self) -> float:
        request = urllib.request.Request(self._address, data=self._body)
        try:
            with processes.open_directly(request, seconds=60) as answer:
                self._hear(answer.status, "(the account)")
                return 0.0
        except urllib.error.HTTPError as error:
            with error:
                explained = json.loads(error.read()).get("foyer", {})
                self._hear(error.code, explained.get("sentence", "(no sentence)"))
                wait = error.headers.get("Retry-After")
                self.told.unhelped += wait is None
                return float(wait or 5)
        except OSError as error:
            self._hear(0, f"(no answer: {error})")
            self.told.unhelped += 1
            return 1.0

    def _hear(self, status: int, sentence: str) -> None:
        self.told.said.append((time.monotonic(), status, sentence))


def invite(foyer: Foyer, number: int) -> None:
    """Make an invitation for one for each of so many people."""
    codes = [(people.code(each),) for each in range(_FIRST, _FIRST + number)]
    with closing(sqlite3.connect(foyer.database.removeprefix("sqlite:///"))) as connection, connection:
        connection.executemany(
            "INSERT INTO invites_invite (code, uses_limit, held, used, label, message, rooms, localpart, email,"
            " inviter, created_at, created_by) VALUES (?, 1, 0, 0, '', '', '[]', '', '', '', '2026-01-01', 'bench')",
            codes,
        )


@contextlib.contextmanager
def registering(foyer: Foyer, number: int, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Let so many people begin at the same moment; whoever is not in at the end of the `with` block is let go."""
    command = [sys.executable, "-m", "dev.bench.crowd", str(foyer.port), str(number)]
    process = processes.spawn(command, log=output, cwd=ROOT)
    try:
        yield process
    finally:
        processes.stop(process)


def told(crowd: subprocess.Popen[bytes], output: Path) -> list[Told]:
    """Wait until everybody is in or has given up; returns what each was told.

    Raises:
        NotReady: the crowd broke.
    """
    with contextlib.suppress(subprocess.TimeoutExpired):
        crowd.wait(GIVE_UP_SECONDS + 60)
    if crowd.returncode != 0:
        raise processes.NotReady(f"The people who register broke off: {processes.tail(output)}")
    return [
        Told([(at, status, text) for at, status, text in said], unhelped)
        for said, unhelped in json.loads(output.read_text())
    ]


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


def answers(crowd: Iterable[Told], *, since: float = 0.0, until: float = float("inf")) -> list[Found]:
    """What they were told in this time, the most frequent first."""
    said = Counter((status, text) for one in crowd for at, status, text in one.said if since <= at <= until)
    return [{"status": status, "sentence": text, "times": times} for (status, text), times in said.most_common()]


def main(port: int, number: int) -> None:
    """Be the people; print what they were told."""
    stop_at = time.monotonic() + GIVE_UP_SECONDS
    crowd = [Person(port, each, stop_at) for each in range(_FIRST, _FIRST + number)]
    for person in crowd:
        person.start()
    for person in crowd:
        person.join()
    print(json.dumps([(person.told.said, person.told.unhelped) for person in crowd]))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
