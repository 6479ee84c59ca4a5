"""What happened on each day, for the overview: days that are over are counted once, by a job, and kept."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count, QuerySet

from foyer.applications.models import Application, Day, Decision
from foyer.audit.models import Event
from foyer.audit.queries import AT_THE_SAME_TIME
from foyer.audit.verbs import Verb
from foyer.kit.clock import now

DAYS = 30
A_DAY = timedelta(days=1)
MIDNIGHT = time(0, tzinfo=UTC)
DECISIONS = (Decision.APPROVE, Decision.DENY)
VERBS = (Verb.ACCOUNT_OPENED, Verb.ACCOUNT_SETTLED_BY_PRESENCE, Verb.APPLICATION_DONE)
SETTLED_AFTER = timedelta(hours=1)
"""What a transaction noted that began before midnight is there by then."""


def lately() -> list[Day]:
    """Return the last `DAYS` days (UTC), today at the end. What is not kept yet is counted now."""
    today = now().astimezone(UTC).date()
    wanted = [today - number * A_DAY for number in reversed(range(DAYS))]
    kept = Day.objects.in_bulk(wanted)
    return [kept.get(day) or count(day) for day in wanted]


def keep() -> int:
    """Keep the days that are over and not kept yet; return how many."""
    last = (now() - SETTLED_AFTER).astimezone(UTC).date() - A_DAY
    wanted = [last - number * A_DAY for number in range(DAYS - 1)]
    known = Day.objects.in_bulk(wanted)
    fresh = [day for day in wanted if day not in known]
    Day.objects.bulk_create((count(day) for day in fresh), ignore_conflicts=True)
    return len(fresh)


def count(day: date) -> Day:
    """Return the figures of a day from the tables: by indexes alone, however much happened in it."""
    begin, end = datetime.combine(day, MIDNIGHT), datetime.combine(day + A_DAY, MIDNIGHT)
    decided = Application.objects.filter(decision__in=DECISIONS, decided_at__gte=begin, decided_at__lt=end)
    decisions = dict(decided.order_by().values_list("decision").annotate(number=Count("*")))
    happened = _between(begin, end)
    by_request = happened.pop(Verb.APPLICATION_DONE, 0)
    return Day(
        day=day,
        by_request=by_request,
        # Who joins by the link of an approved request may be noted as done a day later.
        by_invitation=max(0, sum(happened.values()) - by_request),
        approved=decisions.get(Decision.APPROVE, 0),
        denied=decisions.get(Decision.DENY, 0),
    )


def _between(begin: datetime, end: datetime) -> Counter[str]:
    """Count accounts and requests from one moment to the other, by the index of verbs and numbers.

    Numbers rise with time, so rows are only looked at near the first and the last one.
    """
    first, after = _first_since(begin), _first_since(end)
    if first is None:
        return Counter()
    if after is None:
        after = 1 + (Event.objects.order_by("-id").values_list("id", flat=True).first() or first)
    low, high = first - AT_THE_SAME_TIME, after + AT_THE_SAME_TIME
    sure = range(first + AT_THE_SAME_TIME, after - AT_THE_SAME_TIME)
    meant = Event.objects.filter(at__gte=begin, at__lt=end)
    if not sure:
        return _by_verb(meant.filter(id__gte=low, id__lt=high))
    edges = (meant.filter(id__gte=low, id__lt=sure.start), meant.filter(id__gte=sure.stop, id__lt=high))
    between = Event.objects.filter(id__gte=sure.start, id__lt=sure.stop)
    return sum((_by_verb(rows) for rows in (*edges, between)), Counter())


def _first_since(moment: datetime) -> int | None:
    return Event.objects.filter(at__gte=moment).order_by("at").values_list("id", flat=True).first()


def _by_verb(events: QuerySet[Event]) -> Counter[str]:
    counted = events.filter(verb__in=VERBS).order_by().values_list("verb")
    return Counter(dict(counted.annotate(number=Count("*"))))
