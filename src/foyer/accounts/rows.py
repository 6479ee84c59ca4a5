"""Where an attempt gets its row: a new one, or that of an account of ours that nobody can use."""

from __future__ import annotations

from datetime import timedelta

from foyer.accounts.errors import NameResting
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


def is_unsettled(localpart: str, claimant: str = "") -> bool:
    """Say whether it is not known yet what became of an attempt at this name, or whether that may change yet."""
    account = standing(localpart)
    return account is not None and (account.state in UNSETTLED or is_unsure(account, claimant))


def is_unsure(account: Account, claimant: str = "") -> bool:
    """Say whether a request that sets its password, or takes its lock off, may still be on its way to the homeserver.

    Somebody else (not `claimant`) who filled the account now might find it another's. What is on its way for the
    same person harms nobody, except where the account waits for a yes.
    """
    until, moment = account.unsure_until, now()
    is_theirs = bool(claimant) and claimant == account.unsure_for and account.state != State.HELD
    return not is_theirs and until is not None and moment < until < moment + 2 * longest_journey()


def require_rested(localpart: str, *, claimant: str = "") -> None:
    """Return if nothing that somebody else (not `claimant`) has left of this name may still be under way.

    Raises:
        NameResting
    """
    there = standing(localpart)
    if there is not None and there.state in TO_BE_TAKEN_UP and is_unsure(there, claimant):
        raise NameResting


def hand_over(localpart: str, *, holder: str, to: str) -> None:
    """Let what `holder` has left of an account be that of `to`, who acts for the same person."""
    Account.objects.filter(localpart=localpart, unsure_for=holder).exclude(unsure_for="").update(unsure_for=to)


def longest_journey() -> timedelta:
    """Return how long after its beginning an attempt's last request can arrive at the homeserver, as far as we care.

    Proxies give a request up after a minute.
    """
    return longest_attempt() + timedelta(minutes=1)


def longest_attempt() -> timedelta:
    """Return how long one request can take over an account before it is surely dead."""
    return 3 * current().homeserver.timeout + timedelta(seconds=5)


def take_up(attempt: Account, *, claimant: str = "") -> Account:
    """Return the row of an attempt that begins: `attempt` itself, or an account that is there and takes after it.

    Call in the transaction that claims the name, else somebody's held account is taken from them. `claimant`: who
    alone can be behind the attempt, if that is known.

    Raises:
        NameHeld: there is somebody else's attempt, or account, of that name.
        NameResting: there is one that somebody else has left, a moment ago.
    """
    if ADD(attempt):
        return attempt
    there = standing(attempt.localpart)
    if there is None or there.state not in TO_BE_TAKEN_UP:
        raise names.NameHeld
    if is_unsure(there, claimant):
        raise NameResting
    facts = {name: getattr(attempt, name) for name in OF_AN_ATTEMPT}
    facts |= {"is_shell": True, "absent_at": None, "settled_at": None, "reason": ""}
    same = Account.objects.filter(id=there.id, state__in=TO_BE_TAKEN_UP, unsure_until=there.unsure_until)
    if not same.update(state=State.CREATING, **facts):
        raise names.NameHeld
    return Account.objects.get(id=there.id)
