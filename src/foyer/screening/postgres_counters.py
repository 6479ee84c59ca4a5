"""The counters in PostgreSQL, shared by all machines. The table is UNLOGGED: a crash costs the counts, never more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, InterfaceError, connection, transaction

from foyer.screening.counters import Counters, Statements

LOCK_TIMEOUT = "250ms"


class PostgresCounters(Counters):
    """Counts over Django's own connection. Call outside of transactions: a row stays locked until they end."""

    statements = Statements.marked("%(name)s")

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """What may go wrong."""
        return (DatabaseError, InterfaceError)

    def run(self, sql: str, values: Mapping[str, Any]) -> int:
        """Run it in a transaction of its own, or in that of `together`."""
        with connection.cursor() as cursor:
            cursor.execute(sql, dict(values))
            return int(cursor.rowcount)

    def read(self, sql: str, values: Mapping[str, Any]) -> tuple[int, int, int] | None:
        """Return one row."""
        with connection.cursor() as cursor:
            cursor.execute(sql, dict(values))
            row: tuple[int, int, int] | None = cursor.fetchone()
            return row

    @contextmanager
    def together(self) -> Iterator[None]:
        """One transaction, which waits for nobody for long: another process may have stopped with a row locked."""
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            yield
