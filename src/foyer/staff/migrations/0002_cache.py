"""The table where failed sign-ins are counted, for all processes and machines. Django's cache writes and reads it."""

from __future__ import annotations

from typing import Any

from django.db import migrations

MOMENT = {"sqlite": "datetime", "postgresql": "timestamp with time zone"}
TABLE = """
CREATE {kind} TABLE staff_cache (
    cache_key varchar(255) NOT NULL PRIMARY KEY,
    value text NOT NULL,
    expires {moment} NOT NULL
)
"""
INDEX = "CREATE INDEX staff_cache_expires ON staff_cache (expires)"


def create(apps: Any, schema_editor: Any) -> None:
    """Make it. It is no model, so that no backup has it: what it counts is over in minutes."""
    vendor = schema_editor.connection.vendor
    # UNLOGGED: after a crash of the server the counts begin anew, and nobody waits for its disk.
    schema_editor.execute(TABLE.format(kind="UNLOGGED" if vendor == "postgresql" else "", moment=MOMENT[vendor]))
    schema_editor.execute(INDEX)


def drop(apps: Any, schema_editor: Any) -> None:
    """Take it away."""
    schema_editor.execute("DROP TABLE staff_cache")


class Migration(migrations.Migration):
    """Reversible, and without anything that would be missed."""

    dependencies = (("staff", "0001_tables"),)
    operations = (migrations.RunPython(create, drop, elidable=False),)
