"""Where an attempt gets its row: a new one, or that of an account of ours that nobody can use."""

from __future__ import annotations

from datetime import timedelta

from foyer.accounts.models import Account, State
from foyer.accounts.statements import ADD, OF_NAME
from foyer.config import current
from foyer.kit.clock import now
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
    return account is not None and (account.state in UNSETTLED or is_being_opened(account))


def is_being_opened(account: Account) -> bool:
    """Say whether a request that takes the lock off may still be under way: nobody else may fill the account yet."""
    at = account.opening_at
    return account.state == State.HELD and at is not None and abs(now() - at) < longest_attempt()


def longest_attempt() -> timedelta:
    """Return how long one request can take over an account before it is surely dead."""
    return 3 * current().homeserver.timeout + timedelta(seconds=5)


def take_up(attempt: Account) -> Account:
    """Return the row of an attempt that begins: `attempt` itself, or an account that is there and takes after it.

    Call in the transaction that claims the name, else somebody's held account is taken from them.

    Raises:
        NameHeld: there is somebody else's attempt, or account, of that name.
    """
    if ADD(attempt):
        return attempt
    there = standing(attempt.localpart)
    if there is None or there.state not in TO_BE_TAKEN_UP or is_being_opened(there):
        raise names.NameHeld
    facts = {name: getattr(attempt, name) for name in OF_AN_ATTEMPT}
    facts |= {"is_shell": True, "absent_at": None, "settled_at": None, "opening_at": None, "reason": ""}
    same = Account.objects.filter(id=there.id, state__in=TO_BE_TAKEN_UP, opening_at=there.opening_at)
    if not same.update(state=State.CREATING, **facts):
        raise names.NameHeld
    return Account.objects.get(id=there.id)
