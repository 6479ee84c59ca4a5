from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("accounts", "0004_account_accepted_terms"),)

    operations = (
        migrations.AddField(
            model_name="account",
            name="unsure_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="account",
            name="unsure_for",
            field=models.CharField(db_default="", default="", max_length=64),
        ),
    )
