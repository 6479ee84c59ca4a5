"""Stands in for Django's own command of this name, which leaves nothing in the audit."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Points at the command that does it."""

    help = "Use `foyer staff reset-password NAME`."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django's signature
        """Say which command to use.

        Raises:
            CommandError: always.
        """
        raise CommandError("Use `foyer staff reset-password NAME`: it keeps the audit.")
