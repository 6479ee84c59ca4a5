"""Durations as people write them: `90s`, `15m`, `12h`, `7d`, `2w`."""

from __future__ import annotations

import re
from datetime import timedelta

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
LONGEST = timedelta(days=36_500)
_FORM = re.compile(r"(\d{1,10})\s*([smhdw])")


def parse_duration(text: str) -> timedelta:
    """Return the length of time that `text` names.

    Raises:
        ValueError: it is not a whole number with one unit, or is longer than a hundred years.
    """
    match = _FORM.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError("a duration is a whole number and a unit: 90s, 15m, 12h, 7d or 2w")
    seconds = int(match[1]) * SECONDS[match[2]]
    if seconds > LONGEST.total_seconds():
        raise ValueError("a duration is at most a hundred years")
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """Return the shortest form that `parse_duration` reads back as the same whole seconds."""
    seconds = int(duration.total_seconds())
    for unit in ("d", "h", "m"):
        if seconds and seconds % SECONDS[unit] == 0:
            return f"{seconds // SECONDS[unit]}{unit}"
    return f"{seconds}s"
