"""Writing a backup: one consistent look at every table, while Foyer goes on."""

from __future__ import annotations

import contextlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder

import foyer
from foyer.cli import output
from foyer.cli.archive import rows
from foyer.cli.archive.manifest import FORMAT, MANIFEST, SECRET_KEY, Manifest, path_of
from foyer.config import current
from foyer.kit.clock import now
from foyer.kit.codes import keyed_digest

LEFT_EMPTY = frozenset({"django_session"})
"""Saved without rows: a backup signs nobody in, and after a restore everybody signs in anew."""


def save(target: Path) -> Manifest:
    """Write a backup that has its name only once it is whole; nobody but its owner can read it."""
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                manifest = _fill(archive)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(target)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return manifest


def key_digest() -> str:
    """Return what tells one secret key from another, and does not tell the key."""
    return keyed_digest(settings.SECRET_KEY, "backup", "")


def _fill(archive: zipfile.ZipFile) -> Manifest:
    config = current()
    counted: dict[str, int] = {}
    with _snapshot(), output.progress("rows saved") as advance:
        migrations = applied_migrations()
        for table, model in rows.tables(apps).items():
            counted[table] = 0
            with archive.open(path_of(table), "w", force_zip64=True) as member:
                for row in [] if table in LEFT_EMPTY else rows.read(model, "default"):
                    member.write(rows.as_line(row).encode())
                    counted[table] += 1
                    advance()
    if config.secret_key is None:
        archive.writestr(SECRET_KEY, settings.SECRET_KEY)
    manifest = Manifest(
        format=FORMAT,
        foyer=foyer.__version__,
        made_at=now().isoformat(),
        server_name=config.server_name,
        database=config.database.engine,
        migrations=migrations,
        rows=counted,
        key_digest=key_digest(),
    )
    archive.writestr(MANIFEST, manifest.as_bytes())
    return manifest


def applied_migrations() -> list[str]:
    """Return what the database has of Foyer's migrations and its libraries'."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


@contextlib.contextmanager
def _snapshot() -> Iterator[None]:
    """See every table as it is at one moment, and hold up nobody who writes."""
    if connection.vendor == "sqlite":
        # By hand: a transaction of Django's would pass the write gate, and everybody else would have to wait.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield
