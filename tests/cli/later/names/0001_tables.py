# ruff: noqa: N999 - Django's names for migrations
"""As it is now."""

from __future__ import annotations

import importlib

Migration = importlib.import_module("foyer.names.migrations.0001_tables").Migration
