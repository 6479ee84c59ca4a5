"""One fsync for all who have committed by then.

A commit under `synchronous=FULL` waits for the disk behind the write gate, and everybody else waits with it: what takes
longest is done one by one. Here a transaction commits without that wait, leaves the gate, and then waits until the
write-ahead log is on the disk. Whoever finds nobody at it does it, for all who have committed by then.

A disk that fails leaves a hole in the log, behind which SQLite finds nothing after a power cut. So nobody may begin
before the log was written once more, whole; see docs/adr/0007.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from io import FileIO

from django.db.utils import OperationalError

# SQLite would say these, and its words are known elsewhere.
IO_ERROR = "disk I/O error"
SAID_BY_SQLITE = dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "database or disk is full")
PART = 1 << 20
# Where there is none (macOS), what SQLite takes there too.
_sync = getattr(os, "fdatasync", os.fsync)
_serial = itertools.count()


class Log:
    """The log of one connection, which keeps it: opened before the commits that it shall tell of.

    Linux tells of a page that could not be written once to each who had the file open by then, and nobody else.
    """

    def __init__(self, path: str, generation: int) -> None:
        self.file, self.generation = FileIO(path), generation
        self.serial = next(_serial)

    def close(self) -> None:
        """Let it go."""
        self.file.close()

    def __del__(self) -> None:
        """Let it go with the thread that it belonged to."""
        with contextlib.suppress(AttributeError):  # it could not be opened
            self.file.close()


class Mark:
    """A byte in the gate's file, where every process sees it: the log has a hole."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd: int | None = None

    def is_set(self) -> bool:
        """Say whether there is one."""
        return bool(os.pread(self._open(), 1, 0))

    def set(self) -> None:
        """Make it, if the disk takes a byte; this process knows in any case."""
        with contextlib.suppress(OSError):
            os.pwrite(self._open(), b"!", 0)

    def clear(self) -> None:
        """Take it away."""
        os.ftruncate(self._open(), 0)

    def _open(self) -> int:
        if self._fd is None:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._fd


@dataclass
class _Round:
    """Commits that one sync covers. `fault` says in SQLite's words why they may be lost."""

    logs: list[Log] = field(default_factory=list)
    is_over: bool = False
    fault: str = ""


class Disk:
    """How far the commits of this process to one database are on the disk."""

    def __init__(self, mark: Mark) -> None:
        self._mark = mark
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
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
        is_first, following = False, _Round()
        try:
            with self._lock:
                mine = self._gathering
                mine.logs.append(log)
                while self._is_writing and not mine.is_over:
                    self._changed.wait()
                if not mine.is_over:
                    self._gathering, mine.fault = following, IO_ERROR
                    is_first = self._is_writing = True
            if is_first:
                mine.fault = self._write(mine)
        finally:
            if is_first:
                with self._lock:
                    self._fault = mine.fault or self._fault
                    mine.is_over, self._is_writing = True, False
                    self._changed.notify_all()
        if mine.fault:
            raise OperationalError(mine.fault)

    def _write(self, mine: _Round) -> str:
        """Return what went wrong, which every process must know of; empty: nothing."""
        # Who has opened the log last may have done so after somebody else was told of a failure.
        oldest = min(mine.logs, key=lambda log: log.serial)
        try:
            _sync(oldest.file.fileno())
        except (OSError, ValueError) as error:  # ValueError: it was closed, by a thread that was interrupted
            self._mark.set()
            return _words(error)
        return IO_ERROR if self._is_marked() else ""  # another process has met a hole

    def _is_marked(self) -> bool:
        try:
            return self._mark.is_set()
        except OSError:
            return True

    def mend(self, write_again: Callable[[], None]) -> None:
        """Make sure that what is written next has no hole before it. Call where nobody else can write.

        Raises:
            OperationalError: it is not mended, and nobody may write.
        """
        if not self._fault and not self._is_marked():
            return
        try:
            write_again()
            self._mark.clear()
        except OSError as error:
            raise OperationalError(_words(error)) from error
        with self._lock:
            self._fault, self._generation = "", self._generation + 1


def write_again(path: str) -> None:
    """Write each part of a log to where it is. What the kernel took for written is written after all.

    Raises:
        OSError: it is not on the disk.
    """
    with FileIO(path, "r+") as log:
        at = 0
        while part := os.pread(log.fileno(), PART, at):
            at += os.pwrite(log.fileno(), part, at)
        _sync(log.fileno())


def _words(error: Exception) -> str:
    return SAID_BY_SQLITE.get(getattr(error, "errno", None) or 0, IO_ERROR)
