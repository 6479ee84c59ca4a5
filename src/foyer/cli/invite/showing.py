"""An invitation in words, and as JSON."""

from __future__ import annotations

from typing import Any

from foyer.accounts.queries import by_ids
from foyer.cli.local_time import iso, shown
from foyer.config import current
from foyer.invites.mirroring import standing, used_there
from foyer.invites.models import Invite
from foyer.invites.queries import link, uses_of
from foyer.kit.clock import now
from foyer.kit.matrix import mxid


def state(invite: Invite) -> str:
    """Return one word for what it can do now: open, revoked, expired or spent."""
    if invite.revoked_at is not None:
        return "revoked"
    if invite.expires_at is not None and invite.expires_at <= now():
        return "expired"
    return "spent" if invite.uses_left == 0 else "open"


def as_json(invite: Invite) -> dict[str, Any]:
    """Return every fact for programs; `uses` null is unlimited, times are UTC."""
    return {
        "code": invite.code,
        "link": link(invite),
        "uses": invite.uses_limit,
        "used": invite.used,
        "held": invite.held,
        "expires_at": iso(invite.expires_at),
        "state": state(invite),
        "revoked_at": iso(invite.revoked_at),
        "label": invite.label,
        "message": invite.message,
        "rooms": invite.rooms,
        "name": invite.localpart,
        "email": invite.email,
        "inviter": invite.inviter,
        "mirror": standing(invite) or None,
        "used_at_homeserver": used_there(invite),
        "created_at": iso(invite.created_at),
        "created_by": invite.created_by,
    }


def people(invite: Invite) -> list[dict[str, Any]]:
    """Return who came by it, oldest first, and who is on the way (`joined_at` null)."""
    uses = uses_of(invite)
    accounts = by_ids(int(use.holder.removeprefix("account:")) for use in uses if use.holder.startswith("account:"))
    named = {account.holder: mxid(account.localpart, current().server_name) for account in accounts.values()}
    return [{"matrix_id": named.get(use.holder), "joined_at": iso(use.spent_at)} for use in uses]


def good_for(invite: Invite) -> str:
    """Return how many may join and until when, as one sentence."""
    many = "any number of people" if invite.uses_limit is None else _people(invite.uses_limit)
    until = f"until {shown(invite.expires_at)}" if invite.expires_at else "for ever"
    return f"Good for {many}, {until}."


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


MIRRORED = {
    "": "",
    "waiting": "will be a registration token there soon",
    "there": "is a registration token there as well",
    "taken": "is no registration token there: another one has this code. Make an invitation with another code",
    "over": "is no registration token there (any more)",
}


def at_homeserver(invite: Invite) -> str:
    """Return how it stands there; empty where it was never meant to be there."""
    words, count = MIRRORED[standing(invite)], used_there(invite)
    return f"{words}; {_people(count)} registered by it" if count else words


def facts(invite: Invite) -> list[tuple[str, str]]:
    """Return names and values for people."""
    limit = "unlimited" if invite.uses_limit is None else str(invite.uses_limit)
    joining = f", {invite.held} joining now" if invite.held else ""
    return [
        ("Code", invite.code),
        ("Link", link(invite)),
        ("State", state(invite)),
        ("Used", f"{invite.used} of {limit}{joining}"),
        ("Expires", shown(invite.expires_at, never="never")),
        ("Revoked", shown(invite.revoked_at)),
        ("Label", invite.label),
        ("Message", invite.message),
        ("Rooms", ", ".join(invite.rooms)),
        ("User name", invite.localpart),
        ("Email", invite.email),
        ("Inviter", invite.inviter),
        ("At the homeserver", at_homeserver(invite)),
        ("Made", f"{shown(invite.created_at)} by {invite.created_by}"),
    ]
