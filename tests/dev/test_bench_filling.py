"""Databases are filled side by side, and one that cannot be filled is told of."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dev.bench import filling
from dev.bench.rows import INVITATIONS, PAST
from dev.processes import NotReady


def empty(path: Path) -> str:
    """Make a database with the tables, without the rest that migrations make."""
    with closing(sqlite3.connect(path)) as connection:
        for table in (INVITATIONS, *PAST):
            connection.execute(f"CREATE TABLE {table.name} (id INTEGER PRIMARY KEY, {', '.join(table.columns)})")
    return f"sqlite:///{path}"


def count(database: str, table: str) -> int:
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
        return int(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])


def test_fill_fills_each_database(tmp_path: Path) -> None:
    databases = [empty(tmp_path / name) for name in ("one.sqlite3", "other.sqlite3")]

    filling.fill(filling.INVITATIONS, databases, 7, folder=tmp_path)

    assert [count(it, table.name) for it in databases for table in (INVITATIONS, *PAST)] == [7] * 10


def test_fill_of_one_that_cannot_be_filled_says_so(tmp_path: Path) -> None:
    databases = [empty(tmp_path / "one.sqlite3"), f"sqlite:///{tmp_path}/none.sqlite3"]

    with pytest.raises(NotReady, match="no such table"):
        filling.fill(filling.INVITATIONS, databases, 7, folder=tmp_path)
