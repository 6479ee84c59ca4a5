"""Making invitations, changing them, and holding and spending their uses.

The promise: however many ask at once, `used + held` never passes the limit, and every use that is held
ends as spent or as released.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.invites import mirroring, queries
from foyer.invites.errors import CodeMalformed, CodeTaken, InviteUnknown
from foyer.invites.models import Invite, Use
from foyer.invites.statements import ADD_USE, COUNT_SPENT, GIVE_BACK, OF_HOLDER, RESERVE, SPEND
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.kit.codes import is_code, keyed_digest, new_code

EMAIL_KEY_LENGTH = 32
EDITABLE = frozenset(
    {"uses_limit", "used", "expires_at", "revoked_at", "label", "message", "rooms", "localpart", "email", "inviter"}
)


@dataclass(frozen=True, slots=True)
class NewInvite:
    """What a new invitation shall be. `code` None: made up. `uses_limit` None: unlimited. `expires_at` None: never.

    mirror: also as a registration token of the homeserver's own. Where that cannot be, it is made without.
    """

    code: str | None = None
    uses_limit: int | None = 1
    expires_at: datetime | None = None
    label: str = ""
    message: str = ""
    rooms: list[str] = field(default_factory=list)
    localpart: str = ""
    email: str = ""
    inviter: str = ""
    mirror: bool = False


def create(wanted: NewInvite, *, actor: Actor) -> Invite:
    """Make one invitation.

    Raises:
        CodeMalformed: the wanted code has other characters, or is too long.
        CodeTaken: there is one with that code.
    """
    if wanted.code is not None and not is_code(wanted.code):
        raise CodeMalformed
    while True:
        try:
            with transaction.atomic():
                invite = Invite.objects.create(**_columns(wanted), created_by=str(actor))
                record(Verb.INVITE_CREATED, actor=actor, subject=("invite", invite.id))
                if wanted.mirror and not mirroring.is_pinned(invite) and mirroring.is_possible():
                    mirroring.want(invite, True)
                return invite
        except IntegrityError:
            if wanted.code is not None:
                raise CodeTaken(code=wanted.code) from None


def create_many(count: int, wanted: NewInvite, *, actor: Actor) -> list[Invite]:
    """Make `count` invitations that differ in nothing but their codes; all of them, or none."""
    with transaction.atomic():
        return [create(replace(wanted, code=None), actor=actor) for _ in range(count)]


def _columns(wanted: NewInvite) -> dict[str, Any]:
    return {
        "code": wanted.code or new_code(),
        "uses_limit": wanted.uses_limit,
        "expires_at": wanted.expires_at,
        "label": wanted.label,
        "message": wanted.message,
        "rooms": wanted.rooms,
        "localpart": wanted.localpart,
        "email": wanted.email,
        "inviter": wanted.inviter,
    }


def edit(invite: Invite, *, actor: Actor, **changes: Any) -> Invite:
    """Change facts of an invitation, and nothing else of it (a use that is spent meanwhile stays counted).

    `mirror=`: whether it shall be a registration token of the homeserver's own.

    Raises:
        InviteUnknown: it was deleted meanwhile.
    """
    mirror = changes.pop("mirror", None)
    unknown = set(changes) - EDITABLE
    if unknown:
        raise TypeError(f"not facts of an invitation: {sorted(unknown)}")
    with transaction.atomic():
        if changes and not Invite.objects.filter(id=invite.id).update(**changes):
            raise InviteUnknown
        if changes:
            record(Verb.INVITE_EDITED, actor=actor, subject=("invite", invite.id), changed=sorted(changes))
        if mirror is None:
            mirroring.follow(invite.id)
        else:
            mirroring.want(invite, mirror)
    return _fresh(invite)


def revoke(invite: Invite, *, actor: Actor) -> bool:
    """Withdraw it: nobody new may join by it. Somebody who is joining now is let through. False: it was already."""
    with transaction.atomic():
        revoked = Invite.objects.filter(id=invite.id, revoked_at=None).update(revoked_at=now())
        if revoked:
            record(Verb.INVITE_REVOKED, actor=actor, subject=("invite", invite.id))
            mirroring.follow(invite.id)
    return revoked == 1


def restore(invite: Invite, *, actor: Actor) -> bool:
    """Undo `revoke`. False: it was not withdrawn."""
    with transaction.atomic():
        restored = Invite.objects.filter(id=invite.id).exclude(revoked_at=None).update(revoked_at=None)
        if restored:
            record(Verb.INVITE_RESTORED, actor=actor, subject=("invite", invite.id))
            mirroring.follow(invite.id)
    return restored == 1


def delete(invite: Invite, *, actor: Actor) -> None:
    """Remove it. Who came by it stays known by its code."""
    with transaction.atomic():
        record(Verb.INVITE_DELETED, actor=actor, subject=("invite", invite.id), code=invite.code)
        mirroring.let_go(invite.id)
        Invite.objects.filter(id=invite.id).delete()


def _fresh(invite: Invite) -> Invite:
    return Invite.objects.get(id=invite.id)


def reserve(code: str, *, holder: str, ip: str | None = None, invite_id: int | None = None) -> Invite:
    """Hold one use of an invitation while the homeserver is asked.

    Call inside a transaction, at its end: until that is over, others who come by the same invitation wait on
    PostgreSQL, and for less long where `invite_id` is known. Follow with complete() or release(), by the same `holder`.

    Raises:
        InviteRefused: the kind that says why nobody can join by it now.
    """
    code, moment = code.strip(), now()
    if invite_id is not None:
        ADD_USE.values(invite_id=invite_id, code=code, holder=holder, at=moment, ip=ip)
    invite = RESERVE.first(code, moment, then=(code,))
    if invite is None:
        queries.find_live(code)
        raise InviteUnknown  # it came to life between the two statements; the next press will find it
    if invite_id is None:
        ADD_USE.values(invite_id=invite.id, code=code, holder=holder, at=moment, ip=ip)
    elif invite.id != invite_id:
        raise InviteUnknown  # it was deleted, and one of the same code made; the next press will find that
    return invite


def complete(*, holder: str) -> None:
    """Spend the use that `holder` holds. Doing it twice spends it once. Call at the end of a transaction."""
    spent = SPEND.values(now(), holder, then=(holder,))
    if spent is not None and spent[0] is not None:
        COUNT_SPENT.run(spent[0])


def release(*, holder: str) -> None:
    """Give the use that `holder` holds back. Doing it twice gives it back once; a spent one stays spent."""
    use = OF_HOLDER.first(holder)
    if use is not None and Use.objects.filter(holder=holder, spent_at=None).delete()[0] and use.invite_id is not None:
        GIVE_BACK.run(use.invite_id)
        mirroring.follow(use.invite_id)


def forget_ips(before: datetime) -> int:
    """Erase the IPs of uses older than `before`; returns how many."""
    return Use.objects.filter(at__lt=before, ip__isnull=False).update(ip=None)


def email_key(invite: Invite) -> str:
    """Return the key that only the mailed link carries, and that proves the pinned email. Kept nowhere."""
    return keyed_digest(settings.SECRET_KEY, "invite-email", f"{invite.code}\0{invite.email}")[:EMAIL_KEY_LENGTH]


def email_is_proven(invite: Invite, key: str | None) -> bool:
    """Say whether `key` came from the mail to the pinned email."""
    return bool(invite.email and key) and hmac.compare_digest(email_key(invite).encode(), str(key).encode())


def of_holder(holder: str) -> Invite | None:
    """Return the invitation by which `holder` came, if there is (still) one."""
    use = OF_HOLDER.first(holder)
    return None if use is None or use.invite_id is None else Invite.objects.filter(id=use.invite_id).first()


def code_of(holder: str) -> str | None:
    """Return the code by which `holder` came; None where it was by no invitation."""
    use = OF_HOLDER.first(holder)
    return None if use is None else use.code
