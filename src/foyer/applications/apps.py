"""Registers the jobs and the messages of this room when Django starts."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class ApplicationsConfig(AppConfig):
    """The app `applications`."""

    name = "foyer.applications"

    def ready(self) -> None:
        """Import the handlers and the renderers, so that every process knows them."""
        importlib.import_module("foyer.applications.jobs")
        importlib.import_module("foyer.applications.mailing")
