"""Where an account's row moves, and how a lost answer is found out.

Every move is one UPDATE from the states it may come from, with the name, the use, the audit and the jobs in the
same transaction. Whoever comes second changes nothing.

After a lost answer an account is called ours only if it was created during the attempt (the name was free
just before), and no device of it was ever seen. Without an admin token only presence is known: then the
same person's next press settles it, or an hour's silence, which counts as open, since a use too many is the
smaller wrong than a second account.

An attempt whose account stays locked is never settled as open. Half made, it becomes an empty shell: the password
went with the request, and nobody may rely on it having arrived.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from itertools import islice

import structlog
from django.db import IntegrityError, transaction

from foyer.accounts import arrivals
from foyer.accounts.errors import OutcomeUnknown
from foyer.accounts.models import Account, State
from foyer.accounts.rows import UNSETTLED, longest_attempt, longest_journey, standing
from foyer.accounts.statements import DEAD, MOVE
from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.config import current
from foyer.homeserver.errors import HomeserverError, NameTaken, PasswordRefused
from foyer.homeserver.make import current as current_homeserver
from foyer.homeserver.port import Capability, Homeserver, Sighting
from foyer.invites import services as invites
from foyer.invites.models import Invite
from foyer.jobs import services as jobs
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.kit.refusal import Refusal
from foyer.names import services as names

COUNTS_AS_OPEN_AFTER = timedelta(hours=1)
CLOCK_SLACK = timedelta(seconds=2)
LATE_SLACK = timedelta(minutes=5)
LOOK_AGAIN_AFTER = timedelta(seconds=15)
log = structlog.get_logger(__name__)


class StillUnknown(Exception):
    """The homeserver's word is not enough yet; ask again soon."""

    code = "still-unknown"


def settle_open(account: Account, *, actor: Actor, code: str = "", verb: Verb = Verb.ACCOUNT_OPENED) -> None:
    """The account exists and its person can sign in: spend the use, and owe what follows.

    `code` is the invitation that the person holds, for a row that was given up while its request lived on.

    Raises:
        OutcomeUnknown: a job has taken the account up, or it is taken back, since nothing pays for it any more.
    """
    with transaction.atomic():
        is_mine = _move(account, UNSETTLED, State.OPEN, reason="")
        if is_mine or _adopt(account, code):
            if account.made_for:
                names.hand_over(account.localpart, holder=account.made_for, to=account.holder)
            record(verb, actor=actor, subject=("account", account.id))
            arrivals.owe(account)
            invites.complete(holder=account.holder)
    if not is_mine:
        account.refresh_from_db()
        if account.state in UNSETTLED:
            raise OutcomeUnknown


def finish_shell(account: Account, homeserver: Homeserver) -> bool:
    """Take the last step of filling a shell, whose password is in place: its lock may be on it still.

    False: a job has taken the account up meanwhile. Nothing to do, and True, where the account is no shell.

    Raises:
        HomeserverError: the sweep finds it.
    """
    if account.is_shell:
        if not renew(account):
            return False
        homeserver.open(account.localpart)
    return True


def renew(account: Account) -> bool:
    """Count the time that an attempt may take from this moment on. False: a job has taken the account up meanwhile."""
    taken_up = now()
    mine = Account.objects.filter(id=account.id, state__in=UNSETTLED, begun_at=account.begun_at)
    if not mine.update(begun_at=taken_up, absent_at=None):
        return False
    account.begun_at = taken_up
    return True


