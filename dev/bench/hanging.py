"""What others notice, and what becomes of them, while fifty people wait for a homeserver that does not answer.

Each of the fifty does what a person does: sends the form, reads the sentence, and where it says when to come back,
comes back then with the same form. Once the homeserver answers, all of them must get in, each once.
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
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

from dev import processes
from dev.bench import load, people, servers
from dev.bench.figures import milliseconds, rounded
from dev.bench.scale import Found, Scale
from dev.bench.servers import Foyer
from dev.bench.tables import table
from dev.proxy import ChaosProxy, Hang

PEOPLE = 50
PAGES_PER_SECOND = 100.0
CONNECTIONS = 16
GIVE_UP_SECONDS = 180.0
PAGES = (f"/register?token={people.code(1)}", f"/i/{people.code(2)}", "/")
MOODS = {
    "never answers": (".*", "", False),
    "makes the accounts, and its answers are lost": ("POST", "/_synapse/admin/v1/register", True),
}


@dataclass
class Person(threading.Thread):
    """Somebody with an invitation for one."""

    foyer: Foyer
    number: int
    stop_at: float
    said: list[tuple[float, int, str]] = field(default_factory=list)
    """When it was answered, the status, the sentence."""

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
                return float(error.headers.get("Retry-After", 5))
        except OSError as error:
            self.said.append((time.monotonic(), 0, f"(no answer: {error})"))
            return 1.0


def measure(scale: Scale) -> Found:
    """Ask pages without the fifty, and with them, for each way in which a homeserver can leave them waiting."""
    return {"rows": [_measure(scale, mood) for mood in MOODS], "people": PEOPLE, "rate": PAGES_PER_SECOND}


def _measure(scale: Scale, mood: str) -> Found:
    timeout = scale.of("10s", "2s")
    seconds = scale.of(20.0, 4.0)  # two time-outs: nearly all of it every place for joins is taken
    with servers.stub_homeserver(scale.folder) as stub, ChaosProxy(stub) as proxy:
        homeserver = {**servers.by_secret(proxy.url), "timeout": timeout}
        with servers.foyer(scale.folder, homeserver, invitations=2) as foyer:
            _invite(foyer)
            _pages(foyer, 1.0)  # to warm up
            scale.say(f"Hanging: pages alone for {seconds:g} s")
            alone = _pages(foyer, seconds)
            method, path, forward = MOODS[mood]
            proxy.add(Hang(forward), method, path)
            crowd = [Person(foyer, number, time.monotonic() + GIVE_UP_SECONDS) for number in _numbers()]
            for person in crowd:
                person.start()
            proxy.wait_for(1, method, path)
            scale.say(f"Hanging: the same pages while {PEOPLE} people wait: the homeserver {mood}")
            beside = _pages(foyer, seconds)
            answers_before = _answers(crowd)
            proxy.clear()
            recovered = time.monotonic()
            for person in crowd:
                person.join(GIVE_UP_SECONDS)
            return {
                "mood": mood,
                "timeout": timeout,
                "alone": _figures(alone),
                "beside": _figures(beside),
                "answers": answers_before,
                "in_afterwards": sum(person.is_in for person in crowd),
                "last_in_after_seconds": rounded(max(person.said[-1][0] for person in crowd) - recovered, 2),
                "answers_after": _answers(crowd, since=recovered),
                "accounts": servers.accounts_at(stub),
                "uses": _uses(foyer),
            }


def _numbers() -> Iterator[int]:
    return iter(range(101, 101 + PEOPLE))


def _invite(foyer: Foyer) -> None:
    """Give each an invitation for one."""
    codes = [(people.code(number),) for number in _numbers()]
    with closing(sqlite3.connect(foyer.database.removeprefix("sqlite:///"))) as connection, connection:
        connection.executemany(
            "INSERT INTO invites_invite (code, uses_limit, held, used, label, message, rooms, localpart, email,"
            " inviter, created_at, created_by) VALUES (?, 1, 0, 0, '', '', '[]', '', '', '', '2026-01-01', 'bench')",
            codes,
        )


def _uses(foyer: Foyer) -> Found:
    """How many uses of the fifty invitations are spent, and how many are still held."""
    with closing(sqlite3.connect(foyer.database.removeprefix("sqlite:///"))) as connection:
        used, held = connection.execute("SELECT SUM(used), SUM(held) FROM invites_invite").fetchone()
    return {"spent": used, "held": held}


def _pages(foyer: Foyer, seconds: float) -> load.Outcome:
    requests = itertools.cycle([load.get(path) for path in PAGES])
    return load.run(foyer.port, requests, connections=CONNECTIONS, seconds=seconds, rate=PAGES_PER_SECOND).require_all()


def _figures(outcome: load.Outcome) -> Found:
    return {
        "p50_ms": milliseconds(outcome.p50),
        "p99_ms": milliseconds(outcome.p99),
        "worst_ms": milliseconds(max(outcome.latencies)),
        "pages": len(outcome.latencies),
    }


def _answers(crowd: list[Person], since: float = 0.0) -> list[Found]:
    """What they were told, the most frequent first."""
    said = Counter((status, text) for one in crowd for at, status, text in list(one.said) if at >= since)
    return [{"status": status, "sentence": text, "times": times} for (status, text), times in said.most_common()]


def text(found: Found) -> str:
    """The tables."""
    return "\n\n".join(_text(row, found) for row in found["rows"])


def _text(row: Found, found: Found) -> str:
    sides = [("nobody waits", row["alone"]), (f"{found['people']} people register", row["beside"])]
    pages = [[name, one["p50_ms"], one["p99_ms"], one["worst_ms"], one["pages"]] for name, one in sides]
    told = [[one["status"], one["sentence"], one["times"]] for one in row["answers"]]
    parts = [
        f"**The homeserver {row['mood']}** (`homeserver.timeout: {row['timeout']}`).",
        f"Other pages, {found['rate']:g} a second, while:",
        table(["While", "p50, ms", "p99, ms", "Slowest, ms", "Pages"], pages),
        "What those who registered were told meanwhile:",
        table(["Status", "Sentence", "Times"], told),
        _afterwards(row, found["people"]),
    ]
    return "\n\n".join(parts)


def _afterwards(row: Found, people_count: int) -> str:
    return (
        f"Then the homeserver answered again. {row['in_afterwards']} of {people_count} got in with the same form, the "
        f"last of them {row['last_in_after_seconds']:g} s later. Accounts made: {row['accounts']}. Uses spent: "
        f"{row['uses']['spent']}; still held: {row['uses']['held']}."
    )
