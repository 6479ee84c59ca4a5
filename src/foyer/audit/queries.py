"""Reading the audit, the newest first. It is the longest table of all, and no page may take long."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from foyer.audit.models import Event
from foyer.audit.verbs import Verb
from foyer.kit.walking import SECONDS, walk

PAGE = 100
BATCH = 1000
SECONDS_FOR_A_FILE = 2.0
AT_THE_SAME_TIME = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events; what is empty does not matter. `verb` may be a whole verb or the part before the dot."""

    verb: str = ""
    actor: str = ""
    subject_kind: str = ""
    subject_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def verbs(self) -> list[str]:
        """Return the whole verbs."""
        if not self.verb or "." in self.verb:
            return [self.verb] if self.verb else []
        return [verb.value for verb in Verb if verb.startswith(f"{self.verb}.")]

    @property
    def actors(self) -> list[str]:
        """Return the actors. People type a name as they know it; the audit says what kind of actor it is, too."""
        return [self.actor, f"staff:{self.actor}", f"key:{self.actor}"] if self.actor else []


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, and the `before` of the next page; None at the end.

    `looked_to`: the time for one page was over here, and the next page goes on; None: nothing was missed.
    """

    events: list[Event]
    before: int | None
    looked_to: datetime | None = None


def page(wanted: Wanted, *, before: int | None = None, size: int = PAGE, seconds: float = SECONDS) -> Page:
    """Return a page. `seconds`: how long the table is looked through where no index has the answer."""
    parts = _by_an_index(wanted)
    if parts is not None:
        each = [part.order_by("-id").values_list("id", flat=True) for part in parts]
        if before is not None:
            each = [part.filter(id__lt=before) for part in each]
        merged = heapq.merge(*(part[: size + 1] for part in each), reverse=True)
        ids = list(itertools.islice(merged, size + 1))
        events = list(Event.objects.filter(id__in=ids[:size]).order_by("-id"))
        return Page(events, ids[size - 1] if len(ids) > size else None)
    return _looked_through(wanted, before, size, seconds)


def each(wanted: Wanted) -> Iterator[Event]:
    """Yield all of them, some at a time: a table of any length fits, and nothing is held while somebody reads."""
    before: int | None = None
    while True:
        some = page(wanted, before=before, size=BATCH, seconds=SECONDS_FOR_A_FILE)
        yield from some.events
        if (before := some.before) is None:
            return


def _by_an_index(wanted: Wanted) -> list[QuerySet[Event]] | None:
    """Return questions that an index answers in the order of the numbers, and whose answers make up the whole."""
    given = {name for name in Wanted.__dataclass_fields__ if getattr(wanted, name)}
    if given == {"verb"}:
        return [Event.objects.filter(verb=verb) for verb in wanted.verbs]
    if given == {"actor"}:
        # The exclusion is that of the index; who is excluded has done so much that the newest of it is near.
        rare = Event.objects.exclude(actor="person").exclude(actor="job")
        return [(Event.objects if actor in ("person", "job") else rare).filter(actor=actor) for actor in wanted.actors]
    if given == {"subject_kind", "subject_id"}:
        return [Event.objects.filter(subject_kind=wanted.subject_kind, subject_id=wanted.subject_id)]
    return None if given else [Event.objects.all()]


def _looked_through(wanted: Wanted, before: int | None, size: int, seconds: float) -> Page:
    rows, (low, high) = _wanted(wanted), _span(wanted)
    walked = walk(
        lambda low, high, most: list(rows.filter(id__gte=low, id__lt=high).order_by("-id")[:most]),
        number_of=lambda event: event.id,
        begin=high if before is None else min(before, high),
        end=low,
        wanted=size,
        seconds=seconds,
    )
    last = None
    if walked.is_cut:
        last = Event.objects.filter(id__gte=walked.before).order_by("id").values_list("at", flat=True).first()
    return Page(walked.found, walked.before, last)


def _span(wanted: Wanted) -> tuple[int, int]:
    """Return between which numbers, the upper one excluded, all wanted events are.

    Numbers rise with time, but for those that were given at the same moment.
    """
    numbers = Event.objects.values_list("id", flat=True)
    low, high = 0, 1 + (numbers.order_by("-id").first() or 0)
    if wanted.since is not None:
        first = numbers.filter(at__gte=wanted.since).order_by("at").first()
        low = high if first is None else first - AT_THE_SAME_TIME
    if wanted.until is not None:
        first = numbers.filter(at__gte=wanted.until).order_by("at").first()
        high = high if first is None else min(high, first + AT_THE_SAME_TIME)
    return max(low, numbers.order_by("id").first() or 0), high


def _wanted(wanted: Wanted) -> QuerySet[Event]:
    rows = Event.objects.all()
    if wanted.verb:
        rows = rows.filter(verb__in=wanted.verbs)
    if wanted.actor:
        rows = rows.filter(actor__in=wanted.actors)
    if wanted.subject_kind:
        rows = rows.filter(subject_kind=wanted.subject_kind)
    if wanted.subject_id:
        rows = rows.filter(subject_id=wanted.subject_id)
    if wanted.since is not None:
        rows = rows.filter(at__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(at__lt=wanted.until)
    return rows
