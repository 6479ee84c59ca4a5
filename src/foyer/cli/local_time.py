"""Times as the person at this terminal reads clocks.

Django sets the process's time zone to UTC, so what it was is kept here, before. `dispatch` imports this first.
"""

from __future__ import annotations

import functools
import os
from datetime import UTC, datetime, tzinfo
from pathlib import Path

_NAMED = os.environ.get("TZ", "").removeprefix(":")
_SYSTEM = Path("/etc/localtime")


@functools.cache
def zone() -> tzinfo:
    """Return the time zone of this terminal: $TZ, or the system's."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        if _NAMED:
            return ZoneInfo(_NAMED)
        with _SYSTEM.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return UTC


def shown(moment: datetime | None, *, never: str = "") -> str:
    """Return an instant as `2027-01-31 18:00 CET`."""
    return never if moment is None else f"{moment.astimezone(zone()):%Y-%m-%d %H:%M %Z}"


def iso(moment: datetime | None) -> str | None:
    """Return an instant for programs: `2027-01-31T17:00:00Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
