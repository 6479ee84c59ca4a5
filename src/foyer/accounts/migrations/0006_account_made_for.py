from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

from foyer.config.migrating import AddIndexWhileInUse


class Migration(migrations.Migration):
    atomic = False
    dependencies = (("accounts", "0005_account_unsure"),)

    operations = (
        AddIndexWhileInUse(
            model_name="account",
            index=models.Index(fields=["made_for"], condition=~Q(made_for=""), name="accounts_made_for"),
        ),
    )
