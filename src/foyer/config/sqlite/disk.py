"""One fsync for all who have committed by then.

A commit under `synchronous=FULL` waits for the disk behind the write gate, and everybody else waits with it: what takes
longest is done one by one. Here a transaction commits without that wait, leaves the gate, and then waits until the
write-ahead log is on the disk. Whoever finds nobody at it does it, for all who have committed by then.
"""

from __future__ import annotations

import errno
import os
import threading

from django.db.utils import OperationalError

# SQLite would say these, and its words are known elsewhere.
IO_ERROR = "disk I/O error"
SAID_BY_SQLITE = dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "database or disk is full")
# Where there is none (macOS), the longer way.
_sync = getattr(os, "fdatasync", os.fsync)


class Disk:
    """How far one database's commits in this process are on the disk."""

    def __init__(self, database: str) -> None:
        self._log = f"{database}-wal"
        self._changed = threading.Condition(threading.Lock())
        self._committed = self._settled = self._lost = 0
        self._why_lost = ""
        self._is_written = False

    def wait(self) -> None:
        """Return when the commit that this thread has just made would outlive a power cut.

        Raises:
            OperationalError: the disk does not say so. The commit stands all the same, as long as the machine does.
        """
        with self._changed:
            self._committed += 1
            mine = self._committed
            while self._settled < mine and self._is_written:
                self._changed.wait()
            if self._settled >= mine:
                self._require(mine)
                return
            self._is_written = True
            committed = self._committed
        fault = IO_ERROR
        try:
            fault = self._write()
        finally:
            with self._changed:
                self._settled, self._is_written = committed, False
                if fault:
                    self._lost, self._why_lost = committed, fault
                self._changed.notify_all()
        self._require(mine)

    def _require(self, mine: int) -> None:
        # Asked once more, a disk that has failed says that all is well, and has forgotten what it was given.
        if mine <= self._lost:
            raise OperationalError(self._why_lost)

    def _write(self) -> str:
        """Return what went wrong; empty: nothing."""
        # SQLite makes a new log now and then: what is kept open could be the old one. As long as the connection that
        # has committed is open, the one of this name is its own.
        try:
            log = os.open(self._log, os.O_RDONLY | os.O_CLOEXEC)
            try:
                _sync(log)
            finally:
                os.close(log)
        except OSError as error:
            return SAID_BY_SQLITE.get(error.errno or 0, IO_ERROR)
        return ""
