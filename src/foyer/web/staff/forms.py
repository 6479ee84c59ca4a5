"""What second factors send. A code that let somebody in lets nobody in again; nonsense is refused."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.forms import ChangePasswordForm
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django.utils.translation import gettext as _

from foyer.audit.verbs import Verb
from foyer.staff import queries, services


class _Once:
    """Goes before a form of allauth's, which forgets used codes while they are still good (its tolerance)."""

    user: Any

    def clean_code(self) -> str:
        """Return the code, if it is right and was never used.

        Raises:
            ValidationError: it is wrong or used, or there were too many tries.
        """
        code = str(super().clean_code())  # type: ignore[misc]
        if not queries.is_first_use(self.user, code):
            self._emit_authentication_failed(None)
            raise get_adapter().validation_error("incorrect_code")
        return code

    verb = Verb.STAFF_SIGN_IN_FAILED

    def _emit_authentication_failed(self, authenticator: Any) -> None:
        services.note_failure(self.user.username, "second-factor", verb=self.verb)


class CodeForm(_Once, AuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""


class CodeAgainForm(_Once, ReauthenticateForm):  # type: ignore[misc]
    """Confirming it is still oneself."""

    verb = Verb.STAFF_CONFIRM_FAILED


class PasswordForm(ChangePasswordForm):  # type: ignore[misc]
    """A new password."""

    def clean(self) -> dict[str, Any]:
        """Return what was sent.

        Raises:
            ValidationError: by field.
        """
        cleaned: dict[str, Any] = super().clean()
        if cleaned.get("password1") and self.has_error("password2", None) and self.data.get("password2"):
            self.errors["password2"] = self.error_class([_("The two are not the same. Type the new one again.")])
        return cleaned


@contextmanager
def _readable() -> Iterator[None]:
    """Refuse what cannot be read. allauth and fido2 expect that a browser made it, and break in many ways otherwise."""
    try:
        yield
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error) as error:
        raise get_adapter().validation_error("incorrect_code") from error


class _Known:
    """Goes before a form of allauth's that asks for a passkey."""

    def clean_credential(self) -> Any:
        """Return the passkey.

        Raises:
            ValidationError: it is not one of theirs, or nothing that can be read.
        """
        with _readable():
            return super().clean_credential()  # type: ignore[misc]


class PasskeySignInForm(_Known, LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey alone."""


class PasskeyForm(_Known, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey after the password."""


class PasskeyAgainForm(_Known, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Confirming it is still oneself."""


class NewPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A passkey that is to be added."""

    def clean(self) -> dict[str, Any]:
        """Return what was sent.

        Raises:
            ValidationError: it answers another question, or is nothing that can be read.
        """
        with _readable():
            return dict(super().clean())
