"""What has been committed outlives a power cut, although SQLite itself no longer waits for the disk at each commit."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.utils import OperationalError

from foyer.config.sqlite import base, disk
from foyer.names.models import Claim

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get("FOYER_TEST_DATABASE") == "postgresql", reason="SQLite's own way to the disk"),
]
THREADS = 8
FULL, NORMAL = 2, 1
PAGE = 4096
_PWRITE = os.pwrite


def waits_at_commit() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        return int(cursor.fetchone()[0])


def add(name: str) -> None:
    with transaction.atomic():
        Claim.objects.create(localpart=name, holder="somebody", until=None)


def test_sqlite_waits_itself_wherever_nobody_else_does() -> None:
    assert waits_at_commit() == FULL
    with transaction.atomic():
        assert waits_at_commit() == NORMAL
    assert waits_at_commit() == FULL
    with pytest.raises(LookupError), transaction.atomic():
        raise LookupError
    assert waits_at_commit() == FULL
    connection.force_debug_cursor = True
    try:
        with transaction.atomic():
            assert waits_at_commit() == NORMAL
    finally:
        connection.force_debug_cursor = False
    assert waits_at_commit() == FULL


def test_sqlite_waits_itself_after_a_transaction_that_could_not_begin() -> None:
    add("one")
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")

    with pytest.raises(OperationalError, match="locked"), transaction.atomic():
        pytest.fail("two write at once")
    other.close()

    assert waits_at_commit() == FULL
    add("two")


def test_connection_that_is_closed_within_a_transaction_opens_the_gate() -> None:
    with transaction.atomic():
        Claim.objects.create(localpart="one", holder="somebody", until=None)
        connection.close()

    add("two")
    assert set(Claim.objects.values_list("localpart", flat=True)) == {"two"}
    assert waits_at_commit() == FULL


def test_every_commit_is_on_the_disk_before_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # so that none happens while the images are taken
    syncs: list[tuple[float, float]] = []
    images: list[Path] = []
    slowly = _what_the_disk_has(tmp_path, images)

    def sync(log: int) -> None:
        begin = time.monotonic()
        slowly(log)
        syncs.append((begin, time.monotonic()))

    monkeypatch.setattr(disk, "_sync", sync)
    told: list[tuple[str, float, float]] = []

    def work(thread: int) -> None:
        for number in range(12):
            name, before = f"n{thread}.{number}", time.monotonic()
            add(name)
            told.append((name, before, time.monotonic()))
        connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))

    assert len(told) == THREADS * 12
    assert len(syncs) < len(told), "nobody waited for anybody else's"
    for _, before, after in told:
        assert any(before < begin and end <= after for begin, end in syncs)
    on_disk: set[str] = set()
    for image, (_, end) in zip(images, syncs, strict=True):
        on_disk = {row[0] for row in sqlite3.connect(image).execute("SELECT localpart FROM names_claim")}
        assert on_disk >= {name for name, _, after in told if after <= end}
    assert on_disk == {name for name, _, _ in told}


def _what_the_disk_has(folder: Path, images: list[Path]) -> Callable[[int], None]:
    """Return a sync that keeps what is on the disk when it ends: what would be there after a power cut."""
    database = Path(str(connection.settings_dict["NAME"]))

    def sync(log: int) -> None:
        on_disk = os.pread(log, os.fstat(log).st_size, 0)
        os.fsync(log)
        time.sleep(0.002)  # a disk takes its time
        image = folder / f"{len(images)}.sqlite3"
        shutil.copy(database, image)
        image.with_name(f"{image.name}-wal").write_bytes(on_disk)
        images.append(image)

    return sync


class LossyDisk:
    """What Linux makes of a disk that fails: what could not be written counts as written, and is told of once."""

    def __init__(self, folder: Path) -> None:
        self.fails_with = 0
        self._image = folder / "image.sqlite3"
        self._written, self._on_disk = b"", bytearray()

    def sync(self, log: int) -> None:
        """Take the place of fdatasync."""
        content = os.pread(log, os.fstat(log).st_size, 0)
        if len(content) < len(self._written):
            self._written, self._on_disk = b"", bytearray()
        self._on_disk.extend(bytes(max(0, len(content) - len(self._on_disk))))
        for at in range(0, len(content), PAGE):
            page = content[at : at + PAGE]
            if page != self._written[at : at + PAGE] and not self.fails_with:
                self._on_disk[at : at + PAGE] = page
        self._written = content
        if self.fails_with:
            raise OSError(self.fails_with, os.strerror(self.fails_with))

    def write(self, file: int, part: bytes, at: int) -> int:
        """Take the place of pwrite: what is written once more is not on the disk yet, even if it is the same."""
        if at == 0 and len(part) > 1:  # the log, and not the mark
            self._written = b""
        return _PWRITE(file, part, at)

    def after_a_power_cut(self) -> set[str]:
        """The names that are there."""
        shutil.copy(connection.settings_dict["NAME"], self._image)
        self._image.with_name(f"{self._image.name}-wal").write_bytes(self._on_disk)
        with contextlib.closing(sqlite3.connect(self._image)) as found:
            assert found.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return {row[0] for row in found.execute("SELECT localpart FROM names_claim")}


@pytest.fixture
def lossy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LossyDisk:
    """Put such a disk below the test's database."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    made = LossyDisk(tmp_path)
    monkeypatch.setattr(disk, "_sync", made.sync)
    monkeypatch.setattr(os, "pwrite", made.write)
    return made


