"""Localparts and MXIDs.

https://spec.matrix.org/v1.11/appendices/#user-identifiers
"""

from __future__ import annotations

import re

from django.utils.translation import gettext_lazy as _

from foyer.kit.refusal import Refusal

MAX_MXID_BYTES = 255
LOCALPART = re.compile(r"[a-z0-9=_./+-]+")


class NameMalformed(Refusal):
    """The text cannot be the localpart of a new Matrix account."""

    code = "name-malformed"
    field = "username"
    sentence = _("Use small letters from a to z, digits, and the signs . _ = - / + for your user name.")


class NameMissing(NameMalformed):
    """No name was typed."""

    code = "name-missing"
    sentence = _("Choose a user name.")


class NameTooLong(NameMalformed):
    """The whole Matrix address would not fit into what the specification allows."""

    code = "name-too-long"
    sentence = _("This user name is too long. Choose a shorter one.")


class NameElsewhere(NameMalformed):
    """The text is a Matrix address of another homeserver."""

    code = "name-elsewhere"
    sentence = _("Accounts made here end in :%(server_name)s. Type only the part before the colon.")


def mxid(localpart: str, server_name: str) -> str:
    """Return the Matrix user ID, `@localpart:server_name`."""
    return f"@{localpart}:{server_name}"


def parse_localpart(text: str, server_name: str) -> str:
    """Return the localpart that a person meant: `Maria`, `@maria` and `@maria:example.org` are all `maria`.

    Raises:
        NameMalformed: or one of its kinds, each with its own code and sentence.
    """
    name = text.strip().removeprefix("@").lower()
    name, colon, server = name.partition(":")
    if colon and server != server_name.lower():
        raise NameElsewhere(server_name=server_name)
    if not name:
        raise NameMissing
    if not LOCALPART.fullmatch(name):
        raise NameMalformed
    if len(mxid(name, server_name).encode()) > MAX_MXID_BYTES:
        raise NameTooLong
    return name
