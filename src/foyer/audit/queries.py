"""Reading the audit, the newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from foyer.audit.models import Event

PAGE = 100
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events; what is empty does not matter. `verb` may be a whole verb or the part before the dot."""

    verb: str = ""
    actor: str = ""
    subject_kind: str = ""
    subject_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


def page(wanted: Wanted, *, before: int | None = None, size: int = PAGE) -> tuple[list[Event], int | None]:
    """Return a page and the `before` of the next one; None at the end."""
    rows = _wanted(wanted)
    if before is not None:
        rows = rows.filter(id__lt=before)
    found = list(rows.order_by("-id")[: size + 1])
    return found[:size], found[size - 1].pk if len(found) > size else None


def each(wanted: Wanted) -> Iterator[Event]:
    """Yield all of them, some at a time: a table of any length fits, and nothing is held while somebody reads."""
    before: int | None = None
    while True:
        batch, before = page(wanted, before=before, size=BATCH)
        yield from batch
        if before is None:
            return


def _wanted(wanted: Wanted) -> QuerySet[Event]:
    rows = Event.objects.all()
    if wanted.verb:
        whole = {"verb": wanted.verb} if "." in wanted.verb else {"verb__startswith": f"{wanted.verb}."}
        rows = rows.filter(**whole)
    if wanted.actor:
        # People type a name as they know it; the audit says what kind of actor it is, too.
        rows = rows.filter(actor__in=[wanted.actor, f"staff:{wanted.actor}", f"key:{wanted.actor}"])
    if wanted.subject_kind:
        rows = rows.filter(subject_kind=wanted.subject_kind)
    if wanted.subject_id:
        rows = rows.filter(subject_id=wanted.subject_id)
    if wanted.since is not None:
        rows = rows.filter(at__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(at__lt=wanted.until)
    return rows
