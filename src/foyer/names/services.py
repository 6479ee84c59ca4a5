"""Claiming and releasing names, always inside the caller's transaction."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from foyer.kit.clock import now
from foyer.kit.refusal import Refusal
from foyer.names.models import Claim
from foyer.names.statements import CLAIM, HOLDER


class NameHeld(Refusal):
    """Somebody else has claimed this name here."""

    code = "name-taken"
    field = "username"
    sentence = _("This user name is taken. Choose another one.")


def claim(localpart: str, *, holder: str, until: datetime | None = None, unless: str = "") -> str:
    """Take a name for `holder`, and return who has it now. A claim that has run out gives way; one's own is renewed.

    `unless` keeps the name, and is who has it then, where it has it already: `holder` acts for it.

    Raises:
        NameHeld: somebody else has it.
    """
    moment = now()
    taken = CLAIM.values(localpart, holder, until, moment, unless or holder, unless or holder, then=(localpart,))
    if taken is None:
        raise NameHeld
    return str(taken[0])


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
    found = HOLDER.first(localpart, now())
    return None if found is None else found.holder
