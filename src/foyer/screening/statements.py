"""What every attempt asks of the rules."""

from __future__ import annotations

from foyer.config.prepared import Statement
from foyer.screening.models import Rule

LIVE = Statement(
    Rule,
    "SELECT {columns} FROM {table} "
    "WHERE ended_at IS NULL AND about IN (%s, %s, %s, %s) AND (expires_at IS NULL OR expires_at > %s)",
)
"""The rules about up to four things (the last as often as needed) that hold at a moment, in no order."""
