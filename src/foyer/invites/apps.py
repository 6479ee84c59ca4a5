"""Registers the jobs of this room when Django starts."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class InvitesConfig(AppConfig):
    """The app `invites`."""

    name = "foyer.invites"

    def ready(self) -> None:
        """Import the handlers, so that every process knows which jobs there are."""
        importlib.import_module("foyer.invites.jobs")
