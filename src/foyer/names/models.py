"""Claims on localparts."""

from __future__ import annotations

from django.db import models

from foyer.kit.clock import now


class Claim(models.Model):
    """`holder` (such as `account:17`) has this name, for good or until `until`."""

    localpart = models.CharField(max_length=255, primary_key=True)
    holder = models.CharField(max_length=64)
    until = models.DateTimeField(null=True)
    at = models.DateTimeField(default=now)

    class Meta:
        indexes = (models.Index(fields=["holder"], name="names_holder"),)

    def __str__(self) -> str:
        """Return who holds what."""
        return f"{self.localpart}: {self.holder}"
