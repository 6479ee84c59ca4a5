"""Where allauth asks what this house does: its words, its audit, its secrets."""

from __future__ import annotations

import time
from typing import Any

import segno
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foyer.audit.verbs import Verb
from foyer.config import current
from foyer.staff import sealing, services
from foyer.staff.errors import SecretUnreadable
from foyer.staff.models import Staff
from foyer.web import edge
from foyer.web.staff.guard import SIGNED_IN_AT

# A sign-in this young need not be confirmed before the account is changed.
FRESH_SECONDS = 300

# What allauth would say with templates of its own. What is not here, the pages say themselves.
SAID: dict[str, str | Promise] = {
    "account/messages/logged_out.txt": gettext_lazy("You are signed out."),
    "account/messages/password_changed.txt": gettext_lazy("Your password is changed. You are signed out elsewhere."),
    "mfa/messages/totp_activated.txt": gettext_lazy("Your authenticator app is set up."),
    "mfa/messages/totp_deactivated.txt": gettext_lazy("Your authenticator app is no longer asked for."),
    "mfa/messages/webauthn_added.txt": gettext_lazy("Your passkey is added."),
    "mfa/messages/webauthn_removed.txt": gettext_lazy("The passkey is removed."),
    "mfa/messages/recovery_codes_generated.txt": gettext_lazy("You have new recovery codes. The old ones are void."),
}


WAYS_TO_CONFIRM: dict[str, str | Promise] = {
    "reauthenticate": gettext_lazy("Use the password instead"),
    "mfa_reauthenticate": gettext_lazy("Use a code instead"),
    "mfa_reauthenticate:webauthn": gettext_lazy("Use a passkey instead"),
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Signing in and out."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": gettext_lazy(
            "That name and password do not go together. Check both and try again."
        ),
        "too_many_login_attempts": gettext_lazy("There were too many tries. Wait five minutes, then try again."),
        "rate_limited": gettext_lazy("There were too many tries. Wait five minutes, then try again."),
        "incorrect_password": gettext_lazy("That is not your password. Try again."),
        "enter_current_password": gettext_lazy("That is not your password. Try again."),
        "incorrect_code": gettext_lazy("That code is not right, or was used before. Try the next one."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up; staff are made on the command line."""
        return False

    def is_ajax(self, request: HttpRequest) -> bool:
        """Our pages are pages; the one address for scripts answers by itself."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the IP as every other room knows it, behind trusted proxies."""
        return edge.client(request).ip

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Keep that a password was wrong; whose, if anybody's, and never what was typed."""
        verb = Verb.STAFF_CONFIRM_FAILED if request.user.is_authenticated else Verb.STAFF_SIGN_IN_FAILED
        services.note_failure(credentials.get("username"), "password", verb=verb)

    def login(self, request: HttpRequest, user: Staff) -> None:
        """Sign somebody in who has proved all that they have to."""
        super().login(request, user)
        request.session[SIGNED_IN_AT] = time.time()
        services.note(Verb.STAFF_SIGNED_IN, user, by=_ways(request))

    def logout(self, request: HttpRequest) -> None:
        """Sign somebody out."""
        if isinstance(request.user, Staff):
            services.note(Verb.STAFF_SIGNED_OUT, request.user)
        super().logout(request)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Ask again for the password before the account changes, unless it was only just given."""
        since = self.request.session.get(SIGNED_IN_AT, 0)
        if time.time() - since < FRESH_SECONDS:
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    def get_reauthentication_methods(self, user: Staff) -> list[dict[str, Any]]:
        """Return the ways to confirm that it is oneself, in our words."""
        return [
            {**way, "description": WAYS_TO_CONFIRM.get(way["id"], way["description"])}
            for way in super().get_reauthentication_methods(user)
        ]

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Say something on the next page, in our words."""
        text = message or SAID.get(message_template or "", "")
        if text:
            messages.add_message(request, level, str(text), extra_tags=extra_tags)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Authenticator apps, passkeys and recovery codes."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
        "cannot_delete_authenticator": gettext_lazy(
            "This server asks everybody here for a second factor. Add another one before you remove this."
        ),
        "unreadable": gettext_lazy(
            "This server’s secret key was changed, and with it your second factor was lost. "
            "Ask its owner to run `foyer staff reset-second-factor`."
        ),
    }

    def encrypt(self, text: str) -> str:
        """Lock a secret for the database."""
        return sealing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Unlock a secret from the database.

        Raises:
            ValidationError: the secret key is another one; forms show it.
        """
        try:
            return sealing.unseal(encrypted_text)
        except SecretUnreadable as error:
            raise ValidationError(self.error_messages["unreadable"], code="unreadable") from error

    def get_totp_label(self, user: Staff) -> str:
        """Return what authenticator apps call the account."""
        return user.username

    def get_totp_issuer(self) -> str:
        """Return what authenticator apps call us."""
        return current().display_name

    def build_totp_svg(self, url: str) -> str:
        """Draw the QR code."""
        code = segno.make(url, error="m", micro=False)
        return str(code.svg_inline(border=3, omitsize=True, svgclass=None, lineclass=None))

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Say whether somebody may remove this one: not the last, where everybody needs one."""
        if current().staff.second_factor != "required":
            return True
        others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=("totp", "webauthn"))
        return bool(others.exclude(pk=authenticator.pk).exists())

    def generate_authenticator_name(self, user: Staff, type: Authenticator.Type) -> str:  # noqa: A002 - allauth's name
        """Propose a name for a passkey."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey %(number)s") % {"number": count + 1}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return what browsers tie a passkey to: the name of this site as it was asked for."""
        host, _port = split_domain_port(context.request.get_host())
        return {"id": host, "name": current().display_name}

    def get_public_key_credential_user_entity(self, user: Staff) -> dict[str, Any]:
        """Return what browsers call the account."""
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return {**entity, "name": user.username, "display_name": user.username}


def _ways(request: HttpRequest) -> str:
    """Return how somebody proved who they are: `password`, `password+totp`, `webauthn`."""
    records = request.session.get("account_authentication_methods", [])
    return "+".join(str(it.get("type") or it.get("method")) for it in records)
