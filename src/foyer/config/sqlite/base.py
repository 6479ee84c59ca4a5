"""The write gate: a thread lock and an `flock` that every transaction passes before BEGIN IMMEDIATE.

SQLite's own busy handler sleeps and tries again, so that under load the unlucky wait for hundreds of
milliseconds. A lock that is handed over keeps that wait near the length of a transaction. It sits in the
backend so that everything passes it: services, sessions, the admin, management commands.

A file that is moved away or replaced stays open, and what is written to it then is lost to everybody. So each request
and each job looks first whether the path still leads to the file that is open, and opens it anew where it does not.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
from dataclasses import dataclass
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

from foyer.config.sqlite import disk

WAIT_SECONDS = 20.0
AT_COMMIT, NOT_AT_COMMIT = "PRAGMA synchronous=FULL", "PRAGMA synchronous=NORMAL"
"""When SQLite waits for the disk; see disk.py for who does it in place of it."""
# The gate is met first; SQLite would say these.
READ_ONLY = "attempt to write a readonly database"
SAID_BY_SQLITE = dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), READ_ONLY) | disk.SAID_BY_SQLITE


class WriteGate:
    """One file's gate. Held by at most one thread of one process; the kernel frees it when that process dies."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread_lock = threading.Lock()
        self._fd: int | None = None
        self._pid = os.getpid()

    def acquire(self) -> None:
        """Wait for the gate.

        Raises:
            OperationalError: another thread of this process has held it for `WAIT_SECONDS`.
        """
        if not self._thread_lock.acquire(timeout=WAIT_SECONDS):
            raise OperationalError("database is locked: another write is taking too long")
        try:
            if self._fd is None:
                self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX)
        except OSError as error:
            self._thread_lock.release()
            raise OperationalError(
                SAID_BY_SQLITE.get(error.errno or 0, f"unable to open database file: {error}")
            ) from error

    def release(self) -> None:
        """Let the next one in."""
        if self._fd is not None:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
        self._thread_lock.release()


FileNumber = tuple[int, int]


@dataclass(frozen=True)
class Writing:
    """How this process writes to one database: who may, and what is on the disk."""

    gate: WriteGate
    disk: disk.Disk


_gates: dict[str, Writing] = {}
_gates_lock = threading.Lock()
_known: set[str] = set()
"""The databases that this process has opened before."""


def _file_number(path: str) -> FileNumber | None:
    """Return what tells the file at this path from every other; None: there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - at every request: a Path costs more
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _writing(database: str) -> Writing:
    with _gates_lock:
        if database not in _gates:
            _gates[database] = Writing(WriteGate(f"{database}-gate"), disk.Disk(database))
        return _gates[database]


def _forget_gate(database: str) -> None:
    """The next one opens the gate that lies beside the file that is there now."""
    with _gates_lock:
        _gates.pop(database, None)


def _forget_gates() -> None:
    """After a fork the child shares the parent's open file, and with it its lock: it opens its own."""
    global _gates_lock
    _gates_lock = threading.Lock()
    _gates.clear()


os.register_at_fork(after_in_child=_forget_gates)


class DatabaseWrapper(base.DatabaseWrapper):
    """SQLite behind the gate. The stubs do not know the methods that this backend is made to override."""

    _held: Writing | None = None
    _opened: FileNumber | None = None
    _waits_outside = False

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open the file, making it readable for its owner alone. What SQLite puts beside it takes after it.

        Raises:
            OperationalError: it cannot be opened, or not be written; or it was here before, is gone, and an empty one
                in its place helps nobody.
        """
        if self.is_in_memory_db():
            return super().get_new_connection(conn_params)
        path = os.fspath(self.settings_dict["NAME"])
        if path not in _known:
            with contextlib.suppress(OSError):  # it is there, or opening it will say what is wrong
                os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        self._opened = _file_number(path)
        if self._opened is None:
            raise OperationalError("unable to open database file")
        if not os.access(path, os.W_OK):
            # SQLite would open it for reading; as long as one thread of this process has it open so, none can write.
            raise OperationalError(READ_ONLY)
        connection = super().get_new_connection(conn_params)
        # Without its log (on some file systems) SQLite itself has to wait, within the transaction.
        self._waits_outside = connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        _known.add(path)
        return connection

    def is_usable(self) -> bool:
        """Say whether the connection can go on: nothing failed in it, and its file is where it was."""
        if self.is_in_memory_db():
            return super().is_usable()
        path = os.fspath(self.settings_dict["NAME"])
        if self._opened != _file_number(path):
            _forget_gate(path)
            return False
        return not self.errors_occurred

    def _start_transaction_under_autocommit(self) -> None:
        if self.is_in_memory_db():
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
            return
        writing = _writing(os.fspath(self.settings_dict["NAME"]))
        writing.gate.acquire()
        self._held = writing
        try:
            self._begin()
        except BaseException:
            self._leave()
            raise

    def _begin(self) -> None:
        if not self._waits_outside or self._is_listened_to:
            self._wait_at_commit(wait=False)
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
            return
        with self.wrap_database_errors:
            self.connection.executescript(f"{NOT_AT_COMMIT}; BEGIN IMMEDIATE")

    @property
    def _is_listened_to(self) -> bool:
        """Say whether somebody wants to hear of each statement, which Django's cursors tell them."""
        return bool(self.force_debug_cursor or self.execute_wrappers)

    def _wait_at_commit(self, *, wait: bool) -> None:
        """Let SQLite wait for the disk at each commit, as it does outside of transactions, or leave that to us."""
        # Where a transaction could not be ended, executescript() would commit it.
        if self._waits_outside and not self.connection.in_transaction:
            # It takes effect while it is parsed, and execute() parses what it knows no second time.
            self.connection.executescript(AT_COMMIT if wait else NOT_AT_COMMIT)

    def _leave(self, *, is_closed: bool = False) -> Writing | None:
        writing, self._held = self._held, None
        if writing is not None:
            writing.gate.release()
            if not is_closed:
                self._wait_at_commit(wait=True)
        return writing

    def _commit(self) -> Any:
        # When the commit fails the transaction is still open: Django rolls it back next, and that leaves the gate.
        result = super()._commit()  # type: ignore[misc]
        writing = self._leave()
        if writing is not None and self._waits_outside:
            writing.disk.wait()
        return result

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._leave()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._leave(is_closed=True)
