"""The invitation: its page, and the form that makes an account of it."""

from __future__ import annotations

import copy
import math
import secrets
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from markupsafe import Markup

from foyer import config
from foyer.accounts import services as accounts
from foyer.accounts.queries import TAKEN, suggestions
from foyer.invites import queries as invites
from foyer.invites.errors import InviteBusy, InviteMissing, InviteRefused
from foyer.invites.models import Invite
from foyer.kit.refusal import Refusal
from foyer.screening import limits
from foyer.screening.errors import TooMany
from foyer.web import edge
from foyer.web.errors import allow, refused
from foyer.web.forms import Error, by_field, errors_of, not_accepted, password_words, terms_accepted
from foyer.web.jinja import moment_tag
from foyer.web.pages import go_to, page_of, papers, render, render_once
from foyer.web.pasted import code_in, key_in
from foyer.web.public.dead import dead_link
from foyer.web.public.welcome import path_of

FIELDS = frozenset({"username", "password", "confirm"})
FORMS_KEPT = 100
# Nobody can have written these into a message.
CODE_PLACE = f"code-{secrets.token_hex(16)}"
MOMENT_PLACE = Markup(f"moment-{secrets.token_hex(16)}")  # noqa: S704 - letters and digits

_forms: dict[tuple[object, ...], bytes] = {}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that no field is to blame for."""

    sentence: str
    reassurance: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the form sent. The passwords are never shown again."""

    code: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    confirm: str | None = field(default=None, repr=False)
    email_key: str = field(default="", repr=False)

    @classmethod
    def by(cls, request: HttpRequest) -> Sent:
        """Read the form. `confirm` is absent from our own page where a script shows the password instead."""
        form = request.POST
        return cls(
            code=code_in(form.get("token", "")),
            username=form.get("username", ""),
            password=form.get("password", ""),
            confirm=form.get("confirm"),
            email_key=form.get("key", "") or key_in(form.get("token", "")),
        )

    def attempt(self, request: HttpRequest) -> accounts.JoinAttempt:
        """Return it as the accounts room takes it."""
        client = edge.client(request)
        return accounts.JoinAttempt(
            code=self.code,
            username=self.username,
            password=self.password,
            confirm=self.confirm,
            email_key=self.email_key or None,
            ip=client.ip if client.is_known else None,
            accepted_terms=terms_accepted(papers(request.POST)),
        )


@allow("GET")
def page(request: HttpRequest) -> HttpResponseBase:
    """Show the invitation that `?token=` names, or ask for one."""
    typed = request.GET.get("token", "")
    return show(request, code_in(typed), email_key=request.GET.get("key", "") or key_in(typed))


@allow("GET")
def invitation(request: HttpRequest, code: str) -> HttpResponseBase:
    """Show the invitation behind `/i/CODE`."""
    return show(request, code, email_key=request.GET.get("key", ""))


def show(request: HttpRequest, code: str, *, email_key: str = "") -> HttpResponseBase:
    """Show an invitation, or which kind of dead link it is."""
    try:
        invite = invites.find_live(code)
    except InviteMissing:
        return render_once(request, "code.html")
    except InviteBusy as refusal:
        # Whoever joined a minute ago and got no answer comes back here, and must be able to press again.
        return _form(request, invites.find(code), Sent(code=code, email_key=email_key), trouble=_in_words(refusal))
    except InviteRefused as refusal:
        return dead_link(request, refusal, code=code)
    return _form(request, invite, Sent(code=code, email_key=email_key)) if email_key else _fresh_form(request, invite)


def _fresh_form(request: HttpRequest, invite: Invite) -> HttpResponse:
    """Show the form to somebody who has just come: rendered once for all invitations that say the same.

    What differs among them, the code and the moment, takes its place in the page afterwards. A code is of characters
    that are the same in HTML and in an address.
    """
    key = (edge.language(request), edge.root(request), invite.message, invite.inviter, invite.localpart)
    form = _forms.get((*key, invite.expires_at is None))
    if form is None:
        like_it = copy.copy(invite)
        like_it.code = CODE_PLACE
        until = None if invite.expires_at is None else MOMENT_PLACE
        form = _form(request, like_it, Sent(code=CODE_PLACE), open_until=until).content
        if len(_forms) >= FORMS_KEPT:
            _forms.clear()
        _forms[(*key, invite.expires_at is None)] = form
    if invite.expires_at is not None:
        form = form.replace(MOMENT_PLACE.encode(), moment_tag(invite.expires_at).encode())
    return page_of(form.replace(CODE_PLACE.encode(), invite.code.encode()), secret=True)


