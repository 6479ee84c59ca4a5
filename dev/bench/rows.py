"""Filling Foyer's tables by SQL: what a server has after years, in seconds.

Columns that are not named here are left empty, so that a new one breaks no measurement.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dev.bench.people import code, localpart

CHUNK = 20_000
_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Table:
    """One table's name and columns (without the id, which counts up), and its row of a number."""

    name: str
    written: str

    @property
    def columns(self) -> list[str]:
        """The columns by name."""
        return self.written.split()

    def row(self, number: int) -> tuple[Any, ...]:
        """The row of this number, counted from 1."""
        at = str(_BEGIN + timedelta(minutes=number))
        holder = f"account:{number}"
        match self.name:
            case "invites_invite":
                texts = ("", "", "[]", "", "", "")
                return (code(number), None, 0, 0, None, None, *texts, at, "command-line")
            case "accounts_account":
                return (localpart(number), "open", at, at, None, False, "", "", "[]", None, None)
            case "names_claim":
                return (localpart(number), holder, None, at)
            case "invites_use":
                return (number, code(number), holder, at, at, None)
            case "audit_event":
                return (at, "account.opened", "person", "account", str(number), "{}")
        raise LookupError(self.name)


INVITATIONS = Table(
    "invites_invite",
    "code uses_limit held used expires_at revoked_at label message rooms localpart email inviter created_at created_by",
)
PAST = (
    Table(
        "accounts_account", "localpart state begun_at settled_at absent_at is_shell reason email rooms ip welcomed_at"
    ),
    Table("names_claim", "localpart holder until at"),
    Table("invites_use", "invite_id code holder spent_at at ip"),
    Table("audit_event", "at verb actor subject_kind subject_id facts"),
)


def fill(database: str, number: int, *, past: bool) -> None:
    """Put `number` unlimited invitations into empty tables, and with `past` as many accounts that came by them.

    `database` is the URL in Foyer's configuration. Nobody else may use it meanwhile.
    """
    tables = (INVITATIONS, *(PAST if past else ()))
    write = _fill_sqlite if database.startswith("sqlite:///") else _fill_postgresql
    write(database, tables, number)


@dataclass(frozen=True)
class _Filling:
    """A table with all the columns that want a value."""

    table: Table
    more: dict[str, Any]
    """Columns that the table has gained, and the empty value of each."""

    @property
    def columns(self) -> list[str]:
        return [*self.table.columns, *self.more]

    def rows(self, number: int) -> Iterator[tuple[Any, ...]]:
        empty = tuple(self.more.values())
        return (self.table.row(each) + empty for each in range(1, number + 1))


def empty_value(kind: str) -> Any:
    """The empty value of a column of this SQL type."""
    if kind.startswith("bool"):
        return False
    return 0 if "int" in kind else "[]" if kind == "jsonb" else ""


def _gained(table: Table, wanting: Iterable[tuple[str, str]]) -> _Filling:
    gained = {name: empty_value(kind) for name, kind in wanting if name not in table.columns}
    return _Filling(table, gained)


def _fill_sqlite(database: str, tables: Iterable[Table], number: int) -> None:
    path = database.removeprefix("sqlite:///")
    wanting = 'SELECT name, type FROM pragma_table_info(?) WHERE "notnull" AND dflt_value IS NULL AND pk = 0'
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")  # The file is thrown away if this is interrupted.
        connection.execute("PRAGMA cache_size=-400000")
        for table in tables:
            filling = _gained(table, connection.execute(wanting, (table.name,)).fetchall())
            marks = ", ".join("?" * len(filling.columns))
            insert = f"INSERT INTO {table.name} ({', '.join(filling.columns)}) VALUES ({marks})"  # noqa: S608 - our names
            connection.execute("BEGIN IMMEDIATE")
            for chunk in _chunks(filling.rows(number)):
                connection.executemany(insert, chunk)
            connection.execute("COMMIT")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _chunks(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    while chunk := list(itertools.islice(rows, CHUNK)):
        yield chunk


def _fill_postgresql(database: str, tables: Iterable[Table], number: int) -> None:
    import psycopg  # only in .venv, and only needed here

    wanting = (
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema() "
        "AND table_name = %s AND is_nullable = 'NO' AND is_identity = 'NO' AND column_default IS NULL"
    )
    with psycopg.connect(database, autocommit=True) as connection, connection.cursor() as cursor:
        for table in tables:
            filling = _gained(table, cursor.execute(wanting, (table.name,)).fetchall())
            target = f"{table.name} ({', '.join(filling.columns)})"
            with cursor.copy(f"COPY {target} FROM STDIN".encode()) as copy:
                for row in filling.rows(number):
                    copy.write_row(row)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
