"""Who may see which page for staff. What is not marked is closed.

    @staff_only
    def queue(request): ...          # moderators and admins

    @admins_only
    def rules(request): ...          # admins

Below /desk and /admin the middleware asks for the mark before every view, so forgetting one opens nothing: an unmarked
view lets in moderators and admins below /desk, admins below /admin. Elsewhere the decorators guard by themselves.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from enum import Enum
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from foyer.config import current
from foyer.kit.actor import Actor
from foyer.staff import queries
from foyer.staff.models import Staff
from foyer.web.errors import FORBIDDEN, Problem, answer, wants_page
from foyer.web.staff.places import redirect

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

MARK = "staff_access"
SIGNED_IN_AT = "foyer.signed-in-at"

SIGNED_OUT = Problem(401, "signed-out", _("You are signed out"), _("Sign in again, then go on."))
NEEDS_SECOND_FACTOR = Problem(
    403,
    "second-factor-missing",
    _("One more step first"),
    _("This server asks everybody here for a second factor. Set one up, then go on."),
)


class Access(Enum):
    """Whom a view lets in."""

    EVERYBODY = "everybody"
    """The sign-in itself."""
    SETTING_UP = "setting up"
    """Anybody signed in, also before they have the second factor that this server requires."""
    STAFF = "staff"
    """Moderators and admins."""
    ADMINS = "admins"


def everybody(view: View[P]) -> View[P]:
    """Mark a view that has to let strangers in, such as the sign-in."""
    return _marked(Access.EVERYBODY, view)


def setting_up(view: View[P]) -> View[P]:
    """Mark a view that staff need to set their second factor up."""
    return _marked(Access.SETTING_UP, view)


def staff_only(view: View[P]) -> View[P]:
    """Let moderators and admins in, who have all that this server requires; nobody else."""
    return _marked(Access.STAFF, view)


def admins_only(view: View[P]) -> View[P]:
    """Let admins in, who have all that this server requires; nobody else."""
    return _marked(Access.ADMINS, view)


def member(request: HttpRequest) -> Staff:
    """Return who is signed in. The view must be marked with anything but `everybody`."""
    return cast("Staff", request.user)


def actor(request: HttpRequest) -> Actor:
    """Return who is signed in, as services take it."""
    return Actor.staff(member(request).username)


def refusal(request: HttpRequest, access: Access) -> HttpResponseBase | None:
    """Return the answer for somebody whom this access does not let in; None for the others."""
    if access is Access.EVERYBODY:
        return None
    if not _is_signed_in(request):
        return _to_sign_in(request)
    if access is Access.SETTING_UP:
        return None
    if lacks_second_factor(request):
        return _to_second_factor(request)
    if access is Access.ADMINS and not member(request).is_admin:
        return answer(request, FORBIDDEN, sentence=str(_("Only admins may see this page.")))
    return None


def lacks_second_factor(request: HttpRequest) -> bool:
    """Say whether whoever is signed in must set up a second factor before anything else."""
    return current().staff.second_factor == "required" and not queries.has_second_factor(member(request))


def _marked(access: Access, view: View[P]) -> View[P]:
    @functools.wraps(view)
    def inner(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return refusal(request, access) or view(request, *args, **kwargs)

    setattr(inner, MARK, access)
    return inner


def _is_signed_in(request: HttpRequest) -> bool:
    """Say whether somebody is signed in, and end a sign-in that has lasted as long as it may."""
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return False
    since = request.session.get(SIGNED_IN_AT, 0)
    # A sign-in from the future, by a clock that ran ahead, would last for as long as that.
    if abs(time.time() - since) < current().staff.session.total_seconds():
        return True
    logout(request)
    return False


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    if not wants_page(request):
        return answer(request, SIGNED_OUT)
    # What was posted is lost; coming back to its address with GET may find nothing there.
    back = {"next": request.get_full_path()} if request.method in {"GET", "HEAD"} else {}
    return redirect(reverse("account_login") + (f"?{urlencode(back)}" if back else ""))


def _to_second_factor(request: HttpRequest) -> HttpResponseBase:
    if not wants_page(request):
        return answer(request, NEEDS_SECOND_FACTOR)
    return redirect(reverse("mfa_index"))
