"""A link that lets nobody in: which kind it is, and whom to ask."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from markupsafe import Markup, escape

from foyer.invites.errors import InviteRefused
from foyer.web import edge
from foyer.web.jinja import moment_tag
from foyer.web.pages import render

GONE = 410
LONGEST_CODE = 64
LONGEST_TYPED = 200
TITLES: dict[str, tuple[int, Promise]] = {
    "invite-unknown": (404, _("We do not know this invitation")),
    "invite-expired": (GONE, _("This invitation has ended")),
    "invite-spent": (GONE, _("This invitation has been used up")),
    "invite-revoked": (GONE, _("This invitation was withdrawn")),
    "invite-for-other": (403, _("This invitation is for somebody else")),
}
ANY_OTHER = (400, _("This invitation does not open the door"))
# Whoever lost the answer to the press that let them in opens the link again, and must not think that it was in vain.
IF_IT_WAS_YOU = _("If it was you who used it, your account is there: sign in with the name and password you chose.")


def dead_link(request: HttpRequest, refusal: InviteRefused, *, code: str) -> HttpResponse:
    """Show why an invitation lets nobody in."""
    status, title = TITLES.get(refusal.code, ANY_OTHER)
    return render(
        request,
        "dead.html",
        status=status,
        secret=True,
        path=edge.root(request) + "register",
        # What is longer is no code, and the language links would carry it on.
        parameters={"token": code[:LONGEST_CODE]},
        title=title,
        sentence=_sentence(refusal),
        # Only what was mistyped is worth mending; a link that is over is not.
        typed=code[:LONGEST_TYPED] if refusal.code == "invite-unknown" else "",
    )


def _sentence(refusal: InviteRefused) -> str:
    """Return the refusal's sentence, with its moments in words and on the reader's own clock."""
    moments = {name: moment_tag(value) for name, value in refusal.params.items() if isinstance(value, datetime)}
    if not moments:
        return f"{refusal} {IF_IT_WAS_YOU}" if refusal.code == "invite-spent" else str(refusal)
    return Markup(escape(str(refusal.sentence))) % {**refusal.params, **moments}  # noqa: S704 - escaped right here
