"""Is a migration survived by the version that is still running? With several machines both are, for some minutes.

Each migration of ours is read, operation by operation, as it changes the tables. What is refused here is done in two
releases: the first stops using a thing, the second takes it away. `docs/scaling.md` says how an upgrade goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Field, ManyToManyField
from django.db.models.fields import NOT_PROVIDED

from foyer.config.migrating import AddIndexWhileInUse

BEFORE_THE_FIRST_RELEASE = "no version that lacks it was ever released"
EXAMINED = {
    "accounts.0002_account_held": BEFORE_THE_FIRST_RELEASE,
    "accounts.0003_localpart": BEFORE_THE_FIRST_RELEASE,
    "applications.0002_search": BEFORE_THE_FIRST_RELEASE,
    "applications.0003_localpart_index": BEFORE_THE_FIRST_RELEASE,
    "applications.0005_days": BEFORE_THE_FIRST_RELEASE,
    "audit.0002_verb_and_actor": BEFORE_THE_FIRST_RELEASE,
    "screening.0001_counters": BEFORE_THE_FIRST_RELEASE,
    "staff.0002_cache": BEFORE_THE_FIRST_RELEASE,
}
"""Migrations that a person has looked at, and why they may be. Not a place for new ones that lock or take away."""

HARMLESS = (
    operations.CreateModel,
    operations.RemoveIndex,
    operations.RenameIndex,
    operations.AlterModelOptions,
    operations.AlterModelManagers,
    AddIndexWhileInUse,
)
SEEN_BY_PYTHON_ONLY = {
    "choices",
    "help_text",
    "validators",
    "verbose_name",
    "default",
    "editable",
    "blank",
    "related_name",
}
TAKES_AWAY = {
    "RemoveField": "takes away a column that the running version still reads",
    "DeleteModel": "takes away a table that the running version still reads",
    "RenameField": "renames a column that the running version still reads",
    "RenameModel": "renames a table that the running version still reads",
    "AlterModelTable": "renames a table that the running version still reads",
    "RemoveConstraint": "removes a constraint that the running version may lean on (ON CONFLICT)",
}


def objections() -> list[str]:
    """Return a sentence for each thing that the running version would not survive, in migrations of ours."""
    loader = MigrationLoader(None)
    found = []
    for key in sorted(key for key in loader.disk_migrations if _is_ours(loader.disk_migrations[key])):
        name, migration = ".".join(key), loader.disk_migrations[key]
        if name not in EXAMINED:
            found += [f"{name} {why}." for why in of_migration(migration, loader.project_state(key, at_end=False))]
    return found


def _is_ours(migration: Migration) -> bool:
    return type(migration).__module__.startswith("foyer.")


def of_migration(migration: Migration, before: ProjectState) -> Iterator[str]:
    """Yield what the running version would not survive; `before` is how the tables are without it."""
    state, new = before.clone(), set()
    for operation in migration.operations:
        if isinstance(operation, AddIndexWhileInUse) and (migration.atomic or len(migration.operations) > 1):
            yield "needs `atomic = False`, and AddIndexWhileInUse alone in it"
        model = str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower()
        if model not in new:  # Nobody uses a table that is made here.
            yield from _of_operation(operation, migration.app_label, state)
        if isinstance(operation, operations.CreateModel):
            new.add(model)
        operation.state_forwards(migration.app_label, state)


def _of_operation(operation: Operation, app: str, state: ProjectState) -> Iterator[str]:
    kind = type(operation).__name__
    if isinstance(operation, HARMLESS):
        return
    if kind in TAKES_AWAY:
        yield f"{TAKES_AWAY[kind]} ({operation.describe()})"
    elif isinstance(operation, operations.AddField):
        if not _may_be_left_out(operation.field):
            yield f"adds {operation.name}, without which the running version writes rows: give it null or db_default"
        if operation.field.unique or getattr(operation.field, "db_index", False):
            yield f"makes an index with {operation.name} while nobody can write: add it by AddIndexWhileInUse"
    elif isinstance(operation, operations.AlterField):
        before = state.models[app, operation.model_name_lower].fields[operation.name]
        yield from _of_change(operation.name, before, operation.field)
    elif isinstance(operation, operations.AddIndex):
        yield f"makes an index while nobody can write ({operation.describe()}): use AddIndexWhileInUse"
    else:
        yield f"has {kind}: a person must read it, and name it in dev/survivable.py with a reason"


def _may_be_left_out(field: Field[Any, Any]) -> bool:
    return field.null or field.db_default is not NOT_PROVIDED or isinstance(field, ManyToManyField)


def _of_change(name: str, before: Field[Any, Any], after: Field[Any, Any]) -> Iterator[str]:
    """A column may become wider: null allowed, longer, with a db_default."""
    old, new = _facts(before), _facts(after)
    changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)} - SEEN_BY_PYTHON_ONLY
    if after.null and not before.null:
        changed.discard("null")
    if "max_length" in changed and (after.max_length or 0) > (before.max_length or 0):
        changed.discard("max_length")
    if after.db_default is not NOT_PROVIDED:
        changed.discard("db_default")
    if changed:
        yield f"changes {name} ({', '.join(sorted(changed))}) under the running version: add another column instead"


def _facts(field: Field[Any, Any]) -> dict[str, Any]:
    _name, path, _arguments, keywords = field.deconstruct()
    return {**keywords, "type": path}