def _adopt(account: Account, code: str) -> bool:
    """Make good a row that was given up too early: its account does exist. False: nothing is owed for it now.

    Where nothing pays for the account any more, it is locked and emptied, if the homeserver lets us.

    Raises:
        OutcomeUnknown: a job has taken the account up meanwhile, or somebody else has the row.
    """
    row = Account.objects.select_for_update().get(id=account.id)
    if row.begun_at != account.begun_at or row.state not in {State.OPEN, State.REFUSED}:
        raise OutcomeUnknown
    if row.state == State.OPEN:
        return False
    try:
        with transaction.atomic():
            names.claim(row.localpart, holder=row.claimant)
            invites.reserve(code, holder=row.holder, ip=row.ip)
    except Refusal as refusal:
        log.error("an account was made that nothing pays for", account=row.id, reason=refusal.code)
        _take_back(row, refusal.code)
        return False
    Account.objects.filter(id=row.id).update(state=State.OPEN, reason="", settled_at=now())
    return True


def _take_back(row: Account, reason: str) -> None:
    """Owe the emptying of an account that its person has no right to; where we cannot, the owner has to look."""
    verb = Verb.ACCOUNT_NEEDS_A_DECISION
    if Capability.HOLD in current_homeserver().capabilities:
        try:
            with transaction.atomic():
                facts = {"state": State.UNKNOWN, "is_shell": True, "stays_locked": True, "settled_at": None}
                Account.objects.filter(id=row.id).update(**facts, reason=reason, absent_at=None)
            jobs.enqueue("accounts.settle", subject=str(row.id))
            verb = Verb.ACCOUNT_UNKNOWN
        except IntegrityError:
            log.error("somebody else is making an account of that name", account=row.id)
    record(verb, actor=Actor.job(), subject=("account", row.id), reason=reason)


def settle_held(account: Account) -> bool:
    """The account exists, locked, with the password of its person. False: a job has taken the account up meanwhile."""
    with transaction.atomic():
        is_held = _move(account, UNSETTLED, State.HELD, reason="")
        if is_held:
            record(Verb.ACCOUNT_HELD, actor=Actor.person(), subject=("account", account.id))
    account.refresh_from_db()
    return is_held


def settle_refused(account: Account, reason: str) -> None:
    """There is no account, or none of ours: give the name and the use back."""
    with transaction.atomic():
        if _move(account, UNSETTLED, State.REFUSED, reason=reason):
            names.release(account.localpart, holder=account.holder)
            invites.release(holder=account.holder)
            record(Verb.ACCOUNT_REFUSED, actor=Actor.job(), subject=("account", account.id), reason=reason)
    account.refresh_from_db()


def shelve(
    account: Account, homeserver: Homeserver, sources: tuple[State, ...], *, reason: str, is_unsure: bool = False
) -> None:
    """Make an account an empty shell.

    The row is taken up as an attempt of ours first, so that no press settles it while it is being locked. `is_unsure`:
    a request of the attempt that ended so may still arrive; until that is over, nobody else may fill the shell.

    Raises:
        HomeserverError: it stays taken up, and the sweep finds it.
    """
    taken_up = now()
    mine = Account.objects.filter(id=account.id, state__in=sources, begun_at=account.begun_at)
    rest = {"unsure_until": taken_up + longest_journey(), "unsure_for": _sole_claimant(account)} if is_unsure else {}
    if not mine.update(state=State.CREATING, is_shell=True, begun_at=taken_up, settled_at=None, **rest):
        return
    account.begun_at = taken_up
    homeserver.shelve(account.localpart)
    with transaction.atomic():
        if _move(account, UNSETTLED, State.SHELVED, reason=reason):
            names.release(account.localpart, holder=account.holder)
            invites.release(holder=account.holder)
            record(Verb.ACCOUNT_SHELVED, actor=Actor.job(), subject=("account", account.id), reason=reason)


def _sole_claimant(account: Account) -> str:
    """Return who alone can be behind an attempt; empty where several could be."""
    if account.made_for:
        return account.made_for
    invite = invites.of_holder(account.holder)
    return invite.holder if invite is not None and invite.uses_limit == 1 else ""


