"""Running a statement on the database driver's own connection.

Django's cursors cost more time than SQLite takes for the statement itself, and its PostgreSQL parses and plans each one
anew. The connection, its transactions and its errors stay Django's. Where somebody listens to what is run (tests that
count queries), or Django has something to say first (the transaction is broken), its own cursor does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    import psycopg

Rows = list[tuple[Any, ...]]


class Statement:
    """The SQL of one statement, with `%s` for each parameter. `returns`: it has rows to fetch."""

    def __init__(self, sql: str, *, returns: bool) -> None:
        self._sql, self._returns = sql, returns
        self._for_sqlite = sql.replace("%s", "?")

    def run(self, connection: BaseDatabaseWrapper, values: Sequence[Any]) -> tuple[int, Rows, int | None]:
        """Run it with values that the driver understands.

        Returns how many rows it wrote, those that it returned, and the key of the last row inserted (SQLite alone).
        """
        if connection.force_debug_cursor or connection.execute_wrappers or connection.needs_rollback:
            return self._listened_to(connection, values)
        connection.close_if_health_check_failed()
        if connection.connection is None:
            connection.ensure_connection()
        try:
            if connection.vendor == "sqlite":
                cursor = connection.connection.execute(self._for_sqlite, values)
                rows = cursor.fetchall() if self._returns else []
                return cursor.rowcount, rows, cursor.lastrowid
            cursor = _cursor(connection)
            cursor.execute(self._sql, values, prepare=True)
            return cursor.rowcount, cursor.fetchall() if self._returns else [], None
        except Exception:
            with connection.wrap_database_errors:  # the driver's errors become Django's
                raise

    def _listened_to(self, connection: BaseDatabaseWrapper, values: Sequence[Any]) -> tuple[int, Rows, int | None]:
        with connection.cursor() as cursor:
            cursor.execute(self._sql, values)
            rows = cursor.fetchall() if self._returns else []
            return cursor.rowcount, rows, getattr(cursor.cursor, "lastrowid", None)


def _cursor(connection: BaseDatabaseWrapper) -> psycopg.Cursor[Any]:
    """Return the cursor of this connection that has its statements prepared at the server."""
    raw = connection.connection
    kept: psycopg.Cursor[Any] | None = getattr(connection, "_prepared_cursor", None)
    if kept is None or kept.connection is not raw:
        import psycopg  # before SQLite nothing needs it, and every start would wait for it

        kept = psycopg.Cursor(raw)
        raw.prepare_threshold = 0 if _is_direct(kept) else None
        connection._prepared_cursor = kept  # type: ignore[attr-defined]
    return kept


def _is_direct(cursor: psycopg.Cursor[Any]) -> bool:
    """Say whether it is always the same server process that answers: a pooler (PgBouncer) may change it in between.

    A pooler tells numbers of its own as those of the processes.
    """
    found = cursor.execute("SELECT pg_backend_pid()").fetchone()
    return found is not None and found[0] == cursor.connection.info.backend_pid