def lose(lossy: LossyDisk, name: str, fault: int = errno.EIO, times: int = 1) -> None:
    """Commit something that does not get to the disk. `times` 2: the mending at once fails as well."""
    real = lossy.sync

    def failing(log: int) -> None:
        nonlocal times
        lossy.fails_with = fault if times > 0 else 0
        times -= 1
        real(log)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk, "_sync", failing)
        with pytest.raises(OperationalError):
            add(name)
    lossy.fails_with = 0


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_told_after_a_failure_outlives_a_power_cut_too(lossy: LossyDisk, times: int) -> None:
    add("before")
    lose(lossy, "lost", times=times)
    assert lossy.after_a_power_cut() >= {"before"}

    add("after")

    assert lossy.after_a_power_cut() >= {"before", "after"}
    assert waits_at_commit() == FULL


@pytest.mark.parametrize(("fault", "said"), [(errno.EIO, "disk I/O error"), (errno.ENOSPC, "database or disk is full")])
def test_nobody_writes_behind_a_hole_that_cannot_be_mended(lossy: LossyDisk, fault: int, said: str) -> None:
    add("before")
    lossy.fails_with = fault
    with pytest.raises(OperationalError, match=said):
        add("lost")

    with pytest.raises(OperationalError, match=said):
        add("behind")

    assert not Claim.objects.filter(localpart="behind").exists()
    assert waits_at_commit() == FULL
    lossy.fails_with = 0
    add("after")
    assert lossy.after_a_power_cut() >= {"before", "after"}


def test_hole_is_mended_by_whoever_comes_next_from_whatever_process(lossy: LossyDisk) -> None:
    add("before")
    lose(lossy, "lost", times=2)
    connection.close()
    base._disks.clear()  # as in another process, or in this one after a restart

    add("after")

    assert lossy.after_a_power_cut() >= {"before", "after"}


def test_reader_does_not_keep_a_hole_from_being_mended(lossy: LossyDisk) -> None:
    add("before")
    reader = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM names_claim").fetchone()
    lose(lossy, "lost", times=2)

    add("after")

    reader.close()
    assert lossy.after_a_power_cut() >= {"before", "after"}


def test_disk_that_fails_is_told_to_everybody_who_relied_on_it(
    lossy: LossyDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("before")
    begun, go_on = threading.Event(), threading.Event()
    calls: list[int] = []

    def sync(log: int) -> None:
        calls.append(log)
        lossy.fails_with = errno.EIO if len(calls) == 2 else 0
        if len(calls) == 1:
            begun.set()
            assert go_on.wait(60)
        lossy.sync(log)

    monkeypatch.setattr(disk, "_sync", sync)

    def one(name: str) -> str:
        try:
            add(name)
        except OperationalError as error:
            return str(error)
        finally:
            connection.close()
        return "told"

    with ThreadPoolExecutor(THREADS) as pool:
        first = pool.submit(one, "first")
        assert begun.wait(60)
        rest = [pool.submit(one, f"rest{number}") for number in range(3)]
        end = time.monotonic() + 60
        waiting = connection._disk._gathering.logs  # type: ignore[attr-defined]
        while len(waiting) < 3 and time.monotonic() < end:
            time.sleep(0.01)  # until all have committed and wait for the end of the first one's sync
        go_on.set()
        assert first.result() == "told"
        assert [it.result() for it in rest] == ["disk I/O error"] * 3

    assert one("after") == "told"
    assert len(calls) == 4  # the third one mends


def test_database_behind_a_link_is_written(tmp_path: Path) -> None:
    link = tmp_path / "link.sqlite3"
    (tmp_path / "foyer.sqlite3").touch()
    link.symlink_to(tmp_path / "foyer.sqlite3")
    wrapper = base.DatabaseWrapper({**connection.settings_dict, "NAME": str(link)}, alias="link")
    with wrapper.cursor() as cursor:
        cursor.execute("CREATE TABLE it (number INTEGER)")
    wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    with wrapper.cursor() as cursor:
        cursor.execute("INSERT INTO it VALUES (7)")

    wrapper.commit()
    wrapper.close()

    assert sqlite3.connect(tmp_path / "foyer.sqlite3").execute("SELECT * FROM it").fetchall() == [(7,)]


def test_transaction_begun_by_hand_is_not_committed_by_the_next() -> None:
    add("one")
    raw = connection.connection
    raw.execute("BEGIN")
    raw.execute("INSERT INTO names_claim (localpart, holder, at) VALUES ('by hand', 'somebody', '2026-11-22')")

    with pytest.raises(OperationalError, match="within a transaction"), transaction.atomic():
        pytest.fail("two transactions at once")

    raw.rollback()
    add("two")
    assert set(Claim.objects.values_list("localpart", flat=True)) == {"one", "two"}
