"""What the database says, read past Foyer's own code: every table as plain rows."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]


class Records:
    """One database, by the address that `database` has in foyer.yaml."""

    def __init__(self, address: str) -> None:
        """Look into this one."""
        self._address = address

    def rows(self, table: str, where: str = "") -> list[Row]:
        """Every row of a table."""
        return self.ask(f"SELECT * FROM {table} {f'WHERE {where}' if where else ''} ORDER BY 1")  # noqa: S608 - ours

    def count(self, table: str, where: str) -> int:
        """How many rows of a table are so."""
        return int(self.ask(f"SELECT count(*) AS n FROM {table} WHERE {where}")[0]["n"])  # noqa: S608 - ours

    def ask(self, question: str) -> list[Row]:
        """Ask in SQL."""
        with self._connection() as connection:
            return [dict(row) for row in connection.execute(question).fetchall()]

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Any]:
        if self._address.startswith("sqlite:///"):
            with contextlib.closing(sqlite3.connect(self._address.removeprefix("sqlite:///"), timeout=30)) as one:
                one.row_factory = sqlite3.Row
                yield one
        else:
            with psycopg.connect(self._address, row_factory=dict_row, autocommit=True) as other:
                yield other
