"""Where an attempt gets its row: a new one, or that of an account of ours that nobody can use."""

from __future__ import annotations

from foyer.accounts.models import Account, State
from foyer.accounts.statements import ADD, OF_NAME
from foyer.names import services as names

TO_BE_TAKEN_UP = (State.SHELVED, State.HELD)
UNSETTLED = (State.CREATING, State.UNKNOWN)
OF_AN_ATTEMPT = ("localpart", "begun_at", "rooms", "email", "accepted_terms", "made_for", "stays_locked", "ip")


def standing(localpart: str) -> Account | None:
    """Return the account of this name that is being made, exists, or is kept; refused attempts are over."""
    return OF_NAME.first(localpart)


def is_ours_to_fill(localpart: str) -> bool:
    """Say whether there is an account of this name that whoever has the name may take up."""
    account = standing(localpart)
    return account is not None and account.state in TO_BE_TAKEN_UP


def is_unsettled(localpart: str) -> bool:
    """Say whether it is not known yet what became of an attempt at this name."""
    account = standing(localpart)
    return account is not None and account.state in UNSETTLED


def take_up(attempt: Account) -> Account:
    """Return the row of an attempt that begins: `attempt` itself, or an account that is there and takes after it.

    Call in the transaction that claims the name, else somebody's held account is taken from them.

    Raises:
        NameHeld: there is somebody else's attempt, or account, of that name.
    """
    if ADD(attempt):
        return attempt
    there = Account.objects.filter(localpart=attempt.localpart, state__in=TO_BE_TAKEN_UP)
    facts = {name: getattr(attempt, name) for name in OF_AN_ATTEMPT}
    if not there.update(state=State.CREATING, is_shell=True, absent_at=None, settled_at=None, reason="", **facts):
        raise names.NameHeld
    return Account.objects.get(localpart=attempt.localpart, state=State.CREATING)
