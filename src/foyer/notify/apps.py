"""Registers the jobs of this room when Django starts."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class NotifyConfig(AppConfig):
    """The app `notify`."""

    name = "foyer.notify"

    def ready(self) -> None:
        """Import the handlers, so that every process knows which jobs there are."""
        importlib.import_module("foyer.notify.jobs")
