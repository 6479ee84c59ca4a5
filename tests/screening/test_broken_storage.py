from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import structlog

from foyer.kit.client_ip import ClientAddress
from foyer.screening import limits
from foyer.screening.errors import TooMany
from foyer.screening.sqlite_counters import WAIT_SECONDS, SQLiteCounters, path_beside
from tests.conftest import Configure

MARIA = ClientAddress("192.0.2.1", is_known=True)
HIT = ("key", 2, 60)


@pytest.fixture
def counters(tmp_path: Path) -> Iterator[SQLiteCounters]:
    """Counters in a file of the test's own."""
    made = SQLiteCounters(path_beside(tmp_path / "foyer.sqlite3"))
    yield made
    made.close()


@pytest.fixture
def in_use(configure: Configure, counters: SQLiteCounters) -> SQLiteCounters:
    """The same, in the place of the configured ones, with one attempt a day."""
    configure(screening={"join_per_ip": "1/day"})
    limits.use(counters)
    return counters


def test_path_is_beside_the_database() -> None:
    assert path_beside(Path("/var/lib/foyer/foyer.sqlite3")) == Path("/var/lib/foyer/foyer.limits.sqlite3")


def test_file_locked_by_another_process_lets_through_at_once_and_counts_again_later(
    in_use: SQLiteCounters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REST_SECONDS", 600.0)
    limits.check("join", MARIA)
    holder = sqlite3.connect(path_beside(tmp_path / "foyer.sqlite3"), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    begun = time.monotonic()
    with structlog.testing.capture_logs() as logs:
        for _ in range(20):
            limits.check("join", MARIA)
    took = time.monotonic() - begun
    holder.execute("ROLLBACK")
    holder.close()

    assert took < 20 * WAIT_SECONDS  # as long as it would take if each of them waited
    assert [entry["event"] for entry in logs] == ["limits cannot be counted, so everybody is let through"]
    monkeypatch.setattr(limits, "REST_SECONDS", 0.0)
    limits.use(in_use)
    with pytest.raises(TooMany):
        limits.check("join", MARIA)


def test_missing_folder_lets_through(configure: Configure, tmp_path: Path) -> None:
    configure(screening={"join_per_ip": "1/day"})
    limits.use(SQLiteCounters(tmp_path / "missing" / "foyer.limits.sqlite3"))

    for _ in range(3):
        limits.check("join", MARIA)
        limits.require("join", MARIA)


def test_damaged_file_is_made_anew(counters: SQLiteCounters, tmp_path: Path) -> None:
    path = path_beside(tmp_path / "foyer.sqlite3")
    path.write_bytes(os.urandom(8192))

    with pytest.raises(sqlite3.DatabaseError):
        counters.acquire_sliding_window_entry(*HIT)
    assert counters.acquire_sliding_window_entry(*HIT)
    assert counters.check()


def test_sound_file_of_another_process_is_left_where_ours_was_damaged(counters: SQLiteCounters, tmp_path: Path) -> None:
    path = path_beside(tmp_path / "foyer.sqlite3")
    path.write_bytes(os.urandom(8192))
    with pytest.raises(sqlite3.DatabaseError):
        counters.acquire_sliding_window_entry(*HIT)
    other = SQLiteCounters(path)
    other.acquire_sliding_window_entry(*HIT)

    counters._discard_damaged_file()

    assert other.acquire_sliding_window_entry(*HIT)
    assert not counters.acquire_sliding_window_entry(*HIT)
    other.close()


def test_what_fails_together_counts_nowhere(counters: SQLiteCounters) -> None:
    with suppress(TooMany), counters.together():
        counters.acquire_sliding_window_entry(*HIT)
        raise TooMany(retry_after=1)

    assert counters.get_sliding_window("key", 60)[2] == 0


def test_counter_that_is_cleared_begins_anew(counters: SQLiteCounters) -> None:
    assert [counters.acquire_sliding_window_entry(*HIT) for _ in range(3)] == [True, True, False]
    counters.clear("key")

    assert counters.acquire_sliding_window_entry(*HIT)


def test_amount_beyond_the_limit_is_refused(counters: SQLiteCounters) -> None:
    assert not counters.acquire_sliding_window_entry("key", 2, 60, amount=3)


@pytest.mark.parametrize("method", ["incr", "get", "get_expiry"])
def test_fixed_windows_are_not_kept(counters: SQLiteCounters, method: str) -> None:
    with pytest.raises(NotImplementedError):
        getattr(counters, method)(*(("key", 60) if method == "incr" else ("key",)))
