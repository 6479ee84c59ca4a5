"""The index of trigrams that searches use, where the database can have one. Without it they look through the rows."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, migrations, transaction

SQLITE = (
    """CREATE VIRTUAL TABLE applications_search USING fts5(
        text, content='applications_haystack', content_rowid='application_id', tokenize='trigram'
    )""",
    """CREATE TRIGGER applications_search_insert AFTER INSERT ON applications_haystack BEGIN
        INSERT INTO applications_search(rowid, text) VALUES (new.application_id, new.text);
    END""",
    """CREATE TRIGGER applications_search_delete AFTER DELETE ON applications_haystack BEGIN
        INSERT INTO applications_search(applications_search, rowid, text)
        VALUES ('delete', old.application_id, old.text);
    END""",
    """CREATE TRIGGER applications_search_update AFTER UPDATE ON applications_haystack BEGIN
        INSERT INTO applications_search(applications_search, rowid, text)
        VALUES ('delete', old.application_id, old.text);
        INSERT INTO applications_search(rowid, text) VALUES (new.application_id, new.text);
    END""",
    "INSERT INTO applications_search(applications_search) VALUES ('rebuild')",
)
SQLITE_BACK = (
    "DROP TRIGGER IF EXISTS applications_search_insert",
    "DROP TRIGGER IF EXISTS applications_search_delete",
    "DROP TRIGGER IF EXISTS applications_search_update",
    "DROP TABLE IF EXISTS applications_search",
)
# The expression is the one that Django's `icontains` makes.
POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX applications_search ON applications_haystack USING gin (UPPER(text::text) gin_trgm_ops)",
)
POSTGRESQL_BACK = ("DROP INDEX IF EXISTS applications_search",)


def make(_apps: Any, editor: Any) -> None:
    connection = editor.connection
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for statement in SQLITE if connection.vendor == "sqlite" else POSTGRESQL:
                cursor.execute(statement)
    except DatabaseError:
        # An SQLite without FTS5's trigrams, or a PostgreSQL whose owner does not let us have pg_trgm.
        return


def drop(_apps: Any, editor: Any) -> None:
    with editor.connection.cursor() as cursor:
        for statement in SQLITE_BACK if editor.connection.vendor == "sqlite" else POSTGRESQL_BACK:
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("applications", "0001_tables")]
    operations = [migrations.RunPython(make, drop)]
