"""The counters in PostgreSQL, shared by all machines. The table is UNLOGGED: a crash costs the counts, never more."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connection, connections, transaction

from foyer.config import driver
from foyer.screening.counters import Counters, Entry, Statements, hit_each, window

LOCK_TIMEOUT = "250ms"


@functools.cache
def _hit_all(count: int) -> driver.Statement:
    """Return the statement that counts so many entries at once.

    It waits for nobody for long: another process may have stopped with a row locked.
    """
    rows = ", ".join(["(%s::varchar, %s::bigint, 1, 0, %s::bigint)"] * count)
    of_key = "CASE excluded.key " + "WHEN %s THEN %s::{kind} " * count + "END"
    sql = hit_each(
        f"SELECT entry.* FROM (SELECT set_config('lock_timeout', '{LOCK_TIMEOUT}', true)) AS patience, "  # noqa: S608
        f"(VALUES {rows}) AS entry",
        share=of_key.format(kind="float8"),
        limit=of_key.format(kind="bigint"),
    )
    return driver.Statement(sql, returns=True)


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

    def hit_all(self, entries: Sequence[Entry]) -> int | None:
        """Count in one statement: each costs the way to the server and back, and the door's own row is everybody's."""
        rows, shares, limits = [], [], []
        for key, limit, expiry in entries:
            slot, left = window(expiry)
            rows += [key, slot, (slot + 2) * expiry]
            shares += [key, left / expiry]
            limits += [key, limit]
        with transaction.atomic():
            _, counted, _ = _hit_all(len(entries)).run(connections[DEFAULT_DB_ALIAS], [*rows, *shares, *limits])
            keys = {key for (key,) in counted}
            reached = next((number for number, (key, _, _) in enumerate(entries) if key not in keys), None)
            if reached is not None:
                transaction.set_rollback(True)
        return reached

    @contextmanager
    def together(self) -> Iterator[None]:
        """One transaction, which waits for nobody for long: another process may have stopped with a row locked."""
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            yield
