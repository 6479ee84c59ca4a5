"""Emails as they are shown to people whom they do not belong to."""

from __future__ import annotations


def masked(email: str) -> str:
    """Return `m•••@example.net` for `maria+matrix@example.net`: enough to know it again, too little to write to."""
    name, _at, domain = email.rpartition("@")
    return f"{name[:1]}•••@{domain}"
