"""Bringing the database up to this version, one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.migrations.executor import MigrationExecutor

from foyer.cli.errors import CommandFailed
from foyer.config import current

# Any number will do, as long as every Foyer has the same and nobody else uses it.
ADVISORY_LOCK = 0x466F796572
LOOK_AGAIN_SECONDS = 0.1
NEWER = (
    "The database was last used by a newer version of Foyer ({names}). Install that version again, or restore a backup "
    "that this one made."
)


def pending(executor: MigrationExecutor | None = None) -> list[str]:
    """Return the migrations of this version that the database lacks, as `app.name`."""
    executor = executor or MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def from_the_future(executor: MigrationExecutor | None = None) -> list[str]:
    """Return what was applied to the database and this version does not know."""
    loader = (executor or MigrationExecutor(connection)).loader
    ours = {config.label for config in apps.get_app_configs()}
    known = set(loader.disk_migrations)
    return [f"{app}.{name}" for app, name in loader.applied_migrations if app in ours and (app, name) not in known]


def refuse_newer(executor: MigrationExecutor | None = None) -> None:
    """Stop before a database that a newer version has changed.

    Raises:
        CommandFailed
    """
    if newer := from_the_future(executor):
        raise CommandFailed(NEWER.format(names=", ".join(newer)))


def bring_up_to_date() -> list[str]:
    """Apply what is pending, while no other process does; return what was applied here.

    Raises:
        CommandFailed: the database is of a newer version.
    """
    with _alone():
        executor = MigrationExecutor(connection)  # once: it reads every migration there is
        refuse_newer(executor)
        names = pending(executor)
        if names:
            call_command("migrate", verbosity=0, interactive=False)
    return names


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    database = current().database
    if database.engine == "sqlite":
        with _folder_locked(Path(str(database.path)).parent):
            yield
        return
    with connection.cursor() as cursor:
        # Asked again and again: whoever waited within a statement would hold up the one who makes an index meanwhile,
        # since that waits until all statements are over that began before.
        while not _has_lock(cursor):
            time.sleep(LOOK_AGAIN_SECONDS)
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])


def _has_lock(cursor: CursorWrapper) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK])
    return bool(cursor.fetchone()[0])


@contextlib.contextmanager
def _folder_locked(folder: Path) -> Iterator[None]:
    """Lock the folder of the database: the database's own gate is passed by each migration."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