def mark_unknown(account: Account, reason: str) -> None:
    """The answer was lost: keep the name and the use, and owe finding out."""
    with transaction.atomic():
        if _move(account, (State.CREATING,), State.UNKNOWN, reason=reason):
            record(Verb.ACCOUNT_UNKNOWN, actor=Actor.job(), subject=("account", account.id), reason=reason)
            jobs.enqueue("accounts.settle", subject=str(account.id), delay=timedelta(seconds=2))
    account.refresh_from_db()


def kept_as_shell(error: HomeserverError, account: Account, homeserver: Homeserver) -> bool:
    """Say whether a password was refused when its account was there already, and make a shell of it then.

    So that another password finds an account of ours, and not a name that somebody has.
    """
    if not (isinstance(error, PasswordRefused) and error.leaves_shell):
        return False
    try:
        shelve(account, homeserver, UNSETTLED, reason=error.code)
    except HomeserverError as failure:
        log.warning("a shell is not empty yet", account=account.id, reason=failure.code, detail=failure.detail)
    return True


def maybe_done(error: HomeserverError, account: Account, homeserver: Homeserver) -> bool:
    """Say whether there may be an account of ours now, whatever the answer was.

    A shell is there in any case. And a claim that found the name taken, free a moment ago and promised to nobody
    else here, may have found itself: a proxy that repeats requests hands on the second answer.
    """
    if account.is_shell or getattr(error, "maybe_done", False):
        return True
    return isinstance(error, NameTaken) and not homeserver.create_is_one_step


def is_refused_now(account: Account) -> bool:
    """Find out at once, as far as the homeserver answers, whether somebody else has the name."""
    try:
        settle(account.id)
    except (StillUnknown, HomeserverError):
        return False
    account.refresh_from_db()
    return account.state == State.REFUSED


def _move(account: Account, sources: tuple[State, ...], target: State, *, reason: str) -> bool:
    """Move the row and `account`, if it is still in one of these (at most two) states, and its attempt the same."""
    settled_at = None if target in UNSETTLED else now()
    moved = MOVE.run(target, reason, settled_at, account.id, account.begun_at, sources[0], sources[-1])
    if moved:
        account.state, account.reason, account.settled_at, account.absent_at = target, reason, settled_at, None
    return moved == 1


def sweep() -> None:
    """Owe the settling of every account whose request died, those from the future too: a clock ran ahead."""
    moment, longest = now(), longest_attempt()
    owed = jobs.subjects_owed("accounts.settle")  # with waits of their own, which asking again would cut short
    dead = (str(account.id) for account in DEAD.rows(moment - longest, moment + longest))
    for subject in islice((one for one in dead if one not in owed), 500):
        jobs.enqueue("accounts.settle", subject=subject)


def settle(account_id: int) -> None:
    """Find out what became of an account whose answer was lost, as far as the homeserver can tell now.

    Raises:
        HomeserverError: it does not answer.
    """
    account = Account.objects.filter(id=account_id, state__in=UNSETTLED).first()
    if account is None or (account.state == State.CREATING and abs(now() - account.begun_at) < longest_attempt()):
        return
    homeserver = current_homeserver()
    if Capability.LOOK_UP in homeserver.capabilities:
        _settle_by_sighting(account, homeserver, homeserver.look_up(account.localpart))
    elif homeserver.exists(account.localpart):
        _settle_by_presence(account)
    else:
        _settle_absent(account)


