"""Whoever waits for a lock at PostgreSQL is seen."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psycopg

from dev.bench.waits import Waits, watched
from dev.postgres import Postgres


def test_watched_counts_connections_that_wait_for_a_lock(tmp_path: Path) -> None:
    waits = Waits()
    with Postgres.start(tmp_path) as server:
        url = server.create_database("waits")
        with psycopg.connect(url) as holder, watched(url, waits):
            holder.execute("SELECT pg_advisory_xact_lock(1)")
            waiter = threading.Thread(target=_take_the_lock, args=(url,))
            waiter.start()
            end = time.monotonic() + 60
            while not waits.locks and time.monotonic() < end:
                time.sleep(0.02)
            holder.rollback()
            waiter.join()

    assert waits.locks >= 1
    assert waits.figures() == {
        "looks": waits.looks,
        "active": waits.active,
        "locks": waits.locks,
        "events": dict(waits.events.most_common(6)),
    }
    assert waits.events["Lock: advisory"] == waits.locks


def _take_the_lock(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(1)")
