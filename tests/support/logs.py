"""Logging as the product's own, but no logger remembers it: what a test captures must not hang on who logged before."""

from __future__ import annotations

import structlog

from foyer.config import logging


def configure(settings: dict[str, str]) -> None:
    """Set up logging as the product does. Whoever starts Foyer within a test calls this once more."""
    logging.configure(settings)
    structlog.configure(cache_logger_on_first_use=False)