@config.on_change
def forget() -> None:
    """Render every form anew."""
    _forms.clear()


def submit(request: HttpRequest) -> HttpResponseBase:
    """Make the account, and lead to the welcome page; or show the form again with what to put right."""
    try:
        limits.check("join", edge.client(request))
    except TooMany as refusal:
        # Not the form again: after too many tries nobody is told whether a code is alive.
        return refused(request, refusal)
    sent = Sent.by(request)
    attempt = sent.attempt(request)
    missing = not_accepted(papers(request.POST))
    try:
        if missing:
            invalid = [it for it in accounts.validate(attempt) if it.field != "token"]
            return _again(request, sent, invalid, missing)
        joined = accounts.open_with_invite(attempt)
    except InviteBusy as refusal:
        return _again(request, sent, [], trouble=refusal)
    except InviteRefused as refusal:
        if refusal.field == "token":
            return dead_link(request, refusal, code=sent.code)
        return _again(request, sent, [refusal])
    except Refusal as refusal:
        if refusal.field not in FIELDS or refusal.status >= 500:
            return _again(request, sent, [], trouble=refusal)
        return _again(request, sent, _all_of(attempt, refusal))
    return go_to(request, path_of(joined.localpart) + edge.language(request).query)


def _all_of(attempt: accounts.JoinAttempt, first: Refusal) -> list[Refusal]:
    """Return every field's refusal, so that nobody puts things right one by one."""
    found = [it for it in accounts.validate(attempt) if it.field != "token"]
    return found if any(it.code == first.code for it in found) else [*found, first]


def _again(
    request: HttpRequest,
    sent: Sent,
    refusals: list[Refusal],
    missing: list[Error] | None = None,
    *,
    trouble: Refusal | None = None,
) -> HttpResponseBase:
    """Show the form again. The link may have died meanwhile; then that is what is said."""
    try:
        invite = invites.find(sent.code)
        if trouble is None:
            invites.require_live(invite)
    except InviteRefused as refusal:
        return dead_link(request, refusal, code=sent.code)
    errors = errors_of(refusals) + (missing or [])
    if trouble is None:
        return _form(request, invite, sent, status=400, errors=errors, suggested=_suggested(sent, refusals))
    response = _form(request, invite, sent, status=trouble.status, trouble=_in_words(trouble))
    wait = getattr(trouble, "retry_after", 60 if trouble.status == 503 else 0)
    if wait:
        response["Retry-After"] = str(math.ceil(wait))
    return response


def _in_words(trouble: Refusal) -> Trouble:
    if isinstance(trouble, InviteBusy):
        return Trouble(str(trouble), _("If that was you, send the same user name and password again."))
    kept = _("Your invitation is still good. Type your password again when you try once more.")
    return Trouble(str(trouble), kept if trouble.status == 503 and trouble.code != "outcome-unknown" else "")


def _suggested(sent: Sent, refusals: list[Refusal]) -> list[str]:
    """Return names like the one that somebody else has."""
    return suggestions(sent.code, sent.username) if any(it.code in TAKEN for it in refusals) else []


def _form(
    request: HttpRequest,
    invite: Invite,
    sent: Sent,
    *,
    status: int = 200,
    errors: list[Error] | None = None,
    trouble: Trouble | None = None,
    suggested: list[str] | None = None,
    open_until: Markup | None = None,
) -> HttpResponse:
    legal = papers(request.POST)
    fields = ["username", "password", "confirm", *(paper.field for paper in legal)]
    return render(
        request,
        "join.html",
        status=status,
        secret=True,
        # The switcher keeps the code also where the form was posted, and never what was typed.
        path=edge.root(request) + "register",
        parameters={"token": sent.code, **({"key": sent.email_key} if sent.email_key else {})},
        invitation=invite,
        open_until=open_until or (invite.expires_at and moment_tag(invite.expires_at)),
        email_key=sent.email_key,
        typed={"username": invite.localpart or sent.username.strip()},
        errors=errors or [],
        errors_by_field=by_field(errors or [], fields),
        suggestions=suggested or [],
        trouble=trouble,
        legal=legal,
        localpart=invite.localpart or sent.username.strip().removeprefix("@").lower(),
        password_words=password_words(),
    )
