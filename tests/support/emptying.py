"""Empty tables after each test that commits: those that hold rows, by DELETE.

Django's `flush` truncates all of them. On PostgreSQL that makes a hundred new files, after each of 2,000 tests.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import pytest
from django.core.management import get_commands
from django.core.management.base import BaseCommand
from django.db import connections, transaction


def empty(tables: Iterable[str], *, using: str = "default") -> None:
    """Delete every row of these tables, whatever refers to whatever: that is looked at when all are gone."""
    connection = connections[using]
    quoted = [connection.ops.quote_name(table) for table in tables]
    held = " UNION ALL ".join(
        f"SELECT {number} WHERE EXISTS (SELECT 1 FROM {table})" for number, table in enumerate(quoted)
    )
    with connection.cursor() as cursor:
        cursor.execute(held)
        found = [quoted[number] for (number,) in cursor.fetchall()]
        if found:
            with transaction.atomic(using=using):
                for table in found:
                    cursor.execute(f"DELETE FROM {table}")


class Flush(BaseCommand):
    """What Django's test cases call by this name."""

    requires_system_checks = ()
    stealth_options = ("reset_sequences", "allow_cascade", "inhibit_post_migrate")

    def add_arguments(self, parser: Any) -> None:
        """Take what Django's own takes."""
        parser.add_argument("--no-input", action="store_false", dest="interactive")
        parser.add_argument("--database", default="default")

    def handle(self, *_: Any, **options: Any) -> None:
        """Empty every table that a model of ours or of Django's has."""
        empty(_tables(options["database"]), using=options["database"])


@functools.cache
def _tables(database: str) -> list[str]:
    return list(connections[database].introspection.django_table_names(only_existing=True, include_views=False))


@pytest.fixture(scope="session", autouse=True)
def empty_tables_by_deleting() -> None:
    """Stand in for Django's command."""
    get_commands()["flush"] = Flush()  # type: ignore[assignment]
