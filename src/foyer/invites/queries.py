"""Reading invitations."""

from __future__ import annotations

from foyer.config import current
from foyer.invites.errors import (
    InviteBusy,
    InviteExpired,
    InviteMissing,
    InviteRevoked,
    InviteSpent,
    InviteUnknown,
)
from foyer.invites.models import Invite, Use
from foyer.kit.clock import now
from foyer.kit.codes import is_code


def find(code: str) -> Invite:
    """Return the invitation, whatever its condition.

    Raises:
        InviteMissing: the code is empty.
        InviteUnknown: there is none.
    """
    code = code.strip()
    if not code:
        raise InviteMissing
    invite = Invite.objects.filter(code=code).first() if is_code(code) else None
    if invite is None:
        raise InviteUnknown
    return invite


def require_live(invite: Invite) -> None:
    """Let through only what somebody could join by at this moment.

    Raises:
        InviteRefused: the kind that says why not.
    """
    if invite.revoked_at is not None:
        raise InviteRevoked
    if invite.expires_at is not None and invite.expires_at <= now():
        raise InviteExpired(when=invite.expires_at)
    if invite.uses_limit is not None:
        if invite.used >= invite.uses_limit:
            raise InviteSpent
        if invite.used + invite.held >= invite.uses_limit:
            raise InviteBusy


def find_live(code: str) -> Invite:
    """Return the invitation if somebody could join by it at this moment.

    Raises:
        InviteRefused: the kind that says why not.
    """
    invite = find(code)
    require_live(invite)
    return invite


def uses_of(invite: Invite) -> list[Use]:
    """Return who came by it, or is coming, oldest first."""
    return list(invite.uses.order_by("id"))


def link(invite: Invite, *, plain: bool = False) -> str:
    """Return the address to send: `/i/CODE`, or the predecessor's `/register?token=CODE`."""
    base = str(current().public_url).rstrip("/")
    return f"{base}/register?token={invite.code}" if plain else f"{base}/i/{invite.code}"
