"""One invitation: its link, who came by it, and what is done to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from foyer.accounts import queries as accounts
from foyer.applications.texts import allowed_email
from foyer.config import current
from foyer.invites import listing, mailing, mirroring, services
from foyer.invites.models import Invite
from foyer.invites.queries import link, uses_of
from foyer.kit.matrix import mxid
from foyer.kit.refusal import Refusal
from foyer.notify import email
from foyer.notify import queries as deliveries
from foyer.web.desk import frame, qr
from foyer.web.desk.door import Me, moderators
from foyer.web.desk.invitations import shown, whose
from foyer.web.desk.people import state_word
from foyer.web.errors import NOT_FOUND, allow, answer
from foyer.web.forms import Error

TYPES = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who came by it, or is at the door."""

    address: str
    at: datetime
    state: str
    state_word: str


@moderators
@allow("GET")
def page(request: HttpRequest, me: Me, number: int) -> HttpResponseBase:
    """Show it."""
    invite = listing.one(number, made_by=whose(me))
    if invite is None:
        return answer(request, NOT_FOUND)
    return _page(request, me, invite, [])


def _page(
    request: HttpRequest, me: Me, invite: Invite, errors: list[Error], *, typed_email: str = ""
) -> HttpResponseBase:
    return frame.render(
        request,
        me,
        "desk/invitation.html",
        here="invitations",
        status=400 if errors else 200,
        it=shown(invite),
        invite=invite,
        drawing=qr.drawing(link(invite)),
        guests=_guests(invite),
        used_there=mirroring.used_there(invite),
        standing=mirroring.standing(invite),
        can_mail=email.is_configured(),
        is_for_one=invite.uses_limit == 1 or bool(invite.email),
        mails=deliveries.about(f"invite:{invite.pk}"),
        email_error=errors[0].sentence if errors else "",
        typed_email=typed_email or invite.email,
        may_change=not listing.looks_after_itself(invite),
        path=request.path_info.rpartition("/")[2],
    )


def _guests(invite: Invite) -> list[Guest]:
    uses = uses_of(invite)
    numbers = {
        use.holder: int(use.holder.removeprefix("account:")) for use in uses if use.holder.startswith("account:")
    }
    known = accounts.by_ids(numbers.values())
    server = current().server_name
    return [
        Guest(mxid(account.localpart, server), use.spent_at or use.at, account.state, state_word(account.state))
        for use in reversed(uses)
        if (account := known.get(numbers.get(use.holder, 0))) is not None
    ]


@moderators
@allow("GET")
def code(request: HttpRequest, me: Me, number: int, kind: str) -> HttpResponseBase:
    """Give its QR code as a file."""
    invite = listing.one(number, made_by=whose(me))
    if invite is None or kind not in TYPES:
        return answer(request, NOT_FOUND)
    response = HttpResponse(qr.file(link(invite), kind), content_type=TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="invitation-{invite.pk}.{kind}"'
    response["Cache-Control"] = "no-store"
    return response


@moderators
@allow("POST")
def act(request: HttpRequest, me: Me, number: int, deed: str) -> HttpResponseBase:
    """Close it, open it again, or mail it."""
    invite = listing.one(number, made_by=whose(me))
    if invite is None:
        return answer(request, NOT_FOUND)
    typed = frame.one(request.POST, "email", 254)
    match deed:
        case "close":
            services.revoke(invite, actor=me.actor)
            said = _("Closed. Nobody new can join by it.")
        case "reopen":
            services.restore(invite, actor=me.actor)
            said = _("Open again.")
        case "mail":
            try:
                said = _mail(invite, me, typed)
            except Refusal as refusal:
                return _page(request, me, invite, [Error("email", str(refusal))], typed_email=typed)
        case _other:
            return answer(request, NOT_FOUND)
    frame.say(request, [said])
    return frame.go_to(request, f"desk/invitations/{number}")


def _mail(invite: Invite, me: Me, typed: str) -> str:
    """Pin it to the email, and owe the mail; neither, where one cannot be."""
    if deliveries.is_owed(mailing.KIND, f"invite:{invite.pk}"):
        return _("A mail with it is on its way already.")
    address = allowed_email(typed)
    with transaction.atomic():
        if address != invite.email:
            invite = services.edit(invite, actor=me.actor, email=address)
        mailing.send(invite, actor=me.actor)
    return _("It is on its way to %(email)s.") % {"email": address}
