"""Synapse's refusals to make an account or to take a password, as errors of ours."""

from __future__ import annotations

import re

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.errors import HomeserverError, NameRefused, NameTaken, NotPossible, PasswordRefused, ServerFull
from foyer.homeserver.http import Answer
from foyer.kit.matrix import LOCALPART, MAX_MXID_BYTES, mxid

PASSWORD_CODES = {
    "M_PASSWORD_TOO_SHORT": "password-too-short",
    "M_PASSWORD_NO_DIGIT": "password-no-digit",
    "M_PASSWORD_NO_SYMBOL": "password-no-symbol",
    "M_PASSWORD_NO_LOWERCASE": "password-no-lowercase",
    "M_PASSWORD_NO_UPPERCASE": "password-no-uppercase",
}
SPELLED_WRONG = "Invalid username"
PASSWORD_WRONG = "Invalid password"


def account_refusal(answer: Answer) -> HomeserverError | None:
    """Return what this answer says about a name, a password or the server's fullness; None for anything else."""
    code = answer.errcode
    if code == "M_USER_IN_USE":
        return NameTaken(**answer.said)
    if code in ("M_INVALID_USERNAME", "M_EXCLUSIVE") or answer.error == SPELLED_WRONG:
        return NameRefused(**answer.said)
    if code == "M_WEAK_PASSWORD" or code.startswith("M_PASSWORD_") or answer.error == PASSWORD_WRONG:
        # Without the length that is wanted, "too short" would say "at least 0 characters".
        reason = PASSWORD_CODES.get(code)
        return PasswordRefused(reasons=[reason] if reason and code != "M_PASSWORD_TOO_SHORT" else [], **answer.said)
    if code == "M_RESOURCE_LIMIT_EXCEEDED":
        return ServerFull(**answer.said)
    return None


def refuse_impossible_name(localpart: str, server_name: str) -> None:
    """Refuse what is no localpart, before it becomes a part of an MXID or a path.

    Raises:
        NameRefused
    """
    if not LOCALPART.fullmatch(localpart) or len(mxid(localpart, server_name).encode()) > MAX_MXID_BYTES:
        raise NameRefused(errcode="M_INVALID_USERNAME", error="User ID is not valid")


def refuse_unusual_name(localpart: str) -> None:
    """Refuse what Synapse refuses unless it is told otherwise, where it cannot be asked.

    Raises:
        NameRefused
    """
    if localpart.startswith("_") or re.fullmatch(r"[0-9]+", localpart):
        raise NameRefused(errcode="M_INVALID_USERNAME", error="User ID may not begin with _ or be a number")


def needs_admin_token() -> NotPossible:
    """Return the error of everything that only an administrator may do."""
    return NotPossible(
        remedy=_("This needs the access token of an admin of the homeserver in homeserver.admin_token."),
        detail="no admin token",
    )
