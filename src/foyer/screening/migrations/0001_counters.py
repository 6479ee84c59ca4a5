"""The table of counters, where they are kept in PostgreSQL. Beside SQLite they have a file of their own."""

from __future__ import annotations

from typing import Any

from django.db import migrations

TABLE = """
CREATE UNLOGGED TABLE screening_counter (
    key varchar(200) NOT NULL PRIMARY KEY,
    slot bigint NOT NULL,
    hits integer NOT NULL,
    hits_before integer NOT NULL,
    until bigint NOT NULL
)
"""
INDEX = "CREATE INDEX screening_counter_until ON screening_counter (until)"


def create(apps: Any, schema_editor: Any) -> None:
    """Make it."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(TABLE)
        schema_editor.execute(INDEX)


def drop(apps: Any, schema_editor: Any) -> None:
    """Take it away."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TABLE screening_counter")


class Migration(migrations.Migration):
    """Reversible, and without anything that would be missed."""

    dependencies = ()
    operations = (migrations.RunPython(create, drop, elidable=False),)
