"""The figures of the overview. Each is one question to the tables, by an index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import Count, F, Q
from django.db.models.functions import TruncDate

from foyer.applications.models import Application, Decision, State
from foyer.audit.models import Event
from foyer.audit.verbs import Verb
from foyer.invites.models import Invite
from foyer.kit.clock import now
from foyer.web.desk.door import Me

DAYS = 30
SOON = timedelta(days=7)
MOST_INVITES = 5


@dataclass(frozen=True, slots=True)
class Day:
    """How many came in on one day (UTC): by a request, and by an invitation."""

    day: date
    by_request: int = 0
    by_invitation: int = 0

    @property
    def all(self) -> int:
        """Return how many came in."""
        return self.by_request + self.by_invitation


def sign_ups() -> list[Day]:
    """Return the last `DAYS` days, today at the end."""
    today = now().astimezone(UTC).date()
    first = today - timedelta(days=DAYS - 1)
    since = datetime(first.year, first.month, first.day, tzinfo=UTC)
    opened = Event.objects.filter(
        at__gte=since, verb__in=[Verb.ACCOUNT_OPENED, Verb.ACCOUNT_SETTLED_BY_PRESENCE]
    ).annotate(day=TruncDate("at", tzinfo=UTC))
    everybody = dict(opened.order_by().values_list("day").annotate(Count("subject_id", distinct=True)))
    done = Event.objects.filter(at__gte=since, verb=Verb.APPLICATION_DONE).annotate(day=TruncDate("at", tzinfo=UTC))
    requests = dict(done.order_by().values_list("day").annotate(Count("subject_id", distinct=True)))
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return [_day(day, everybody.get(day, 0), requests.get(day, 0)) for day in days]


def _day(day: date, everybody: int, by_request: int) -> Day:
    # Who joins by the link of an approved request may be noted as done a day later.
    return Day(day, by_request, max(0, everybody - by_request))


@dataclass(frozen=True, slots=True)
class Decisions:
    """What was decided in the last `DAYS` days."""

    approved: int
    denied: int


def decided() -> Decisions:
    """Count them."""
    lately = Application.objects.filter(decided_at__gt=now() - timedelta(days=DAYS))
    found = lately.aggregate(
        approved=Count("id", filter=Q(decision=Decision.APPROVE)), denied=Count("id", filter=Q(decision=Decision.DENY))
    )
    return Decisions(found["approved"], found["denied"])


def oldest_waiting() -> datetime | None:
    """Return since when the one that waits longest does."""
    waiting = Application.objects.filter(state=State.WAITING).order_by("submitted_at", "id")
    return waiting.values_list("submitted_at", flat=True).first()


@dataclass(frozen=True, slots=True)
class Ending:
    """An invitation that is about to run out. `left`: uses; None: no limit."""

    title: str
    left: int | None
    limit: int | None
    expires_at: datetime | None


def ending(me: Me) -> list[Ending]:
    """Return live invitations that end soon, or with one use left of several; a moderator's own, or all for admins."""
    moment = now()
    live = Invite.objects.filter(Q(expires_at=None) | Q(expires_at__gt=moment), revoked_at=None).filter(
        Q(uses_limit=None) | Q(uses_limit__gt=F("used"))
    )
    if not me.is_admin:
        live = live.filter(created_by=str(me.actor))
    # The links of approved requests end by themselves, and are nobody's to renew.
    ours = live.exclude(label__startswith="application:")
    soon = Q(expires_at__lt=moment + SOON) | Q(uses_limit__gt=1, uses_limit=F("used") + 1)
    found = ours.filter(soon).order_by(F("expires_at").asc(nulls_last=True), "id")[:MOST_INVITES]
    return [Ending(it.label or it.code, it.uses_left, it.uses_limit, it.expires_at) for it in found]
