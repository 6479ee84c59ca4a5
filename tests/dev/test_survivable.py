"""Migrations must be survived by the version that is still running."""

from __future__ import annotations

import pytest
from django.db import connection, migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from dev.survivable import objections, of_migration
from foyer.config.migrating import AddIndexWhileInUse


def test_every_migration_of_ours_is_survived_by_the_running_version() -> None:
    assert objections() == []


def said_of(*changes: Operation, atomic: bool = True) -> list[str]:
    before = ProjectState()
    migrations.CreateModel(
        "Guest",
        [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=10))],
        options={"constraints": [models.UniqueConstraint(fields=["name"], name="guest_once")]},
    ).state_forwards("door", before)
    kind = type("Migration", (migrations.Migration,), {"operations": list(changes), "atomic": atomic})
    return list(of_migration(kind("0002_change", "door"), before))


INDEX = models.Index(fields=["name"], name="guest_name")
LOCK = models.BooleanField


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (migrations.RemoveField("guest", "name"), "takes away a column"),
        (migrations.DeleteModel("Guest"), "takes away a table"),
        (migrations.RenameField("guest", "name", "called"), "renames a column"),
        (migrations.RenameModel("Guest", "Visitor"), "renames a table"),
        (migrations.AlterModelTable("guest", "guests"), "renames a table"),
        (migrations.RemoveConstraint("guest", "guest_once"), "removes a constraint"),
        (migrations.AddField("guest", "is_in", LOCK(default=False)), "give it null or db_default"),
        (migrations.AddField("guest", "key", models.CharField(max_length=9, null=True, unique=True)), "makes an index"),
        (migrations.AlterField("guest", "name", models.CharField(max_length=5)), "changes name (max_length)"),
        (migrations.AlterField("guest", "name", models.TextField()), "changes name (max_length, type)"),
        (migrations.AlterField("guest", "name", models.CharField(max_length=10, unique=True)), "changes name (unique)"),
        (migrations.AddIndex("guest", INDEX), "use AddIndexWhileInUse"),
        (AddIndexWhileInUse("guest", INDEX), "needs `atomic = False`"),
        (
            migrations.AddConstraint("guest", models.CheckConstraint(condition=models.Q(name="a"), name="a")),
            "a person must read it",
        ),
        (migrations.RunSQL("DROP TABLE door_guest"), "a person must read it"),
        (migrations.RunPython(migrations.RunPython.noop), "a person must read it"),
    ],
)
def test_what_the_running_version_would_not_survive_is_refused(change: Operation, words: str) -> None:
    (said,) = said_of(change)
    assert words in said


@pytest.mark.parametrize(
    "change",
    [
        migrations.AddField("guest", "is_in", LOCK(db_default=False, default=False)),
        migrations.AddField("guest", "since", models.DateTimeField(null=True)),
        migrations.AlterField("guest", "name", models.CharField(max_length=20)),
        migrations.AlterField("guest", "name", models.CharField(max_length=10, null=True)),
        migrations.AlterField("guest", "name", models.CharField(max_length=10, db_default="")),
        migrations.AlterField("guest", "name", models.CharField(max_length=10, choices=[("a", "A")])),
        migrations.CreateModel("Room", [("id", models.BigAutoField(primary_key=True))]),
    ],
)
def test_what_the_running_version_survives_passes(change: Operation) -> None:
    assert said_of(change) == []


def test_an_index_beside_the_writers_passes() -> None:
    assert said_of(AddIndexWhileInUse("guest", INDEX), atomic=False) == []


def test_a_table_that_is_made_here_may_be_changed_at_will() -> None:
    made = migrations.CreateModel(
        "Room", [("id", models.BigAutoField(primary_key=True)), ("no", models.IntegerField())]
    )

    assert said_of(made, migrations.AddIndex("room", models.Index(fields=["no"], name="room_no"))) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.database
def test_an_index_beside_the_writers_is_made_and_removed() -> None:
    change = AddIndexWhileInUse("invite", models.Index(fields=["label"], name="invites_try_label"))
    before = ProjectState()
    migrations.CreateModel(
        "Invite",
        [("id", models.BigAutoField(primary_key=True)), ("label", models.CharField(max_length=200))],
    ).state_forwards("invites", before)
    after = before.clone()
    change.state_forwards("invites", after)

    def names() -> set[str]:
        with connection.cursor() as cursor:
            return set(connection.introspection.get_constraints(cursor, "invites_invite"))

    with connection.schema_editor(atomic=False) as editor:
        change.database_forwards("invites", editor, before, after)
    assert "invites_try_label" in names()
    with connection.schema_editor(atomic=False) as editor:
        change.database_backwards("invites", editor, after, before)
    assert "invites_try_label" not in names()
