"""matrix-registration 0.9's API: /api/token, /api/token/NAME and /api/version.

What it makes ignores our own defaults for invitations: any number of uses, and no end, unless asked.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

import foyer
from foyer.invites import queries, services
from foyer.invites.errors import InviteRefused
from foyer.invites.models import Invite
from foyer.kit.actor import Actor
from foyer.legacy import values, wire
from foyer.legacy.secret import secret_required

ACTOR = Actor.key("legacy")
FIXED = frozenset({"ips", "active", "name"})


@wire.route("GET", rule="api")
@secret_required
def version(request: HttpRequest) -> HttpResponse:
    """Tell the version, which is Foyer's."""
    return wire.answer({"version": foyer.__version__})


@wire.route("GET", "POST", rule="api")
@secret_required
def collection(request: HttpRequest) -> HttpResponse:
    """List the tokens, or make one."""
    return create(request) if request.method == "POST" else list_all()


@wire.route("GET", "PATCH", "DELETE", rule="api")
@secret_required
def item(request: HttpRequest, name: str) -> HttpResponse:
    """Show, change or delete a token."""
    try:
        if request.method == "PATCH":
            return change(request, name)
        invite = queries.find(name)
        if request.method == "DELETE":
            services.delete(invite, actor=ACTOR)
            return wire.answer({"success": "true"})
        return wire.answer(shown(invite))
    except InviteRefused:
        return not_found()


def list_all() -> HttpResponse:
    """Return every token, oldest first."""
    found: list[dict[str, object]] = []
    for batch in queries.batches():
        ips = queries.ips_of(batch)
        found += [token(invite, ips.get(invite.id, [])) for invite in batch]
    return wire.answer(found)


def create(request: HttpRequest) -> HttpResponse:
    """Make a token."""
    content = wire.read_object(request)
    if not content:
        return wire.error(wire.BAD_REQUEST, "no data was sent")
    try:
        wanted = services.NewInvite(
            uses_limit=values.read_limit(content.get("max_usage")),
            expires_at=values.read_moment(content.get("expiration_date")),
        )
    except values.BadDate:
        return bad_date()
    except values.BadValue as problem:
        return wire.error(wire.BAD_REQUEST, str(problem))
    return wire.answer(shown(services.create(wanted, actor=ACTOR)))


def change(request: HttpRequest, name: str) -> HttpResponse:
    """Change what may be changed.

    Raises:
        InviteRefused: there is none of this name.
    """
    content = wire.read_object(request)
    if FIXED & content.keys():
        return wire.error(wire.BAD_REQUEST, "you're not allowed to change this property")
    invite = queries.find(name)
    try:
        changes = _changes(content)
        disabled = values.read_flag("disabled", content["disabled"]) if "disabled" in content else None
    except values.BadDate:
        return bad_date()
    except values.BadValue as problem:
        return wire.error(wire.BAD_REQUEST, str(problem))
    with transaction.atomic():
        services.edit(invite, actor=ACTOR, **changes)
        if disabled is True:
            services.revoke(invite, actor=ACTOR)
        elif disabled is False:
            services.restore(invite, actor=ACTOR)
    return wire.answer(shown(queries.find(name)))


def _changes(content: dict[str, Any]) -> dict[str, int | datetime | None]:
    changes: dict[str, int | datetime | None] = {}
    if "expiration_date" in content:
        changes["expires_at"] = values.read_moment(content["expiration_date"])
    if "max_usage" in content:
        changes["uses_limit"] = values.read_limit(content["max_usage"])
    if "used" in content:
        changes["used"] = values.read_count("used", content["used"])
    return changes


def shown(invite: Invite) -> dict[str, object]:
    """Return one token as the API shows it."""
    return token(invite, queries.ips_of([invite]).get(invite.id, []))


def token(invite: Invite, ips: list[str]) -> dict[str, object]:
    """Return a token, in the order in which `status` prints it."""
    return {
        "name": invite.code,
        "used": invite.used,
        "expiration_date": values.show_moment(invite.expires_at),
        "max_usage": values.show_limit(invite.uses_limit),
        "ips": ips,
        "disabled": invite.revoked_at is not None,
        "active": invite.is_live,
    }


def not_found(text: str = "token does not exist") -> HttpResponse:
    """Return the 404 of both generations."""
    return wire.error("MR_TOKEN_NOT_FOUND", text, 404)


def bad_date(text: str = "date wasn't in YYYY-MM-DD format") -> HttpResponse:
    """Return the 400 for what is no date."""
    return wire.error("MR_BAD_DATE_FORMAT", text)
