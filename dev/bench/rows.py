"""Filling Foyer's tables by SQL: what a server has after years, in seconds.

Columns that are not named here are left empty, so that a new one breaks no measurement.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dev.bench.people import code, localpart

CHUNK = 20_000
WORDS = "applications_search"
"""The index of words that SQLite keeps by triggers."""

_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


Row = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """One table's name and columns (without the id, which counts up), and what makes its row of a number from 1.

    `times`: so many rows are made of each number, one after the other.
    """

    name: str
    written: str
    row: Callable[[int], Row]
    times: int = 1

    @property
    def columns(self) -> list[str]:
        """The columns by name."""
        return self.written.split()


def _at(number: int) -> str:
    return str(_BEGIN + timedelta(minutes=number))


def _invitation(number: int) -> Row:
    texts = ("", "", "[]", "", "", "")
    return (code(number), None, 0, 0, None, None, *texts, _at(number), "command-line")


def _account(number: int) -> Row:
    return (localpart(number), "open", _at(number), _at(number), None, False, "", "", "[]", None, None)


def _claim(number: int) -> Row:
    return (localpart(number), f"account:{number}", None, _at(number))


def _use(number: int) -> Row:
    return (number, code(number), f"account:{number}", _at(number), _at(number), None)


def _deed(number: int) -> Row:
    return (_at(number), "account.opened", "person", "account", str(number), "{}")


INVITATIONS = Table(
    "invites_invite",
    "code uses_limit held used expires_at revoked_at label message rooms localpart email inviter created_at created_by",
    _invitation,
)
PAST = (
    Table(
        "accounts_account",
        "localpart state begun_at settled_at absent_at is_shell reason email rooms ip welcomed_at",
        _account,
    ),
    Table("names_claim", "localpart holder until at", _claim),
    Table("invites_use", "invite_id code holder spent_at at ip", _use),
    Table("audit_event", "at verb actor subject_kind subject_id facts", _deed),
)


def fill(database: str, number: int, *, past: bool) -> None:
    """Put `number` unlimited invitations into empty tables, and with `past` as many accounts that came by them.

    `database` is the URL in Foyer's configuration. Nobody else may use it meanwhile.
    """
    fill_tables(database, (INVITATIONS, *(PAST if past else ())), number)


def fill_tables(database: str, tables: Sequence[Table], number: int) -> None:
    """Put the rows of 1 to `number` into each of these tables, in this order. Nobody else may use them meanwhile.

    Indexes and triggers are made anew afterwards, which takes a fraction of keeping them up to date.
    """
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

    def rows(self, number: int) -> Iterator[Row]:
        empty = tuple(self.more.values())
        return (self.table.row(each) + empty for each in range(1, number * self.table.times + 1))


def empty_value(kind: str) -> Any:
    """The empty value of a column of this SQL type."""
    if kind.startswith("bool"):
        return False
    return 0 if "int" in kind else "[]" if kind == "jsonb" else ""


def _gained(table: Table, wanting: Iterable[tuple[str, str]]) -> _Filling:
    gained = {name: empty_value(kind) for name, kind in wanting if name not in table.columns}
    return _Filling(table, gained)


def _fill_sqlite(database: str, tables: Sequence[Table], number: int) -> None:
    path = database.removeprefix("sqlite:///")
    wanting = 'SELECT name, type FROM pragma_table_info(?) WHERE "notnull" AND dflt_value IS NULL AND pk = 0'
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")  # The file is thrown away if this is interrupted.
        connection.execute("PRAGMA cache_size=-400000")
        connection.execute("BEGIN IMMEDIATE")
        with _without_indexes(connection, {table.name for table in tables}):
            for table in tables:
                filling = _gained(table, connection.execute(wanting, (table.name,)).fetchall())
                marks = ", ".join("?" * len(filling.columns))
                insert = f"INSERT INTO {table.name} ({', '.join(filling.columns)}) VALUES ({marks})"  # noqa: S608 - ours
                for chunk in _chunks(filling.rows(number)):
                    connection.executemany(insert, chunk)
        connection.execute("COMMIT")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


@contextlib.contextmanager
def _without_indexes(connection: sqlite3.Connection, tables: set[str]) -> Iterator[None]:
    """Take indexes and triggers away, and make them again at the end; an index of words is filled again."""
    marks = ", ".join("?" * len(tables))
    asked = f"SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN ({marks})"  # noqa: S608
    made = [it for it in connection.execute(asked, sorted(tables)).fetchall() if it[0] in {"index", "trigger"}]
    for kind, name, _ in made:
        connection.execute(f'DROP {kind.upper()} "{name}"')
    yield
    for _, _, statement in made:
        connection.execute(statement)
    if any(kind == "trigger" for kind, _, _ in made):
        connection.execute(f"INSERT INTO {WORDS} ({WORDS}) VALUES ('rebuild')")  # noqa: S608 - our name


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(itertools.islice(rows, CHUNK)):
        yield chunk


def _fill_postgresql(database: str, tables: Sequence[Table], number: int) -> None:
    import psycopg  # only in .venv, and only needed here

    wanting = (
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema() "
        "AND table_name = %s AND is_nullable = 'NO' AND is_identity = 'NO' AND column_default IS NULL"
    )
    # Those of constraints stay: they cannot be dropped alone.
    indexes = (
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ANY(%s) "
        "AND indexname NOT IN (SELECT conname FROM pg_constraint)"
    )
    with psycopg.connect(database, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        made = cursor.execute(indexes, ([table.name for table in tables],)).fetchall()
        for name, _ in made:
            cursor.execute(f'DROP INDEX "{name}"'.encode())
        for table in tables:
            filling = _gained(table, cursor.execute(wanting, (table.name,)).fetchall())
            target = f"{table.name} ({', '.join(filling.columns)})"
            with cursor.copy(f"COPY {target} FROM STDIN".encode()) as copy:
                for row in filling.rows(number):
                    copy.write_row(row)
        for _, statement in made:
            cursor.execute(str(statement).encode())
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
        working = "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'"
        while cursor.execute(working).fetchone():  # It has seen the rows come, and tidies up after them too.
            time.sleep(0.5)
