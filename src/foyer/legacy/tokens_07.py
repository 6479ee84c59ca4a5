"""The API of matrix-registration 0.7 and 0.8, which is the one that its manual shows: /token and /token/NAME."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from foyer.invites import queries, services
from foyer.invites.errors import InviteRefused
from foyer.invites.models import Invite
from foyer.legacy import values, wire
from foyer.legacy.secret import secret_required
from foyer.legacy.tokens import ACTOR, bad_date, not_found

# It had no column for "disabled": such a token expired in the year 1.
DISABLED = "0001-01-01 00:00:00"
NOT_ISO = "date wasn't YYYY-MM-DD format"


@wire.route("GET", "POST", rule="api")
@secret_required
def collection(request: HttpRequest) -> HttpResponse:
    """List the tokens, or make one."""
    if request.method == "POST":
        return create(request)
    return wire.answer([token(invite) for batch in queries.batches() for invite in batch])


@wire.route("GET", "PUT", rule="api")
@secret_required
def item(request: HttpRequest, name: str) -> HttpResponse:
    """Show or disable a token."""
    try:
        if request.method == "PUT":
            return disable(request, name)
        return wire.answer(token(queries.find(name)))
    except InviteRefused:
        return not_found()


def create(request: HttpRequest) -> HttpResponse:
    """Make a token, for one person with `one_time`."""
    content = wire.read_object(request)
    if not content:
        return wire.error(wire.BAD_REQUEST, "no data was sent")
    try:
        one_time = values.read_flag("one_time", content.get("one_time") or False)
        expires_at = values.read_moment(content.get("ex_date"))
    except values.BadDate:
        return bad_date(NOT_ISO)
    except values.BadValue as problem:
        return wire.error(wire.BAD_REQUEST, str(problem))
    wanted = services.NewInvite(uses_limit=1 if one_time else None, expires_at=expires_at)
    return wire.answer(token(services.create(wanted, actor=ACTOR)))


def disable(request: HttpRequest, name: str) -> HttpResponse:
    """Disable a token that is still good.

    Raises:
        InviteRefused: there is none of this name.
    """
    if wire.read_object(request).get("disable") is not True:
        return wire.error(wire.BAD_REQUEST, 'PUT only allows "disable": true')
    invite = _find_or_none(name)
    if invite is None or not invite.is_live or not services.revoke(invite, actor=ACTOR):
        return not_found("token does not exist or is already disabled")
    return wire.answer(token(queries.find(name)))


def _find_or_none(name: str) -> Invite | None:
    try:
        return queries.find(name)
    except InviteRefused:
        return None


def token(invite: Invite) -> dict[str, object]:
    """Return a token as this API shows it."""
    return {
        "name": invite.code,
        "used": invite.used,
        "ex_date": DISABLED if invite.revoked_at is not None else values.show_moment(invite.expires_at),
        "one_time": invite.uses_limit == 1,
        "valid": invite.is_live,
    }
