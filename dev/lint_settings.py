"""Django's settings for tools that only read the code, as mypy's plugin does: the product's, with made-up values."""

from __future__ import annotations

import os

os.environ.setdefault("FOYER_SERVER_NAME", "example.org")
os.environ.setdefault("FOYER_PUBLIC_URL", "https://join.example.org")
os.environ.setdefault("FOYER_HOMESERVER__URL", "http://127.0.0.1:8008")
os.environ.setdefault("FOYER_HOMESERVER__ADMIN_TOKEN", "none")
os.environ.setdefault("FOYER_SECRET_KEY", "none" * 16)
os.environ.setdefault("FOYER_DATABASE", "sqlite:///never-opened.sqlite3")

from foyer.config.django import *  # noqa: F403  (reads the configuration, so it comes last)
