"""Every row of one database into another, empty one: in one transaction, and compared before it counts."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.db import DataError, OperationalError, ProgrammingError, connections, transaction
from django.db.models import Model

from foyer.cli import output
from foyer.cli.archive import rows
from foyer.cli.archive.loading import empty, set_sequences
from foyer.cli.errors import CommandFailed
from foyer.config.database import Database

SOURCE = "default"
TARGET = "copy"
# What migrations put there by themselves; it is replaced.
FILLED_BY_MIGRATIONS = frozenset({"django_content_type", "auth_permission", "django_site"})


@contextlib.contextmanager
def opened(target: Database) -> Iterator[str]:
    """Connect to the target while the `with` block runs; yields Django's name for it.

    Raises:
        CommandFailed: nobody answers there, or lets us in.
    """
    connections.settings[TARGET] = {
        **connections.settings[SOURCE],
        "ENGINE": "django.db.backends.postgresql",
        "NAME": target.name,
        "USER": target.user,
        "PASSWORD": target.password,
        "HOST": target.host,
        "PORT": target.port or "",
        "CONN_MAX_AGE": None,
        "OPTIONS": {"application_name": "foyer copy-database", "connect_timeout": 5, **target.options},
    }
    try:
        try:
            connections[TARGET].ensure_connection()
        except OperationalError as error:
            reason = str(error).strip().splitlines()[-1].rstrip(".")
            raise CommandFailed(f"{target} does not let Foyer in: {reason}. Nothing was changed.") from None
        yield TARGET
    finally:
        connections[TARGET].close()
        del connections[TARGET], connections.settings[TARGET]


def refuse_what_is_not_empty(using: str, target: Database) -> None:
    """Let through a database without tables, or with Foyer's own where nothing was ever kept.

    Raises:
        CommandFailed
    """
    known = rows.tables(apps)
    connection = connections[using]
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
    foreign = there - set(known) - {"django_migrations"} - _without_models(using)
    used = [
        table
        for table in sorted(there & set(known) - FILLED_BY_MIGRATIONS)
        if known[table]._base_manager.using(using).exists()
    ]
    if found := sorted(foreign) + used:
        names = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
        raise CommandFailed(
            f"{target} is not empty: it has {names}. Nothing was changed. Make a database for Foyer alone, with "
            "`createdb`."
        )


def copy(using: str) -> dict[str, int]:
    """Make the tables, copy every row, set the sequences, compare; returns how many rows each table has.

    Nobody can write to the source meanwhile.

    Raises:
        CommandFailed: a row does not fit, or the copy is not the same. Then the target has its tables and no row.
    """
    try:
        call_command("migrate", database=using, verbosity=0, interactive=False)
    except (OperationalError, ProgrammingError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise CommandFailed(f"The tables cannot be made there: {reason}. Let Foyer's user own the database.") from None
    known = rows.tables(apps)
    # The outer one passes the write gate and holds it.
    with transaction.atomic(using=SOURCE), transaction.atomic(using=using), output.progress("rows copied") as advance:
        empty(list(known), using)
        for table, model in known.items():
            _fill(table, model, using, advance)
        set_sequences(list(known.values()), using)
        # Before it counts: constraints that are looked at when it is over.
        connections[using].check_constraints()
        return {table: _compare(table, model, using) for table, model in known.items()}


def _without_models(using: str) -> set[str]:
    """Return the tables that migrations make by hand."""
    with connections[using].cursor() as cursor:
        names = set(connections[using].introspection.table_names(cursor))
    with connections[SOURCE].cursor() as cursor:
        return (names & set(connections[SOURCE].introspection.table_names(cursor))) | (names & {"screening_counter"})


def _fill(table: str, model: type[Model], using: str, advance: Any) -> None:
    def read() -> Iterator[dict[str, Any]]:
        for row in rows.read(model, SOURCE):
            advance()
            yield row

    try:
        rows.write(model, read(), using)
    except DataError as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise CommandFailed(f"A row of {table} does not fit into PostgreSQL: {reason}. Nothing was copied.") from None


def _compare(table: str, model: type[Model], using: str) -> int:
    there, here = _sum(model, using), _sum(model, SOURCE)
    if there != here:
        raise CommandFailed(f"The copy of {table} is not the same as the original. Nothing was copied.")
    return here[0]


def _sum(model: type[Model], using: str) -> tuple[int, int]:
    """Return how many rows there are, and what tells these from others whatever their order: databases sort apart."""
    count = total = 0
    for row in rows.read(model, using):
        text = json.dumps(row, default=rows.plain, ensure_ascii=False, sort_keys=True)
        total += int.from_bytes(hashlib.sha256(text.encode()).digest())
        count += 1
    return count, total % (1 << 256)
