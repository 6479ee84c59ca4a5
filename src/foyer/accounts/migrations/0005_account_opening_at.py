from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("accounts", "0004_account_accepted_terms"),)

    operations = (
        migrations.AddField(
            model_name="account",
            name="opening_at",
            field=models.DateTimeField(null=True),
        ),
    )
