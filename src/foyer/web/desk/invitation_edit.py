"""Changing an invitation, and deleting it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from foyer.invites import listing, services
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.kit.refusal import Refusal
from foyer.web.desk import frame, invitation_form
from foyer.web.desk.door import Me, moderators
from foyer.web.desk.invitations import shown, whose
from foyer.web.desk.lists import day_of
from foyer.web.errors import NOT_FOUND, allow, answer, refused
from foyer.web.forms import Error, by_field


@moderators
@allow("GET", "POST")
def page(request: HttpRequest, me: Me, number: int) -> HttpResponseBase:
    """Show the form as the invitation is; with POST, change it."""
    invite = _changeable(me, number)
    if invite is None:
        return answer(request, NOT_FOUND)
    if request.method != "POST":
        return _form(request, me, invite, _as_it_is(invite), [])
    draft = invitation_form.typed(request.POST, invitation_form.CHANGEABLE)
    _count, wanted, errors = invitation_form.read(draft, me)
    errors = [error for error in errors if not _stays(error, draft, invite)]
    if errors:
        return _form(request, me, invite, draft, errors)
    try:
        services.edit(invite, actor=me.actor, **_changes(invite, draft, wanted))
    except Refusal as refusal:
        return refused(request, refusal)
    frame.say(request, [_("The invitation is changed.")])
    return frame.go_to(request, f"desk/invitations/{number}")


@moderators
@allow("POST")
def delete(request: HttpRequest, me: Me, number: int) -> HttpResponseBase:
    """Delete it. Who came by it stays in the list of people."""
    invite = _changeable(me, number)
    if invite is None:
        return answer(request, NOT_FOUND)
    if invite.held:
        frame.say(request, [_("Somebody is joining by it at this moment. Close it, and delete it in a minute.")])
        return frame.go_to(request, f"desk/invitations/{number}")
    services.delete(invite, actor=me.actor)
    frame.say(request, [_("%(title)s is deleted.") % {"title": shown(invite).title}])
    return frame.go_to(request, "desk/invitations")


def _changeable(me: Me, number: int) -> Invite | None:
    """Return it; None where it is somebody else's, or the link of an approved request, which looks after itself."""
    invite = listing.one(number, made_by=whose(me))
    return None if invite is None or listing.looks_after_itself(invite) else invite


def _as_it_is(invite: Invite) -> invitation_form.Draft:
    return invitation_form.Draft(
        uses="" if invite.uses_limit is None else str(invite.uses_limit),
        expires=day_of(invite.expires_at),
        label=invite.label,
        message=invite.message,
        inviter=invite.inviter,
        rooms="\n".join(invite.rooms),
        username=invite.localpart,
        email=invite.email,
    )


def _stays(error: Error, draft: invitation_form.Draft, invite: Invite) -> bool:
    """What stood there before is no mistake: a day that is over, a name forbidden by now, the rooms of an admin."""
    before = _as_it_is(invite)
    is_as_before: bool = getattr(draft, error.anchor) == getattr(before, error.anchor)
    return error.anchor in {"expires", "username", "rooms"} and is_as_before


def _changes(invite: Invite, draft: invitation_form.Draft, wanted: NewInvite) -> dict[str, Any]:
    """Return what is different now. An end of the same day stays at its hour."""
    before = _as_it_is(invite)
    columns = {
        "uses": "uses_limit",
        "expires": "expires_at",
        "label": "label",
        "message": "message",
        "inviter": "inviter",
        "rooms": "rooms",
        "username": "localpart",
        "email": "email",
    }
    changed = [field for field in columns if getattr(draft, field) != getattr(before, field)]
    return {columns[field]: getattr(wanted, columns[field]) for field in changed}


def _form(
    request: HttpRequest, me: Me, invite: Invite, draft: invitation_form.Draft, errors: list[Error]
) -> HttpResponseBase:
    return frame.render(
        request,
        me,
        "desk/invitation_new.html",
        here="invitations",
        status=400 if errors else 200,
        it=shown(invite),
        draft=draft,
        errors=errors,
        errors_by_field=by_field(errors, invitation_form.FIELDS),
        most=invitation_form.MOST_IN_A_BATCH,
        longest_message=invitation_form.LONGEST_MESSAGE,
        can_mail=False,
        can_mirror=False,
        wants_mail=False,
    )
