"""The figures of the overview. Each is a question or two to the tables, by an index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q

from foyer.applications.models import Application, State
from foyer.invites.models import Invite
from foyer.kit.clock import now
from foyer.web.desk.door import Me

SOON = timedelta(days=7)
MOST_INVITES = 5


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
