"""The page behind the secret link: how the request stands, what was said, and what somebody can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from foyer.accounts import queries as account_queries
from foyer.applications import queries, services
from foyer.applications.errors import WrongState
from foyer.applications.models import Application, Decision, PasswordWay, State
from foyer.applications.texts import MAX_TEXT_LENGTH
from foyer.config import current
from foyer.invites.mailing import KEY_PARAMETER
from foyer.invites.models import Invite
from foyer.invites.services import email_key
from foyer.kit.refusal import Refusal
from foyer.notify.messages.applicants import OTHER_SERVERS
from foyer.web.apply.stage import CORRECTABLE, Visit, go_on, of_one_request, over, show, step_of, too_many, trouble
from foyer.web.errors import allow
from foyer.web.forms import by_field, errors_of
from foyer.web.public.welcome import apps_for, path_of

Stage = Literal["waiting", "asked", "approved", "choose", "open", "denied", "lapsed"]
ANSWERED = "answer"
STILL_YOURS = "kept"
NOT_WITHDRAWN = "not-withdrawn"
NOT_WITHDRAWABLE = frozenset({State.DONE, State.DENIED, State.EXPIRED, State.WITHDRAWN})
STAGES: dict[str, Stage] = {
    State.WAITING: "waiting",
    State.ASKED: "asked",
    State.APPROVED: "approved",
    State.DENIED: "denied",
    State.DONE: "open",
    State.LAPSED: "lapsed",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that was said. Moderators speak as one here: who of them it was is their own affair."""

    is_mine: bool
    text: str
    at: datetime


