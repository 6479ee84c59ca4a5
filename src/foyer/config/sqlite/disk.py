"""One fsync for all who have committed by then.

A commit under `synchronous=FULL` waits for the disk behind the write gate, and everybody else waits with it: what takes
longest is done one by one. Here a transaction commits without that wait, leaves the gate, and then waits until the
write-ahead log is on the disk. Whoever finds nobody at it does it, for all who have committed by then.

A disk that fails leaves a hole in the log, behind which SQLite finds nothing after a power cut. So nobody may begin
before the log is written into the database and emptied; see docs/adr/0007.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from io import FileIO

from django.db.utils import OperationalError

# SQLite would say these, and its words are known elsewhere.
IO_ERROR = "disk I/O error"
SAID_BY_SQLITE = dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "database or disk is full")
# Where there is none (macOS), what SQLite takes there too.
_sync = getattr(os, "fdatasync", os.fsync)


@dataclass
class _Round:
    """Commits that one sync covers. `fault` says in SQLite's words why they may be lost."""

    is_over: bool = False
    fault: str = ""


class Log:
    """The log of one connection, which keeps it where it is: opened before the commits that it shall tell of.

    Linux tells of a page that could not be written once to each who had the file open by then, and nobody else.
    """

    def __init__(self, path: str, generation: int) -> None:
        self.file, self.generation = FileIO(path), generation

    def close(self) -> None:
        """Let it go."""
        self.file.close()


class Disk:
    """How far the commits of this process to one database are on the disk."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._gathering = _Round()
        self._is_writing = False
        self._generation = 0
        self._fault = ""

    def log(self, path: str, before: Log | None) -> Log:
        """Return the log at `path`, or that of `before` if it is still good. Call before the commit.

        Raises:
            OSError: it cannot be opened.
        """
        if before is not None and before.generation == self._generation:
            return before
        if before is not None:
            before.close()
        return Log(path, self._generation)

    def wait(self, log: Log) -> None:
        """Return when the commit that this thread has just made would outlive a power cut.

        Raises:
            OperationalError: the disk does not say so. The commit stands all the same, as long as the machine does.
        """
        with self._changed:
            mine = self._gathering
            while self._is_writing and not mine.is_over:
                self._changed.wait()
            is_first = not mine.is_over
            if is_first:
                self._gathering, self._is_writing = _Round(), True
        if is_first:
            self._write(mine, log)
        if mine.fault:
            raise OperationalError(mine.fault)

    def _write(self, mine: _Round, log: Log) -> None:
        mine.fault = IO_ERROR
        try:
            _sync(log.file.fileno())
            mine.fault = ""
        except OSError as error:
            mine.fault = SAID_BY_SQLITE.get(error.errno or 0, IO_ERROR)
        finally:
            with self._changed:
                self._fault = mine.fault or self._fault
                mine.is_over, self._is_writing = True, False
                self._changed.notify_all()

    def mend(self, empty_log: Callable[[], bool]) -> None:
        """Make sure that what is written next has no hole before it. Call where nobody else can write.

        `empty_log` writes the log into the database and begins it anew; False: somebody still reads from it.

        Raises:
            OperationalError: it is not mended, and nobody may write.
        """
        if not self._fault:
            return
        if not empty_log():
            raise OperationalError(self._fault)
        with self._changed:
            self._fault, self._generation = "", self._generation + 1
