"""One's own account: what protects it, and changing that."""

from __future__ import annotations

from typing import Any

from allauth.account.views import PasswordChangeView, ReauthenticateView
from allauth.mfa.base.views import IndexView
from allauth.mfa.base.views import ReauthenticateView as ReauthenticateByCodeView
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse_lazy

from foyer.audit.verbs import Verb
from foyer.staff import services
from foyer.web.staff import guard
from foyer.web.staff.pages import Page


class Account(Page, IndexView):  # type: ignore[misc]
    """Everything about signing in as oneself, on one page. Where a second factor is required, it begins here."""

    template = "staff/account.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page shows."""
        shown: dict[str, Any] = super().get_context_data(**kwargs)
        kinds = shown.pop("authenticators")
        codes = kinds.get("recovery_codes")
        return {
            "member": guard.member(self.request),
            "is_missing": guard.lacks_second_factor(self.request),
            "app": kinds["totp"].instance if "totp" in kinds else None,
            "passkeys": [it.instance for it in kinds.get("webauthn", [])],
            "codes": codes.instance if codes else None,
        }


class ChangePassword(Page, PasswordChangeView):  # type: ignore[misc]
    """One's own password, by knowing the old one."""

    template = "staff/password.html"
    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        """Change it."""
        with transaction.atomic():
            services.note(Verb.STAFF_PASSWORD_CHANGED, guard.member(self.request))
            response: HttpResponse = super().form_valid(form)
        return response

    def get_default_success_url(self) -> str:
        """Return where to go then."""
        return str(self.success_url)


class Confirm(Page, ReauthenticateView):  # type: ignore[misc]
    """Once more the password, before something important changes."""

    template = "staff/confirm.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page shows."""
        return {**super().get_context_data(**kwargs), "by": "password"}


class ConfirmByCode(Page, ReauthenticateByCodeView):  # type: ignore[misc]
    """Once more a code."""

    template = "staff/confirm.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page shows."""
        return {**super().get_context_data(**kwargs), "by": "code"}


class ConfirmByPasskey(Page, ReauthenticateWebAuthnView):  # type: ignore[misc]
    """Once more a passkey."""

    template = "staff/confirm.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page shows."""
        return {**super().get_context_data(**kwargs), "by": "passkey"}

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the page again."""
        services.note_failure(guard.member(self.request).username, "passkey", verb=Verb.STAFF_CONFIRM_FAILED)
        return self.render_to_response(self.get_context_data(form=form))