def _settle_by_sighting(account: Account, homeserver: Homeserver, sighting: Sighting | None) -> None:
    if sighting is None:
        _settle_absent(account)
    elif not _is_ours(account, sighting):
        settle_refused(account, "name-taken")
    elif account.stays_locked and sighting.seen and not account.is_shell:
        settle_refused(account, "name-taken")  # nobody could sign in to ours
    elif account.stays_locked or (account.is_shell and sighting.locked):
        # Locked, nobody has it yet, whoever was seen: shelving it was cut short, or filling it.
        shelve(account, homeserver, UNSETTLED, reason="half-made", is_unsure=True)
    elif sighting.seen and account.is_shell:
        settle_open(account, actor=Actor.job())  # whoever signed in knew the password that only we could set
    elif sighting.seen and account.reason == NameTaken.code:
        settle_refused(account, "name-taken")  # ours has got no password yet, and somebody signed in to this one
    elif sighting.seen:
        # Its person may have signed in without our answer, or somebody else made it that very moment.
        _settle_by_presence(account)
    elif homeserver.create_is_one_step and not account.is_shell:
        settle_open(account, actor=Actor.job())
    else:
        # Nobody knows whether the password arrived, so nobody may rely on it: the next press gets the shell.
        shelve(account, homeserver, UNSETTLED, reason="half-made", is_unsure=True)


def _is_ours(account: Account, sighting: Sighting) -> bool:
    if account.is_shell:
        return True
    earliest = account.begun_at.replace(microsecond=0) - CLOCK_SLACK
    return earliest <= sighting.created_at <= account.begun_at + longest_attempt() + LATE_SLACK


def _settle_by_presence(account: Account) -> None:
    if account.stays_locked or abs(now() - account.begun_at) < COUNTS_AS_OPEN_AFTER:
        raise StillUnknown
    settle_open(account, actor=Actor.job(), verb=Verb.ACCOUNT_SETTLED_BY_PRESENCE)


def _settle_absent(account: Account) -> None:
    """Believe in absence only when it is seen twice: a request that was stuck may still be worked on."""
    moment = now()
    if account.absent_at is None or account.absent_at > moment:
        this_attempt = Account.objects.filter(id=account.id, state__in=UNSETTLED, begun_at=account.begun_at)
        this_attempt.update(absent_at=moment)
        raise StillUnknown
    if moment - account.absent_at < current().homeserver.timeout / 2:
        raise StillUnknown
    with transaction.atomic():
        invite = invites.of_holder(account.holder)
        settle_refused(account, "homeserver-unreachable")
        if account.state == State.REFUSED:
            subject = f"{account.id} {invite.id if invite else ''}".strip()
            jobs.enqueue("accounts.look-again", subject=subject, delay=LOOK_AGAIN_AFTER)


def look_again(account_id: int, invite_id: int | None) -> None:
    """Look whether the account came after all, from a request that was stuck for longer than we waited.

    Then it takes the use that it would have taken, or is locked and emptied.

    Raises:
        StillUnknown: it may come yet.
        HomeserverError: the homeserver does not answer.
    """
    account = Account.objects.filter(id=account_id, state=State.REFUSED, reason="homeserver-unreachable").first()
    if account is None:
        return
    homeserver = current_homeserver()
    if Capability.LOOK_UP not in homeserver.capabilities:
        return
    sighting = homeserver.look_up(account.localpart)
    others = standing(account.localpart)
    if sighting is None or (others is not None and others.state in UNSETTLED):
        if now() < account.begun_at + longest_journey() + LATE_SLACK:
            raise StillUnknown
        return
    if others is not None or sighting.deactivated or not _is_ours(account, sighting):
        return
    if sighting.seen:  # by its person, or by somebody else who made it that very moment
        record(Verb.ACCOUNT_NEEDS_A_DECISION, actor=Actor.job(), subject=("account", account.id), reason="late")
    else:
        _take_in(account, invite_id)


def _take_in(account: Account, invite_id: int | None) -> None:
    """Deal with an account that came late, and that nobody signed in to."""
    log.warning("an account was made later than we waited", account=account.id)
    if account.stays_locked or not current_homeserver().create_is_one_step:
        with transaction.atomic():
            _take_back(account, "half-made")
        return
    invite = None if invite_id is None else Invite.objects.filter(id=invite_id).first()
    with contextlib.suppress(OutcomeUnknown):  # nothing pays for it: it is being taken back
        settle_open(account, actor=Actor.job(), code=invite.code if invite else "")
