"""What happened on each day, for the overview: days that are over are counted once, by a job, and kept."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import CharField, Count
from django.db.models.functions import Cast, Left

from foyer.applications.models import Application, Day, Decision
from foyer.audit.models import Event
from foyer.audit.queries import AT_THE_SAME_TIME
from foyer.audit.verbs import Verb
from foyer.kit.clock import now

DAYS = 30
A_DAY = timedelta(days=1)
MIDNIGHT = time(0, tzinfo=UTC)
SETTLED_AFTER = timedelta(hours=1)
"""What a transaction noted that began before midnight is there by then."""


def lately() -> list[Day]:
    """Return the last `DAYS` days (UTC), today at the end. What is not kept yet is counted now."""
    today = now().astimezone(UTC).date()
    wanted = [today - number * A_DAY for number in reversed(range(DAYS))]
    kept = Day.objects.in_bulk(wanted)
    counted = count(min(day for day in wanted if day not in kept), today)
    return [kept.get(day) or counted[day] for day in wanted]


def keep() -> int:
    """Keep the days that are over and not kept yet; return how many."""
    last = (now() - SETTLED_AFTER).astimezone(UTC).date() - A_DAY
    wanted = [last - number * A_DAY for number in range(DAYS - 1)]
    known = Day.objects.in_bulk(wanted)
    fresh = [day for day in wanted if day not in known]
    # A day at a time: a first start among a million events leaves room for others between them.
    Day.objects.bulk_create((count(day, day)[day] for day in fresh), ignore_conflicts=True)
    return len(fresh)


def count(first: date, last: date) -> dict[date, Day]:
    """Return the figures of each day from `first` to `last`, from the tables, with a question or two to each."""
    begin, end = datetime.combine(first, MIDNIGHT), datetime.combine(last + A_DAY, MIDNIGHT)
    decided = Application.objects.filter(decided_at__gte=begin, decided_at__lt=end).order_by()
    by_day = decided.annotate(on=_day_of("decided_at")).values_list("on", "decision")
    decisions = {(on, decision): number for on, decision, number in by_day.annotate(Count("id"))}
    opened, by_request = _events(begin, end)
    days = [first + number * A_DAY for number in range((last - first).days + 1)]
    return {
        day: Day(
            day=day,
            by_request=by_request[str(day)],
            # Who joins by the link of an approved request may be noted as done a day later.
            by_invitation=max(0, opened[str(day)] - by_request[str(day)]),
            approved=decisions.get((str(day), Decision.APPROVE), 0),
            denied=decisions.get((str(day), Decision.DENY), 0),
        )
        for day in days
    }


def _events(begin: datetime, end: datetime) -> tuple[Counter[str], Counter[str]]:
    """Count accounts and requests by day: by the index of verbs, between the numbers at begin and end."""
    opened, by_request = Counter[str](), Counter[str]()
    low = _number_at(begin)
    if low is None:
        return opened, by_request
    verbs = [Verb.ACCOUNT_OPENED, Verb.ACCOUNT_SETTLED_BY_PRESENCE, Verb.APPLICATION_DONE]
    found = Event.objects.filter(verb__in=verbs, id__gte=low - AT_THE_SAME_TIME, at__gte=begin, at__lt=end)
    if (high := _number_at(end)) is not None:
        found = found.filter(id__lt=high + AT_THE_SAME_TIME)
    by_day = found.order_by().annotate(on=_day_of("at")).values_list("on", "verb")
    for on, verb, number in by_day.annotate(Count("id")):
        (by_request if verb == Verb.APPLICATION_DONE else opened)[on] += number
    return opened, by_request


def _day_of(column: str) -> Left:
    """Return the day (UTC) of a moment as text. Django's TruncDate is a function of Python on SQLite: a slow one."""
    return Left(Cast(column, CharField()), len("2026-11-22"))


def _number_at(moment: datetime) -> int | None:
    return Event.objects.filter(at__gte=moment).order_by("at").values_list("id", flat=True).first()
