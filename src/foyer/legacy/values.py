"""The values of the predecessor's tokens: moments without a zone, and 0 for "any number".

Moments without a zone are UTC, coming in and going out. The predecessor meant its server's local time, which changes
with the machine and twice a year.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

LARGEST = 2**31 - 1


class BadDate(ValueError):
    """This is no moment."""


class BadValue(ValueError):
    """This is no value for the property `name`."""

    def __init__(self, name: str, wanted: str) -> None:
        super().__init__(f"{name} must be {wanted}")


def read_moment(value: Any) -> datetime | None:
    """Return the instant that an ISO 8601 text names; None for null.

    Raises:
        BadDate
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadDate
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadDate from None


def show_moment(moment: datetime | None) -> str | None:
    """Return `2030-01-01 00:00:00`, or None."""
    return None if moment is None else str(moment.astimezone(UTC).replace(tzinfo=None))


def read_count(name: str, value: Any) -> int:
    """Return a number of uses. True is 1 and False 0, as 0.9 took them from scripts written for 0.7.

    Raises:
        BadValue
    """
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise BadValue(name, f"a whole number from 0 to {LARGEST}")
    return int(value)


def read_limit(value: Any) -> int | None:
    """Return `max_usage` as our limit: None for 0, which means any number.

    Raises:
        BadValue
    """
    return None if value is None else read_count("max_usage", value) or None


def show_limit(limit: int | None) -> int:
    """Return our limit as `max_usage`. A limit of 0, which lets nobody in, is its -1."""
    if limit is None:
        return 0
    return limit or -1


def read_flag(name: str, value: Any) -> bool:
    """Return true or false.

    Raises:
        BadValue
    """
    if value not in (True, False) or isinstance(value, float):
        raise BadValue(name, "true or false")
    return bool(value)