@allow("GET")
@of_one_request
def page(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Show how the request stands; lead on where it is not complete yet."""
    row = visit.application
    if row.state in {State.UNVERIFIED, State.VERIFIED}:
        return go_on(request, visit)
    if row.state in {State.WITHDRAWN, State.EXPIRED}:
        return _ended(request, row)
    return tell(request, visit)


def _ended(request: HttpRequest, row: Application) -> HttpResponse:
    if row.state == State.WITHDRAWN:
        title, sentence = _("You have withdrawn your request"), _("Everything that you wrote is deleted.")
    else:
        title, sentence = _("This request has ended"), _("It was not finished in time. You can begin anew.")
    return over(request, title=title, sentence=sentence)


def stage_of(row: Application, invite: Invite | None) -> Stage:
    """Return what the page is about. A decision shows from the moment that it takes effect, and not a minute earlier:
    till then a moderator can take it back."""
    if row.state in {State.APPROVED, State.DENIED} and row.effects_started_at is None:
        return "waiting"
    if row.state == State.APPROVED and invite is not None and not invite.used:
        return "choose"
    return STAGES[row.state]


def tell(
    request: HttpRequest,
    visit: Visit,
    *,
    reply: str = "",
    refusal: Refusal | None = None,
) -> HttpResponse:
    """Show the page."""
    row = visit.application
    invite = Invite.objects.filter(id=row.invite_id).first() if row.invite_id else None
    stage = stage_of(row, invite)
    is_pending = stage in {"waiting", "asked"}
    errors = errors_of([refusal] if refusal is not None and refusal.field == "text" else [])
    return show(
        request,
        visit,
        "apply/status.html",
        "",
        refusal=refusal,
        stage=stage,
        **_words(visit, stage, invite),
        email=row.email,
        email_wanted=row.email_wanted,
        is_refused=row.mail_refused_at is not None,
        may_correct=is_pending and row.state in CORRECTABLE,
        may_withdraw=row.state not in NOT_WITHDRAWABLE,
        submitted_at=row.submitted_at,
        usual_wait=queries.typical_wait() if is_pending else None,
        messages=[Turn(it.by == "applicant", it.text, it.at) for it in queries.conversation(row)],
        said=_said(request) if refusal is None else "",
        reply=reply,
        longest_reply=MAX_TEXT_LENGTH,
        errors=errors,
        errors_by_field=by_field(errors, ["text"]),
        trouble="" if errors else trouble(refusal),
        **_way_in(request, row, stage, invite),
    )


def _said(request: HttpRequest) -> str:
    """Return what has just been done, where the browser was sent on after it."""
    words = {
        ANSWERED: _("Your answer is with the moderators."),
        NOT_WITHDRAWN: _("It was too late to withdraw: your request has moved on."),
        STILL_YOURS: _("The name is still yours. Choose a password, and you are in."),
    }
    return words.get(request.GET.get("sent", ""), "")


def _words(visit: Visit, stage: Stage, invite: Invite | None) -> dict[str, Any]:
    """Return the heading, what stands below it, and the moderators' words where they have decided."""
    row, server = visit.application, current().display_name
    read = _("Thank you. People read every request here. You get a mail as soon as they have decided.")
    approved = _("The moderators have approved your request.")
    denied = _("The moderators of %(server)s have read your request for %(address)s and did not approve it.")
    if row.decision == Decision.APPROVE:
        silence = _("Your request for %(address)s was approved, but no password was chosen in time.")
    else:
        silence = _("The moderators asked you something about your request for %(address)s and heard no more.")
    lost = _("Your request was approved, but the address %(address)s is not available any more. We are sorry.")
    if row.password_way == PasswordWay.WHEN_APPROVED:
        read = f"{read} {_('You choose your password from that mail.')}"
    known = {"server": server, "address": visit.address}
    is_lost = invite is not None and not invite.localpart
    title, sentence = {
        "waiting": (_("Your request is being reviewed"), read),
        "asked": (_("The moderators have a question"), _("As soon as you have answered, they go on.")),
        "approved": (
            _("Your request was approved"),
            _("Your account is being opened. Look again in a minute; a mail tells you too."),
        ),
        "choose": (_("Please choose another name"), lost % known)
        if is_lost
        else (_("Your request was approved"), approved),
        "open": (_("Welcome to %(server)s") % {"server": server}, approved),
        "denied": (_("Your request was not approved"), denied % known),
        "lapsed": (_("Your request has lapsed"), silence % known),
    }[stage]
    has_decided = stage in {"approved", "choose", "open", "denied"}
    return {
        "title": title,
        "sentence": sentence,
        "is_lost": is_lost,
        "decision_message": row.message if has_decided else "",
    }


def _way_in(request: HttpRequest, row: Application, stage: Stage, invite: Invite | None) -> dict[str, Any]:
    """Return what leads on: the apps, the link by which the password is chosen, other servers."""
    way: dict[str, Any] = {"other_servers": OTHER_SERVERS}
    if stage == "choose" and invite is not None:
        way["invitation_path"] = f"i/{invite.code}?{urlencode({KEY_PARAMETER: email_key(invite)})}"
    if stage == "open":
        account = account_queries.by_ids([row.account_id]).get(row.account_id) if row.account_id else None
        localpart = account.localpart if account else row.localpart
        way |= {"localpart": localpart, "welcome_path": path_of(localpart), "apps": apps_for(request, localpart)}
    return way


@allow("GET", "POST")
@of_one_request
def reply(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Answer the moderators."""
    if request.method != "POST" or visit.application.state != State.ASKED:
        return go_on(request, visit, step_of(visit.application))
    text = request.POST.get("text", "")
    refusal: Refusal | None = too_many(request, "reply")
    if refusal is None:
        try:
            services.reply(visit.application, text)
        except WrongState:
            return go_on(request, visit.again())
        except Refusal as error:
            refusal = error
        else:
            return go_on(request, visit.again(), f"?sent={ANSWERED}")
    return tell(request, visit, reply=text, refusal=refusal)


@allow("GET", "POST")
@of_one_request
def renew(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Take a request up again that has lapsed."""
    if request.method != "POST" or visit.application.state != State.LAPSED:
        return go_on(request, visit)
    refusal: Refusal | None = too_many(request, "reply")
    if refusal is None:
        try:
            services.renew(visit.application)
        except WrongState:
            return go_on(request, visit.again())
        except Refusal as error:
            refusal = error
        else:
            return go_on(request, visit.again())
    return tell(request, visit, refusal=refusal)
