"""The figures of each day, and an index to count decisions by."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("applications", "0004_mailed")]
    operations = [
        migrations.CreateModel(
            name="Day",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("by_request", models.PositiveIntegerField(default=0)),
                ("by_invitation", models.PositiveIntegerField(default=0)),
                ("approved", models.PositiveIntegerField(default=0)),
                ("denied", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.AddIndex(
            "application",
            models.Index(
                fields=["decision", "decided_at"],
                condition=Q(decided_at__isnull=False),
                name="applications_decisions",
            ),
        ),
    ]
