"""Jobs that are owed, and when the schedule is next due."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from foyer.kit.clock import now


class Job(models.Model):
    """One deed that is owed. The row goes when the deed is done; it stays, with `gave_up_at`, when nothing helps."""

    id = models.BigAutoField(primary_key=True)
    lane = models.CharField(max_length=16)
    kind = models.CharField(max_length=64)
    subject = models.CharField(max_length=300)
    created_at = models.DateTimeField(default=now)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=now)
    leased_until = models.DateTimeField(null=True)
    lease = models.CharField(max_length=32, default="")
    last_error = models.CharField(max_length=200, default="")
    gave_up_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            # Asking twice for the same deed owes it once.
            models.UniqueConstraint(fields=["kind", "subject"], condition=Q(gave_up_at=None), name="jobs_once"),
        )
        indexes = (
            models.Index(fields=["lane", "next_attempt_at", "id"], condition=Q(gave_up_at=None), name="jobs_due"),
        )

    def __str__(self) -> str:
        """Return what is owed to whom."""
        return f"{self.kind} {self.subject}"


class Schedule(models.Model):
    """When a deed of the schedule is next due."""

    name = models.CharField(max_length=64, primary_key=True)
    next_run_at = models.DateTimeField()

    def __str__(self) -> str:
        """Return the name and the time."""
        return f"{self.name} at {self.next_run_at}"
