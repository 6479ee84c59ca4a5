"""Indexes for the history by what happened, and by who did it."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_tables")]
    operations = [
        migrations.AddIndex("event", models.Index(fields=["verb", "id"], name="audit_verb")),
        migrations.AddIndex(
            "event",
            models.Index(fields=["actor", "id"], condition=~Q(actor="person") & ~Q(actor="job"), name="audit_actor"),
        ),
    ]
