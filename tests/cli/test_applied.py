from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from foyer.cli.applied import is_up_to_date, on_disk

APPS = settings.INSTALLED_APPS


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database to which everything was applied."""
    path = tmp_path / "foyer.sqlite3"
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("CREATE TABLE django_migrations (app TEXT, name TEXT)")
        made.executemany("INSERT INTO django_migrations VALUES (?, ?)", on_disk(APPS))
    return path


def change(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as opened, opened:
        opened.execute(statement)


@pytest.mark.django_db
def test_migrations_on_disk_are_those_that_django_finds() -> None:
    assert on_disk(APPS) == set(MigrationLoader(connection).disk_migrations)


def test_database_to_which_everything_was_applied_is_up_to_date(database: Path) -> None:
    assert is_up_to_date(database, APPS)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM django_migrations WHERE app = 'jobs' AND name LIKE '0001%'",
        "INSERT INTO django_migrations VALUES ('jobs', '9999_from_the_future')",
        "DROP TABLE django_migrations",
    ],
)
def test_database_that_lacks_or_has_more_is_left_to_django(database: Path, statement: str) -> None:
    change(database, statement)

    assert not is_up_to_date(database, APPS)


def test_database_that_is_none_is_left_to_django(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("This is no database, and long enough to be seen to be none.\n" * 100)

    assert not is_up_to_date(tmp_path / "text", APPS)
    assert not is_up_to_date(tmp_path / "missing", APPS)
    assert not (tmp_path / "missing").exists()
