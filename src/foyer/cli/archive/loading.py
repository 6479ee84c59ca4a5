"""Putting a backup back: all of it in one transaction, or nothing."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.graph import MigrationGraph
from django.db.models import Model

from foyer.cli import output
from foyer.cli.archive import rows
from foyer.cli.archive.reading import Backup
from foyer.cli.archive.saving import applied_migrations

ASIDE = "restoring"
Source = Callable[[str, type[Model]], Iterable[dict[str, Any]]]


@contextlib.contextmanager
def prepared(backup: Backup) -> Iterator[Source]:
    """Check the backup, and yield a source of rows that fit this version's tables. The database is not touched.

    The backup of an older version is taken up by an empty database aside, which is then brought up to date.

    Raises:
        CommandFailed: it does not hold what it says.
    """
    if set(backup.manifest.migrations) >= set(_all_migrations()):
        backup.check(apps)
        yield backup.rows
        return
    with tempfile.TemporaryDirectory(prefix="foyer-restore-") as folder, _database_aside(Path(folder)):
        _take_up(backup)
        yield lambda _table, model: rows.read(model, ASIDE)


def _all_migrations() -> list[str]:
    loader = MigrationExecutor(connection).loader
    return [f"{app}.{name}" for app, name in loader.disk_migrations]


@contextlib.contextmanager
def _database_aside(folder: Path) -> Iterator[None]:
    connections.settings[ASIDE] = {
        **connections.settings["default"],
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(folder / "aside.sqlite3"),
        "OPTIONS": {},
    }
    try:
        yield
    finally:
        connections[ASIDE].close()
        del connections[ASIDE], connections.settings[ASIDE]


def _take_up(backup: Backup) -> None:
    executor = MigrationExecutor(connections[ASIDE])
    newest = _newest_of_each_app(executor.loader.graph, backup.manifest.migrations)
    executor.migrate(newest)
    then = executor.loader.project_state(newest).apps
    backup.check(then)
    with transaction.atomic(using=ASIDE):
        empty(rows.tables(then), ASIDE)  # migrations may have put rows there
        for table, model in rows.tables(then).items():
            rows.write(model, backup.rows(table, model), ASIDE)
    call_command("migrate", database=ASIDE, verbosity=0, interactive=False)


def _newest_of_each_app(graph: MigrationGraph, names: list[str]) -> list[tuple[str, str]]:
    """Return where each app stood: its migrations that no other one of it follows."""
    parted = [name.partition(".") for name in names]
    known = {(app, name) for app, _, name in parted if (app, name) in graph.nodes}
    followed = {parent.key for key in known for parent in graph.node_map[key].parents if parent.key[0] == key[0]}
    return sorted(known - followed)


def load(source: Source, *, before_commit: Callable[[], None]) -> None:
    """Replace every row of the database by those of the source, in one transaction.

    `before_commit` is the last thing done in it; whatever it raises undoes everything.
    """
    known = rows.tables(apps)
    with transaction.atomic(), output.progress("rows restored") as advance:
        _lock(list(known))
        empty(known, "default")
        for table, model in known.items():
            rows.write(model, _counted(source(table, model), advance), "default")
        set_sequences(list(known.values()), "default")
        before_commit()


def empty(tables: Iterable[str], using: str) -> None:
    """Delete every row of these tables."""
    with connections[using].cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM {connections[using].ops.quote_name(table)}")  # noqa: S608 - our own name


def _counted(found: Iterable[dict[str, Any]], advance: Callable[[], None]) -> Iterator[dict[str, Any]]:
    for row in found:
        advance()
        yield row


def _lock(names: list[str]) -> None:
    """Let nobody write meanwhile. SQLite's transaction is behind the write gate already."""
    if connection.vendor == "postgresql":
        quoted = ", ".join(connection.ops.quote_name(name) for name in names)
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {quoted} IN EXCLUSIVE MODE")


def set_sequences(known: list[type[Model]], using: str) -> None:
    """PostgreSQL hands out numbers by itself, and does not see the rows that brought theirs."""
    with connections[using].cursor() as cursor:
        for statement in connections[using].ops.sequence_reset_sql(no_style(), known):
            cursor.execute(statement)


def what_is_here() -> dict[str, int]:
    """Return how many rows each table of the database has."""
    return {table: model._base_manager.count() for table, model in rows.tables(apps).items()}


__all__ = ["applied_migrations", "empty", "load", "prepared", "set_sequences", "what_is_here"]
