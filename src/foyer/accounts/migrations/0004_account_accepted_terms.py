from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("accounts", "0003_localpart"),)

    operations = (
        migrations.AddField(
            model_name="account",
            name="accepted_terms",
            field=models.BooleanField(db_default=False, default=False),
        ),
    )
