"""Second factors: an authenticator app, passkeys, and the recovery codes for when those are lost."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import (
    DownloadRecoveryCodesView,
    GenerateRecoveryCodesView,
    ViewRecoveryCodesView,
)
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, EditWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse, reverse_lazy
from markupsafe import Markup

from foyer.audit.verbs import Verb
from foyer.staff import services
from foyer.web.pages import render
from foyer.web.staff import guard
from foyer.web.staff.adapters import SecondFactorAdapter
from foyer.web.staff.pages import Page
from foyer.web.staff.places import redirect


class AddApp(Page, ActivateTOTPView):  # type: ignore[misc]
    """A QR code for an authenticator app, and the first code that it shows."""

    template = "staff/app.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page shows."""
        shown: dict[str, Any] = super().get_context_data(**kwargs)
        secret = shown["form"].secret
        groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        # segno draws nothing but numbers and names of its own; nothing of the link's text.
        return {**shown, "drawing": Markup(shown.pop("totp_svg")), "typed_key": groups}  # noqa: S704

    def form_valid(self, form: Any) -> HttpResponse:
        """Set it up."""
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            _added(self.request, "totp")
        return response


class RemoveApp(Page, DeactivateTOTPView):  # type: ignore[misc]
    """Ask for the app no more."""

    template = "staff/remove.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page shows."""
        return {**super().get_context_data(**kwargs), "what": "app", "name": ""}

    def form_valid(self, form: Any) -> HttpResponse:
        """Remove it."""
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            services.note(Verb.STAFF_SECOND_FACTOR_REMOVED, guard.member(self.request), kind="totp")
        return response


class AddPasskey(Page, AddWebAuthnView):  # type: ignore[misc]
    """A passkey of this device, or a security key."""

    template = "staff/passkey.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page shows."""
        # allauth's own view drops a form that was refused, and what to put right with it.
        return {**super().get_context_data(**kwargs), **({"form": kwargs["form"]} if "form" in kwargs else {})}

    def form_valid(self, form: Any) -> HttpResponse:
        """Add it."""
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            _added(self.request, "webauthn")
        return response


class RenamePasskey(Page, EditWebAuthnView):  # type: ignore[misc]
    """Another name for a passkey."""

    template = "staff/passkey-name.html"
    success_url = reverse_lazy("mfa_index")


class RemovePasskey(Page, RemoveWebAuthnView):  # type: ignore[misc]
    """One passkey fewer."""

    template = "staff/remove.html"
    success_url = reverse_lazy("mfa_index")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page shows."""
        shown: dict[str, Any] = super().get_context_data(**kwargs)
        name = self.object.wrap().name
        return {**shown, "what": "passkey", "name": name}

    def form_valid(self, form: Any) -> HttpResponse:
        """Remove it, unless it is the last one where everybody needs one."""
        if not SecondFactorAdapter().can_delete_authenticator(self.object):
            messages.error(self.request, str(SecondFactorAdapter.error_messages["cannot_delete_authenticator"]))
            return redirect(reverse("mfa_index"))
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            services.note(Verb.STAFF_SECOND_FACTOR_REMOVED, guard.member(self.request), kind="webauthn")
        return response


class RecoveryCodes(Page, ViewRecoveryCodesView):  # type: ignore[misc]
    """The recovery codes that are left."""

    template = "staff/recovery-codes.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show them; where there are none, or they cannot be read any more, offer new ones."""
        if not _recovery_codes(request):
            return redirect(reverse("mfa_index"))
        try:
            response: HttpResponseBase = super().get(request, *args, **kwargs)
        except ValidationError:
            return redirect(reverse("mfa_generate_recovery_codes"))
        return response


class NewRecoveryCodes(Page, GenerateRecoveryCodesView):  # type: ignore[misc]
    """New recovery codes; the old ones are void then."""

    template = "staff/recovery-codes-new.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page shows. Not allauth's: that one unlocks the old codes to count them."""
        return {**kwargs, "form": kwargs.get("form") or self.get_form()}

    def form_valid(self, form: Any) -> HttpResponse:
        """Make them."""
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            services.note(Verb.STAFF_RECOVERY_CODES_MADE, guard.member(self.request))
        return response


class DownloadRecoveryCodes(DownloadRecoveryCodesView):  # type: ignore[misc]
    """The recovery codes as a small text file."""

    def render_to_response(self, context: dict[str, Any], **response_kwargs: Any) -> HttpResponse:
        """Return the file."""
        response = render(self.request, "staff/recovery-codes.txt", secret=True, codes=self.unused_codes)
        response["Content-Type"] = "text/plain; charset=utf-8"
        response["Content-Disposition"] = 'attachment; filename="recovery-codes.txt"'
        return response


def _recovery_codes(request: HttpRequest) -> bool:
    return bool(Authenticator.objects.filter(user_id=guard.member(request).pk, type="recovery_codes").exists())


def _added(request: HttpRequest, kind: str) -> None:
    """Keep it, and end the sessions that were begun without it; all but this one."""
    member = guard.member(request)
    services.note(Verb.STAFF_SECOND_FACTOR_ADDED, member, kind=kind)
    services.end_other_sessions(member)
    update_session_auth_hash(request, member)
