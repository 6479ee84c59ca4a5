"""The counters beside an SQLite database: a file of their own, so that counting never waits for a write that matters.

A power cut may cost the counts (`synchronous=OFF`), never more: a file that is damaged is made anew.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from foyer.screening.counters import COLUMNS, TABLE, Counters, Statements

WAIT_SECONDS = 1.0  # on a machine that is busy, whoever has it may not run for a while
# SQLite's own waiting grows to 100 ms a time, while a transaction here takes a tenth of one.
PAUSE_SECONDS = 0.0003
SCHEMA = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=OFF",
    "PRAGMA cache_size=-2000",
    f"CREATE TABLE IF NOT EXISTS {TABLE} ({COLUMNS}) WITHOUT ROWID",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_until ON {TABLE} (until)",
)

_inherited: list[object] = []


def path_beside(database: Path) -> Path:
    """Return where the counters of this database are kept."""
    return database.with_name(f"{database.stem}.limits.sqlite3")


class SQLiteCounters(Counters):
    """One connection for all threads of a process, behind a lock: a statement takes microseconds."""

    statements = Statements.marked(":name")

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """What may go wrong."""
        return (sqlite3.Error, OSError)

    def run(self, sql: str, values: Mapping[str, Any]) -> int:
        """Run it in a transaction of its own, or in that of `together`."""
        with self._held() as connection:
            return _execute(connection, sql, values).rowcount

    def read(self, sql: str, values: Mapping[str, Any]) -> tuple[int, int, int] | None:
        """Return one row."""
        with self._held() as connection:
            row: tuple[int, int, int] | None = _execute(connection, sql, values).fetchone()
            return row

    @contextmanager
    def together(self) -> Iterator[None]:
        """One transaction."""
        with self._held() as connection:
            _execute(connection, "BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with suppress(sqlite3.Error):  # what was wrong before the rollback is what is told
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def _held(self) -> Iterator[sqlite3.Connection]:
        if not self._lock.acquire(timeout=WAIT_SECONDS):
            raise sqlite3.OperationalError("database is locked by another thread")
        try:
            if self._connection is None:
                self._connection = self._open()
            yield self._connection
        except sqlite3.DatabaseError as error:
            self._close()
            if not isinstance(error, (sqlite3.OperationalError, sqlite3.ProgrammingError)):
                self._discard_damaged_file()
            raise
        finally:
            self._lock.release()

    def _open(self) -> sqlite3.Connection:
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(
            self._path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=16
        )
        try:
            for statement in SCHEMA:
                with closing(_execute(connection, statement)) as cursor:
                    cursor.fetchall()
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Let go of the file; the next count opens it again."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def leave_to_parent(self) -> None:
        """After a fork: the connection is the parent's. Closing it here could end what the parent is doing."""
        if self._connection is not None:
            _inherited.append(self._connection)
        self._connection = None
        self._lock = threading.RLock()

    def _discard_damaged_file(self) -> None:
        """Remove the file, unless another process has put a sound one in its place by now."""
        if self._is_sound():
            return
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def _is_sound(self) -> bool:
        try:
            with closing(sqlite3.connect(self._path, timeout=WAIT_SECONDS)) as connection:
                return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
        except sqlite3.OperationalError:
            return True  # in use, so by somebody who can use it
        except sqlite3.DatabaseError:
            return False


def _execute(connection: sqlite3.Connection, sql: str, values: Mapping[str, Any] | None = None) -> sqlite3.Cursor:
    """Run a statement, waiting for other processes for a moment."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return connection.execute(sql, values or {})
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(PAUSE_SECONDS)
