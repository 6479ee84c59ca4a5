"""The join: an invitation, a name and a password become an account.

reserve in a transaction → ask the homeserver, in none → settle in a transaction. Whatever breaks in between,
the row says how far it came, and `settling.py` finds out the rest.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.db import transaction

from foyer.accounts import rows, settling
from foyer.accounts.errors import OutcomeUnknown
from foyer.accounts.models import Account, State
from foyer.accounts.rules import allowed_localpart, password_refusals
from foyer.accounts.turns import join_turn, look_turn
from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.config import current
from foyer.homeserver import errors as homeserver_errors
from foyer.homeserver.make import current as current_homeserver
from foyer.homeserver.port import Created, Homeserver
from foyer.invites import queries as invite_queries
from foyer.invites import services as invites
from foyer.invites.errors import InviteForOther, InviteForOtherName, InviteRefused
from foyer.invites.models import Invite
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.kit.matrix import mxid
from foyer.kit.refusal import Refusal
from foyer.names import services as names
from foyer.screening.verdicts import verdict

PRESS_AGAIN_WITHIN = timedelta(hours=1)
POLL_SECONDS = 0.1
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JoinAttempt:
    """What a person sent. `confirm` None: the form had no such field. `email_key`: from the mailed link.

    `accepted_terms`: the person ticked all that must be accepted, and there was something to tick.
    """

    code: str
    username: str
    password: str = field(repr=False)
    confirm: str | None = field(default=None, repr=False)
    email_key: str | None = field(default=None, repr=False)
    ip: str | None = None
    wants_token: bool = False
    accepted_terms: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """An account that its person can sign in to. `access_token` only where the attempt wanted one and got one."""

    mxid: str
    localpart: str
    access_token: str | None = field(default=None, repr=False)
    rooms: tuple[str, ...] = ()


def validate(attempt: JoinAttempt) -> list[Refusal]:
    """Return everything that is wrong with an attempt, as far as it can be known without the homeserver."""
    found: list[Refusal] = []
    try:
        allowed_localpart(attempt.username)
    except Refusal as refusal:
        found.append(refusal)
    found += password_refusals(attempt.password, attempt.confirm)
    try:
        invite_queries.find_live(attempt.code)
    except InviteRefused as refusal:
        found.append(refusal)
    return found


def check_name(code: str, username: str) -> str:
    """Return the localpart if the holder of a live invitation could have it at this moment.

    Only for holders of a live code: an open question would let anybody list who has an account here.

    Raises:
        Refusal: of the invitation, the name, or the homeserver.
    """
    invite = invite_queries.find_live(code)
    localpart = allowed_localpart(username)
    _require_pins(invite, localpart, email_key=None)
    _require_welcome(invite, localpart)
    if names.holder_of(localpart) not in (None, invite.holder):
        raise names.NameHeld
    require_free(localpart)
    return localpart


def require_free(localpart: str) -> None:
    """Return if the homeserver could have an account of this name, or has one of ours that is empty.

    Says nothing about who has claimed the name here. Ask only for somebody who may know.

    Raises:
        NameTaken, NameRefused
        DoorBusy: too many such questions are being asked.
        HomeserverError
    """
    if not rows.is_ours_to_fill(localpart):
        with look_turn():
            current_homeserver().check_name(localpart)


def open_with_invite(attempt: JoinAttempt, *, actor: Actor | None = None) -> Joined:
    """Make the account, spend one use of the invitation, and owe what follows (rooms, welcome, email).

    The same person pressing again, with the same code, name and password, is let in and not refused.

    Raises:
        Refusal: of the invitation, the name, the password, or the homeserver; nothing is spent then.
        OutcomeUnknown: the homeserver's answer was lost; the use stays held until it is known.
    """
    localpart = allowed_localpart(attempt.username)
    for refusal in password_refusals(attempt.password, attempt.confirm):
        raise refusal
    actor = actor or Actor.person()
    with join_turn():
        again = _pressed_again(attempt, localpart)
        if again is not None:
            return again
        try:
            account = _start(attempt, localpart, actor)
        except (InviteRefused, names.NameHeld, homeserver_errors.NameTaken):
            # The same person may have pressed twice at once, and the other press was quicker.
            again = _pressed_again(attempt, localpart)
            if again is not None:
                return again
            raise
        created = _ask(account, attempt)
        settling.settle_open(account, actor=actor, code=attempt.code)
    return _joined(account, created.access_token)


def _start(attempt: JoinAttempt, localpart: str, actor: Actor) -> Account:
    """Look whether all is well, then claim the name and hold a use."""
    invite = invite_queries.find_live(attempt.code)
    _require_pins(invite, localpart, attempt.email_key)
    _require_welcome(invite, localpart)
    homeserver = current_homeserver()
    homeserver.password_policy().check(attempt.password)
    if names.holder_of(localpart) == invite.holder and rows.is_unsettled(localpart):
        raise OutcomeUnknown  # the name is this person's: what stands in the way is half made, and soon a shell
    if not rows.is_ours_to_fill(localpart):
        homeserver.check_name(localpart)
    return _begin(attempt, localpart, actor)


def _require_pins(invite: Invite, localpart: str, email_key: str | None) -> None:
    if invite.localpart and invite.localpart != localpart:
        raise InviteForOtherName(name=invite.localpart)
    if email_key and not invites.email_is_proven(invite, email_key):
        raise InviteForOther


def _require_welcome(invite: Invite, localpart: str) -> None:
    """Ask the rules about the name, unless whoever made the invitation has chosen it."""
    if invite.localpart != localpart:
        verdict(name=localpart).require_welcome()


def _begin(attempt: JoinAttempt, localpart: str, actor: Actor) -> Account:
    """Claim the name and hold a use, together or not at all. A shell of ours is taken up again."""
    moment = now()
    with transaction.atomic():
        account = rows.take_up(localpart, attempt.ip)
        account.made_for = _earlier_claimant(attempt.code, localpart)
        names.claim(localpart, holder=account.claimant)
        invite = invites.reserve(attempt.code, holder=account.holder, ip=attempt.ip)
        account.begun_at, account.stays_locked = moment, False
        account.rooms = list(dict.fromkeys([*current().after.rooms, *invite.rooms]))
        account.email = invite.email if invites.email_is_proven(invite, attempt.email_key) else ""
        account.accepted_terms = attempt.accepted_terms
        account.save(update_fields=["begun_at", "rooms", "email", "made_for", "stays_locked", "accepted_terms"])
        record(Verb.ACCOUNT_CREATING, actor=actor, subject=("account", account.id), invite=invite.id)
    return account


def _earlier_claimant(code: str, localpart: str) -> str:
    """Return the invitation's holder where the name was claimed for its person already, else nobody.

    Such a claim outlives an attempt that fails, and becomes the account's own when it is open.
    """
    holder = invite_queries.find(code).holder
    return holder if names.holder_of(localpart) == holder else ""


def _ask(account: Account, attempt: JoinAttempt) -> Created:
    """Have the account made; on the way out every failure has been written down."""
    homeserver = current_homeserver()
    try:
        if account.is_shell:
            homeserver.reopen(account.localpart, attempt.password)
            return Created(mxid(account.localpart, current().server_name))
        return homeserver.create(account.localpart, attempt.password, sign_in=attempt.wants_token)
    except homeserver_errors.HomeserverError as error:
        if not settling.maybe_done(error, account, homeserver):
            settling.settle_refused(account, error.code)
            raise
        log.warning("the homeserver's answer was lost", account=account.id, reason=error.code, detail=error.detail)
        settling.mark_unknown(account, error.code)
        if _password_opens(homeserver, account.localpart, attempt.password):
            return Created(mxid(account.localpart, current().server_name))
        if isinstance(error, homeserver_errors.NameTaken) and settling.is_refused_now(account):
            raise
        raise OutcomeUnknown from error


def _password_opens(homeserver: Homeserver, localpart: str, password: str) -> bool:
    """Sign in once (and out): the one proof that needs no admin. False also where no answer came."""
    try:
        return homeserver.password_is_right(localpart, password)
    except homeserver_errors.HomeserverError as error:
        log.info("could not try the password", reason=error.code)
        return False


def _pressed_again(attempt: JoinAttempt, localpart: str) -> Joined | None:
    """Let the person in whose first press already made, or is making, this account by the same invitation."""
    account = _earlier_attempt(attempt, localpart)
    if account is None:
        return None
    if account.state == State.CREATING:
        account = _wait_for_outcome(account)
    if account.state in {State.REFUSED, State.SHELVED}:
        return None
    homeserver = current_homeserver()
    if account.state == State.OPEN:
        return _joined(account, None) if homeserver.password_is_right(localpart, attempt.password) else None
    if _password_opens(homeserver, localpart, attempt.password):
        settling.settle_open(account, actor=Actor.person(), code=attempt.code)
        return _joined(account, None)
    try:
        settling.settle(account.id)
    except settling.StillUnknown:
        raise OutcomeUnknown from None
    account.refresh_from_db()
    if account.state == State.CREATING:
        raise OutcomeUnknown
    return None


def _earlier_attempt(attempt: JoinAttempt, localpart: str) -> Account | None:
    live = Account.objects.filter(localpart=localpart, begun_at__gt=now() - PRESS_AGAIN_WITHIN)
    account = live.filter(state__in=[State.CREATING, State.UNKNOWN, State.OPEN]).first()
    if account is None or invites.codes_of([account.holder]).get(account.holder) != attempt.code.strip():
        return None
    return account


def _wait_for_outcome(account: Account) -> Account:
    """Wait while another request makes the account: the browser shows the answer to the last press only.

    When that takes longer than the homeserver may, the request is dead, and the row comes back as it is.
    """
    deadline = time.monotonic() + current().homeserver.timeout.total_seconds()
    while account.state == State.CREATING and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        account.refresh_from_db()
    return account


def _joined(account: Account, access_token: str | None) -> Joined:
    return Joined(
        mxid=mxid(account.localpart, current().server_name),
        localpart=account.localpart,
        access_token=access_token,
        rooms=tuple(account.rooms),
    )
