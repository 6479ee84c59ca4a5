"""What was mailed to whom within a day, as keyed digests."""

from django.db import migrations, models

import foyer.kit.clock


class Migration(migrations.Migration):
    dependencies = [("applications", "0003_localpart_index")]
    operations = [
        migrations.CreateModel(
            name="Mailed",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("box", models.CharField(max_length=64)),
                ("client", models.CharField(default="", max_length=64)),
                ("at", models.DateTimeField(default=foyer.kit.clock.now)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["box", "at"], name="applications_mailed_box"),
                    models.Index(fields=["at"], name="applications_mailed_at"),
                ],
            },
        ),
    ]
