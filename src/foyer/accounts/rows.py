"""Where an attempt gets its row: a new one, or that of an account of ours that nobody can use."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from foyer.accounts.models import Account, State
from foyer.names import services as names

TO_BE_TAKEN_UP = (State.SHELVED, State.HELD)
UNSETTLED = (State.CREATING, State.UNKNOWN)


def is_ours_to_fill(localpart: str) -> bool:
    """Say whether there is an account of this name that whoever has the name may take up."""
    return Account.objects.filter(localpart=localpart, state__in=TO_BE_TAKEN_UP).exists()


def is_unsettled(localpart: str) -> bool:
    """Say whether it is not known yet what became of an attempt at this name."""
    return Account.objects.filter(localpart=localpart, state__in=UNSETTLED).exists()


def take_up(localpart: str, ip: str | None) -> Account:
    """Return the row of an attempt that begins.

    Call in the transaction that claims the name, else somebody's held account is taken from them.

    Raises:
        NameHeld: there is somebody else's attempt, or account, of that name.
    """
    there = Account.objects.filter(localpart=localpart, state__in=TO_BE_TAKEN_UP)
    if there.update(state=State.CREATING, is_shell=True, ip=ip, absent_at=None, settled_at=None, reason=""):
        return Account.objects.get(localpart=localpart, state=State.CREATING)
    try:
        with transaction.atomic():
            return Account.objects.create(localpart=localpart, ip=ip)
    except IntegrityError:
        raise names.NameHeld from None
