"""One table that only ever grows."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from foyer.kit.clock import now


class Event(models.Model):
    """One thing that happened. `facts` never holds personal text: names are joined by id when read."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(default=now)
    verb = models.CharField(max_length=64)
    actor = models.CharField(max_length=150)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=64)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = (
            models.Index(fields=["subject_kind", "subject_id", "id"], name="audit_subject"),
            models.Index(fields=["at"], name="audit_at"),
            models.Index(fields=["verb", "id"], name="audit_verb"),
            # Newcomers and jobs do most, and nobody asks for all that they did.
            models.Index(fields=["actor", "id"], condition=~Q(actor="person") & ~Q(actor="job"), name="audit_actor"),
        )

    def __str__(self) -> str:
        """Return who did what."""
        return f"{self.actor} {self.verb} {self.subject_kind}:{self.subject_id}"
