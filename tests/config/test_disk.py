"""What has been committed outlives a power cut, although SQLite itself no longer waits for the disk at each commit."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import OperationalError

from foyer.config.sqlite import disk
from foyer.names.models import Claim

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get("FOYER_TEST_DATABASE") == "postgresql", reason="SQLite's own way to the disk"),
]
THREADS = 8
FULL, NORMAL = 2, 1


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


def test_a_disk_that_fails_fails_everybody_who_relied_on_it_and_nobody_after(monkeypatch: pytest.MonkeyPatch) -> None:
    add("before")
    begun, go_on = threading.Event(), threading.Event()
    real: Any = disk._sync
    calls: list[int] = []

    def sync(log: int) -> None:
        calls.append(log)
        if len(calls) == 1:
            begun.set()
            assert go_on.wait(60)
            real(log)
        elif len(calls) == 2:
            raise OSError(errno.EIO, "the disk is broken")
        else:
            real(log)

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
        while Claim.objects.count() < 5:  # all have committed, and wait for the first one's sync to end
            time.sleep(0.01)
        time.sleep(0.1)
        go_on.set()
        assert first.result() == "told"
        assert [it.result() for it in rest] == ["disk I/O error"] * 3

    assert one("after") == "told"
    assert len(calls) == 3


def test_a_disk_that_is_full_at_the_sync_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    add("before")
    monkeypatch.setattr(disk, "_sync", lambda _log: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))

    with pytest.raises(OperationalError, match="database or disk is full"):
        add("after")

    monkeypatch.undo()
    add("later")
    assert waits_at_commit() == FULL
