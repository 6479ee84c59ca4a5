"""Claiming and releasing names, always inside the caller's transaction."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from foyer.kit.clock import now
from foyer.kit.refusal import Refusal
from foyer.names.models import Claim


class NameHeld(Refusal):
    """Somebody else has claimed this name here."""

    code = "name-taken"
    field = "username"
    sentence = _("This user name is taken. Choose another one.")


def claim(localpart: str, *, holder: str, until: datetime | None = None) -> None:
    """Take a name for `holder`. A claim that has run out gives way; one's own is renewed.

    Raises:
        NameHeld: somebody else has it.
    """
    moment = now()
    # INSERT … ON CONFLICT DO NOTHING: on PostgreSQL a plain failed INSERT would end the caller's transaction.
    Claim.objects.bulk_create(
        [Claim(localpart=localpart, holder=holder, until=until, at=moment)], ignore_conflicts=True
    )
    mine_or_over = Q(holder=holder) | Q(until__lte=moment)
    taken = Claim.objects.filter(mine_or_over, localpart=localpart).update(holder=holder, until=until, at=moment)
    if not taken:
        raise NameHeld


def keep(localpart: str, *, holder: str) -> None:
    """Make sure, until the transaction ends, that `holder` still has the name.

    Raises:
        NameHeld: it was released, and may be somebody else's.
    """
    if not Claim.objects.filter(localpart=localpart, holder=holder).update(at=now()):
        raise NameHeld


def release(localpart: str, *, holder: str) -> None:
    """Give a name back, if `holder` still has it."""
    Claim.objects.filter(localpart=localpart, holder=holder).delete()


def hand_over(localpart: str, *, holder: str, to: str) -> bool:
    """Let `to` have what `holder` has claimed, for good, without a moment in between. False: `holder` has it not."""
    mine = Claim.objects.filter(localpart=localpart, holder=holder)
    return mine.update(holder=to, until=None, at=now()) == 1


def holder_of(localpart: str) -> str | None:
    """Return who has a claim on the name at this moment."""
    live = Claim.objects.filter(Q(until__isnull=True) | Q(until__gt=now()), localpart=localpart)
    return live.values_list("holder", flat=True).first()


def is_held(localpart: str) -> bool:
    """Say whether anybody has a claim on the name at this moment."""
    return holder_of(localpart) is not None
