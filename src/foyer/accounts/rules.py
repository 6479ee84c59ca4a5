"""What can be said of a name and a password without asking anybody."""

from __future__ import annotations

from foyer.accounts.errors import (
    NameForbidden,
    NameReserved,
    PasswordMissing,
    PasswordsDiffer,
    PasswordTooLong,
    PasswordTooShort,
)
from foyer.config import current
from foyer.kit.matrix import parse_localpart
from foyer.kit.refusal import Refusal

MAX_PASSWORD_LENGTH = 255


def allowed_localpart(username: str) -> str:
    """Return the localpart that was meant, if the specification and the owner's rules allow it.

    Raises:
        NameMalformed, NameForbidden, NameReserved
    """
    config = current()
    localpart = parse_localpart(username, config.server_name)
    rules = config.usernames
    if localpart in rules.reserved:
        raise NameReserved
    if not all(pattern.fullmatch(localpart) for pattern in rules.must_match):
        raise NameForbidden
    if any(pattern.fullmatch(localpart) for pattern in rules.must_not_match):
        raise NameForbidden
    return localpart


def password_refusals(password: str, confirm: str | None) -> list[Refusal]:
    """Return what is wrong with the password, by the owner's rules. `confirm` None: there was no such field."""
    min_length = current().password.min_length
    found: list[Refusal] = []
    if not password:
        found.append(PasswordMissing())
    elif len(password) < min_length:
        found.append(PasswordTooShort(min_length=min_length))
    elif len(password) > MAX_PASSWORD_LENGTH:
        found.append(PasswordTooLong(max_length=MAX_PASSWORD_LENGTH))
    if confirm is not None and confirm != password:
        found.append(PasswordsDiffer())
    return found
