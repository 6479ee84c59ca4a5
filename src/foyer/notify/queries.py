"""Reading the record of deliveries."""

from __future__ import annotations

from django.db.models import Count

from foyer.notify.models import Delivery, State


def about(subject: str) -> list[Delivery]:
    """Return every delivery about a subject (`application:17`), the oldest first."""
    return list(Delivery.objects.filter(subject=subject).order_by("id"))


def failed(*, before: int | None = None, limit: int = 50) -> list[Delivery]:
    """Return what was refused or given up, the newest first; `before` is the id that the last page ended with."""
    rows = Delivery.objects.filter(state__in=[State.REFUSED, State.GAVE_UP])
    if before is not None:
        rows = rows.filter(id__lt=before)
    return list(rows.order_by("-id")[:limit])


def counts() -> dict[str, int]:
    """Return how many deliveries there are in each state."""
    counted = dict(Delivery.objects.order_by().values_list("state").annotate(Count("id")))
    return {state.value: counted.get(state.value, 0) for state in State}


def is_owed(kind: str, subject: str) -> bool:
    """Say whether a message of this kind about this subject (whatever the detail) is still to be sent."""
    return Delivery.objects.filter(kind=kind, subject=subject, state=State.OWED).exists()
