"""What Django needs around pages for staff, and only around them: public pages have no session and no cookie of these.

One middleware instead of Django's four and allauth's, so that a public request is asked one question and passes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from allauth.account.middleware import AccountMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware

from foyer.web.staff import guard

AREAS = ("/desk/", "/admin/")
DOORSTEPS = ("/desk", "/admin")

GetResponse = Callable[[HttpRequest], Any]


def is_for_staff(path: str) -> bool:
    """Say whether a path, without the path of `public_url`, is below /desk or /admin."""
    return path.startswith(AREAS) or path in DOORSTEPS


class ForStaff:
    """Below /desk and /admin: sessions, tokens in forms, who is signed in, messages, and the guard before each view."""

    def __init__(self, get_response: GetResponse) -> None:
        self.public = get_response
        self.flows = AccountMiddleware(get_response)
        self.forgery = CsrfViewMiddleware(AuthenticationMiddleware(MessageMiddleware(self.flows)))
        self.staff = SessionMiddleware(self.forgery)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        if not is_for_staff(request.path_info):
            return self.public(request)  # type: ignore[no-any-return]
        response = cast("HttpResponseBase", self.staff(request))
        # Browsers that send no referrer send no origin either, and Django then takes every form for a forged one.
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Refuse forms that are not ours, and whom the view does not let in.

        A view that says nothing lets in as few as its area does.
        """
        if not is_for_staff(request.path_info):
            return None
        area = guard.Access.STAFF if request.path_info.startswith("/desk") else guard.Access.ADMINS
        return self.forgery.process_view(request, view, args, kwargs) or guard.refusal(
            request, getattr(view, guard.MARK, area)
        )

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Ask for the password again where one of allauth's flows wants it."""
        if is_for_staff(request.path_info):
            return self.flows.process_exception(request, exception)  # type: ignore[no-any-return]
        return None
