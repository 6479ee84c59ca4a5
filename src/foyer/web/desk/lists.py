"""What the lists of the desk share: how a page is turned, and how an end is typed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from django.http import HttpRequest

from foyer.web.desk import frame

MOST_WORDS = 100
A_DAY = timedelta(days=1)


def before_of(request: HttpRequest) -> int | None:
    """Return where the page begins that is asked for; None: at the newest."""
    found = frame.numbers(request.GET.get("before", ""), most=1)
    return found[0] if found else None


def following(before: int | None, **parameters: str) -> str:
    """Return the query of the next page; empty at the end."""
    return query({**parameters, "before": str(before)}) if before is not None else ""


def query(parameters: Mapping[str, str]) -> str:
    """Return `?a=b`; what is empty is left out."""
    kept = {name: value for name, value in parameters.items() if value}
    return f"?{urlencode(kept)}" if kept else ""


def end_of_day(text: str) -> datetime | None:
    """Return the last second of a day as a form sends it, in UTC; None where nothing was typed.

    Raises:
        ValueError: it is no day.
    """
    if not text.strip():
        return None
    return datetime.combine(date.fromisoformat(text.strip()), time(23, 59, 59), tzinfo=UTC)


def day_after(text: str) -> datetime | None:
    """Return the moment a day is over.

    Raises:
        ValueError: it is no day.
    """
    end = end_of_day(text)
    return None if end is None else end + timedelta(seconds=1)


def day_of(at: datetime | None) -> str:
    """Return a moment as a field for a day has it."""
    return at.astimezone(UTC).date().isoformat() if at is not None else ""
