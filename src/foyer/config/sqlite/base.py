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
import sqlite3
import threading
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
        except BaseException as error:
            self._thread_lock.release()
            if isinstance(error, OSError):
                said = SAID_BY_SQLITE.get(error.errno or 0, f"unable to open database file: {error}")
                raise OperationalError(said) from error
            raise

    def release(self) -> None:
        """Let the next one in."""
        if self._fd is not None:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
        self._thread_lock.release()


FileNumber = tuple[int, int]

_gates: dict[str, WriteGate] = {}
_disks: dict[FileNumber, disk.Disk] = {}
_registry_lock = threading.Lock()
_known: set[str] = set()
"""The databases that this process has opened before."""


def _file_number(path: str) -> FileNumber | None:
    """Return what tells the file at this path from every other; None: there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - at every request: a Path costs more
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _gate(database: str) -> WriteGate:
    with _registry_lock:
        if database not in _gates:
            _gates[database] = WriteGate(f"{database}-gate")
        return _gates[database]


def _disk(database: str, file: FileNumber) -> disk.Disk:
    with _registry_lock:
        if file not in _disks:
            _disks[file] = disk.Disk(disk.Mark(f"{database}-gate"))
        return _disks[file]


def _forget_gate(database: str) -> None:
    """The next one opens the gate that lies beside the file that is there now."""
    with _registry_lock:
        _gates.pop(database, None)


def _begin_anew() -> None:
    """After a fork the child shares the parent's open file, and with it its lock: it opens its own."""
    global _registry_lock
    _registry_lock = threading.Lock()
    _gates.clear()
    _disks.clear()


os.register_at_fork(after_in_child=_begin_anew)


class DatabaseWrapper(base.DatabaseWrapper):
    """SQLite behind the gate. The stubs do not know the methods that this backend is made to override."""

    _held: WriteGate | None = None
    _opened: FileNumber | None = None
    _disk: disk.Disk | None = None
    """Who waits for the disk in place of SQLite; None: SQLite itself, within the transaction."""
    _log: disk.Log | None = None
    _log_path = ""

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
        self._log_path = f"{os.path.realpath(path)}-wal"
        has_log = connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)  # some file systems allow none
        self._disk = _disk(path, self._opened) if has_log else None
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
        gate = _gate(os.fspath(self.settings_dict["NAME"]))
        gate.acquire()
        self._held = gate
        try:
            self._begin()
        except BaseException:
            self._leave()
            raise

    def _begin(self) -> None:
        if self._disk is None or self.connection.in_transaction:  # begun by hand: Django says what is wrong with that
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
            return
        try:
            with self.wrap_database_errors:
                self._disk.mend(self._write_log_again)
                # It takes effect while it is parsed, and execute() parses what it knows no second time.
                self.connection.executescript(NOT_AT_COMMIT)
            if self.force_debug_cursor or self.execute_wrappers:  # somebody wants to hear of each statement
                super()._start_transaction_under_autocommit()  # type: ignore[misc]
            else:
                with self.wrap_database_errors:
                    self.connection.executescript("BEGIN IMMEDIATE")
            self._log = self._disk.log(self._log_path, self._log)
        except BaseException as error:
            self.connection.rollback()
            if isinstance(error, OSError):
                raise OperationalError(f"unable to open database file: {error}") from error
            raise

    def _write_log_again(self) -> None:
        self.connection.executescript("BEGIN IMMEDIATE")  # some write without passing the gate
        try:
            disk.write_again(self._log_path)
        finally:
            self.connection.rollback()

    def _open_gate(self) -> None:
        gate, self._held = self._held, None
        if gate is not None:
            gate.release()

    def _wait_at_commit(self) -> None:
        """Have SQLite wait for the disk again: outside of a transaction nobody else does."""
        # Where a transaction could not be ended, executescript() would commit it.
        if self._disk is None or self.connection is None or self.connection.in_transaction:
            return
        try:
            self.connection.executescript(AT_COMMIT)
        except sqlite3.Error:
            self.close()  # the next connection waits

    def _leave(self) -> None:
        if self._held is not None:
            self._open_gate()
            self._wait_at_commit()

    def _commit(self) -> Any:
        # When the commit fails the transaction is still open: Django rolls it back next, and that leaves the gate.
        result = super()._commit()  # type: ignore[misc]
        if self._held is None:
            return result
        self._open_gate()
        try:
            if self._disk is not None and self._log is not None:
                self._disk.wait(self._log)
        except OperationalError:
            self._mend_now()
            raise
        finally:
            self._wait_at_commit()
        return result

    def _mend_now(self) -> None:
        """Try at once what the next transaction would do: another process may not know of the hole."""
        gate = _gate(os.fspath(self.settings_dict["NAME"]))
        with contextlib.suppress(OperationalError, sqlite3.Error):
            gate.acquire()
            try:
                if self._disk is not None and self.connection is not None:
                    self._disk.mend(self._write_log_again)
            finally:
                gate.release()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._leave()

    def _close(self) -> Any:
        gate, self._held = self._held, None
        log, self._log = self._log, None
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            if gate is not None:
                gate.release()
            if log is not None:
                log.close()
