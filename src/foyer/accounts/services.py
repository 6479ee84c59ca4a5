"""The join: an invitation, a name and a password become an account.

reserve in a transaction → ask the homeserver, in none → settle in a transaction. Whatever breaks in between,
the row says how far it came, and `settling.py` finds out the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import transaction

from foyer.accounts import pressing, rows, securing, settling
from foyer.accounts.errors import OutcomeUnknown
from foyer.accounts.models import Account
from foyer.accounts.rules import allowed_localpart, password_refusals
from foyer.accounts.turns import join_turn, look_turn
from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.config import current
from foyer.homeserver import errors as homeserver_errors
from foyer.homeserver.make import current as current_homeserver
from foyer.homeserver.port import Created
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
    rows.require_rested(localpart, claimant=_claimant(invite))
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
        there = rows.standing(localpart)
        if there is not None:
            before = pressing.opened_before(there, attempt.code.strip(), attempt.password)
            if before is not None:
                return _joined(before, None)
            there = rows.standing(localpart)
        try:
            account = _start(attempt, localpart, actor, there)
        except (InviteRefused, names.NameHeld, homeserver_errors.NameTaken):
            # The same person may have pressed twice at once, and the other press was quicker.
            after = rows.standing(localpart)
            if _is_same(after, there):
                raise
            before = pressing.opened_before(after, attempt.code.strip(), attempt.password)
            if before is None:
                raise
            return _joined(before, None)
        securing.secure_use(account, attempt.code)
        created = _ask(account, attempt)
        settling.settle_open(account, actor=actor, code=attempt.code)
    return _joined(account, created.access_token)


def _is_same(after: Account | None, before: Account | None) -> bool:
    """Say whether nobody began anything with a name meanwhile."""
    if after is None or before is None:
        return after is before
    return (after.id, after.begun_at) == (before.id, before.begun_at)


def _start(attempt: JoinAttempt, localpart: str, actor: Actor, there: Account | None) -> Account:
    """Look whether all is well, then claim the name and hold a use. `there` is the account that has the name."""
    invite = invite_queries.find_live(attempt.code)
    _require_pins(invite, localpart, attempt.email_key)
    _require_welcome(invite, localpart)
    homeserver = current_homeserver()
    homeserver.password_policy().check(attempt.password)
    if there is not None and there.state in rows.UNSETTLED and names.holder_of(localpart) == invite.holder:
        raise OutcomeUnknown  # the name is this person's: what stands in the way is half made, and soon a shell
    if there is None or there.state not in rows.TO_BE_TAKEN_UP:
        homeserver.check_name(localpart)
    return _begin(attempt, localpart, actor, invite)


def _require_pins(invite: Invite, localpart: str, email_key: str | None) -> None:
    if invite.localpart and invite.localpart != localpart:
        raise InviteForOtherName(name=invite.localpart)
    if email_key and not invites.email_is_proven(invite, email_key):
        raise InviteForOther


def _require_welcome(invite: Invite, localpart: str) -> None:
    """Ask the rules about the name, unless whoever made the invitation has chosen it."""
    if invite.localpart != localpart:
        verdict(name=localpart).require_welcome()


def _begin(attempt: JoinAttempt, localpart: str, actor: Actor, invite: Invite) -> Account:
    """Claim the name and hold a use, together or not at all. A shell of ours is taken up again.

    A claim that the invitation has for its person outlives an attempt that fails, and becomes the account's own when
    it is open.
    """
    wanted = Account(
        localpart=localpart,
        begun_at=now(),
        ip=attempt.ip,
        accepted_terms=attempt.accepted_terms,
        **_from_invite(attempt, invite),
    )
    with transaction.atomic():
        account = rows.take_up(wanted, claimant=_claimant(invite))
        claimant = names.claim(localpart, holder=account.holder, unless=invite.holder)
        record(Verb.ACCOUNT_CREATING, actor=actor, subject=("account", account.id), invite=invite.id)
        invite = invites.reserve(attempt.code, holder=account.holder, ip=attempt.ip, invite_id=invite.id)
        made_for = "" if claimant == account.holder else claimant
        _keep(account, made_for=made_for, **_from_invite(attempt, invite))
    return account


def _claimant(invite: Invite) -> str:
    """Return who alone can come by this invitation; empty where it may be several."""
    return invite.holder if invite.uses_limit == 1 else ""


def _from_invite(attempt: JoinAttempt, invite: Invite) -> dict[str, Any]:
    """Return what the account has from the invitation."""
    is_proven = invites.email_is_proven(invite, attempt.email_key)
    rooms = list(dict.fromkeys([*current().after.rooms, *invite.rooms]))
    return {"rooms": rooms, "email": invite.email if is_proven else ""}


def _keep(account: Account, **facts: Any) -> None:
    """Write down what turned out otherwise than when the row was made: the invitation may have been edited since."""
    changed = {name: value for name, value in facts.items() if getattr(account, name) != value}
    for name, value in changed.items():
        setattr(account, name, value)
    if changed:
        account.save(update_fields=list(changed))


def _ask(account: Account, attempt: JoinAttempt) -> Created:
    """Have the account made; on the way out every failure has been written down."""
    homeserver = current_homeserver()
    try:
        if account.is_shell:
            homeserver.reopen(account.localpart, attempt.password)
            return Created(mxid(account.localpart, current().server_name))
        return homeserver.create(account.localpart, attempt.password, sign_in=attempt.wants_token)
    except homeserver_errors.HomeserverError as error:
        if settling.kept_as_shell(error, account, homeserver):
            raise
        if not settling.maybe_done(error, account, homeserver):
            settling.settle_refused(account, error.code)
            raise
        log.warning("the homeserver's answer was lost", account=account.id, reason=error.code, detail=error.detail)
        settling.mark_unknown(account, error.code)
        if pressing.password_opens(homeserver, account, attempt.password):
            return Created(mxid(account.localpart, current().server_name))
        if isinstance(error, homeserver_errors.NameTaken) and settling.is_refused_now(account):
            raise
        raise OutcomeUnknown from error


def _joined(account: Account, access_token: str | None) -> Joined:
    return Joined(
        mxid=mxid(account.localpart, current().server_name),
        localpart=account.localpart,
        access_token=access_token,
        rooms=tuple(account.rooms),
    )
