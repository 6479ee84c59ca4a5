"""Registers the mail and the jobs of this room when Django starts."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class InvitesConfig(AppConfig):
    """The app `invites`."""

    name = "foyer.invites"

    def ready(self) -> None:
        """Import the jobs and the renderer, so that every process can owe the deeds and put the mail into words."""
        importlib.import_module("foyer.invites.jobs")
        importlib.import_module("foyer.invites.mailing")
