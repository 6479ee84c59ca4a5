"""Who waits for whose lock at PostgreSQL, looked at again and again while something is measured."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg

from dev.bench.scale import Found

LOOK_EVERY_SECONDS = 0.05
_QUESTION = """
    SELECT wait_event_type, wait_event FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
"""


@dataclass
class Waits:
    """What the connections of one database were seen to do."""

    looks: int = 0
    active: int = 0
    """Connections that were at work, over all looks."""
    events: Counter[str] = field(default_factory=Counter)
    """What they waited for, as PostgreSQL names it."""

    @property
    def locks(self) -> int:
        """How many of these waited for a lock of another connection."""
        return sum(count for event, count in self.events.items() if event.startswith("Lock:"))

    def figures(self) -> Found:
        """What is kept: of the events the most frequent."""
        return {
            "looks": self.looks,
            "active": self.active,
            "locks": self.locks,
            "events": dict(self.events.most_common(6)),
        }


@contextlib.contextmanager
def watched(database: str, waits: Waits) -> Iterator[None]:
    """Look at a database (by its URL) until the `with` block ends, and add to `waits`."""
    over = threading.Event()

    def look() -> None:
        with psycopg.connect(database, autocommit=True, application_name="bench") as connection:
            while not over.wait(LOOK_EVERY_SECONDS):
                seen = connection.execute(_QUESTION).fetchall()
                waits.looks += 1
                waits.active += len(seen)
                waits.events.update(f"{kind}: {event}" for kind, event in seen if kind)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
