"""The settings of that version."""

from __future__ import annotations

from foyer.config.django import *  # noqa: F403

MIGRATION_MODULES = {"names": "tests.cli.later.names"}
