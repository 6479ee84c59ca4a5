"""What migrations of ours are made of, where Django's own would hold up the version that is still running."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddIndex
from django.db.migrations.state import ProjectState
from django.db.transaction import TransactionManagementError


class AddIndexWhileInUse(AddIndex):
    """Make an index while others write to the table. The migration needs `atomic = False`, and nothing else in it.

    PostgreSQL builds it beside the writers. One that was interrupted leaves a broken index, which is removed first.
    SQLite has one writer anyway.
    """

    atomic = False

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Build it."""
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        if schema_editor.connection.in_atomic_block:
            raise TransactionManagementError("AddIndexWhileInUse needs `atomic = False` in its migration.")
        model = to_state.apps.get_model(app_label, self.model_name)
        editor: Any = schema_editor
        schema_editor.execute(
            f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.connection.ops.quote_name(self.index.name)}"
        )
        editor.add_index(model, self.index, concurrently=True)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Remove it."""
        if schema_editor.connection.vendor != "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
            return
        model = from_state.apps.get_model(app_label, self.model_name)
        editor: Any = schema_editor
        editor.remove_index(model, self.index, concurrently=True)
