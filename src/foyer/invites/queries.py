"""Reading invitations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Count, F, Q, Sum

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
from foyer.invites.statements import BY_CODE
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
    invite = BY_CODE.first(code) if is_code(code) else None
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


def batches(size: int = 500) -> Iterator[list[Invite]]:
    """Return all invitations, oldest first, in lists of `size`: a table of any length fits."""
    last = 0
    while batch := list(Invite.objects.filter(id__gt=last).order_by("id")[:size]):
        yield batch
        last = batch[-1].id


def ips_of(invites: Iterable[Invite]) -> dict[int, list[str]]:
    """Return id → the IPs of those who came by it, as far as they are kept, each once."""
    wanted = [invite.id for invite in invites]
    uses = Use.objects.filter(invite_id__in=wanted, spent_at__isnull=False, ip__isnull=False).order_by("id")
    found: dict[int, dict[str, None]] = {}
    for invite_id, ip in uses.values_list("invite_id", "ip"):
        found.setdefault(int(invite_id or 0), {})[str(ip)] = None
    return {invite_id: list(ips) for invite_id, ips in found.items()}


@dataclass(frozen=True, slots=True)
class Totals:
    """How many invitations there are, how many of them let somebody in, and their uses."""

    all: int
    live: int
    used: int
    held: int


def totals() -> Totals:
    """Return the sums over all invitations, in one pass."""
    is_open = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now()))
    has_uses = Q(uses_limit=None) | Q(uses_limit__gt=F("used"))
    found = Invite.objects.aggregate(
        all=Count("id"), live=Count("id", filter=is_open & has_uses), used=Sum("used"), held=Sum("held")
    )
    return Totals(found["all"], found["live"], found["used"] or 0, found["held"] or 0)
