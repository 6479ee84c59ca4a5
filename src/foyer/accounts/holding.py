"""Accounts that are kept for somebody until another says yes: held, then opened or shelved.

hold → (days) → open_held and settle_opened, or let_go. The password is in the first step and nowhere else: what that
step does not finish within `HOLD_SECONDS` is not finished by anybody. A job makes an empty shell of it, and its person
chooses a password later.

Whoever has the claim on the name has the right to the held account. To take it away, release the name: `let_go` (or,
where a process died before that, the sweep) then empties the account.
"""

from __future__ import annotations

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef

from foyer.accounts import arrivals, rows, settling
from foyer.accounts.errors import HoldLost, NameResting
from foyer.accounts.models import Account, State
from foyer.accounts.rows import UNSETTLED
from foyer.accounts.turns import join_turn
from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.config import current
from foyer.homeserver.errors import AccountMissing, HomeserverError, NameRefused, NameTaken, PasswordRefused
from foyer.homeserver.make import current as current_homeserver
from foyer.homeserver.port import Homeserver
from foyer.jobs import services as jobs
from foyer.jobs.models import Job
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.names import services as names
from foyer.names.models import Claim

HOLD_SECONDS = 8.0
FOR_THE_PERSON = (NameTaken, NameRefused, PasswordRefused)
log = structlog.get_logger(__name__)


def hold(
    localpart: str, password: str, *, holder: str, ip: str | None = None, seconds: float = HOLD_SECONDS
) -> int | None:
    """Make a locked account that will open with this password, for the `holder` of the name's claim.

    Returns the account's id, or None where the homeserver did not manage within `seconds`. Nothing is owed then but the
    clearing away of what was half made, and that is arranged.

    Raises:
        NameHeld: `holder` has no claim on the name (any more).
        NameTaken, NameRefused: the homeserver will not make an account of that name.
        PasswordRefused: its rules for passwords are not met.
        DoorBusy: too many people are waiting for the homeserver.
    """
    homeserver = current_homeserver()
    with join_turn(), homeserver.within(seconds):
        if names.holder_of(localpart) == holder and rows.is_unsettled(localpart, holder):
            return None  # what was half made before is not cleared away yet
        try:
            homeserver.password_policy().check(password)
            if not rows.is_ours_to_fill(localpart):
                homeserver.check_name(localpart)
        except FOR_THE_PERSON:
            raise
        except HomeserverError as error:
            log.warning("no account can be held", reason=error.code, detail=error.detail)
            return None
        try:
            account = _begin(localpart, holder, ip)
        except NameResting:
            return None  # what somebody else left has begun to rest since
        return account.id if _make(account, password, homeserver) else None


def _begin(localpart: str, holder: str, ip: str | None) -> Account:
    """Return the row of this attempt."""
    wanted = Account(localpart=localpart, begun_at=now(), ip=ip, made_for=holder, stays_locked=True)
    with transaction.atomic():
        account = rows.take_up(wanted, claimant=holder)
        names.keep(localpart, holder=holder)
        record(Verb.ACCOUNT_CREATING, actor=Actor.person(), subject=("account", account.id), holder=holder)
    return account


def _make(account: Account, password: str, homeserver: Homeserver) -> bool:
    """Have it made; on the way out every failure has been written down."""
    try:
        if account.is_shell:
            homeserver.rehold(account.localpart, password)
        else:
            homeserver.hold(account.localpart, password)
    except HomeserverError as error:
        log.warning("an account was not held", account=account.id, reason=error.code, detail=error.detail)
        if settling.kept_as_shell(error, account, homeserver):
            raise
        if not settling.maybe_done(error, account, homeserver):
            settling.settle_refused(account, error.code)
            if isinstance(error, FOR_THE_PERSON):
                raise
            return False
        settling.mark_unknown(account, error.code)
        if isinstance(error, NameTaken) and settling.is_refused_now(account):
            raise
        return False
    return settling.settle_held(account)


def is_held_for(account_id: int | None, *, holder: str) -> bool:
    """Say whether this account is kept for `holder`, ready to be opened."""
    held = Account.objects.filter(state=State.HELD, made_for=holder)
    return account_id is not None and held.filter(id=account_id).exists()


def open_held(account_id: int, *, holder: str) -> None:
    """Unlock the account at the homeserver. Follow with settle_opened(). Doing it again changes nothing.

    While the request may be under way nobody else may fill the account: it would be open to them.

    Raises:
        HoldLost: for good; there is no account of `holder`'s to open.
        StillUnknown: it is being settled; again soon.
        HomeserverError
    """
    account = _held(account_id, holder)
    if account.state == State.OPEN:
        return
    homeserver = current_homeserver()
    try:
        sighting = homeserver.look_up(account.localpart)
        if sighting is not None and not sighting.deactivated:
            _mark_opening(account)
            homeserver.open(account.localpart)
            return
    except AccountMissing:
        pass  # removed between the two questions
    _lose(account)
    raise HoldLost


