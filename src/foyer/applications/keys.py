"""Codes and keys, worked out when they are needed. None of them is kept but, of the status key, a digest."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import transaction

from foyer.applications.models import Application
from foyer.config import current
from foyer.kit.codes import keyed_digest

KEY_LENGTH = 32
DIGITS = 6


def new_nonce() -> str:
    """Return what one application's status key is made from."""
    return secrets.token_hex(16)


def status_key(application: Application) -> str:
    """Return the key of the status page, which is all that its owner needs to come back."""
    return _digest("application-status", application.nonce)[:KEY_LENGTH]


def status_digest(key: str) -> str:
    """Return what the row of the application with this key has in `key_digest`."""
    return _digest("application-key", key)


def renew_digest(application: Application) -> None:
    """Let the links that are made now lead there, though the secret key is another than when it began."""
    digest = status_digest(status_key(application))
    if application.key_digest != digest:
        with transaction.atomic():
            Application.objects.filter(id=application.id).update(key_digest=digest)
        application.key_digest = digest


def code(application: Application) -> str:
    """Return the six digits that prove the email."""
    value = f"{application.pk}\0{application.email_to_prove}\0{application.code_generation}"
    return f"{int(_digest('application-code', value), 16) % 10**DIGITS:0{DIGITS}d}"


def mail_key(application: Application) -> str:
    """Return the key of the mailed link: the application's number, and what only a mail to this email can carry."""
    value = f"{application.pk}\0{application.email_to_prove}"
    return f"{application.pk}-{_digest('application-mail', value)[:KEY_LENGTH]}"


def proven_mail_key(application: Application) -> str:
    """Return the key of the link by which the email was proven already."""
    value = f"{application.pk}\0{application.email}"
    return f"{application.pk}-{_digest('application-mail', value)[:KEY_LENGTH]}"


def status_link(application: Application) -> str:
    """Return the address of the status page."""
    return f"{_base()}/apply/{status_key(application)}"


def confirm_link(application: Application) -> str:
    """Return the address behind the button of the verification mail. Opening it changes nothing."""
    return f"{_base()}/apply/confirm/{mail_key(application)}"


def desk_link(application: Application) -> str:
    """Return where moderators read it."""
    return f"{_base()}/desk/requests/{application.pk}"


def queue_link() -> str:
    """Return where moderators see all that wait."""
    return f"{_base()}/desk/"


def _digest(purpose: str, value: str) -> str:
    return keyed_digest(settings.SECRET_KEY, purpose, value)


def _base() -> str:
    return str(current().public_url).rstrip("/")
