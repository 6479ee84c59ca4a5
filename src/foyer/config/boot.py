"""The one place that makes a process ready: configuration read, Django set up."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foyer.config.schema import Config


def boot() -> Config:
    """Read the configuration (FOYER_CONFIG, or the usual places) and set Django up. Doing it again changes nothing.

    Raises:
        ConfigError: it is missing or wrong, or the folder of the SQLite database is.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "foyer.config.django")
    import django  # after the environment is set, and not at all for commands that do without

    from foyer.config import current

    config = current()
    django.setup()
    return config