def _mark_opening(account: Account) -> None:
    mine = Account.objects.filter(id=account.id, state=State.HELD, made_for=account.made_for)
    if not mine.update(unsure_until=now() + rows.longest_journey(), unsure_for=account.made_for):
        raise settling.StillUnknown


def settle_opened(account_id: int, *, holder: str, email: str, accepted_terms: bool = False) -> None:
    """Note that a held account is open, and owe what follows: email, rooms, welcome. Twice is once.

    Call inside the transaction that notes the same of whoever it was held for. `email` is proven, or empty.

    Raises:
        HoldLost: it was taken away meanwhile.
    """
    account = _held(account_id, holder)
    if account.state == State.OPEN:
        return
    rooms = list(dict.fromkeys(current().after.rooms))
    mine = Account.objects.filter(id=account.id, state=State.HELD, made_for=holder)
    facts = {"email": email, "rooms": rooms, "accepted_terms": accepted_terms, "unsure_until": None}
    if not mine.update(state=State.OPEN, settled_at=now(), **facts):
        raise HoldLost
    if not names.hand_over(account.localpart, holder=holder, to=account.holder):
        raise HoldLost
    record(Verb.ACCOUNT_OPENED, actor=Actor.job(), subject=("account", account.id), holder=holder)
    account.refresh_from_db()
    arrivals.owe(account)


def _held(account_id: int, holder: str) -> Account:
    account = Account.objects.filter(id=account_id, made_for=holder).first()
    if account is None or account.state in {State.REFUSED, State.SHELVED}:
        raise HoldLost
    if account.state in UNSETTLED:
        raise settling.StillUnknown
    return account


def _lose(account: Account) -> None:
    """Note that the homeserver has no such account any more. The name is not free for us again."""
    with transaction.atomic():
        mine = Account.objects.filter(id=account.id, state=State.HELD, made_for=account.made_for)
        if mine.update(state=State.REFUSED, reason="account-missing", settled_at=now()):
            record(Verb.ACCOUNT_REFUSED, actor=Actor.job(), subject=("account", account.id), reason="account-missing")


def let_go(*, holder: str) -> None:
    """Owe the emptying of what was held for `holder`.

    Call in the transaction that releases the name, before that: whoever joins takes the account first, and then the
    name, and the other order deadlocks on PostgreSQL. The job looks at the claim when all of it is done.
    """
    # As in the partial index, so that it serves.
    theirs = Account.objects.filter(made_for=holder).exclude(made_for="")
    theirs.exclude(state=State.OPEN).update(ip=None)
    held = Account.objects.filter(made_for=holder, state=State.HELD)
    for identifier in held.values_list("id", flat=True):
        jobs.enqueue("accounts.shelve", subject=str(identifier))


def shelve_held(account_id: int) -> None:
    """Empty a held account that nobody has a right to any more.

    Raises:
        StillUnknown: it may be being opened.
        HomeserverError: the sweep of unsettled accounts goes on with it.
    """
    account = Account.objects.filter(id=account_id, state=State.HELD).first()
    if account is None or names.holder_of(account.localpart) == account.made_for:
        return
    if rows.is_unsure(account):
        raise settling.StillUnknown
    try:
        settling.shelve(account, current_homeserver(), (State.HELD,), reason="let-go")
    except AccountMissing:
        settling.settle_refused(account, "account-missing")


def sweep() -> None:
    """Owe the emptying of held accounts whose holder's process died before it could let go."""
    rightful = Claim.objects.filter(localpart=OuterRef("localpart"), holder=OuterRef("made_for"))
    orphans = Account.objects.filter(~Exists(rightful), state=State.HELD)
    # In the order of the index of those that are held: by their numbers, all accounts there are would be read.
    for identifier in orphans.order_by("made_for").values_list("id", flat=True)[:500]:
        jobs.enqueue("accounts.shelve", subject=str(identifier))


def forget_emails(account_ids: list[int]) -> None:
    """Erase the emails of these accounts, except where one is still to be attached."""
    owed = Job.objects.filter(kind="accounts.attach-email", gave_up_at=None, subject__in=map(str, account_ids))
    waiting = [int(subject) for subject in owed.values_list("subject", flat=True)]
    Account.objects.filter(id__in=account_ids).exclude(id__in=waiting).exclude(email="").update(email="")
