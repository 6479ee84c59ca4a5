"""Signing in and out: the password, the second step, a passkey alone."""

from __future__ import annotations

from typing import Any

from allauth.account.views import AccountInactiveView, LoginView, LogoutView
from allauth.core.internal import ratelimit
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.webauthn.internal.auth import begin_authentication
from allauth.mfa.webauthn.views import LoginWebAuthnView
from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foyer.staff import queries, services
from foyer.web.errors import FORBIDDEN, answer
from foyer.web.staff.pages import Page
from foyer.web.staff.places import redirect

CLOSED = gettext_lazy("Your account here was closed. Ask an admin of this server if you think that is a mistake.")


class SignIn(Page, LoginView):  # type: ignore[misc]
    """Name and password; or a passkey, which goes to `PasskeySignIn`."""

    template = "staff/sign-in.html"


class SecondStep(Page, AuthenticateView):  # type: ignore[misc]
    """The code of an authenticator app, a recovery code, or a passkey."""

    template = "staff/second-step.html"

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the page again."""
        if form is self.webauthn_form:
            services.note_failure(self.stage.login.user.username, "passkey")
        response: HttpResponse = super().form_invalid(form)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page shows."""
        shown: dict[str, Any] = super().get_context_data(**kwargs)
        kinds = queries.second_factors([self.stage.login.user])[self.stage.login.user.pk]
        return {**shown, "has_passkey": "webauthn" in kinds, "has_app": "totp" in kinds}


class PasskeySignIn(LoginWebAuthnView):  # type: ignore[misc]
    """A passkey alone. GET gives the browser its question, POST brings the answer."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the question. It is kept in a session, so nobody may ask for as many as they like."""
        refused: HttpResponse | None = ratelimit.consume_or_429(
            request, app="allauth.mfa", action="webauthn_options", limit_get=True
        )
        if refused is not None:
            return refused
        response = JsonResponse(dict(begin_authentication()), encoder=DjangoJSONEncoder)
        response["Cache-Control"] = "no-store"
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        """Back to the sign-in, with what went wrong."""
        services.note_failure(None, "passkey")
        sentence = _("This server does not know that passkey. Use another, or your password.")
        messages.error(self.request, sentence)
        back = self.request.POST.get("next", "")
        return redirect(reverse("account_login") + (f"?{urlencode({'next': back})}" if back else ""))


class SignOut(Page, LogoutView):  # type: ignore[misc]
    """GET asks, POST does it."""

    template = "staff/sign-out.html"


class Closed(AccountInactiveView):  # type: ignore[misc]
    """Where somebody lands whose password is right and whose account is disabled."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say so."""
        return answer(request, FORBIDDEN, sentence=str(CLOSED))
