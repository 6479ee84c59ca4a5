"""Invitations: the list, a new one or a batch, and the sheet to print. A moderator's own, or for admins all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foyer.applications.moves import who
from foyer.invites import listing, mailing, mirroring, services
from foyer.invites.errors import CodeTaken
from foyer.invites.models import Invite
from foyer.invites.queries import link
from foyer.kit.clock import now
from foyer.kit.refusal import Refusal
from foyer.notify import email
from foyer.web.desk import frame, invitation_form, lists
from foyer.web.desk.door import Me, moderators
from foyer.web.desk.qr import drawing
from foyer.web.errors import NOT_FOUND, allow, answer
from foyer.web.forms import Error, by_field

MOST_ON_A_SHEET = invitation_form.MOST_IN_A_BATCH


@dataclass(frozen=True, slots=True)
class Shown:
    """One invitation, for the templates."""

    invite: Invite
    link: str
    state: str
    state_word: str
    made_by: str

    @property
    def title(self) -> str:
        """How it is called: by its label, else by its code."""
        return self.invite.label or self.invite.code


def shown(invite: Invite) -> Shown:
    """Return one."""
    state = _state(invite)
    words = {"open": _("open"), "closed": _("closed"), "expired": _("expired"), "used": _("used up")}
    return Shown(invite, link(invite), state, words[state], who(invite.created_by))


def _state(invite: Invite) -> str:
    if invite.revoked_at is not None:
        return "closed"
    if invite.expires_at is not None and invite.expires_at <= now():
        return "expired"
    return "open" if invite.is_live else "used"


def whose(me: Me) -> str:
    """Return whose invitations somebody may see: their own, or (empty) everybody's."""
    return "" if me.is_admin else str(me.actor)


@moderators
@allow("GET", "POST")
def page(request: HttpRequest, me: Me) -> HttpResponseBase:
    """Show a page of them; a POST makes one as the owner wants them."""
    if request.method == "POST":
        made = services.create(invitation_form.house_defaults(me), actor=me.actor)
        frame.say(request, [_("Here is your invitation.")])
        return frame.go_to(request, f"desk/invitations/{made.pk}")
    which = frame.one(request.GET, "which") if request.GET.get("which") in {"over", "all"} else "open"
    words = frame.one(request.GET, "q", lists.MOST_WORDS)
    found = listing.page(cast("listing.Which", which), made_by=whose(me), words=words, before=lists.before_of(request))
    return frame.render(
        request,
        me,
        "desk/invitations.html",
        here="invitations",
        which=which,
        tabs=[("open", _("Open")), ("over", _("Over")), ("all", _("All"))],
        words=words,
        invitations=[shown(it) for it in found.invites],
        next_page=lists.following(found.before, which=which, q=words),
        looked_to=found.looked_to,
    )


@moderators
@allow("GET", "POST")
def new(request: HttpRequest, me: Me) -> HttpResponseBase:
    """Ask for everything that an invitation can have, and make it, or several at once."""
    if request.method != "POST":
        return _form(request, me, invitation_form.empty(me), [])
    draft = invitation_form.typed(request.POST)
    count, wanted, errors = invitation_form.read(draft, me)
    wants_mail = bool(request.POST.get("send")) and count == 1
    if errors:
        return _form(request, me, draft, errors)
    try:
        with transaction.atomic():
            made = [services.create(wanted, actor=me.actor)] if count == 1 else []
            if wants_mail:
                mailing.send(made[0], actor=me.actor)
    except CodeTaken as refusal:
        return _form(request, me, draft, [Error("code", str(refusal))])
    except Refusal as refusal:
        return _form(request, me, draft, [Error("email", str(refusal))])
    if made:
        frame.say(request, [_("It is on its way.") if wants_mail else _("Here is your invitation.")])
        return frame.go_to(request, f"desk/invitations/{made[0].pk}")
    made = services.create_many(count, wanted, actor=me.actor)
    text = ngettext("%(count)s invitation is made.", "%(count)s invitations are made.", count)
    frame.say(request, [text % {"count": count}])
    ids = frame.joined([it.pk for it in made])
    return frame.go_to(request, "desk/invitations/sheet", {"ids": ids})


def _form(request: HttpRequest, me: Me, draft: invitation_form.Draft, errors: list[Error]) -> HttpResponseBase:
    return frame.render(
        request,
        me,
        "desk/invitation_new.html",
        here="invitations",
        status=400 if errors else 200,
        it=None,
        draft=draft,
        errors=errors,
        errors_by_field=by_field(errors, invitation_form.FIELDS),
        most=invitation_form.MOST_IN_A_BATCH,
        longest_message=invitation_form.LONGEST_MESSAGE,
        can_mail=email.is_configured(),
        can_mirror=mirroring.is_possible(),
        wants_mail=bool(request.POST.get("send")),
    )


@moderators
@allow("GET")
def sheet(request: HttpRequest, me: Me) -> HttpResponseBase:
    """Show several with their links and QR codes, to print, cut and hand out."""
    asked = ",".join([frame.one(request.GET, "ids", 4000), *request.GET.getlist("id")])
    ids = frame.numbers(asked, most=MOST_ON_A_SHEET)
    rows = listing.several(ids, made_by=whose(me))
    if not rows:
        return answer(request, NOT_FOUND)
    found = [shown(it) for it in rows]
    return frame.render(
        request,
        me,
        "desk/sheet.html",
        here="invitations",
        invitations=[(it, drawing(it.link)) for it in found],
        all_links="\n".join(it.link for it in found),
    )
