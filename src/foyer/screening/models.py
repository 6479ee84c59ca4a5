"""The rules that moderators make about who is welcome."""

from __future__ import annotations

from django.db import models

from foyer.kit.clock import now


class About(models.TextChoices):
    """What of an attempt a rule looks at."""

    NAME = "name"
    EMAIL = "email"
    DOMAIN = "domain"
    NETWORK = "network"


class Effect(models.TextChoices):
    """What follows where a rule matches, the strongest first."""

    REFUSE = "refuse"
    HOLD = "hold"  # for a person to look at
    FLAG = "flag"


class Rule(models.Model):
    """One rule. `pattern` is what patterns.checked() returned. An ended one stays, so that it can be explained."""

    id = models.BigAutoField(primary_key=True)
    about = models.CharField(max_length=8, choices=About.choices)
    effect = models.CharField(max_length=8, choices=Effect.choices)
    pattern = models.CharField(max_length=300)
    comment = models.CharField(max_length=500, default="")  # for moderators; never shown to newcomers
    created_at = models.DateTimeField(default=now)
    created_by = models.CharField(max_length=150)
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["about", "id"], condition=models.Q(ended_at=None), name="screening_rules"),)

    def __str__(self) -> str:
        """Return what it does, without the pattern, which may be somebody's email."""
        return f"rule {self.pk}: {self.effect} by {self.about}"

    @property
    def is_live(self) -> bool:
        """Say whether it does anything at this moment."""
        return self.ended_at is None and (self.expires_at is None or self.expires_at > now())
