"""Secrets of second factors at rest: locked with a key that is made from Foyer's secret key.

Whoever reads the database alone, or a backup of it, cannot make anybody's codes.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from foyer.kit.codes import keyed_digest
from foyer.staff.errors import SecretUnreadable

PURPOSE = "staff.second-factor"


def seal(text: str) -> str:
    """Return the text locked; twice the same text gives two different results."""
    return _lock().encrypt(text.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """Return what was locked.

    Raises:
        SecretUnreadable: it was locked with another secret key, or changed since.
    """
    try:
        return _lock().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable from error


def _lock() -> Fernet:
    key = bytes.fromhex(keyed_digest(settings.SECRET_KEY, PURPOSE, ""))
    return Fernet(base64.urlsafe_b64encode(key))
