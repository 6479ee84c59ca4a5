"""Reading what is owed."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Min

from foyer.jobs.models import Job
from foyer.jobs.registry import LANES
from foyer.kit.clock import now


@dataclass(frozen=True, slots=True)
class Owed:
    """How many jobs wait in each lane, how many were given up, and since when the oldest is due."""

    by_lane: dict[str, int]
    given_up: int
    oldest_seconds: float


def owed() -> Owed:
    """Return what there is to do."""
    waiting = Job.objects.filter(gave_up_at=None)
    counted = dict(waiting.order_by().values_list("lane").annotate(Count("id")))
    oldest = waiting.aggregate(at=Min("next_attempt_at"))["at"]
    return Owed(
        by_lane={**dict.fromkeys(LANES, 0), **counted},
        given_up=Job.objects.exclude(gave_up_at=None).count(),
        oldest_seconds=max(0.0, (now() - oldest).total_seconds()) if oldest else 0.0,
    )


def given_up(*, before: int | None = None, limit: int = 50) -> list[Job]:
    """Return the jobs that were given up, the newest first; `before` is the id that the last page ended with."""
    rows = Job.objects.exclude(gave_up_at=None)
    if before is not None:
        rows = rows.filter(id__lt=before)
    return list(rows.order_by("-id")[:limit])
