"""Registers the mail of this room when Django starts."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class InvitesConfig(AppConfig):
    """The app `invites`."""

    name = "foyer.invites"

    def ready(self) -> None:
        """Import the renderer, so that every process can put the mail into words."""
        importlib.import_module("foyer.invites.mailing")
