"""Registers the mail and the jobs of this room when Django starts."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class InvitesConfig(AppConfig):
    """The app `invites`."""

    name = "foyer.invites"

    def ready(self) -> None:
        """Import the renderer and the jobs, so that every process can put the mail into words and owe the deeds."""
        importlib.import_module("foyer.invites.jobs")
        importlib.import_module("foyer.invites.mailing")
