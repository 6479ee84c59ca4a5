# ruff: noqa: N999 - Django's names for migrations
"""Something that shows whether a row came by."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import Value
from django.db.models.functions import Concat


def rename(apps: Any, schema_editor: Any) -> None:
    """Give every name an end."""
    claims = apps.get_model("names", "Claim").objects.using(schema_editor.connection.alias)
    claims.update(localpart=Concat("localpart", Value("-later")))


class Migration(migrations.Migration):
    """One more."""

    dependencies = (("names", "0001_tables"),)
    operations = (migrations.RunPython(rename, migrations.RunPython.noop),)
